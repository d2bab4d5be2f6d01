"""Members of lists: who asks to join or to leave, what a coordinator decides, and the roster as far as it is known."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.desk.requesting import Wanted
from outreach.doors.web.frame import NotThere, Number, Posted, Site
from outreach.joining import CameBy, RequestKind
from outreach.mail.opened import text_in
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store.joinings import Request as Asked

_MOST_BYTES = 20_000_000


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_looking(router, site)
    _add_deciding(router, site)
    _add_asking(router, site)
    _add_rosters(router, site)
    return router


def _add_looking(router: APIRouter, site: Site) -> None:
    @router.get("/members")
    def members(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.ENROL))]) -> Response:
        return _page(request, site, visitor)

    @router.get("/members/{name}/export.csv")
    def export(name: str, _visitor: Annotated[Visitor, Depends(site.may(Verb.ENROL))]) -> Response:
        _check(site, name)
        text = site.house.membership.export_roster(name)
        kept = {"content-disposition": f'attachment; filename="members-{name}.csv"', "cache-control": "no-store"}
        return Response(text, media_type="text/csv; charset=utf-8", headers=kept)


def _add_deciding(router: APIRouter, site: Site) -> None:
    def add(path: str, act: Callable[[int, Posted], Asked]) -> None:
        """Make the route of one button."""

        @router.post(f"/members/requests/{{number}}/{path}")
        def pressed(
            request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.ENROL))]
        ) -> Response:
            try:
                found = act(number, form)
            except BadInput as bad:
                return _page(request, site, form.visitor, bad=bad, of=number, status_code=409)
            said = f"Request {found.id} is {found.state}. {found.note or ''}".strip()
            return site.go("/members#requests", notice=said)

    of = site.house.membership
    add("accept", lambda number, form: of.accept(number, person=form.visitor.email))
    add("send", lambda number, form: of.send(number, person=form.visitor.email))
    add("done", lambda number, form: of.done(number, person=form.visitor.email))
    add("decline", lambda number, form: of.decline(number, form.text("why"), person=form.visitor.email))


def _add_asking(router: APIRouter, site: Site) -> None:
    @router.post("/members/requests")
    def ask(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.ENROL))]) -> Response:
        kind = RequestKind.LEAVE if form.text("kind") == RequestKind.LEAVE else RequestKind.JOIN
        address, name = form.text("address").strip(), form.text("name").strip()
        wanted = Wanted(kind, form.text("channel"), address, name, came_by=CameBy.COORDINATOR)
        try:
            site.house.membership.ask(wanted, person=form.visitor.email)
        except BadInput as bad:
            shown = {"asked": {"address": address, "name": name, "kind": kind}}
            return _page(request, site, form.visitor, bad=bad, status_code=422, **shown)
        return site.go("/members#requests", notice=f"{address} was asked by mail to confirm it.")


def _add_rosters(router: APIRouter, site: Site) -> None:
    of = site.house.membership

    @router.post("/members/{name}/import")
    def take(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.ENROL))]) -> Response:
        _check(site, name)
        try:
            if form.text("from") == "server":
                found = of.import_from_server(name, person=form.visitor.email)
            else:
                text, source = _given(form)
                found = of.import_roster(name, text, source=source, person=form.visitor.email)
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, roster_of=name, status_code=422)
        said = " ".join([f"{len(found.members)} members of {name} are known now.", *found.notes])
        return site.go("/members#rosters", notice=said)

    @router.post("/members/{name}/forget")
    def forget(name: str, form: Annotated[Posted, Depends(site.posts(Verb.ENROL))]) -> Response:
        _check(site, name)
        of.forget_roster(name, person=form.visitor.email)
        return site.go("/members#rosters", notice=f"Nothing is kept any more of who is on {name}.")

    @router.post("/members/erase")
    def erase(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.ENROL))]) -> Response:
        try:
            of.erase(form.text("erased"), person=form.visitor.email)
        except BadInput as bad:
            bad = BadInput(bad.message, where="erased", next_step=bad.next_step)
            return _page(request, site, form.visitor, bad=bad, erased=form.text("erased"), status_code=422)
        return site.go("/members#rosters", notice="It is erased here. The list itself is not changed.")


def _given(form: Posted) -> tuple[str, str]:
    files = form.files("file")
    if files:
        name, data = files[0]
        if len(data) > _MOST_BYTES:
            raise BadInput("The file is longer than 20 MB.", where="file", next_step="Leave columns out.")
        return text_in(data), f"from {name[:100]}"
    text = form.text("pasted")
    if not text.strip():
        raise BadInput("Nothing was given.", where="file", next_step="Choose a file, or paste the list.")
    return text, "pasted"


def _check(site: Site, name: str) -> None:
    if name not in site.house.membership.lists:
        raise NotThere("There is no such list.", next_step="Go back to the members.")


def _page(request: Request, site: Site, visitor: Visitor, **shown: Any) -> Response:
    of, asked = site.house.membership, request.query_params
    part, after = asked.get("search", "")[:100], asked.get("after", "")[:300]
    chosen = asked.get("list", "")
    rosters = {
        name: of.roster(name, part=part if name == chosen else "", after=after if name == chosen else "")
        for name in of.lists
    }
    given = {
        "requests": [(each, of.step(each), of.is_known(each)) for each in of.requests()],
        "settled": of.settled(),
        "lists": {name: of.facts(name) for name in of.lists},
        "rosters": rosters,
        "search": part,
        "chosen": chosen,
        "form_address": site.address(request, "/join"),
        "joining": site.house.settings.LISTSERV_JOINING,
        "bad": None,
    }
    return site.draw(request, "members.html", visitor, **given | shown)

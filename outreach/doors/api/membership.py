"""Members of lists, for programs: rosters, and requests of who wants to join or to leave."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from outreach.access import Visitor
from outreach.desk.requesting import Wanted
from outreach.doors import shapes
from outreach.doors.api import asked, kept
from outreach.doors.api.frame import Api, Name, Number
from outreach.doors.api.once import Call
from outreach.doors.api.problems import Problem, standing
from outreach.joining import CameBy, RequestKind
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store.joinings import Request


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["members"])
    _add_rosters(router, api)
    _add_requests(router, api)
    _add_deciding(router, api)
    return router


def _add_rosters(router: APIRouter, api: Api) -> None:
    of = api.house.membership

    @router.get("/members/{name}", summary="List who is on a list, as far as it was imported, a hundred at a time")
    def list_them(
        name: Name,
        _who: Annotated[Visitor, Depends(api.gate.may(Verb.ENROL))],
        search: Annotated[str, Query(max_length=100, examples=["ann"])] = "",
        after: Annotated[str, Query(max_length=254, examples=["ann@example.org"])] = "",
    ) -> kept.Roster:
        _list(api, name)
        return kept.Roster.of(shapes.roster(of.roster(name, after=_text(after).lower(), part=_text(search))))

    @router.post(
        "/members/{name}/import",
        response_model=kept.Imported,
        summary="Take a table, or the answer to REVIEW, in place of what was known of a list; or ask its server",
    )
    def import_them(
        name: Name, given: asked.GivenRoster, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]
    ) -> Response:
        def work() -> kept.Imported:
            _list(api, name)
            if given.text is None:
                found = of.import_from_server(name, person=call.person)
            else:
                found = of.import_roster(name, given.text, source="given by a program", person=call.person)
            return kept.Imported(members=len(found.members), notes=list(found.notes))

        return api.do(call, work)

    @router.post("/members/{name}/forget", response_model=kept.Roster, summary="Erase the whole roster of a list here")
    def forget(name: Name, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        def work() -> kept.Roster:
            _list(api, name)
            of.forget_roster(name, person=call.person)
            return kept.Roster.of(shapes.roster(of.roster(name)))

        return api.do(call, work)

    @router.post("/erasures", response_model=kept.Erased, summary="Forget all that is kept here of an address")
    def erase(whose: asked.OfAddress, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        def work() -> kept.Erased:
            try:
                return kept.Erased(erased=of.erase(whose.address, person=call.person))
            except BadInput as bad:
                raise Problem("not-there", bad.message, "address", bad.next_step) from None

        return api.do(call, work)


def _add_requests(router: APIRouter, api: Api) -> None:
    of = api.house.membership

    @router.get("/requests", summary="List who wants to join a list or to leave it")
    def list_them(_who: Annotated[Visitor, Depends(api.gate.may(Verb.ENROL))]) -> kept.Requests:
        return kept.Requests.of({"requests": [_shape(api, each) for each in of.requests()]})

    @router.post(
        "/requests",
        response_model=kept.Requests,
        status_code=201,
        summary="Ask for somebody: they are mailed a link, and nothing happens before they open it",
    )
    def ask(wish: asked.Wish, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        def work() -> kept.Requests:
            kind = RequestKind(wish.kind)
            wanted = Wanted(kind, wish.list, wish.address, wish.name, came_by=CameBy.COORDINATOR)
            of.ask(wanted, person=call.person)
            return list_them(call.visitor)

        return api.do(call, work, status=201)


def _add_deciding(router: APIRouter, api: Api) -> None:
    of = api.house.membership

    def answered(number: int, call: Call, act: Callable[[], Request]) -> Response:
        def work() -> kept.Request:
            try:
                of.request(number)
            except BadInput as bad:
                raise Problem("not-there", bad.message, "number", bad.next_step) from None
            try:
                return kept.Request.of(_shape(api, act()))
            except BadInput as bad:
                raise standing(bad) from None

        return api.do(call, work)

    @router.post(
        "/requests/{number}/accept", response_model=kept.Request, summary="Accept a request, and do what can be done"
    )
    def accept(number: Number, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        return answered(number, call, lambda: of.accept(number, person=call.person))

    @router.post(
        "/requests/{number}/send",
        response_model=kept.Request,
        summary="Mail the prepared request to the list's owner; or the link once more to who has not confirmed",
    )
    def send(number: Number, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        return answered(number, call, lambda: of.send(number, person=call.person))

    @router.post("/requests/{number}/done", response_model=kept.Request, summary="Say that it is done on the list")
    def done(number: Number, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        return answered(number, call, lambda: of.done(number, person=call.person))

    @router.post("/requests/{number}/decline", response_model=kept.Request, summary="Decline a request")
    def decline(number: Number, why: asked.WhyNot, call: Annotated[Call, Depends(api.posts(Verb.ENROL))]) -> Response:
        return answered(number, call, lambda: of.decline(number, why.why, person=call.person))


def _shape(api: Api, request: Request) -> dict[str, Any]:
    return shapes.request(request, api.house.membership.step(request))


def _list(api: Api, name: str) -> None:
    lists = api.house.membership.lists
    if name not in lists:
        step = f"The lists are: {', '.join(lists) or 'none yet'}."
        raise Problem("not-there", f"There is no list called {name!r}.", "name", step)


def _text(given: str) -> str:
    return given.replace("\x00", "")

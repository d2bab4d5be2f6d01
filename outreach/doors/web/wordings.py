"""Templates: what there is, what each says on each channel, and changing one with every version kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach import difference
from outreach.access import Visitor
from outreach.doors.web.frame import NotThere, Number, Posted, Site
from outreach.model import BadInput
from outreach.rewording import MOST_CHARS, ChangedOnDisk, Opened, Rewording, base_of
from outreach.roles import Verb


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_looking(router, site)
    _add_changing(router, site)
    _add_versions(router, site)
    return router


def _add_looking(router: APIRouter, site: Site) -> None:
    @router.get("/templates")
    def templates(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        return _list(request, site, visitor)

    @router.get("/templates/{name}")
    def template(request: Request, name: str, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        return _page(request, site, visitor, _open(site.house.rewording, name))


def _add_changing(router: APIRouter, site: Site) -> None:
    @router.post("/templates")
    def make(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WORD))]) -> Response:
        name = form.text("name").strip()
        try:
            site.house.rewording.make(name, like=form.text("like"), person=form.visitor.email)
        except BadInput as bad:
            return _list(request, site, form.visitor, bad=bad, name=name[:80], like=form.text("like"), status_code=422)
        return site.go(f"/templates/{name}", notice=f"The template {name} was made. Now change its words.")

    @router.post("/templates/{name}")
    def save(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.WORD))]) -> Response:
        rewording, text = site.house.rewording, form.text("text")
        opened = _open(rewording, name)
        if form.text("do") == "look":
            return _page(request, site, form.visitor, opened, text=text, base=form.text("base"))
        try:
            number = rewording.save(name, text, base=form.text("base"), person=form.visitor.email)
        except ChangedOnDisk as changed:
            again = _open(rewording, name)
            shown = {"text": text, "base": base_of(changed.theirs), "bad": changed, "theirs": changed.theirs}
            return _page(request, site, form.visitor, again, **shown, status_code=409)
        except BadInput as bad:
            shown = {"text": text, "base": form.text("base"), "bad": bad}
            return _page(request, site, form.visitor, opened, **shown, status_code=422)
        said = "Nothing was changed: it says so already." if number is None else f"Saved as version {number}."
        return site.go(f"/templates/{name}", notice=said)

    @router.post("/templates/{name}/try")
    def tried(request: Request, name: str, form: Annotated[Posted, Depends(site.posts(Verb.WORD))]) -> Response:
        rewording = site.house.rewording
        _open(rewording, name)
        found = rewording.tried(name, form.text("text"))
        return site.draw(request, "_tried.html", form.visitor, tried=found, is_live=True)


def _add_versions(router: APIRouter, site: Site) -> None:
    @router.get("/templates/{name}/versions/{number}")
    def version(
        request: Request, name: str, number: Number, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]
    ) -> Response:
        opened = _open(site.house.rewording, name)
        try:
            kept = site.house.rewording.version(name, number)
        except BadInput as bad:
            raise NotThere(bad.message, next_step=bad.next_step) from None
        changes = difference.between(kept.text, opened.text)
        return site.draw(request, "template-version.html", visitor, opened=opened, kept=kept, changes=changes)

    @router.post("/templates/{name}/versions/{number}")
    def put_back(
        request: Request, name: str, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WORD))]
    ) -> Response:
        rewording = site.house.rewording
        opened = _open(rewording, name)
        try:
            made = rewording.put_back(name, number, base=form.text("base"), person=form.visitor.email)
        except ChangedOnDisk as changed:
            return _page(request, site, form.visitor, opened, bad=changed, status_code=409)
        except BadInput as bad:
            return _page(request, site, form.visitor, opened, bad=bad, status_code=422)
        said = "It says so already." if made is None else f"Version {number} is back, as version {made}."
        return site.go(f"/templates/{name}", notice=said)


def _open(rewording: Rewording, name: str) -> Opened:
    try:
        return rewording.open(name)
    except BadInput as bad:
        raise NotThere(bad.message, next_step=bad.next_step) from None


def _list(request: Request, site: Site, visitor: Visitor, **shown: Any) -> Response:
    return site.draw(request, "templates.html", visitor, templates=site.house.rewording.all(), **shown)


def _page(request: Request, site: Site, visitor: Visitor, opened: Opened, **shown: Any) -> Response:
    text = shown.setdefault("text", opened.text)
    shown.setdefault("base", opened.base)
    tried = opened.tried if text == opened.text else site.house.rewording.tried(opened.name, text)
    more = {"tried": tried, "most_chars": MOST_CHARS, "is_live": False}
    if "theirs" in shown:
        more["changes"] = difference.between(shown["theirs"], text)
    return site.draw(request, "template.html", visitor, opened=opened, **more, **shown)

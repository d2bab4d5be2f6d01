"""Webhooks on the page: which addresses are told what happens, and how their deliveries stand."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors.web.frame import NotThere, Number, Posted, Site
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.watch.webhooks import KINDS

ABOUT = {
    "published": "A post went out, was found, or was let through by the list.",
    "failed": "A post did not go out: it failed or was refused.",
    "needs-a-person": "Something waits for somebody: a post was missed, held by a moderator or left in doubt,"
    " a channel was paused, or everything was stopped.",
}


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_list(router, site)
    _add_changes(router, site)
    return router


def _add_list(router: APIRouter, site: Site) -> None:
    @router.get("/webhooks")
    def webhooks(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.SET_UP))]) -> Response:
        return _draw(site, request, visitor)

    @router.post("/webhooks")
    def add(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.SET_UP))]) -> Response:
        who, url, kinds = form.visitor, form.text("url"), form.texts("kinds")
        try:
            number, secret = site.house.webhooks.add(url, kinds, person=who.email, person_id=who.person.id)
        except BadInput as bad:
            return _draw(site, request, who, bad=bad, url=url, chosen=kinds, status_code=422)
        # Drawn at once and not led on to: the secret stands on this one page and nowhere else.
        return _draw(site, request, who, made=number, secret=secret)


def _add_changes(router: APIRouter, site: Site) -> None:
    @router.post("/webhooks/{number}/test")
    def test(number: Number, _form: Annotated[Posted, Depends(site.posts(Verb.SET_UP))]) -> Response:
        _check(site, number)
        try:
            answer = site.house.webhooks.test(number)
        except BadInput as bad:
            return site.go("/webhooks", notice=str(bad))
        trouble = answer.said()
        said = f"The test was not taken: {trouble}." if trouble else f"The test was taken ({answer.status})."
        return site.go("/webhooks", notice=said)

    @router.post("/webhooks/{number}/end")
    def end(number: Number, form: Annotated[Posted, Depends(site.posts(Verb.SET_UP))]) -> Response:
        _check(site, number)
        site.house.webhooks.end(number, person=form.visitor.email)
        return site.go("/webhooks", notice="The webhook was ended. Nothing is sent there any more.")


def _check(site: Site, number: int) -> None:
    try:
        site.house.webhooks.get(number)
    except BadInput as bad:
        raise NotThere(bad.message, next_step=bad.next_step) from None


def _draw(site: Site, request: Request, visitor: Visitor, **shown: Any) -> Response:
    found = site.house.webhooks.all()
    given: dict[str, Any] = {"bad": None, "url": "", "chosen": list(KINDS), "secret": "", "made": None}
    lists = {"alive": [pair for pair in found if not pair[0].ended_at], "over": [p for p in found if p[0].ended_at]}
    return site.draw(request, "webhooks.html", visitor, kinds=ABOUT, **lists, **(given | shown))

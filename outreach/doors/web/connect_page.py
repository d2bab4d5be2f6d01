"""Connecting a Page, on the page: begin, come back from Facebook, choose a Page; and whether the public sees its posts."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.channels._connecting import EXTRA_SCOPES
from outreach.desk.connecting import AnotherPage, Connected, NotAccepted, Who
from outreach.doors.web.frame import LogInFirst, NotAllowed, NotThere, Number, Posted, Site
from outreach.doors.web.wire import POLICY
from outreach.model import BadInput
from outreach.roles import Verb

_MOST_NAMES = 5
_HERE = "#main"  # else the browser keeps the fragment that Facebook puts behind its address


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_beginning(router, site)
    _add_answer(router, site)
    _add_choice(router, site)
    _add_seeing(router, site)
    _add_ending(router, site)
    return router


def _add_beginning(router: APIRouter, site: Site) -> None:
    connecting = site.house.connecting

    @router.get("/connect")
    def connect(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.RUN))]) -> Response:
        return _draw(site, request, visitor)

    @router.post("/connect")
    def begin(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        try:
            return site.go(connecting.begin(_who(form.visitor), extra=form.texts("extra")))
        except BadInput as bad:
            return _draw(site, request, form.visitor, bad=bad, status_code=422)


def _add_answer(router: APIRouter, site: Site) -> None:
    @router.get("/connect/answer")
    def answer(request: Request, visitor: Annotated[Visitor, Depends(_answering(site))]) -> Response:
        # Whatever comes of it, one is led on at once: the code is never the address of a page that is shown.
        given = request.query_params
        try:
            denied = given.get("error_reason", "") or given.get("error", "")
            number = site.house.connecting.answer(
                _who(visitor), state=given.get("state", ""), code=given.get("code", ""), denied=denied
            )
        except BadInput as bad:
            return site.go(f"/connect{_HERE}", notice=str(bad))
        return site.go(f"/connect/{number}{_HERE}")


def _answering(site: Site) -> Callable[[Request], Visitor]:
    """As `Site.may`, but who is not logged in is never led to a log-in whose address holds the code."""

    def allowed(request: Request) -> Visitor:
        visitor = site.visitor(request)
        if visitor is None:
            raise LogInFirst("/connect")
        if not visitor.may(Verb.RUN):
            raise NotAllowed(Verb.RUN)
        return visitor

    allowed.verb = Verb.RUN  # type: ignore[attr-defined]
    return allowed


def _add_choice(router: APIRouter, site: Site) -> None:
    connecting = site.house.connecting

    @router.get("/connect/{number}")
    def choose_page(
        request: Request, number: Number, visitor: Annotated[Visitor, Depends(site.may(Verb.RUN))]
    ) -> Response:
        return _draw_choice(site, request, visitor, number)

    @router.post("/connect/{number}")
    def choose(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        page_id, another = form.text("page"), form.text("another") == "yes"
        try:
            done = connecting.choose(number, _who(form.visitor), page_id=page_id, means_another=another)
        except BadInput as bad:
            status = 409 if isinstance(bad, AnotherPage) else 422
            return _draw_choice(site, request, form.visitor, number, bad=bad, chosen=page_id, status_code=status)
        site.house.new_preflight().of_channel(done.channel)
        return site.go(f"/channels#{done.channel}", notice=_said(done))


def _add_seeing(router: APIRouter, site: Site) -> None:
    @router.post("/channels/{name}/visible")
    def seen(name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        if name != site.house.connecting.channel:
            raise NotThere("There is no such Page.", next_step="Go back to the channels.")
        try:
            site.house.connecting.say_seen(form.text("answer"), of=form.text("of"), person=form.visitor.email)
        except BadInput as bad:
            return site.go(f"/channels#{name}", notice=str(bad))
        return site.go(f"/channels#{name}", notice="Thank you. Your answer is noted.")


def _add_ending(router: APIRouter, site: Site) -> None:
    @router.post("/channels/{name}/disconnect")
    def disconnect(name: str, form: Annotated[Posted, Depends(site.posts(Verb.RUN))]) -> Response:
        if name != site.house.connecting.channel:
            raise NotThere("There is no such Page.", next_step="Go back to the channels.")
        try:
            site.house.connecting.disconnect(person=form.visitor.email)
        except BadInput as bad:
            return site.go(f"/channels#{name}", notice=str(bad))
        said = "What opened the Page is forgotten, and the channel is paused. What is queued stays queued."
        return site.go(f"/channels#{name}", notice=said)


def _who(visitor: Visitor) -> Who:
    return Who(visitor.email, visitor.session or "")


def _said(done: Connected) -> str:
    told = [f"{done.page_name} is connected."]
    if done.waiting:
        names = ", ".join(post.name for post in done.waiting[:_MOST_NAMES])
        more = f" and {len(done.waiting) - _MOST_NAMES} more" if len(done.waiting) > _MOST_NAMES else ""
        told.append(f"Waiting for it: {names}{more}.")
    if done.paused_by:
        told.append(f"The channel is still paused by {done.paused_by}: resume it here when it may go on.")
    elif done.until:
        told.append("The channel still rests, as Facebook asked: see below.")
    elif done.waiting:
        told.append("They go out now.")
    return " ".join(told)


def _draw(site: Site, request: Request, visitor: Visitor, **shown: Any) -> Response:
    connecting = site.house.connecting
    page = site.draw(
        request,
        "connect.html",
        visitor,
        obstacle=connecting.obstacle(),
        redirect_uri=connecting.redirect_uri,
        extras=EXTRA_SCOPES,
        standing=connecting.standing(),
        **({"bad": None} | shown),
    )
    # The form leads on to Facebook's dialog, which the policy of the other pages forbids.
    page.headers["Content-Security-Policy"] = POLICY.replace(
        "form-action 'self'", f"form-action 'self' {connecting.dialog_origin}"
    )
    return page


def _draw_choice(
    site: Site, request: Request, visitor: Visitor, number: int, *, bad: BadInput | None = None, **shown: Any
) -> Response:
    try:
        found = site.house.connecting.choice(number, _who(visitor))
    except BadInput as over:
        return site.go("/connect", notice=str(over))
    problems = bad.problems if isinstance(bad, NotAccepted) else ()
    is_another = isinstance(bad, AnotherPage)
    given = {"found": found, "number": number, "bad": bad, "problems": problems, "is_another": is_another}
    return site.draw(request, "connect-choose.html", visitor, **({"chosen": ""} | given | shown))

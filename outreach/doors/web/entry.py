"""Getting in and out: log-in with a second step where one has it, and links that open once."""

import ipaddress
import secrets as randomness
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from outreach.access import CodeNeeded, TooManyTries
from outreach.doors.web.frame import Form, Posted, Site, own_path
from outreach.doors.web.wire import read_form
from outreach.model import BadInput
from outreach.roles import Verb

_HALF = "outreach-half"
_ANONYMOUS = "outreach-form"
_KNOWN = "outreach-known"
_HALF_S = 600
_YEAR_S = 365 * 86400


def routes(site: Site) -> APIRouter:
    """Make the routes; these, and those of a forgotten password, are the only ones that answer without a session."""
    router = APIRouter()
    _add_log_in(router, site)
    _add_code(router, site)
    _add_links(router, site)
    return router


def _add_log_in(router: APIRouter, site: Site) -> None:
    @router.get("/log-in")
    def log_in_page(request: Request, to: str = "/") -> Response:
        if site.visitor(request):
            return site.go(own_path(to))
        return draw_for_nobody(site, request, "log-in.html", to=own_path(to))

    @router.post("/log-in")
    def log_in(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = form_of_nobody(site, request, fields)
        to, email = own_path(form.text("to")), form.text("email")
        try:
            key = site.access.log_in(
                email,
                form.text("password"),
                address=address_of(site, request),
                agent=_agent(request),
                is_known_browser=_is_known(site, request, email),
            )
        except CodeNeeded as needed:
            return _ask_for_code(site, request, needed, to)
        except BadInput as bad:
            shown = {"to": to, "email": email, "bad": bad}
            return draw_for_nobody(site, request, "log-in.html", status_code=status_of(bad), **shown)
        return _let_in(site, request, site.go(to), key)

    @router.post("/log-out")
    def log_out(form: Annotated[Posted, Depends(site.posts(Verb.READ))]) -> Response:
        site.access.log_out(form.visitor)
        response = site.go("/log-in", notice="You are logged out.")
        site.set_cookie(response, "outreach", "", max_age=0)
        return response


def _add_code(router: APIRouter, site: Site) -> None:
    @router.get("/log-in/code")
    def code_page() -> Response:
        return site.go("/log-in")

    @router.post("/log-in/code")
    def give_code(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = form_of_nobody(site, request, fields)
        to, half = own_path(form.text("to")), request.cookies.get(site.cookie_called(_HALF), "")
        try:
            key = site.access.give_code(half, form.text("code"), address=address_of(site, request))
        except BadInput as bad:
            return draw_for_nobody(site, request, "code.html", to=to, bad=bad, status_code=status_of(bad))
        response = _let_in(site, request, site.go(to), key)
        site.set_cookie(response, _HALF, "", max_age=0)
        return response


def _add_links(router: APIRouter, site: Site) -> None:
    @router.get("/links/{key}")
    def link_page(request: Request, key: str) -> Response:
        return _draw_link(site, request, key)

    @router.post("/links/{key}")
    def use_link(request: Request, key: str, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = form_of_nobody(site, request, fields)
        try:
            return _used(site, request, form, key)
        except BadInput as bad:
            return _draw_link(site, request, key, bad, email=form.text("email"), name=form.text("name"))


def _used(site: Site, request: Request, form: Form, key: str) -> Response:
    agent, link = _agent(request), site.access.look_at_link(key)
    to = f"/approvals/{link.announcement}" if link.kind == "approval" else "/"
    try:
        if link.kind == "approval":
            session, _ = site.access.enter_by_approval_link(key, agent)
            return _let_in(site, request, site.go(to), session)
        given = {name: form.text(name) for name in ("email", "name", "password")}
        session, person = site.access.take_up(key, **given, address=address_of(site, request), agent=agent)
        return _let_in(site, request, site.go(to, notice=f"Welcome, {person.called}."), session)
    except CodeNeeded as needed:
        return _ask_for_code(site, request, needed, to)


def _draw_link(
    site: Site, request: Request, key: str, bad: BadInput | None = None, *, email: str = "", name: str = ""
) -> Response:
    try:
        link = site.access.look_at_link(key)
    except BadInput as over:
        return draw_for_nobody(site, request, "link-over.html", bad=over, status_code=410)
    has_own = site.access.asks_for_own_password(link)
    shown = {"link": link, "key": key, "email": link.email or email, "name": name, "has_own": has_own, "bad": bad}
    return draw_for_nobody(site, request, "link.html", status_code=status_of(bad) if bad else 200, **shown)


def _let_in(site: Site, request: Request, response: Response, key: str) -> Response:
    if before := request.cookies.get(site.cookie):
        site.access.leave_behind(before)
    if visitor := site.access.visitor(key):
        site.set_cookie(response, _KNOWN, site.vault.sign(_KNOWN, visitor.email), max_age=_YEAR_S)
    return site.let_in(response, key)


def _is_known(site: Site, request: Request, email: str) -> bool:
    return site.vault.is_signed(request.cookies.get(site.cookie_called(_KNOWN), ""), _KNOWN, email.strip().lower())


def _ask_for_code(site: Site, request: Request, needed: CodeNeeded, to: str) -> Response:
    response = draw_for_nobody(site, request, "code.html", to=to)
    site.set_cookie(response, _HALF, needed.session, max_age=_HALF_S)
    return response


def draw_for_nobody(site: Site, request: Request, name: str, /, **shown: object) -> Response:
    """Draw a page for nobody in particular, with a form that only this browser can send."""
    mark = request.cookies.get(site.cookie_called(_ANONYMOUS), "") or randomness.token_urlsafe(16)
    response = site.draw(request, name, None, **shown, form_token=site.vault.sign("form of nobody", mark))
    site.set_cookie(response, _ANONYMOUS, mark, max_age=86400)
    return response


def form_of_nobody(site: Site, request: Request, fields: FormData) -> Form:
    """Give a form that this browser got from `draw_for_nobody`. Raises `BadInput` for any other."""
    given, mark = fields.get("form_token", ""), request.cookies.get(site.cookie_called(_ANONYMOUS), "")
    if not mark or not isinstance(given, str) or not site.vault.is_signed(given, "form of nobody", mark):
        step = "Open the page again, and allow its cookie."
        raise BadInput("The form is too old, or your browser takes no cookies.", where="form", next_step=step)
    return Form(fields)


def status_of(bad: BadInput) -> int:
    """Give the status of an answer that refuses."""
    return 429 if isinstance(bad, TooManyTries) else 422


def address_of(site: Site, request: Request) -> str:
    """Say where a request comes from, as tries are counted: the network of one household for IPv6.

    Empty where it is not known: a proxy on this machine that does not tell would make one visitor of all of them.
    """
    given = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        return ""
    if address.is_loopback and site.is_https:
        return ""
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")

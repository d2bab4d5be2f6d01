"""Getting in and out: log-in with a second step where one has it, and links that open once."""

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


def routes(site: Site) -> APIRouter:
    """Make the routes; these are the only ones that answer without a session."""
    router = APIRouter()
    _add_log_in(router, site)
    _add_links(router, site)
    return router


def _add_log_in(router: APIRouter, site: Site) -> None:
    @router.get("/log-in")
    def log_in_page(request: Request, to: str = "/") -> Response:
        if site.visitor(request):
            return site.go(own_path(to))
        return _draw(site, request, "log-in.html", to=own_path(to))

    @router.post("/log-in")
    def log_in(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = _checked(site, request, fields)
        to, email = own_path(form.text("to")), form.text("email")
        try:
            key = site.access.log_in(
                email, form.text("password"), address=_address(request), agent=request.headers.get("user-agent", "")
            )
        except CodeNeeded as needed:
            return _ask_for_code(site, request, needed, to)
        except BadInput as bad:
            status = 429 if isinstance(bad, TooManyTries) else 422
            return _draw(site, request, "log-in.html", to=to, email=email, bad=bad, status_code=status)
        return site.let_in(site.go(to), key)

    @router.post("/log-in/code")
    def give_code(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = _checked(site, request, fields)
        to = own_path(form.text("to"))
        try:
            key = site.access.give_code(request.cookies.get(_HALF, ""), form.text("code"), address=_address(request))
        except BadInput as bad:
            return _draw(site, request, "code.html", to=to, bad=bad, status_code=422)
        response = site.let_in(site.go(to), key)
        response.delete_cookie(_HALF, path="/")
        return response

    @router.post("/log-out")
    def log_out(form: Annotated[Posted, Depends(site.posts(Verb.READ))]) -> Response:
        site.access.log_out(form.visitor)
        response = site.go("/log-in", notice="You are logged out.")
        response.delete_cookie(site.cookie, path="/")
        return response


def _add_links(router: APIRouter, site: Site) -> None:
    @router.get("/links/{key}")
    def link_page(request: Request, key: str) -> Response:
        try:
            link = site.access.look_at_link(key)
        except BadInput as bad:
            return _draw(site, request, "link-over.html", bad=bad, status_code=410)
        return _draw(site, request, "link.html", link=link, key=key, email=link.email or "")

    @router.post("/links/{key}")
    def use_link(request: Request, key: str, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = _checked(site, request, fields)
        try:
            return _used(site, request, form, key)
        except CodeNeeded as needed:
            return _ask_for_code(site, request, needed, "/approvals")
        except BadInput as bad:
            typed = {"email": form.text("email"), "name": form.text("name")}
            return _again(site, request, key, bad, typed)


def _used(site: Site, request: Request, form: Form, key: str) -> Response:
    agent = request.headers.get("user-agent", "")
    if site.access.look_at_link(key).kind == "approval":
        session, link = site.access.enter_by_approval_link(key, agent)
        return site.let_in(site.go(f"/approvals/{link.announcement}"), session)
    password = form.text("password")
    person = site.access.join(key, email=form.text("email"), name=form.text("name"), password=password)
    session = site.access.log_in(person.email, password, address=_address(request), agent=agent)
    return site.let_in(site.go("/", notice=f"Welcome, {person.called}."), session)


def _again(site: Site, request: Request, key: str, bad: BadInput, typed: dict[str, str]) -> Response:
    try:
        link = site.access.look_at_link(key)
    except BadInput as over:
        return _draw(site, request, "link-over.html", bad=over, status_code=410)
    return _draw(site, request, "link.html", link=link, key=key, bad=bad, status_code=422, **typed)


def _ask_for_code(site: Site, request: Request, needed: CodeNeeded, to: str) -> Response:
    response = _draw(site, request, "code.html", to=to)
    site.set_cookie(response, _HALF, needed.session, max_age=600)
    return response


def _draw(site: Site, request: Request, name: str, /, **shown: object) -> Response:
    """Draw a page for nobody in particular, with a form that only this browser can send."""
    mark = request.cookies.get(_ANONYMOUS, "") or randomness.token_urlsafe(16)
    response = site.draw(request, name, None, **shown, form_token=site.vault.sign("form", mark))
    site.set_cookie(response, _ANONYMOUS, mark, max_age=86400)
    return response


def _checked(site: Site, request: Request, fields: FormData) -> Form:
    given, mark = fields.get("form_token", ""), request.cookies.get(_ANONYMOUS, "")
    if not mark or not isinstance(given, str) or not site.vault.is_signed(given, "form", mark):
        step = "Open the page again, and allow its cookie."
        raise BadInput("The form is too old, or your browser takes no cookies.", where="form", next_step=step)
    return Form(fields)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

"""One's own account: name, password, second factor, where one is logged in, and tokens for programs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from outreach.access import NewTotp, Visitor
from outreach.doors.web.entry import status_of
from outreach.doors.web.frame import Number, Posted, Site
from outreach.model import BadInput
from outreach.roles import Verb

_EVERYBODY = Verb.READ

ABOUT_SCOPES = {
    "read": "see what you see",
    "write": "write, queue, pause and decide about posts",
    "approve": "approve or ask for changes",
    "set up": "set up people, channels and settings",
}
"""What a program may be allowed, in the order of harm. The token of a calendar is made where the calendar is."""

_MOST_OLD = 20
_DAYS = {"30": "30 days", "90": "90 days", "365": "a year", "0": "until it is revoked"}


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_page(router, site)
    _add_password(router, site)
    _add_sessions(router, site)
    _add_second_factor(router, site)
    _add_tokens(router, site)
    return router


def _add_page(router: APIRouter, site: Site) -> None:
    @router.get("/account")
    def account(request: Request, visitor: Annotated[Visitor, Depends(site.may(_EVERYBODY))]) -> Response:
        return _draw(site, request, visitor)

    @router.post("/account/name")
    def rename(form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        site.access.rename(form.visitor, form.text("name"))
        return site.go("/account", notice="Your name is changed.")


def _draw(site: Site, request: Request, visitor: Visitor, bad: BadInput | None = None) -> Response:
    now = site.house.clock.now()
    tokens = site.access.tokens(visitor)
    alive = [row for row in tokens if row.revoked_at is None and (row.ends_at is None or row.ends_at > now)]
    sessions = sorted(site.access.sessions(visitor), key=lambda row: row.sha256 != visitor.session)
    shown = {
        "sessions": [(_mark(site, row.sha256), row, browser_of(row.agent)) for row in sessions],
        "here": _mark(site, visitor.session or ""),
        "tokens": alive,
        "old_tokens": [row for row in tokens if row not in alive][:_MOST_OLD],
        "bad": bad,
    }
    return site.draw(request, "account.html", visitor, status_code=status_of(bad) if bad else 200, **shown)


def _add_password(router: APIRouter, site: Site) -> None:
    @router.post("/account/password")
    def change(request: Request, form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        try:
            site.access.change_password(form.visitor, old=form.text("old"), new=form.text("new"))
        except BadInput as bad:
            return _draw(site, request, form.visitor, bad)
        notice = "Your password is changed. Everywhere else you are logged out."
        return site.go("/account", notice=notice)


def _add_sessions(router: APIRouter, site: Site) -> None:
    @router.post("/account/sessions/end")
    def end(form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        wanted, visitor = form.text("session"), form.visitor
        found = [row.sha256 for row in site.access.sessions(visitor) if _mark(site, row.sha256) == wanted]
        site.access.end_session(visitor, found[0] if found else "")
        return site.go("/account", notice="It is logged out there.")

    @router.post("/account/sessions/end-others")
    def end_others(form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        site.access.end_other_sessions(form.visitor)
        return site.go("/account", notice="Everywhere else you are logged out.")


def _mark(site: Site, sha256: str) -> str:
    """Name a session on a page, without what the database knows it by."""
    return site.vault.sign("name of a session", sha256)


def _add_second_factor(router: APIRouter, site: Site) -> None:
    path = "/account/second-factor"

    @router.get(path)
    def propose(request: Request, visitor: Annotated[Visitor, Depends(site.may(_EVERYBODY))]) -> Response:
        if visitor.person.totp is not None:
            return site.go("/account")
        return _draw_factor(site, request, visitor, site.access.new_totp(visitor))

    @router.post(path)
    def begin(request: Request, form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        given = {name: form.text(name) for name in ("secret", "code", "password")}
        try:
            site.access.begin_totp(form.visitor, **given)
        except BadInput as bad:
            proposed = site.access.new_totp(form.visitor, given["secret"])
            return _draw_factor(site, request, form.visitor, proposed, bad)
        return site.go("/account", notice="From now on a code is asked for at each log-in.")

    @router.post(f"{path}/end")
    def end(request: Request, form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        try:
            site.access.end_totp(form.visitor, password=form.text("password"))
        except BadInput as bad:
            return _draw(site, request, form.visitor, bad)
        return site.go("/account", notice="No code is asked for any more.")


def _draw_factor(
    site: Site, request: Request, visitor: Visitor, proposed: NewTotp, bad: BadInput | None = None
) -> Response:
    in_fours = " ".join(proposed.secret[at : at + 4] for at in range(0, len(proposed.secret), 4))
    shown = {"picture": qr_code(proposed.address), "secret": proposed.secret, "in_fours": in_fours, "bad": bad}
    return site.draw(request, "second-factor.html", visitor, status_code=status_of(bad) if bad else 200, **shown)


def qr_code(text: str) -> Markup:
    """Draw a QR code as SVG, dark on light in every scheme: that is what cameras read."""
    import segno  # start-up time

    drawn = segno.make(text, error="m", micro=False).svg_inline(
        dark="#000", light="#fff", omitsize=True, title="QR code for the app that makes your codes"
    )
    return Markup(drawn)  # noqa: S704 - made of squares, and of a title of ours


def _add_tokens(router: APIRouter, site: Site) -> None:
    @router.get("/account/tokens/new")
    def new_token(request: Request, visitor: Annotated[Visitor, Depends(site.may(_EVERYBODY))]) -> Response:
        return _draw_new_token(site, request, visitor)

    @router.post("/account/tokens")
    def make(request: Request, form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        visitor, name, days = form.visitor, form.text("name"), form.text("days")
        chosen = [scope for scope in form.texts("scopes") if scope in ABOUT_SCOPES]
        try:
            site.access.check_password(visitor, form.text("password"))
            lasts = int(days) if days in _DAYS else 90
            key = site.access.new_token(visitor, name=name, scopes=chosen, days=lasts or None)
        except BadInput as bad:
            return _draw_new_token(site, request, visitor, bad, name=name, chosen=chosen, days=days)
        return site.draw(request, "token-made.html", visitor, key=key, name=name)

    @router.post("/account/tokens/{number}/revoke")
    def revoke(number: Number, form: Annotated[Posted, Depends(site.posts(_EVERYBODY))]) -> Response:
        site.access.revoke_token(form.visitor, number)
        return site.go("/account", notice="The token opens nothing any more.")


def _draw_new_token(
    site: Site, request: Request, visitor: Visitor, bad: BadInput | None = None, **typed: object
) -> Response:
    shown = {"name": "", "chosen": ["read"], "days": "90", "scopes": ABOUT_SCOPES, "lengths": _DAYS, "bad": bad}
    status = status_of(bad) if bad else 200
    return site.draw(request, "token-new.html", visitor, status_code=status, **shown | typed)


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """Say in words which browser it is, as far as it tells."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(word for word in (browser or ("A browser" if system else ""), system) if word) or "Unknown"

"""The frame: what every page has in hand. Who is there, what they may do, how a page is drawn, where one goes next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import Depends, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.datastructures import FormData, UploadFile

from outreach.access import Access, Visitor
from outreach.bootstrap import House
from outreach.doors.web.shelf import Shelf
from outreach.doors.web.wire import read_form
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.vault import Vault

SESSION_S = 14 * 86400
Number = Annotated[int, Path(ge=1, lt=2**63)]
"""A number in an address that may be that of a row; no database takes a longer one."""

_MOST_CHARS = 200_000
_MOST_PATH = 2000


class LogInFirst(Exception):
    """Nobody is logged in. `to` is where the visitor wanted to go."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


class NotAllowed(Exception):
    """Somebody is there who may not do this."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(str(verb))
        self.verb = verb


class NotThere(BadInput):
    """There is no such page or thing, or none that this visitor may see."""


@dataclass(frozen=True)
class Form:
    """What a form holds."""

    fields: FormData

    def text(self, name: str) -> str:
        """Give one text; empty when it is not there."""
        value = self.fields.get(name, "")
        return _clean(value) if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Give all texts of this name."""
        return [_clean(value) for value in self.fields.getlist(name) if isinstance(value, str)]

    def number(self, name: str) -> int:
        """Give a whole number. Raises `BadInput`."""
        text = self.text(name).strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise BadInput("A number is missing in the form.", where=name, next_step="Open the page again.")
        return int(text)

    def files(self, name: str) -> list[tuple[str, bytes]]:
        """Give the files of this name that are not empty, as (file name, bytes)."""
        found = [value for value in self.fields.getlist(name) if isinstance(value, UploadFile)]
        return [(file.filename or "", data) for file in found if (data := file.file.read())]


@dataclass(frozen=True)
class Posted(Form):
    """A form that somebody who may do so has sent from a page of ours."""

    visitor: Visitor


@dataclass(frozen=True)
class Site:
    """What the routes share. `links` are further addresses to show, such as those of a sandbox."""

    house: House
    access: Access
    vault: Vault
    templates: Jinja2Templates
    shelf: Shelf
    links: Mapping[str, str] = field(default_factory=dict)

    # Who is there

    def visitor(self, request: Request) -> Visitor | None:
        """Say who is there, by the cookie of the browser."""
        key = request.cookies.get(self.cookie)
        return self.access.visitor(key) if key else None

    def may(self, verb: Verb) -> Callable[[Request], Visitor]:
        """Make a dependency that gives a visitor who may do it; anybody else is led to the log-in or refused."""

        def allowed(request: Request) -> Visitor:
            visitor = self.visitor(request)
            if visitor is None:
                raise LogInFirst(_path_of(request))
            if not visitor.may(verb):
                raise NotAllowed(verb)
            return visitor

        allowed.verb = verb  # type: ignore[attr-defined]  # so that a test can ask each route
        return allowed

    def posts(self, verb: Verb) -> Callable[..., Posted]:
        """Make a dependency that gives a form sent by a visitor who may do it, from a page that was made for them."""
        allowed = self.may(verb)

        def posted(request: Request, fields: FormData = Depends(read_form)) -> Posted:  # noqa: B008 - how FastAPI asks
            visitor = allowed(request)
            given = fields.get("form_token", "")
            if not isinstance(given, str) or not self.vault.is_signed(given, "form", visitor.session or ""):
                raise BadInput("The form is too old.", where="form", next_step="Open the page again and repeat it.")
            return Posted(fields, visitor)

        posted.verb = verb  # type: ignore[attr-defined]
        return posted

    # The browser

    @property
    def is_https(self) -> bool:
        """Tell whether visitors come by TLS."""
        return self.house.settings.OUTREACH_BASE_URL.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name the cookie of a session."""
        return self.cookie_called("outreach")

    def cookie_called(self, name: str) -> str:
        """Name a cookie so that behind TLS no other host, and no page without TLS, can have set it."""
        return f"__Host-{name}" if self.is_https else name

    def address(self, request: Request, path: str) -> str:
        """Give the whole address of a page, to be copied or mailed."""
        settings = self.house.settings
        is_given = "OUTREACH_BASE_URL" in settings.model_fields_set
        base = settings.OUTREACH_BASE_URL if is_given else str(request.base_url)
        return base.rstrip("/") + path

    def public_address(self, path: str) -> str:
        """Give the whole address of a page as the settings have it, where no request says under which name it came."""
        return self.house.settings.OUTREACH_BASE_URL.rstrip("/") + path

    def let_in(self, response: Response, key: str) -> Response:
        """Give the browser the key of a session."""
        self.set_cookie(response, "outreach", key, max_age=SESSION_S)
        return response

    def set_cookie(self, response: Response, name: str, value: str, *, max_age: int) -> None:
        """Set a cookie that no script and no other site gets. A `max_age` of 0 takes it away."""
        called = self.cookie_called(name)
        is_https = self.is_https  # a browser drops a __Host- cookie, also one that takes away, without `Secure`
        response.set_cookie(called, value, max_age=max_age, httponly=True, samesite="lax", secure=is_https, path="/")

    # Pages

    def draw(self, request: Request, name: str, visitor: Visitor | None, /, **shown: Any) -> Response:
        """Draw a page or a part of one. `status_code` may be among what is shown."""
        status = shown.pop("status_code", 200)
        notice = self._notice(request) if not name.startswith("_") else ""
        token = self.vault.sign("form", visitor.session or "") if visitor else ""
        given = {"visitor": visitor, "form_token": token, "notice": notice, "path": request.url.path}
        page: HTMLResponse = self.templates.TemplateResponse(request, name, given | shown, status_code=status)
        if notice:
            self.set_cookie(page, "notice", "", max_age=0)
        return page

    def go(self, to: str, *, notice: str = "") -> Response:
        """Lead on to another page of ours, with a sentence to show there."""
        response = RedirectResponse(to, status_code=303)
        if notice:
            said = quote(notice[:500])
            self.set_cookie(response, "notice", f"{self.vault.sign('notice', said)}.{said}", max_age=60)
        return response

    def _notice(self, request: Request) -> str:
        signature, _, said = request.cookies.get(self.cookie_called("notice"), "").partition(".")
        return unquote(said) if said and self.vault.is_signed(signature, "notice", said) else ""


def _clean(text: str) -> str:
    """Give a text as it is kept: one kind of line end, and nothing that no database takes."""
    kept = text[:_MOST_CHARS].replace("\r\n", "\n").replace("\x00", "")
    return kept.encode("utf-8", "replace").decode()


def own_path(to: str) -> str:
    """Give a path of this site to go on to, or `/`: never another site, however it is written."""
    try:
        parts = urlsplit(to)
    except ValueError:
        return "/"
    is_own = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return to if is_own and "\\" not in to and to.isprintable() and len(to) <= _MOST_PATH else "/"


def _path_of(request: Request) -> str:
    if request.method != "GET" or request.headers.get("HX-Request"):
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query

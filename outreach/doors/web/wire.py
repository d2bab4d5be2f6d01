"""The wire: what is done to every request and answer before a page sees it. The one place that is async; it waits for nothing but a turn.

Headers that keep a page to itself, requests that other sites forge, bodies that are too large, and forms read from bodies.
"""

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from anyio import CapacityLimiter
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AppT = TypeVar("AppT", bound=ASGIApp)

SAFE = ("GET", "HEAD", "OPTIONS")
MOST_BYTES = 1_200_000
MOST_UPLOAD_BYTES = 12_000_000
PICTURES = "/api/v1/pictures"
"""Where programs give pictures."""

_MOST_FIELDS = 400

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; connect-src 'self';"
    " font-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The policy of every page, but where a page sets its own."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Lazily(Generic[AppT]):
    """An app that is made when it is first asked for: who only wants pages does not wait for it."""

    def __init__(self, make: Callable[[], AppT]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: AppT | None = None

    def made(self) -> AppT:
        """Make it, or give it."""
        with self._lock:
            self._made = self._made or self._make()
            return self._made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        app = await run_in_threadpool(self.made)
        await app(scope, receive, send)


class Shielded:
    """Adds the headers that keep pages to themselves; a header that a page set itself stays."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.decode("latin-1").lower() for name, _ in message["headers"]}
                kept = "no-cache" if scope["path"].startswith("/static/") else "no-store"
                wanted = self._headers | {"Content-Security-Policy": POLICY, "Cache-Control": kept}
                added = [(n.lower().encode(), v.encode()) for n, v in wanted.items() if n.lower() not in there]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, with_headers)


class FromHere:
    """Refuses requests that change something and that another site made a browser send.

    `Sec-Fetch-Site` decides where a browser sends it, `Origin` where not. A program sends neither; it has no cookie.
    """

    def __init__(self, app: ASGIApp, *, is_own: Callable[[str], bool], is_https: bool = False) -> None:
        self._app = app
        self._is_own = is_own
        self._schemes = ("https",) if is_https else ("http", "https")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in SAFE and not self._is_from_here(Headers(scope=scope)):
            await _refusal(scope, 403, "not-allowed", "This came from another site", _FROM_ELSEWHERE)(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)

    def _is_from_here(self, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or self._is_own_origin(origin, headers.get("host", ""))

    def _is_own_origin(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in self._schemes and (parts.netloc == host or self._is_own(origin))


def origin_of(url: str) -> tuple[str, str, int | None] | None:
    """Give scheme, host (an IPv6 one in brackets) and port of an address; None where it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.scheme, f"[{host}]" if ":" in host else host, port or usual) if host and usual else None


class Bounded:
    """Refuses bodies that are too large, told or found out while they come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_form = Headers(scope=scope).get("content-type", "").startswith("multipart/form-data")
        is_upload = is_form or scope["path"] == PICTURES
        most = MOST_UPLOAD_BYTES if is_upload else MOST_BYTES
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isascii() or not told.isdecimal() or len(told) > 15 or int(told) > most:
            await _too_large(scope, most)(scope, receive, send)
            return
        seen = 0
        has_answered = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise _TooLarge
            return message

        async def noticed(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        try:
            await self._app(scope, counted, noticed)
        except _TooLarge:
            if not has_answered:
                await _too_large(scope, most)(scope, receive, send)


class _TooLarge(Exception):
    pass


def _too_large(scope: Scope, most: int) -> Response:
    said = f"This is larger than {most / 1e6:g} MB, so nothing of it was kept. Make it smaller and try again."
    return _refusal(scope, 413, "too-large", "The body is too large", said)


_FROM_ELSEWHERE = "This came from another site, so nothing was changed. Open the page itself and try again."


def _refusal(scope: Scope, status: int, kind: str, title: str, said: str) -> Response:
    """Say it in a line; to a program as problem+json, like every other refusal of the API."""
    if not scope["path"].startswith("/api/"):
        return PlainTextResponse(f"{said}\n", status_code=status)
    told = {"type": f"urn:outreach:problem:{kind}", "title": title, "status": status, "detail": said}
    return JSONResponse(told | {"where": None, "next": None}, status, media_type="application/problem+json")


AT_ONCE = 2
"""So many pages are worked on at the same time; others wait their turn."""


def in_turn(at_once: int = AT_ONCE) -> Callable[[Request], AsyncIterator[None]]:
    """Make a dependency by which the pages of a route wait their turn, for routes that wait for nothing but the database.

    Threads take the interpreter from each other at every row they read: eight at once answer half as many pages a second
    as two do, and the slowest visitor waits twice as long (`make bench`). Whoever changes something does not wait here.
    """
    turns = CapacityLimiter(at_once)

    async def take_turn(request: Request) -> AsyncIterator[None]:
        if request.method not in SAFE:
            yield
            return
        async with turns:
            yield

    return take_turn


async def read_form(request: Request) -> FormData:
    """Give everything a form holds, files included; a dependency of routes that take one. Never waits for a disk or a database.

    In UTF-8 alone, as every browser sends it: with `charset=punycode` a stranger's megabyte would keep this thread busy for
    minutes, and others give texts that no database takes.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(415)
    return await request.form(max_files=20, max_fields=_MOST_FIELDS, max_part_size=MOST_BYTES)


async def read_json(request: Request) -> Any:
    """Give the body of a request as bytes; a dependency of routes that take one."""
    return await request.body()

"""The page: what goes out next, what needs a person, what went out. It shows; it changes nothing."""

from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach import when
from outreach.bootstrap import House
from outreach.doors.shapes import happened, seen
from outreach.doors.web import metrics
from outreach.lifecycle import NEEDS_A_PERSON
from outreach.model import BadInput, Post
from outreach.settings import is_loopback
from outreach.store.posts import HistoryFilter
from outreach.trouble import AlarmKind

_HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LATEST = 50
_MOST_ALARMS = 20


def create(house: House, *, links: dict[str, str] | None = None) -> FastAPI:
    """Make the app. `links` are further addresses to show on top, such as those of a sandbox."""
    app = FastAPI(title="outreach", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    pages = Jinja2Templates(directory=_HERE / "pages")
    pages.env.globals.update(shown=when.show, community=house.settings.OUTREACH_COMMUNITY, links=links or {})
    pages.env.globals["is_sandbox"] = _is_sandbox(house)
    _add_pages(app, pages, house)
    metrics.add(app, house)
    # Another site's page must not read this one by a name of its own that leads here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    app.add_middleware(_Headers)
    return app


def _add_pages(app: FastAPI, pages: Jinja2Templates, house: House) -> None:
    @app.get("/", response_class=HTMLResponse)
    def overview(request: Request) -> Response:
        queue, gone = house.desk.queue(), house.desk.history(HistoryFilter(limit=_LATEST))
        shown = {
            "waiting": [post for post in queue if post.state not in NEEDS_A_PERSON],
            "people": [post for post in queue if post.state in NEEDS_A_PERSON],
            "gone": [post for post in gone if post.id not in {q.id for q in queue}],
            "now": house.clock.now(),
            "zone": house.settings.OUTREACH_TIME_ZONE,
            "channels": house.desk.channels(),
            "checks": house.desk.checks(),
            "alarms": [alarm for alarm in house.alarms.look() if alarm.kind is not AlarmKind.SAFE_MODE],
            "most_alarms": _MOST_ALARMS,
            "safe_mode": house.desk.safe_mode(),
        }
        return pages.TemplateResponse(request, "overview.html", shown)

    @app.get("/announcements/{number}", response_class=HTMLResponse)
    def announcement(request: Request, number: str) -> Response:
        try:
            about, found = house.desk.show(number)
            previews = {p.channel: p.content for p in house.desk.preview(number)} if found else {}
        except BadInput as bad:
            return pages.TemplateResponse(request, "missing.html", {"bad": bad}, status_code=404)
        shown = [(post, [_told(post, entry) for entry in told], previews.get(post.channel)) for post, told in found]
        repeats = {post.id: house.desk.if_sent_again(post) for post, _ in found}
        return pages.TemplateResponse(
            request,
            "announcement.html",
            {"about": about, "posts": shown, "checks": house.desk.checks(), "repeats": repeats},
        )


def _told(post: Post, entry: dict[str, Any]) -> tuple[datetime, str, str, str]:
    """One line of a timeline: when, the zone it is shown in, what, and the details."""
    if entry["kind"] == "attempt":
        return (
            entry["at"],
            post.time_zone,
            f"attempt {entry['attempt']}: {entry.get('outcome', 'going on')}",
            entry.get("note", ""),
        )
    if entry["kind"] == "sighting":
        what, details = seen(entry)
        return entry["at"], post.time_zone, what, str(entry["evidence"].get("why", "")) or details
    by = f" by {entry['person']}" if entry.get("person") else ""
    return entry["at"], post.time_zone, f"{happened(entry['kind'])}{by}", entry.get("note", "")


def _is_sandbox(house: House) -> bool:
    settings = house.settings
    hosts = [h for h in (settings.FACEBOOK_GRAPH_URL.split("/")[2].split(":")[0], settings.SMTP_HOST) if h]
    return all(is_loopback(host) for host in hosts)


class _Headers:
    """Adds the headers that keep a page to itself. Plain ASGI: nothing of the house is async."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        def with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_RAW_HEADERS]
            return send(message)

        return self._app(scope, receive, with_headers)


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

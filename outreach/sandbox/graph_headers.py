"""Headers that Facebook puts on every Graph answer."""

import hashlib
import json
from datetime import datetime
from email.utils import format_datetime

from .identifiers import trace_id
from .tokens import Kind, Token

_FIXED = (
    ("Access-Control-Allow-Origin", "*"),
    ("Strict-Transport-Security", "max-age=15552000; preload"),
    ("Cache-Control", "private, no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "Sat, 01 Jan 2000 00:00:00 GMT"),
    ("x-fb-rev", "1026112401"),
)


def graph_headers(version: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return the headers every answer has; the trace ids are new each time."""
    trace = trace_id()
    return (
        *_FIXED,
        ("facebook-api-version", version),
        ("x-fb-request-id", trace),
        ("x-fb-trace-id", trace[1:12]),
        ("x-fb-debug", trace * 2),
        ("Date", format_datetime(now, usegmt=True)),
    )


def refusal_header(message: str, code: int) -> tuple[str, str]:
    """Return `WWW-Authenticate` as it comes with errors."""
    word = "invalid_token" if code in {102, 190} else "invalid_request"
    safe = message.encode("ascii", "replace").decode().replace('"', "'").replace("\r", " ").replace("\n", " ")
    return "WWW-Authenticate", f'OAuth "Facebook Platform" "{word}" "{safe}"'


def entity_tag(body: bytes) -> tuple[str, str]:
    """Return the `ETag` of a read."""
    return "ETag", f'"{hashlib.sha256(body).hexdigest()[:40]}"'


def usage_header(token: Token, percent: int, regain_minutes: int) -> tuple[str, str]:
    """Return how much of the budget is used: per Page for Page and system tokens, per app for the others."""
    figures = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    if token.kind in {Kind.PAGE, Kind.SYSTEM}:
        whole = {"type": "pages", **figures, "estimated_time_to_regain_access": regain_minutes}
        return "X-Business-Use-Case-Usage", json.dumps({token.page_id or token.user_id: [whole]}, separators=(",", ":"))
    return "X-App-Usage", json.dumps(figures, separators=(",", ":"))

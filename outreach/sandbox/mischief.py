"""Faults of the Graph side: everything that can happen to an answer after, or instead of, the work."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .answers import HTML, Answer, Ending, graph_json
from .error_table import OAUTH, Row, row_named
from .graph_headers import refusal_header
from .identifiers import trace_id

OPS = frozenset(
    {"*", "feed", "photos", "comments", "edit", "delete", "read", "read_ids", "read_feed", "read_photos", "read_comments",
     "published_posts", "posts", "scheduled_posts", "accounts", "me", "debug_token",
     "insights", "subscribed_apps", "unsubscribe", "scrape", "videos", "captions"}
)  # fmt: skip
OUTAGE_PAGE = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class GraphFault:
    """One way to go wrong. `write` `None` means: as usual for this `how`; `seconds` is a delay, a hang or a drip's pause."""

    op: str
    how: str
    write: bool | None = None
    method: str | None = None
    path: str | None = None
    seconds: float | None = None
    code: int = 2
    subcode: int | None = None
    status: int | None = None
    message: str = "An unexpected error has occurred. Please retry your request later."
    type: str = OAUTH
    is_transient: bool | None = None
    error_user_title: str | None = None
    error_user_msg: str | None = None
    error_data: Any = None
    fbtrace_id: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    location: str = "/_sandbox/elsewhere"
    newest: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "how", self.how.removeprefix("write-").removeprefix("then-"))
        if self.how not in HOWS:
            raise ValueError(f"no fault {self.how!r}; known: {', '.join(HOWS)}")
        if self.op not in OPS:
            raise ValueError(f"no operation {self.op!r}; known: {', '.join(sorted(OPS))}")

    @property
    def writes(self) -> bool:
        """Say whether the call is carried out before its answer goes wrong."""
        return HOWS[self.how].writes if self.write is None else self.write

    def fits(self, op: str, method: str, path: str) -> bool:
        """Say whether a call is one this fault waits for."""
        if self.op not in {"*", op} or (self.method is not None and self.method.upper() != method):
            return False
        return self.path is None or re.search(f"(?:{self.path})$", path) is not None


def fault_from_row(name: str, op: str) -> GraphFault:
    """Return the fault that answers with one row of the error table."""
    row: Row = row_named(name)
    return GraphFault(
        op, "error", write=row.wrote, code=row.code, subcode=row.subcode, status=row.status,
        message=row.message, type=row.kind, **dict(row.extra),
    )  # fmt: skip


def spoil(fault: GraphFault, answer: Answer) -> Answer:
    """Return what the client gets instead of `answer`."""
    spoiled = HOWS[fault.how].spoil(fault, answer)
    told = {name.lower() for name in fault.headers}
    kept = tuple(header for header in spoiled.headers if header[0].lower() not in told)
    return replace(spoiled, headers=(*kept, *fault.headers.items()))


def describe(answer: Answer) -> str:
    """Return the end of an answer in the journal's words."""
    words = {
        Ending.WHOLE: "answered",
        Ending.CLOSE: "closed without an answer",
        Ending.RESET: "reset without an answer",
        Ending.HANG: "hung without an answer",
        Ending.TRUNCATED: "answered in part",
        Ending.DRIP: "answered slowly",
    }
    return words[answer.ending]


def _server_error(fault: GraphFault, answer: Answer, code: int) -> Answer:
    row = row_named(str(code))
    inner = {"message": row.message, "type": row.kind, "is_transient": True, "code": code}
    return _error(answer, fault.status or 500, inner, has_trace=fault.fbtrace_id)


def _any_error(fault: GraphFault, answer: Answer) -> Answer:
    inner: dict[str, Any] = {"message": fault.message, "type": fault.type, "code": fault.code}
    optional = {
        "error_subcode": fault.subcode,
        "is_transient": fault.is_transient,
        "error_user_title": fault.error_user_title,
        "error_user_msg": fault.error_user_msg,
        "error_data": fault.error_data,
    }
    inner |= {name: value for name, value in optional.items() if value is not None}
    return _error(answer, fault.status or 400, inner, has_trace=fault.fbtrace_id)


def _error(answer: Answer, status: int, inner: dict[str, Any], *, has_trace: bool) -> Answer:
    body = inner | ({"fbtrace_id": trace_id()} if has_trace else {})
    refused = replace(answer, status=status, body=graph_json({"error": body}))
    return refused.with_headers(refusal_header(inner["message"], inner["code"]))


def _redirect(fault: GraphFault, answer: Answer) -> Answer:
    return replace(answer, status=fault.status or 302, body=b"").with_headers(("Location", fault.location))


def _gzip(answer: Answer) -> Answer:
    return replace(answer, body=gzip.compress(answer.body)).with_headers(("Content-Encoding", "gzip"))


def _shorter_list(answer: Answer, drop: int | None) -> Answer:
    body = json.loads(answer.body)
    if not isinstance(body.get("data"), list):
        return answer
    kept = [] if drop is None else body["data"][drop:]
    return replace(answer, body=graph_json((body if kept else {}) | {"data": kept}))


@dataclass(frozen=True, slots=True)
class _How:
    writes: bool
    spoil: Callable[[GraphFault, Answer], Answer]


HOWS: dict[str, _How] = {
    "500-1": _How(True, lambda f, a: _server_error(f, a, 1)),
    "500-2": _How(True, lambda f, a: _server_error(f, a, 2)),
    "close": _How(True, lambda _, a: replace(a, ending=Ending.CLOSE)),
    "reset": _How(True, lambda _, a: replace(a, ending=Ending.RESET)),
    "hang": _How(True, lambda f, a: replace(a, ending=Ending.HANG, pace_s=30.0 if f.seconds is None else f.seconds)),
    "html-502": _How(True, lambda _, a: replace(a, status=502, body=OUTAGE_PAGE.encode(), content_type=HTML)),
    "empty-200": _How(True, lambda _, a: replace(a, status=200, body=b"")),
    "success-200": _How(True, lambda _, a: replace(a, status=200, body=graph_json({"success": True}))),
    "truncated": _How(True, lambda _, a: replace(a, ending=Ending.TRUNCATED)),
    "drip": _How(True, lambda f, a: replace(a, ending=Ending.DRIP, pace_s=0.02 if f.seconds is None else f.seconds)),
    "delay": _How(True, lambda f, a: replace(a, delay_s=1.0 if f.seconds is None else f.seconds)),
    "gzip": _How(True, lambda _, a: _gzip(a)),
    "redirect": _How(False, _redirect),
    "error": _How(False, _any_error),
    "empty-list": _How(True, lambda _, a: _shorter_list(a, None)),
    "lagging-list": _How(True, lambda f, a: _shorter_list(a, f.newest)),
    "failing-list": _How(False, _any_error),
}

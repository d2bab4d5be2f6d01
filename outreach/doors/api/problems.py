"""What went wrong, as problem+json (RFC 9457): a kind, a plain sentence, where it is, and the next step."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from outreach.desk import AlreadyQueued, ChangedMeanwhile
from outreach.model import BadInput

MEDIA_TYPE = "application/problem+json"
_URN = "urn:outreach:problem:"

KINDS: dict[str, tuple[int, str]] = {
    "bad-json": (400, "The body is no JSON"),
    "key-missing": (400, "An Idempotency-Key is needed"),
    "no-token": (401, "A token is needed"),
    "scope-missing": (403, "The token does not reach that far"),
    "not-allowed": (403, "Your roles do not allow it"),
    "not-there": (404, "There is nothing like that"),
    "no-such-method": (405, "This cannot be done here"),
    "already-queued": (409, "It is queued already"),
    "changed-meanwhile": (409, "It was changed meanwhile"),
    "not-possible-now": (409, "It does not stand so that this is possible"),
    "in-progress": (409, "The same request is being worked on"),
    "too-large": (413, "The body is too large"),
    "no-json": (415, "The body has to be JSON"),
    "bad-input": (422, "This cannot be used"),
    "key-reused": (422, "The Idempotency-Key came with another request"),
    "too-many": (429, "Too many requests"),
    "broken": (500, "The service failed"),
    "database": (503, "The database cannot be used now"),
}
"""Every kind of problem with its status and title; the type is the kind behind `urn:outreach:problem:`."""


class Problem(Exception):
    """A refusal as a program gets it. `where` names a part of the request, `next_step` what to do about it."""

    def __init__(
        self,
        kind: str,
        detail: str,
        where: str | None = None,
        next_step: str | None = None,
        *,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.where, self.next_step = kind, detail, where, next_step
        self.more, self.headers = dict(more or {}), dict(headers or {})

    @property
    def status(self) -> int:
        """Give the status of the answer."""
        return KINDS[self.kind][0]

    def laid_out(self) -> dict[str, Any]:
        """Give it as JSON."""
        status, title = KINDS[self.kind]
        told = {"type": f"{_URN}{self.kind}", "title": title, "status": status, "detail": self.detail}
        return told | {"where": self.where, "next": self.next_step} | self.more

    def text(self) -> str:
        """Give it as the text of an answer."""
        return json.dumps(self.laid_out(), ensure_ascii=True, separators=(",", ":"))


def of_status(status: int) -> Problem:
    """Give what a plain status of the framework means."""
    kind = next((kind for kind, (known, _) in KINDS.items() if known == status), "bad-input")
    details = {
        404: ("There is no such address.", "See the addresses at /docs."),
        405: ("This address does not take this method.", "See at /docs what it takes."),
        413: ("The body is larger than 1.2 MB.", "Send less."),
    }
    detail, step = details.get(status, (KINDS[kind][1] + ".", None))
    return Problem(kind, detail, next_step=step)


def of_refusal(bad: BadInput) -> Problem:
    """Give what a refusal of the desk is to a program: what it says of how things stand is 409, of what was given 422."""
    kind, more = "bad-input", dict[str, Any]()
    match bad:
        case AlreadyQueued():
            kind, more = "already-queued", {"announcement": bad.number}
        case ChangedMeanwhile():
            theirs = bad.theirs
            kind = "changed-meanwhile"
            more = {"theirs": {"revision": theirs.revision, "base": theirs.key, "letter": theirs.letter}}
    return Problem(kind, bad.message, (bad.where or "").removeprefix("--") or None, bad.next_step or None, more=more)


def standing(bad: BadInput) -> BadInput | Problem:
    """Give a refusal that names no part of the request as one about how things stand."""
    is_of_its_own = bad.where or isinstance(bad, AlreadyQueued | ChangedMeanwhile)
    return bad if is_of_its_own else Problem("not-possible-now", bad.message, None, bad.next_step or None)


def answer(problem: Problem, request: Request) -> Response:
    """Make the answer."""
    headers = {**getattr(request.state, "pace", {}), **problem.headers}
    return Response(problem.text(), problem.status, headers, MEDIA_TYPE)

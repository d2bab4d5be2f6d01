"""Asking: who calls, by which token, whether its scopes and the person's roles both allow it, and not too often."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from outreach.access import Access, Visitor
from outreach.doors.api.problems import Problem
from outreach.roles import Verb

MOST_PER_MINUTE = 600
_MOST_TOKENS = 10_000

SCOPE_OF: dict[Verb, str] = {
    Verb.READ: "read",
    Verb.LOOK: "read",
    Verb.WRITE: "write",
    Verb.RUN: "write",
    Verb.ENROL: "write",  # also to look: a program that reads the queue need not know who is on a list
    Verb.WORD: "write",
    Verb.APPROVE: "approve",
    Verb.SET_UP: "set up",
    Verb.AUDIT: "set up",
}

BEARER = HTTPBearer(
    bearerFormat="outreach_…",
    scheme_name="token",
    description="A personal token, made on the page under Account. It may what its scopes and your roles both allow.",
    auto_error=False,
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a token has left of its minute."""

    most: int
    left: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Give it as headers."""
        told = {"RateLimit-Limit": self.most, "RateLimit-Remaining": max(0, self.left), "RateLimit-Reset": self.reset_s}
        return {name: str(value) for name, value in told.items()}


class Pace:
    """Counts the requests of each token in the current minute of this process. `most` 0: no limit."""

    def __init__(self, elapsed_s: Callable[[], float], most: int = MOST_PER_MINUTE) -> None:
        self._elapsed_s = elapsed_s
        self._most = most
        self._minute = -1
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def take(self, token: int) -> Allowance:
        """Count one more request; `left` is below zero where it is one too many."""
        now = self._elapsed_s()
        minute = int(now // 60)
        with self._lock:
            if minute != self._minute or len(self._counts) > _MOST_TOKENS:
                self._minute, self._counts = minute, {}
            count = self._counts[token] = self._counts.get(token, 0) + 1
        left = self._most - count if self._most else 1
        return Allowance(self._most, left, max(1, ceil((minute + 1) * 60 - now)))


@dataclass(frozen=True)
class Gate:
    """Lets callers in: each route names the verb that it does."""

    access: Access
    pace: Pace

    def may(self, verb: Verb, *scopes: str) -> Callable[..., Visitor]:
        """Make a dependency that gives a caller who may do it. `scopes` replace the one that the verb needs otherwise."""
        wanted = scopes or (SCOPE_OF[verb],)

        def allowed(request: Request, response: Response, bearer: Bearer) -> Visitor:
            visitor = self.caller(request, response, bearer)
            if not (visitor.scopes or frozenset()) & set(wanted):
                named = " or ".join(f'"{scope}"' for scope in wanted)
                detail = f"This needs a token with the scope {named}."
                raise Problem("scope-missing", detail, next_step="Make another token under Account.")
            if not visitor.may(verb):
                step = "Ask an admin of the community if you should be able to."
                raise Problem("not-allowed", f"You may not {verb}.", next_step=step)
            return visitor

        return allowed

    def caller(self, request: Request, response: Response, bearer: HTTPAuthorizationCredentials | None) -> Visitor:
        """Say who calls, by a token alone: a cookie of the page opens nothing here."""
        visitor = self.access.visitor_by_token(bearer.credentials) if bearer else None
        if visitor is None:
            raise _stranger(was_shown=bearer is not None)
        allowance = self.pace.take(visitor.token or 0)
        request.state.pace = allowance.headers()
        response.headers.update(request.state.pace)
        if allowance.left < 0:
            said = f"This token has asked {allowance.most} times within a minute."
            waits = {"Retry-After": str(allowance.reset_s)}
            raise Problem("too-many", said, next_step=f"Wait {allowance.reset_s} seconds.", headers=waits)
        return visitor


def _stranger(*, was_shown: bool) -> Problem:
    detail = "The token opens nothing, or nothing any more." if was_shown else "No token was sent."
    step = "Make one under Account and send it: Authorization: Bearer outreach_…"
    challenge = 'Bearer realm="outreach"' + (', error="invalid_token"' if was_shown else "")
    return Problem("no-token", detail, next_step=step, headers={"WWW-Authenticate": challenge})

"""Once: a request that comes again with its Idempotency-Key gets its answer again, and is not carried out again.

What was begun and never answered, since the process ended between, is known by its row. After some minutes a repeat goes
on with it: it first looks in the history whether the same person did the same since the first try, and then answers how
things stand; only what the history does not show is carried out.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from outreach.access import Visitor
from outreach.doors.api.asking import Gate
from outreach.doors.api.problems import MEDIA_TYPE, Problem, of_refusal
from outreach.doors.web.wire import read_json
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store import Store, answers
from outreach.store.answers import Kept, Sign
from outreach.vault import Vault

GIVEN_UP_AFTER = timedelta(minutes=2)
"""No request takes as long: who began it is gone, or its database was."""

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="A text of your own that names this request, such as a UUID. The same key with the same request gives"
        " the same answer again for 24 hours, and nothing is done twice.",
        examples=["7f0c2a52-6f9e-4c8b-9f55-2d1c9c1f3a10"],
    ),
]
Work = Callable[[], BaseModel]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be carried out once."""

    visitor: Visitor
    key: str
    sha256: str
    pace: dict[str, str]

    @property
    def token(self) -> int:
        """Name the token it came with."""
        return self.visitor.token or 0

    @property
    def person(self) -> str:
        """Name who acts."""
        return self.visitor.email

    @property
    def source(self) -> str:
        """Name this very request in the history of what came of it."""
        named = hashlib.sha256(f"{self.token} {self.key} {self.sha256}".encode()).hexdigest()[:16]
        return f"by the API, request {named}"

    def sign(self, *kinds: str, **about: Any) -> Sign:
        """Say how the history would show that the caller did it already."""
        return Sign(kinds, self.person, **about)


@dataclass(frozen=True, slots=True)
class Done:
    """How a repeat of what was never answered is known to be done already, and what is then answered.

    `told` is given the number of the announcement that it was about, 0 where it was about none.
    """

    sign: Sign
    told: Callable[[int], BaseModel]


class Once:
    """Carries requests out once. `secret` is the one of the install."""

    def __init__(self, *, store: Store, secret: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._vault = Vault(secret)
        self._now = now

    def answer(self, call: Call, work: Work, *, status: int = 200, done: Done | None = None) -> Response:
        """Carry it out and keep the answer, refusals included; or give the answer that is kept.

        What raises anything else is left open: nobody knows what became of it.
        """
        now = self._now()
        with self._store.write() as tx:
            kept = answers.begin(tx, call.token, call.key, call.sha256, now)
        if kept is not None:
            self._check(kept, call, now)
            if kept.status is not None:
                return _response(call, kept.status, self._opened(kept), is_replay=True)
            self._take_over(kept, call, now)
        status, text = self._worked(work if kept is None else self._repeated(work, done, kept), status)
        with self._store.write() as tx:
            sealed = self._vault.encrypt("answer", text)
            answers.finish(tx, call.token, call.key, taken_at=now, status=status, body=sealed)
        return _response(call, status, text, is_replay=False)

    @staticmethod
    def _check(kept: Kept, call: Call, now: datetime) -> None:
        if kept.request_sha256 != call.sha256:
            step = "Take another key for another request."
            raise Problem("key-reused", "This key came with another request before.", "Idempotency-Key", step)
        if kept.status is None and now - kept.taken_at < GIVEN_UP_AFTER:
            raise _in_progress()

    def _take_over(self, kept: Kept, call: Call, now: datetime) -> None:
        with self._store.write() as tx:
            if not answers.take_over(tx, call.token, call.key, kept, now):
                raise _in_progress()

    def _repeated(self, work: Work, done: Done | None, kept: Kept) -> Work:
        if done is None:
            return work
        with self._store.read() as tx:
            number = answers.done_since(tx, done.sign, kept.at)
        return work if number is None else lambda: done.told(number)

    @staticmethod
    def _worked(work: Work, status: int) -> tuple[int, str]:
        try:
            found = work()
        except BadInput as bad:
            problem = of_refusal(bad)
            return problem.status, problem.text()
        except Problem as problem:
            return problem.status, problem.text()
        return status, found.model_dump_json()

    def _opened(self, kept: Kept) -> str:
        try:
            return self._vault.decrypt("answer", kept.body or "")
        except BadInput:
            said = "The answer to this key cannot be read any more: the secret of the install was changed."
            raise Problem("not-possible-now", said, next_step="Look how things stand, then take another key.") from None


def _in_progress() -> Problem:
    said = "The same request is being worked on, or its end is not known yet."
    step = "Ask again with the same key."
    return Problem("in-progress", said, "Idempotency-Key", step, headers={"Retry-After": "5"})


def _response(call: Call, status: int, text: str, *, is_replay: bool) -> Response:
    headers = call.pace | ({"Idempotent-Replayed": "true"} if is_replay else {})
    return Response(text, status, headers, "application/json" if status < 400 else MEDIA_TYPE)


def posts(gate: Gate, verb: Verb, *scopes: str) -> Callable[..., Call]:
    """Make a dependency that gives a request of a caller who may do it, with the key that it needs."""
    allowed = gate.may(verb, *scopes)

    def called(
        request: Request,
        visitor: Annotated[Visitor, Depends(allowed)],
        key: Key,
        body: Annotated[bytes, Depends(read_json)],
    ) -> Call:
        said = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
        return Call(visitor, key, hashlib.sha256(said).hexdigest(), request.state.pace)

    return called

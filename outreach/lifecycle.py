"""The life of a post: the only moves there are, and what each answer of a channel leads to."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from outreach.model import (
    Blocked,
    Move,
    Outcome,
    Post,
    Published,
    Refused,
    State,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)

_S = State

MOVES: dict[Move, tuple[frozenset[State], State]] = {
    Move.CLAIM: (frozenset({_S.QUEUED}), _S.PUBLISHING),
    Move.PUBLISH: (frozenset({_S.PUBLISHING}), _S.PUBLISHED),
    Move.DEFER: (frozenset({_S.PUBLISHING}), _S.QUEUED),
    Move.FAIL: (frozenset({_S.PUBLISHING}), _S.FAILED),
    Move.DOUBT: (frozenset({_S.PUBLISHING}), _S.UNCONFIRMED),
    Move.CONFIRM: (frozenset({_S.UNCONFIRMED}), _S.PUBLISHED),
    Move.ABSOLVE: (frozenset({_S.UNCONFIRMED}), _S.QUEUED),
    Move.HOLD: (frozenset({_S.PUBLISHED}), _S.HELD),
    Move.RELEASE: (frozenset({_S.HELD}), _S.PUBLISHED),
    Move.REFUSE: (frozenset({_S.PUBLISHED, _S.HELD, _S.UNCONFIRMED}), _S.FAILED),
    Move.MISS: (frozenset({_S.QUEUED}), _S.MISSED),
    Move.CANCEL: (frozenset({_S.QUEUED, _S.MISSED, _S.FAILED}), _S.CANCELLED),
    Move.REQUEUE: (frozenset({_S.FAILED, _S.MISSED, _S.UNCONFIRMED}), _S.QUEUED),
    Move.RETRACT: (frozenset({_S.PUBLISHED, _S.HELD}), _S.RETRACTED),
}

AT_REST = frozenset({_S.PUBLISHED, _S.FAILED, _S.MISSED, _S.CANCELLED, _S.RETRACTED})
NEEDS_A_PERSON = frozenset({_S.UNCONFIRMED, _S.HELD, _S.MISSED, _S.FAILED})
OPEN = frozenset({_S.QUEUED, _S.PUBLISHING, _S.UNCONFIRMED, _S.HELD, _S.MISSED})

BACK_OFF_BASE_S = 30.0
BACK_OFF_CAP_S = 1800.0
WISH_CAP_S = 86400.0


class IllegalMove(Exception):
    """A move was tried from a state, or in the name of an attempt, that does not allow it. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The whole channel has to wait, `until` an instant or, when that is None, for a person."""

    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one outcome means for the post and its channel. `due_at` is set for a post that is to be tried again."""

    move: Move
    reason: str | None = None
    due_at: datetime | None = None
    remote_id: str | None = None
    url: str | None = None
    message_id: str | None = None
    pause: Pause | None = None


def is_legal(move: Move, state: State) -> bool:
    """Tell whether the table allows `move` from `state`."""
    return state in MOVES[move][0]


def judge(post: Post, outcome: Outcome, now: datetime) -> Verdict:
    """Conclude from what the channel answered. Pure and total; never concludes "not sent" from doubt."""
    match outcome:
        case Published():
            return _published(outcome)
        case Refused(reason):
            return _refused(post, reason)
        case Unavailable(reason, retry_after_s):
            wait = back_off(post.attempt, key=str(post.id), at_least_s=retry_after_s or 0.0)
            return Verdict(Move.DEFER, reason, due_at=now + wait)
        case Unauthorized(reason):
            return Verdict(Move.DEFER, reason, due_at=now, pause=Pause(reason, None))
        case Blocked(reason, until):
            return Verdict(Move.DEFER, reason, due_at=now, pause=Pause(reason, until))
        case Unconfirmed(reason):
            return Verdict(Move.DOUBT, reason)
        case _ as unknown:
            assert_never(unknown)


def _published(outcome: Published) -> Verdict:
    rest = Pause("The channel's limit is nearly reached.", outcome.rest_until) if outcome.rest_until else None
    return Verdict(
        Move.PUBLISH, remote_id=outcome.remote_id, url=outcome.url, message_id=outcome.message_id, pause=rest
    )


def _refused(post: Post, reason: str) -> Verdict:
    """A definite no to this try says nothing of an earlier one that may have arrived: the channel is asked once more."""
    if post.doubtful_since is None:
        return Verdict(Move.FAIL, reason)
    return Verdict(Move.DOUBT, f"{reason} An earlier try may be out all the same.")


def breaker_pause(failures: int, *, most: int) -> timedelta | None:
    """Say how long a channel rests after so many failed tries in a row: 5 min from the `most`-th on, doubled with each
    further one, at most an hour. None below that, and always when `most` is 0.
    """
    if not most or failures < most:
        return None
    return timedelta(minutes=min(5 * 2 ** min(failures - most, 8), 60))


def back_off(attempt: int, *, key: str, at_least_s: float = 0.0) -> timedelta:
    """Wait before the next try: 30 s doubled at each attempt, at most 30 min, less up to a quarter of jitter.

    The jitter comes from `key` and `attempt`, so that the same post always waits the same and two posts do not march in
    step. Never shorter than `at_least_s`, the channel's own wish, which may exceed the cap; but a wish is followed for a
    day at most: a server may ask for more than a calendar holds.
    """
    doubled = BACK_OFF_BASE_S * 2.0 ** min(max(attempt, 1) - 1, 16)
    digest = hashlib.sha256(f"{key}:{attempt}".encode()).digest()
    jitter = 1.0 - 0.25 * int.from_bytes(digest[:4], "big") / 2**32
    return timedelta(seconds=max(min(doubled, BACK_OFF_CAP_S) * jitter, min(at_least_s, WISH_CAP_S)))


def next_look(looks: int, *, doubted_at: datetime, look_after_s: tuple[int, ...]) -> datetime | None:
    """Say when an unconfirmed post is looked for next, `looks` times having been looked; None once the window is over."""
    if looks >= len(look_after_s):
        return None
    return doubted_at + timedelta(seconds=look_after_s[looks])


def may_absolve(*, looks: int, clean_looks: int, look_after_s: tuple[int, ...]) -> bool:
    """Tell whether a post whose latest look did not find it is positively absent, and so may be sent again.

    The whole window has to be over, and two of its looks (or its only one) must have got a list that reached back
    before the attempt. Anything less leaves the question to a person.
    """
    return bool(look_after_s) and looks >= len(look_after_s) and clean_looks >= min(2, len(look_after_s))


def status(states: Iterable[State]) -> str:
    """Derive how an announcement stands from the states of its posts. Never stored.

    One of: draft, needs a person, publishing, queued, partly published, published, retracted, cancelled.
    """
    seen = set(states)
    if not seen:
        return "draft"
    if seen & NEEDS_A_PERSON:
        return "needs a person"
    if _S.PUBLISHING in seen:
        return "publishing"
    if _S.QUEUED in seen:
        return "partly published" if _S.PUBLISHED in seen else "queued"
    if _S.PUBLISHED in seen:
        return "partly published" if _S.RETRACTED in seen else "published"
    return "retracted" if _S.RETRACTED in seen else "cancelled"


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: the README holds exactly this, and a test compares them."""
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    for move, (starts, end) in MOVES.items():
        lines += [f"    {start} --> {end}: {move}" for start in sorted(starts)]
    return "\n".join(lines)


def invariants(row: dict[str, Any]) -> list[str]:
    """Name what cannot be true of a post's row; the store's CHECK constraints refuse the same, `doctor` looks again."""
    broken = []
    if (row["state"] == _S.PUBLISHING) != (row["worker"] is not None):
        broken.append("a worker is named if and only if the post is publishing")
    if row["state"] == _S.PUBLISHED and not (row["remote_id"] or row["message_id"] or row["url"]):
        broken.append("published without evidence")
    if row["state"] in (_S.FAILED, _S.MISSED, _S.UNCONFIRMED) and not row["reason"]:
        broken.append(f"{row['state']} without a reason")
    return broken


def is_history(post: Post) -> bool:
    """Tell whether a post was attempted or came to rest: what those may read, too, who may not see what is planned."""
    return bool(post.attempt) or post.state in AT_REST

"""The one door for the state of a post: every change of it, by anyone, is a `Change` applied here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, insert, literal_column, update

from outreach.lifecycle import MOVES, IllegalMove
from outreach.model import Move, State
from outreach.store.engine import Transaction
from outreach.store.prepared import Prepared
from outreach.store.schema import attempts, events, posts

_ENDS_THE_LEASE = {"worker": None, "lease_until": None}
_ENDS_THE_DOUBT = {"doubted_at": None, "look_at": None}


@dataclass(frozen=True, slots=True)
class Change:
    """One move of one post, in the name of one attempt. `values` are further columns of the post that the move sets.

    `only_from` narrows the states that the move may start from, for who concluded it from one of them.
    """

    post_id: int
    attempt: int
    move: Move
    at: datetime
    note: str | None = None
    person: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    only_from: frozenset[State] | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: `outcome` is the name of the outcome's class in lower case."""

    post_id: int
    number: int
    at: datetime
    outcome: str
    reason: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def apply(tx: Transaction, changes: Iterable[Change]) -> None:
    """Carry out all of them, each with its event in the history, or raise `IllegalMove` and none.

    A change is refused when the post left the state it starts from, or when another attempt began since: a worker that
    comes back late cannot speak for a later attempt.
    """
    groups: dict[tuple[Move, frozenset[State], tuple[str, ...]], list[Change]] = defaultdict(list)
    for change in changes:
        starts = MOVES[change.move][0]
        groups[change.move, starts & (change.only_from or starts), tuple(change.values)].append(change)
    for (move, starts, columns), group in groups.items():
        rows = [{"post": c.post_id, "fence": c.attempt} | dict(c.values) for c in group]
        if _guarded(move, starts, columns).run_all(tx, rows) != len(group):
            raise IllegalMove(f"{move} of post {', '.join(str(c.post_id) for c in group)} is not possible any more")
    told = [_event(change) for group in groups.values() for change in group]
    if told:
        _TELL.run_all(tx, told)


@cache
def _guarded(move: Move, starts: frozenset[State], columns: tuple[str, ...]) -> Prepared:
    end = MOVES[move][1]
    cleared: dict[str, Any] = {}
    if State.PUBLISHING in starts:
        cleared |= _ENDS_THE_LEASE
    if State.UNCONFIRMED in starts:
        cleared |= _ENDS_THE_DOUBT
    # What a channel's own scheduler has is brought back first: nothing that is decided here would hold there.
    ours = [posts.c.handed_over.is_(False)] if State.QUEUED in starts else []
    return Prepared(
        update(posts)
        .where(
            *ours,
            posts.c.id == bindparam("post"),
            posts.c.attempt == bindparam("fence"),
            posts.c.state.in_([literal_column(f"'{state}'") for state in sorted(starts)]),
        )
        .values(state=str(end), **cleared | {name: bindparam(name) for name in columns})
    )


_TELL = Prepared(insert(events), ("at", "kind", "post_id", "attempt", "person", "note"))


def _event(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "kind": str(change.move),
        "post_id": change.post_id,
        "attempt": change.attempt,
        "person": change.person,
        "note": change.note,
    }


def end_attempts(tx: Transaction, endings: Sequence[Ending]) -> None:
    """Write down how attempts ended. Raises `IllegalMove` if one is not open: its end was told already."""
    if not endings:
        return
    rows = [
        {
            "post": e.post_id,
            "nth": e.number,
            "ended_at": e.at,
            "outcome": e.outcome,
            "reason": e.reason,
            "evidence": dict(e.evidence) or None,
        }
        for e in endings
    ]
    if _ENDING.run_all(tx, rows) != len(rows):
        raise IllegalMove("an attempt that has ended cannot end again")


_ENDING = Prepared(
    update(attempts)
    .where(
        attempts.c.post_id == bindparam("post"),
        attempts.c.number == bindparam("nth"),
        attempts.c.ended_at.is_(None),
    )
    .values(
        ended_at=bindparam("ended_at"),
        outcome=bindparam("outcome"),
        reason=bindparam("reason"),
        evidence=bindparam("evidence"),
    )
)

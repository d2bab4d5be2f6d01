"""What is true of the posts of a database that was put back: time went on without it, so some may be public already."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update

from outreach.lifecycle import next_look
from outreach.model import Move, Post, State
from outreach.store import handovers, history, moves, safety, workers
from outreach.store.engine import Transaction
from outreach.store.moves import Change, Ending
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.safety import Cause
from outreach.store.schema import attempts, heartbeats, posts

WHY_MISSED = "It was due before the backup was put back, and may have gone out meanwhile."
WHY_DOUBTFUL = "It was being sent when the backup was made; the post may be out."
FOUND = "found after a restore"
NOT_THERE = "not there after a restore"
CANNOT_TELL = "could not tell after a restore"
TO_ASK = "to be asked for after a restore"
WORKED_ON = "workers of before the restore"
ASKED_BACK = timedelta(days=30)
MOST_ASKED_BACK = 500
LONGEST_AHEAD = timedelta(days=29)
"""So far ahead a channel's own scheduler may have been given a post that the backup knows nothing of."""
LIVES_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Marked:
    """How many posts were missed, are in doubt, and still wait for their time."""

    missed: int
    doubtful: int
    waiting: int


def mark(tx: Transaction, reason: str, *, now: datetime, look_after_s: tuple[int, ...]) -> Marked:
    """Begin safe mode, miss what was due, and doubt what was being sent: nothing of it goes out again by itself.

    All of it belongs into one transaction, before any worker sees the database. Workers known to it are forgotten.
    """
    _begin_safe_mode(tx, reason, now)
    missed = _miss_what_was_due(tx, now)
    handovers.doubt_all(tx, now=now, until=now + LONGEST_AHEAD)
    doubtful = _doubt_what_was_being_sent(tx, now, look_after_s) + _look_anew(tx, now)
    tx.execute(delete(heartbeats))
    waiting = tx.execute(select(func.count()).select_from(posts).where(text("state = 'queued'"))).scalar_one()
    return Marked(missed, doubtful, waiting)


def _begin_safe_mode(tx: Transaction, reason: str, now: datetime) -> None:
    if safety.current(tx) is not None:
        safety.leave(tx, now=now, note="the database was put back; safe mode begins anew")
    safety.enter(tx, Cause.RESTORE, reason, now=now)


def _miss_what_was_due(tx: Transaction, now: datetime) -> int:
    ours = text("state = 'queued' AND NOT handed_over"), posts.c.due_at <= now
    due = tx.execute(select(posts.c.id, posts.c.attempt).where(*ours)).all()
    values = {"reason": WHY_MISSED}
    moves.apply(tx, [Change(post, attempt, Move.MISS, now, WHY_MISSED, values=values) for post, attempt in due])
    asked = _to_ask(tx) | {post: 0 for post, _ in due} | dict.fromkeys(_missed_before(tx, now), 0)
    if asked:
        _remember_to_ask(tx, asked)
    return len(due)


def _missed_before(tx: Transaction, now: datetime) -> Sequence[int]:
    """Give those that the backup knows as missed already: somebody may have sent them after it was made."""
    lately = (posts.c.planned_at > now - ASKED_BACK, posts.c.state == State.MISSED)
    return (
        tx.execute(select(posts.c.id).where(*lately).order_by(posts.c.id.desc()).limit(MOST_ASKED_BACK)).scalars().all()
    )


def _doubt_what_was_being_sent(tx: Transaction, now: datetime, look_after_s: tuple[int, ...]) -> int:
    query = (
        select(posts.c.id, posts.c.attempt, posts.c.doubtful_since, attempts.c.started_at)
        .join(attempts, (attempts.c.post_id == posts.c.id) & (attempts.c.number == posts.c.attempt))
        .where(text("posts.state = 'publishing'"))
    )
    look_at = next_look(0, doubted_at=now, look_after_s=look_after_s)
    values = {"reason": WHY_DOUBTFUL, "doubted_at": now, "look_at": look_at, "looks": 0, "clean_looks": 0}
    found = tx.execute(query).all()
    for post, attempt, since, started_at in found:
        own = values | {"doubtful_since": since or started_at}
        moves.apply(tx, [Change(post, attempt, Move.DOUBT, now, WHY_DOUBTFUL, values=own)])
        moves.end_attempts(tx, [Ending(post, attempt, now, "unconfirmed", WHY_DOUBTFUL)])
    return len(found)


def _look_anew(tx: Transaction, now: datetime) -> int:
    """Look for those in doubt from the beginning: what was seen of them since is not in this database."""
    anew = {"doubted_at": now, "look_at": now, "looks": 0, "clean_looks": 0}
    were = (text("state = 'unconfirmed'"), posts.c.doubted_at != now)
    return tx.execute(update(posts).where(*were).values(anew)).rowcount


# Posts that were missed so: the channel is asked, and what it says is written down


def to_ask(tx: Transaction, most: int) -> list[tuple[Post, int]]:
    """Give posts missed by a restore that are still to be asked for, each with how often it was, the least first."""
    asked = _to_ask(tx)
    wanted = sorted(asked, key=lambda post: (asked[post], post))[:most]
    found = {row[0]: as_post(row) for row in tx.execute(SELECT_POSTS.where(posts.c.id.in_(wanted)))}
    return [(found[post], asked[post]) for post in wanted if post in found]


def is_still_asked_for(tx: Transaction, post: Post) -> bool:
    """Tell whether the post was missed at a restore and its channel has not said yet whether it went out."""
    return post.state is State.MISSED and post.id in _to_ask(tx)


def count_an_ask(tx: Transaction, post: Post) -> int | None:
    """Count one more ask, before it is made: one that never ends ends the asking too. None: it is settled by now."""
    asked = _to_ask(tx)
    if post.id not in asked:
        return None
    asked[post.id] += 1
    _remember_to_ask(tx, asked)
    return asked[post.id]


def settle(
    tx: Transaction, post: Post, *, at: datetime, kind: str = "", evidence: dict[str, Any] | None = None
) -> None:
    """Ask no more for a post, and write down what was seen, if anything was."""
    asked = _to_ask(tx)
    if asked.pop(post.id, None) is None:
        return
    if asked:
        _remember_to_ask(tx, asked)
    else:
        safety.forget(tx, TO_ASK)
    if kind:
        history.see(tx, post.id, at=at, kind=kind, evidence=evidence or {})


def _to_ask(tx: Transaction) -> dict[int, int]:
    return {int(post): asks for post, asks in json.loads(safety.remembered(tx, TO_ASK) or "{}").items()}


def _remember_to_ask(tx: Transaction, asked: dict[int, int]) -> None:
    safety.remember(tx, TO_ASK, json.dumps(asked))


# Workers that began before it: they know the channels by the numbers of the database that was there


def living(beats: Sequence[tuple[str, datetime]], now: datetime) -> list[str]:
    """Give the workers that were heard of within the last minute and are not certainly gone."""
    return [worker for worker, beat_at in beats if beat_at > now - LIVES_FOR and not workers.is_gone(worker)]


def remember_workers(tx: Transaction, names: Sequence[str]) -> None:
    """Write down which workers were at work when the database was put back."""
    if names:
        safety.remember(tx, WORKED_ON, json.dumps(list(names)))


def workers_to_restart(tx: Transaction, now: datetime) -> list[str]:
    """Give those of them that are heard of still: they have to begin anew before anything may go out."""
    before = set(json.loads(safety.remembered(tx, WORKED_ON) or "[]"))
    return [worker for worker in living(workers.last_beats(tx), now) if worker in before]

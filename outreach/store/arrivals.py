"""What is known of posts after a channel took them: those that mail may still speak of, what was seen, what was not in time."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from outreach.list_habits import ListHabits
from outreach.model import Post, State
from outreach.store import safety
from outreach.store.columns import Instant
from outreach.store.engine import Transaction
from outreach.store.lanes import in_order
from outreach.store.schema import attempts, events, posts, sightings

SEEN = ("distributed", "acknowledged", "member-bounce", "found", "twice")
"""The kinds of sighting that prove that a post came through."""

MOST_POSTS = 300
_LEARNT_FROM = timedelta(days=180)
_TOO_FEW = 3
_PROFILE = "what copies show of channel "
_LIMIT = "size limit named by channel "
_HABITS = "habits of channel "
_ANSWER = "answer that lets through post "
_MOST_SIGHTINGS = 2000


@dataclass(frozen=True, slots=True)
class Sighted:
    """One sighting of a post, as far as deciding about another one needs it."""

    kind: str
    evidence: dict[str, Any]


def tried_since(tx: Transaction, channel_id: int, since: datetime) -> list[Post]:
    """Give the posts of a channel that were tried since an instant, latest try first: mail may still speak of them."""
    rows = tx.execute(_TRIED, {"channel": channel_id, "since": since}).scalars()
    return in_order(tx, list(dict.fromkeys(rows)))


_TRIED = (
    select(attempts.c.post_id)
    .where(attempts.c.channel_id == bindparam("channel"), attempts.c.started_at >= bindparam("since", type_=Instant()))
    .order_by(attempts.c.started_at.desc())
    .limit(MOST_POSTS)
)


def sent_at(tx: Transaction, post: Post) -> datetime | None:
    """Give the instant at which the latest try of a post began."""
    query = select(attempts.c.started_at).where(attempts.c.post_id == post.id, attempts.c.number == post.attempt)
    found: datetime | None = tx.execute(query).scalar()
    return found


def sighted(tx: Transaction, ids: Collection[int]) -> dict[int, list[Sighted]]:
    """Give what was seen of each of these posts, oldest first."""
    if not ids:
        return {}
    query = select(sightings.c.post_id, sightings.c.kind, sightings.c.evidence)
    query = query.where(sightings.c.post_id.in_(ids)).order_by(sightings.c.id).limit(_MOST_SIGHTINGS)
    found: dict[int, list[Sighted]] = {}
    for post_id, kind, evidence in tx.execute(query).all():
        found.setdefault(post_id, []).append(Sighted(kind, dict(evidence or {})))
    return found


def is_seen(what: Sequence[Sighted]) -> bool:
    """Tell whether any of these proves that the post came through."""
    return any(each.kind in SEEN for each in what)


def is_open(post: Post, what: Sequence[Sighted]) -> bool:
    """Tell whether mail may still decide what became of a post, after these sightings of it."""
    return post.state in (State.UNCONFIRMED, State.HELD) or (post.state is State.PUBLISHED and not is_seen(what))


def shows_copies(tx: Transaction, channel_id: int, now: datetime) -> bool:
    """Tell whether posts of a channel are seen to come through at all, or are too few to tell."""
    tried = [post.id for post in tried_since(tx, channel_id, now - _LEARNT_FROM)]
    return len(tried) <= _TOO_FEW or any(map(is_seen, sighted(tx, tried).values()))


def unseen(tx: Transaction, channel_ids: Collection[int], *, since: datetime, until: datetime) -> list[Post]:
    """Give the published posts whose latest try was in a span of time and that nobody saw come through, latest first."""
    found: list[Post] = []
    for channel_id in channel_ids:
        asked = {"channel": channel_id, "since": since, "until": until}
        found += in_order(tx, list(dict.fromkeys(tx.execute(_UNSEEN, asked).scalars())))
    return found


_UNSEEN = (
    select(attempts.c.post_id)
    .join(posts, (posts.c.id == attempts.c.post_id) & (posts.c.attempt == attempts.c.number))
    .where(
        attempts.c.channel_id == bindparam("channel"),
        attempts.c.started_at >= bindparam("since", type_=Instant()),
        attempts.c.started_at < bindparam("until", type_=Instant()),
        posts.c.state == "published",
        ~select(sightings.c.id).where(sightings.c.post_id == attempts.c.post_id, sightings.c.kind.in_(SEEN)).exists(),
    )
    .order_by(attempts.c.started_at.desc())
    .limit(MOST_POSTS)
)


def keep_answer(tx: Transaction, post_id: int, to: str, subject: str, words: str) -> None:
    """Keep the mail by which a person may let a held post through, in place of an earlier one."""
    safety.remember(tx, f"{_ANSWER}{post_id}", json.dumps([to, subject, words]))


def answer_of(tx: Transaction, post_id: int) -> tuple[str, str, str] | None:
    """Give that mail as (address, subject, words); None where there is none, or it was sent."""
    kept = safety.remembered(tx, f"{_ANSWER}{post_id}")
    return tuple(json.loads(kept)) if kept else None


def forget_answer(tx: Transaction, post_id: int) -> None:
    """Keep that mail no longer: it works once."""
    safety.forget(tx, f"{_ANSWER}{post_id}")


def keep_profile(tx: Transaction, channel_id: int, shown: dict[str, Any]) -> None:
    """Keep what the latest copy showed of a list."""
    safety.remember(tx, f"{_PROFILE}{channel_id}", json.dumps(shown))


def profile_of(tx: Transaction, channel_id: int) -> dict[str, Any] | None:
    """Give what the latest copy showed of a list; None where none was seen yet."""
    kept = safety.remembered(tx, f"{_PROFILE}{channel_id}")
    return dict(json.loads(kept)) if kept else None


def keep_limit(tx: Transaction, channel_id: int, most_kb: float) -> None:
    """Keep how long a mail a list takes, as its latest answer named it."""
    safety.remember(tx, f"{_LIMIT}{channel_id}", json.dumps(most_kb))


def limit_of(tx: Transaction, channel_id: int) -> float | None:
    """Give that limit in KB; None where no answer named one."""
    kept = safety.remembered(tx, f"{_LIMIT}{channel_id}")
    return float(json.loads(kept)) if kept else None


def habits_of(tx: Transaction, channel_id: int) -> ListHabits:
    """Give what people have said of a list."""
    kept = safety.remembered(tx, f"{_HABITS}{channel_id}")
    return ListHabits(**json.loads(kept)) if kept else ListHabits()


def keep_habits(tx: Transaction, channel_id: int, habits: ListHabits, *, now: datetime, person: str | None) -> None:
    """Keep what somebody says of a list, in place of what was said before."""
    safety.remember(tx, f"{_HABITS}{channel_id}", json.dumps(habits.laid_out()))
    row = {"at": now, "kind": "set list habits", "channel_id": channel_id, "person": person, "note": habits.in_words()}
    tx.execute(insert(events), row)


def hold_back(tx: Transaction, post: Post, *, now: datetime, note: str) -> bool:
    """Pause a queued post that turned out to be out already; False where it is not queued any more."""
    held = update(posts).where(posts.c.id == post.id, posts.c.attempt == post.attempt, posts.c.state == "queued")
    if tx.execute(held.values(paused=True, reason=note)).rowcount != 1:
        return False
    row = {"at": now, "kind": "pause", "post_id": post.id, "attempt": post.attempt, "note": note}
    tx.execute(insert(events), row)
    return True

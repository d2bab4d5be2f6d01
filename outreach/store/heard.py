"""What a channel told by itself: kept as it came, worked on later, and what it says of posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, text, update

from outreach.model import Post
from outreach.store import history
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import events, posts, sightings
from outreach.store.schema_reached import hook_events, reached

TOLD = "told"
"""The kind of sighting that says that the channel told of a post by itself."""

KEPT_FOR = timedelta(days=7)
_MOST = 100
_NOT_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Heard:
    """One body, as it came."""

    id: int
    channel_id: int
    at: datetime
    body: str


def keep(tx: Transaction, channel_id: int, *, sha256: str, body: str, now: datetime) -> bool:
    """Keep a body to be worked on; False where the same came before."""
    row = {"channel_id": channel_id, "sha256": sha256, "body": body, "at": now, "done_at": None}
    return insert_once(tx, hook_events, row)


def waiting(tx: Transaction, *, most: int = _MOST) -> list[Heard]:
    """Give what is to be worked on, oldest first."""
    query = select(hook_events.c.id, hook_events.c.channel_id, hook_events.c.at, hook_events.c.body)
    query = query.where(text("hook_events.done_at IS NULL")).order_by(hook_events.c.id)
    return [Heard(*row) for row in tx.execute(query.limit(most))]


def done(tx: Transaction, what: Heard, now: datetime) -> None:
    """Say that it was worked on. What it said goes: others' words have no business here."""
    tx.execute(update(hook_events).where(hook_events.c.id == what.id).values(done_at=now, body=""))


def forget_old(tx: Transaction, now: datetime) -> None:
    """Forget what was worked on long ago: Facebook repeats itself for 36 hours at most."""
    tx.execute(delete(hook_events).where(hook_events.c.at < now - KEPT_FOR, hook_events.c.done_at.is_not(None)))


# What it says of posts


def in_doubt(tx: Transaction, channel_id: int) -> list[Post]:
    """Give the posts of a channel that may be out or not."""
    query = SELECT_POSTS.where(
        text("posts.state IN ('unconfirmed', 'held') AND posts.state = 'unconfirmed'"), posts.c.channel_id == channel_id
    )
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at).limit(_MOST))]


def is_sending(tx: Transaction, channel_id: int) -> bool:
    """Tell whether a post of a channel is being sent this very moment."""
    query = select(posts.c.id).where(text("posts.state = 'publishing'"), posts.c.channel_id == channel_id)
    return tx.execute(query.limit(1)).first() is not None


def known_as(tx: Transaction, channel_id: int, remote_ids: Sequence[str]) -> dict[str, int]:
    """Give which posts of ours have these ids on their channel."""
    query = select(posts.c.remote_id, posts.c.id).where(
        posts.c.channel_id == channel_id, posts.c.remote_id.in_(list(remote_ids)), posts.c.remote_id.is_not(None)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def is_told(tx: Transaction, post_id: int) -> bool:
    """Tell whether the channel itself told that a post is there."""
    query = select(sightings.c.id).where(sightings.c.post_id == post_id, sightings.c.kind == TOLD)
    return tx.execute(query.limit(1)).first() is not None


def tell(tx: Transaction, post_id: int, *, now: datetime, evidence: dict[str, Any]) -> bool:
    """Write down once that the channel told of a post; False where that is written down already."""
    if is_told(tx, post_id):
        return False
    history.see(tx, post_id, at=now, kind=TOLD, evidence=evidence, by="the channel")
    return True


def look_soon(tx: Transaction, post: Post, now: datetime) -> None:
    """Ask the channel for an unconfirmed post now, whenever it was to be asked."""
    still = posts.c.id == post.id, posts.c.attempt == post.attempt, posts.c.state == "unconfirmed"
    tx.execute(update(posts).where(*still).values(look_at=now))


def ask_for_figures(tx: Transaction, post_ids: Sequence[int], now: datetime) -> None:
    """Ask for the figures of these posts soon, though no post's more often than every ten minutes."""
    query = select(reached.c.post_id, reached.c.asked_at).where(reached.c.post_id.in_(list(post_ids)))
    for post_id, asked_at in tx.execute(query).all():
        soon = now if asked_at is None else max(now, asked_at + _NOT_BEFORE)
        later = reached.c.post_id == post_id, reached.c.ask_at > soon
        tx.execute(update(reached).where(*later).values(ask_at=soon))


def note_following(tx: Transaction, channel_id: int, fields: Sequence[str], *, now: datetime, person: str) -> None:
    """Write down that somebody let the channel tell of its posts."""
    row = {"at": now, "kind": "follow channel", "channel_id": channel_id, "person": person, "note": ", ".join(fields)}
    tx.execute(insert(events), row)

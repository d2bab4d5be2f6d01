"""First comments: what is to be made under posts that are out, by one worker only, each step guarded by where it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, text, update

from outreach.extras import CommentState
from outreach.model import Content, Post
from outreach.store import history
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import channels, meta, posts
from outreach.store.schema_comments import first_comments

_MOST = 100
_S = CommentState
_COLUMNS = tuple(column for column in first_comments.c if column.name != "post_id")


@dataclass(frozen=True, slots=True)
class FirstComment:
    """How a first comment stands. `attempt` counts the tries and is the fence, as a post's is."""

    post_id: int
    state: CommentState
    attempt: int = 0
    worker: str | None = None
    lease_until: datetime | None = None
    next_at: datetime | None = None
    doubted_at: datetime | None = None
    looks: int = 0
    clean_looks: int = 0
    remote_id: str | None = None
    reason: str | None = None


def expect(tx: Transaction, post_id: int, content: Content, *, at: datetime) -> None:
    """Write down that a post is to get a first comment once it is out; take that back where it is to get none any more."""
    if content.extras.first_comment:
        insert_once(tx, first_comments, {"post_id": post_id, "state": "waiting", "next_at": at})
    else:
        is_idle = first_comments.c.state == "waiting", first_comments.c.attempt == 0
        tx.execute(delete(first_comments).where(first_comments.c.post_id == post_id, *is_idle))


def of_posts(tx: Transaction, ids: Sequence[int]) -> dict[int, FirstComment]:
    """Give those of these posts, by the post's id."""
    query = select(first_comments.c.post_id, *_COLUMNS).where(first_comments.c.post_id.in_(ids))
    return {row[0]: _read(row) for row in tx.execute(query)}


def _read(row: Sequence[Any]) -> FirstComment:
    number, state, *rest = row
    return FirstComment(number, _S(state), *rest)


def to_be_made(tx: Transaction, now: datetime) -> list[tuple[Post, FirstComment]]:
    """Give what is due under posts that are out, where nothing is stopped: neither the channel nor the install."""
    may_go = channels.c.state == "ready", ~exists().where(meta.c.key == "safe mode")
    return _due(tx, text("first_comments.state = 'waiting'"), now, posts.c.state == "published", *may_go)


def to_be_looked_for(tx: Transaction, now: datetime) -> list[tuple[Post, FirstComment]]:
    """Give those in doubt whose time to be looked for has come."""
    return _due(tx, text("first_comments.state = 'in doubt'"), now)


def _due(tx: Transaction, state: Any, now: datetime, *more: Any) -> list[tuple[Post, FirstComment]]:
    return _with_posts(tx, state, first_comments.c.next_at <= now, *more)


def in_flight(tx: Transaction) -> list[tuple[Post, FirstComment]]:
    """Give everything that is being made by anyone."""
    return _with_posts(tx, text("first_comments.state = 'posting'"))


def in_trouble(tx: Transaction, since: datetime) -> list[tuple[Post, FirstComment]]:
    """Give what failed, and what is in doubt and not looked for any more, of posts planned since an instant."""
    is_left = (first_comments.c.state == "failed") | first_comments.c.next_at.is_(None)
    trouble = text("first_comments.state IN ('failed', 'in doubt')")
    return _with_posts(tx, trouble, is_left, posts.c.planned_at >= since)


def _with_posts(tx: Transaction, *conditions: Any) -> list[tuple[Post, FirstComment]]:
    query = SELECT_POSTS.add_columns(first_comments.c.post_id, *_COLUMNS)
    query = query.join(first_comments, first_comments.c.post_id == posts.c.id).where(*conditions)
    width = len(_COLUMNS) + 1
    rows = tx.execute(query.order_by(first_comments.c.next_at, posts.c.id).limit(_MOST)).all()
    return [(as_post(row), _read(row[-width:])) for row in rows]


def claim(tx: Transaction, was: FirstComment, *, worker: str, lease_until: datetime) -> bool:
    """Take one that waits; False where another was faster. Nothing may be sent before this is committed."""
    values = {"attempt": was.attempt + 1, "worker": worker, "lease_until": lease_until}
    return _move(tx, was, _S.POSTING, values)


def is_still_ours(tx: Transaction, post_id: int, attempt: int, now: datetime) -> bool:
    """Tell whether a claimed one is still this try's, with time left, and nothing was stopped since."""
    query = (
        select(first_comments.c.post_id)
        .join(posts, posts.c.id == first_comments.c.post_id)
        .join(channels, channels.c.id == posts.c.channel_id)
        .where(first_comments.c.post_id == post_id, first_comments.c.attempt == attempt)
        .where(text("first_comments.state = 'posting'"), first_comments.c.lease_until > now)
        .where(posts.c.state == "published", channels.c.state == "ready", ~exists().where(meta.c.key == "safe mode"))
    )
    return tx.execute(query).first() is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a first comment, and the entry of the post's history that tells of it."""

    to: CommentState
    told: str
    note: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    person: str | None = None


def take(tx: Transaction, post: Post, was: FirstComment, step: Step, *, now: datetime) -> bool:
    """Carry a step out and write it into the history; False, and nothing, where it stands otherwise by now."""
    if not _move(tx, was, step.to, dict(step.values)):
        return False
    history.happened_to(tx, post, step.told, now=now, note=step.note, person=step.person)
    return True


def plan_look(tx: Transaction, was: FirstComment, *, looks: int, clean_looks: int, next_at: datetime | None) -> bool:
    """Write down that one in doubt was looked for, and when it is next."""
    values = {"looks": looks, "clean_looks": clean_looks, "next_at": next_at, "doubted_at": was.doubted_at}
    return _move(tx, was, was.state, values | {"reason": was.reason})


_CLEARED = {"worker": None, "lease_until": None, "next_at": None, "doubted_at": None}


def _move(tx: Transaction, was: FirstComment, to: CommentState, values: Mapping[str, Any]) -> bool:
    at = first_comments.c
    still = at.post_id == was.post_id, at.state == str(was.state), at.attempt == was.attempt, at.looks == was.looks
    moved = update(first_comments).where(*still).values(_CLEARED | {"state": str(to)} | dict(values))
    return tx.execute(moved).rowcount == 1

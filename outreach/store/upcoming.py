"""What the queue page asks: what needs a person, what goes out next, what went out last. Never more than a page of it.

Every question goes channel by channel, so that each is answered from the beginning of an index, however many posts wait.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, literal, select, text, tuple_

from outreach.model import BadInput, Post
from outreach.store.engine import Transaction
from outreach.store.posts import APPROVED, SELECT_POSTS, as_post
from outreach.store.schema import Instant, announcements, attempts, channels, communities, posts

LATEST_ATTEMPTS = 200
"""So far back in the attempts of a channel is looked for what went out last."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# In these words, which the partial indexes use.
_QUEUED = text("posts.state = 'queued'")
_PUBLISHING = text("posts.state = 'publishing'")
_OPEN_QUESTION = text("posts.state IN ('unconfirmed', 'held')")
_BAD_REST = text("posts.state IN ('failed', 'missed')")
_PLACE = tuple_(posts.c.due_at, posts.c.id)
_WENT_OUT = ("published", "held", "retracted")


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in an order by due time: where the next page goes on."""

    due_at: datetime
    post_id: int

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{(self.due_at - _EPOCH) // _MICROSECOND}-{self.post_id}"

    @classmethod
    def read(cls, words: str) -> "Mark":
        """Read what `str` wrote. Raises `BadInput`."""
        micros, _, post_id = words.partition("-")
        numbers = [part for part in (micros, post_id) if part.isascii() and part.isdecimal() and len(part) <= 18]
        try:
            first, second = map(int, numbers)
            return cls(_EPOCH + first * _MICROSECOND, second)
        except (ValueError, OverflowError):
            raise BadInput("There is no such page of the queue.", next_step="Begin at its first page.") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Some posts in their order, and where the next page begins after; None when these are the last."""

    posts: tuple[Post, ...]
    next: Mark | None


def queued(tx: Transaction, channel_ids: Collection[int], *, after: Mark | None = None, limit: int) -> Page:
    """Give queued posts, next due first, each with those of its announcement that are due at the same instant.

    Such posts come together, at the place of the first of them, and so on one page only.
    """
    marks: list[Mark] = []
    for channel_id in channel_ids:
        query = _due(channel_id, _QUEUED)
        if after is not None:
            query = query.where(_place(after) < _PLACE)
        marks += _marks(tx, query.order_by(posts.c.due_at, posts.c.id).limit(limit))
    marks = sorted(marks)[:limit]
    numbers = _announcements_of(tx, [mark.post_id for mark in marks])
    together: dict[tuple[int, datetime], list[Post]] = {}
    for post in _of_announcements(tx, numbers):
        if post.state == "queued" and post.channel_id in channel_ids:
            together.setdefault((post.announcement, post.due_at), []).append(post)
    firsts = {min(same, key=lambda post: post.id).id: same for same in together.values()}
    found = [post for mark in marks for post in firsts.get(mark.post_id, ())]
    return Page(tuple(found), marks[-1] if len(marks) == limit else None)


def in_flight(tx: Transaction, channel_ids: Collection[int]) -> list[Post]:
    """Give the posts that are being published right now: one for each channel at most."""
    query = SELECT_POSTS.where(_PUBLISHING, posts.c.channel_id.in_(channel_ids))
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id))]


def open_questions(tx: Transaction, channel_ids: Collection[int], *, limit: int) -> list[Post]:
    """Give the posts that are unconfirmed or held by a list, earliest first."""
    marks: list[Mark] = []
    for channel_id in channel_ids:
        query = _due(channel_id, _OPEN_QUESTION).order_by(posts.c.due_at, posts.c.id)
        marks += _marks(tx, query.limit(limit))
    return _posts(tx, sorted(marks)[:limit])


def at_a_bad_rest(tx: Transaction, channel_ids: Collection[int], *, before: Mark | None = None, limit: int) -> Page:
    """Give the posts that failed or were missed and that nobody decided about since, latest first."""
    marks: list[Mark] = []
    for channel_id in channel_ids:
        query = _due(channel_id, _BAD_REST)
        if before is not None:
            query = query.where(_place(before) > _PLACE)
        marks += _marks(tx, query.order_by(posts.c.due_at.desc(), posts.c.id.desc()).limit(limit))
    marks = sorted(marks, reverse=True)[:limit]
    return Page(tuple(_posts(tx, marks)), marks[-1] if len(marks) == limit else None)


def unapproved(tx: Transaction, channel_ids: Collection[int], *, until: datetime, limit: int) -> list[Post]:
    """Give the queued posts due by an instant that nobody approved as they are now, next due first."""
    found: list[Post] = []
    for channel_id in channel_ids:
        query = SELECT_POSTS.where(_QUEUED, posts.c.channel_id == channel_id, posts.c.due_at <= until, ~APPROVED)
        found += [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(limit))]
    return sorted(found, key=lambda post: (post.due_at, post.id))[:limit]


def went_out(tx: Transaction, channel_ids: Collection[int], *, limit: int) -> list[Post]:
    """Give the posts that went out last, latest try first."""
    tried: dict[int, datetime] = {}
    for channel_id in channel_ids:
        latest = (
            select(attempts.c.post_id, attempts.c.started_at)
            .where(attempts.c.channel_id == channel_id)
            .order_by(attempts.c.started_at.desc())
            .limit(LATEST_ATTEMPTS)
            .subquery()
        )
        query = (
            select(latest.c.post_id, latest.c.started_at)
            .join(posts, posts.c.id == latest.c.post_id)
            .where(posts.c.state.in_(_WENT_OUT))
            .order_by(latest.c.started_at.desc())
            .limit(limit)
        )
        for post_id, at in tx.execute(query):
            tried[post_id] = max(at, tried.get(post_id, at))
    latest_first = sorted(tried, key=lambda post_id: (tried[post_id], post_id), reverse=True)[:limit]
    return _in_order(tx, latest_first)


def requires_approval(tx: Transaction, community_id: int) -> bool:
    """Tell whether the community asks for an approval of what goes out."""
    return tx.execute(select(communities.c.approval).where(communities.c.id == community_id)).scalar() == "required"


def _place(mark: Mark) -> Any:
    return tuple_(literal(mark.due_at, Instant()), literal(mark.post_id))


def _due(channel_id: int, in_state: Any) -> Select[Any]:
    return select(posts.c.due_at, posts.c.id).where(in_state, posts.c.channel_id == channel_id)


def _marks(tx: Transaction, query: Select[Any]) -> list[Mark]:
    return [Mark(*row) for row in tx.execute(query)]


def _posts(tx: Transaction, marks: Iterable[Mark]) -> list[Post]:
    return _in_order(tx, [mark.post_id for mark in marks])


def _in_order(tx: Transaction, ids: Sequence[int]) -> list[Post]:
    if not ids:
        return []
    found = {row[0]: as_post(row) for row in tx.execute(SELECT_POSTS.where(posts.c.id.in_(ids)))}
    return [found[post_id] for post_id in ids if post_id in found]


def _announcements_of(tx: Transaction, ids: Sequence[int]) -> list[int]:
    if not ids:
        return []
    return list(tx.execute(select(posts.c.announcement_id).where(posts.c.id.in_(ids)).distinct()).scalars())


def _of_announcements(tx: Transaction, numbers: Sequence[int]) -> list[Post]:
    if not numbers:
        return []
    query = SELECT_POSTS.where(announcements.c.id.in_(numbers)).order_by(channels.c.id, posts.c.occurrence)
    return [as_post(row) for row in tx.execute(query)]

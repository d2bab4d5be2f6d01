"""Posts in the order they are due, in lanes: one for each channel and group of states, each read from its own index.

A question goes lane by lane, as far as what it gives may reach, so that it is answered from the beginning of an index,
however many posts there are.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import literal, select, text, tuple_

from outreach.model import BadInput, Post
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import Instant, posts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# In these words, which the partial indexes use.
QUEUED = text("posts.state = 'queued'")
PUBLISHING = text("posts.state = 'publishing'")
OPEN_QUESTION = text("posts.state IN ('unconfirmed', 'held')")
BAD_REST = text("posts.state IN ('failed', 'missed')")
MISSED = text("posts.state IN ('failed', 'missed') AND posts.state = 'missed'")
GONE = text("posts.state IN ('published', 'retracted')")
_PLACE = tuple_(posts.c.due_at, posts.c.id)


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
class Stretch:
    """The part of a lane that is asked for: `start` is in it, `end`, `after` and `before` are not."""

    start: datetime | None = None
    end: datetime | None = None
    after: Mark | None = None
    before: Mark | None = None


def earliest(
    tx: Transaction, channel_ids: Collection[int], groups: Iterable[Any], stretch: Stretch | None = None, *, limit: int
) -> list[Mark]:
    """Give the first marks of a stretch in the order they are due, over all these lanes."""
    return sorted(_of_lanes(tx, channel_ids, groups, stretch, limit=limit))[:limit]


def latest(
    tx: Transaction, channel_ids: Collection[int], groups: Iterable[Any], stretch: Stretch | None = None, *, limit: int
) -> list[Mark]:
    """Give the last marks of a stretch, latest first, over all these lanes."""
    return sorted(_of_lanes(tx, channel_ids, groups, stretch, limit=limit, backwards=True), reverse=True)[:limit]


def posts_at(tx: Transaction, marks: Iterable[Mark]) -> list[Post]:
    """Give the posts at these marks, in their order."""
    return in_order(tx, [mark.post_id for mark in marks])


def in_order(tx: Transaction, ids: Sequence[int]) -> list[Post]:
    """Give the posts with these ids, in this order; an id that is no post's is left out."""
    if not ids:
        return []
    found = {row[0]: as_post(row) for row in tx.execute(SELECT_POSTS.where(posts.c.id.in_(ids)))}
    return [found[post_id] for post_id in ids if post_id in found]


def _of_lanes(
    tx: Transaction,
    channel_ids: Collection[int],
    groups: Iterable[Any],
    stretch: Stretch | None,
    *,
    limit: int,
    backwards: bool = False,
) -> list[Mark]:
    order = [posts.c.due_at.desc(), posts.c.id.desc()] if backwards else [posts.c.due_at, posts.c.id]
    asked = select(posts.c.due_at, posts.c.id).where(*_within(stretch or Stretch())).order_by(*order).limit(limit)
    found: list[Mark] = []
    for group in groups:
        for channel_id in channel_ids:
            found += [Mark(*row) for row in tx.execute(asked.where(group, posts.c.channel_id == channel_id))]
    return found


def _within(stretch: Stretch) -> list[Any]:
    conditions: list[Any] = []
    if stretch.start is not None:
        conditions.append(posts.c.due_at >= stretch.start)
    if stretch.end is not None:
        conditions.append(posts.c.due_at < stretch.end)
    if stretch.after is not None:
        conditions.append(_place(stretch.after) < _PLACE)
    if stretch.before is not None:
        conditions.append(_place(stretch.before) > _PLACE)
    return conditions


def _place(mark: Mark) -> Any:
    return tuple_(literal(mark.due_at, Instant()), literal(mark.post_id))

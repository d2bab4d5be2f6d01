"""Posts in the order they are due, in lanes: one for each channel and group of states, each read from its own index.

A question goes lane by lane, as far as what it gives may reach, so that it is answered from the beginning of an index,
however many posts there are.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import TextualSelect, bindparam, text

from outreach.model import BadInput, Post
from outreach.store.columns import Id, Instant
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import posts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# In these words, which the partial indexes use.
QUEUED = "posts.state = 'queued'"
PUBLISHING = "posts.state = 'publishing'"
OPEN_QUESTION = "posts.state IN ('unconfirmed', 'held')"
BAD_REST = "posts.state IN ('failed', 'missed')"
MISSED = "posts.state IN ('failed', 'missed') AND posts.state = 'missed'"
GONE = "posts.state IN ('published', 'retracted')"

_WITH_IDS = SELECT_POSTS.where(posts.c.id.in_(bindparam("ids", expanding=True)))


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
    tx: Transaction, channel_ids: Collection[int], groups: Sequence[str], stretch: Stretch | None = None, *, limit: int
) -> list[Mark]:
    """Give the first marks of a stretch in the order they are due, over all these lanes."""
    return sorted(_ask(tx, channel_ids, groups, stretch or Stretch(), limit, "ASC"))[:limit]


def latest(
    tx: Transaction, channel_ids: Collection[int], groups: Sequence[str], stretch: Stretch | None = None, *, limit: int
) -> list[Mark]:
    """Give the last marks of a stretch, latest first, over all these lanes."""
    return sorted(_ask(tx, channel_ids, groups, stretch or Stretch(), limit, "DESC"), reverse=True)[:limit]


def posts_at(tx: Transaction, marks: Iterable[Mark]) -> list[Post]:
    """Give the posts at these marks, in their order."""
    return in_order(tx, [mark.post_id for mark in marks])


def in_order(tx: Transaction, ids: Sequence[int]) -> list[Post]:
    """Give the posts with these ids, in this order; an id that is no post's is left out."""
    if not ids:
        return []
    found = {row[0]: as_post(row) for row in tx.execute(_WITH_IDS, {"ids": list(ids)}).all()}
    return [found[post_id] for post_id in ids if post_id in found]


def _ask(
    tx: Transaction, channel_ids: Collection[int], groups: Sequence[str], stretch: Stretch, limit: int, way: str
) -> list[Mark]:
    if not channel_ids:
        return []
    bounds: dict[str, Any] = {}
    for name in ("start", "end"):
        if (instant := getattr(stretch, name)) is not None:
            bounds[name] = instant
    for name in ("after", "before"):
        if (mark := getattr(stretch, name)) is not None:
            bounds |= {f"{name}_at": mark.due_at, f"{name}_id": mark.post_id}
    asked = _question(tuple(groups), len(channel_ids), tuple(bounds), way)
    of = {f"channel_{place}": channel_id for place, channel_id in enumerate(channel_ids)}
    return [Mark(*row) for row in tx.execute(asked, bounds | of | {"most": limit}).all()]


_WITHIN = {
    "start": "posts.due_at >= :start",
    "end": "posts.due_at < :end",
    "after_at": "(posts.due_at, posts.id) > (:after_at, :after_id)",
    "before_at": "(posts.due_at, posts.id) < (:before_at, :before_id)",
}


@lru_cache(64)
def _question(groups: tuple[str, ...], channels: int, bounds: tuple[str, ...], way: str) -> TextualSelect:
    """Ask all lanes at once, each up to the limit: one statement instead of dozens, since each costs more than its answer."""
    within = "".join(f" AND {_WITHIN[name]}" for name in bounds if name in _WITHIN)
    lanes = [  # of our own words alone: what is looked for is bound
        f"SELECT due_at, id FROM (SELECT posts.due_at, posts.id FROM posts WHERE {group}"  # noqa: S608
        f" AND posts.channel_id = :channel_{place}{within}"
        f" ORDER BY posts.due_at {way}, posts.id {way} LIMIT :most) AS lane_{number}_{place}"
        for number, group in enumerate(groups)
        for place in range(channels)
    ]
    instants = [bindparam(name, type_=Instant()) for name in bounds if not name.endswith("_id")]
    return text(" UNION ALL ".join(lanes)).bindparams(*instants).columns(due_at=Instant(), id=Id)

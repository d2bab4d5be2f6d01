"""What is planned on each of some days, for the calendar: the first of each day, and how many more there are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import TextualSelect, bindparam, select, text

from outreach.model import Post
from outreach.store import channels
from outreach.store.columns import Id, Instant
from outreach.store.engine import Transaction
from outreach.store.lanes import (
    BAD_REST,
    GONE,
    OPEN_QUESTION,
    PUBLISHING,
    QUEUED,
    Mark,
    Stretch,
    earliest,
    in_order,
    posts_at,
)
from outreach.store.schema import posts

_SHOWN = (QUEUED, PUBLISHING, OPEN_QUESTION, BAD_REST, GONE)
_AT_ONCE = 3
"""So many posts of one announcement are looked at for each that is shown: it may go to several channels at once."""


@dataclass(frozen=True, slots=True)
class Day:
    """The first posts that are due on a day, those of an announcement at one instant together, and how many are not here."""

    posts: tuple[tuple[Post, ...], ...]
    more: int


def between(tx: Transaction, community_id: int, start: datetime, end: datetime, *, limit: int) -> list[Post]:
    """Give at most so many posts that are due from `start` on and before `end`, next due first; those taken out are left out."""
    ids = [row.id for row in channels.of_community(tx, community_id)]
    return posts_at(tx, earliest(tx, ids, _SHOWN, Stretch(start=start, end=end), limit=limit))


def by_day(tx: Transaction, community_id: int, bounds: Sequence[datetime], *, most: int) -> list[Day]:
    """Give what is due from each bound on and before the next one: at most `most` of a day, next due first.

    Those taken out are left out.
    """
    ids = [row.id for row in channels.of_community(tx, community_id)]
    found: dict[int, list[tuple[Mark, int]]] = defaultdict(list)
    total: dict[int, int] = defaultdict(int)
    for day, due_at, post_id, announcement, of_group, counted in _first_of_each(tx, ids, bounds, most):
        found[day].append((Mark(due_at, post_id), announcement))
        total[day] += counted if of_group == 1 else 0
    together = {day: _together(marks)[:most] for day, marks in found.items()}
    rows = {post.id: post for post in in_order(tx, [n for day in together.values() for of in day for n in of])}
    return [_day([[rows[n] for n in of if n in rows] for of in together.get(day, ())], total[day])
            for day in range(len(bounds) - 1)]  # fmt: skip


def _together(marks: list[tuple[Mark, int]]) -> list[list[int]]:
    same: dict[tuple[datetime, int], list[int]] = defaultdict(list)
    for mark, announcement in sorted(marks):
        same[mark.due_at, announcement].append(mark.post_id)
    return list(same.values())


def _day(shown: list[list[Post]], total: int) -> Day:
    listed = tuple(tuple(of) for of in shown if of)
    return Day(listed, max(0, total - sum(map(len, listed))))


def _first_of_each(tx: Transaction, channel_ids: Sequence[int], bounds: Sequence[datetime], most: int) -> Sequence[Any]:
    if not channel_ids or len(bounds) < 2:
        return []
    given: dict[str, Any] = {"channels": list(channel_ids), "most": most * _AT_ONCE}
    for place, (start, end) in enumerate(pairwise(bounds)):
        given |= {f"start_{place}": start, f"end_{place}": end}
    return tx.execute(_question(len(bounds) - 1), given).all()


@lru_cache(8)
def _question(days: int) -> TextualSelect:
    """Ask for the first of each day in each group of states, and at the first of them how many there are in all."""
    named = ", ".join(f"({day}, CAST(:start_{day} AS bigint), CAST(:end_{day} AS bigint))" for day in range(days))
    groups = " UNION ALL ".join(
        "SELECT day, due_at, id, announcement_id, place, counted FROM ("  # noqa: S608 - of our own words alone
        "SELECT days.day, posts.due_at, posts.id, posts.announcement_id,"
        " row_number() OVER (PARTITION BY days.day ORDER BY posts.due_at, posts.id) AS place,"
        " count(*) OVER (PARTITION BY days.day) AS counted"
        f" FROM days CROSS JOIN posts WHERE {group} AND posts.channel_id IN :channels"
        f" AND posts.due_at >= days.start AND posts.due_at < days.until) AS group_{number} WHERE place <= :most"
        for number, group in enumerate(_SHOWN)
    )
    instants = [bindparam(f"{name}_{day}", type_=Instant()) for day in range(days) for name in ("start", "end")]
    asked = text(f"WITH days(day, start, until) AS (VALUES {named}) {groups}")
    return asked.bindparams(bindparam("channels", expanding=True), *instants).columns(due_at=Instant(), id=Id)


def open_announcements(tx: Transaction, community_id: int, *, limit: int) -> list[int]:
    """Give the announcements of the posts that go out next, at most so many posts, each announcement once."""
    ids = [row.id for row in channels.of_community(tx, community_id)]
    coming = [mark.post_id for mark in earliest(tx, ids, [QUEUED], limit=limit)]
    found = tx.execute(select(posts.c.id, posts.c.announcement_id).where(posts.c.id.in_(coming)))
    of = {row.id: row.announcement_id for row in found}
    return list(dict.fromkeys(of[post_id] for post_id in coming if post_id in of))

"""What waits for an approval: queued posts that nobody approved as they are now, found by an index of just those.

Each question goes channel by channel and is limited, so that its cost does not grow with what is queued.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, bindparam, func, or_, select, text

from outreach.model import Move, Post
from outreach.store import moves, notices
from outreach.store.announcements import IS_LATEST
from outreach.store.engine import Transaction
from outreach.store.posts import APPROVED, SELECT_POSTS, as_post
from outreach.store.reviews import OF_A_COMMENT, Comment
from outreach.store.schema import announcements, channels, communities, people, posts, revisions
from outreach.store.schema_access import comments

Place: TypeAlias = tuple[datetime, int]
"""Where a post stands among what waits: its due time and its number."""

MOST = 200
COUNTED_TO = 100
_UNAPPROVED = text("posts.state = 'queued' AND posts.unapproved")  # in these words, which the partial index uses


@dataclass(frozen=True, slots=True)
class Waiting:
    """An announcement that waits: who wrote what it says now, its posts that wait, and the latest wish for changes."""

    announcement: int
    title: str
    revision: int
    revised_at: datetime
    written_by: str | None
    posts: tuple[Post, ...]
    asked: Comment | None = None
    author_id: int | None = None

    @property
    def due_at(self) -> datetime:
        """When the first of it is due."""
        return self.posts[0].due_at

    @property
    def is_back_with_its_author(self) -> bool:
        """Tell whether changes were asked for in what it says now."""
        return self.asked is not None and self.asked.revision == self.revision


def is_asked_for(tx: Transaction, community_id: int) -> bool:
    """Tell whether the community asks for approvals right now."""
    query = select(communities.c.approval).where(communities.c.id == community_id)
    return bool(tx.execute(query).scalar_one() == "required")


def first(tx: Transaction, community_id: int, *, after: Place | None = None, limit: int = MOST) -> list[Post]:
    """Give posts that wait, next due first, beyond `after` (a due time and the number of a post); at most `limit`."""
    found: list[Post] = []
    for channel_id in _channels_that_ask(tx, community_id):
        query = SELECT_POSTS.where(_UNAPPROVED, posts.c.channel_id == channel_id, ~APPROVED)
        if after is not None:
            at, number = after
            query = query.where(posts.c.due_at >= at, or_(posts.c.due_at > at, posts.c.id > number))
        found += [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(limit))]
    return sorted(found, key=place)[:limit]


def place(post: Post) -> Place:
    """Give the place of a post in the order of what waits."""
    return post.due_at, post.id


def _channels_that_ask(tx: Transaction, community_id: int) -> list[int]:
    return list(tx.execute(_THAT_ASK, {"community": community_id}).scalars())


_THAT_ASK = (
    select(channels.c.id)
    .join(communities, communities.c.id == channels.c.community_id)
    .where(communities.c.id == bindparam("community"), communities.c.approval == "required")
)


def count(tx: Transaction, community_id: int, *, but_of: str) -> int:
    """Count the announcements that wait and that this person did not write; it counts no further than a hundred posts."""
    numbers: set[int] = set()
    for channel_id in _channels_that_ask(tx, community_id):
        query = select(posts.c.announcement_id).where(_UNAPPROVED, posts.c.channel_id == channel_id)
        numbers |= set(tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(COUNTED_TO)).scalars())
    if not numbers:
        return 0
    own = (
        select(func.count())
        .select_from(announcements)
        .join(revisions, IS_LATEST)
        .outerjoin(people, people.c.id == revisions.c.person_id)
        .where(announcements.c.id.in_(numbers), func.lower(func.coalesce(people.c.email, "")) != but_of.lower())
    )
    return int(tx.execute(own).scalar_one())


def of(tx: Transaction, found: Sequence[Post]) -> list[Waiting]:
    """Give the announcements of posts that wait, in the order of those; each with all of its posts that wait."""
    numbers = list(dict.fromkeys(post.announcement for post in found))
    if not numbers:
        return []
    query = SELECT_POSTS.where(posts.c.announcement_id.in_(numbers), _UNAPPROVED, ~APPROVED)
    by_number: dict[int, list[Post]] = {number: [] for number in numbers}
    for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id)):
        by_number[(post := as_post(row)).announcement].append(post)
    wishes = _latest_wishes(tx, numbers)
    written = {row[0]: row for row in tx.execute(_written(numbers))}
    return [
        Waiting(*written[number][:5], tuple(by_number[number]), wishes.get(number), written[number][5])  # type: ignore[call-arg]
        for number in numbers
        if by_number[number]
    ]


def _written(numbers: Collection[int]) -> Select[Any]:
    return (
        select(
            announcements.c.id,
            announcements.c.title,
            announcements.c.revision,
            revisions.c.at,
            people.c.email,
            people.c.id,
        )
        .join(revisions, IS_LATEST)
        .outerjoin(people, people.c.id == revisions.c.person_id)
        .where(announcements.c.id.in_(numbers))
    )


def _latest_wishes(tx: Transaction, numbers: Collection[int]) -> dict[int, Comment]:
    latest = (
        select(func.max(comments.c.id))
        .where(comments.c.announcement_id.in_(numbers), comments.c.asks_for_changes)
        .group_by(comments.c.announcement_id)
    )
    query = (
        select(comments.c.announcement_id, *OF_A_COMMENT)
        .join(people, people.c.id == comments.c.person_id)
        .where(comments.c.id.in_(latest.scalar_subquery()))
    )
    return {row[0]: Comment(*row[1:]) for row in tx.execute(query)}


# What nobody approved in time

# As a value for each post, not as a table to begin with: so each database starts from the index of what waits.
_REVISED_AT = select(revisions.c.at).where(IS_LATEST).correlate(announcements).scalar_subquery()
# What was wanted at once, and what a person sent again, waits for its approval until its grace is over.
_IS_OVER = (posts.c.due_at == posts.c.planned_at) & (posts.c.planned_at > _REVISED_AT)


def over(tx: Transaction, now: datetime, *, number: int | None = None, most: int = 1000) -> list[Post]:
    """Give the posts that came due unapproved; of one announcement, or of all communities that ask for approval."""
    ask = select(channels.c.id).join(communities, communities.c.id == channels.c.community_id)
    found: list[Post] = []
    for channel_id in tx.execute(ask.where(communities.c.approval == "required")).scalars().all():
        query = (
            SELECT_POSTS.where(_UNAPPROVED, posts.c.channel_id == channel_id, ~APPROVED)
            .where(posts.c.due_at <= now, _IS_OVER)
            .order_by(posts.c.due_at, posts.c.id)
        )
        if number is not None:
            query = query.where(posts.c.announcement_id == number)
        found += [as_post(row) for row in tx.execute(query.limit(most))]
    return found


def keep_from_changing(tx: Transaction, number: int) -> None:
    """Let nobody approve or edit an announcement before this transaction ends. On SQLite there is one writer anyway."""
    tx.execute(select(announcements.c.id).where(announcements.c.id == number).with_for_update())


NOBODY_DID = "Nobody approved it in time."


def give_up(tx: Transaction, post: Post, now: datetime) -> None:
    """Let a post be missed for want of an approval; who wrote it and who could have approved it will be told.

    Raises `IllegalMove` when it is not queued any more.
    """
    change = moves.Change(post.id, post.attempt, Move.MISS, now, NOBODY_DID, values={"reason": NOBODY_DID})
    moves.apply(tx, [change])
    notices.owe_missed(tx, post, now)

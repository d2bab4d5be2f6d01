"""What the queue page asks: what needs a person, what goes out next, what went out last. Never more than a page of it.

Every question goes channel by channel, so that each is answered from the beginning of an index, however many posts wait.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, text

from outreach.model import Post
from outreach.store.engine import Transaction
from outreach.store.lanes import (
    BAD_REST,
    OPEN_QUESTION,
    PUBLISHING,
    QUEUED,
    Mark,
    Stretch,
    earliest,
    in_order,
    latest,
    posts_at,
)
from outreach.store.posts import APPROVED, SELECT_POSTS, as_post
from outreach.store.schema import announcements, attempts, channels, communities, posts

LATEST_ATTEMPTS = 200
"""So far back in the attempts of a channel is looked for what went out last."""

# Built once, as to build it costs more than its answer.
_TRIES = (
    select(attempts.c.post_id, attempts.c.started_at)
    .where(attempts.c.channel_id == bindparam("channel"))
    .order_by(attempts.c.started_at.desc())
    .limit(LATEST_ATTEMPTS)
    .subquery()
)
_LATEST_TRIES = (
    select(_TRIES.c.post_id, _TRIES.c.started_at)
    .join(posts, posts.c.id == _TRIES.c.post_id)
    .where(posts.c.state.in_(("published", "held", "retracted")))
    .order_by(_TRIES.c.started_at.desc())
    .limit(bindparam("most"))
)
_OF_THESE = SELECT_POSTS.where(text(PUBLISHING), posts.c.channel_id.in_(bindparam("channels", expanding=True)))
_IN_FLIGHT = _OF_THESE.order_by(posts.c.due_at, posts.c.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Some posts in their order, and where the next page begins after; None when these are the last."""

    posts: tuple[Post, ...]
    next: Mark | None


def queued(tx: Transaction, channel_ids: Collection[int], *, after: Mark | None = None, limit: int) -> Page:
    """Give queued posts, next due first, each with those of its announcement that are due at the same instant.

    Such posts come together, at the place of the first of them, and so on one page only.
    """
    marks = earliest(tx, channel_ids, [QUEUED], Stretch(after=after), limit=limit)
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
    return [as_post(row) for row in tx.execute(_IN_FLIGHT, {"channels": list(channel_ids)})]


def open_questions(tx: Transaction, channel_ids: Collection[int], *, limit: int) -> list[Post]:
    """Give the posts that are unconfirmed or held by a list, earliest first."""
    return posts_at(tx, earliest(tx, channel_ids, [OPEN_QUESTION], limit=limit))


def at_a_bad_rest(tx: Transaction, channel_ids: Collection[int], *, before: Mark | None = None, limit: int) -> Page:
    """Give the posts that failed or were missed and that nobody decided about since, latest first."""
    marks = latest(tx, channel_ids, [BAD_REST], Stretch(before=before), limit=limit)
    return Page(tuple(posts_at(tx, marks)), marks[-1] if len(marks) == limit else None)


def unapproved(tx: Transaction, channel_ids: Collection[int], *, until: datetime, limit: int) -> list[Post]:
    """Give the queued posts due by an instant that nobody approved as they are now, next due first."""
    found: list[Post] = []
    for channel_id in channel_ids:
        query = SELECT_POSTS.where(text(QUEUED), posts.c.channel_id == channel_id, posts.c.due_at <= until, ~APPROVED)
        found += [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(limit))]
    return sorted(found, key=lambda post: (post.due_at, post.id))[:limit]


def went_out(tx: Transaction, channel_ids: Collection[int], *, limit: int) -> list[Post]:
    """Give the posts that went out last, latest try first."""
    tried: dict[int, datetime] = {}
    for channel_id in channel_ids:
        for post_id, at in tx.execute(_LATEST_TRIES, {"channel": channel_id, "most": limit}).all():
            tried[post_id] = max(at, tried.get(post_id, at))
    latest_first = sorted(tried, key=lambda post_id: (tried[post_id], post_id), reverse=True)[:limit]
    return in_order(tx, latest_first)


def requires_approval(tx: Transaction, community_id: int) -> bool:
    """Tell whether the community asks for an approval of what goes out."""
    return tx.execute(select(communities.c.approval).where(communities.c.id == community_id)).scalar() == "required"


def _announcements_of(tx: Transaction, ids: Sequence[int]) -> list[int]:
    if not ids:
        return []
    return list(tx.execute(select(posts.c.announcement_id).where(posts.c.id.in_(ids)).distinct()).scalars())


def _of_announcements(tx: Transaction, numbers: Sequence[int]) -> list[Post]:
    if not numbers:
        return []
    query = SELECT_POSTS.where(announcements.c.id.in_(numbers)).order_by(channels.c.id, posts.c.occurrence)
    return [as_post(row) for row in tx.execute(query)]

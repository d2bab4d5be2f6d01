"""What is planned between two instants, for the calendar: bounded, and by indexes."""

from datetime import datetime

from sqlalchemy import select

from outreach.model import Post
from outreach.store import channels
from outreach.store.engine import Transaction
from outreach.store.lanes import BAD_REST, GONE, OPEN_QUESTION, PUBLISHING, QUEUED, Stretch, earliest, posts_at
from outreach.store.schema import posts

_SHOWN = (QUEUED, PUBLISHING, OPEN_QUESTION, BAD_REST, GONE)


def between(tx: Transaction, community_id: int, start: datetime, end: datetime, *, limit: int) -> list[Post]:
    """Give at most so many posts that are due from `start` on and before `end`, next due first; those taken out are left out."""
    ids = [row.id for row in channels.of_community(tx, community_id)]
    return posts_at(tx, earliest(tx, ids, _SHOWN, Stretch(start=start, end=end), limit=limit))


def open_announcements(tx: Transaction, community_id: int, *, limit: int) -> list[int]:
    """Give the announcements of the posts that go out next, at most so many posts, each announcement once."""
    ids = [row.id for row in channels.of_community(tx, community_id)]
    coming = [mark.post_id for mark in earliest(tx, ids, [QUEUED], limit=limit)]
    found = tx.execute(select(posts.c.id, posts.c.announcement_id).where(posts.c.id.in_(coming)))
    of = {row.id: row.announcement_id for row in found}
    return list(dict.fromkeys(of[post_id] for post_id in coming if post_id in of))

"""Slices of long lists of posts, for programs: each begins where the one before ended, however the list grew meanwhile."""

from datetime import datetime

from outreach.model import Post
from outreach.store import channels
from outreach.store.engine import Transaction
from outreach.store.lanes import MISSED, OPEN_QUESTION, PUBLISHING, QUEUED, Mark, Stretch, earliest, posts_at

Place = tuple[datetime, int]
"""Where a slice ended: when its last post was due, and that one's id."""

_OPEN = (QUEUED, PUBLISHING, OPEN_QUESTION, MISSED)


def open_after(tx: Transaction, community_id: int, after: Place | None, *, most: int) -> list[Post]:
    """Give the posts of a community that are not at rest or need a person, next due first, those after a place."""
    ids = [row.id for row in channels.of_community(tx, community_id)]
    beyond = Stretch(after=Mark(*after) if after else None)
    return posts_at(tx, earliest(tx, ids, _OPEN, beyond, limit=most))

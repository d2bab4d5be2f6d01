"""Slices of long lists of posts, for programs: each begins where the one before ended, however the list grew meanwhile."""

from datetime import datetime

from sqlalchemy import and_, or_

from outreach.lifecycle import OPEN
from outreach.model import Post
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import announcements, posts

Place = tuple[datetime, int]
"""Where a slice ended: when its last post was due, and that one's id."""


def open_after(tx: Transaction, community_id: int, after: Place | None, *, most: int) -> list[Post]:
    """Give the posts of a community that are not at rest or need a person, next due first, those after a place."""
    query = SELECT_POSTS.where(posts.c.state.in_([str(state) for state in sorted(OPEN)]))
    query = query.where(announcements.c.community_id == community_id)
    if after is not None:
        query = query.where(or_(posts.c.due_at > after[0], and_(posts.c.due_at == after[0], posts.c.id > after[1])))
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(most))]

"""Slices of long lists of posts, for programs: each begins where the one before ended, however the list grew meanwhile."""

from datetime import datetime

from sqlalchemy import and_, or_, tuple_

from outreach.lifecycle import OPEN
from outreach.model import Post
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, HistoryFilter, as_post
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


def rested_before(tx: Transaction, community_id: int, filters: HistoryFilter, before: Place | None) -> list[Post]:
    """Give the posts of a community that were attempted or came to rest, latest due first, those before a place."""
    query = SELECT_POSTS.where(*filters.conditions(), announcements.c.community_id == community_id)
    if before is not None:
        query = query.where(tuple_(posts.c.due_at, posts.c.id) < before)
    query = query.order_by(posts.c.due_at.desc(), posts.c.id.desc())
    return [as_post(row) for row in tx.execute(query.limit(filters.limit))]

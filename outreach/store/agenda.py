"""What is planned between two instants, for the calendar: bounded, and by an index."""

from datetime import datetime

from sqlalchemy import select, text

from outreach.model import Post
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import channels, posts


def between(tx: Transaction, community_id: int, start: datetime, end: datetime, *, limit: int) -> list[Post]:
    """Give at most so many posts that are due from `start` on and before `end`, next due first; those taken out are left out."""
    query = SELECT_POSTS.where(posts.c.due_at >= start, posts.c.due_at < end, channels.c.community_id == community_id)
    query = query.where(posts.c.state.not_in(("cancelled",))).order_by(posts.c.due_at, posts.c.id)
    return [as_post(row) for row in tx.execute(query.limit(limit))]


def open_announcements(tx: Transaction, community_id: int, *, limit: int) -> list[int]:
    """Give the announcements whose posts go out next, each once."""
    query = (
        select(posts.c.announcement_id)
        .join(channels, channels.c.id == posts.c.channel_id)
        .where(text("posts.state = 'queued'"), channels.c.community_id == community_id)
        .order_by(posts.c.due_at)
        .limit(limit)
    )
    return list(dict.fromkeys(tx.execute(query).scalars()))

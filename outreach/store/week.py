"""What a weekly look at an install needs: what went out lately, what is planned, what waits for a list's moderator."""

from datetime import datetime

from sqlalchemy import select, text

from outreach.model import Post
from outreach.store import channels
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import attempts, posts

MOST = 500


def went_out(tx: Transaction, since: datetime) -> list[Post]:
    """Give the posts that are out and were sent since an instant, in the order of their planned times."""
    ids = [channel.id for channel in channels.every(tx)]
    sent = select(attempts.c.post_id).where(attempts.c.channel_id.in_(ids), attempts.c.started_at >= since)
    query = SELECT_POSTS.where(posts.c.id.in_(sent), posts.c.state.in_(["published", "held"]))
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.planned_at, posts.c.id).limit(MOST))]


def planned(tx: Transaction, until: datetime) -> list[Post]:
    """Give the posts that fall due by then, next due first."""
    ids = [channel.id for channel in channels.every(tx)]
    query = SELECT_POSTS.where(text("posts.state = 'queued'"), posts.c.channel_id.in_(ids), posts.c.due_at <= until)
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(MOST))]


def held(tx: Transaction) -> list[Post]:
    """Give the posts that wait for a list's moderator."""
    query = SELECT_POSTS.where(posts.c.state == "held").order_by(posts.c.planned_at, posts.c.id)
    return [as_post(row) for row in tx.execute(query.limit(MOST))]

"""What else goes out on a channel: the latest that went out, and what waits around an instant. Few rows, by index alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text

from outreach.advice import Neighbour
from outreach.model import State, post_name
from outreach.store.engine import Transaction
from outreach.store.schema import announcements, attempts, channels, contents, posts

MOST = 40
_MOST_CHARS = 20_000
_OUT = [str(s) for s in (State.PUBLISHED, State.HELD, State.UNCONFIRMED, State.PUBLISHING)]


def of_channel(
    tx: Transaction, channel_id: int, *, around: datetime, but: int | None, most: int = MOST
) -> list[Neighbour]:
    """Give what went out on a channel last, and what is queued there next before and after an instant, `most` of each.

    The posts of the announcement `but` are left out: nobody is their own neighbour.
    """
    found = {row.id: _neighbour(row, is_out=True) for row in tx.execute(_latest(channel_id, most)) if row.number != but}
    waiting = _queued(channel_id)
    after = waiting.where(posts.c.due_at >= around).order_by(posts.c.due_at, posts.c.id).limit(most)
    before = waiting.where(posts.c.due_at < around).order_by(posts.c.due_at.desc(), posts.c.id.desc()).limit(most)
    for query in (after, before):
        found |= {row.id: _neighbour(row, is_out=False) for row in tx.execute(query) if row.number != but}
    return list(found.values())


def _columns(at: Any) -> Select[Any]:
    words = func.substr(contents.c.text, 1, _MOST_CHARS)
    shown = (posts.c.announcement_id.label("number"), channels.c.name.label("channel"), posts.c.occurrence)
    return select(posts.c.id, *shown, announcements.c.title, at.label("at"), words.label("words"))


def _with_words(query: Select[Any]) -> Select[Any]:
    return (
        query.join(announcements, announcements.c.id == posts.c.announcement_id)
        .join(channels, channels.c.id == posts.c.channel_id)
        .join(contents, (contents.c.post_id == posts.c.id) & (contents.c.sha256 == posts.c.content_sha256))
    )


def _latest(channel_id: int, most: int) -> Select[Any]:
    tried = (
        select(attempts.c.post_id, attempts.c.started_at)
        .where(attempts.c.channel_id == channel_id)
        .order_by(attempts.c.started_at.desc())
        .limit(most)
        .subquery("tried")
    )
    query = _columns(tried.c.started_at).select_from(tried).join(posts, posts.c.id == tried.c.post_id)
    return _with_words(query).where(posts.c.state.in_(_OUT)).order_by(tried.c.started_at)


def _queued(channel_id: int) -> Select[Any]:
    query = _with_words(_columns(posts.c.due_at).select_from(posts))
    return query.where(posts.c.channel_id == channel_id, text("posts.state = 'queued'"))


def _neighbour(row: Any, *, is_out: bool) -> Neighbour:
    said = row.words if row.words.startswith(row.title) else f"{row.title}\n\n{row.words}"
    return Neighbour(post_name(row.number, row.channel, row.occurrence), row.title, row.at, said, is_out)

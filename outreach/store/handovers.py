"""Posts given to a channel's own scheduler: written down before they are, so that nothing publishes them beside it.

A post has either this row, with `posts.handed_over` set, or may be claimed by a worker; never both. Only `begin` sets the
flag, in a row that nobody else is changing, and only what ends the hand-over takes it away.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, text, update

from outreach.model import Post
from outreach.store import safety
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import APPROVED, SELECT_POSTS, as_post
from outreach.store.schema import channels, posts
from outreach.store.schema_handovers import handovers

_USED = "channels that were given posts ahead"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Handover:
    """What was given for a post, and what is known of it there. `state`: giving, given, doubtful or refused."""

    post_id: int
    state: str
    content_sha256: str
    due_at: datetime
    at: datetime
    remote_id: str | None
    looks: int
    looked_at: datetime | None


_COLUMNS = (
    handovers.c.post_id,
    handovers.c.state,
    handovers.c.content_sha256,
    handovers.c.due_at,
    handovers.c.at,
    handovers.c.remote_id,
    handovers.c.looks,
    handovers.c.looked_at,
)
_IS_OPEN = handovers.c.state != "refused"


def to_give(
    tx: Transaction, channel_ids: Collection[int], *, since: datetime, until: datetime, now: datetime
) -> list[Post]:
    """Give the posts that may be handed over: due in a span of time, let out by everybody, never tried in doubt."""
    if safety.current(tx) is not None:
        return []
    refused = select(handovers.c.post_id).where(
        handovers.c.post_id == posts.c.id,
        handovers.c.content_sha256 == posts.c.content_sha256,
        or_(handovers.c.again_at.is_(None), handovers.c.again_at > now),
    )
    query = SELECT_POSTS.where(
        text("posts.state = 'queued'"),
        posts.c.channel_id.in_(channel_ids),
        posts.c.due_at >= since,
        posts.c.due_at <= until,
        posts.c.handed_over.is_(False),
        posts.c.paused.is_(False),
        posts.c.doubtful_since.is_(None),
        channels.c.state == "ready",
        APPROVED,
        ~refused.exists(),
    )
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(_MOST))]


def begin(tx: Transaction, post: Post, *, now: datetime) -> bool:
    """Write down that this very post is about to be given; False where it is not as it was, or must not be."""
    still = (posts.c.id == post.id, posts.c.attempt == post.attempt, posts.c.content_sha256 == post.content_sha256)
    free = (text("state = 'queued'"), posts.c.handed_over.is_(False), posts.c.paused.is_(False))
    on_time = posts.c.due_at == post.due_at
    if tx.execute(update(posts).where(*still, *free, on_time).values(handed_over=True)).rowcount != 1:
        return False
    tx.execute(delete(handovers).where(handovers.c.post_id == post.id))
    _write(tx, post, "giving", now)
    safety.remember(tx, _USED, "yes")
    return True


def _write(tx: Transaction, post: Post, state: str, now: datetime) -> None:
    row = {"post_id": post.id, "state": state, "content_sha256": post.content_sha256, "due_at": post.due_at, "at": now}
    insert_once(tx, handovers, row)


def may_go_on(tx: Transaction, post_id: int) -> bool:
    """Tell whether what is being given may still be: nobody stopped it, or everything, since."""
    query = select(posts.c.id).join(channels, channels.c.id == posts.c.channel_id)
    query = query.where(posts.c.id == post_id, posts.c.handed_over, posts.c.paused.is_(False))
    return safety.current(tx) is None and tx.execute(query.where(channels.c.state == "ready")).first() is not None


def set_given(tx: Transaction, post_id: int, remote_id: str, *, note: str) -> bool:
    """Write down what the channel calls it; False where the hand-over was ended meanwhile."""
    values = {"state": "given", "remote_id": remote_id, "looks": 0, "looked_at": None}
    open_ = handovers.c.post_id == post_id, handovers.c.state.in_(("giving", "doubtful"))
    if tx.execute(update(handovers).where(*open_).values(**values)).rowcount != 1:
        return False
    tx.execute(update(posts).where(posts.c.id == post_id).values(reason=note))
    return True


def set_doubtful(tx: Transaction, post_id: int) -> None:
    """Write down that it may be there or not."""
    wanted = update(handovers).where(handovers.c.post_id == post_id, handovers.c.state == "giving")
    tx.execute(wanted.values(state="doubtful"))


def count_a_look(tx: Transaction, post_id: int, *, now: datetime, is_clean: bool) -> None:
    """Write down that it was looked for; a clean look got the whole list and did not find it."""
    values = {"looked_at": now} | ({"looks": handovers.c.looks + 1} if is_clean else {})
    tx.execute(update(handovers).where(handovers.c.post_id == post_id).values(**values))


def end(tx: Transaction, post_id: int) -> None:
    """Give the post back to the queue: it is certain that the channel does not have it."""
    tx.execute(delete(handovers).where(handovers.c.post_id == post_id))
    tx.execute(update(posts).where(posts.c.id == post_id).values(handed_over=False, reason=None))


def wait(tx: Transaction, post: Post, *, now: datetime, again_at: datetime) -> None:
    """Do not hand over before an instant what was taken back: somebody may be about to change it."""
    _write(tx, post, "refused", now)
    tx.execute(update(handovers).where(handovers.c.post_id == post.id).values(again_at=again_at))


def refuse(tx: Transaction, post_id: int, *, again_at: datetime | None) -> None:
    """Give it back, and do not try it again before an instant; None: not until it says something else."""
    wanted = update(handovers).where(handovers.c.post_id == post_id)
    tx.execute(wanted.values(state="refused", again_at=again_at, remote_id=None))
    tx.execute(update(posts).where(posts.c.id == post_id).values(handed_over=False))


def of(tx: Transaction, post_id: int) -> Handover | None:
    """Give what stands of one post, if it is handed over."""
    row = tx.execute(select(*_COLUMNS).where(_IS_OPEN, handovers.c.post_id == post_id)).first()
    return Handover(*row) if row else None


def open_ones(tx: Transaction, channel_ids: Collection[int]) -> list[tuple[Handover, Post]]:
    """Give everything that is with the channels, or may be; next due first."""
    query = SELECT_POSTS.add_columns(*_COLUMNS).join(handovers, handovers.c.post_id == posts.c.id)
    query = query.where(_IS_OPEN, posts.c.channel_id.in_(channel_ids)).order_by(handovers.c.due_at)
    return [(Handover(*row[-len(_COLUMNS) :]), as_post(row)) for row in tx.execute(query)]


def doubt_all(tx: Transaction, *, now: datetime, until: datetime) -> int:
    """After a restore: whatever is due until an instant may have been given since the backup was made.

    Nothing is doubted where nothing was ever given ahead.
    """
    if safety.remembered(tx, _USED) is None:
        return 0
    query = SELECT_POSTS.where(text("posts.state = 'queued'"), posts.c.due_at <= until, posts.c.handed_over.is_(False))
    found = [as_post(row) for row in tx.execute(query.where(channels.c.kind == "facebook_page"))]
    for post in found:
        tx.execute(delete(handovers).where(handovers.c.post_id == post.id))
        _write(tx, post, "doubtful", now)
        tx.execute(update(posts).where(posts.c.id == post.id).values(handed_over=True))
    return len(found)

"""The hot path: take what is due, each post by one worker only; keep the lease; know when the next is due."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, insert, select, text, update

from outreach.model import Attempt, Move
from outreach.store.engine import Transaction
from outreach.store.posts import SELECT_POSTS, as_post, content_from
from outreach.store.schema import Instant, attempts, contents, events, posts

_DUE_ON_A_FREE_CHANNEL = """
    FROM channels c JOIN communities m ON m.id = c.community_id
    WHERE c.id IN :channels AND (c.state = 'ready' OR c.until <= :now)
      AND NOT EXISTS (SELECT 1 FROM posts f WHERE f.channel_id = c.id AND f.state = 'publishing')
"""
_MAY_GO = """
    FROM posts p JOIN announcements a ON a.id = p.announcement_id
    WHERE p.channel_id = c.id AND p.state = 'queued' AND p.miss_at > :now AND NOT p.paused
      AND (a.approved_revision = a.revision OR m.approval = 'off')
"""

# One statement, so that nothing comes between the look and the claim. On PostgreSQL the channels' rows are locked, and
# those that another worker just looks at are skipped; on SQLite the whole transaction is alone.
_CLAIM = f"""
    UPDATE posts SET state = 'publishing', attempt = attempt + 1, worker = :worker, lease_until = :lease_until
    WHERE state = 'queued' AND id IN (
        SELECT (SELECT p.id {_MAY_GO} AND p.due_at <= :now ORDER BY p.due_at, p.id LIMIT 1)
        {_DUE_ON_A_FREE_CHANNEL} ORDER BY c.id LIMIT :most %s
    )
    RETURNING id
"""  # noqa: S608 - no value of anybody's is in it
_CHANNELS: BindParameter[int] = bindparam("channels", expanding=True)
_NOW = bindparam("now", type_=Instant())
_LEASE = bindparam("lease_until", type_=Instant())
_CLAIMS = {
    True: text(_CLAIM % "").bindparams(_CHANNELS, _NOW, _LEASE),
    False: text(_CLAIM % "FOR UPDATE OF c SKIP LOCKED").bindparams(_CHANNELS, _NOW, _LEASE),
}
_NEXT_DUE = (
    text(
        f"SELECT min(due) AS due FROM (SELECT"  # noqa: S608 - no value of anybody's is in it
        f" (SELECT p.due_at {_MAY_GO} ORDER BY p.due_at, p.id LIMIT 1) AS due {_DUE_ON_A_FREE_CHANNEL}) AS soonest"
    )
    .bindparams(_CHANNELS, _NOW)
    .columns(due=Instant())
)

_CLAIMED = (
    SELECT_POSTS.add_columns(contents.c.text, contents.c.body)
    .join(contents, (contents.c.post_id == posts.c.id) & (contents.c.sha256 == posts.c.content_sha256))
    .where(posts.c.id.in_(bindparam("ids", expanding=True)))
)


def claim(
    tx: Transaction, *, worker: str, channels: Collection[int], now: datetime, lease: timedelta, most: int
) -> list[Attempt]:
    """Take at most `most` due posts, at most one for each of `channels` that has nothing in flight.

    Every one is moved to publishing and its attempt is written down in the caller's transaction: nothing of it may be
    sent before that has committed.
    """
    if not channels or most < 1:
        return []
    values = {"worker": worker, "lease_until": now + lease, "now": now, "channels": list(channels), "most": most}
    ids = tx.execute(_CLAIMS[tx.dialect.name == "sqlite"], values).scalars().all()
    if not ids:
        return []
    claimed = [_attempt(row, now) for row in tx.execute(_CLAIMED, {"ids": ids}).all()]
    _write_down(tx, claimed, worker)
    return sorted(claimed, key=lambda attempt: (attempt.post.due_at, attempt.post.id))


def _attempt(row: Sequence[object], now: datetime) -> Attempt:
    post = as_post(row)
    return Attempt(post, post.attempt, now, now, content_from(post.kind, row[-2], row[-1]))  # type: ignore[arg-type]


def _write_down(tx: Transaction, claimed: Sequence[Attempt], worker: str) -> None:
    tx.execute(
        insert(attempts),
        [
            {
                "post_id": a.post.id,
                "number": a.number,
                "worker": worker,
                "content_sha256": a.post.content_sha256,
                "started_at": a.started_at,
            }
            for a in claimed
        ],
    )
    tx.execute(
        insert(events),
        [
            {"at": a.started_at, "kind": str(Move.CLAIM), "post_id": a.post.id, "attempt": a.number, "note": None}
            for a in claimed
        ],
    )


def next_due(tx: Transaction, *, channels: Collection[int], now: datetime) -> datetime | None:
    """Say when the next post falls due that could be claimed: an instant already past means now."""
    if not channels:
        return None
    due: datetime | None = tx.execute(_NEXT_DUE, {"channels": list(channels), "now": now}).scalar()
    return due


def extend_leases(tx: Transaction, in_flight: Collection[tuple[int, int]], until: datetime) -> None:
    """Keep the lease of posts whose sending goes on, each as (post id, attempt). One that was lost is left lost."""
    if in_flight:
        rows = [{"post": post_id, "fence": attempt, "until": until} for post_id, attempt in in_flight]
        tx.execute(_EXTEND, rows)


_EXTEND = (
    update(posts)
    .where(posts.c.id == bindparam("post"), posts.c.attempt == bindparam("fence"), text("state = 'publishing'"))
    .values(lease_until=bindparam("until"))
)


def in_flight(tx: Transaction) -> list[tuple[int, int, str, datetime]]:
    """Give (post id, attempt, worker, end of the lease) of everything being published by anyone."""
    query = select(posts.c.id, posts.c.attempt, posts.c.worker, posts.c.lease_until)
    return [tuple(row) for row in tx.execute(query.where(text("state = 'publishing'")))]

"""The hot path: take what is due, each post by one worker only; keep the lease; know when the next is due."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert, select, text, update

from outreach.lifecycle import IllegalMove
from outreach.model import Attempt, Post
from outreach.store.engine import Transaction
from outreach.store.limits import LATE_BY
from outreach.store.posts import BODY, SELECT_POSTS, as_post, content_from
from outreach.store.prepared import Prepared
from outreach.store.schema import Instant, attempts, contents, posts

_FREE_CHANNEL = """
    FROM channels c JOIN communities m ON m.id = c.community_id
    WHERE c.id IN %(channels)s AND (c.state = 'ready' OR c.until <= :now)
      AND NOT EXISTS (SELECT 1 FROM meta s WHERE s.key = 'safe mode')
      AND NOT EXISTS (SELECT 1 FROM posts f WHERE f.channel_id = c.id AND f.state = 'publishing')
"""
_MAY_GO = """
    FROM posts p JOIN announcements a ON a.id = p.announcement_id
    WHERE p.channel_id = c.id AND p.state = 'queued' AND p.miss_at > :now AND NOT p.paused
      AND NOT p.handed_over
      AND (a.approved_revision = a.revision OR m.approval = 'off')
"""

# What is late by more than some minutes is a backlog: it waits for its space, and what is on time goes before it.
_HAS_SPACE = "(p.due_at >= :late OR c.spaced_until IS NULL OR c.spaced_until <= :now)"
_IS_OPEN = "AND (c.not_before IS NULL OR c.not_before <= :now)"

# One statement, so that nothing comes between the look and the claim. On PostgreSQL the channels' rows are locked, and
# those that another worker just looks at are skipped; on SQLite the whole transaction is alone.
_CLAIM = f"""
    UPDATE posts SET state = 'publishing', attempt = attempt + 1, worker = :worker, lease_until = :lease_until
    WHERE state = 'queued' AND NOT handed_over AND id IN (
        SELECT (SELECT p.id {_MAY_GO} AND p.due_at <= :now AND {_HAS_SPACE} ORDER BY p.due_at, p.id LIMIT 1)
        {_FREE_CHANNEL} {_IS_OPEN} %(limit)s %(lock)s
    )
    RETURNING id
"""  # noqa: S608 - no value of anybody's is in it
# Of what is on time the first, and of what is late any one: that goes when there is space for it.
_NEXT_DUE = f"""
    SELECT min(%(later)s(due, coalesce(not_before, 0))) AS due FROM (
        SELECT (SELECT p.due_at {_MAY_GO} AND p.due_at >= :late ORDER BY p.due_at, p.id LIMIT 1) AS due, c.not_before
        {_FREE_CHANNEL}
        UNION ALL
        SELECT (SELECT coalesce(c.spaced_until, p.due_at) {_MAY_GO} AND p.due_at < :late
                ORDER BY p.due_at, p.id LIMIT 1) AS due, c.not_before
        {_FREE_CHANNEL}
    ) AS soonest WHERE due IS NOT NULL
"""  # noqa: S608 - no value of anybody's is in it
# One value for any number of channels, so that the statement's text, and so its plan, stays the same.
_DIALECTS = {
    "sqlite": {"channels": "(SELECT value FROM json_each(:channels))", "lock": "", "later": "max"},
    "postgresql": {
        "channels": "(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:channels AS json)))",
        "lock": "FOR UPDATE OF c SKIP LOCKED",
        "later": "greatest",
    },
}
_NOW = bindparam("now", type_=Instant())
_LEASE = bindparam("lease_until", type_=Instant())
_LATE = bindparam("late", type_=Instant())
_LIMIT = f"AND EXISTS (SELECT 1 {_MAY_GO} AND p.due_at <= :now AND {_HAS_SPACE}) ORDER BY c.id LIMIT :most"
_CLAIMS = {  # with a second look, so that a channel with nothing due takes no place, only where places are short
    (name, is_short): Prepared(text(_CLAIM % (words | {"limit": limit})).bindparams(_NOW, _LATE, _LEASE))
    for name, words in _DIALECTS.items()
    for is_short, limit in ((False, ""), (True, _LIMIT))
}
_NEXT_DUES = {
    name: text(_NEXT_DUE % words).bindparams(_NOW, _LATE).columns(due=Instant()) for name, words in _DIALECTS.items()
}

_CLAIMED = (
    SELECT_POSTS.add_columns(contents.c.text, BODY)
    .outerjoin(contents, (contents.c.post_id == posts.c.id) & (contents.c.sha256 == posts.c.content_sha256))
    .where(text("posts.state = 'publishing'"), posts.c.worker == bindparam("worker"))
)
_OPEN = Prepared(insert(attempts), ("post_id", "number", "worker", "content_sha256", "started_at", "channel_id"))


def claim(
    tx: Transaction, *, worker: str, channels: Collection[int], now: datetime, lease: timedelta, most: int
) -> list[Attempt]:
    """Take at most `most` due posts, at most one for each of `channels` that has nothing in flight.

    Every one is moved to publishing and its attempt is written down in the caller's transaction: nothing of it may be
    sent before that has committed.
    """
    if not channels or most < 1:
        return []
    values = {"worker": worker, "lease_until": now + lease, "channels": _listed(channels), "most": most}
    values |= {"now": now, "late": now - LATE_BY}
    ids = {row[0] for row in _CLAIMS[tx.dialect.name, most < len(channels)].run(tx, values)}
    if not ids:
        return []
    rows = tx.execute(_CLAIMED, {"worker": worker}).all()
    claimed = [_attempt(row, now) for row in rows if row[0] in ids]
    _write_down(tx, claimed, worker)
    return sorted(claimed, key=lambda attempt: (attempt.post.due_at, attempt.post.id))


def _listed(channels: Collection[int]) -> str:
    return f"[{','.join(map(str, channels))}]"


def _attempt(row: Sequence[object], now: datetime) -> Attempt:
    post = as_post(row)
    return Attempt(post, post.attempt, now, post.doubtful_since or now, content_from(post.kind, row[-2], row[-1]))  # type: ignore[arg-type]


def _write_down(tx: Transaction, claimed: Sequence[Attempt], worker: str) -> None:
    """Open the attempts: these rows are also what the history has of the claims."""
    _OPEN.run_all(
        tx,
        [
            {
                "post_id": a.post.id,
                "number": a.number,
                "worker": worker,
                "content_sha256": a.post.content_sha256,
                "started_at": a.started_at,
                "channel_id": a.post.channel_id,
            }
            for a in claimed
        ],
    )


def next_due(tx: Transaction, *, channels: Collection[int], now: datetime) -> datetime | None:
    """Say when the next post falls due that could be claimed: an instant already past means now."""
    if not channels:
        return None
    due: datetime | None = tx.execute(
        _NEXT_DUES[tx.dialect.name], {"channels": _listed(channels), "now": now, "late": now - LATE_BY}
    ).scalar()
    return due


def extend_leases(tx: Transaction, in_flight: Collection[tuple[int, int]], until: datetime) -> bool:
    """Keep the lease of posts whose sending goes on, each as (post id, attempt); False when one was lost: it is left lost."""
    if not in_flight:
        return True
    rows = [{"post": post_id, "fence": attempt, "until": until} for post_id, attempt in in_flight]
    return _EXTEND.run_all(tx, rows) == len(rows)


_EXTEND = Prepared(
    update(posts)
    .where(posts.c.id == bindparam("post"), posts.c.attempt == bindparam("fence"), text("state = 'publishing'"))
    .values(lease_until=bindparam("until", type_=Instant()))
)


def may_go_on(tx: Transaction, post_id: int, attempt: int) -> bool:
    """Tell whether a claimed post is still this attempt's and nothing was stopped since: safe mode, its channel, itself.

    A channel that only rests until an instant, as for a cap that this very post reached, lets it go.
    """
    return tx.execute(_MAY_GO_ON, {"post": post_id, "attempt": attempt}).first() is not None


_MAY_GO_ON = text(
    """
    SELECT 1 FROM posts p JOIN channels c ON c.id = p.channel_id
    WHERE p.id = :post AND p.attempt = :attempt AND p.state = 'publishing' AND NOT p.paused
      AND (c.state = 'ready' OR c.paused_by IS NULL AND c.until IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM meta s WHERE s.key = 'safe mode')
    """
)


def take(tx: Transaction, post: Post, *, worker: str, now: datetime) -> int:
    """Take this very queued post, so that what became of it elsewhere can be recorded; nothing is sent for it.

    Gives the number of the attempt. Raises `IllegalMove` when the post is not as it was, or its channel is busy.
    """
    busy = select(posts.c.id).where(posts.c.channel_id == post.channel_id, text("state = 'publishing'")).limit(1)
    if tx.execute(busy).scalar() is not None:
        raise IllegalMove(f"post {post.id} cannot be taken: something is in flight on its channel")
    number = post.attempt + 1
    values = {"state": "publishing", "worker": worker, "lease_until": now, "handed_over": False}
    wanted = update(posts).where(posts.c.id == post.id, posts.c.attempt == post.attempt, text("state = 'queued'"))
    if tx.execute(wanted.values(attempt=number, **values)).rowcount != 1:
        raise IllegalMove(f"post {post.id} cannot be taken: it is not queued any more")
    row = {"post_id": post.id, "number": number, "worker": worker, "content_sha256": post.content_sha256}
    tx.execute(insert(attempts), row | {"started_at": now, "channel_id": post.channel_id})
    return number


@dataclass(frozen=True, slots=True)
class InFlight:
    """A post that somebody is publishing; `since` is the start of the earliest attempt that may have arrived."""

    post_id: int
    attempt: int
    worker: str
    lease_until: datetime
    since: datetime


def in_flight(tx: Transaction) -> list[InFlight]:
    """Give everything that is being published by anyone."""
    since = func.coalesce(posts.c.doubtful_since, attempts.c.started_at, posts.c.due_at)
    query = (
        select(posts.c.id, posts.c.attempt, posts.c.worker, posts.c.lease_until, since)
        .outerjoin(attempts, (attempts.c.post_id == posts.c.id) & (attempts.c.number == posts.c.attempt))
        .where(text("posts.state = 'publishing'"))
    )
    return [InFlight(*row) for row in tx.execute(query)]

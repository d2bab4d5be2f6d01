"""Looking at the database as a whole: promises that no single row shows, and what is overdue."""

from datetime import datetime, timedelta

from sqlalchemy import select, text

from outreach.lifecycle import invariants
from outreach.store import troubles
from outreach.store.engine import Transaction
from outreach.store.schema import Instant, events, posts

_OPEN_BUT_NOT_PUBLISHING = text(
    "SELECT count(*) FROM attempts a JOIN posts p ON p.id = a.post_id WHERE a.ended_at IS NULL AND p.state <> 'publishing'"
)
_PUBLISHING_WITHOUT_ATTEMPT = text(
    "SELECT count(*) FROM posts p WHERE p.state = 'publishing' AND NOT EXISTS"
    " (SELECT 1 FROM attempts a WHERE a.post_id = p.id AND a.number = p.attempt AND a.ended_at IS NULL)"
)


def broken_promises(tx: Transaction) -> list[str]:
    """Name every promise that the stored rows break; none is what one expects."""
    broken = []
    if tx.dialect.name == "sqlite":
        said = tx.exec_driver_sql("PRAGMA quick_check(3)").scalars().all()
        broken += [] if said == ["ok"] else [f"the file is damaged: {line}" for line in said]
    if tx.execute(_OPEN_BUT_NOT_PUBLISHING).scalar():
        broken.append("an attempt is open though its post is not publishing")
    if tx.execute(_PUBLISHING_WITHOUT_ATTEMPT).scalar():
        broken.append("a post is publishing without an attempt on record")
    rows = tx.execute(select(posts).where(posts.c.state.in_(["publishing", "unconfirmed"]))).mappings()
    return broken + [f"post {row['id']}: {what}" for row in rows for what in invariants(dict(row))]


def newest_event(tx: Transaction) -> datetime | None:
    """Give the instant of the latest entry of the history."""
    return tx.execute(select(events.c.at).order_by(events.c.id.desc()).limit(1)).scalar()


def overdue(tx: Transaction, now: datetime, *, by_s: int = 60) -> int:
    """Count the posts that could have gone out more than `by_s` seconds ago: computed from the clock, not by a worker."""
    return len(troubles.overdue(tx, now, by=timedelta(seconds=by_s)))


_NEXT_CHORE = text(
    "SELECT min(at) AS at FROM ("
    " SELECT * FROM (SELECT miss_at AS at FROM posts WHERE state = 'queued' ORDER BY miss_at LIMIT 1) AS missed"
    " UNION ALL"
    " SELECT * FROM (SELECT look_at FROM posts WHERE state = 'unconfirmed' AND look_at IS NOT NULL"
    " ORDER BY look_at LIMIT 1) AS looked"
    " UNION ALL SELECT until FROM channels WHERE state = 'paused' AND until IS NOT NULL"
    # What comes due unapproved, where that is asked for: as in `waiting.over`.
    " UNION ALL SELECT (SELECT p.due_at FROM posts p"
    " WHERE p.channel_id = c.id AND p.state = 'queued' AND p.unapproved AND p.due_at = p.planned_at"
    " AND p.planned_at > (SELECT r.at FROM revisions r WHERE r.announcement_id = p.announcement_id AND r.revision ="
    " (SELECT a.revision FROM announcements a WHERE a.id = p.announcement_id)) ORDER BY p.due_at, p.id LIMIT 1)"
    " FROM channels c JOIN communities m ON m.id = c.community_id WHERE m.approval = 'required'"
    # Whether the worker of a post in flight is gone can only be asked of the system, so that is always due.
    " UNION ALL SELECT 0 FROM posts WHERE state = 'publishing') AS soonest"
).columns(at=Instant())


def next_chore(tx: Transaction) -> datetime | None:
    """Say when there is next something to rescue, miss, resume or look for; None when nothing of that is in sight."""
    at: datetime | None = tx.execute(_NEXT_CHORE).scalar()
    return at

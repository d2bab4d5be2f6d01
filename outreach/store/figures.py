"""How an install stands in a few figures: cheap to ask, however many posts there are, and true without a worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, text

from outreach.store import alarms, safety, troubles, workers
from outreach.store.engine import Transaction
from outreach.store.recent import first_since
from outreach.store.schema import channels, events, posts

MOST = 10_000
WELL_FOR = timedelta(seconds=60)
_BAD_RESTS_OF = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts go no further than `MOST`. Missed and failed are those that came to it in the last 14 days and still are."""

    overdue: int
    unconfirmed: int
    missed: int
    failed: int
    queued: int
    paused_channels: int
    safe_mode: bool
    since_beat_s: float | None
    open_alarms: int

    def problems(self) -> Iterator[str]:
        """Say in plain sentences what keeps posts from going out now; silence means that all is well."""
        if self.overdue:
            yield f"{self.overdue} posts are overdue."
        if self.since_beat_s is None:
            yield "No worker runs."
        elif self.since_beat_s >= WELL_FOR.total_seconds():
            yield f"No worker gave a sign for {self.since_beat_s:.0f} s."
        if self.safe_mode:
            yield "Safe mode is on."


def read(tx: Transaction, now: datetime, *, worker: str | None = None) -> Figures:
    """Count; the beat is the latest of all workers, or that of one."""
    beats = [at for name, at in workers.last_beats(tx) if worker in (None, name)]
    rests = _bad_rests(tx, now)
    paused = select(func.count()).select_from(channels).where(channels.c.state == "paused")
    return Figures(
        overdue=len(troubles.overdue(tx, now)),
        unconfirmed=_count(tx, select(posts.c.id).where(text("posts.state = 'unconfirmed'"))),
        missed=rests.get("missed", 0),
        failed=rests.get("failed", 0),
        queued=_count(tx, select(posts.c.id).where(text("posts.state = 'queued'"))),
        paused_channels=int(tx.execute(paused).scalar_one()),
        safe_mode=safety.current(tx) is not None,
        since_beat_s=round((now - beats[0]).total_seconds(), 1) if beats else None,
        open_alarms=alarms.count_open(tx),
    )


def _count(tx: Transaction, query: Select[tuple[int]]) -> int:
    return int(tx.execute(select(func.count()).select_from(query.limit(MOST).subquery())).scalar_one())


def _bad_rests(tx: Transaction, now: datetime) -> dict[str, int]:
    """Count by state those among the latest events; each post once."""
    latest = (
        select(events.c.post_id, events.c.kind, events.c.at)
        .where(events.c.id >= first_since(tx, "events", now - _BAD_RESTS_OF))
        .order_by(events.c.id.desc())
        .limit(MOST)
        .subquery()
    )
    query = (
        select(posts.c.state, func.count(posts.c.id.distinct()))
        .join(latest, latest.c.post_id == posts.c.id)
        .where(latest.c.kind.in_(troubles.TO_A_BAD_REST), posts.c.state.in_(troubles.AT_A_BAD_REST))
        .group_by(posts.c.state)
    )
    return {row[0]: row[1] for row in tx.execute(query)}

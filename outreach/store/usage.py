"""How much of a channel's limits is used: what its latest answers said, kept for 30 days and thinned to ten minutes."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from outreach.channels import Usage
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema_usage import usage

KEPT = timedelta(days=30)
THINNED = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (usage.c.at, usage.c.call_count, usage.c.total_cputime, usage.c.total_time, usage.c.regain_min)


def keep(tx: Transaction, channel_id: int, seen: Usage) -> None:
    """Keep what an answer said in place of what another said in the same ten minutes, and let go of what is old."""
    figures = {
        "at": seen.at,
        "call_count": seen.call_count,
        "total_cputime": seen.total_cputime,
        "total_time": seen.total_time,
        "regain_min": seen.regain_min,
    }
    row = {"channel_id": channel_id, "slot": (seen.at - _EPOCH) // THINNED}
    is_this = (usage.c.channel_id == channel_id) & (usage.c.slot == row["slot"])
    if tx.execute(update(usage).where(is_this).values(**figures)).rowcount:
        return
    insert_once(tx, usage, row | figures)
    is_old = (usage.c.channel_id == channel_id) & (usage.c.slot < row["slot"] - KEPT // THINNED)
    tx.execute(delete(usage).where(is_old))


def latest(tx: Transaction, channel_id: int, now: datetime) -> Usage | None:
    """Give what was said last; what a clock that was ahead wrote down as yet to come is left out."""
    found = since(tx, channel_id, now - KEPT, until=now, most=1)
    return found[0] if found else None


def since(tx: Transaction, channel_id: int, begin: datetime, *, until: datetime, most: int = 5_000) -> list[Usage]:
    """Give what was said in a span of time, newest first."""
    of_slots = usage.c.slot.between((begin - _EPOCH) // THINNED, (until - _EPOCH) // THINNED)
    query = select(*_COLUMNS).where(usage.c.channel_id == channel_id, of_slots, usage.c.at <= until)
    return [Usage(*row) for row in tx.execute(query.order_by(usage.c.slot.desc()).limit(most))]


def nearly_full(tx: Transaction, channel_id: int, now: datetime) -> tuple[Usage, datetime] | None:
    """Tell whether so much is used that nothing is to be read but for a post in doubt: what was said, and until when."""
    seen = latest(tx, channel_id, now)
    until = seen.rests_until if seen is not None else None
    return (seen, until) if seen is not None and until is not None and until > now else None

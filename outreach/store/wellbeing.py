"""How a channel is: what went out on it last and what did not, how much of its limits is used, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from outreach.channels import Usage
from outreach.model import post_name
from outreach.store import checks, usage
from outreach.store.checks import Check
from outreach.store.engine import Transaction
from outreach.store.schema import announcements, attempts, channels, posts

_LOOKED_BACK = 200
_MOST_COUNTED = 10_000
_WENT_OUT = "published"


@dataclass(frozen=True, slots=True)
class Tried:
    """One try on a channel: `post` is the name of its post, `reason` what the channel said to it."""

    at: datetime
    post: str
    announcement: int
    title: str
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Wellbeing:
    """How a channel is. `in_hour` and `in_day` count the tries of the last hour and day, up to 10,000.

    `rests_until` is set while a limit holds it back; `access_until` is when its access first runs out, as far as known.
    `usage` is how much of the other side's limit was used in the last seven days, newest first.
    """

    check: Check | None
    access_until: datetime | None
    last_good: Tried | None
    last_bad: Tried | None
    in_hour: int
    in_day: int
    rests_until: datetime | None
    next_due: datetime | None
    usage: Sequence[Usage] = ()


def of_channel(tx: Transaction, channel_id: int, name: str, now: datetime) -> Wellbeing:
    """Look how a channel is. Costs the same however long its history is."""
    tries = _latest(tx, channel_id)
    rest = tx.execute(select(channels.c.not_before).where(channels.c.id == channel_id)).scalar()
    queued = select(func.min(posts.c.due_at)).where(posts.c.channel_id == channel_id, text("state = 'queued'"))
    return Wellbeing(
        check=checks.of_channel(tx, name),
        access_until=checks.expiry(tx, name),
        last_good=next((each for each in tries if each.outcome == _WENT_OUT), None),
        last_bad=next((each for each in tries if each.outcome != _WENT_OUT), None),
        in_hour=_count(tx, channel_id, now - timedelta(hours=1), now),
        in_day=_count(tx, channel_id, now - timedelta(days=1), now),
        rests_until=rest if rest is not None and rest > now else None,
        next_due=tx.execute(queued).scalar(),
        usage=usage.since(tx, channel_id, now - timedelta(days=7), until=now),
    )


def _latest(tx: Transaction, channel_id: int) -> Sequence[Tried]:
    query = (
        select(
            attempts.c.ended_at,
            announcements.c.id,
            posts.c.occurrence,
            channels.c.name,
            announcements.c.title,
            attempts.c.outcome,
            attempts.c.reason,
        )
        .join(posts, posts.c.id == attempts.c.post_id)
        .join(announcements, announcements.c.id == posts.c.announcement_id)
        .join(channels, channels.c.id == posts.c.channel_id)
        .where(attempts.c.channel_id == channel_id, attempts.c.ended_at.is_not(None))
        .order_by(attempts.c.started_at.desc())
        .limit(_LOOKED_BACK)
    )
    return [_tried(row) for row in tx.execute(query)]


def _tried(row: Any) -> Tried:
    at, number, occurrence, channel, title, outcome, reason = row
    return Tried(at, post_name(number, channel, occurrence), number, title, outcome, reason)


def _count(tx: Transaction, channel_id: int, since: datetime, until: datetime) -> int:
    some = select(attempts.c.number).where(attempts.c.channel_id == channel_id, attempts.c.started_at > since)
    some = some.where(attempts.c.started_at <= until).limit(_MOST_COUNTED)
    return int(tx.execute(select(func.count()).select_from(some.subquery())).scalar_one())

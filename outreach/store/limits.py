"""What keeps a channel from too much: spacing of a backlog, caps per hour and day, and the breaker after failures.

Everything is computed from the attempts on record and written with the claim, so that all workers share it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text, update

from outreach.lifecycle import Pause, breaker_pause
from outreach.model import Attempt
from outreach.store import channels as channel_rows
from outreach.store.engine import Transaction
from outreach.store.schema import attempts, channels, posts

LATE_BY = timedelta(minutes=10)
_FAR_BACK = 20
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one channel is too much. 0 switches a limit off. `spacing` is between posts that are late already."""

    max_per_hour: int = 0
    max_per_day: int = 0
    spacing: timedelta = timedelta(0)
    max_failures: int = 0

    @property
    def _windows(self) -> tuple[tuple[int, timedelta], ...]:
        return tuple((most, window) for most, window in ((self.max_per_hour, _HOUR), (self.max_per_day, _DAY)) if most)

    def after_claims(self, tx: Transaction, claimed: Sequence[Attempt], now: datetime) -> None:
        """Note what these claims leave of the limits, in the transaction that made them."""
        if self.spacing:
            late = [a.post.channel_id for a in claimed if a.post.due_at < now - LATE_BY]
            _set(tx, late, spaced_until=now + self.spacing)
        for attempt in claimed if self._windows else ():
            until = self._full_until(tx, attempt.post.channel_id, now)
            if until is not None:
                _set(tx, [attempt.post.channel_id], not_before=until)

    def _full_until(self, tx: Transaction, channel_id: int, now: datetime) -> datetime | None:
        """Give the instant at which the oldest of as many attempts as a cap allows leaves the cap's window."""
        ends = [_nth_latest(tx, channel_id, most, before=now) for most, _ in self._windows]
        full = [end + window for end, (_, window) in zip(ends, self._windows, strict=True) if end is not None]
        return max((end for end in full if end > now), default=None)

    def after_failures(self, tx: Transaction, channel_ids: Iterable[int], now: datetime) -> None:
        """Let a channel rest whose latest tries have all failed, in the transaction that records the last of them."""
        for channel_id in set(channel_ids) if self.max_failures else ():
            failures = _failures_in_a_row(tx, channel_id, self.max_failures + _FAR_BACK)
            rest = breaker_pause(failures, most=self.max_failures)
            if rest is not None and not _is_paused(tx, channel_id):
                why = f"The last {failures} tries on this channel failed; it rests before the next one."
                channel_rows.pause(tx, channel_id, Pause(why, now + rest), now=now)

    def tell_of_full_channels(self, tx: Transaction, now: datetime) -> int:
        """Pause, so that people see it, the channels whose cap holds back a post that is due; give how many."""
        query = select(channels.c.id, channels.c.not_before).where(
            channels.c.state == "ready",
            channels.c.not_before > now,
            select(posts.c.id)
            .where(posts.c.channel_id == channels.c.id, text("posts.state = 'queued'"), posts.c.due_at <= now)
            .exists(),
        )
        full = tx.execute(query).all()
        for channel_id, until in full:
            channel_rows.pause(tx, channel_id, Pause(self._sentence(), until), now=now)
        return len(full)

    def _sentence(self) -> str:
        return (
            f"As many posts went out as may (OUTREACH_MAX_PER_HOUR={self.max_per_hour},"
            f" OUTREACH_MAX_PER_DAY={self.max_per_day}); the rest has to wait."
        )


def _set(tx: Transaction, channel_ids: Sequence[int], **values: datetime) -> None:
    if channel_ids:
        tx.execute(update(channels).where(channels.c.id.in_(channel_ids)).values(**values))


def _nth_latest(tx: Transaction, channel_id: int, nth: int, *, before: datetime) -> datetime | None:
    # What a clock that was ahead wrote down as yet to come is left out: it would close the channel until then.
    query = select(attempts.c.started_at).where(attempts.c.channel_id == channel_id, attempts.c.started_at <= before)
    found: datetime | None = tx.execute(query.order_by(attempts.c.started_at.desc()).offset(nth - 1).limit(1)).scalar()
    return found


def _failures_in_a_row(tx: Transaction, channel_id: int, most: int) -> int:
    query = (
        select(attempts.c.outcome, posts.c.state)
        .join(posts, posts.c.id == attempts.c.post_id)
        .where(attempts.c.channel_id == channel_id, attempts.c.ended_at.is_not(None))
        .order_by(attempts.c.started_at.desc())
        .limit(most)
    )
    count = 0
    for outcome, state in tx.execute(query):
        if outcome == "published" or state in ("published", "held", "retracted"):
            break
        count += 1
    return count


def _is_paused(tx: Transaction, channel_id: int) -> bool:
    return tx.execute(select(channels.c.state).where(channels.c.id == channel_id)).scalar() == "paused"

"""The wall clock of this machine: whether it can be relied on, and safe mode while it cannot."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from outreach import guard
from outreach.channels import Channel, HasClock
from outreach.guard import MOST_APART, ClockGuard
from outreach.store import Store, Transaction, clockmarks, health, safety, workers
from outreach.store.safety import Cause

log = logging.getLogger(__name__)

AGREES = timedelta(minutes=2)
ASK_EVERY_S = 60.0
_A_PAUSE = timedelta(hours=1)
_A_LONG_PAUSE = timedelta(days=30)


class WallClock:
    """Compares the wall clock with the steady clock, with what is on record, and with the clock of a channel."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        elapsed_s: Callable[[], float],
    ) -> None:
        self._store = store
        self._clocks = [channel for channel in channels.values() if isinstance(channel, HasClock)]
        self._now = now
        self._elapsed_s = elapsed_s
        self._guard = ClockGuard(now(), elapsed_s())
        self._asked_at_s: float | None = None

    def is_in_doubt(self) -> bool:
        """Tell whether what the clock says must not be acted on."""
        return self._guard.jump(self._now(), self._elapsed_s()) is not None or self._is_a_cause()

    def settle(self) -> None:
        """At a start: find out whether the clock can be right, by what the workers before left on record."""
        now = self._now()
        with self._store.read() as tx:
            why = self._suspicion(tx, now)
        if why and not self._is_confirmed(now):
            self._begin_safe_mode(why, now)

    def _suspicion(self, tx: Transaction, now: datetime) -> str:
        mark, newest = clockmarks.kept(tx), health.newest_event(tx)
        if mark is not None and abs(ahead := mark.ahead(now, self._elapsed_s())) > MOST_APART:
            return guard.sentence(ahead)
        if newest is None or mark is not None:
            return ""
        if now < newest - MOST_APART:
            return _BEHIND
        if now - newest > _A_LONG_PAUSE:
            return _AFTER_A_LONG_PAUSE
        # Whether a pause of days was one, or the clock is ahead, only somebody else's clock can tell.
        return _AHEAD if now - newest > _A_PAUSE and self._is_contradicted(now) else ""

    def check(self) -> None:
        """At each beat: begin safe mode when the clock jumped, end it when the clock is right, and leave a mark."""
        now, steady_s = self._now(), self._elapsed_s()
        ahead = self._guard.jump(now, steady_s)
        if ahead is not None and not self._is_accepted(now, steady_s):
            self._begin_safe_mode(guard.sentence(ahead), now)
        elif self._is_a_cause():
            self._end_if_right(now, steady_s)
        else:
            self._leave_mark(now, steady_s)
        if ahead is not None:
            self._guard.accept(now, steady_s)  # by now it is on record

    def _is_a_cause(self) -> bool:
        """Tell whether the clock of this machine is a reason why nothing goes out."""
        with self._store.read() as tx:
            return any((each.cause, each.host) == (Cause.CLOCK, workers.host()) for each in safety.causes(tx))

    def _is_accepted(self, now: datetime, steady_s: float) -> bool:
        with self._store.read() as tx:
            return clockmarks.is_accepted(tx, now, steady_s)

    def _begin_safe_mode(self, why: str, now: datetime) -> None:
        with self._store.write() as tx:
            if safety.enter(tx, Cause.CLOCK, why, now=now, host=workers.host()):
                log.error("%s", why)

    def _end_if_right(self, now: datetime, steady_s: float) -> None:
        with self._store.read() as tx:
            mark = clockmarks.kept(tx)
        is_back = mark is not None and abs(mark.ahead(now, steady_s)) < AGREES
        if not is_back and not self._is_confirmed(now):
            return
        note = "the clock is right again" if is_back else "the clock agrees with that of a channel"
        with self._store.write() as tx:
            goes_on = safety.take_back_clock(tx, workers.host(), now=now, note=note)
            clockmarks.leave(tx, now, steady_s)
        log.warning("The clock is right%s.", ": posts go out again" if goes_on else "; safe mode stays on all the same")

    def _is_confirmed(self, now: datetime) -> bool:
        there = self._server_time()
        return there is not None and abs(there - now) < AGREES

    def _is_contradicted(self, now: datetime) -> bool:
        there = self._server_time()
        return there is not None and abs(there - now) > MOST_APART

    def _server_time(self) -> datetime | None:
        """Ask the channels what time it is there, once a minute at most: an answer that is not there is none."""
        at_s = self._elapsed_s()
        if self._asked_at_s is not None and at_s - self._asked_at_s < ASK_EVERY_S:
            return None
        self._asked_at_s = at_s
        return next((time for clock in self._clocks if (time := clock.server_time()) is not None), None)

    def _leave_mark(self, now: datetime, steady_s: float) -> None:
        with self._store.write() as tx:
            clockmarks.leave(tx, now, steady_s)


_BEHIND = (
    "The clock of this machine is behind the latest entry of the history, so nothing is published."
    " Set the clock (NTP); if it is right: outreach safe-mode off"
)
_AHEAD = (
    "The clock of this machine is ahead of Facebook's, so nothing is published."
    " Set the clock (NTP); if it is right: outreach safe-mode off"
)
_AFTER_A_LONG_PAUSE = (
    "Nothing was done here for more than 30 days, or the clock is wrong, so nothing is published yet."
    " Look at the queue; if all is well: outreach safe-mode off"
)

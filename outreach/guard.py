"""Telling from a clock that never jumps whether the wall clock did. Pure: both are handed over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_APART = timedelta(minutes=10)
_SMALL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The wall clock and the steady clock of one boot of one machine, read in the same moment."""

    at: datetime
    steady_s: float

    def ahead(self, now: datetime, steady_s: float) -> timedelta:
        """Say how far ahead of where it has to be the wall clock is; negative when it was set back."""
        return (now - self.at) - timedelta(seconds=steady_s - self.steady_s)


class ClockGuard:
    """Notices that the wall clock jumped by more than ten minutes since what it said was last accepted."""

    def __init__(self, now: datetime, steady_s: float) -> None:
        self._mark = Mark(now, steady_s)

    def jump(self, now: datetime, steady_s: float) -> timedelta | None:
        """Give the jump, again and again until it is accepted; None when there was none. Small drifts are let pass."""
        ahead = self._mark.ahead(now, steady_s)
        if abs(ahead) < _SMALL:
            self._mark = Mark(now, steady_s)
        return ahead if abs(ahead) > MOST_APART else None

    def accept(self, now: datetime, steady_s: float) -> None:
        """Go by what the clock says now: the jump is on record, or was found to be right."""
        self._mark = Mark(now, steady_s)


def sentence(ahead: timedelta) -> str:
    """Say in words that the clock jumped, and what to do."""
    minutes = round(abs(ahead).total_seconds() / 60)
    span = f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"
    span = span if minutes < 2880 else f"{round(minutes / 1440)} days"
    way = "forward" if ahead > timedelta(0) else "back"
    return (
        f"The clock of this machine jumped {way} by {span}, so nothing is published."
        " Check the clock (NTP); if it is right now: outreach safe-mode off"
    )

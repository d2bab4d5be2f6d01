"""A clock for a whole house that a test sets."""

from datetime import datetime, timedelta

from outreach.bootstrap import SystemClock
from tests.builders import NOW


class StillClock(SystemClock):
    """Stands still until the test moves it. It begins at the builders' NOW."""

    def __init__(self) -> None:
        self._now = NOW
        self._elapsed_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def elapsed_s(self) -> float:
        return self._elapsed_s

    def tick(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed_s += seconds

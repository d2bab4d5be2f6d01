"""The sandbox's own time, which tests move forward by hand."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus whatever was added; with `start`, time stands still between two calls of `advance`."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._added = timedelta(0)

    def now(self) -> datetime:
        """Return the moment as aware UTC."""
        return (self._start or datetime.now(UTC)) + self._added

    def advance(self, seconds: float) -> None:
        """Move forward; what falls due in between happens at the next look at the sandbox."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} s")
        self._added += timedelta(seconds=seconds)

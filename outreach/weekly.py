"""The weekly mail: at which day and hour of the week the small items that were collected go to the lists, in one mail."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from outreach.model import BadInput
from outreach.when import day_of, wall_time_to_utc

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MADE_BEFORE = timedelta(hours=24)
"""So long before it goes out it is put together, so that it can be read, changed, approved or cancelled."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Weekly:
    """A day of the week, Monday being 0, and a wall time."""

    weekday: int
    at: time

    def wall_time(self, due_at: datetime, zone: str) -> str:
        """Give the time of one mail as a letter has it."""
        return f"{day_of(due_at, zone):%Y-%m-%d} {self.at:%H:%M}"

    def next_due(self, now: datetime, zone: str) -> datetime:
        """Give the instant of the first mail that is not over."""
        today = day_of(now, zone)
        ahead = (self.weekday - today.weekday()) % 7
        first = [today + timedelta(days=ahead + more) for more in (0, 7)]
        instants = [wall_time_to_utc(datetime.combine(day, self.at), zone)[0] for day in first]
        return next(at for at in instants if at >= now)

    def due_before(self, due_at: datetime, zone: str) -> datetime:
        """Give the instant of the mail a week before one."""
        day = day_of(due_at, zone) - _WEEK
        return wall_time_to_utc(datetime.combine(day, self.at), zone)[0]


def read_weekly(text: str) -> Weekly | None:
    """Read a day and a time such as `Friday 09:00`; None for an empty text. Raises `BadInput`."""
    if not text.strip():
        return None
    name, _, clock = text.strip().partition(" ")
    days = [number for number, day in enumerate(DAYS) if len(name) >= 3 and day.lower().startswith(name.lower())]
    try:
        hours, minutes = clock.strip().split(":")
        at = time(int(hours), int(minutes))
    except ValueError:
        days, at = [], time()
    if not days:
        raise BadInput("No day and time of the week can be read.", next_step="Write it like: Friday 09:00")
    return Weekly(days[0], at)

"""Advice on when something goes out: quiet hours, weekends, holidays, clocks that change, and days that are over by then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from outreach import when
from outreach.advice.counsel import Advice, Kind
from outreach.wishes import Wishes

FAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Planned:
    """When a post is to go out, as written in `zone`. `home` is the zone that the community's wishes are meant in.

    `note` is what `when.resolve` said of a time that comes twice or not at all.
    """

    due_at: datetime
    zone: str
    home: str
    note: str | None = None

    @property
    def local(self) -> datetime:
        """As the clocks of its zone show it."""
        return when.local(self.due_at, self.zone)


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates that an announcement names, by the names of their fields."""

    given: Mapping[str, date] = field(default_factory=dict)

    @property
    def deadlines(self) -> dict[str, date]:
        """Those by which readers are to do something."""
        return {name: day for name, day in self.given.items() if _is_deadline(name)}

    @property
    def days(self) -> dict[str, date]:
        """Those on which something takes place."""
        return {name: day for name, day in self.given.items() if not _is_deadline(name) and _is_to_come(name)}


def on_time(planned: Planned, wishes: Wishes, *, now: datetime) -> list[Advice]:
    """Say what is unwise about an instant, gravest first."""
    if planned.due_at < now - timedelta(minutes=1):
        told = f"{when.show(planned.due_at, planned.zone)} is in the past."
        return [Advice(Kind.PAST, told, "Choose a later time.", is_grave=True)]
    return [*_clocks(planned), *_far(planned, now), *_day_off(planned, wishes), *_quiet(planned, wishes)]


def _far(planned: Planned, now: datetime) -> Iterator[Advice]:
    if planned.due_at - now > FAR:
        told = f"It goes out more than a year from now, on {when.show(planned.due_at, planned.zone)}."
        yield Advice(Kind.FAR, told, "Check the year.", is_grave=True)


def _quiet(planned: Planned, wishes: Wishes) -> Iterator[Advice]:
    if wishes.is_quiet(when.local(planned.due_at, planned.home).time().replace(second=0, microsecond=0)):
        span = f"{wishes.quiet_from} to {wishes.quiet_to} {planned.home}"
        shown = when.show(planned.due_at, planned.home)
        told = f"{shown} lies in the quiet hours ({span})."
        yield Advice(Kind.QUIET, told, "Few people read then: choose a time in the day.")


def _day_off(planned: Planned, wishes: Wishes) -> Iterator[Advice]:
    day = planned.local.date()
    if day.weekday() in weekend_of(wishes.country):
        yield Advice(Kind.WEEKEND, f"{_named(day)} is at the weekend.", "More people read on a working day.")
    if name := holiday_on(day, wishes.country):
        told = f"{_named(day)} is a public holiday ({wishes.country}): {name}."
        yield Advice(Kind.HOLIDAY, told, "More people read on a working day.")


def _clocks(planned: Planned) -> Iterator[Advice]:
    if planned.note:
        yield Advice(Kind.CLOCKS, planned.note, "Choose another hour to leave no doubt.", is_grave=True)
    elif change := _change_on(planned):
        told = f"The clocks in {planned.zone} go {change} on that day."
        yield Advice(Kind.CLOCKS, told, f"It goes out at {when.show(planned.due_at, planned.zone)}.")


def _change_on(planned: Planned) -> str:
    midnight = datetime.combine(planned.local.date(), time())
    first, last = (
        when.local(when.wall_time_to_utc(wall, planned.zone)[0], planned.zone).utcoffset() or timedelta()
        for wall in (midnight, midnight + timedelta(hours=23, minutes=59))
    )
    return "" if first == last else "forward" if last > first else "back"


def on_dates(dates: Dates, planned: Planned | None) -> list[Advice]:
    """Say which of the dates that an announcement names are over when it goes out."""
    if planned is None:
        return []
    due = planned.local.date()
    return [*_over(dates.deadlines, due), *_days_over(dates.days, due)]


def _over(deadlines: Mapping[str, date], due: date) -> Iterator[Advice]:
    for name, day in deadlines.items():
        if day < due:
            told = f"The {_spoken(name)} ({_named(day)}) is before it goes out ({_named(due)})."
            step = "Send it earlier, or correct the date."
            yield Advice(Kind.DEADLINE, told, step, is_grave=True)
        elif day == due:
            told = f"The {_spoken(name)} is the very day it goes out ({_named(due)})."
            yield Advice(Kind.DEADLINE, told, "Send it earlier, so that people have time.")


def _days_over(days: Mapping[str, date], due: date) -> Iterator[Advice]:
    for name, day in days.items():
        if day < due:
            told = f"It goes out on {_named(due)}, after the {_spoken(name)} that it names ({_named(day)})."
            yield Advice(Kind.DAY, told, "Send it earlier, or correct the date.", is_grave=True)


_DEADLINES = ("deadline", "due", "closes", "close", "apply_by", "until", "last_day", "submit_by", "register_by")
_PAST = ("old_", "previous_", "died", "born", "since", "was_", "former_", "founded")


def _is_deadline(name: str) -> bool:
    return _is_to_come(name) and any(word in f"{name}_" for word in _DEADLINES)


def _is_to_come(name: str) -> bool:
    return not name.startswith(_PAST)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _named(day: date) -> str:
    noon = datetime.combine(day, time(12), UTC)
    return when.show(noon, "UTC").partition(",")[0]


@lru_cache(maxsize=32)
def _holidays(country: str, year: int) -> tuple[Mapping[date, str], frozenset[int]]:
    import holidays  # start-up time: it knows 250 countries

    try:
        found = holidays.country_holidays(country, years=year)
    except (NotImplementedError, KeyError):
        return {}, frozenset({5, 6})
    return dict(found.items()), frozenset(found.weekend)


def holiday_on(day: date, country: str) -> str:
    """Name the public holiday of a country on a day; empty where there is none, or nobody knows the country."""
    return _holidays(country, day.year)[0].get(day, "") if country else ""


def weekend_of(country: str) -> frozenset[int]:
    """Give the days of the week, Monday 0, that are free in a country."""
    return _holidays(country, 2026)[1] if country else frozenset({5, 6})

"""The calendar file of an event in a list mail: published, never an invitation, which would gather answers from a whole list.

Its UID stays through corrections, which raise its SEQUENCE (RFC 5545, 3.8.7.4; RFC 5546, 3.2.1).
"""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_string
from email.policy import compat32
from typing import TYPE_CHECKING

from outreach import when
from outreach.model import Event

if TYPE_CHECKING:
    from icalendar import Calendar

FILE = "event.ics"


@dataclass(frozen=True, slots=True)
class Named:
    """By what a calendar knows an event, and how often that was changed."""

    uid: str
    sequence: int = 0


def written(event: Event, named: Named, *, title: str, at: datetime) -> str:
    """Write the file, with the rules of its zone in it. The same event gives the same text."""
    from icalendar import Event as Entry  # start-up time: few mails tell of an event

    entry = Entry()
    entry.add("uid", named.uid)
    entry.add("sequence", named.sequence)
    entry.add("dtstamp", at)
    zone = "UTC" if event.time_zone == when.AOE else event.time_zone
    entry.add("dtstart", when.local(event.starts_at, zone))
    entry.add("dtend", when.local(event.ends_at, zone))
    entry.add("summary", title)
    if event.place:
        entry.add("location", event.place)
    entry.add("status", "CONFIRMED")
    return _whole(entry)


def cancelled(earlier: str, *, at: datetime) -> str | None:
    """Write that the event of an earlier mail does not take place; None where it told of none."""
    calendar = _calendar_in(earlier)
    entry = next(iter(calendar.walk("VEVENT")), None) if calendar is not None else None
    if entry is None:
        return None
    named = _named(entry)
    for name, value in (("sequence", named.sequence + 1), ("status", "CANCELLED"), ("dtstamp", at)):
        entry.pop(name, None)
        entry.add(name, value)
    return _whole(entry)


def follow_up(earlier: str | None) -> Named | None:
    """Give by what a corrected event is known, one change on; None where the earlier mail told of none."""
    calendar = _calendar_in(earlier) if earlier else None
    entry = next(iter(calendar.walk("VEVENT")), None) if calendar is not None else None
    if entry is None:
        return None
    named = _named(entry)
    return Named(named.uid, named.sequence + 1)


def _named(entry: object) -> Named:
    return Named(str(entry["uid"]), int(entry.get("sequence", 0)))  # type: ignore[index,attr-defined]


def _whole(entry: object) -> str:
    from icalendar import Calendar  # start-up time

    calendar = Calendar()
    calendar.add("prodid", "-//outreach//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(entry)  # type: ignore[arg-type]
    calendar.add_missing_timezones()
    return str(calendar.to_ical().decode())


def _calendar_in(message: str) -> "Calendar | None":
    from icalendar import Calendar  # start-up time

    for part in message_from_string(message, policy=compat32).walk():
        if part.get_content_type() == "text/calendar":
            data = part.get_payload(decode=True)
            try:
                return Calendar.from_ical(data.decode()) if isinstance(data, bytes) else None
            except ValueError:
                return None
    return None

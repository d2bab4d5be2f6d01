"""The calendar file of an event in a list mail: published, never an invitation, which would gather answers from a whole list.

Its UID stays through corrections, which raise its SEQUENCE (RFC 5545, 3.8.7.4; RFC 5546, 3.2.1). A list that drops such a
file gets a link to it, behind which the event is as it stands on the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string
from email.policy import compat32
from typing import TYPE_CHECKING

from outreach import when
from outreach.mail.message import message_id
from outreach.model import Event, FollowKind, Wording

if TYPE_CHECKING:
    from icalendar import Calendar

FILE = "event.ics"


@dataclass(frozen=True, slots=True)
class Named:
    """By what a calendar knows an event, and how often that was changed."""

    uid: str
    sequence: int = 0


def of(wording: Wording, domain: str) -> str | None:
    """Write the file of a mail: for an event, its correction, or its end; None where the mail carries none."""
    follow = wording.follow
    if follow is not None and follow.kind is FollowKind.RETRACTION:
        return cancelled(follow.message or "", at=wording.due_at)
    if wording.event is None or not wording.event.is_attached:
        return None
    above = follow.references if follow else ()
    known = follow_up(follow.message) if follow else None
    named = known or of_mail(message_id(wording.identity, domain), above)
    return written(wording.event, named, title=wording.title, at=wording.due_at)


def of_mail(own_id: str, above: Sequence[str]) -> Named:
    """Say by what the event of a mail is known: by the first mail of its thread, through every change."""
    return Named((above[0] if above else own_id).strip("<>"), len(above))


def with_link(body: str, wording: Wording, events_at: str) -> str:
    """End a mail's Markdown with a link to the file, where the list would drop it. `events_at` empty: nobody could open it."""
    if wording.event is None or wording.event.is_attached or not events_at:
        return body
    return f"{body.rstrip()}\n\n**For your calendar:** <{events_at}/{wording.identity}.ics>\n"


def written(event: Event, named: Named, *, title: str, at: datetime, status: str = "CONFIRMED") -> str:
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
    entry.add("status", status)
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

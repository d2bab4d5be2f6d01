"""Events: what a letter says of one, read into instants, and put into the words that stand in every channel's text."""

from datetime import datetime, timedelta

from outreach import when
from outreach.model import BadInput, Event, Letter

_USUAL = timedelta(hours=1)
_LONGEST = timedelta(days=31)


def event_of(letter: Letter, zone: str, *, now: datetime) -> Event | None:
    """Read it; None where the letter tells of none. `zone` is that of the community. Raises `BadInput` naming the key."""
    if not letter.starts:
        given = "ends" if letter.ends else "place" if letter.place else ""
        if given:
            raise BadInput(
                "It is not said when the event begins.", where="starts", next_step="Write starts: 2026-12-10 17:00."
            )
        return None
    zone = when.check_zone(letter.zone or zone)
    starts_at = _instant(letter.starts, zone, now, "starts")
    ends_at = _instant(letter.ends, zone, now, "ends") if letter.ends else starts_at + _USUAL
    if not starts_at < ends_at <= starts_at + _LONGEST:
        step = "Write when it ends, such as 2026-12-10 18:00."
        raise BadInput("The event ends before it begins, or more than a month later.", where="ends", next_step=step)
    return Event(starts_at, ends_at, zone, (letter.place or "").strip())


def _instant(text: str, zone: str, now: datetime, where: str) -> datetime:
    try:
        return when.resolve(text, zone, now=now, allow_past=True).due_at
    except BadInput as bad:
        raise BadInput(bad.message, where=where, next_step=bad.next_step) from None


def in_words(event: Event) -> str:
    """Say when and where in Markdown, with the zone."""
    begins, ends = (when.local(at, event.time_zone) for at in (event.starts_at, event.ends_at))
    shown = when.show(event.starts_at, event.time_zone)
    until = f"{ends:%H:%M}" if begins.date() == ends.date() else when.show(event.ends_at, event.time_zone)
    lines = [f"**When:** {shown}, until {until}"]
    if event.place:
        lines.append(f"**Where:** {_plain(event.place)}")
    return "  \n".join(lines) + "\n"


def _plain(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+!<>|~" else c for c in text)

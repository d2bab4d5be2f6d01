"""Wall time + zone -> the UTC instant at which a post is due, and an instant -> words that name their zone."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from outreach.model import BadInput, Post

AOE = "AoE"
_AOE_KEY = "Etc/GMT+12"
_AOE_NAMES = {"aoe", "anywhere on earth"}
_NOT_ZONES = {"localtime", "Factory"}  # in some zone directories; they mean "this machine" and "nothing set"
_YEARS_BACK, _YEARS_AHEAD = 1, 10
_LONGEST_TEXT = 100
_EXAMPLE = "2026-12-01 09:00"
_ZONE_EXAMPLES = "Write a name such as America/New_York, Europe/London or AoE."

_MONTHS = ["January", "February", "March", "April", "May", "June"]
_MONTHS += ["July", "August", "September", "October", "November", "December"]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTH_OF = {form: n for n, m in enumerate(_MONTHS, 1) for form in (m.lower(), m[:3].lower())} | {"sept": 9}
_WEEKDAY_OF = {form: n for n, d in enumerate(_WEEKDAYS) for form in (d.lower(), d[:3].lower())}
_WEEKDAY_OF |= {"tues": 1, "thur": 3, "thurs": 3}
_ABBREVIATIONS = {  # offered, never taken: most of them mean several zones
    "America/New_York": "et edt eastern",
    "America/Chicago": "ct cst cdt central",
    "America/Denver": "mt mdt mountain",
    "America/Los_Angeles": "pt pst pdt pacific",
    "Europe/London": "bst",
    "Europe/Berlin": "cest",
}

_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?:(?P<minutes>:(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?)"
    r" ?(?P<half>[ap]\.?m\.?)?| ?(?P<hour_half>[ap]\.?m\.?))|(?P<word>noon|midnight)"
)
_TIME = re.compile(_CLOCK)
_DAY_THEN_TIME = re.compile(rf"(?P<day>.+?)(?:,? at |, ?| )(?P<time>{_CLOCK})")
_TIME_THEN_DAY = re.compile(rf"(?:at )?(?P<time>{_CLOCK})(?:,? on |, ?| )(?P<day>.+)")
_ISO_DAY = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
_WITH_OFFSET = re.compile(
    rf"{_ISO_DAY}[t ](?P<time>[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.,][0-9]{{1,9}})?)?)"
    r" ?(?:z|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)"
)
_YEAR = r"(?:(?:, ?| )(?P<year>[0-9]{4}))?"
_DAYS = [
    re.compile(_ISO_DAY),
    re.compile(rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>[a-z]+)\.?{_YEAR}"),
    re.compile(rf"(?P<month>[a-z]+)\.? (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?{_YEAR}"),
]
_WEEKDAY_FIRST = re.compile(r"(?P<weekday>[a-z]+)(?:, ?| )(?P<day>.*[0-9].*)")
_SPAN = re.compile(
    r"(?P<count>[0-9]{1,4}(?:[.,][0-9]{1,2})?) ?(?P<unit>m|min|mins|minutes?|h|hours?|hrs?|d|days?|w|weeks?)\.?"
)
_SPANS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMERIC_DAY = re.compile(r"(?<![0-9./-])([0-9]{1,2})([./-])([0-9]{1,2})(?:\2([0-9]{2,4}))?(?![0-9])")


@dataclass(frozen=True, slots=True)
class When:
    """A due time. `wall_time` is the one really used; `note` says what a gap or a fold of the clocks decided.

    `due_at` is UTC with whole seconds. `wall_time` shows seconds only when there are some: `2026-12-01 09:00`.
    """

    due_at: datetime
    wall_time: str
    time_zone: str
    note: str | None


def resolve(text: str, zone: str, *, now: datetime, allow_past: bool = False) -> When:
    """Turn what a person wrote into a due time; `now` is any aware instant and the only clock.

    Raises `BadInput` for what is unclear, incomplete, followed by anything else, past, or years away. A day without
    its year is the next one from today on; a weekday is the next one strictly after `now`. Fills in nothing else.
    """
    zone = check_zone(zone)
    now = now.astimezone(UTC).replace(microsecond=0)
    due_at, note = _instant(text, zone, now)
    if due_at < now and not allow_past:
        raise BadInput(f"{show(due_at, zone)} is in the past.", next_step="Choose a later time, or use --now.")
    wall = due_at.astimezone(_tz(zone)).replace(tzinfo=None)
    return When(due_at, f"{wall:%Y-%m-%d} {_clock(wall)}", zone, note)


def check_zone(name: str) -> str:
    """Give the canonical spelling of a zone: an IANA name, or `AoE`. An unknown one is a `BadInput` with near ones."""
    wanted = " ".join(name.split()).lower()
    if wanted in _AOE_NAMES:
        return AOE
    if wanted in _zones():
        return _zones()[wanted]
    near = _near(wanted)
    step = f"Did you mean {' or '.join(near)}?" if near else _ZONE_EXAMPLES
    raise BadInput(f"{_quoted(name)} is not a time zone." if wanted else "No time zone is given.", next_step=step)


def show(instant: datetime, zone: str) -> str:
    """Say an aware instant in the words of a zone: `Tue 1 Dec 2026, 09:00 America/New_York (EST)`. English everywhere."""
    zone = check_zone(zone)
    local = instant.astimezone(_tz(zone))
    short = _offset_name(local) if zone == AOE else _short_name(local)
    suffix = "" if short == zone else f" ({short})"
    day = f"{_WEEKDAYS[local.weekday()][:3]} {local.day} {_MONTHS[local.month - 1][:3]} {local.year}"
    return f"{day}, {_clock(local)} {zone}{suffix}"


def local(instant: datetime, zone: str) -> datetime:
    """Give an aware instant on the wall clocks of a zone."""
    return instant.astimezone(_tz(check_zone(zone)))


def midnight(day: date, zone: str) -> datetime:
    """Give the instant, in UTC, at which a day begins in a zone."""
    return wall_time_to_utc(datetime.combine(day, time()), zone)[0]


def time_left(instant: datetime, *, now: datetime) -> str:
    """Say how long it is until an instant: `in 3 hours`, `in 2 days`, `now`; of one that is past, `20 minutes ago`."""
    seconds = (instant - now).total_seconds()
    minutes = round(abs(seconds) / 60)
    if minutes == 0:
        return "now"
    count, unit = (minutes, "minute") if minutes < 90 else (round(minutes / 60), "hour")
    if unit == "hour" and count >= 48:
        count, unit = round(minutes / 1440), "day"
    said = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {said}" if seconds > 0 else f"{said} ago"


def day_of(instant: datetime, zone: str) -> date:
    """Say on which day an instant falls in a zone."""
    return local(instant, zone).date()


def show_day(day: date) -> str:
    """Say a day in full: `Tuesday 1 December 2026`."""
    return f"{_WEEKDAYS[day.weekday()]} {_long_day(day)}"


def changed_due(post: Post) -> datetime | None:
    """Say when a post is due by today's rules of its zone, if that is not when it was planned for; else None.

    Of a wall time that comes twice either instant is as planned: a letter may have meant the second.
    """
    wall = datetime.fromisoformat(post.wall_time)
    due, _ = wall_time_to_utc(wall, post.time_zone)
    second = wall.replace(tzinfo=_tz(post.time_zone), fold=1).astimezone(UTC)
    planned = post.planned_at.replace(microsecond=0)
    return None if planned in (due, second) else due


def fingerprint(zone: str, *, now: datetime) -> str:
    """Sum up the rules of a zone from a year ago to ten years ahead: another text means other rules.

    Looks at every sixth hour, and so finds every change of the clocks that anybody has made so far.
    """
    tz, start = _tz(zone), now.astimezone(UTC).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    rules = hashlib.sha256()
    before: timedelta | None = None
    for step in range(-4 * 366, 4 * 3660):
        instant = start + timedelta(hours=6 * step)
        offset = instant.astimezone(tz).utcoffset()
        if offset != before:
            rules.update(f"{instant:%Y-%m-%dT%H} {offset}\n".encode())
            before = offset
    return rules.hexdigest()[:32]


def span(text: str) -> timedelta:
    """Read how long something lasts: `90 minutes`, `2 h`, `1.5 days`, `1 week`. At least a minute, at most a year."""
    found = _SPAN.fullmatch(" ".join(text.split()).lower())
    length = timedelta(seconds=float(found["count"].replace(",", ".")) * _SPANS[found["unit"][:1]]) if found else None
    if length is None:
        raise BadInput(f"{_quoted(text)} is no span of time.", where="grace", next_step="Write it such as 2 hours.")
    if not timedelta(minutes=1) <= length <= timedelta(days=366):
        raise BadInput(
            f"{_quoted(text)} is too short or too long.",
            where="grace",
            next_step="From a minute to a year is possible.",
        )
    return length


def wall_time_to_utc(wall: datetime, zone: str) -> tuple[datetime, str | None]:
    """Find the one instant of a naive wall time, whatever its `fold`, and a note when the clocks left a choice.

    A time in a gap moves forward by the gap; of a time that comes twice it is the first. `zoneinfo` says neither: it
    gives a wrong instant for a time that does not exist, so each answer is taken back to the wall and compared.
    """
    tz = _tz(zone)
    try:
        first = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
        second = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
        used = first.astimezone(tz)
    except OverflowError:
        raise BadInput(f"The year {wall.year} is too far away.", next_step="Check the year.") from None
    if used.replace(tzinfo=None) != wall:
        return first, _gap_note(wall, used, zone)
    if second != first:
        return first, f"{_twice(wall, zone)} The first one is used: {_clock(used)} {_short_name(used)}."
    return first, None


def _instant(text: str, zone: str, now: datetime) -> tuple[datetime, str | None]:
    words = " ".join(text.split()).lower()
    today = now.astimezone(_tz(zone)).date()
    if not words:
        raise BadInput("No time is given.", next_step=f"Write a day and a time, for example {_EXAMPLE}.")
    if len(words) > _LONGEST_TEXT:
        raise _not_understood(words)
    if words == "now":
        return now, None
    if found := _WITH_OFFSET.fullmatch(words):
        return _given_instant(found, zone, today)
    days, at = _day_and_time(words, today)
    due = [wall_time_to_utc(datetime.combine(day, at), zone) for day in days]
    return next((d for d in due if d[0] > now), due[-1])


def _given_instant(found: re.Match[str], zone: str, today: date) -> tuple[datetime, str | None]:
    day = _one_day(found, today)[0]
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise BadInput("No place on Earth is that far from UTC.", next_step="Check the part after the time.")
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if found["sign"] == "-" else 1)
    instant = datetime.combine(day, _read_time(found["time"]), timezone(offset)).astimezone(UTC)
    local = instant.astimezone(_tz(zone))
    if not local.fold:
        return instant, None
    return instant, f"{_twice(local, zone)} The second one is meant: {_clock(local)} {_short_name(local)}."


def _day_and_time(words: str, today: date) -> tuple[list[date], time]:
    """Split at the time, wherever it stands. The days are those to choose from, in order; mostly there is one."""
    spaced = re.sub(r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})t(?=[0-9])", r"\1 ", words)
    for pattern in (_DAY_THEN_TIME, _TIME_THEN_DAY):
        found = pattern.fullmatch(spaced)
        if found and (days := _days(found["day"], today)):
            return days, _read_time(found["time"])
    if _days(words, today):
        raise BadInput(f"{_quoted(words)} has no time.", next_step=f"Say at what time, for example {_EXAMPLE}.")
    if _TIME.fullmatch(words):
        raise BadInput(f"{_quoted(words)} has no day.", next_step=f"Say on which day, for example {_EXAMPLE}.")
    raise _not_understood(words)


def _days(words: str, today: date) -> list[date]:
    words = words.removeprefix("on ")
    relative = {"today": today, "tomorrow": today + timedelta(days=1)}
    if words in relative:
        return [relative[words]]
    if words in _WEEKDAY_OF:
        coming = today + timedelta(days=(_WEEKDAY_OF[words] - today.weekday()) % 7)
        return [coming, coming + timedelta(days=7)]
    found = _WEEKDAY_FIRST.fullmatch(words)
    if found and found["weekday"] in _WEEKDAY_OF:
        return _on_weekday(_days(found["day"], today), _WEEKDAY_OF[found["weekday"]])
    matches = (pattern.fullmatch(words) for pattern in _DAYS)
    return next((_one_day(m, today) for m in matches if m and _month(m)), [])


def _on_weekday(days: list[date], weekday: int) -> list[date]:
    if days and days[0].weekday() != weekday:
        message = f"{_long_day(days[0])} is a {_WEEKDAYS[days[0].weekday()]}, not a {_WEEKDAYS[weekday]}."
        raise BadInput(message, next_step="Correct one of the two, or leave the weekday out.")
    return days


def _month(found: re.Match[str]) -> int:
    return int(found["month"]) if found["month"].isdigit() else _MONTH_OF.get(found["month"], 0)


def _one_day(found: re.Match[str], today: date) -> list[date]:
    month, day, year = _month(found), int(found["day"]), found["year"]
    first, last = today.year - _YEARS_BACK, today.year + _YEARS_AHEAD
    if year and not first <= int(year) <= last:
        raise BadInput(f"The year {year} is not between {first} and {last}.", next_step="Check the year.")
    for candidate in [int(year)] if year else range(today.year, last + 1):
        try:
            found_day = date(candidate, month, day)
        except ValueError:
            continue  # 29 February, in most years
        if year or found_day >= today:
            return [found_day]
    name = f"{day} {_MONTHS[month - 1]} {year or ''}".strip() if 1 <= month <= 12 else f"month {month}"
    raise BadInput(f"There is no {name}.", next_step="Check the day in a calendar.")


def _read_time(words: str) -> time:
    found = _TIME.fullmatch(words)
    if found is None or found["word"] == "midnight":
        step = "Write 00:00 for the start of the day or 23:59 for its end."
        raise BadInput("Midnight can mean the start or the end of a day.", next_step=step)
    if found["word"]:
        return time(12)
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    half = (found["half"] or found["hour_half"] or "")[:1]
    try:
        if half and not 1 <= hour <= 12:
            raise ValueError(half)
        return time(hour % 12 + (12 if half == "p" else 0) if half else hour, minute, second)
    except ValueError:
        raise BadInput(f"{_quoted(words)} is not a time of day.", next_step="Write it as 09:00 or 9am.") from None


def _not_understood(words: str) -> BadInput:
    found = _NUMERIC_DAY.search(words)
    if found is None or (found[2] != "/" and not found[4]):
        step = f"Write it as {_EXAMPLE} and nothing more; the time zone is given apart."
        return BadInput(f"{_quoted(words)} is not a time we understand.", next_step=step)
    year = f"20{found[4]}" if found[4] and len(found[4]) == 2 else found[4] or "2026"
    orders = ((found[3], found[1]), (found[1], found[3]))
    meant = [f"{year}-{int(m):02}-{int(d):02}" for m, d in orders if int(m) <= 12]
    step = f"Write the year first: {' or '.join(dict.fromkeys(meant)) or '2026-02-01'}."
    return BadInput(f"{_quoted(found[0])} does not say which number is the day.", next_step=step)


def _gap_note(wall: datetime, used: datetime, zone: str) -> str:
    gap = f"the clocks go forward by {_length(used.replace(tzinfo=None) - wall)}"
    other_day = "" if used.date() == wall.date() else f" on {_long_day(used)}"
    missing = f"{_clock(wall)} on {_long_day(wall)} does not exist in {zone}: {gap}."
    return f"{missing} It is moved to {_clock(used)} {_short_name(used)}{other_day}."


def _twice(wall: datetime, zone: str) -> str:
    return f"{_clock(wall)} on {_long_day(wall)} comes twice in {zone}, because the clocks go back."


def _length(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    count, unit = (minutes, "minute") if minutes % 60 else (minutes // 60, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _long_day(moment: date) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _short_name(local: datetime) -> str:
    name = local.tzname() or ""
    return name if name.isalpha() else _offset_name(local)


def _offset_name(local: datetime) -> str:
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def _quoted(text: str) -> str:
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return '"' + "".join(c if c.isprintable() else "\ufffd" for c in short) + '"'


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() - _NOT_ZONES}


def _tz(zone: str) -> ZoneInfo:
    name = check_zone(zone)
    return ZoneInfo(_AOE_KEY if name == AOE else name)


def _near(wanted: str) -> list[str]:
    place = wanted.rpartition("/")[2].replace(" ", "_")
    places = {key.rpartition("/")[2]: name for key, name in sorted(_zones().items())}
    meant = [name for name, short in _ABBREVIATIONS.items() if wanted in short.split()]
    by_place = [places[found] for found in get_close_matches(place, places, 3, 0.8)]
    by_name = [_zones()[found] for found in get_close_matches(wanted, _zones(), 3, 0.8)]
    return meant or list(dict.fromkeys(by_place + by_name))[:3]

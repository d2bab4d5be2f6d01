"""Typed fields: what a template asks for, and what a person gave for it, read as a date, a time, an address … or refused."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TypeAlias
from urllib.parse import urlsplit

from outreach.model import BadInput, FieldValue

FIELD_TYPES = ("text", "date", "time", "url", "choice", "person", "list")
MAX_CHARS = 20_000
MAX_ENTRIES = 200

_MONTHS = ["January", "February", "March", "April", "May", "June"]
_MONTHS += ["July", "August", "September", "October", "November", "December"]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_OF = {form: n for n, m in enumerate(_MONTHS, 1) for form in (m.lower(), m[:3].lower())} | {"sept": 9}

_DAYS = [
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)? (?P<month>[a-z]+)\.?,? (?P<year>[0-9]{4})"),
    re.compile(r"(?P<month>[a-z]+)\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})"),
]
_ZONE = r"AoE|(?:UTC|GMT)[+-][0-9]{1,2}(?::[0-9]{2})?|[A-Z]{1,5}|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+"
_TIME = re.compile(
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?" rf"(?: (?P<zone>{_ZONE}))?"
)
_PERSON = re.compile(r"(?P<name>[^<>]*?) ?<(?P<address>[^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a template asks for. `choices` are the spellings that a field of type choice takes."""

    name: str
    type: str
    help: str = ""
    example: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()

    def sample(self) -> str:
        """Show how it is to be filled: its own example, or one of its type."""
        first_choice = self.choices[0] if self.choices else ""
        return self.example or first_choice or _SAMPLES.get(self.type, "")


class Day(date):
    """A date that prints as people read it: `15 January 2027`, in no language but English."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.day} {_MONTHS[self.month - 1]} {self.year}"

    def weekday_name(self) -> str:
        """Name its day of the week: `Friday`."""
        return _WEEKDAYS[self.weekday()]


@dataclass(frozen=True, slots=True)
class Person:
    """A role or a name, and perhaps an address. Prints as Markdown, with the address as a link."""

    name: str
    address: str = ""

    def __str__(self) -> str:
        if not self.address:
            return self.name
        return f"{self.name} (<{self.address}>)" if self.name else f"<{self.address}>"


class Texts(tuple[str, ...]):
    """The entries of a list. Prints as a sentence would count them: `a, b and c`; with `;` if an entry holds a comma."""

    __slots__ = ()

    def __str__(self) -> str:
        if len(self) < 2:
            return "".join(self)
        comma, last = ("; ", "; and ") if any("," in entry for entry in self) else (", ", " and ")
        return comma.join(self[:-1]) + last + self[-1]


Value: TypeAlias = str | Day | Person | Texts


def read_fields(fields: Sequence[Field], given: Sequence[tuple[str, FieldValue]], *, where: str) -> dict[str, Value]:
    """Read all that was given for the fields of a template. What is optional and not given is empty.

    Raises `BadInput` for an unknown field, for every missing one at once, and for the first that is not of its type.
    """
    named = dict(given)
    if len(named) < len(given):
        twice = next(name for name in named if sum(name == other for other, _ in given) > 1)
        raise BadInput("It is given twice.", where=f"{where}, field {twice}", next_step="Keep one of the two.")
    _refuse_unknown([f.name for f in fields], list(named), where)
    _refuse_missing([f for f in fields if not f.optional and _is_empty(named.get(f.name, ""))], where)
    return {f.name: _read_given(f, named.get(f.name, ""), where) for f in fields}


def read_value(field: Field, given: FieldValue) -> Value:
    """Read one value that is not empty as the type of its field. Raises `BadInput` that shows the expected form."""
    if field.type == "list":
        return _read_list(field, given)
    if not isinstance(given, str):
        raise _mistyped(field, ", ".join(given), "not a list")
    text = _clean(field, given)
    return text if field.type == "text" else _READERS[field.type](field, text)


def dates_in(fields: Sequence[Field], given: Sequence[tuple[str, FieldValue]]) -> dict[str, date]:
    """Give the dates among what was given, by the names of their fields; what cannot be read yet is left out."""
    named, found = dict(given), dict[str, date]()
    for field in fields:
        text = named.get(field.name)
        if field.type == "date" and isinstance(text, str) and text.strip():
            try:
                value = read_value(field, text)
            except BadInput:
                continue
            if isinstance(value, date):
                found[field.name] = value
    return found


def is_odd(text: str) -> bool:
    """Tell whether a text holds a control character, a line or paragraph separator, or half a character."""
    return any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text)


def _is_empty(given: FieldValue) -> bool:
    return not given.strip() if isinstance(given, str) else not any(entry.strip() for entry in given)


def _refuse_unknown(names: list[str], given: list[str], where: str) -> None:
    for name in given:
        if name not in names:
            near = get_close_matches(name[:40].lower(), names, 1)
            step = f'Did you mean "{near[0]}"?' if near else f"The fields are: {', '.join(names) or 'none'}."
            raise BadInput("The template has no such field.", where=f"{where}, field {name[:40]}", next_step=step)


def _refuse_missing(missing: list[Field], where: str) -> None:
    if not missing:
        return
    lines = [f"{f.name}: {_one_line(f.sample())}" for f in missing]
    if len(missing) == 1:
        where, message = f"{where}, field {missing[0].name}", f"{_KINDS[missing[0].type]} is missing."
    else:
        message = f"{len(missing)} fields are missing: {', '.join(f.name for f in missing)}."
    raise BadInput(message, where=where, next_step=f"Fill in, for example: {' | '.join(lines)}")


def _read_given(field: Field, given: FieldValue, where: str) -> Value:
    if _is_empty(given):
        return Texts() if field.type == "list" else ""
    try:
        return read_value(field, given)
    except BadInput as trouble:
        where = f"{where}, field {field.name}"
        raise BadInput(trouble.message, where=where, next_step=trouble.next_step) from None


def _clean(field: Field, given: str) -> str:
    text = given.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MAX_CHARS:
        raise BadInput(f"The text has {len(text):,} characters; a field takes {MAX_CHARS:,}.", next_step="Shorten it.")
    if is_odd(text.replace("\n", "").replace("\t", "")):
        raise BadInput(
            "The text holds an invisible control character.", next_step="Type it again instead of pasting it."
        )
    if field.type not in ("text", "list") and "\n" in text:
        raise _mistyped(field, text, "not several lines")
    return text


def _mistyped(field: Field, given: str, instead: str = "") -> BadInput:
    shown = _one_line(given)
    shown = f"{shown[:40]}…" if len(shown) > 40 else shown
    message = f"{_KINDS[field.type]} is expected, {instead or f'not {shown!r}'}."
    if field.type == "choice":
        return BadInput(message, next_step=f"Write one of: {', '.join(field.choices)}.")
    return BadInput(message, next_step=f"Write it like {_one_line(field.sample())}.")


def _one_line(text: str) -> str:
    return " ".join(text.split())


# One reader per type. Each is given a cleaned text that is not empty.


def _read_date(field: Field, text: str) -> Day:
    for form in _DAYS:
        if found := form.fullmatch(_one_line(text).lower()):
            month = found["month"]
            number = int(month) if month.isdecimal() else _MONTH_OF.get(month, 0)
            try:
                return Day(int(found["year"]), number, int(found["day"]))
            except ValueError:
                break
    raise _mistyped(field, text)


def _read_time(field: Field, text: str) -> str:
    found = _TIME.fullmatch(_one_line(text))
    if found is None or not (found["minute"] or found["half"]):
        raise _mistyped(field, text)
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise _mistyped(field, text)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{minute:02}" + (f" {found['zone']}" if found["zone"] else "")


def _read_url(field: Field, text: str) -> str:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.username is not None or re.search(r"[\s<>\"\\^`{|}]", text):
        raise _mistyped(field, text)
    return text


def _read_choice(field: Field, text: str) -> str:
    for choice in field.choices:
        if choice.casefold() == _one_line(text).casefold():
            return choice
    raise _mistyped(field, text)


def _read_person(field: Field, text: str) -> Person:
    found = _PERSON.fullmatch(_one_line(text))
    if found is None and not re.search(r"[<>@]", text):
        return Person(_one_line(text))
    name, address = (found["name"], found["address"]) if found else ("", text)
    # Here, not above: it takes 25 ms that most starts do not need.
    from email_validator import EmailNotValidError, validate_email

    try:
        return Person(name.strip('" '), validate_email(address, check_deliverability=False).normalized)
    except EmailNotValidError:
        raise _mistyped(field, text) from None


def _read_list(field: Field, given: FieldValue) -> Texts:
    """A tuple is taken as it is; of a text, each line is an entry, and a single line may part them by `;`."""
    if isinstance(given, str):
        text = _clean(field, given)
        given = tuple(text.split("\n") if "\n" in text else text.split(";"))
    entries = Texts(entry for entry in (_clean(field, part) for part in given) if entry)
    if not entries:
        raise _mistyped(field, "; ".join(given))
    if len(entries) > MAX_ENTRIES:
        raise BadInput(f"The list has {len(entries):,} entries; a field takes {MAX_ENTRIES}.", next_step="Shorten it.")
    return entries


_READERS: dict[str, Callable[[Field, str], Value]] = {
    "date": _read_date,
    "time": _read_time,
    "url": _read_url,
    "choice": _read_choice,
    "person": _read_person,
}
_KINDS = {
    "text": "A text",
    "date": "A date",
    "time": "A time",
    "url": "A web address (http or https)",
    "choice": "A choice",
    "person": "A role or name, or Role <address>,",
    "list": "A list",
}
_SAMPLES = {
    "text": "some words",
    "date": "2027-01-15",
    "time": "18:30",
    "url": "https://example.org/abstracts",
    "person": "SIG chairs <chairs@example.org>",
    "list": "first; second; third",
}

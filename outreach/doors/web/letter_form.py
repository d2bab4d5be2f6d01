"""The form of an announcement: what is typed in it, and the letter that this makes.

Everything typed is kept as it was typed, so that a refusal loses nothing; names of inputs are their ids on the page.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from outreach import letter as letters
from outreach import when
from outreach.doors.web.frame import Form
from outreach.fields import Day, Field, is_odd, read_value
from outreach.model import FOR_PAGES, BadInput, FieldValue, Letter, Picture
from outreach.wording import Template, put_together, sections

MOST_PICTURES = 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d(?::\d\d)?", re.ASCII)
_PLAIN = re.compile(rf"({_DAY.pattern})?[ T]?({_CLOCK.pattern})?", re.ASCII)
_WITH_OFFSET = re.compile(r".*\d(?:[zZ]|[+-]\d\d:?\d\d)", re.ASCII)
_OTHER_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class TypedTime:
    """A date and a time as typed. `kept` is what a letter says instead of them, as long as they are not changed."""

    date: str = ""
    time: str = ""
    kept: str = ""
    is_soon: bool = False

    @property
    def date_type(self) -> str:
        """Which input shows the date: one that knows dates cannot show what is none."""
        return "date" if is_day(self.date) else "text"

    @property
    def time_type(self) -> str:
        """Which input shows the time."""
        return "time" if not self.time or _CLOCK.fullmatch(self.time) else "text"

    def at(self, zone: str, *, now: datetime) -> str | None:
        """Give the text that a letter holds for it."""
        if self.is_soon:
            return "now"
        if self.kept:
            was = laid_out_time(self.kept, zone, now=now)
            if (was.date, was.time) == (self.date, self.time):
                return self.kept
        return " ".join(part for part in (self.date, self.time) if part) or None


@dataclass(frozen=True, slots=True)
class TypedPicture:
    """A picture as the form has it."""

    file: str
    alt: str = ""
    is_decorative: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """Everything that the form holds. `own` are wordings, `times` times of single channels; `fields` of the template."""

    title: str = ""
    body: str = ""
    template: str = ""
    link: str = ""
    zone: str = ""
    at: TypedTime = TypedTime()
    not_after: TypedTime = TypedTime()
    grace: str = ""
    to: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, TypedTime] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[TypedPicture, ...] = ()
    corrects: str = ""
    retracts: str = ""
    starts: str = ""
    ends: str = ""
    place: str = ""
    first_comment: str = ""
    video: str = ""
    video_title: str = ""
    captions: str = ""
    page_place: str = ""
    targeting: str = ""


def is_day(text: str) -> bool:
    """Tell whether an input for dates can show it."""
    return not text or bool(_DAY.fullmatch(text))


# From a form that was sent


def typed_in(form: Form) -> Typed:
    """Read what was typed. Refuses nothing."""
    pictures = tuple(dict.fromkeys(_all(form, "picture")))
    starts = {name.partition(".")[0]: name for name in form.fields if name.startswith(("date.", "time.", "soon."))}
    channels = {name.partition(".")[2] for name in form.fields if name.partition(".")[0] in starts}
    return Typed(
        title=_one(form, "title"),
        body=_one(form, "body"),
        template=_one(form, "template"),
        link=_one(form, "link"),
        zone=_one(form, "zone"),
        at=TypedTime(_one(form, "date"), _one(form, "time"), _one(form, "kept"), _one(form, "when") == "soon"),
        not_after=TypedTime(_one(form, "not_after_date"), _one(form, "not_after_time"), _one(form, "not_after_kept")),
        grace=_one(form, "grace"),
        to=tuple(dict.fromkeys(_all(form, "to"))),
        own=_under(form, "own"),
        times={name: _time_of(form, name) for name in sorted(channels)},
        fields=_under(form, "field"),
        pictures=tuple(_picture(form, file) for file in pictures if file),
        corrects=_one(form, "corrects"),
        retracts=_one(form, "retracts"),
        starts=_one(form, "starts"),
        ends=_one(form, "ends"),
        place=_one(form, "place"),
        **{name: _one(form, name) for name in FOR_PAGES},
    )


def _time_of(form: Form, name: str) -> TypedTime:
    date, time, kept = (_one(form, f"{part}.{name}") for part in ("date", "time", "kept"))
    return TypedTime(date, time, kept, is_soon=bool(_one(form, f"soon.{name}")))


def _picture(form: Form, file: str) -> TypedPicture:
    return TypedPicture(file, _one(form, f"alt.{file}"), bool(_one(form, f"decorative.{file}")))


def _one(form: Form, name: str) -> str:
    """Give the whole text, however long: what was typed is not cut without a word."""
    value = form.fields.get(name, "")
    return _OTHER_LINE_ENDS.sub("\n", value) if isinstance(value, str) else ""


def _all(form: Form, name: str) -> list[str]:
    return [_OTHER_LINE_ENDS.sub("\n", text) for text in form.texts(name)]


def _under(form: Form, group: str) -> dict[str, str]:
    return {n.removeprefix(f"{group}."): _one(form, n) for n in form.fields if n.startswith(f"{group}.")}


# From a letter


def laid_out(letter: Letter, template: Template | None, *, channels: Sequence[str], zone: str, now: datetime) -> Typed:
    """Show a letter in the form. `zone` is that of the community."""
    common, own = sections(letter.body)
    known = {f.name: f for f in template.fields} if template else {}
    in_zone = letter.zone or zone
    return Typed(
        title=letter.title,
        body=common,
        template=letter.template or "",
        link=letter.link or "",
        zone=in_zone,
        at=laid_out_time(letter.at, in_zone, now=now),
        not_after=laid_out_time(letter.not_after, in_zone, now=now),
        grace=letter.grace or "",
        to=letter.to or tuple(channels),
        own=own,
        times={name: laid_out_time(at, in_zone, now=now) for name, at in letter.times},
        fields={name: _shown(known.get(name), value) for name, value in letter.fields},
        pictures=tuple(TypedPicture(p.file, p.alt or "", p.alt is None) for p in letter.pictures),
        corrects=letter.corrects or "",
        retracts=letter.retracts or "",
        starts=letter.starts or "",
        ends=letter.ends or "",
        place=letter.place or "",
        **{name: getattr(letter, name) or "" for name in FOR_PAGES if name != "targeting"},
        targeting=", ".join(letter.targeting),
    )


def laid_out_time(at: str | None, zone: str, *, now: datetime) -> TypedTime:
    """Show the time of a letter: its own day and clock, or those that its words mean now."""
    text = (at or "").strip()
    if not text or text.lower() == "now":
        return TypedTime(is_soon=bool(text))
    if found := _PLAIN.fullmatch(text):
        return TypedTime(found[1] or "", found[2] or "")
    try:
        day, _, clock = when.resolve(text, zone, now=now, allow_past=True).wall_time.partition(" ")
    except BadInput:
        return TypedTime(kept=text)
    return TypedTime(day, clock, text if _WITH_OFFSET.fullmatch(text) else "")


def _shown(known: Field | None, value: FieldValue) -> str:
    if isinstance(value, tuple):
        return "\n".join(value)
    if known is None or known.type not in ("date", "list"):
        return value
    try:
        read = read_value(known, value)
    except BadInput:
        return value
    return read.isoformat() if isinstance(read, Day) else "\n".join(read) if isinstance(read, tuple) else value


# To a letter


def letter_of(typed: Typed, template: Template | None, *, now: datetime) -> Letter:
    """Make the letter, finished or not, just as it will be read again. Raises `BadInput` with the id of the field."""
    _refuse_odd_characters(typed)
    zone = _line(typed.zone)
    read_in = zone if _is_zone(zone) else "UTC"
    times = ((name, typed.times[name].at(read_in, now=now)) for name in typed.to if name in typed.times)
    letter = Letter(
        title=_line(typed.title),
        body=_body(typed),
        template=typed.template or None,
        to=typed.to,
        at=typed.at.at(read_in, now=now),
        zone=zone or None,
        not_after=typed.not_after.at(read_in, now=now),
        grace=_line(typed.grace) or None,
        link=_line(typed.link) or None,
        pictures=_pictures(typed),
        fields=tuple(_fields(typed, template)),
        times=tuple((name, at) for name, at in times if at),
        corrects=_line(typed.corrects) or None,
        retracts=_line(typed.retracts) or None,
        starts=_line(typed.starts) or None,
        ends=_line(typed.ends) or None,
        place=_line(typed.place) or None,
        first_comment=typed.first_comment.strip() or None,
        video=_line(typed.video) or None,
        video_title=_line(typed.video_title) or None,
        captions=_line(typed.captions) or None,
        page_place=_line(typed.page_place) or None,
        targeting=tuple(dict.fromkeys(typed.targeting.replace(",", " ").split())),
    )
    try:
        return letters.parse(letters.show(letter), is_draft=True)
    except BadInput as bad:
        raise BadInput(bad.message, where="body", next_step=bad.next_step) from None


def _line(text: str) -> str:
    return " ".join(text.split())


def _is_zone(name: str) -> bool:
    try:
        return bool(when.check_zone(name))
    except BadInput:
        return False


def _body(typed: Typed) -> str:
    common, own = sections(typed.body)
    for name, text in typed.own.items():
        if not text.strip():
            continue
        if name in own:
            step = f"Keep it in one of the two: in the text for all, or in the wording for {name}."
            raise BadInput(f"There are two wordings for {name}.", where=f"own.{name}", next_step=step)
        if sections(text)[1]:
            step = "Take the line <!-- channel: … --> out."
            raise BadInput(
                f"The wording for {name} holds that of another channel.", where=f"own.{name}", next_step=step
            )
        own[name] = text.strip("\n")
    return put_together(common, own) if own else common


def _pictures(typed: Typed) -> tuple[Picture, ...]:
    if len(typed.pictures) > MOST_PICTURES:
        step = f"Leave some out: {MOST_PICTURES} are possible."
        raise BadInput(f"These are {len(typed.pictures)} pictures.", where="pictures", next_step=step)
    return tuple(Picture(p.file, None if p.is_decorative else p.alt.strip()) for p in typed.pictures)


def _fields(typed: Typed, template: Template | None) -> Iterable[tuple[str, FieldValue]]:
    known = {f.name: f for f in template.fields} if template else {}
    for name in [*known, *(n for n in typed.fields if n not in known)]:
        text = typed.fields.get(name, "").strip()
        if not text:
            continue
        is_list = name in known and known[name].type == "list"
        yield name, tuple(line.strip() for line in text.split("\n") if line.strip()) if is_list else text


def _refuse_odd_characters(typed: Typed) -> None:
    texts = {"title": typed.title, "body": typed.body, "link": typed.link, "zone": typed.zone, "grace": typed.grace}
    texts |= {name: getattr(typed, name) for name in FOR_PAGES}
    texts |= {"starts": typed.starts, "ends": typed.ends, "place": typed.place}
    texts |= {"date": typed.at.date + typed.at.time + typed.at.kept}
    texts |= {"not_after_date": typed.not_after.date + typed.not_after.time + typed.not_after.kept}
    texts |= {f"own.{name}": text for name, text in typed.own.items()}
    texts |= {f"date.{name}": at.date + at.time + at.kept for name, at in typed.times.items()}
    texts |= {f"field.{name}": text for name, text in typed.fields.items()}
    texts |= {f"alt.{p.file}": p.alt + p.file for p in typed.pictures}
    texts |= {
        "to": "".join(typed.to),
        "template": typed.template,
        "title": typed.title + typed.corrects + typed.retracts,
    }
    for where, text in texts.items():
        if is_odd(text.replace("\n", "").replace("\t", "")):
            raise BadInput(
                "The text holds an invisible control character.",
                where=where,
                next_step="Type it again instead of pasting it.",
            )


# What a refusal is about


_PLACES = {"at": "date", "not after": "not_after_date", "times": "to"}
_OF_FIELD = re.compile(r".*\bfield (\S+)")


def placed(bad: BadInput, typed: Typed, template: Template | None) -> BadInput:
    """Give the refusal with the id of the field that it is about as its place."""
    return BadInput(bad.message, where=_place(bad, typed, template), next_step=bad.next_step)


def _place(bad: BadInput, typed: Typed, template: Template | None) -> str:
    where = bad.where
    own_ids = ("starts", "ends", "place", "title", "body", "zone", "link", "grace", "to", "date", "not_after_date")
    if where in (*own_ids, *FOR_PAGES) or where.startswith(("own.", "field.", "alt.", "date.")):
        return where
    if where == "pictures":
        bare = [p for p in typed.pictures if not p.is_decorative and not p.alt.strip()]
        return f"alt.{bare[0].file}" if bare else "pictures"
    if found := _OF_FIELD.fullmatch(where):
        return f"field.{found[1]}"
    if template and where == f"template {template.name}":
        needed = (f.name for f in template.fields if not f.optional)
        return next((f"field.{name}" for name in needed if not typed.fields.get(name, "").strip()), "title")
    if bad.message.startswith("The title"):
        return "title"
    return _PLACES.get(where, "body")

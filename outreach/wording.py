"""Template + letter -> the words of each channel.

A wording is written in the small language of `wording_language`. Whatever else it holds is refused when the template is
read, so that rendering cannot go wrong, and the output is bounded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from outreach.fields import FIELD_TYPES, Field, Value, is_odd, read_fields, read_value
from outreach.model import BadInput, Letter
from outreach.wording_language import GIVEN, Inspection, environment, keep_line_ends

if TYPE_CHECKING:
    import jinja2

__all__ = ["FIELD_TYPES", "Field", "Place", "Resolved", "Template", "faults", "resolve"]

MAX_CHARS = 100_000
_BODY = "\x00"  # stands for the letter's body while a wording is rendered; no field can hold it
CHANNEL_LINE = re.compile(r"[ \t]*<!--[ \t]*channel:[ \t]*(?P<channel>[A-Za-z0-9][A-Za-z0-9_.-]*)[ \t]*-->[ \t]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Place(NamedTuple):
    """Where a part of a template was read: `part` is title, body, the name of a channel, or `fields.NAME`."""

    part: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """A named wording with typed fields. `channels` pairs the name or kind of a channel with its own body."""

    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    body: str
    channels: tuple[tuple[str, str], ...] = ()
    places: tuple[Place, ...] = ()

    def where(self, part: str, line: int = 1) -> str:
        """Name the file and the line of the n-th line of a part; the template alone when nothing was read from disk."""
        place = next((p for p in self.places if p.part == part), None)
        return f"{place.file}, line {place.line + line - 1}" if place else f"template {self.name}, {part}, line {line}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an announcement says, with nothing left to fill: `body` anywhere but on the channels named in `bodies`."""

    title: str
    body: str
    bodies: tuple[tuple[str, str], ...] = ()

    def body_for(self, channel: str, kind: str) -> str:
        """Choose the wording of a channel: by its name, by its kind, or by the kind's first word (`facebook`)."""
        own = {name.lower(): body for name, body in self.bodies}
        keys = (channel.lower(), kind.lower(), kind.lower().partition("_")[0])
        return next((own[key] for key in keys if key in own), self.body)


def resolve(letter: Letter, template: Template | None, *, community: str) -> Resolved:
    """Put a letter into the words of its template; one without a template says literally what it says.

    Raises `BadInput` for fields that do not fit, for a broken template and for a title that is no single line.
    """
    common, own = sections(letter.body)
    if template is None:
        return _resolve_free(letter, common, own)
    wordings = _compiled(template)
    values = read_fields(template.fields, letter.fields, where=f"template {template.name}")
    known = {**values, "link": letter.link or "", "community": community}

    def filled(part: str, body: str) -> str:
        body = body.strip("\n") if body.strip() else ""
        text = _render(wordings[part], known | {"body": _BODY if body else ""}, template.where(part))
        return _with_body(text, body, template.where(part)) if part != "title" else text

    title = _resolve_title(letter, template, filled("title", common))
    parts = {part: part for part in wordings if part not in ("title", "body")}
    parts |= {channel: _part_for(channel, parts) for channel in own}
    bodies = tuple((channel, filled(part, own.get(channel, common))) for channel, part in parts.items())
    return Resolved(title, filled("body", common), bodies)


def sections(body: str) -> tuple[str, dict[str, str]]:
    """Part the body of a letter into what all channels get and what single channels get in its place.

    A channel's own wording begins with a line `<!-- channel: facebook -->`, as in a template.
    """
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in body.split("\n"):
        if found := CHANNEL_LINE.fullmatch(line):
            parts.append((found["channel"], []))
        else:
            parts[-1][1].append(line)
    if len(parts) == 1:
        return body, {}
    return "\n".join(parts[0][1]).strip("\n"), {name: "\n".join(lines).strip("\n") for name, lines in parts[1:]}


def put_together(common: str, own: Mapping[str, str]) -> str:
    """Write the body of a letter from what `sections` parts it into."""
    return "\n\n".join([common, *(f"<!-- channel: {name} -->\n{text}" for name, text in own.items())]).strip("\n")


def _part_for(channel: str, parts: Mapping[str, str]) -> str:
    """Choose the template's wording that a letter's own wording for a channel stands in."""
    keys = (channel, *(part for part in parts if part.partition("_")[0] == channel.partition("_")[0]))
    return next((key for key in keys if key in parts), "body")


def faults(template: Template) -> list[BadInput]:
    """Find everything that is wrong with a template itself, each with file and line. An empty list: it can be used."""
    found = [fault for field in template.fields for fault in _field_faults(template, field)]
    found += _channel_faults(template)
    used: set[str] = set()
    for part, source in _parts(template):
        inspection = Inspection(template, part, source)
        inspection.read()
        found += inspection.faults
        used |= inspection.used
    if not found:
        found += [_never_used(template, f) for f in template.fields if f.name not in used]
    return found


def _resolve_free(letter: Letter, common: str, own: Mapping[str, str]) -> Resolved:
    if letter.fields:
        step = "Name the template they belong to, or take them out."
        raise BadInput("There are fields, but no template to use them.", where="fields", next_step=step)
    return Resolved(_one_line(letter.title, "title"), common, tuple(own.items()))


def _resolve_title(letter: Letter, template: Template, pattern: str) -> str:
    if letter.title.strip():
        return _one_line(letter.title, "title")
    return _one_line(pattern, template.where("title"))


def _one_line(title: str, where: str) -> str:
    title = title.strip()
    if not title:
        raise BadInput("The title is empty.", where=where, next_step="Write one line that says what it is about.")
    if is_odd(title):
        step = "Write it in one line, without line breaks, tabs or other invisible characters."
        raise BadInput("The title is more than one plain line.", where=where, next_step=step)
    return title


def _with_body(text: str, body: str, where: str) -> str:
    """Put the letter's own text into the place the wording has for it, or below when it has none."""
    text = text.strip()
    if (text.count(_BODY) - 1) * len(body) > MAX_CHARS:
        raise _too_long(where)
    if body and _BODY not in text:
        return f"{text}\n\n{body}" if text else body
    return text.replace(_BODY, body)


def _parts(template: Template) -> list[tuple[str, str]]:
    return [("title", template.title), ("body", template.body), *template.channels]


@lru_cache(maxsize=64)
def _compiled(template: Template) -> Mapping[str, "jinja2.Template"]:
    for fault in faults(template):
        raise fault
    return {part: environment().from_string(keep_line_ends(source)) for part, source in _parts(template)}


def _render(wording: "jinja2.Template", known: Mapping[str, Value], where: str) -> str:
    pieces, size = [], 0
    for piece in wording.generate(known):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_CHARS:
            raise _too_long(where)
    return "".join(pieces)


def _too_long(where: str) -> BadInput:
    message = f"The text grows longer than {MAX_CHARS:,} characters."
    return BadInput(message, where=where, next_step="Shorten what the letter holds, or print it less often.")


# What can be wrong with a template.


def _field_faults(template: Template, field: Field) -> Iterator[BadInput]:
    where = template.where(f"fields.{field.name}")
    if not _FIELD_NAME.fullmatch(field.name) or field.name in {*GIVEN, "title", "loop"}:
        step = f"Use small letters, digits and _, and none of: {', '.join(GIVEN)}, title, loop."
        yield BadInput(f'"{field.name[:40]}" cannot be the name of a field.', where=where, next_step=step)
    elif field.type not in FIELD_TYPES:
        near = get_close_matches(field.type[:40].lower(), FIELD_TYPES, 1)
        step = f'Did you mean "{near[0]}"?' if near else f"The types are: {', '.join(FIELD_TYPES)}."
        yield BadInput(f'Field "{field.name}" has no type "{field.type[:40]}".', where=where, next_step=step)
    elif field.type == "choice" and not field.choices:
        yield BadInput(f'Field "{field.name}" has no choices.', where=where, next_step="Add choices: [one, other].")
    elif field.type != "choice" and field.choices:
        message = f'Field "{field.name}" has choices but is of type {field.type}.'
        yield BadInput(message, where=where, next_step="Make it type: choice, or take the choices out.")
    elif field.example:
        yield from _example_faults(field, where)


def _example_faults(field: Field, where: str) -> Iterator[BadInput]:
    try:
        read_value(field, field.example)
    except BadInput as trouble:
        message = f'The example of field "{field.name}" does not fit its own type: {trouble.message}'
        yield BadInput(message, where=where, next_step="Give an example that can be used as it is.")


def _channel_faults(template: Template) -> Iterator[BadInput]:
    taken = {"title", "body"}
    for channel, source in template.channels:
        where = template.where(channel)
        if channel in taken:
            step = "Keep one wording for each channel, and name none of them title or body."
            yield BadInput(f'There is a second wording for "{channel}".', where=where, next_step=step)
        elif not source.strip():
            step = "Write it, or take it out: the channel then has the wording of all."
            yield BadInput(f'The own wording of "{channel}" is empty.', where=where, next_step=step)
        taken.add(channel)


def _never_used(template: Template, field: Field) -> BadInput:
    step = f"Write {{{{ {field.name} }}}} where it belongs, or take the field out."
    return BadInput(
        f'Field "{field.name}" is never used.', where=template.where(f"fields.{field.name}"), next_step=step
    )

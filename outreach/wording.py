"""Template + letter -> the words of each channel.

A template's wording is Jinja over Markdown, cut down to what a wording needs: print a field, `if`, a loop over a list,
a few filters. Whatever else Jinja knows is refused when the template is read, so that rendering cannot go wrong:
nothing of Python can be reached, and the output is bounded.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from outreach.fields import FIELD_TYPES, Day, Field, Person, Value, is_odd, read_fields, read_value
from outreach.model import BadInput, Letter

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["FIELD_TYPES", "Field", "Place", "Resolved", "Template", "faults", "resolve"]

MAX_CHARS = 100_000
GIVEN = {"body": "text", "link": "url", "community": "text"}
_MAX_DEPTH = 40
_BODY = "\x00"  # stands for the letter's body while a wording is rendered; no field can hold it
CHANNEL_LINE = re.compile(r"[ \t]*<!--[ \t]*channel:[ \t]*(?P<channel>[A-Za-z0-9][A-Za-z0-9_.-]*)[ \t]*-->[ \t]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAG_AFTER_TEXT = re.compile(r"^(?!(?:[ \t]*\{%[^%\n]*%\})+$)(.*[^-+\n])%\}$", re.MULTILINE)


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
        inspection = _Inspection(template, part, source)
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


# Jinja, with everything taken out that a wording does not need.


def _weekday(value: Value) -> str:
    return value.weekday_name() if isinstance(value, Day) else ""


def _iso(value: Value) -> str:
    return value.isoformat() if isinstance(value, Day) else ""


def _sentence(value: Value) -> str:
    return str(value)


def _name(value: Value) -> str:
    return (value.name or value.address) if isinstance(value, Person) else ""


def _address(value: Value) -> str:
    return value.address if isinstance(value, Person) else ""


_FILTERS: dict[str, tuple[str, Callable[[Value], str]]] = {
    "weekday": ("date", _weekday),
    "iso": ("date", _iso),
    "sentence": ("list", _sentence),
    "name": ("person", _name),
    "address": ("person", _address),
}
_ALLOWED = {"Template", "Output", "TemplateData", "Const", "If", "And", "Or", "Not", "Operand"}
_OFFER = f"A wording takes fields, if, for … in a list field, and the filters {', '.join(_FILTERS)}."


@cache
def _environment() -> "SandboxedEnvironment":
    # Here, not above: 45 ms that a start without a template does not need.
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # it is Markdown, not HTML
    )
    made.globals.clear()
    made.filters = {name: function for name, (_, function) in _FILTERS.items()}
    return made


@lru_cache(maxsize=64)
def _compiled(template: Template) -> Mapping[str, "jinja2.Template"]:
    for fault in faults(template):
        raise fault
    return {part: _environment().from_string(_keep_line_ends(source)) for part, source in _parts(template)}


def _keep_line_ends(source: str) -> str:
    """Have Jinja drop the line end after a tag only where the tag has the line for itself, not at the end of a sentence."""
    return _TAG_AFTER_TEXT.sub(r"\1+%}", source)


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


class _Inspection:
    """One wording, read node by node. What is not on the list of what a wording may hold is a fault."""

    def __init__(self, template: Template, part: str, source: str) -> None:
        self.faults: list[BadInput] = []
        self.used: set[str] = set()
        self._template = template
        self._part = part
        self._lines = source.split("\n")
        self._fields = {f.name: f for f in template.fields}
        self._types = GIVEN | {f.name: f.type for f in template.fields}
        if part == "title":
            del self._types["body"]
        self._rules: dict[str, Callable[[Any, frozenset[str], int], None]] = {
            "Name": self._name,
            "For": self._for,
            "Filter": self._filter,
            "Compare": self._compare,
            "Getattr": self._getattr,
        }

    def read(self) -> None:
        """Collect the faults of a wording and the names it uses."""
        # Here, not above: see `_environment`.
        from jinja2 import TemplateSyntaxError

        try:
            tree = _environment().parse(_keep_line_ends("\n".join(self._lines)))
        except TemplateSyntaxError as error:
            message = f"The wording cannot be read: {str(error.message).rstrip('.')}."
            self._fault(error.lineno, message, "Close every {{ with }}, every {% if … %} with {% endif %}.")
        except RecursionError:
            self._fault(1, "The wording is nested too deeply.", "Make it simpler.")
        else:
            self._visit(tree, frozenset(), 0)

    def _fault(self, line: int, message: str, step: str) -> None:
        self.faults.append(BadInput(message, where=self._template.where(self._part, line), next_step=step))

    def _refuse(self, node: "nodes.Node") -> None:
        line = node.lineno or 1
        shown = self._lines[line - 1].strip()
        self._fault(line, f"A wording cannot hold this: {shown[:60]}{'…' if len(shown) > 60 else ''}", _OFFER)

    def _visit(self, node: "nodes.Node", loop: frozenset[str], depth: int) -> None:
        kind = type(node).__name__
        # Python's own compiler takes each further elif for one level more.
        if depth + len(getattr(node, "elif_", ())) > _MAX_DEPTH:
            self._fault(node.lineno, "The wording is nested too deeply.", "Make it simpler.")
        elif kind in self._rules:
            self._rules[kind](node, loop, depth)
        elif kind in _ALLOWED:
            for child in node.iter_child_nodes():
                self._visit(child, loop, depth + 1)
        else:
            self._refuse(node)

    def _name(self, node: "nodes.Name", loop: frozenset[str], depth: int) -> None:
        self.used.add(node.name)
        if node.name not in loop and node.name not in self._types:
            near = get_close_matches(node.name[:40], self._types, 1)
            step = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(self._types)}."
            self._fault(node.lineno, f'Nothing is named "{node.name[:40]}" here.', step)

    def _for(self, node: "nodes.For", loop: frozenset[str], depth: int) -> None:
        self._visit(node.iter, loop, depth + 1)
        if loop:
            self._fault(node.lineno, "A wording cannot hold a loop inside a loop.", _OFFER)
        elif type(node.target).__name__ != "Name" or self._type_of(node.iter) != "list":
            self._fault(node.lineno, "A loop goes over one field of type list.", "Write {% for entry in speakers %}.")
        else:
            inner = frozenset({node.target.name})  # type: ignore[attr-defined]
            for child in node.iter_child_nodes(exclude=("iter", "target")):
                self._visit(child, inner, depth + 1)

    def _filter(self, node: "nodes.Filter", loop: frozenset[str], depth: int) -> None:
        if node.name not in _FILTERS:
            self._fault(node.lineno, f'There is no filter "{node.name[:40]}".', _OFFER)
        elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._fault(node.lineno, f"The filter {node.name} takes nothing in brackets.", "Take them out.")
        elif node.node is None or self._type_of(node.node) != _FILTERS[node.name][0]:
            wanted = _FILTERS[node.name][0]
            self._fault(node.lineno, f"The filter {node.name} is for a field of type {wanted}.", "Take it out.")
        else:
            self._visit(node.node, loop, depth + 1)

    def _compare(self, node: "nodes.Compare", loop: frozenset[str], depth: int) -> None:
        if any(operand.op not in ("eq", "ne") for operand in node.ops):
            self._refuse(node)
        field = self._fields.get(getattr(node.expr, "name", ""))
        for word in (getattr(operand.expr, "value", None) for operand in node.ops):
            if field and field.type == "choice" and word is not None and word not in field.choices:
                step = f"The choices are: {', '.join(field.choices)}."
                self._fault(node.lineno, f'"{str(word)[:40]}" is no choice of {field.name}.', step)
        for child in node.iter_child_nodes():
            self._visit(child, loop, depth + 1)

    def _getattr(self, node: "nodes.Getattr", loop: frozenset[str], depth: int) -> None:
        of_loop = bool(loop) and getattr(node.node, "name", "") == "loop"
        if not of_loop or node.attr not in ("first", "last", "index", "length"):
            self._refuse(node)

    def _type_of(self, node: "nodes.Node") -> str:
        return self._types.get(getattr(node, "name", ""), "") if type(node).__name__ == "Name" else ""

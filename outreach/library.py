"""The library: templates in the files of `queue/templates`, each with its fields and its wordings; read, tried and written."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from outreach.front_matter import Entry, decode, listed, one_line, read_front_matter, text_of
from outreach.front_matter import entries as entries_of
from outreach.model import BadInput
from outreach.wording import CHANNEL_LINE, Field, Place, Template, faults

_COMMENTS = "Begin a channel's own wording with <!-- channel: facebook -->; write a comment as {# … #}."
_MOVE_IT = "Give the other channel a file of its own, or put both into the template as sections."
NEW_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SUCH_A_NAME = "Write it such as call-for-abstracts, with at most 60 characters."
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class _Section(NamedTuple):
    """A wording and where it was read; the part of its place is `body` or the name of a channel."""

    text: str
    place: Place


class _Head(NamedTuple):
    """The front matter of a template, each field with its line."""

    title: str
    title_line: int
    about: str
    fields: list[tuple[Field, int]]


class Library:
    """The templates of one folder. Reads them anew each time, so that an edited file counts at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """List the names of all templates, sorted, broken ones included. Raises `BadInput` without a folder to read."""
        return [path.stem for path in self._files() if "." not in path.stem]

    def get(self, name: str) -> Template:
        """Read one template. Raises `BadInput` for a name that is not in the folder, and for a broken file."""
        names = self.names()
        if name not in names:
            raise _no_such(name, names)
        template = self._read(name)
        for fault in faults(template):
            raise fault
        return template

    def all(self) -> list[Template]:
        """Read every template, sorted by name. Raises `BadInput` for the first broken file."""
        return [self.get(name) for name in self.names()]

    def text(self, name: str) -> str:
        """Give a template's file as it is now. Raises `BadInput` for a name that is not in the folder."""
        if name not in self.names():
            raise _no_such(name, self.names())
        return _text_in(self._folder / f"{name}.md")

    def other_files(self, name: str) -> list[str]:
        """Name the files beside a template that hold its wordings for single channels."""
        return [path.name for path in self._files() if path.stem.startswith(f"{name}.")]

    def tried(self, name: str, text: str) -> Template:
        """Read a template as if its file said this. Writes nothing. Raises `BadInput` with file and line."""
        return self._read(name, text)

    def write(self, name: str, text: str) -> None:
        """Make a template's file say this, whole or not at all. The caller has tried it.

        Raises `BadInput` for a name that is not in the folder and that a new file could not have, and `OSError`.
        """
        if name not in self.names() and not NEW_NAME.fullmatch(name):
            raise BadInput("A name is made of small letters, digits and dashes.", where="name", next_step=_SUCH_A_NAME)
        _write_whole(self._folder / f"{name}.md", text)

    def problems(self) -> list[BadInput]:
        """Find everything that is wrong with the folder and its files. Raises nothing."""
        try:
            names = self.names()
            found = [_orphan(path) for path in self._files() if path.stem.partition(".")[0] not in names]
        except BadInput as trouble:
            return [trouble]
        return found + [trouble for name in names for trouble in self._problems_of(name)]

    def _problems_of(self, name: str) -> list[BadInput]:
        try:
            return faults(self._read(name))
        except BadInput as trouble:
            return [trouble]

    def _files(self) -> list[Path]:
        try:
            found = [p for p in self._folder.iterdir() if p.suffix == ".md" and not p.name.startswith(".")]
        except OSError as error:
            step = f"Make the folder, or lay out the queue anew: outreach init {self._folder.parent}"
            message = f"The folder of templates cannot be read ({error.strerror})."
            raise BadInput(message, where=str(self._folder), next_step=step) from None
        return sorted(found, key=lambda path: path.stem)

    def _read(self, name: str, given: str | None = None) -> Template:
        file = f"{name}.md"
        whole = _text_in(self._folder / file) if given is None else given
        entries, text, line = read_front_matter(whole, name=file)
        with _in_file(file):
            head = _head(entries)
            body, *own = [*_sections(text, line, file), *self._siblings(name)]
        places = [Place("title", file, head.title_line)]
        places += [Place(f"fields.{field.name}", file, line) for field, line in head.fields]
        places += [part.place for part in (body, *own)]
        channels = tuple((part.place.part, part.text) for part in own)
        fields = tuple(field for field, _ in head.fields)
        return Template(name, head.title, head.about, fields, body.text, channels, tuple(places))

    def _siblings(self, name: str) -> list[_Section]:
        """Read `NAME.CHANNEL.md` beside a template: the whole file is the wording of that channel."""
        found = []
        for path in [p for p in self._files() if p.stem.startswith(f"{name}.")]:
            whole, *rest = _sections(_text_in(path), 1, path.name)
            for part in rest:
                where = f"{path.name}, line {part.place.line - 1}"
                raise BadInput("This file is the wording of one channel only.", where=where, next_step=_MOVE_IT)
            found.append(whole._replace(place=whole.place._replace(part=path.stem.removeprefix(f"{name}."))))
        return found


@contextmanager
def _in_file(name: str) -> Iterator[None]:
    """Put the name of the file before a line number that stands alone."""
    try:
        yield
    except BadInput as trouble:
        where = f"{name}, {trouble.where}" if trouble.where.startswith("line ") else trouble.where
        raise BadInput(trouble.message, where=where, next_step=trouble.next_step) from None


def _no_such(name: str, names: Sequence[str]) -> BadInput:
    near = get_close_matches(name[:40].lower(), names, 3)
    step = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names) or 'none'}."
    return BadInput(f'There is no template "{name[:40]}".', where="template", next_step=step)


def _write_whole(file: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _text_in(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"The template cannot be read ({error.strerror})."
        raise BadInput(message, where=path.name, next_step="Look at the file and its permissions.") from None
    return re.sub(r"\r\n?", "\n", decode(data, name=path.name))


def _orphan(path: Path) -> BadInput:
    name = path.stem.partition(".")[0]
    message = f"This wording belongs to the template {name}, which is not there."
    return BadInput(message, where=path.name, next_step=f"Add {name}.md, or remove this file.")


def _known(entries: list[Entry], keys: Sequence[str] | None, *, needed: Sequence[str] = ()) -> list[Entry]:
    """Give the entries back if each key is among `keys` (None: any), none is there twice, and all `needed` are there."""
    seen: list[str] = []
    for entry in entries:
        if keys is not None and entry.key not in keys:
            near = get_close_matches(entry.key[:40].lower(), keys, 1)
            step = f'Did you mean "{near[0]}"?' if near else f"The keys are {', '.join(keys)}."
            raise entry.trouble("There is no key KEY.", step)
        if entry.key in seen:
            raise entry.trouble("KEY is there twice.", "Keep one of the two.")
        seen.append(entry.key)
    for key in needed:
        if key not in seen:
            line = entries[0].line.number if entries else 1
            raise BadInput(f'"{key}" is missing.', where=f"line {line}", next_step=f"Add a line such as {key}: …")
    return entries


def _head(entries: list[Entry]) -> _Head:
    given = {entry.key: entry for entry in _known(entries, ("title", "about", "fields"), needed=("title", "about"))}
    return _Head(
        title=_words(given["title"]),
        title_line=given["title"].line.number,
        about=_words(given["about"]),
        fields=_fields(given["fields"]) if "fields" in given else [],
    )


def _words(entry: Entry) -> str:
    words = one_line(entry)
    if not words:
        raise entry.trouble("KEY is empty.", "Write some words behind it.")
    return words


def _fields(entry: Entry) -> list[tuple[Field, int]]:
    if entry.value:
        raise entry.trouble(
            "KEY is a map, not a text.", "Write each field below it, indented, and its type below that."
        )
    parts = _known(list(entries_of(entry.block)), None)
    return [(_field(part), part.line.number) for part in parts]


def _field(entry: Entry) -> Field:
    if entry.value:
        raise entry.trouble("KEY is a field, so it is a map.", "Write type: text below it, indented.")
    parts = list(entries_of(entry.block))
    if not parts:
        raise entry.trouble("KEY has no type.", "Write type: text below it, indented.")
    given = {part.key: _FIELD_KEYS[part.key](part) for part in _known(parts, tuple(_FIELD_KEYS), needed=("type",))}
    return Field(entry.key, **given)


def _choices(entry: Entry) -> tuple[str, ...]:
    items = listed(entry)
    if items is None:
        raise entry.trouble("KEY is a list.", "Write it as [one, other].")
    return tuple(one_line(item) for item in items)


def _example(entry: Entry) -> str:
    items = listed(entry)
    return text_of(entry) if items is None else "\n".join(one_line(item) for item in items)


def _is_yes(entry: Entry) -> bool:
    word = one_line(entry).lower()
    if word not in _YES_NO:
        raise entry.trouble("KEY is yes or no.", "Write yes, or leave it out.")
    return _YES_NO[word]


_FIELD_KEYS: Mapping[str, Callable[[Entry], Any]] = {
    "type": one_line,
    "help": one_line,
    "example": _example,
    "optional": _is_yes,
    "choices": _choices,
}


def _sections(text: str, first_line: int, file: str) -> list[_Section]:
    """Part a text at its channel lines. The first section, `body`, is there even when nothing stands in it."""
    parts = [(Place("body", file, first_line), list[str]())]
    for number, line in enumerate(text.split("\n"), first_line):
        if found := CHANNEL_LINE.fullmatch(line):
            parts.append((Place(found["channel"], file, number + 1), []))
        elif line.lstrip().startswith("<!--"):
            where = f"{file}, line {number}"
            raise BadInput("This comment would be published.", where=where, next_step=_COMMENTS)
        else:
            parts[-1][1].append(line)
    return [_Section("\n".join(lines), place) for place, lines in parts]

"""A letter, Markdown under front matter, read into a `Letter` and printed from one."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeAlias

from outreach.front_matter import (
    BLANKS,
    ESCAPES,
    Entry,
    Line,
    entries,
    items_of,
    listed,
    named,
    one_line,
    read_front_matter,
    text_of,
    trouble_at,
)
from outreach.model import BadInput, FieldValue, Letter, Picture

_PRINTED = {ord(meant): f"\\{letter}" for letter, meant in ESCAPES.items()}
_FIELD_NAME = re.compile(r"""[^\s:#?"'\[\]{}&*!|<>,%@`-][^:\n\r]*(?<![ \t])""")


def parse(text: str, *, name: str = "letter", is_draft: bool = False) -> Letter:
    """Read a letter. Raises `BadInput` naming the line, and never anything else, for what is no letter.

    A draft may lack its title and text, and its pictures their alt text, which is then empty. Line ends become `\\n`; blank lines before the body and white space after it go; every other character stays.
    """
    head, body, body_line = read_front_matter(text, name=name)
    with named(name):
        letter = Letter(body=body, **_given(head, _DRAFT_KEYS if is_draft else _KEYS))
        if is_draft:
            return letter
        if not letter.template and not letter.title:
            raise trouble_at(1, "The letter has no title.", "Add a line such as title: Call for abstracts.")
        if not letter.template and not body.strip():
            raise trouble_at(
                body_line, "The letter has no text.", "Write it below the front matter, or name a template."
            )
        return letter


def show(letter: Letter) -> str:
    """Print a letter in its one canonical form, which `parse` reads back as the same letter.

    Raises `BadInput` for a field whose name no letter can hold; says nothing of a title or a text that is missing.
    """
    lines = {key: _print_text(value) for key in _ONE_LINE if (value := getattr(letter, key.replace(" ", "_")))}
    lines["first_comment"] = _print_text(letter.first_comment) if letter.first_comment else ""
    lines |= {key: _print_list(names) for key in ("to", "targeting") if (names := getattr(letter, key))}
    lines["times"] = "".join(_print_field(channel, at) for channel, at in letter.times)
    lines["pictures"] = "".join(map(_print_picture, letter.pictures))
    lines["fields"] = "".join(_print_field(key, value) for key, value in letter.fields)
    head = "".join(f"{key}:{lines[key]}\n" for key in _KEYS if lines.get(key))
    return f"---\n{head}---\n{letter.body}" + ("\n" if letter.body else "")


def _given(head: list[Entry], readers: "_Readers") -> dict[str, Any]:
    given: dict[str, Any] = {}
    for entry in head:
        key = next((k for k in (entry.key.replace("_", " "), entry.key.replace(" ", "_")) if k in _KEYS), entry.key)
        if key not in _KEYS:
            near = get_close_matches(key.lower(), _KEYS, 1)
            keys = f"The keys are {', '.join(_KEYS)}. What a template asks for goes below fields."
            raise entry.trouble("There is no key KEY.", f'Did you mean "{near[0]}"?' if near else keys)
        _add(given, key.replace(" ", "_"), entry, readers[key])
    return {key: value for key, value in given.items() if value}


def _add(given: dict[str, Any], key: str, entry: Entry, read: Callable[[Entry], Any]) -> None:
    if key in given:
        raise entry.trouble("KEY is there twice.", "Keep one of the two.")
    given[key] = read(entry)


def _names(entry: Entry) -> tuple[str, ...]:
    items, names = listed(entry), list[str]()
    if items is not None:
        names = [one_line(item) for item in items]
    elif whole := one_line(entry):
        names = [whole] if whole != entry.value else [part.strip(BLANKS) for part in whole.split(",")]
    if "" in names:
        raise entry.trouble("KEY names nothing between two commas.", "Take out the extra comma.")
    if len(set(names)) < len(names):
        raise entry.trouble(f"KEY names one {'channel' if entry.key == 'to' else 'country'} twice.", "Name each once.")
    return tuple(names)


def _pictures(entry: Entry, *, needs_alt: bool = True) -> tuple[Picture, ...]:
    below = entry.below()
    if entry.value in ("", "[]") and not below:
        return ()
    if entry.value or not below or not below.is_item:
        raise entry.trouble("KEY is a list of files with their alt text.", "Write - file: x.jpg and below it alt: …")
    return tuple(_picture(entry, line, rest, needs_alt) for line, *rest in items_of(entry))


def _picture(entry: Entry, line: Line, rest: list[Line], needs_alt: bool) -> Picture:
    given: dict[str, str] = {}
    for part in entries([Line(line.number, line.text.replace("-", " ", 1)), *rest]):
        if part.key not in ("file", "alt"):
            raise part.trouble("A picture has no KEY.", "It has a file and an alt.")
        _add(given, part.key, part, one_line if part.key == "file" else text_of)
    file, alt = given.get("file", ""), given.get("alt", "")
    if not file:
        raise entry.trouble("A picture in KEY has no file.", "Write - file: x.jpg", at=line)
    if needs_alt and not alt.strip():
        step = "Write alt: and what it shows, or alt: decorative if it shows nothing that matters."
        raise entry.trouble("A picture in KEY has no alt text.", step, at=line)
    return Picture(file, None if alt.lower() == "decorative" else alt)


def _fields(entry: Entry) -> tuple[tuple[str, FieldValue], ...]:
    if entry.value:
        raise entry.trouble("KEY is a map, not a text.", "Write each field below it, indented: name: value")
    given: dict[str, FieldValue] = {}
    for part in entries(entry.block):
        if not _FIELD_NAME.fullmatch(part.key):
            raise part.trouble("KEY cannot be the name of a field.", "Use letters, digits, - and _.")
        _add(given, part.key, part, _field)
    return tuple(given.items())


def _field(entry: Entry) -> FieldValue:
    items = listed(entry)
    return text_of(entry) if items is None else tuple(map(text_of, items))


def _times(entry: Entry) -> tuple[tuple[str, str], ...]:
    if entry.value:
        raise entry.trouble(
            "KEY is a map, not a text.", "Write each channel below it, indented: facebook: 2026-12-01 9:00"
        )
    given: dict[str, str] = {}
    for part in entries(entry.block):
        if not _FIELD_NAME.fullmatch(part.key):
            raise part.trouble("KEY cannot be the name of a channel.", "Use letters, digits, - and _.")
        _add(given, part.key, part, one_line)
    return tuple((channel, at) for channel, at in given.items() if at)


_Readers: TypeAlias = dict[str, Callable[[Entry], Any]]
_ORDER = (*("title", "template", "corrects", "retracts", "to", "at", "times", "zone", "not after", "grace", "link"),
          *("starts", "ends", "place", "pictures", "video", "video_title", "captions", "first_comment"),
          *("page_place", "targeting", "fields"))  # fmt: skip
_SHAPES: _Readers = {"to": _names, "targeting": _names, "times": _times, "pictures": _pictures, "fields": _fields}
_KEYS = {key: _SHAPES.get(key, one_line) for key in _ORDER} | {"first_comment": text_of}
_DRAFT_KEYS = _KEYS | {"pictures": partial(_pictures, needs_alt=False)}
_ONE_LINE = [key for key in _ORDER if _KEYS[key] is one_line]


def _print_text(text: str, depth: int = 2) -> str:
    last = text.rpartition("\n")[2]
    if last == text or "\r" in text or text[0] in " \t\n" or not last.strip(BLANKS):
        return f" {_print_scalar(text)}"
    return " |\n" + "\n".join(" " * depth + line if line else "" for line in text.split("\n"))


def _print_scalar(text: str, *, odd: str = r"\A[\"'#\[{&*!>|]|\A-(?:[ \t]|\Z)|[\n\r]") -> str:
    if not text or text != text.strip(BLANKS) or re.search(odd, text):
        return '"' + text.translate(_PRINTED) + '"'
    return text


def _print_list(texts: tuple[str, ...]) -> str:
    items = (_print_scalar(text, odd=r"\A[\"'#&*!>|]|\A-(?:[ \t]|\Z)|[\n\r,\[\]{}]") for text in texts)
    return f" [{', '.join(items)}]"


def _print_picture(picture: Picture) -> str:
    alt = " decorative" if picture.alt is None else _print_text(picture.alt, 6)
    return f"\n  - file: {_print_scalar(picture.file)}\n    alt:{alt}"


def _print_field(key: str, value: FieldValue) -> str:
    if not _FIELD_NAME.fullmatch(key):
        raise BadInput(f'"{key}" cannot be the name of a field.', next_step="Use letters, digits, - and _.")
    return f"\n  {key}:{_print_text(value, 4) if isinstance(value, str) else _print_list(value)}"

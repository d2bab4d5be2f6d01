"""A letter, Markdown under front matter, read into a `Letter` and printed from one.

The front matter is a small part of YAML in which every value is text. What YAML would read otherwise is refused,
never read differently.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from outreach.model import BadInput, FieldValue, Letter, Picture

MAX_BYTES = 1024 * 1024
_BLANKS = " \t"
_QUOTE_IT = "put the whole text in double quotes."
_NO_YAML = {"&": "an anchor", "*": "an alias", "!": "a tag", ">": "a folded block", "|": "an odd block", "{": "a map"}
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_PRINTED = {ord(meant): f"\\{letter}" for letter, meant in _ESCAPES.items()}

_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK_START = re.compile(r"\A(?:[ \t]*\n)+")
_KEY_END = re.compile(r":(?=[ \t]|\Z)")
_FIELD_NAME = re.compile(r"""[^\s:#?"'\[\]{}&*!|<>,%@`-][^:\n\r]*(?<![ \t])""")
_DOUBLE, _SINGLE = r'"(?:[^"\\]|\\.)*+"', r"'(?:[^']|'')*+'"
_ITEM = re.compile(rf"[ \t]*+((?:{_DOUBLE}|{_SINGLE})[ \t]*+(?=[,\]])|[^,\[\]{{}}]*)([,\]])")


class Line(NamedTuple):
    """One line of the file; `number` counts from 1."""

    number: int
    text: str

    @property
    def depth(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def bare(self) -> str:
        return self.text.strip(_BLANKS)

    @property
    def is_item(self) -> bool:
        return _is_item(self.bare)


class Entry(NamedTuple):
    """`key: value` and the deeper lines below it. An item of a list has the key of its list."""

    key: str
    value: str
    line: Line
    block: list[Line]

    def trouble(self, message: str, step: str, *, at: Line | None = None) -> BadInput:
        """Say what is wrong here; `KEY` in the message becomes the key in quotes. Raises nothing."""
        key = self.key if len(self.key) < 60 else f"{self.key[:57]}..."
        return _trouble((at or self.line).number, message.replace("KEY", f'"{key}"', 1), step)

    def below(self) -> Line | None:
        """The first line below that says anything."""
        return next((line for line in self.block if line.bare and not line.bare.startswith("#")), None)


def decode(data: bytes, *, name: str) -> str:
    """Give the text of a letter's bytes: UTF-8, with or without a byte order mark, which is dropped.

    Raises `BadInput` for anything else, for control characters, and above `MAX_BYTES`.
    """
    try:
        return _checked(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        where = f"{name}, line {_line_number(data[: error.start].decode('utf-8'))}"
        step = "Save the letter as plain text in UTF-8 and add it again."
        raise BadInput(f"The byte at offset {error.start} is not UTF-8.", where=where, next_step=step) from None


def parse(text: str, *, name: str = "letter", is_draft: bool = False) -> Letter:
    """Read a letter. Raises `BadInput` naming the line, and never anything else, for what is no letter.

    A draft may lack its title and text, and its pictures their alt text, which is then empty. Line ends become `\\n`; blank lines before the body and white space after it go; every other character stays.
    """
    head, body, body_line = read_front_matter(text, name=name)
    with _named(name):
        letter = Letter(body=body, **_given(head, _DRAFT_KEYS if is_draft else _KEYS))
        if is_draft:
            return letter
        if not letter.template and not letter.title:
            raise _trouble(1, "The letter has no title.", "Add a line such as title: Call for abstracts.")
        if not letter.template and not body.strip():
            raise _trouble(body_line, "The letter has no text.", "Write it below the front matter, or name a template.")
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


def _checked(text: str, name: str) -> str:
    text = text.removeprefix("\ufeff")
    if found := _NOT_TEXT.search(text):
        where = f"{name}, line {_line_number(text[: found.start()])}"
        message = f"The character U+{ord(found[0]):04X} cannot be part of a letter."
        raise BadInput(message, where=where, next_step="Remove it, or save the letter as plain text in UTF-8.")
    if len(text.encode()) > MAX_BYTES:
        raise BadInput("The letter is larger than 1 MiB.", where=name, next_step="Keep pictures beside it.")
    return text


def _line_number(before: str) -> int:
    return len(_LINE_END.findall(before)) + 1


def _trouble(line: int, message: str, step: str) -> BadInput:
    return BadInput(message, where=f"line {line}", next_step=step)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except BadInput as trouble:
        raise BadInput(trouble.message, where=f"{name}, {trouble.where}", next_step=trouble.next_step) from None


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


# The lines of the front matter, put together by their depth.


def read_front_matter(text: str, *, name: str) -> tuple[list[Entry], str, int]:
    """Part a text into the entries of its front matter, its body, and the number of the body's first line."""
    text = _checked(text, name)
    with _named(name):
        texts = _LINE_END.sub("\n", text).split("\n")
        rules = [number for number, line in enumerate(texts, 1) if line.rstrip(_BLANKS) == "---"]
        if 1 not in rules:
            step = "Begin with a line ---, then title: and the rest, then a line --- again, then the text."
            raise _trouble(1, "There is no front matter.", step)
        if len(rules) < 2:
            raise _trouble(1, "The front matter that begins here never ends.", "Close it with a line ---.")
        end = rules[1]
        below = "\n".join(texts[end:]).rstrip(_BLANKS + "\n")
        body = _BLANK_START.sub("", below)
        blank_lines = below.count("\n") - body.count("\n")
        return (
            list(entries([Line(n, line) for n, line in enumerate(texts[1 : end - 1], 2)])),
            body,
            end + 1 + blank_lines,
        )


def _groups(lines: list[Line]) -> list[list[Line]]:
    """Put each line of the first depth together with the deeper ones below it. Comments at that depth go."""
    groups: list[list[Line]] = []
    for line in lines:
        base = groups[0][0].depth if groups else line.depth
        if not line.bare or line.depth > base:
            for last in groups[-1:]:
                last.append(line)
        elif line.text[line.depth] == "\t":
            raise _trouble(line.number, "This line begins with a tab.", "Indent with spaces.")
        elif line.depth < base and not line.bare.startswith("#"):
            raise _trouble(line.number, "This line is indented less than the one it belongs with.", "Line the two up.")
        elif groups and line.is_item and groups[-1][0].bare.endswith(":") and not groups[0][0].is_item:
            groups[-1].append(line)
        elif not line.bare.startswith("#"):
            groups.append([line])
    return groups


def entries(lines: list[Line]) -> Iterator[Entry]:
    """Read the lines of a map, in order. Raises `BadInput` for a line that has no key; repeated keys stay."""
    for line, *block in _groups(lines):
        found = _KEY_END.search(line.text)
        if found is None or line.is_item:
            step = "Write a space after the colon." if ":" in line.text else "Write it as key: text."
            raise _trouble(line.number, "This line of the front matter has no key.", step)
        key, value = line.text[: found.start()], line.text[found.end() :]
        yield Entry(key.strip(_BLANKS), value.strip(_BLANKS), line, block)


def _items(entry: Entry) -> list[list[Line]]:
    items = _groups(entry.block)
    for line, *_ in items:
        if not line.is_item:
            raise entry.trouble("Every line of the list KEY begins with a dash.", "Write it as - text.", at=line)
    return items


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith(("- ", "-\t"))


def text_of(entry: Entry) -> str:
    """Read a text of any length. Raises `BadInput` for every other shape."""
    if entry.value in ("|", "|-"):
        return _block_text(entry)
    text = _scalar(entry)
    _check_nothing_below(entry)
    return text


def _check_nothing_below(entry: Entry) -> None:
    if below := entry.below():
        message = "KEY goes on in a second line." if entry.value else "KEY is a text, not a list or a map."
        raise entry.trouble(message, "Write it in one line, or put | behind the colon.", at=below)


def _block_text(entry: Entry) -> str:
    written = [at for at, line in enumerate(entry.block) if line.bare]
    lines = entry.block[: written[-1] + 1] if written else []
    depth = lines[written[0]].depth if lines else 0
    if depth <= entry.line.depth:
        raise entry.trouble("Below the | of KEY there is no text.", "Write its lines below it, indented by spaces.")
    for line in lines:
        if line.bare and line.depth < depth:
            raise entry.trouble("A line of KEY is indented less than its first.", "Line the two up.", at=line)
    return "\n".join(line.text[depth:] for line in lines)


def _scalar(entry: Entry) -> str:
    raw = entry.value
    if re.fullmatch(_DOUBLE, raw):
        return re.sub(r"\\(.)", lambda found: _unescape(entry, found[1]), raw[1:-1])
    if re.fullmatch(_SINGLE, raw):
        return raw[1:-1].replace("''", "'")
    if raw.startswith('"') and not re.match(_DOUBLE, raw):
        raise entry.trouble("The quote that opens KEY is never closed.", "Close it, or leave it out.")
    if raw.startswith("[") and raw.endswith("]"):
        raise entry.trouble("KEY is a text, not a list.", f"If the brackets belong to it, {_QUOTE_IT}")
    if _is_item(raw):
        raise entry.trouble("A list begins below KEY, not behind it.", f"If it is a text, {_QUOTE_IT}")
    if raw[:1] in _NO_YAML:
        message = f"KEY begins with {raw[0]}, {_NO_YAML[raw[0]]} in YAML, which a letter cannot hold."
        raise entry.trouble(message, f"If it is a text, {_QUOTE_IT}")
    return raw


def _unescape(entry: Entry, letter: str) -> str:
    if letter not in _ESCAPES:
        raise entry.trouble(f"In KEY, \\{letter} means nothing.", "In double quotes, write a backslash twice.")
    return _ESCAPES[letter]


def one_line(entry: Entry) -> str:
    """Read a text of one line, empty if it is blank. Raises `BadInput` for every other shape."""
    text = text_of(entry)
    if _LINE_BREAK.search(text):
        raise entry.trouble("KEY has to be one line.", "Take the line breaks out.")
    return text if text.strip() else ""


def listed(entry: Entry) -> list[Entry] | None:
    """The items of a list, each as an entry of its own; None if the value is no list."""
    if entry.value.startswith("["):
        _check_nothing_below(entry)
        return [Entry(entry.key, raw, entry.line, []) for raw in _inline_items(entry)]
    below = entry.below()
    if entry.value or not below or not below.is_item:
        return None
    return [Entry(entry.key, line.bare[1:].strip(_BLANKS), line, rest) for line, *rest in _items(entry)]


def _inline_items(entry: Entry) -> list[str]:
    raw, items, at = entry.value, list[str](), 1
    if raw.endswith("]") and not raw[1:-1].strip(_BLANKS):
        return []
    while found := _ITEM.match(raw, at):
        items.append(found[1].strip(_BLANKS))
        at = found.end()
        if found[2] == "]":
            break
    if at != len(raw) or not raw.endswith("]"):
        raise entry.trouble("The list KEY is not closed, or holds brackets.", "Write it as [one, two], in one line.")
    if "" in items:
        raise entry.trouble("The list KEY has an empty place.", 'Take out the extra comma, or write "".')
    return items


def _names(entry: Entry) -> tuple[str, ...]:
    items, names = listed(entry), list[str]()
    if items is not None:
        names = [one_line(item) for item in items]
    elif whole := one_line(entry):
        names = [whole] if whole != entry.value else [part.strip(_BLANKS) for part in whole.split(",")]
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
    return tuple(_picture(entry, line, rest, needs_alt) for line, *rest in _items(entry))


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
    if last == text or "\r" in text or text[0] in " \t\n" or not last.strip(_BLANKS):
        return f" {_print_scalar(text)}"
    return " |\n" + "\n".join(" " * depth + line if line else "" for line in text.split("\n"))


def _print_scalar(text: str, *, odd: str = r"\A[\"'#\[{&*!>|]|\A-(?:[ \t]|\Z)|[\n\r]") -> str:
    if not text or text != text.strip(_BLANKS) or re.search(odd, text):
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

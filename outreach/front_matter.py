"""Front matter: the small part of YAML that letters and templates begin with, in which every value is text.

What YAML would read otherwise is refused, never read differently.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from outreach.model import BadInput

MAX_BYTES = 1024 * 1024
BLANKS = " \t"
ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_QUOTE_IT = "put the whole text in double quotes."
_NO_YAML = {"&": "an anchor", "*": "an alias", "!": "a tag", ">": "a folded block", "|": "an odd block", "{": "a map"}

_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK_START = re.compile(r"\A(?:[ \t]*\n)+")
_KEY_END = re.compile(r":(?=[ \t]|\Z)")
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
        return self.text.strip(BLANKS)

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
        return trouble_at((at or self.line).number, message.replace("KEY", f'"{key}"', 1), step)

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


def trouble_at(line: int, message: str, step: str) -> BadInput:
    """Say what is wrong in a line. Raises nothing."""
    return BadInput(message, where=f"line {line}", next_step=step)


@contextmanager
def named(name: str) -> Iterator[None]:
    """Let what is raised inside name the file or the form it is about."""
    try:
        yield
    except BadInput as trouble:
        raise BadInput(trouble.message, where=f"{name}, {trouble.where}", next_step=trouble.next_step) from None


def read_front_matter(text: str, *, name: str) -> tuple[list[Entry], str, int]:
    """Part a text into the entries of its front matter, its body, and the number of the body's first line."""
    text = _checked(text, name)
    with named(name):
        texts = _LINE_END.sub("\n", text).split("\n")
        rules = [number for number, line in enumerate(texts, 1) if line.rstrip(BLANKS) == "---"]
        if 1 not in rules:
            step = "Begin with a line ---, then title: and the rest, then a line --- again, then the text."
            raise trouble_at(1, "There is no front matter.", step)
        if len(rules) < 2:
            raise trouble_at(1, "The front matter that begins here never ends.", "Close it with a line ---.")
        end = rules[1]
        below = "\n".join(texts[end:]).rstrip(BLANKS + "\n")
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
            raise trouble_at(line.number, "This line begins with a tab.", "Indent with spaces.")
        elif line.depth < base and not line.bare.startswith("#"):
            raise trouble_at(
                line.number, "This line is indented less than the one it belongs with.", "Line the two up."
            )
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
            raise trouble_at(line.number, "This line of the front matter has no key.", step)
        key, value = line.text[: found.start()], line.text[found.end() :]
        yield Entry(key.strip(BLANKS), value.strip(BLANKS), line, block)


def items_of(entry: Entry) -> list[list[Line]]:
    """Give the lines of each item of a list that stands below its key. Raises `BadInput` for a line that is none."""
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
    if letter not in ESCAPES:
        raise entry.trouble(f"In KEY, \\{letter} means nothing.", "In double quotes, write a backslash twice.")
    return ESCAPES[letter]


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
    return [Entry(entry.key, line.bare[1:].strip(BLANKS), line, rest) for line, *rest in items_of(entry)]


def _inline_items(entry: Entry) -> list[str]:
    raw, items, at = entry.value, list[str](), 1
    if raw.endswith("]") and not raw[1:-1].strip(BLANKS):
        return []
    while found := _ITEM.match(raw, at):
        items.append(found[1].strip(BLANKS))
        at = found.end()
        if found[2] == "]":
            break
    if at != len(raw) or not raw.endswith("]"):
        raise entry.trouble("The list KEY is not closed, or holds brackets.", "Write it as [one, two], in one line.")
    if "" in items:
        raise entry.trouble("The list KEY has an empty place.", 'Take out the extra comma, or write "".')
    return items

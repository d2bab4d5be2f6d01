"""What changed between two texts, word by word, as a page shows it: pieces that stayed, came and went. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from outreach import letter as letters
from outreach.model import BadInput, Letter

MOST_PAIRS = 2_000_000
"""So many pairs of words, or else of lines, are compared at most: a page never waits long for it."""
_SHOWN_AROUND = 160
_MOST_SHOWN = 4000
_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Kind = Literal["same", "came", "went"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that stayed the same, came or went."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed in one part of an announcement, such as its title."""

    part: str
    pieces: tuple[Piece, ...]


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Compare two texts by words; by lines, or as a whole, where they are too long for that."""
    for cut in (_WORD.findall, lambda text: text.splitlines(keepends=True)):
        old, new = cut(before), cut(after)
        if len(old) * len(new) <= MOST_PAIRS:
            return tuple(_joined(_compared(old, new)))
    pieces = (Piece("went", _clipped(before)), Piece("came", _clipped(after)))
    return pieces if before != after else (Piece("same", _clipped(before)),)


def of_letters(before: str, after: str) -> tuple[Difference, ...]:
    """Compare two revisions of a letter part by part; nothing for parts that stayed. What is no letter is one text."""
    try:
        old, new = _parts(letters.parse(before)), _parts(letters.parse(after))
    except BadInput:
        old, new = {"Text": before}, {"Text": after}
    names = [*new, *(name for name in old if name not in new)]
    changed = [(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name, "") != new.get(name, "")]
    return tuple(Difference(name, _shortened(words(was, now))) for name, was, now in changed)


def _parts(letter: Letter) -> dict[str, str]:
    listed = {
        "Title": letter.title,
        "Template": letter.template or "",
        "Channels": ", ".join(letter.to),
        "Time": " ".join(filter(None, (letter.at, letter.zone))),
        "Not after": letter.not_after or "",
        "Grace": letter.grace or "",
        "Link": letter.link or "",
        "Pictures": "\n".join(f"{p.file}: {p.alt or 'decorative'}" for p in letter.pictures),
    }
    listed |= {f"Time on {channel}": at for channel, at in letter.times}
    fields = {name: value if isinstance(value, str) else "\n".join(value) for name, value in letter.fields}
    return (
        listed | {name.replace("_", " ").capitalize(): value for name, value in fields.items()} | {"Text": letter.body}
    )


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[a:b]))
            continue
        if b > a:
            yield Piece("went", "".join(old[a:b]))
        if d > c:
            yield Piece("came", "".join(new[c:d]))


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Read `one two` for `uno dos` as one change, not as two with a blank between them."""
    went, came, blank = "", "", ""
    for piece in pieces:
        if piece.kind == "same" and (piece.text.strip() or not (went or came)):
            yield from _change(went, came, blank)
            went, came, blank = "", "", ""
            yield piece
        elif piece.kind == "same":
            blank += piece.text
        else:
            went, came, blank = went + (blank if went or came else ""), came + (blank if went or came else ""), ""
            went, came = (went + piece.text, came) if piece.kind == "went" else (went, came + piece.text)
    yield from _change(went, came, blank)


def _change(went: str, came: str, blank: str) -> Iterator[Piece]:
    if went:
        yield Piece("went", went)
    if came:
        yield Piece("came", came)
    if blank:
        yield Piece("same", blank)


def _shortened(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Keep some words around each change and leave out what lies between."""
    found = []
    for place, piece in enumerate(pieces):
        if piece.kind != "same":
            found.append(Piece(piece.kind, _clipped(piece.text)))
            continue
        head = piece.text[:_SHOWN_AROUND] if place else ""
        tail = piece.text[-_SHOWN_AROUND:] if place < len(pieces) - 1 else ""
        is_short = len(piece.text) <= len(head) + len(tail) + 20
        found.append(piece if is_short else Piece("same", f"{head} … {tail}"))
    return tuple(found)


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} …"


def of_revisions(texts: Sequence[str]) -> list[tuple[Difference, ...]]:
    """Compare each text with the one before it; nothing for the first."""
    return [(), *(of_letters(before, after) for before, after in pairwise(texts))]

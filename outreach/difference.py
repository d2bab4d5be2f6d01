"""The difference between two texts, word by word, as a person reads it: what stayed, what was taken out, what was put in.

Lines are compared first and words only within lines that differ, so that a long text costs little. What is too long to
be compared word by word is told as taken out and put in as a whole. That a line breaks elsewhere is no difference, since a
mail is filled anew whenever a word of it changes; a paragraph that begins is one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["same", "out", "in"]

_WORDS = re.compile(r"\w+(?:[’'.-]\w+)*|\s+|[^\w\s]")
_MOST = 400_000
"""So many pairs of words, or of lines, are compared at most at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one or both texts."""

    kind: Kind
    text: str


def between(before: str, after: str) -> list[Part]:
    """Give the parts in the order in which they are read. Those not `out` make up `after`.

    Those not `in` make up `before`, but for where its lines broke.
    """
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    parts: list[Part] = []
    for is_same, old, new in _blocks(*lines):
        parts += [Part("same", "".join(new))] if is_same else _words("".join(old), "".join(new))
    return _joined(parts)


def counted(parts: Sequence[Part]) -> tuple[int, int]:
    """Count the words that were put in and those that were taken out."""
    put_in, out = (sum(_count(part.text) for part in parts if part.kind == kind) for kind in ("in", "out"))
    return put_in, out


def _count(text: str) -> int:
    return len(re.findall(r"\w+(?:[’'.-]\w+)*", text))


def _words(before: str, after: str) -> Iterator[Part]:
    for is_same, old, new in _blocks(_WORDS.findall(before), _WORDS.findall(after)):
        if is_same:
            yield Part("same", "".join(new))
            continue
        if old:
            yield Part("out", "".join(old))
        if new:
            yield Part("in", "".join(new))


def _blocks(before: list[str], after: list[str]) -> Iterator[tuple[bool, list[str], list[str]]]:
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if start:
        yield True, before[:start], after[:start]
    if len(old) * len(new) > _MOST:
        yield False, old, new
    else:
        keys = list(map(_key, old)), list(map(_key, new))
        for tag, a, b, c, d in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
            yield tag == "equal", old[a:b], new[c:d]
    if end:
        yield True, before[-end:], after[-end:]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b and _key(a) != _key(b)), min(len(one), len(other)))


def _key(word: str) -> str:
    """Make spaces alike, those at which a line breaks included."""
    return " " if word.isspace() and word.count("\n") < 2 else word


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Join neighbours; a space alone that stayed between two changes belongs to both, so that phrases are read as one."""
    bridged: list[Part] = []
    for n, part in enumerate(parts):
        is_gap = part.kind == "same" and part.text == " " and 0 < n < len(parts) - 1
        bridged += [Part("out", part.text), Part("in", part.text)] if is_gap else [part]
    joined: list[Part] = []
    changed = {"out": "", "in": ""}
    for part in [*bridged, Part("same", "")]:
        if part.kind != "same":
            changed[part.kind] += part.text
            continue
        joined += [Part(kind, text) for kind, text in (("out", changed["out"]), ("in", changed["in"])) if text]  # type: ignore[arg-type]
        changed = {"out": "", "in": ""}
        if part.text and joined and joined[-1].kind == "same":
            joined[-1] = Part("same", joined[-1].text + part.text)
        elif part.text:
            joined.append(part)
    return joined

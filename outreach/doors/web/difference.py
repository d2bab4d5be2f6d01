"""The difference between two texts, word by word, as pages show it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|[^\s]+")
_MOST_WORDS = 3000


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text: `same`, `del` (only in the first text) or `ins` (only in the second)."""

    kind: str
    text: str


def difference(first: str, second: str) -> list[Part]:
    """Compare two texts; long ones line by line, so that it never takes long."""
    parts: list[Part] = []
    one, other = first.splitlines(keepends=True), second.splitlines(keepends=True)
    if sum(len(_WORDS.findall(text)) for text in (first, second)) <= _MOST_WORDS:
        one, other = _WORDS.findall(first), _WORDS.findall(second)
    elif len(one) + len(other) > _MOST_WORDS:
        return [Part("same", first)] if first == second else [Part("del", first), Part("ins", second)]
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            _add(parts, "same", one[a:b])
        else:
            _add(parts, "del", one[a:b])
            _add(parts, "ins", other[c:d])
    return parts


def _add(parts: list[Part], kind: str, words: Sequence[str]) -> None:
    if words:
        parts.append(Part(kind, "".join(words)))

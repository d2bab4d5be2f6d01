"""How alike two texts are, measured on what their author wrote: what a template says every time counts for nothing."""

import re
from functools import lru_cache
from itertools import pairwise

ALIKE = 0.5
"""From here on two texts count as nearly the same; tried on the shipped templates (`tests/rules/test_likeness.py`)."""

_MOST_WORDS = 3000
_FEWEST = 4
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_GAP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def likeness(one: str, other: str, *, wording: str = "") -> float:
    """Give from 0.0 to 1.0 how much of two texts is common to both: pairs of neighbouring words, in any order.

    `wording` is the template that both may be made of; its own pairs are left out, unless hardly anything would be left.
    """
    first, second, given = _pairs(one), _pairs(other), _pairs_of_wording(wording)
    own_first, own_second = first - given, second - given
    if min(len(own_first), len(own_second)) >= _FEWEST:
        first, second = own_first, own_second
    if not first or not second:
        return float(_words(one) == _words(other) != [])
    return len(first & second) / len(first | second)


# One text is compared with many others, so the last few are remembered.


@lru_cache(maxsize=4)
def _pairs_of_wording(wording: str) -> frozenset[tuple[str, str]]:
    return frozenset().union(*(pairwise(_words(part)) for part in _GAP.split(wording)))


@lru_cache(maxsize=4)
def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(_words(text)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())[:_MOST_WORDS]

"""The words that the history is searched by: the same ones out of MÜLLER, Müller and muller, on every database."""

import re
import unicodedata
from dataclasses import dataclass

MOST_WORDS = 12
"""So many words of a question are looked for; further ones are left out."""

LEAST_BEGINNING = 3
"""From so many letters on a word also finds the longer ones that begin with it."""

_LONGEST = 48
_MOST_CHARS = 100_000
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
# Of what is written without blanks every character is a word; several of them together are found as a phrase.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that have to stand beside each other; of a single one that `may_go_on`, longer ones are meant as well."""

    words: tuple[str, ...]
    may_go_on: bool = False


def words_of(text: str) -> list[str]:
    """Give the words of a text in their order, without letter case, accents and signs; of very long ones the beginning."""
    text = text[:_MOST_CHARS]
    found = _ASCII_WORD.findall(text.lower()) if text.isascii() else _WORD.findall(_plain(text))
    return [word[:_LONGEST] for word in found]


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in apart if unicodedata.category(c)[0] != "M").translate(_PLAIN)


def read_question(question: str) -> tuple[Term, ...]:
    """Read what somebody typed: words, each of which has to be there, and "words in quotes" that have to stand together.

    Whatever was typed is a question: signs that mean something elsewhere mean nothing here. No words: it finds nothing.
    """
    terms: list[Term] = []
    left = MOST_WORDS
    for quoted, bare in _PART.findall(question[:_MOST_CHARS]):
        words = tuple(words_of(quoted or bare))[:left]
        if words:
            goes_on = bool(bare) and len(words) == 1 and len(words[0]) >= LEAST_BEGINNING
            terms.append(Term(words, goes_on))
            left -= len(words)
    return tuple(dict.fromkeys(terms))

"""The words that differ between two channels: read as people read, without line breaks, bullets, addresses and marks."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

from outreach import markup
from outreach.model import Content

_MOST_WORDS = 1500
_NOTE = re.compile(r"\[\d{1,3}\]:?|\[Picture: [^\]]*\]")
_MARKS = re.compile(r"^[^\w#@]+|[^\w!?.,;:)]+$")


class Change(NamedTuple):
    """Words that both have (`same`), or only the first (`first`) or the second (`second`)."""

    kind: str
    words: str


def differences(first: Content, second: Content) -> list[Change]:
    """Compare the words of two contents; empty where they say the same."""
    one, other = _words(first), _words(second)
    if [w.casefold().strip(".,;:") for w in one] == [w.casefold().strip(".,;:") for w in other]:
        return []
    found = []
    for what, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Change("same", " ".join(one[a:b])))
        else:
            found += [Change("first", " ".join(one[a:b]))] if b > a else []
            found += [Change("second", " ".join(other[c:d]))] if d > c else []
    return found if any(change.kind != "same" for change in found) else []


def _words(content: Content) -> list[str]:
    text = content.text
    if content.message is None:  # a Page has no subject, so its post begins with the title
        text = text.partition("\n")[2]
    for address in sorted(markup.addresses(text), key=len, reverse=True):
        text = text.replace(address, " ")
    words = (_MARKS.sub("", word) for word in _NOTE.sub(" ", text).split())
    return [word for word in words if re.search(r"\w", word)][:_MOST_WORDS]

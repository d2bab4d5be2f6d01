"""What changed between two texts, word by word, as a page shows it: part by part, and of a long one what is around a change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from outreach import letter as letters
from outreach.difference import Part, between
from outreach.model import FOR_PAGES, BadInput, Letter

_SHOWN_AROUND = 160
_MOST_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed in one part of an announcement, such as its title."""

    part: str
    parts: tuple[Part, ...]


def of_letters(before: str, after: str) -> tuple[Difference, ...]:
    """Compare two revisions of a letter part by part; nothing for parts that stayed. What is no letter is one text."""
    try:
        old, new = _parts(letters.parse(before)), _parts(letters.parse(after))
    except BadInput:
        old, new = {"Text": before}, {"Text": after}
    names = [*new, *(name for name in old if name not in new)]
    changed = [(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name, "") != new.get(name, "")]
    return tuple(Difference(name, _shortened(between(was, now))) for name, was, now in changed)


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
    listed |= {name.replace("_", " ").capitalize(): _text(getattr(letter, name)) for name in FOR_PAGES}
    listed |= {f"Time on {channel}": at for channel, at in letter.times}
    fields = {name: value if isinstance(value, str) else "\n".join(value) for name, value in letter.fields}
    return (
        listed | {name.replace("_", " ").capitalize(): value for name, value in fields.items()} | {"Text": letter.body}
    )


def _text(value: str | tuple[str, ...] | None) -> str:
    return value or "" if value is None or isinstance(value, str) else ", ".join(value)


def _shortened(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Keep some words around each change and leave out what lies between."""
    found = []
    for place, part in enumerate(parts):
        if part.kind != "same":
            found.append(Part(part.kind, _clipped(part.text)))
            continue
        head = part.text[:_SHOWN_AROUND] if place else ""
        tail = part.text[-_SHOWN_AROUND:] if place < len(parts) - 1 else ""
        is_short = len(part.text) <= len(head) + len(tail) + 20
        found.append(part if is_short else Part("same", f"{head} … {tail}"))
    return tuple(found)


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} …"


def of_revisions(texts: Sequence[str]) -> list[tuple[Difference, ...]]:
    """Compare each text with the one before it; nothing for the first."""
    return [(), *(of_letters(before, after) for before, after in pairwise(texts))]

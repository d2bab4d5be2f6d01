"""Proving the history: the whole chain of seals is computed again, and the first entry that does not fit is named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import text

from outreach.store.engine import Transaction
from outreach.store.seals import MARK_DIGITS, NOTHING, Entry, Seal, after, counted, entries, hash_of, mark_of

_SEALS_AT_ONCE = 100
Tell: TypeAlias = Callable[[int, int], None]
"""Told how many entries are proved, and of how many."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """The first thing that is not as it was sealed: `entry` names it, or what stands before it; empty: the seal itself."""

    seal: int
    entry: str
    message: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it. `latest` is the last seal that fits; `unsealed` counts what was written after the last seal.

    `has_expected` tells whether the hash that somebody had written down is that of a seal that fits; None: none was given.
    """

    seals: int
    entries: int
    latest: Seal | None
    unsealed: int
    misfit: Misfit | None
    has_expected: bool | None

    @property
    def is_good(self) -> bool:
        """Tell whether the history is as it was sealed, and as it was when the hash was written down."""
        return self.misfit is None and self.has_expected is not False


def prove(tx: Transaction, *, expected: str | None = None, tell: Tell = lambda _done, _of: None) -> Proof:
    """Compute every seal again, in one consistent moment, up to the first that does not fit."""
    _, of = counted(tx)
    before, done, misfit = NOTHING, 0, None
    is_there = False
    while misfit is None and (some := after(tx, before.id, _SEALS_AT_ONCE)):
        for seal, marks in some:
            found = list(entries(tx, before, seal.last_event, seal.last_sighting))
            misfit = _misfit(before, seal, marks, found)
            if misfit is not None:
                break
            before, done = seal, done + len(found)
            is_there = is_there or seal.sha256 == expected
            tell(done, of)
    return Proof(
        seals=before.id,
        entries=done,
        latest=before if before.id else None,
        unsealed=_unsealed(tx, before),
        misfit=misfit,
        has_expected=None if expected is None else is_there,
    )


_UNSEALED = text(
    "SELECT (SELECT count(*) FROM events WHERE id > :event) + (SELECT count(*) FROM sightings WHERE id > :sighting)"
)


def _unsealed(tx: Transaction, seal: Seal) -> int:
    values = {"event": seal.last_event, "sighting": seal.last_sighting}
    return int(tx.execute(_UNSEALED, values).scalar_one())


def _misfit(before: Seal, seal: Seal, marks: str, found: list[Entry]) -> Misfit | None:
    if seal.id != before.id + 1:
        return Misfit(before.id + 1, "", f"Seal {before.id + 1} is gone.")
    if hash_of(before, [entry.digest for entry in found], seal) == seal.sha256:
        return None
    entry, message = _first_odd(marks, found)
    return Misfit(seal.id, entry, f"Seal {seal.id} does not fit: {message}")


def _first_odd(marks: str, found: list[Entry]) -> tuple[str, str]:
    were = [marks[place : place + MARK_DIGITS] for place in range(0, len(marks), MARK_DIGITS)]
    now = [mark_of(entry) for entry in found]
    place = next((n for n, (one, other) in enumerate(zip(were, now, strict=False)) if one != other), None)
    if place is None:
        if len(were) == len(now):
            return "", "the seal itself was changed."
        place = min(len(were), len(now))
    if place == len(now) or now[place] in were[place + 1 :]:
        return _gone(found[place - 1] if place else None)
    if place == len(were) or were[place] in now[place + 1 :]:
        return found[place].name, f"{found[place].name} was added."
    return found[place].name, f"{found[place].name} was changed."


def _gone(before: Entry | None) -> tuple[str, str]:
    name = before.name if before else ""
    where = f"what came after {name}" if before else "its first entry"
    return name, f"{where} is gone."

"""What a list does with mails, as a person has said it: it outweighs what was learnt and what the settings say.

Empty is "nobody has said it": then what copies showed counts, or the settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from outreach.model import BadInput
from outreach.settings import ListServer

DEDUPE = ("message-id", "body", "none")
"""By what a list recognises a mail that it was sent before."""

TOO_LONG = "Shorten it, or link to the long part."
MOST_LEAD_H = 14 * 24
_MOST_KB = 1_048_576


@dataclass(frozen=True, slots=True)
class ListHabits:
    """What was said. `own_copy`: whether the sender gets the list's copy of an own mail. `lead_h`: so many hours before
    everything else a mail goes to the list, so that its moderator has time. `size_kb`: the list's limit for a whole mail.
    `calendar`: whether it lets a calendar file through. `confirms`: whether its question if a mail is ours, which encloses it,
    may be answered without a person.
    """

    dedupe: str = ""
    own_copy: bool | None = None
    moderated: bool | None = None
    lead_h: float = 0
    size_kb: float | None = None
    calendar: bool | None = None
    confirms: bool | None = None

    @property
    def lead(self) -> timedelta:
        """How much earlier the list is mailed."""
        return timedelta(hours=self.lead_h)

    def unseen_after(self, otherwise: timedelta) -> timedelta:
        """How long the list's copy may take to be seen."""
        if self.moderated is None:
            return otherwise
        return timedelta(hours=72) if self.moderated else timedelta(minutes=30)

    def laid_out(self) -> dict[str, Any]:
        """Give it as it is kept and as programs read it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def in_words(self) -> str:
        """Say it in one line, as the history keeps it."""
        said = [
            f"{name.replace('_', ' ')} {value}" for name, value in self.laid_out().items() if value not in ("", None)
        ]
        return ", ".join(said)


def read_habits(given: Mapping[str, Any]) -> ListHabits:
    """Read what a form or a program gives; what is left out or empty is not said. Raises `BadInput` naming the field."""
    dedupe = str(given.get("dedupe") or "")
    if dedupe not in ("", *DEDUPE):
        step = f"Choose {', '.join(DEDUPE)}, or nothing."
        raise BadInput("By this no list recognises a repeat.", where="dedupe", next_step=step)
    lead = _number(given.get("lead_h"), "lead_h", most=MOST_LEAD_H) or 0
    size = _number(given.get("size_kb"), "size_kb", most=_MOST_KB)
    return ListHabits(
        dedupe,
        _yes_or_no(given, "own_copy"),
        _yes_or_no(given, "moderated"),
        lead,
        size or None,
        _yes_or_no(given, "calendar"),
        _yes_or_no(given, "confirms"),
    )


def _yes_or_no(given: Mapping[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if isinstance(value, bool) or value is None:
        return value
    if str(value) not in ("", "yes", "no"):
        raise BadInput("This is neither yes nor no.", where=name, next_step="Choose one of the two, or leave it open.")
    return None if value == "" else value == "yes"


def _number(value: Any, name: str, *, most: float) -> float | None:
    if value is None or str(value).strip() == "":
        return None
    try:
        found = float(str(value).strip())
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:  # nor anything that is no number
        step = f"Write a number from 0 to {most:g}."
        raise BadInput("This is no number that can be meant here.", where=name, next_step=step)
    return found


def kind_by_habit(dedupe: str, otherwise: ListServer) -> ListServer:
    """Give the kind of list server whose way with repeats is meant."""
    by_habit: dict[str, ListServer] = {"message-id": "sympa", "body": "listserv", "none": "other"}
    return by_habit.get(dedupe, otherwise)


def concern_about_size(habits: ListHabits, size: int, *, found_kb: float | None = None) -> str | None:
    """Say in a sentence that a mail of so many bytes is longer than the list takes; None where it is not.

    `found_kb` is what the list's own answers said, which counts where nobody has said it.
    """
    most_kb = habits.size_kb or found_kb
    if most_kb is None or size <= most_kb * 1024:
        return None
    by = "as somebody has said of it" if habits.size_kb else "as its own answer to an earlier mail said"
    return f"The mail has {size / 1024:.1f} KB; the list takes {most_kb:g} KB, {by}."

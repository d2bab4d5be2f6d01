"""The words of a mail about trouble. Pure: the same alarms give the same text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Protocol

from outreach.trouble import AlarmKind

MOST_LISTED = 20
_WIDTH = 72


@dataclass(frozen=True, slots=True)
class Note:
    """A short text for a person. `is_good` when nothing in it asks for anything."""

    subject: str
    body: str
    is_good: bool = False


class Told(Protocol):
    """What is told of an alarm."""

    @property
    def kind(self) -> AlarmKind:
        """What is wrong."""

    @property
    def message(self) -> str:
        """What, where and when."""

    @property
    def next_step(self) -> str:
        """What to do."""


def alarm_note(new: Sequence[Told], over: Sequence[tuple[AlarmKind, str]], *, community: str) -> Note:
    """Put all new alarms of a round and all that are over, each as (kind, what it was about), into one text."""
    parts = [_listed(new)] if new else []
    if over:
        parts.append("\n".join(_grouped(over)))
    return Note(_subject(new, over, community), "\n\n".join(parts) + "\n", is_good=not new)


def _subject(new: Sequence[Told], over: Sequence[tuple[AlarmKind, str]], community: str) -> str:
    if new:
        return f"[outreach] {community}: {_counted(alarm.kind for alarm in new)}"
    return f"[outreach] {community}: over: {_counted(kind for kind, _ in over)}"


def _counted(kinds: Iterable[AlarmKind]) -> str:
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]} {kind}" if counts[kind] > 1 else str(kind) for kind in AlarmKind if counts[kind])


def _listed(new: Sequence[Told]) -> str:
    lines = [_entry(place, alarm) for place, alarm in enumerate(new[:MOST_LISTED], 1)]
    if len(new) > MOST_LISTED:
        lines.append(f"And {len(new) - MOST_LISTED} more. See all of them with: outreach alarms")
    return "\n\n".join(lines)


def _entry(place: int, alarm: Told) -> str:
    number = f"{place}. "
    message = wrapped(alarm.message, first=number, rest="   ")
    return f"{message}\n{wrapped(alarm.next_step, first='   Next: ', rest='   ')}" if alarm.next_step else message


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """Fill lines, none of them breaking a long word such as an address."""
    return fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _grouped(over: Sequence[tuple[AlarmKind, str]]) -> list[str]:
    lines = []
    for kind in AlarmKind:
        names = list(dict.fromkeys(what for of, what in over if of is kind))
        if names:
            more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
            lines.append(wrapped(f"Over ({kind}): {', '.join(names[:MOST_LISTED])}{more}."))
    return lines


def trial_note(community: str) -> Note:
    """Say that this is only a test."""
    body = "This is a test. When something goes wrong, you are told this way what it is and what to do about it.\n"
    return Note(f"[outreach] {community}: a test alarm", wrapped(body) + "\n", is_good=True)

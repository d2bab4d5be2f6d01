"""What a channel's own scheduler can be asked: to take a post ahead of its time, how it stands there, and to give it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, runtime_checkable

from outreach.model import Absent, Attempt, CannotTell, Found, Outcome


@dataclass(frozen=True, slots=True)
class Plan:
    """A post that waits in the channel's own scheduler. `at` None: it does not say for when."""

    remote_id: str
    text: str
    at: datetime | None


Standing: TypeAlias = Plan | Found | Absent | CannotTell
"""How one post stands: it waits, it is out, it is certainly not there, or nobody can tell."""


class Planner(Protocol):
    """The scheduler of one channel. Like the channel it never raises for what the other side answers, and never tries twice."""

    def give(self, attempt: Attempt, at: datetime) -> Outcome:
        """Let the channel publish a post at an instant, to the second. `Published` means that it took it, as `remote_id`.

        `may_send` of the attempt is asked right before the step that makes it wait there.
        """

    def standing(self, remote_id: str) -> Standing:
        """Ask for one post that was given."""

    def plans(self) -> Sequence[Plan] | CannotTell:
        """Give everything that waits there: all of it, or `CannotTell`."""

    def take_back(self, remote_id: str) -> Standing:
        """Take one out that still waits. `Absent`: it certainly is not there any more. Never takes away what is out."""


@runtime_checkable
class HasPlanner(Protocol):
    """A channel with a scheduler of its own."""

    @property
    def hands_over(self) -> timedelta:
        """How far ahead posts are given to it; nothing where it is not to be used."""

    def planner(self) -> Planner:
        """Give it, to take back what it has even where nothing more is given."""

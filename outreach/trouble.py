"""Trouble that a person has to be told of: the closed list of its kinds, and one trouble as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class AlarmKind(StrEnum):
    """What can be wrong. Each kind is computed from what is stored and the clock; a test sees each arrive as a mail."""

    OVERDUE = "overdue"
    MISSED = "missed"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    HELD = "held by the list"
    UNSEEN = "not seen on the list"
    TWICE = "published more than once"
    PAUSED = "channel paused"
    PREFLIGHT = "will not go out"
    SAFE_MODE = "safe mode"
    SILENT = "no sign of a worker"
    DATABASE = "database"
    DISK = "disk nearly full"
    BACKUP = "backup"
    EXPIRY = "access ends"
    UNUSED = "permission lapses"
    WEEKLY = "weekly mail not queued"
    COMMENT = "first comment not made"
    ASKED = "somebody asks to join or to leave"


OF_POSTS = frozenset(
    {
        AlarmKind.OVERDUE,
        AlarmKind.MISSED,
        AlarmKind.FAILED,
        AlarmKind.UNCONFIRMED,
        AlarmKind.HELD,
        AlarmKind.UNSEEN,
        AlarmKind.TWICE,
        AlarmKind.PREFLIGHT,
        AlarmKind.COMMENT,
    }
)
WARNINGS = frozenset(
    {
        AlarmKind.COMMENT,
        AlarmKind.PAUSED,
        AlarmKind.PREFLIGHT,
        AlarmKind.EXPIRY,
        AlarmKind.UNUSED,
        AlarmKind.ASKED,
    }
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble. `subject` is what it befell, for a kind of `OF_POSTS` the id of the post; `stage` how near it is.

    `message` is plain and says what, where and when with its zone; `next_step` names the very command.
    """

    kind: AlarmKind
    subject: str
    message: str
    next_step: str
    stage: str = ""

    @property
    def cause(self) -> str:
        """What is told once: the same trouble of the same subject, and each stage of it."""
        return f"{self.kind}|{self.subject}|{self.stage}"


def about(cause: str) -> str:
    """Give the cause without its stage: two stages of one trouble are about the same."""
    return cause.rpartition("|")[0]


def subject(cause: str) -> str:
    """Give what the trouble befell."""
    return cause.split("|")[1]


def stage(left: timedelta, stages: Mapping[str, timedelta]) -> str | None:
    """Give the last of the stages that has been reached with so much time left; they stand from far to near."""
    reached = [name for name, before in stages.items() if left <= before]
    return reached[-1] if reached else None

"""What an announcement may be about besides its words: an event that it tells of, an earlier one that it corrects or retracts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FollowKind(StrEnum):
    """What an announcement does to an earlier one that is out."""

    CORRECTION = "correction"
    RETRACTION = "retraction"


@dataclass(frozen=True, slots=True)
class Follow:
    """What a post follows: a post of the same channel that is out, by what that channel calls it.

    `before` is what it said there, as Markdown where that can still be known, else as it went out. `references` are the
    Message-IDs that a mail stands below, its own the last; `message` is that mail.
    """

    kind: FollowKind
    remote_id: str | None
    references: tuple[str, ...]
    before: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event that an announcement tells of. `is_attached`: the list lets a calendar file through, as far as is known."""

    starts_at: datetime
    ends_at: datetime
    time_zone: str
    place: str
    is_attached: bool = True

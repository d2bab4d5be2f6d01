"""A rehearsal: another channel's posts, written into a file instead of sent, by the same code up to the socket."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from outreach.channels import Channel, Limits, Surroundings
from outreach.model import (
    Absent,
    Attempt,
    Candidate,
    CannotTell,
    Content,
    Finding,
    Found,
    Outcome,
    Problem,
    Published,
    Refused,
    Wording,
)
from outreach.settings import Settings


class Rehearsal:
    """Stands in for `channel` and writes what it would send as lines of JSON into `file`."""

    kind: ClassVar[str] = "rehearsal"
    usual_name: ClassVar[str] = "rehearsal"
    limits = Limits(max_chars=0)

    def __init__(self, channel: Channel, file: Path, surroundings: Surroundings) -> None:
        self._channel = channel
        self._file = file
        self._now = surroundings.now
        self.limits = channel.limits

    def __repr__(self) -> str:
        return f"Rehearsal({self._channel!r}, {str(self._file)!r})"

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        """Give None: a rehearsal is asked for, never set up."""
        return None

    def render(self, wording: Wording) -> Content:
        """Render as the channel does."""
        return self._channel.render(wording)

    def check(self) -> list[Problem]:
        """A file needs no log-in."""
        return []

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        """Lay out what the channel would send."""
        return self._channel.describe(content, at=at)

    def publish(self, attempt: Attempt) -> Outcome:
        """Write it down."""
        name = attempt.post.name
        try:
            write(self._file, [(name, self.describe(attempt.content, at=self._now()))])
        except OSError as trouble:
            return Refused(f"The rehearsal could not be written: {trouble.strerror}.")
        return Published(remote_id=f"rehearsal:{name}:{attempt.number}")

    def find(self, attempt: Attempt) -> Finding:
        """Look into the file; a line that was cut off, or that somebody else wrote, is passed over."""
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Absent()
        except (OSError, ValueError):
            return CannotTell(f"the rehearsal's file {self._file} cannot be read")
        name = attempt.post.name
        if any(_name_in(line) == name for line in text.splitlines()):
            return Found((Candidate(f"rehearsal:{name}:{attempt.number}", None, None),))
        return Absent()


def _name_in(line: str) -> object:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("for") if isinstance(entry, dict) else None


def write(file: Path, shown: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    """Add lines of JSON to the file, one for each (name, what it sends). Raises `OSError`."""
    lines = [json.dumps({"for": name, **described}, ensure_ascii=False) + "\n" for name, described in shown]
    with file.open("a", encoding="utf-8") as out:
        out.writelines(lines)

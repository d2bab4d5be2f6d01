"""Trouble of the database itself: told without it, directly by the routes, at most once an hour for each install."""

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from outreach.alarms import Note, Route
from outreach.alarms.words import alarm_note
from outreach.model import BadInput
from outreach.trouble import Alarm, AlarmKind

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
AGAIN_AFTER = timedelta(hours=1)
_FILE = ".database-trouble.json"
_OVER = "the database works again"


@dataclass(frozen=True, slots=True)
class _Trouble:
    since_s: float
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class _Told:
    at: datetime
    is_over: bool


class Outage:
    """Knows how long the database has not been usable for this process, and tells it. Used by several threads.

    Each chore has its own say: one that works does not take back what another meets, such as a disk that can be read
    and not written.
    """

    def __init__(
        self,
        *,
        folder: Path,
        routes: Callable[[], tuple[Route, ...]],
        community: str,
        now: Callable[[], datetime],
        elapsed_s: Callable[[], float],
    ) -> None:
        self._mark = _Mark(folder)
        self._routes = routes
        self._community = community
        self._now = now
        self._elapsed_s = elapsed_s
        self._troubles: dict[str, _Trouble] = {}
        self._has_worked = False
        self._left: set[str] = set()
        self._end_left: set[str] | None = None
        self.publisher_since_s: Callable[[], float | None] = lambda: None

    def trouble(self, chore: str, told: BadInput) -> None:
        """Hear that the database did not do what a chore needed."""
        self._troubles.setdefault(chore, _Trouble(self._elapsed_s(), told.message, told.next_step))

    def well(self, chore: str) -> None:
        """Hear that a chore could do its work."""
        self._troubles.pop(chore, None)
        self._has_worked = True

    @property
    def is_on(self) -> bool:
        """Tell whether anything is in trouble right now."""
        return bool(self._present())

    def check(self) -> None:
        """Tell what has gone on for too long, or that it is over; an alarm that no route took is tried again."""
        present = self._present()
        long = [trouble for trouble in present if self._elapsed_s() - trouble.since_s > PATIENCE_S]
        if long:
            self._tell_trouble(long[0].message, long[0].next_step)
        elif not present and self._has_worked:
            self._tell_end()

    def tell_now(self, told: BadInput) -> None:
        """Tell at once that the database cannot even be opened, or that the work ended because of it."""
        self._tell_trouble(f"{told.where}: {told.message}" if told.where else told.message, told.next_step)

    def _present(self) -> list[_Trouble]:
        found = list(self._troubles.values())
        since_s = self.publisher_since_s()
        if since_s is not None:
            found.append(_Trouble(since_s, "What was sent cannot be recorded.", "See what is wrong: outreach doctor"))
        return sorted(found, key=lambda trouble: trouble.since_s)

    def _tell_trouble(self, message: str, next_step: str) -> None:
        """Tell every route once, and while it lasts again each hour; a route that failed is tried at each check."""
        names = {route.name for route in self._routes()}
        before = self._mark.read()
        is_recent = before is not None and timedelta() <= self._now() - before.at < AGAIN_AFTER
        alarm = Alarm(AlarmKind.DATABASE, "", f"Nothing can go out. {message}", next_step)
        if not is_recent:
            log.error("%s %s", alarm.message, alarm.next_step)
            self._left = names
        left = self._send(alarm_note([alarm], [], community=self._community), self._left)
        if not is_recent and (left != names or not names):
            self._mark.write(_Told(self._now(), is_over=False))
        self._left = left

    def _tell_end(self) -> None:
        """Tell the routes that heard of it; each once, those that fail at the next check again."""
        before = self._mark.read()
        if before is None or before.is_over:
            return
        if self._end_left is None:
            log.info("%s", _OVER)
            self._end_left = {route.name for route in self._routes()} - self._left
            self._left = set()
        note = alarm_note([], [(AlarmKind.DATABASE, _OVER)], community=self._community)
        self._end_left = self._send(note, self._end_left)
        if not self._end_left:
            self._end_left = None
            self._mark.write(_Told(before.at, is_over=True))

    def _send(self, note: Note, names: set[str]) -> set[str]:
        """Try the routes of these names; give those that did not take it."""
        refused = {
            route.name: reason for route in self._routes() if route.name in names and (reason := route.tell(note))
        }
        for name, reason in refused.items():
            log.warning("%s: not taken: %s", name, reason)
        return set(refused)


class _Mark:
    """When it was last told, in a file of the queue folder, or of the system where that folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        name = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]
        self._places = (folder / _FILE, Path(tempfile.gettempdir()) / f"outreach-{name}{_FILE}")

    def read(self) -> _Told | None:
        found = [told for place in self._places if (told := _read(place)) is not None]
        return max(found, key=lambda told: told.at) if found else None

    def write(self, told: _Told) -> None:
        text = json.dumps({"at": told.at.isoformat(), "is_over": told.is_over})
        for place in self._places:
            with suppress(OSError):
                place.write_text(text, encoding="utf-8")
                return


def _read(place: Path) -> _Told | None:
    try:
        read = json.loads(place.read_text(encoding="utf-8"))
        return _Told(datetime.fromisoformat(read["at"]), bool(read["is_over"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None

"""The inbox folder: a letter dropped there is queued, or comes back with the reason why not.

Safe at every step, since a letter is recognised when it is met again: it is queued first and moved afterwards. A crash
between the two leaves it in the inbox; the next sweep finds that it is queued already and only moves it. Pictures lie
beside the letter, were dropped before it, and stay: the queue keeps its own copies.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from outreach.desk import AlreadyQueued, Desk
from outreach.doors.letterfile import read_letter
from outreach.model import BadInput
from outreach.store import StoreTrouble, explained

log = logging.getLogger(__name__)

FOLDERS = ("inbox", "accepted", "rejected")


class Inbox:
    """Sweeps one inbox. Several workers may sweep the same one: a letter that another one took is left to it."""

    def __init__(self, queue_folder: Path, desk: Desk) -> None:
        self._inbox, self._accepted, self._rejected = (queue_folder / name for name in FOLDERS)
        self._desk = desk
        self._told: dict[str, str] = {}

    def prepare(self) -> None:
        """Make the three folders."""
        for folder in (self._inbox, self._accepted, self._rejected):
            folder.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> int:
        """Take every whole letter there is; give how many were queued or rejected. One that cannot be taken stops none."""
        return sum(self._take(file) for file in self._letters())

    def _letters(self) -> Iterator[Path]:
        """Give the letters, oldest name first. A name with a dot in front or another ending is still being written."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._inbox) if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return
        yield from (self._inbox / name for name in names if name.endswith(".md") and not name.startswith("."))

    def _take(self, file: Path) -> bool:
        try:
            return self._queue_or_reject(file)
        except FileNotFoundError:
            return False  # another worker was faster
        except OSError as trouble:
            return self._leave(file, trouble.strerror or type(trouble).__name__)
        except StoreTrouble as trouble:
            return self._leave(file, explained(trouble).message)

    def _queue_or_reject(self, file: Path) -> bool:
        try:
            _check_name(file)
            added = self._desk.add(read_letter(file), folder=self._inbox, source=_source(file))
        except AlreadyQueued as known:
            if not self._is_left_from_a_crash(file, known.number):
                return self._reject(file, known)
            number = known.number
        except BadInput as bad:
            return self._reject(file, bad)
        else:
            number = added.announcement
        self._told.pop(file.name, None)
        log.info("inbox: %s is queued as %d", _shown(file), number)
        return self._move(file, self._accepted) is not None

    def _is_left_from_a_crash(self, file: Path, number: int) -> bool:
        """Tell whether an earlier sweep queued this very file and did not live to move it."""
        if self._desk.came_from(number) != _source(file):
            return False
        data, stem = file.read_bytes(), file.name.removesuffix(".md")
        moved = (other for other in self._accepted.iterdir() if other.name.startswith(stem))
        return all(other.read_bytes() != data or other.samefile(file) for other in moved)

    def _reject(self, file: Path, bad: BadInput) -> bool:
        moved = self._move(file, self._rejected)
        if moved is None:
            return False
        log.warning("inbox: %s is rejected: %s", _shown(file), bad)
        moved.with_name(f"{moved.name}.why.txt").write_text(f"{bad}\n", encoding="utf-8", errors="backslashreplace")
        return True

    def _leave(self, file: Path, why: str) -> bool:
        """Say once, not at every sweep, that a letter stays where it is."""
        if self._told.get(file.name) != why:
            log.error("inbox: %s stays where it is: %s", _shown(file), why)
        self._told[file.name] = why
        return False

    @staticmethod
    def _move(file: Path, folder: Path) -> Path | None:
        """Move a file under its own name or the next free one; None when another worker moved it.

        A link, unlike a rename, never replaces a file of the same name that came there in the same moment.
        """
        for target in _names(folder, file.name):
            try:
                os.link(file, target, follow_symlinks=False)
            except FileExistsError:
                if not target.samefile(file):
                    continue
            except FileNotFoundError:
                return None
            except OSError:  # a disk that knows no links
                file.rename(target)
            file.unlink(missing_ok=True)
            return target
        return None


def _source(file: Path) -> str:
    return f"from the inbox: {file.name}"


def _shown(file: Path) -> str:
    """Write a name that may be no text so that every log takes it."""
    return file.name.encode("utf-8", "backslashreplace").decode()


def _check_name(file: Path) -> None:
    try:
        file.name.encode()
    except UnicodeEncodeError:
        raise BadInput("The file's name is not UTF-8.", next_step="Rename it and drop it again.") from None


def _names(folder: Path, name: str) -> Iterator[Path]:
    stem = name.removesuffix(".md")
    for number in range(10_000):
        yield folder / f"{stem}{f'-{number}' if number else ''}.md"

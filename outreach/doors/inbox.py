"""The inbox folder: a letter dropped there is queued, or comes back with the reason why not.

Safe at every step, since a letter is recognised when it is met again: it is queued first and moved afterwards. A crash
between the two leaves it in the inbox; the next sweep finds that it is queued already and only moves it.
"""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from outreach import letter as letters
from outreach.desk import Added, Desk
from outreach.model import BadInput
from outreach.store import StoreTrouble

log = logging.getLogger(__name__)

FOLDERS = ("inbox", "accepted", "rejected")
_ALREADY = re.compile(r"already queued as (\d+)")


class Inbox:
    """Sweeps one inbox. Several workers may sweep the same one: a letter that another one took is left to it."""

    def __init__(self, queue_folder: Path, desk: Desk) -> None:
        self._inbox, self._accepted, self._rejected = (queue_folder / name for name in FOLDERS)
        self._desk = desk

    def prepare(self) -> None:
        """Make the three folders."""
        for folder in (self._inbox, self._accepted, self._rejected):
            folder.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> int:
        """Take every whole letter there is; give how many were queued or rejected."""
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
            added = self._queue(file)
        except FileNotFoundError:
            return False
        except BadInput as bad:
            return self._reject(file, bad)
        except (OSError, StoreTrouble) as trouble:
            log.error("inbox: %s stays where it is: %s", file.name, type(trouble).__name__)
            return False
        log.info("inbox: %s is queued as %d", file.name, added.announcement)
        self._move(file, self._accepted)
        return True

    def _queue(self, file: Path) -> Added:
        letter = letters.parse(letters.decode(file.read_bytes(), name=file.name), name=file.name)
        return self._desk.add(letter, folder=self._inbox, source=self._source(file))

    def _reject(self, file: Path, bad: BadInput) -> bool:
        known = _ALREADY.search(bad.message)
        if (
            known
            and self._desk.came_from(int(known[1])) == self._source(file)
            and not (self._accepted / file.name).exists()
        ):
            self._move(file, self._accepted)  # it was queued by a sweep that did not live to move it
            return True
        log.warning("inbox: %s is rejected: %s", file.name, bad)
        name = self._free_name(self._rejected, file.name).name
        (self._rejected / f"{name}.why.txt").write_text(f"{bad}\n", encoding="utf-8")
        self._move(file, self._rejected, name)
        return True

    @staticmethod
    def _source(file: Path) -> str:
        return f"from the inbox: {file.name}"

    def _move(self, file: Path, folder: Path, name: str | None = None) -> None:
        target = folder / (name or self._free_name(folder, file.name).name)
        try:
            file.rename(target)
        except FileNotFoundError:
            log.info("inbox: %s was moved by another worker", file.name)

    @staticmethod
    def _free_name(folder: Path, name: str) -> Path:
        stem, suffix = name.removesuffix(".md"), ".md"
        candidates = (f"{stem}{f'-{n}' if n else ''}{suffix}" for n in range(10_000))
        return next(folder / c for c in candidates if not (folder / c).exists())

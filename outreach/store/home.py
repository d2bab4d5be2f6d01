"""Where a SQLite database lives and how far it has come: so that a copy, or an older one put back by hand, is noticed.

A database on PostgreSQL has no file: nothing here is done for it.
"""

import hashlib
import logging
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from outreach.store import aftermath, safety
from outreach.store.engine import Store, Transaction
from outreach.store.safety import Cause
from outreach.store.schema import posts

log = logging.getLogger(__name__)

HOME = "home"
BEAT = "beat"
A_COPY = (
    "This database was last worked on in another place; it may be a copy, and if the original still runs, both would"
    " publish. If this is the one: outreach safe-mode off"
)
PUT_BACK = (
    "This database was put back from an older copy; what went out since is not in it. Look through outreach queue, then"
    " let posts out again: outreach safe-mode off"
)
MACHINE = Path("/etc/machine-id")
_DIGITS = 20


def settle(store: Store, *, now: datetime, look_after_s: tuple[int, ...], machine: Path = MACHINE) -> None:
    """Find out, before a worker claims anything, whether this is the database it takes itself for.

    One that was put back is marked as a restore marks it; for it, and for a copy, safe mode begins.
    """
    file = store.file
    if file is None or not file.is_file():
        return
    with store.write() as tx:
        counted, written = _counted(tx), _written(file)
        known = safety.remembered(tx, HOME)
        if known is None:  # a new one, whatever another left beside it
            move_in(tx, file)
        elif written > counted and _has_posts(tx):
            log.error("%s", PUT_BACK)
            aftermath.mark(tx, PUT_BACK, now=now, look_after_s=look_after_s)
        elif known != _here(file, machine):
            log.error("%s", A_COPY)
            safety.enter(tx, Cause.COPY, A_COPY, now=now)
        reached = max(counted, written) + 1
        safety.remember(tx, BEAT, str(reached))
    mark(file, reached)


def move_in(tx: Transaction, file: Path, *, before_it_is_there: Path | None = None) -> None:
    """Make the place of this file the home of the database, as a person who ends safe mode says that it is.

    `before_it_is_there` is the file that will be renamed to it.
    """
    safety.remember(tx, HOME, _here(before_it_is_there or file, MACHINE))
    safety.remember(tx, BEAT, str(max(_counted(tx), _written(file))))


def beat(tx: Transaction) -> int:
    """Count one further in the database; give the count, which `mark` writes beside it after the commit."""
    if tx.dialect.name != "sqlite":
        return 0
    reached = _counted(tx) + 1
    safety.remember(tx, BEAT, str(reached))
    return reached


def mark(file: Path | None, count: int) -> None:
    """Write beside the database how far it has come. Only after the commit: the file may be behind, never ahead."""
    if file is None:
        return
    with suppress(OSError):  # behind is harmless
        handle = os.open(_mark_of(file), os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(handle, f"{count:0{_DIGITS}}\n".encode(), 0)  # one write of one length: never half of it
        finally:
            os.close(handle)


def forget(tx: Transaction) -> None:
    """Take out what belongs to the place that a database came from."""
    safety.forget(tx, HOME)
    safety.forget(tx, BEAT)


def _counted(tx: Transaction) -> int:
    return int(safety.remembered(tx, BEAT) or 0)


def _written(file: Path) -> int:
    try:
        return int(_mark_of(file).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _mark_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.mark")


def _has_posts(tx: Transaction) -> bool:
    return tx.execute(select(posts.c.id).limit(1)).scalar() is not None


def _here(file: Path, machine: Path) -> str:
    """Name this place: the machine, and the file on it. Never opens it: closing it would drop the locks on it."""
    name = ""
    with suppress(OSError):  # some machines have no name
        name = machine.read_text(encoding="ascii", errors="replace").strip()
    return hashlib.sha256(f"{name}|{file.stat().st_ino}".encode()).hexdigest()

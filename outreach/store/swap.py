"""Exchanging the whole database in one step: who looks at it sees the one before or the one after, whatever happens."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from sqlalchemy.exc import SQLAlchemyError

from outreach.model import BadInput
from outreach.store import backup, copies, safety
from outreach.store.engine import APPLICATION_ID, StoreTrouble, explained, open_store
from outreach.store.workers import last_beats

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = 64
_MOST_WAITS = 80  # of a quarter of a second
_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOGS = ("-wal", "-shm", "-journal")
# Where SQLite keeps its locks in a file: whoever has it open holds some of these bytes.
_LOCKS_AT, _LOCKS = 0x40000000, 512


@dataclass(frozen=True, slots=True)
class There:
    """What is known of the database that is there. `is_sound` is false where there is none, or none that can be asked."""

    is_sound: bool
    secret: str | None = None
    beats: tuple[tuple[str, datetime], ...] = ()


Check: TypeAlias = Callable[[There], object]
"""Asked once more, when nobody else can write any more; raises `BadInput` to leave everything as it is."""


def look_at(file: Path | None, url: str) -> There:
    """Find out what is there; a SQLite file is not brought up to date. Raises `BadInput` for another program's."""
    if file is None:
        return _look_at_postgresql(url)
    if not file.exists() or file.stat().st_size == 0:
        return There(is_sound=False)
    try:
        with closing(copies.connected(file)) as connection:
            return _asked(connection, file)
    except sqlite3.Error as trouble:
        if (getattr(trouble, "sqlite_errorcode", 0) & 0xFF) in _UNREADABLE:
            return There(is_sound=False)
        raise _told(trouble, file) from None


def _asked(connection: sqlite3.Connection, file: Path) -> There:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        step = "Set OUTREACH_DATABASE_URL, or OUTREACH_QUEUE, to another place."
        raise BadInput("The database belongs to another program. Nothing was changed.", where=str(file), next_step=step)
    if not {"meta", "heartbeats"} <= tables:
        return There(is_sound=False)
    secret = connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
    return There(True, secret[0] if secret else None, _beats(connection))


def _beats(connection: sqlite3.Connection) -> tuple[tuple[str, datetime], ...]:
    rows = connection.execute("SELECT worker, beat_at FROM heartbeats").fetchall()
    return tuple((worker, _EPOCH + timedelta(microseconds=beat_at)) for worker, beat_at in rows)


def _told(trouble: sqlite3.Error, file: Path) -> BadInput:
    bad = explained(SQLAlchemyError(str(trouble)))
    return BadInput(bad.message, where=str(file), next_step=bad.next_step)


def _look_at_postgresql(url: str) -> There:
    store = open_store(url)
    try:
        with store.read() as tx:
            return There(True, safety.remembered(tx, "secret"), tuple(last_beats(tx)))
    finally:
        store.close()


def put(prepared: Path, into: Path | str, there: There, *, aside: Path, check: Check) -> None:
    """Put the prepared copy in the place of a SQLite file, or of all rows of the PostgreSQL at an address.

    What was there is kept whole in the new folder `aside`.
    """
    if isinstance(into, str):
        _refill(prepared, into, aside=aside, check=check)
    elif there.is_sound:
        _write_over(prepared, into, aside=aside, check=check)
    else:
        _replace(prepared, into, aside=aside)


# A sound SQLite file is written over, page by page in one transaction: others may have it open, and nothing is renamed


def _write_over(prepared: Path, file: Path, *, aside: Path, check: Check) -> None:
    done: list[str] = []
    waits: list[int] = []

    def between_steps(status: int, _left: int, _of: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            waits.append(status)
            if len(waits) > _MOST_WAITS:
                raise sqlite3.OperationalError("database is locked")
        elif not done:  # from here on nobody else can write, and whoever reads still sees what was there
            with copies.plain(file) as connection:
                check(There(True, None, _beats(connection)))
                _keep(connection, aside)
            done.append("kept")

    with copies.plain(prepared) as source, copies.plain(file) as target:
        target.execute("PRAGMA journal_mode=WAL")
        target.execute("PRAGMA synchronous=FULL")
        pages = source.execute("PRAGMA page_count").fetchone()[0]
        source.backup(target, pages=max(1, pages // _STEPS), progress=between_steps)


def _keep(connection: sqlite3.Connection, aside: Path) -> None:
    """Copy what is there, under a name that it gets only when it is whole."""
    aside.mkdir(mode=0o700)
    part = aside / "outreach.db.part"
    part.touch(mode=0o600)
    with closing(sqlite3.connect(part)) as copy:
        connection.backup(copy)
    _name_whole(part)


def _name_whole(part: Path) -> None:
    with part.open("rb") as whole:
        backup.sync(whole.fileno())
    part.rename(part.with_suffix(""))
    backup.sync_folder(part.parent)
    backup.sync_folder(part.parent.parent)


# A file that is no good, or not there, is exchanged by a rename


def _replace(prepared: Path, file: Path, *, aside: Path) -> None:
    logs = [log for ending in _LOGS if (log := file.with_name(f"{file.name}{ending}")).exists()]
    found = [*([file] if file.exists() else []), *logs]
    if found:
        _check_that_nobody_has_it_open(file)
        aside.mkdir(mode=0o700)
        for one in found:
            _link(one, aside / one.name)
        backup.sync_folder(aside)
    for log in logs:  # before the rename: SQLite would take them for those of the new file
        log.unlink()
    with prepared.open("rb") as whole:
        backup.sync(whole.fileno())
    prepared.replace(file)
    backup.sync_folder(file.parent)


def _link(file: Path, to: Path) -> None:
    try:
        to.hardlink_to(file)
    except OSError:  # a disk without links
        shutil.copy2(file, to)


def _check_that_nobody_has_it_open(file: Path) -> None:
    if not file.exists():
        return
    with file.open("r+b") as opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS, _LOCKS_AT, os.SEEK_SET)
        except OSError:
            raise BadInput(
                "Another program has the damaged database open. Nothing was changed.",
                where=str(file),
                next_step="Stop it (outreach worker, outreach up), then try again.",
            ) from None


# PostgreSQL: every row in one transaction


def _refill(prepared: Path, url: str, *, aside: Path, check: Check) -> None:
    store = open_store(url)
    try:
        with store.write() as tx:
            copies.lock_everything(tx)
            check(There(True, None, tuple(last_beats(tx))))
            aside.mkdir(mode=0o700)
            part = aside / "outreach.db.part"
            copies.rows_into(part, tx)
            part.chmod(0o600)
            _name_whole(part)
            copies.rows_from(prepared, tx)
    except StoreTrouble as trouble:
        raise explained(trouble) from None
    finally:
        store.close()

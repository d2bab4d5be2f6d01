"""Opening the database: two engines on one SQLite file, or one PostgreSQL, checked before anything is written."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from outreach.model import BadInput

Transaction: TypeAlias = Connection
StoreTrouble: TypeAlias = SQLAlchemyError
"""What the database may raise when it cannot work: full, locked, gone. A commit that raised may still have happened."""

NOT_STORABLE: tuple[type[Exception], ...] = (IntegrityError, DataError, TypeError, ValueError)
"""What it raises for a value that no retry will get in: a broken promise, or a text that no database takes."""

APPLICATION_ID = 0x6F757472  # "outr"
SCHEMA = 7
HEAD = "0007"
_BUSY_TIMEOUT_MS = 20_000
_LEAST_FREE_BYTES = 400_000


class Store:
    """The database of one install. Transactions of `write` are serialised; those of `read` never wait for them."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self.is_sqlite = writer.dialect.name == "sqlite"
        self.file = Path(writer.url.database).absolute() if self.is_sqlite and writer.url.database else None
        self._inode: int | None = None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Begin a transaction that may write; it commits at the end of the block, or leaves no trace if that raises.

        Raises `StoreTrouble`. Never hold one across anything slow: every other writer waits.
        """
        with self._writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Begin a transaction that sees one consistent moment and cannot write."""
        with self._reader.connect() as tx:
            yield tx

    @contextmanager
    def watch(self) -> Iterator["ChangeWatch"]:
        """Keep one connection to ask cheaply and often whether another process wrote something."""
        with self._reader.connect() as connection:
            yield ChangeWatch(connection, self.is_sqlite)

    def obstacle(self) -> str | None:
        """Say what keeps a post that is sent from being recorded, as far as that shows beforehand; None when nothing does.

        A SQLite file that was replaced or deleted goes on existing for whoever has it open, and for nobody else: what is
        recorded there is lost, and another worker would send the same from the file that is there now.
        """
        if self.file is None:
            return None
        try:
            disk, inode = os.statvfs(self.file.parent), self.file.stat().st_ino
        except OSError:
            return "The database file is gone, so nothing is published. Put it back and start the worker again."
        self._inode = self._inode or inode
        if inode != self._inode:
            return "The database file was replaced, so nothing is published. Start the worker again."
        if disk.f_bavail * disk.f_frsize < _LEAST_FREE_BYTES:
            return "The disk is nearly full, so nothing is published. Free some space."
        return None

    def close(self) -> None:
        """Give every connection back."""
        self._writer.dispose()
        self._reader.dispose()


class ChangeWatch:
    """Tells whether the database may have changed since it was last asked."""

    def __init__(self, connection: Connection, is_sqlite: bool) -> None:
        cursor = connection.connection.cursor() if is_sqlite else None
        self._cursor: Any = cursor
        self._seen: int | None = self._version()

    def _version(self) -> int | None:
        if self._cursor is None:
            return None
        row: tuple[int] = self._cursor.execute("PRAGMA data_version").fetchone()
        return row[0]

    def has_changed(self) -> bool:
        """SQLite: true when another connection committed since. PostgreSQL cannot say so cheaply: always true."""
        version = self._version()
        changed = version is None or version != self._seen
        self._seen = version
        return changed


def open_store(url: str) -> Store:
    """Open the database at `url` and bring its schema up to date. Creates a SQLite file that is not there.

    Raises `BadInput` for a database that is corrupt, of another program, or of a newer version: it is left untouched.
    """
    place = _parse(url)
    try:
        store = _sqlite(place) if place.get_backend_name() == "sqlite" else _postgresql(place)
        _bring_up_to_date(store)
    except SQLAlchemyError as trouble:
        raise explained(trouble, place) from None
    store.obstacle()  # takes note of which file it is
    return store


def file_of(url: str) -> Path | None:
    """Give the file that a SQLite address means, without opening it; None for PostgreSQL."""
    place = _parse(url)
    return Path(place.database or "").absolute() if place.get_backend_name() == "sqlite" else None


def _parse(url: str) -> URL:
    try:
        place = make_url(url)
    except ArgumentError:
        raise BadInput(
            "The database address cannot be read.",
            where="OUTREACH_DATABASE_URL",
            next_step="Write sqlite:///path/to/file.db or postgresql://name@host/database, or leave it empty.",
        ) from None
    if place.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadInput(
            f"A {place.get_backend_name()} database is not supported.",
            where="OUTREACH_DATABASE_URL",
            next_step="Use SQLite (leave it empty) or PostgreSQL.",
        )
    return place


def explained(trouble: SQLAlchemyError, place: URL | None = None) -> BadInput:
    """Say in plain words what the database could not do, and what to do about it."""
    where = (place.database or place.render_as_string(hide_password=True)) if place else ""
    # Found out by SQLite itself: a look into the file by another way would, when it is closed again, take away the locks
    # that this process has on it.
    said = str(getattr(trouble, "orig", None) or trouble).splitlines()[0]
    steps = {
        "malformed": "The file is damaged and was not touched. Restore the latest backup.",
        "not a database": "Move the file away, or set OUTREACH_DATABASE_URL to another place.",
        "readonly": "Make the folder and the file writable for this user.",
        "unable to open": "Check that the folder exists and is writable for this user.",
        "full": "Free some disk space and try again.",
        "disk I/O": "The disk is full or failing: free some space, or look at the disk.",
        "locked": "Another program holds the file. Stop it and try again.",
    }
    step = next((step for word, step in steps.items() if word in said), "Check that the database runs and try again.")
    if "not a database" in said:
        return BadInput("The file is not a database.", where=where, next_step=step)
    return BadInput(f"The database cannot be used: {said}.", where=where, next_step=step)


# SQLite


def _sqlite(place: URL) -> Store:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "connect_args": {"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
    }
    writer = create_engine(place, pool_size=1, max_overflow=0, pool_timeout=60, **options)
    reader = create_engine(place, pool_size=4, max_overflow=12, **options)
    event.listen(writer, "connect", _prepare_writer)
    event.listen(reader, "connect", _prepare_reader)
    # On Python 3.11 the driver begins no transaction before a SELECT: without this hook two processes claim one post.
    event.listen(writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return Store(writer, reader)


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")


# PostgreSQL


def _postgresql(place: URL) -> Store:
    place = place.set(drivername="postgresql+psycopg")
    try:
        engine = create_engine(place, pool_size=5, max_overflow=15, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise BadInput(
            "The PostgreSQL driver is not installed.",
            where="OUTREACH_DATABASE_URL",
            next_step="Install it with: pip install 'outreach[postgres]'",
        ) from None
    # One moment for a whole transaction, as SQLite's readers see it.
    return Store(engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))


# The schema


def _bring_up_to_date(store: Store) -> None:
    if store.is_sqlite:
        _check_version(store)
    if _revision(store) == HEAD:
        return
    from outreach.migrations import upgrade  # start-up time: Alembic costs 0.4 s and is needed once

    with store.write() as tx:
        if not store.is_sqlite:
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
        upgrade(tx)
        if store.is_sqlite:
            tx.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
            tx.exec_driver_sql(f"PRAGMA user_version={SCHEMA}")


def _check_version(store: Store) -> None:
    with store.read() as tx:
        application = tx.exec_driver_sql("PRAGMA application_id").scalar_one()
        version = tx.exec_driver_sql("PRAGMA user_version").scalar_one()
        tables = tx.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        where = str(tx.engine.url.database)
    if tables and application != APPLICATION_ID:
        raise BadInput(
            "The database belongs to another program.",
            where=where,
            next_step="Set OUTREACH_DATABASE_URL, or OUTREACH_QUEUE, to another place.",
        )
    if version > SCHEMA:
        raise BadInput(
            "The database was made by a newer version of outreach and was not touched.",
            where=where,
            next_step="Install that version, or restore a backup made by this one.",
        )


def _revision(store: Store) -> str | None:
    with store.read() as tx:
        try:
            revision: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError as missing:
            if "alembic_version" not in str(missing.orig):
                raise
            return None
    if revision is not None and revision > HEAD:
        raise BadInput(
            "The database was made by a newer version of outreach and was not touched.",
            where="OUTREACH_DATABASE_URL",
            next_step="Install that version, or restore a backup made by this one.",
        )
    return revision

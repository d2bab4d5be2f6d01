"""Copies of the database: one moment of it as one SQLite file, whatever it is kept in; and its rows back."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Table, text
from sqlalchemy.exc import SQLAlchemyError

from outreach.model import BadInput
from outreach.store.engine import APPLICATION_ID, SCHEMA, Store, Transaction, explained, open_store
from outreach.store.past import index_again
from outreach.store.schema import metadata

BUSY_S = 20.0
_AT_ONCE = 5_000
_TABLES = metadata.sorted_tables


def make(store: Store, file: Path) -> None:
    """Write one consistent moment of the database into a new SQLite file, while others go on writing."""
    file.touch(mode=0o600, exist_ok=False)
    if store.file is not None:
        with plain(store.file) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
    else:
        with store.read() as tx:
            rows_into(file, tx)


def check(file: Path) -> None:
    """Read a copy whole. Raises `BadInput` for one that is damaged, of another program or of a newer version."""
    with plain(file) as connection:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise BadInput("The copy is no database of outreach.", where=str(file))
        if connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA:
            raise BadInput("The copy is of a newer version of outreach.", where=str(file))
        said = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        strays = connection.execute("PRAGMA foreign_key_check").fetchone()
    if said != ["ok"] or strays:
        what = said[0].splitlines()[0] if said != ["ok"] else f"a row of {strays[0]} points nowhere"
        raise BadInput(f"The copy of the database is damaged: {what}.", where=str(file), next_step=_LOOK)


_LOOK = "Look at the disk, then run: outreach doctor"


def revision(file: Path) -> str:
    """Give the schema revision of a copy."""
    with plain(file) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def posts_by_state(file: Path) -> dict[str, int]:
    """Count the posts of a copy by their states."""
    with plain(file) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM posts GROUP BY state ORDER BY state").fetchall())


def take_out_the_secret(file: Path) -> str | None:
    """Remove the install secret and every session, link and token from a copy so that no byte stays; give the secret."""
    with plain(file) as connection:
        found = connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
        connection.execute("PRAGMA journal_mode=MEMORY")  # a journal on the disk would hold it
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("DELETE FROM meta WHERE key = 'secret'")
        for table in _WAYS_IN:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        return found[0] if found else None


# What opens a door today is not to open one again after a restore. The order is that of the keys between them.
_WAYS_IN = ("answers", "tokens", "sessions", "links", "log_ins", "presence")


def as_one_file(file: Path) -> None:
    """Bring everything that was written into the file itself: no log is left beside it."""
    with plain(file) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def plain(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file that is there, without bringing it up to date. What the database refuses is a `BadInput`."""
    try:
        with closing(connected(file)) as connection:
            yield connection
    except sqlite3.Error as trouble:
        bad = explained(SQLAlchemyError(str(trouble)))
        raise BadInput(bad.message, where=str(file), next_step=bad.next_step) from None


def connected(file: Path) -> sqlite3.Connection:
    """Open a SQLite file that is there, each statement its own transaction. Raises `sqlite3.Error`."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_S)


# Rows between PostgreSQL and a SQLite file, without a look at what they mean


def rows_into(file: Path, tx: Transaction) -> None:
    """Write every row that a PostgreSQL transaction sees into a new SQLite file with the same schema."""
    open_store(f"sqlite:///{file}").close()
    with plain(file) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        for table in _TABLES:
            blanks = ", ".join("?" * len(table.columns))
            insert = f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({blanks})"  # noqa: S608 - names of our own
            for rows in _partitions(tx, table):
                connection.executemany(insert, rows)
        index_again(connection)
        connection.execute("COMMIT")
    as_one_file(file)


def _partitions(tx: Transaction, table: Table) -> Iterator[Sequence[Any]]:
    # As text, JSON stays byte for byte what it was.
    columns = ", ".join(
        f'CAST("{c.name}" AS text)' if isinstance(c.type, JSON) else f'"{c.name}"' for c in table.columns
    )
    query = text(f"SELECT {columns} FROM {table.name}")  # noqa: S608 - names of our own
    found = tx.execute(query, execution_options={"stream_results": True, "max_row_buffer": _AT_ONCE})
    for rows in found.partitions(_AT_ONCE):
        yield [tuple(row) for row in rows]


def lock_everything(tx: Transaction) -> None:
    """Let nobody else read or write any table of a PostgreSQL until the transaction ends."""
    tx.execute(text(f"SET LOCAL lock_timeout = {int(BUSY_S * 1000)}"))
    tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
    tx.execute(text(f"LOCK TABLE {_NAMES} IN ACCESS EXCLUSIVE MODE"))


def rows_from(file: Path, tx: Transaction) -> None:
    """Put the rows of a SQLite file in the place of all rows of a PostgreSQL."""
    tx.execute(text(f"TRUNCATE {_NAMES}"))
    with plain(file) as connection:
        for table in _TABLES:
            _copy_in(connection, tx, table)
    for table in _TABLES:
        if "id" in table.columns:
            last = f"SELECT max(id) FROM {table.name}"  # noqa: S608 - names of our own
            tx.execute(text(f"SELECT setval('{table.name}_id_seq', coalesce(({last}), 1), ({last}) IS NOT NULL)"))


def _copy_in(connection: sqlite3.Connection, tx: Transaction, table: Table) -> None:
    driver: Any = tx.connection.driver_connection
    found = connection.execute(f"SELECT {_columns(table)} FROM {table.name}")  # noqa: S608 - names of our own
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({_columns(table)}) FROM STDIN") as copy:
            for row in found:
                copy.write_row(row)
    except tx.dialect.loaded_dbapi.Error as trouble:
        raise explained(SQLAlchemyError(str(trouble))) from None


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


_NAMES = ", ".join(table.name for table in _TABLES)

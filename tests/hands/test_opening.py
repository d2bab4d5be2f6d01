"""Opening a database: made when it is not there, and never touched when it is not ours, damaged or newer."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from outreach.model import BadInput, State
from outreach.store import Store, open_store
from outreach.store.engine import HEAD, SCHEMA
from tests.builders import a_stored_post, column
from tests.conftest import Cluster
from tests.hands.stand_ins import Scripted, a_publisher


def refusal(url: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        open_store(url)
    return caught.value


def changed(file: Path, sql: str) -> bytes:
    """Do something to a closed SQLite file as another program would, and give its bytes."""
    connection = sqlite3.connect(file)
    connection.executescript(sql)
    connection.close()
    return file.read_bytes()


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new.db"

    open_store(f"sqlite:///{file}").close()

    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA application_id").fetchone() == (0x6F757472,)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    connection.close()


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")

    assert column(store, "SELECT count(*) FROM posts") == [0]
    store.close()


def test_a_folder_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    said = refusal(f"sqlite:///{tmp_path / 'missing' / 'outreach.db'}")

    assert said.where == str(tmp_path / "missing" / "outreach.db")
    assert said.next_step == "Check that the folder exists and is writable for this user."
    assert not (tmp_path / "missing").exists()


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}").where == str(tmp_path)


def test_a_file_that_is_not_a_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Ask Ann about the poster session.")

    said = refusal(f"sqlite:///{file}")

    assert (said.message, said.where) == ("The file is not a database.", str(file))
    assert file.read_text() == "Ask Ann about the poster session."


def test_a_damaged_file_is_refused_and_not_touched(migrated_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    sound = migrated_file.read_bytes()
    file.write_bytes(sound[:100] + b"\xff" * 3996 + sound[4096:])
    before = file.read_bytes()

    said = refusal(f"sqlite:///{file}")

    assert said.next_step == "The file is damaged and was not touched. Restore the latest backup."
    assert file.read_bytes() == before


def test_a_file_cut_short_is_refused_and_not_touched(migrated_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "short.db"
    file.write_bytes(migrated_file.read_bytes()[:5000])
    before = file.read_bytes()

    said = refusal(f"sqlite:///{file}")

    assert said.where == str(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("sql", ["CREATE TABLE t (x)", "PRAGMA application_id = 42; CREATE TABLE posts (id)"])
def test_the_database_of_another_program_is_refused_and_not_touched(tmp_path: Path, sql: str) -> None:
    file = tmp_path / "theirs.db"
    before = changed(file, sql)

    said = refusal(f"sqlite:///{file}")

    assert said.message == "The database belongs to another program."
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "sql", [f"PRAGMA user_version = {SCHEMA + 1}", "UPDATE alembic_version SET version_num = '9999'"]
)
def test_the_database_of_a_newer_version_is_refused_and_not_touched(sqlite_url: str, sql: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    before = changed(file, sql)

    said = refusal(sqlite_url)

    assert said.message == "The database was made by a newer version of outreach and was not touched."
    assert file.read_bytes() == before


@pytest.mark.postgres
def test_the_postgresql_database_of_a_newer_version_is_refused(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_empty()
    store = open_store(url)
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()

    said = refusal(url)

    assert said.message == "The database was made by a newer version of outreach and was not touched."


def test_a_file_that_may_only_be_read_is_refused_with_the_step_to_take(tmp_path: Path) -> None:
    file = tmp_path / "locked-away.db"
    before = changed(file, "PRAGMA user_version = 0; PRAGMA journal_mode = WAL; VACUUM")

    said = refusal(f"sqlite:///file:{file}?mode=ro&uri=true")

    assert said.next_step == "Make the folder and the file writable for this user."
    assert file.read_bytes() == before


def test_an_address_that_cannot_be_read_names_the_setting_and_the_forms() -> None:
    said = refusal("outreach.db")

    assert said.where == "OUTREACH_DATABASE_URL"
    assert said.message == "The database address cannot be read."


def test_another_kind_of_database_is_refused() -> None:
    assert refusal("mysql://ann@localhost/outreach").message == "A mysql database is not supported."


def test_a_server_that_does_not_answer_is_refused_without_showing_the_password() -> None:
    said = refusal("postgresql://ann:hunter2@127.0.0.1:1/outreach")

    assert "hunter2" not in str(said)
    assert said.where == "outreach"


# Several at once


def test_many_that_open_a_new_file_at_once_make_one_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))

    assert [column(store, "SELECT version_num FROM alembic_version") for store in stores] == [[HEAD]] * 4
    for store in stores:
        store.close()


@pytest.mark.postgres
def test_many_that_open_a_new_postgresql_at_once_make_one_database(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_empty()

    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))

    assert [column(store, "SELECT version_num FROM alembic_version") for store in stores] == [[HEAD]] * 4
    for store in stores:
        store.close()


# Transactions


def test_what_raises_in_a_transaction_leaves_no_trace(store: Store) -> None:
    with pytest.raises(SQLAlchemyError):
        _insert_twice(store)

    assert column(store, "SELECT count(*) FROM meta") == [0]


def _insert_twice(store: Store) -> None:
    with store.write() as tx:
        for _ in range(2):
            tx.execute(text("INSERT INTO meta (key, value) VALUES ('a', 'b')"))


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(SQLAlchemyError), store.read() as tx:
        tx.execute(text("INSERT INTO meta (key, value) VALUES ('a', 'b')"))


def test_a_writer_can_write_after_a_reader_had_its_connection(store: Store) -> None:
    column(store, "SELECT 1")

    with store.write() as tx:
        tx.execute(text("INSERT INTO meta (key, value) VALUES ('a', 'b')"))

    assert column(store, "SELECT value FROM meta") == ["b"]


def test_a_reader_sees_one_moment_though_others_write(store: Store) -> None:
    with store.read() as tx:
        first = tx.execute(text("SELECT count(*) FROM meta")).scalar()
        with store.write() as other:
            other.execute(text("INSERT INTO meta (key, value) VALUES ('a', 'b')"))
        second = tx.execute(text("SELECT count(*) FROM meta")).scalar()

    assert (first, second) == (0, 0)


def test_a_writer_that_looks_first_is_never_overtaken_between_the_look_and_the_write(sqlite_url: str) -> None:
    # Given two programs with the file open
    stores = [open_store(sqlite_url), open_store(sqlite_url)]
    with stores[0].write() as tx:
        tx.execute(text("INSERT INTO meta (key, value) VALUES ('count', '0')"))

    # When both count on from what they read
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_count_on, stores, [100, 100]))

    # Then no step is lost
    assert column(stores[0], "SELECT value FROM meta") == ["200"]
    for store in stores:
        store.close()


def _count_on(store: Store, times: int) -> None:
    for _ in range(times):
        with store.write() as tx:
            value = int(tx.execute(text("SELECT value FROM meta WHERE key = 'count'")).scalar_one())
            tx.execute(text("UPDATE meta SET value = :next"), {"next": str(value + 1)})


def test_every_commit_is_synced_and_readers_are_not_blocked(sqlite_store: Store) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
    with sqlite_store.write() as tx:
        found = {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 20000,
        "trusted_schema": 0,
    }


def test_a_watch_tells_when_another_program_wrote(sqlite_url: str) -> None:
    ours, theirs = open_store(sqlite_url), open_store(sqlite_url)

    with ours.watch() as watch:
        quiet = watch.has_changed()
        a_stored_post(theirs, State.QUEUED)
        told = [watch.has_changed(), watch.has_changed()]

    assert (quiet, told) == (False, [True, False])
    ours.close()
    theirs.close()


# What keeps a post from being recorded, seen beforehand


def test_a_file_that_was_replaced_or_deleted_is_noticed_by_whoever_has_it_open(
    sqlite_store: Store, sqlite_url: str, migrated_file: Path
) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    assert sqlite_store.obstacle() is None
    moved = file.rename(file.with_name("elsewhere.db"))
    assert (sqlite_store.obstacle() or "").startswith("The database file is gone")
    file.write_bytes(migrated_file.read_bytes())
    assert (sqlite_store.obstacle() or "").startswith("The database file was replaced")
    moved.replace(file)
    assert sqlite_store.obstacle() is None


def test_nothing_is_claimed_from_a_file_that_others_do_not_see(sqlite_store: Store, sqlite_url: str) -> None:
    a_stored_post(sqlite_store)
    publisher = a_publisher(sqlite_store, {1: Scripted()})
    Path(sqlite_url.removeprefix("sqlite:///")).unlink()

    assert publisher.drain() == 0
    assert column(sqlite_store, "SELECT state FROM posts") == ["queued"]
    publisher.close()


def test_a_postgresql_minds_its_own_disk(store: Store) -> None:
    assert store.obstacle() is None

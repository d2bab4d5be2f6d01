"""Exchanging the whole database: the one before or the one after, what was there kept, and no worker left on it."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.model import BadInput
from outreach.store import Store, open_store, workers
from outreach.store.safety import Cause
from tests.builders import LATER, a_stored_post, claimed, column
from tests.hands.kills import killed_before, lines_of, spread
from tests.hands.spots import SOON, Spot, a_spot, of, rows, rows_of, safe_mode

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def spot(tmp_path: Path) -> Spot:
    """An install with two queued posts."""
    return a_spot(tmp_path)


# What was there


def test_what_was_there_is_kept_whole_and_two_restores_keep_both(spot: Spot) -> None:
    spot.backup()
    of(spot.url, lambda s: a_stored_post(s, due_at=LATER))
    before = rows_of(spot)
    first, second = spot.restore().aside, spot.restore().aside
    assert first is not None
    assert second is not None
    assert first != second
    assert first.parent == spot.queue
    assert of(f"sqlite:///{first / 'outreach.db'}", rows) == before


@pytest.mark.postgres
def test_what_was_there_on_postgresql_is_kept_as_a_file(
    postgres_url: str, postgres_store: Store, tmp_path: Path
) -> None:
    spot = Spot(tmp_path, postgres_url)
    a_stored_post(postgres_store, due_at=LATER)
    spot.backup()
    a_stored_post(postgres_store, due_at=LATER)
    before = rows(postgres_store)
    aside = spot.restore().aside
    assert aside is not None
    assert of(f"sqlite:///{aside / 'outreach.db'}", rows) == before
    assert len(column(postgres_store, "SELECT id FROM posts")) == 1


@pytest.mark.parametrize("spoil", ["no database", "cut short", "scribbled on", "newer", "gone", "empty"])
def test_a_database_that_is_no_good_is_exchanged_and_kept(spot: Spot, spoil: str) -> None:
    spot.backup()
    data = spot.file.read_bytes()
    match spoil:
        case "no database":
            spot.file.write_bytes(b"This was never a database.\n" * 500)
        case "cut short":
            spot.file.write_bytes(data[:5000])
        case "scribbled on":
            spot.file.write_bytes(data[:4096] + b"\xa5" * 36_864 + data[40_960:])
        case "newer":
            with sqlite3.connect(spot.file) as connection:
                connection.execute("PRAGMA user_version = 99")
            connection.close()
        case "gone":
            spot.file.unlink()
        case "empty":
            spot.file.write_bytes(b"")
    spoilt = spot.file.read_bytes() if spot.file.exists() else None
    aside = spot.restore().aside
    assert of(spot.url, safe_mode).cause is Cause.RESTORE
    assert (aside is None) == (spoilt is None)
    if aside is not None and spoil != "newer":
        assert (aside / "outreach.db").read_bytes() == spoilt


def test_the_log_of_a_database_that_is_no_good_is_not_taken_for_one_of_the_new(spot: Spot) -> None:
    spot.backup()
    holder = sqlite3.connect(spot.file, isolation_level=None)
    holder.execute("PRAGMA wal_autocheckpoint=0")
    holder.execute("UPDATE posts SET reason = 'of the log'")
    log = (spot.queue / "outreach.db-wal").read_bytes()
    holder.close()
    spot.file.write_bytes(b"This was never a database.\n" * 500)
    (spot.queue / "outreach.db-wal").write_bytes(log)
    aside = spot.restore().aside
    assert aside is not None
    assert (aside / "outreach.db-wal").read_bytes() == log
    assert of(spot.url, lambda s: column(s, "SELECT count(*) FROM posts WHERE reason = 'of the log'")) == [0]
    assert of(spot.url, lambda s: column(s, "PRAGMA integrity_check")) == ["ok"]


def test_the_database_of_another_program_is_left_alone(spot: Spot) -> None:
    spot.backup()
    spot.file.unlink()
    with sqlite3.connect(spot.file) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = spot.file.read_bytes()
    with pytest.raises(BadInput, match="belongs to another program"):
        spot.restore()
    assert spot.file.read_bytes() == before


# Workers


def alive(url: str, *names: str, at: Any = SOON) -> None:
    def beat(opened: Store) -> None:
        with opened.write() as tx:
            for name in names:
                workers.beat(tx, name, at)

    of(url, beat)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_waits_until_no_worker_is_alive(request: pytest.FixtureRequest, kind: str, spot: Spot) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else spot.url
    there = Spot(spot.folder, url)
    spot.backup()
    alive(url, "elsewhere|boot|1|1|0")
    before = rows_of(there)
    with pytest.raises(BadInput, match="1 worker is at work"):
        there.restore()
    assert rows_of(there) == before
    assert there.restore(force=True).marked.waiting == 1


def test_a_worker_that_is_certainly_gone_or_silent_for_a_minute_holds_nothing_up(spot: Spot) -> None:
    spot.backup()
    gone = workers.this_worker().split("|")
    alive(spot.url, "|".join([*gone[:3], "0", "0"]))  # its process number is somebody else's now
    alive(spot.url, "elsewhere|boot|1|1|0", at=SOON - timedelta(seconds=61))
    assert spot.restore().marked.waiting == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_begins_while_the_restore_is_prepared_stops_it(
    request: pytest.FixtureRequest, kind: str, spot: Spot
) -> None:
    there = Spot(spot.folder, request.getfixturevalue("postgres_url") if kind == "postgres" else spot.url)

    def begin(what: str, _done: int, _of: int) -> None:
        if what == "putting it in place":
            alive(there.url, workers.this_worker())

    spot.backup()
    before = rows_of(there)
    with pytest.raises(BadInput, match="1 worker is at work"):
        there.restore(tell=begin)
    assert rows_of(there) == before


def test_who_has_the_database_open_sees_the_restored_one_at_once(spot: Spot) -> None:
    spot.backup()
    store = open_store(spot.url)
    a_stored_post(store, due_at=LATER)
    spot.restore()
    assert safe_mode(store) is not None
    assert column(store, "SELECT count(*) FROM posts") == [2]
    a_stored_post(store, due_at=LATER)
    store.close()
    assert of(spot.url, lambda s: column(s, "SELECT count(*) FROM posts")) == [3]


# Killed


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_restore_that_is_killed_anywhere_leaves_what_was_there_or_all_of_the_backup(spot: Spot, spoilt: bool) -> None:
    def work() -> None:
        spot.restore()

    spot.backup()
    (spot.queue / "media" / "poster.jpg").unlink()
    of(spot.url, lambda s: a_stored_post(s, due_at=LATER))
    if spoilt:
        spot.file.write_bytes(b"This was never a database.\n" * 500)
    before = spot.file.read_bytes() if spoilt else rows_of(spot)
    kept = spot.folder / "kept.db"
    _copy_of(spot.file, kept)
    lines = lines_of(work)
    ends = set()
    for line in spread(lines, 20):
        _copy_of(kept, spot.file)
        (spot.queue / "media" / "poster.jpg").unlink(missing_ok=True)
        killed_before(line, work)
        ends.add(_is_the_old_or_the_new(spot, before, spoilt))
    assert ends == {"old", "new"}
    spot.restore()


def _copy_of(file: Path, to: Path) -> None:
    for ending in ("-wal", "-shm"):
        to.with_name(to.name + ending).unlink(missing_ok=True)
    to.unlink(missing_ok=True)
    to.write_bytes(file.read_bytes())


def _is_the_old_or_the_new(spot: Spot, before: Any, spoilt: bool) -> str:
    if spoilt and spot.file.read_bytes() == before:
        return "old"
    mode, now = of(spot.url, safe_mode), rows_of(spot)
    if mode is None:
        assert now == before
        return "old"
    assert mode.cause is Cause.RESTORE
    assert of(spot.url, lambda s: column(s, "SELECT state FROM posts ORDER BY id")) == ["missed", "queued"]
    assert of(spot.url, lambda s: claimed(s, now=LATER + timedelta(minutes=1))) == []
    assert (spot.queue / "media" / "poster.jpg").read_bytes() == b"a picture"
    return "new"

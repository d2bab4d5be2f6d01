"""Databases that were copied, or put back by hand: noticed before anything of them can be claimed."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from outreach.model import State
from outreach.store import Store, home, open_store, safety
from outreach.store.safety import Cause
from tests.builders import LATER, NOW, a_stored_post, claimed, column
from tests.hands.spots import Spot, a_spot

LOOKS = (30, 120)


def begin(file: Path, *, machine: Path = home.MACHINE) -> safety.SafeMode | None:
    """Do what a worker does at its start, and give the safe mode that is on then."""
    store = open_store(f"sqlite:///{file}")
    home.settle(store, now=NOW, look_after_s=LOOKS, machine=machine)
    with store.read() as tx:
        found = safety.current(tx)
    store.close()
    return found


def beat(file: Path) -> None:
    store = open_store(f"sqlite:///{file}")
    with store.write() as tx:
        count = home.beat(tx)
    home.mark(file, count)
    store.close()


def leave(file: Path) -> None:
    """A person says that it is the right one."""
    store = open_store(f"sqlite:///{file}")
    with store.write() as tx:
        safety.leave(tx, now=NOW)
        home.move_in(tx, file)
    store.close()


@pytest.fixture
def file(sqlite_url: str) -> Path:
    """A database with a post due now and one due later, which a worker has worked on."""
    store = open_store(sqlite_url)
    a_stored_post(store, due_at=NOW)
    a_stored_post(store, due_at=LATER)
    store.close()
    found = Path(sqlite_url.removeprefix("sqlite:///"))
    assert begin(found) is None
    return found


def states(file: Path) -> list[str]:
    store = open_store(f"sqlite:///{file}")
    found = column(store, "SELECT state FROM posts ORDER BY id")
    store.close()
    return found


def test_a_worker_that_begins_again_in_the_same_place_is_at_home(file: Path) -> None:
    for _ in range(3):
        beat(file)
        assert begin(file) is None


def test_a_copy_in_another_place_lets_nothing_out_until_a_person_says_that_it_is_the_one(file: Path) -> None:
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    mode = begin(copy)
    assert mode is not None
    assert mode.cause is Cause.COPY
    assert mode.reason.endswith("If this is the one: outreach safe-mode off")
    assert begin(copy) == mode
    leave(copy)
    assert begin(copy) is None
    assert begin(file) is None  # the original is where it was


def test_another_machine_is_another_place(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "machine-id"
    other.write_text("another machine\n")
    mode = begin(file, machine=other)
    assert mode is not None
    assert mode.cause is Cause.COPY


def test_an_older_copy_put_back_by_hand_is_treated_as_a_restore(file: Path) -> None:
    older = file.with_name("older.db")
    shutil.copyfile(file, older)
    begin(file)
    shutil.copyfile(older, file)  # into the same file, at the same place
    mode = begin(file)
    assert mode is not None
    assert mode.cause is Cause.RESTORE
    assert states(file) == ["missed", "queued"]


def test_one_beat_is_enough_to_notice_it(file: Path) -> None:
    older = file.with_name("older.db")
    shutil.copyfile(file, older)
    beat(file)
    shutil.copyfile(older, file)
    assert begin(file) is not None


def test_it_is_noticed_once_though_the_worker_dies_before_it_writes_the_mark(file: Path) -> None:
    older = file.with_name("older.db")
    shutil.copyfile(file, older)
    for _ in range(3):
        beat(file)
    shutil.copyfile(older, file)
    mark = file.with_name(f"{file.name}.mark")
    written = mark.read_text()
    assert begin(file) is not None
    store = open_store(f"sqlite:///{file}")
    with store.write() as tx:
        safety.leave(tx, now=NOW)
    store.close()
    mark.write_text(written)
    assert begin(file) is None


def test_a_database_put_back_by_hand_is_marked_though_safe_mode_was_on_for_another_cause(file: Path) -> None:
    store = open_store(f"sqlite:///{file}")
    with store.write() as tx:
        safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW)
    store.close()
    older = file.with_name("older.db")
    shutil.copyfile(file, older)
    beat(file)
    shutil.copyfile(older, file)
    mode = begin(file)
    assert mode is not None
    assert mode.cause is Cause.RESTORE
    assert states(file) == ["missed", "queued"]


def test_what_was_being_sent_then_is_in_doubt(file: Path) -> None:
    store = open_store(f"sqlite:///{file}")
    a_stored_post(store, State.PUBLISHING, channel="listserv", due_at=NOW - timedelta(minutes=1))
    store.close()
    older = file.with_name("older.db")
    shutil.copyfile(file, older)
    beat(file)
    shutil.copyfile(older, file)
    begin(file)
    assert states(file) == ["missed", "queued", "unconfirmed"]


@pytest.mark.parametrize("content", ["", "no number", "00000000000000000000\n", None])
def test_a_mark_that_is_behind_broken_or_gone_is_no_alarm(file: Path, content: str | None) -> None:
    mark = file.with_name(f"{file.name}.mark")
    if content is None:
        mark.unlink()
    else:
        mark.write_text(content)
    assert begin(file) is None


def test_a_crash_between_the_commit_and_the_mark_is_no_alarm(file: Path) -> None:
    store = open_store(f"sqlite:///{file}")
    for _ in range(5):
        with store.write() as tx:
            home.beat(tx)
    store.close()
    assert begin(file) is None


def test_a_folder_where_no_mark_can_be_written_is_worked_in(file: Path) -> None:
    mark = file.with_name(f"{file.name}.mark")
    mark.unlink()
    mark.mkdir()
    assert begin(file) is None


def test_a_new_database_beside_an_old_mark_is_no_older_copy(file: Path) -> None:
    file.unlink()
    assert begin(file) is None
    store = open_store(f"sqlite:///{file}")
    a_stored_post(store, due_at=LATER)
    store.close()
    assert begin(file) is None


def test_the_place_and_the_count_are_no_business_of_postgresql(store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("it is there")
    home.settle(store, now=NOW, look_after_s=LOOKS)
    with store.write() as tx:
        assert home.beat(tx) == 0
    home.mark(store.file, 0)
    a_stored_post(store)
    assert len(claimed(store)) == 1


def test_a_restored_database_is_at_home_and_no_older_copy(tmp_path: Path) -> None:
    spot = a_spot(tmp_path)
    begin(spot.file)
    spot.backup()
    for _ in range(3):
        beat(spot.file)
    spot.restore()
    leave(spot.file)
    assert begin(spot.file) is None
    spot.file.unlink()
    spot.restore()
    leave(spot.file)
    assert begin(spot.file) is None


def test_a_copy_of_a_restored_database_is_noticed_before_any_worker_was_at_work(tmp_path: Path) -> None:
    a_spot(tmp_path).backup()
    there = Spot(tmp_path / "there")
    there.restore(tmp_path / "backup.zip")
    copy = tmp_path / "copy.db"
    shutil.copyfile(there.file, copy)
    store = open_store(f"sqlite:///{copy}")
    with store.write() as tx:
        tx.execute(text("DELETE FROM meta WHERE key = 'safe mode'"))
    store.close()
    mode = begin(copy)
    assert mode is not None
    assert mode.cause is Cause.COPY

"""The nightly backup: once a local day, by one worker, a few of them kept, and trouble remembered instead of raised."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.bootstrap import House, build
from outreach.chores import afterwards_of, nightly_of
from outreach.settings import read_settings
from outreach.store import Store, archive, backup, safety
from outreach.watch.nightly import Nightly
from tests.builders import SettableClock, a_stored_post

THREE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)  # 3 o'clock in New York


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(THREE)


def nightly(store: Store, queue: Path, clock: SettableClock, **changes: Any) -> Nightly:
    usual: dict[str, Any] = {"kept": 3, "passphrase": "", "zone": "America/New_York"}
    return Nightly(store=store, queue=queue, now=clock.now, **usual | changes)


def made(queue: Path) -> list[str]:
    folder = queue / "backups"
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def remembered(store: Store) -> backup.Known:
    with store.read() as tx:
        return backup.known(tx)


def test_one_is_made_each_local_day_after_three(store: Store, tmp_path: Path, clock: SettableClock) -> None:
    a_stored_post(store)
    chore = nightly(store, tmp_path, clock)
    clock.set_to(THREE - timedelta(minutes=1))
    chore.round()
    assert made(tmp_path) == []
    for _ in range(3):
        clock.set_to(THREE + timedelta(minutes=1))
        chore.round()
    assert made(tmp_path) == ["outreach-2026-12-01.zip"]
    archive.read(tmp_path / "backups" / "outreach-2026-12-01.zip")
    known = remembered(store)
    assert (known.made_at, known.file, known.trouble) == (
        THREE + timedelta(minutes=1),
        tmp_path / "backups" / "outreach-2026-12-01.zip",
        "",
    )


def test_only_the_newest_are_kept_and_files_of_people_are_left_alone(
    store: Store, tmp_path: Path, clock: SettableClock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("before-the-move.zip", "outreach-2020-01-01.zip.txt", ".outreach-2026-11-30.zip.x.part"):
        (folder / name).write_bytes(b"")
    chore = nightly(store, tmp_path, clock)
    for day in range(5):
        clock.set_to(THREE + timedelta(days=day))
        chore.round()
    ours = [f"outreach-2026-12-0{day}.zip" for day in (3, 4, 5)]
    assert made(tmp_path) == ["before-the-move.zip", "outreach-2020-01-01.zip.txt", *ours]


def test_none_is_made_when_none_is_kept(store: Store, tmp_path: Path, clock: SettableClock) -> None:
    nightly(store, tmp_path, clock, kept=0).round()
    assert made(tmp_path) == []


def test_of_two_workers_one_makes_it(store: Store, tmp_path: Path, clock: SettableClock) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    nightly(store, here, clock).round()
    nightly(store, there, clock).round()
    assert (made(here), made(there)) == (["outreach-2026-12-01.zip"], [])


def test_trouble_is_remembered_tried_again_after_an_hour_and_forgotten_once_it_is_over(
    store: Store, tmp_path: Path, clock: SettableClock
) -> None:
    chore = nightly(store, tmp_path, clock)
    (tmp_path / "backups").write_text("in the way")
    chore.round()
    assert remembered(store).trouble.endswith("file exists.")
    (tmp_path / "backups").unlink()
    clock.tick(3599)
    chore.round()
    assert made(tmp_path) == []
    clock.tick(1)
    chore.round()
    assert made(tmp_path) == ["outreach-2026-12-01.zip"]
    assert remembered(store).trouble == ""


def test_one_that_is_going_on_elsewhere_is_no_trouble(
    sqlite_store: Store, tmp_path: Path, clock: SettableClock
) -> None:
    assert sqlite_store.file is not None
    with backup.alone(sqlite_store.file.parent):
        nightly(sqlite_store, tmp_path, clock).round()
    assert (made(tmp_path), remembered(sqlite_store).trouble) == ([], "")


def test_a_worker_that_died_after_making_it_has_made_it(store: Store, tmp_path: Path, clock: SettableClock) -> None:
    nightly(store, tmp_path, clock).round()
    with store.write() as tx:
        safety.forget(tx, "nightly backup")
        safety.forget(tx, backup.MADE_AT)
    before = (tmp_path / "backups" / "outreach-2026-12-01.zip").stat().st_mtime_ns
    nightly(store, tmp_path, clock).round()
    assert (tmp_path / "backups" / "outreach-2026-12-01.zip").stat().st_mtime_ns == before
    assert remembered(store).made_at == THREE


def test_anywhere_on_earth_is_a_zone_too(store: Store, tmp_path: Path, clock: SettableClock) -> None:
    clock.set_to(datetime(2026, 12, 1, 14, 59, tzinfo=UTC))
    chore = nightly(store, tmp_path, clock, zone="AoE")
    chore.round()
    assert made(tmp_path) == []
    clock.tick(60)
    chore.round()
    assert made(tmp_path) == ["outreach-2026-12-01.zip"]


def test_the_house_builds_it_from_the_settings(tmp_path: Path) -> None:
    house: House = build(read_settings({"OUTREACH_QUEUE": str(tmp_path), "OUTREACH_BACKUPS_KEPT": "0"}))
    nightly_of(house).round()
    afterwards_of(house).round()
    house.close()
    assert made(tmp_path) == []

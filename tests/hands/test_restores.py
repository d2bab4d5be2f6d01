"""Restores: on both databases and across, in safe mode, what was there kept; the old or the new, whatever dies."""

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from outreach.migrations import upgrade
from outreach.model import BadInput, State
from outreach.store import Store, archive, open_store, posts, safety
from outreach.store.safety import Cause
from tests.builders import LATER, NOW, a_stored_post, an_announcement, claimed, column, seen
from tests.conftest import Cluster
from tests.hands.spots import SOON, Spot, a_spot, of, rows, rows_of, safe_mode

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def spot(tmp_path: Path) -> Spot:
    """An install with two queued posts."""
    return a_spot(tmp_path)


@pytest.fixture(params=KINDS)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A second database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other' / 'queue' / 'outreach.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    url = cluster.new_empty()
    yield url


# Round trips


def test_what_is_restored_is_what_was_there_on_and_across_both_databases(
    store: Store, database_url: str, other_url: str, tmp_path: Path
) -> None:
    for number, state in enumerate((State.QUEUED, State.PUBLISHED, State.FAILED, State.MISSED, State.CANCELLED)):
        a_stored_post(store, state, due_at=LATER + timedelta(minutes=number))
    a_stored_post(store, State.QUEUED, channel="listserv", due_at=LATER, title="Grüße 🎉 \\N \t tab")
    before = rows(store)
    here, there = Spot(tmp_path / "here", database_url), Spot(tmp_path / "other", other_url)

    here.backup()
    there.restore(here.zip)

    after = of(there.url, rows)
    after["events"] = [row for row in after["events"] if row[2] != "safe mode on"]
    assert after == before
    assert of(there.url, safe_mode).cause is Cause.RESTORE


def test_after_a_restore_new_rows_get_numbers_of_their_own(store: Store, other_url: str, tmp_path: Path) -> None:
    a_stored_post(store, due_at=LATER)
    here = Spot(tmp_path / "here", store._writer.url.render_as_string(hide_password=False))
    there = Spot(tmp_path / "other", other_url)
    here.backup()
    there.restore(here.zip)
    [new] = of(there.url, lambda opened: an_announcement(opened, due_at=LATER))
    assert new.announcement == 2


def test_missing_files_are_added_and_other_ones_are_left_and_named(spot: Spot) -> None:
    spot.backup()
    (spot.queue / "media" / "poster.jpg").unlink()
    (spot.queue / "templates" / "call.md").write_text("rewritten since")
    done = spot.restore()
    assert (done.added, done.left) == (("media/poster.jpg",), ("templates/call.md",))
    assert (spot.queue / "media" / "poster.jpg").read_bytes() == b"a picture"
    assert (spot.queue / "templates" / "call.md").read_text() == "rewritten since"


def test_a_backup_of_an_older_schema_is_brought_up_to_date(spot: Spot, tmp_path: Path) -> None:
    old = Spot(tmp_path / "old")
    file = tmp_path / "old.db"
    with create_engine(f"sqlite:///{file}").begin() as tx:
        upgrade(tx, "0001")
        tx.exec_driver_sql("PRAGMA application_id=0x6F757472")
        tx.exec_driver_sql("PRAGMA user_version=1")
    with old.zip.open("wb") as out:
        about = archive.About(NOW, "0001", {})
        archive.write(out, about, {archive.DATABASE: file}, secret=None, tell=archive.in_silence)
    old.restore()
    assert of(old.url, safe_mode) is not None


# Files that are no good


def test_a_damaged_backup_is_refused_wherever_it_was_cut_or_scribbled_on(spot: Spot) -> None:
    spot.backup()
    whole = spot.zip.read_bytes()
    before = spot.file.read_bytes()
    bad = spot.folder / "bad.zip"
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        bad.write_bytes(whole[:place])
        with pytest.raises(BadInput):
            spot.restore(bad)
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        changed = bytearray(whole)
        changed[place] ^= 0x5A
        bad.write_bytes(changed)
        try:
            archive.read(bad)
        except BadInput:
            continue
        assert archive.read(bad) == archive.read(spot.zip)  # a byte that says nothing, such as a date
    assert spot.file.read_bytes() == before


def test_a_backup_whose_parts_lie_before_its_beginning_is_refused(spot: Spot) -> None:
    """Its directory says that it lies further on than it does, so everything in it seems to begin before the file."""
    spot.backup()
    changed = bytearray(spot.zip.read_bytes())
    end = changed.rfind(b"PK\x05\x06")
    (begins,) = struct.unpack_from("<L", changed, end + 16)
    struct.pack_into("<L", changed, end + 16, begins + 40)
    bad = spot.folder / "bad.zip"
    bad.write_bytes(changed)
    with pytest.raises(BadInput, match="or it is damaged"):
        archive.read(bad)


def repacked(spot: Spot, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The backup with other things in it."""
    with zipfile.ZipFile(spot.zip) as packed:
        entries = {name: packed.read(name) for name in packed.namelist()}
    change(entries)
    file = spot.folder / "other.zip"
    with zipfile.ZipFile(file, "w") as out:
        for name, data in entries.items():
            out.writestr(name, data)
    return file


def without_database(entries: dict[str, bytes]) -> None:
    del entries["outreach.db"]


def with_a_stranger(entries: dict[str, bytes]) -> None:
    entries["media/stranger.jpg"] = b"not in the manifest"


def with_a_way_out(entries: dict[str, bytes]) -> None:
    manifest = json.loads(entries["manifest.json"])
    entries["media/../../out"] = entries["media/poster.jpg"]
    manifest["files"]["media/../../out"] = manifest["files"]["media/poster.jpg"]
    entries["manifest.json"] = json.dumps(manifest).encode()


def without_manifest(entries: dict[str, bytes]) -> None:
    del entries["manifest.json"]


def with_another_picture(entries: dict[str, bytes]) -> None:
    entries["media/poster.jpg"] = b"b picture"


def with_nonsense(entries: dict[str, bytes]) -> None:
    entries["manifest.json"] = b'{"format": 1, "files": []}'


@pytest.mark.parametrize(
    "change",
    [without_database, with_a_stranger, with_a_way_out, without_manifest, with_another_picture, with_nonsense],
)
def test_what_is_not_exactly_a_backup_is_refused(spot: Spot, change: Callable[[dict[str, bytes]], None]) -> None:
    spot.backup()
    before = rows_of(spot)
    with pytest.raises(BadInput, match="no backup of outreach, or it is damaged"):
        spot.restore(repacked(spot, change))
    assert rows_of(spot) == before
    assert not (spot.folder / "out").exists()


@pytest.mark.parametrize("key", [("format", 2), ("schema", "0999")])
def test_a_backup_of_a_newer_version_is_refused_and_says_so(spot: Spot, key: tuple[str, Any]) -> None:
    def change(entries: dict[str, bytes]) -> None:
        entries["manifest.json"] = json.dumps(json.loads(entries["manifest.json"]) | dict([key])).encode()

    spot.backup()
    with pytest.raises(BadInput, match="newer version") as refused:
        spot.restore(repacked(spot, change))
    assert "Install that version" in refused.value.next_step


# What a restore does to posts


def test_what_was_due_is_missed_what_was_being_sent_is_in_doubt_and_the_future_waits(spot: Spot) -> None:
    store = open_store(spot.url)
    sending = a_stored_post(store, State.PUBLISHING, channel="listserv")
    doubtful = a_stored_post(store, State.UNCONFIRMED, channel="listserv-2")
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET looks = 4, look_at = NULL WHERE id = :id"), {"id": doubtful.id})
    spot.backup()
    done = spot.restore()
    after = {p.id: p for p in (seen(store, sending), seen(store, doubtful), *map_ids(store, 1, 2))}
    ended = column(store, "SELECT outcome FROM attempts WHERE post_id = :id", id=sending.id)
    store.close()

    assert (done.marked.missed, done.marked.doubtful, done.marked.waiting) == (1, 2, 1)
    assert {number: str(post.state) for number, post in after.items()} == {
        1: "missed",
        2: "queued",
        sending.id: "unconfirmed",
        doubtful.id: "unconfirmed",
    }
    assert after[1].reason == "It was due before the backup was put back, and may have gone out meanwhile."
    assert (after[sending.id].look_at, ended) == (SOON + timedelta(seconds=30), ["unconfirmed"])
    assert (after[doubtful.id].look_at, after[doubtful.id].looks) == (SOON, 0)


def map_ids(store: Store, *ids: int) -> list[Any]:
    with store.read() as tx:
        return [posts.one(tx, number) for number in ids]


def test_the_reason_names_the_time_of_the_backup_and_the_next_step(spot: Spot) -> None:
    spot.backup()
    spot.restore()
    mode = of(spot.url, safe_mode)
    assert (mode.cause, mode.since) == (Cause.RESTORE, SOON)
    assert "made on Tue 1 Dec 2026, 09:00 America/New_York (EST)" in mode.reason
    assert mode.reason.endswith("outreach safe-mode off")


def test_safe_mode_of_the_time_of_the_backup_does_not_hide_that_of_the_restore(spot: Spot) -> None:
    def stop(opened: Store) -> None:
        with opened.write() as tx:
            safety.enter(tx, Cause.PERSON, "Stop.", now=NOW)

    of(spot.url, stop)
    spot.backup()
    spot.restore()
    assert of(spot.url, safe_mode).cause is Cause.RESTORE


def test_nothing_is_claimed_from_a_restored_database(spot: Spot) -> None:
    spot.backup()
    spot.restore()
    assert of(spot.url, lambda s: claimed(s, now=LATER + timedelta(minutes=1))) == []

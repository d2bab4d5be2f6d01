"""Backups and restores as hands do them: whole or not at all, on both databases and across, whatever dies or is damaged."""

import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from outreach.migrations import upgrade
from outreach.model import BadInput, State
from outreach.store import Store, archive, backup, channels, open_store, safety, workers
from outreach.store.backup import Order, back_up
from outreach.store.restore import Restored, Wish, restore
from outreach.store.safety import Cause
from outreach.store.schema import metadata
from tests.builders import LATER, NOW, a_stored_post, an_announcement, claimed, column, seen
from tests.conftest import Cluster
from tests.hands.kills import killed_before, lines_of, spread

SOON = NOW + timedelta(minutes=5)
LOOKS = (30, 120)
KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


class Spot:
    """A queue folder with files in it, and a database of either kind."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.queue = folder / "queue"
        for name in ("media", "templates"):
            (self.queue / name).mkdir(parents=True, exist_ok=True)
        self.file = self.queue / "outreach.db"
        self.url = url or f"sqlite:///{self.file}"
        self.zip = folder / "backup.zip"

    def backup(self, **order: Any) -> backup.Made:
        store = open_store(self.url)
        try:
            return back_up(store, self.queue, Order(**{"target": self.zip, "now": NOW} | order))
        finally:
            store.close()

    def restore(self, file: Path | None = None, **wish: Any) -> Restored:
        values = {"file": file or self.zip, "now": SOON, "zone": "America/New_York", "look_after_s": LOOKS}
        return restore(self.url, self.queue, Wish(**values | wish))


@pytest.fixture
def spot(tmp_path: Path) -> Spot:
    """A SQLite database with a post due later, a post due soon, a picture and a template."""
    made = Spot(tmp_path)
    (made.queue / "media" / "poster.jpg").write_bytes(b"a picture")
    (made.queue / "templates" / "call.md").write_text("a template")
    store = open_store(made.url)
    a_stored_post(store, due_at=NOW)
    a_stored_post(store, due_at=LATER)
    store.close()
    return made


@pytest.fixture(params=KINDS)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A second database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other' / 'queue' / 'outreach.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    url = cluster.new_empty()
    yield url


def rows(store: Store) -> dict[str, list[Any]]:
    """Every row of every table but those that belong to one place and time, as values."""
    with store.read() as tx:
        return {
            name: sorted((tuple(row) for row in tx.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
            if name not in ("meta", "heartbeats")
        }


def of(url: str, look: Callable[[Store], Any]) -> Any:
    store = open_store(url)
    try:
        return look(store)
    finally:
        store.close()


def safe_mode(store: Store) -> safety.SafeMode | None:
    with store.read() as tx:
        return safety.current(tx)


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


def test_a_backup_holds_pictures_templates_and_a_manifest_that_proves_them(spot: Spot) -> None:
    made = spot.backup()
    with zipfile.ZipFile(spot.zip) as packed:
        names = set(packed.namelist())
        manifest = json.loads(packed.read("manifest.json"))
        assert packed.read("media/poster.jpg") == b"a picture"
    assert names == {"outreach.db", "media/poster.jpg", "templates/call.md", "manifest.json"}
    assert (manifest["format"], manifest["schema"], manifest["posts"]) == (1, "0002", {"queued": 2})
    assert manifest["made_at"] == "2026-12-01T14:00:00+00:00"
    assert made.size == spot.zip.stat().st_size


def test_only_who_made_it_can_read_a_backup(spot: Spot) -> None:
    spot.backup()
    assert spot.zip.stat().st_mode & 0o077 == 0


def test_a_name_that_leads_out_of_its_folder_is_in_no_backup(spot: Spot) -> None:
    (spot.queue / "media" / "a\\b.jpg").write_bytes(b"odd")
    (spot.queue / "media" / ".new-half").write_bytes(b"half")
    assert spot.backup().left_out == ("media/a\\b.jpg",)
    for name in ("../x", "media/../../x", "/media/x", "media", "media//x", "media/./x", "other/x", "media/a\\b"):
        assert not archive.may_be_in_it(name)


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
    store = open_store(f"sqlite:///{tmp_path / 'none.db'}")
    from sqlalchemy import create_engine

    with create_engine(f"sqlite:///{file}").begin() as tx:
        upgrade(tx, "0001")
        tx.exec_driver_sql("PRAGMA application_id=0x6F757472")
        tx.exec_driver_sql("PRAGMA user_version=1")
    store.close()
    with old.zip.open("wb") as out:
        about = archive.About(NOW, "0001", {})
        archive.write(out, about, {archive.DATABASE: file}, secret=None, tell=archive.in_silence)
    old.restore()
    assert of(old.url, safe_mode) is not None


# While the service runs


def test_a_backup_made_during_heavy_writing_is_sound_and_of_one_moment(spot: Spot) -> None:
    stop, began = threading.Event(), threading.Event()
    store = open_store(spot.url)

    def queue_on_and_on() -> None:
        while not stop.is_set():
            an_announcement(store, on=("facebook", "listserv"), due_at=LATER)
            began.set()

    thread = threading.Thread(target=queue_on_and_on)
    thread.start()
    began.wait(20)
    made = spot.backup()
    stop.set()
    thread.join()
    store.close()

    assert 2 < made.manifest.about.posts["queued"] < of(spot.url, lambda s: column(s, "SELECT count(*) FROM posts")[0])
    there = Spot(spot.folder / "there")
    there.restore(spot.zip)
    assert of(there.url, lambda s: column(s, "SELECT count(*) FROM posts"))[0] % 2 == 0  # two to each announcement


def test_two_backups_at_the_same_time_are_not_made(spot: Spot) -> None:
    with backup.alone(spot.queue), pytest.raises(backup.Busy):
        spot.backup()
    assert not spot.zip.exists()


def test_an_existing_file_is_replaced_only_when_told_to(spot: Spot) -> None:
    spot.zip.write_bytes(b"something of somebody")
    with pytest.raises(BadInput, match="left alone"):
        spot.backup()
    assert spot.zip.read_bytes() == b"something of somebody"
    spot.backup(force=True)
    archive.read(spot.zip)


def test_a_file_that_appears_while_the_backup_is_made_is_left_alone(spot: Spot) -> None:
    def appear(what: str, _done: int, _of: int) -> None:
        if what == "reading back":
            spot.zip.write_bytes(b"something of somebody")

    with pytest.raises(BadInput, match="left alone"):
        spot.backup(tell=appear)
    assert spot.zip.read_bytes() == b"something of somebody"
    assert [file.name for file in spot.folder.iterdir() if file.name.endswith(".part")] == []


def test_what_cannot_be_read_back_is_never_named(spot: Spot) -> None:
    def scribble(what: str, _done: int, _of: int) -> None:
        for part in spot.folder.glob(".backup.zip.*.part"):
            if what == "reading back":
                with part.open("r+b") as file:
                    file.seek(part.stat().st_size // 2)
                    file.write(b"\xa5" * 64)

    (spot.queue / "media" / "large.jpg").write_bytes(os.urandom(3_000_000))
    with pytest.raises(BadInput, match="damaged"):
        spot.backup(tell=scribble)
    assert not spot.zip.exists()


# Secrets


def test_the_install_secret_is_in_no_byte_of_a_backup(spot: Spot, tmp_path: Path) -> None:
    store = open_store(spot.url)
    with store.write() as tx:
        secret = channels.install_secret(tx)
    store.close()
    spot.backup()
    assert secret not in everything_in(spot.zip)
    spot.backup(target=tmp_path / "locked.zip", passphrase="correct horse")
    locked = everything_in(tmp_path / "locked.zip")
    assert secret not in locked
    assert "correct horse" not in locked
    assert of(spot.url, lambda s: column(s, "SELECT value FROM meta WHERE key = 'secret'")) == [secret]


def everything_in(file: Path) -> str:
    """Every byte of a backup, packed and unpacked."""
    with zipfile.ZipFile(file) as packed:
        return "\n".join(
            [file.read_bytes().decode("latin-1"), *(packed.read(n).decode("latin-1") for n in packed.namelist())]
        )


def test_the_secret_comes_back_with_its_passphrase_and_with_no_other(spot: Spot, tmp_path: Path) -> None:
    def keep(opened: Store) -> str:
        with opened.write() as tx:
            return channels.install_secret(tx)

    secret = of(spot.url, keep)
    spot.backup(passphrase="correct horse")
    there = Spot(tmp_path / "there")
    with pytest.raises(BadInput, match="passphrase does not open"):
        there.restore(spot.zip, passphrase="wrong horse")
    assert not there.file.exists()
    there.restore(spot.zip, passphrase="correct horse")
    assert of(there.url, lambda s: column(s, "SELECT value FROM meta WHERE key = 'secret'")) == [secret]


def test_without_a_passphrase_the_secret_that_is_there_stays(spot: Spot) -> None:
    def keep(opened: Store) -> str:
        with opened.write() as tx:
            return channels.install_secret(tx)

    secret = of(spot.url, keep)
    spot.backup()
    assert spot.restore().notes == ()
    assert of(spot.url, keep) == secret


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


def rows_of(spot: Spot) -> Any:
    return of(spot.url, rows)


@pytest.mark.parametrize("key", [("format", 2), ("schema", "0999")])
def test_a_backup_of_a_newer_version_is_refused_and_says_so(spot: Spot, key: tuple[str, Any]) -> None:
    def change(entries: dict[str, bytes]) -> None:
        entries["manifest.json"] = json.dumps(json.loads(entries["manifest.json"]) | dict([key])).encode()

    spot.backup()
    with pytest.raises(BadInput, match="newer version") as refused:
        spot.restore(repacked(spot, change))
    assert "Install that version" in refused.value.next_step


def test_a_damaged_database_makes_no_backup(spot: Spot) -> None:
    of(spot.url, lambda s: [an_announcement(s, due_at=LATER, body="word " * 400) for _ in range(30)])
    data = bytearray(spot.file.read_bytes())
    data[-40_960:-4096] = b"\xa5" * 36_864
    spot.file.write_bytes(data)
    with pytest.raises(BadInput, match="malformed|damaged"):
        spot.backup()
    assert list(spot.folder.iterdir()) == [spot.queue]


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
    from outreach.store import posts

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


def test_a_worker_that_begins_while_the_restore_is_prepared_stops_it(spot: Spot) -> None:
    def begin(what: str, _done: int, _of: int) -> None:
        if what == "putting it in place":
            alive(spot.url, workers.this_worker())

    spot.backup()
    before = rows_of(spot)
    with pytest.raises(BadInput, match="1 worker is at work"):
        spot.restore(tell=begin)
    assert rows_of(spot) == before


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


def test_a_backup_that_is_killed_anywhere_leaves_no_file_or_a_whole_one(spot: Spot) -> None:
    def work() -> None:
        spot.backup()

    lines = lines_of(work)
    spot.zip.unlink()
    for line in spread(lines, 40):
        killed_before(line, work)
        if spot.zip.exists():
            archive.read(spot.zip)
            spot.zip.unlink()
    spot.backup()  # and what it left is in nobody's way


def test_a_backup_that_is_killed_leaves_the_file_it_was_to_replace_or_a_whole_new_one(spot: Spot) -> None:
    def work() -> None:
        spot.backup(force=True)

    spot.backup()
    lines = lines_of(work)
    for line in spread(lines, 15):
        killed_before(line, work)
        assert archive.read(spot.zip).about.posts == {"queued": 2}


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
    for line in spread(lines, 40):
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
    assert sorted(row[5] for row in now["posts"]) in (["missed", "queued"], []) or [r[4] for r in now["posts"]]
    assert of(spot.url, lambda s: column(s, "SELECT state FROM posts ORDER BY id")) == ["missed", "queued"]
    assert of(spot.url, lambda s: claimed(s, now=LATER + timedelta(minutes=1))) == []
    assert (spot.queue / "media" / "poster.jpg").read_bytes() == b"a picture"
    return "new"

"""Backups: of one moment, proved, without secrets; whole or not there at all, whatever dies or is damaged."""

import json
import os
import sqlite3
import threading
import time
import zipfile
from pathlib import Path

import pytest

from outreach.model import BadInput
from outreach.store import Store, archive, backup, channels, open_store
from outreach.store.engine import HEAD
from tests.builders import LATER, an_announcement, column
from tests.hands.kills import killed_before, lines_of, spread
from tests.hands.spots import Spot, a_spot, of


@pytest.fixture
def spot(tmp_path: Path) -> Spot:
    """An install with two queued posts."""
    return a_spot(tmp_path)


def test_a_backup_holds_pictures_templates_and_a_manifest_that_proves_them(spot: Spot) -> None:
    made = spot.backup()
    with zipfile.ZipFile(spot.zip) as packed:
        names = set(packed.namelist())
        manifest = json.loads(packed.read("manifest.json"))
        assert packed.read("media/poster.jpg") == b"a picture"
    assert names == {"outreach.db", "media/poster.jpg", "templates/call.md", "manifest.json"}
    assert (manifest["format"], manifest["schema"], manifest["posts"]) == (1, HEAD, {"queued": 2})
    assert manifest["made_at"] == "2026-12-01T14:00:00+00:00"
    assert made.size == spot.zip.stat().st_size


def test_only_who_made_it_can_read_a_backup(spot: Spot) -> None:
    spot.backup()
    assert spot.zip.stat().st_mode & 0o077 == 0


def test_a_name_that_leads_out_of_its_folder_is_in_no_backup(spot: Spot) -> None:
    (spot.queue / "media" / "a\\b.jpg").write_bytes(b"odd")
    (spot.queue / "media" / ".new-half").write_bytes(b"half")
    made = spot.backup()
    assert made.left_out == ("media/a\\b.jpg",)
    assert sorted(made.manifest.files) == ["media/poster.jpg", "outreach.db", "templates/call.md"]
    for name in ("../x", "media/../../x", "/media/x", "media", "media//x", "media/./x", "other/x", "media/a\\b"):
        assert not archive.may_be_in_it(name)


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


_MANY = """
    INSERT INTO announcements (id, community_id, title, revision, said, created_at)
        WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 100099)
        SELECT i, 1, 'Poster session ' || i, 1, hex(randomblob(32)), 1 FROM n;
    INSERT INTO posts (id, announcement_id, channel_id, state, due_at, planned_at, miss_at, wall_time, time_zone,
        content_sha256) SELECT id, id, 1, 'queued', 2000000000000000, 1, 2000000000000000, '2026-12-01 09:00', 'UTC',
        hex(randomblob(32)) FROM announcements WHERE id >= 100;
    INSERT INTO contents (post_id, sha256, revision, text, body)
        SELECT id, content_sha256, 1, 'Join us: ' || hex(randomblob(200)), '{}' FROM posts WHERE id >= 100;
"""


def test_a_backup_of_100_000_posts_is_made_within_a_minute(spot: Spot) -> None:
    with sqlite3.connect(spot.file) as connection:
        connection.executescript(_MANY)
    connection.close()
    began_s = time.monotonic()
    assert spot.backup().manifest.about.posts == {"queued": 100_002}
    assert time.monotonic() - began_s < 60


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


def test_a_damaged_database_makes_no_backup(spot: Spot) -> None:
    of(spot.url, lambda s: [an_announcement(s, due_at=LATER, body="word " * 400) for _ in range(30)])
    data = bytearray(spot.file.read_bytes())
    data[-40_960:-4096] = b"\xa5" * 36_864
    spot.file.write_bytes(data)
    with pytest.raises(BadInput, match=r"malformed|damaged"):
        spot.backup()
    assert list(spot.folder.iterdir()) == [spot.queue]


# Killed


def test_a_backup_that_is_killed_anywhere_leaves_no_file_or_a_whole_one(spot: Spot) -> None:
    def work() -> None:
        spot.backup()

    lines = lines_of(work)
    spot.zip.unlink()
    for line in spread(lines, 20):
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
    for line in spread(lines, 10):
        killed_before(line, work)
        assert archive.read(spot.zip).about.posts == {"queued": 2}

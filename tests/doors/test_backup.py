"""Backup, restore and safe mode through the door: nothing goes out twice, nothing is lost, nothing secret leaves."""

import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.chores import afterwards_of
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.sandbox import Sandbox
from outreach.store.engine import HEAD
from tests.doors.place import Place, a_picture, until
from tests.doors.test_bad_surroundings import fill, refused
from tests.doors.workers import change, once, working
from tests.web.visitors import member

FUTURE = "2035-01-15 09:00"


def backed_up(place: Place, name: str = "backup.zip") -> str:
    file = str(place.folder / name)
    place.json("backup", file)
    return file


def ask_afterwards(place: Place) -> None:
    """The chore that asks for what a restore missed, once."""
    house = place.house()
    afterwards_of(house).round()
    house.close()


# The story


def test_a_backup_put_back_over_a_newer_state_sends_nothing_twice_and_loses_nothing(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(title="One"), "--to", "facebook")
    place.json("add", place.letter(title="Two"), "--to", "listserv")
    place.json("add", place.letter(title="Three", at=FUTURE), "--to", "facebook")
    file = backed_up(place)
    assert once(place) == 2

    done = place.json("restore", file)
    assert (done["missed"], done["to_be_asked"], done["queued"]) == (2, 0, 1)
    assert place.states() == {"1/facebook": "missed", "2/listserv": "missed", "3/facebook": "queued"}
    assert once(place) == 0
    place.json("safe-mode", "off")
    assert once(place) == 0
    assert place.states() == {"1/facebook": "published", "2/listserv": "missed", "3/facebook": "queued"}

    change(place, "UPDATE posts SET due_at = 1 WHERE id = 3")
    assert once(place) == 1
    assert once(place) == 0
    assert [(post.message or "").split("\n")[0] for post in box.graph.public_posts()] == ["One", "Three"]
    assert [mail.subject for mail in box.mail.distributed()] == ["Two"]


def test_a_missed_post_that_is_out_becomes_published_and_cannot_be_sent_before_that_is_known(
    place: Place, box: Sandbox
) -> None:
    place.json("add", place.letter(), "--to", "facebook")
    file = backed_up(place)
    once(place)
    place.json("restore", file)
    assert "is still being asked" in place.cli("requeue", "1", "--json").error["message"]
    ask_afterwards(place)
    [there] = box.graph.public_posts()
    [post] = place.json("show", "1")["posts"]
    [told] = [entry for entry in post["history"] if entry["kind"] == "sighting"]
    assert (told["what"], told["evidence"]["remote_id"]) == ("found after a restore", there.id)
    assert (post["state"], post["remote_id"], post["url"]) == ("published", there.id, there.permalink_url)
    assert "found after a restore" in " ".join(place.cli("show", "1").out.split())
    assert place.cli("requeue", "1").code == 1
    assert len(box.graph.public_posts()) == 1


def test_a_post_that_was_in_flight_is_looked_for_and_not_sent_again(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_LOOK_AFTER_S"] = "0"
    place.json("add", place.letter(), "--to", "facebook")
    box.graph.fail("feed", "hang")
    with working(place):
        until(lambda: place.states() == {"1/facebook": "publishing"})
        file = backed_up(place)
        box.release()
    done = place.json("restore", file, "--force")
    assert (done["missed"], done["to_be_asked"]) == (0, 1)
    once(place)
    assert place.states() == {"1/facebook": "published"}
    assert len(box.graph.public_posts()) == 1


# Safe mode


def test_safe_mode_stops_everything_at_once_and_a_person_ends_it(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(), "--to", "facebook")
    assert place.json("safe-mode") == {"on": False, "cause": None, "reason": None, "since": None}
    mode = place.json("safe-mode", "on", "--reason", "Wrong link", "--as", "Ann@example.org")
    assert (mode["on"], mode["cause"], mode["reason"], mode["since"][-1]) == (True, "person", "Wrong link", "Z")
    assert once(place) == 0
    assert place.json("safe-mode", "on", "--reason", "Another")["reason"] == "Wrong link"
    assert place.json("safe-mode", "off")["on"] is False
    assert place.json("safe-mode", "off")["on"] is False
    assert once(place) == 1


def test_a_running_worker_stops_and_goes_on_with_safe_mode(place: Place, box: Sandbox) -> None:
    with working(place):
        place.json("safe-mode", "on")
        place.json("add", place.letter(), "--to", "facebook")
        place.json("add", place.letter(title="Elsewhere", at=FUTURE))
        assert box.graph.public_posts() == []
        place.json("safe-mode", "off")
        until(lambda: bool(box.graph.public_posts()))


def test_safe_mode_is_shown_wherever_one_looks(place: Place) -> None:
    place.json("safe-mode", "on", "--reason", "Wrong <link>")
    assert place.cli("queue").out.startswith("Safe mode is on, nothing goes out. Wrong <link>\n")
    assert "Safe mode is on, nothing goes out. Wrong <link>\n" in place.run("worker", "--once").err
    checks = {check["name"]: check for check in place.cli("doctor", "--json").json["checks"]}
    assert checks["safe mode"]["ok"] is False
    assert checks["safe mode"]["next"] == "Let posts out again: outreach safe-mode off"
    assert "Let posts out again: outreach safe-mode off" in place.cli("safe-mode").out
    house = place.house()
    with served(create(house)) as address:
        page = member(house, address).get().text
    house.close()
    assert 'role="alert">Safe mode is on since' in page
    assert "Wrong &lt;link&gt;" in page


# Copies by hand


def test_a_copy_put_back_by_hand_is_noticed_by_the_worker(place: Place, box: Sandbox) -> None:
    file = place.queue / "outreach.db"
    place.json("add", place.letter(), "--to", "facebook")
    change(place, "UPDATE posts SET paused = 1")
    assert once(place) == 0
    shutil.copyfile(file, place.folder / "older.db")
    place.json("resume", "1")
    assert once(place) == 1
    shutil.copyfile(place.folder / "older.db", file)
    assert place.states() == {"1/facebook": "queued"}

    assert once(place) == 0
    assert place.json("safe-mode")["cause"] == "restore"
    assert place.states() == {"1/facebook": "published"}
    place.json("safe-mode", "off")
    assert once(place) == 0
    assert len(box.graph.public_posts()) == 1


def test_a_copy_on_another_place_publishes_nothing_until_a_person_says_so(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(), "--to", "facebook")
    place.json("pause", "1")
    once(place)
    other = Place(place.folder / "other", box, database=place.queue / "outreach.db")
    other.json("resume", "1")
    assert once(other) == 0
    assert other.json("safe-mode")["cause"] == "copy"
    other.json("safe-mode", "off")
    assert once(other) == 1
    assert once(other) == 0


# A worker that is alive


def test_a_restore_waits_for_the_worker_to_stop(place: Place) -> None:
    file = backed_up(place)
    with working(place):
        before = (place.queue / "outreach.db").stat().st_ino
        refused(
            place.cli("restore", file, "--json"), "1 worker is at work on this database. Nothing was changed.", "Stop"
        )
        assert place.json("safe-mode")["on"] is False
    assert (place.queue / "outreach.db").stat().st_ino == before
    assert place.json("restore", file)["kept_aside"]


def test_a_worker_that_ran_during_a_forced_restore_has_to_begin_anew(place: Place, box: Sandbox) -> None:
    file = backed_up(place)
    house = place.house()
    worker = Worker(house)
    worker.start()
    place.json("restore", file, "--force")
    worker._watch.beat()
    refused(place.cli("safe-mode", "off", "--json"), "1 worker that ran during the restore must begin anew first.")
    worker.stop()
    house.close()
    assert place.json("safe-mode", "off")["on"] is False
    place.json("add", place.letter(), "--to", "facebook")
    assert once(place) == 1


# What is in it


def test_no_secret_of_the_settings_or_the_database_is_in_a_backup(place: Place, box: Sandbox) -> None:
    place.settings |= {
        "SMTP_USERNAME": "tmm",
        "SMTP_PASSWORD": "a-password-of-mail",
        "OUTREACH_BACKUP_PASSPHRASE": "a-passphrase",
    }
    (place.folder / ".env").write_text("OUTREACH_PERSON=of-the-env-file@example.org\n")
    (place.folder / "hall.jpg").write_bytes(a_picture())
    place.json(
        "add",
        place.letter(pictures="\n  - file: hall.jpg\n    alt: The hall"),
        "--to",
        "facebook",
        "--as",
        "ann@example.org",
    )
    with sqlite3.connect(place.queue / "outreach.db") as connection:
        [install] = connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
    connection.close()
    file = backed_up(place)
    with zipfile.ZipFile(file) as packed:
        everything = Path(file).read_bytes() + b"".join(packed.read(name) for name in packed.namelist())
        assert [name for name in packed.namelist() if name.startswith("media/")]
        assert "secret.json" in packed.namelist()
    secrets = [install, "a-password-of-mail", "a-passphrase", box.page_token, box.app_secret, "of-the-env-file"]
    assert [secret for secret in secrets if secret.encode() in everything] == []


def test_a_passphrase_comes_from_a_file_or_the_settings(place: Place) -> None:
    place.json("queue")
    (place.folder / "words").write_text("correct horse\n")
    file = str(place.folder / "backup.zip")
    assert place.json("backup", file, "--passphrase-file", str(place.folder / "words"))["has_secret"] is True
    [before] = place.json("preview", place.letter(), "--channel", "listserv")
    (place.queue / "outreach.db").unlink()
    assert "left in it" in place.json("restore", file)["notes"][0]
    (place.queue / "outreach.db").unlink()
    place.settings["OUTREACH_BACKUP_PASSPHRASE"] = "wrong"
    refused(place.cli("restore", file, "--json"), "does not open the secret")
    place.settings["OUTREACH_BACKUP_PASSPHRASE"] = "correct horse"
    assert place.json("restore", file)["notes"] == []
    [after] = place.json("preview", place.letter(), "--channel", "listserv")
    assert after["content_sha256"] == before["content_sha256"]  # Message-ID and all, but for the Date
    (place.folder / "words").write_text(" \n")
    refused(
        place.cli("backup", file, "--passphrase-file", str(place.folder / "words"), "--json"),
        "no passphrase in the file",
    )


def test_what_it_says_to_programs_and_to_people(place: Place) -> None:
    place.json("add", place.letter(at=FUTURE))
    told = place.json("backup", str(place.folder / "backup.zip"))
    assert (told["posts"], told["schema"], told["has_secret"], told["left_out"]) == ({"queued": 2}, HEAD, False, [])
    said = place.cli("backup", "other.zip").out
    assert "2 posts as of " in said
    assert "read back whole" in said
    said = place.cli("restore", "other.zip").out
    for part in (
        "What was there is kept in ",
        "Waiting for its time: 2 posts.",
        "until you say: outreach safe-mode off",
    ):
        assert part in said


# What is no good


@pytest.mark.parametrize("name", ["none.zip", "letter.md", "queue"])
def test_what_is_no_backup_is_refused_in_a_sentence(place: Place, name: str) -> None:
    place.letter()
    before = (place.queue / "outreach.db").read_bytes()
    refused(place.cli("restore", name, "--json"), name)
    assert (place.queue / "outreach.db").read_bytes() == before
    assert sorted(file.name for file in place.queue.iterdir()) == ["outreach.db"]


@pytest.mark.parametrize(("target", "word"), [("none/backup.zip", "no such folder"), ("queue", "a folder")])
def test_a_place_where_no_backup_can_be_is_refused(place: Place, target: str, word: str) -> None:
    refused(place.cli("backup", target, "--json"), word)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root can make a small disk here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_leaves_no_backup_and_the_one_that_was_there(place: Place, small_disk: Path) -> None:
    file = small_disk / "backup.zip"
    place.json("backup", str(file))
    whole = file.read_bytes()
    fill(small_disk)
    refused(place.cli("backup", str(file), "--force", "--json"), "no space left")
    refused(place.cli("backup", str(small_disk / "new.zip"), "--json"), "no space left")
    assert file.read_bytes() == whole
    assert sorted(f.name for f in small_disk.iterdir()) == ["backup.zip", "filler"]


def test_a_restore_onto_a_full_disk_changes_nothing(place: Place, small_disk: Path) -> None:
    shutil.move(place.queue / "outreach.db", small_disk)
    place.settings["OUTREACH_DATABASE_URL"] = f"sqlite:///{small_disk}/outreach.db"
    place.json("add", place.letter(at=FUTURE))
    file = backed_up(place)
    place.json("cancel", "1")
    filler = fill(small_disk)
    answer = place.cli("restore", file, "--json")
    assert answer.code == 1
    filler.unlink()
    assert set(place.states().values()) == {"cancelled"}
    assert place.json("safe-mode")["on"] is False
    place.json("restore", file)
    assert set(place.states().values()) == {"queued"}


# Remembered


def test_doctor_says_when_the_last_good_backup_was_made_and_whether_it_is_there(place: Place) -> None:
    def said() -> Any:
        return {check["name"]: check for check in place.cli("doctor", "--json").json["checks"]}["backup"]

    assert said()["message"] == "none yet; a worker makes one each night"
    file = backed_up(place)
    assert (said()["ok"], file in said()["message"]) == (True, True)
    Path(file).unlink()
    assert (said()["ok"], said()["message"].endswith("which is not there any more")) == (False, True)
    change(place, "INSERT INTO meta (key, value) VALUES ('backup trouble', 'The disk is full.')")
    assert "The disk is full." in said()["message"]


def test_letters_that_came_after_the_backup_are_named(place: Place) -> None:
    file = backed_up(place)
    place.drop("since.md", at=FUTURE)
    once(place)
    [note] = [note for note in place.json("restore", file)["notes"] if "since.md" in note]
    assert "before you add them again" in note

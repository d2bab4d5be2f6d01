"""Databases, disks and settings that are no good: a sentence, exit code 1, and what is there stays as it is."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.doors.place import Answer, Place, a_picture

COMMANDS = [("queue", "--json"), ("add", "letter.md", "--json"), ("init", "--json")]


def refused(answer: Answer, *words: str) -> None:
    assert answer.code == 1, answer
    assert "Traceback" not in answer.err
    said = f"{answer.error['message']} {answer.error['where']} {answer.error['next']}"
    for word in words:
        assert word in said


def no_database(file: Path) -> None:
    file.write_text("This was never a database.\n" * 500)


def scribbled_over(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:40_960] = b"\xa5" * 36_864
    file.write_bytes(data)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def newer(file: Path) -> None:
    _sql(file, "PRAGMA user_version = 99")


def of_another_program(file: Path) -> None:
    file.unlink()
    _sql(file, "CREATE TABLE recipes (name TEXT)")


def _sql(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("spoil", [no_database, scribbled_over, cut_short, newer, of_another_program])
def test_a_database_that_is_no_good_is_left_untouched(place: Place, spoil: Callable[[Path], None]) -> None:
    place.letter()
    file = place.queue / "outreach.db"
    spoil(file)
    before = file.read_bytes()
    for words in COMMANDS:
        refused(place.cli(*words))
    assert place.run("worker", "--once").code == 1
    assert file.read_bytes() == before


def test_a_newer_database_says_what_to_do(place: Place) -> None:
    newer(place.queue / "outreach.db")
    answer = place.run("queue")
    assert answer.code == 1
    assert answer.err.startswith(f"✗ {place.queue}/outreach.db: The database was made by a newer version of outreach")
    assert "Install that version, or restore a backup" in answer.err


def test_the_worker_says_in_one_sentence_why_it_cannot_work(place: Place) -> None:
    no_database(place.queue / "outreach.db")
    answer = place.run("worker", "--once")
    assert (answer.code, answer.out) == (1, "")
    assert "✗" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("queue", ["letter.md", "letter.md/queue", "/proc/outreach", "/dev/null/queue"])
def test_a_queue_folder_that_cannot_be_is_refused(place: Place, queue: str) -> None:
    place.letter()
    place.settings["OUTREACH_QUEUE"] = queue
    for words in COMMANDS:
        refused(place.cli(*words))
    assert place.run("worker", "--once").code == 1


def test_a_file_where_the_pictures_are_kept_is_refused(place: Place) -> None:
    (place.queue / "media").write_text("in the way")
    (place.folder / "hall.jpg").write_bytes(a_picture())
    file = place.letter(pictures="\n  - file: hall.jpg\n    alt: The hall")
    refused(place.cli("add", file, "--json"), str(place.queue / "media"))
    assert place.posts() == {}


def test_a_file_where_the_inbox_is_expected_keeps_the_worker_from_starting(place: Place) -> None:
    (place.queue / "inbox").write_text("in the way")
    answer = place.run("worker", "--once")
    assert answer.code == 1
    assert "inbox" in answer.err
    assert "Traceback" not in answer.err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root can make a small disk here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # a process that just ended may still hold it


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return filler


def test_a_full_disk_loses_nothing_and_queues_nothing_by_half(place: Place, small_disk: Path) -> None:
    shutil.move(place.queue / "outreach.db", small_disk)
    place.settings["OUTREACH_DATABASE_URL"] = f"sqlite:///{small_disk}/outreach.db"
    place.json("add", place.letter(title="Before", at="2035-01-15 09:00"))
    filler = fill(small_disk)

    refused(
        place.cli("add", place.letter(title="While", body="word " * 1000), "--json"), "The database cannot be used: "
    )

    filler.unlink()
    assert sorted(place.states()) == ["1/facebook", "1/listserv"]
    assert place.json("add", place.letter(title="While", body="word " * 1000))["announcement"] == 2
    checks = {check["name"]: check["message"] for check in place.cli("doctor", "--json").json["checks"]}
    assert checks["database"] == "sound"


@pytest.mark.parametrize(
    ("settings", "where", "message"),
    [
        ({"FACEBOOK_PAGE_ID": "1"}, "FACEBOOK_PAGE_TOKEN", "The Page is half filled"),
        ({"FACEBOOK_PAGE_TOKEN": "EAAx"}, "FACEBOOK_PAGE_ID", "The Page is half filled"),
        ({"LISTSERV_ADDRESS": "list@example.org"}, "LISTSERV_SENDER", "The listserv is half filled"),
        ({"SMTP_USERNAME": "me"}, "SMTP_PASSWORD", "half filled"),
        ({"OUTREACH_TIME_ZONE": "Mars"}, "OUTREACH_TIME_ZONE", "Mars"),
        ({"OUTREACH_GRACE_H": "soon"}, "OUTREACH_GRACE_H", "number"),
        ({"OUTREACH_APPROVAL": "maybe"}, "OUTREACH_APPROVAL", "required"),
        ({"OUTREACH_LOOK_AFTER_S": "30,20"}, "OUTREACH_LOOK_AFTER_S", "growing"),
        ({"OUTREACH_LEASE_S": "0"}, "OUTREACH_LEASE_S", "greater"),
        ({"FACEBOOK_GRAPH_URL": "http://graph.facebook.com"}, "FACEBOOK_GRAPH_URL", "show the token to others"),
        ({"OUTREACH_DATABASE_URL": "nonsense"}, "OUTREACH_DATABASE_URL", "cannot be read"),
        ({"OUTREACH_DATABASE_URL": "mysql://a/b"}, "OUTREACH_DATABASE_URL", "not supported"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_is_no_good_is_named(bare: Place, settings: dict[str, str], where: str, message: str) -> None:
    bare.settings |= settings
    for words in (("queue", "--json"), ("templates", "--json"), ("init", "--json")):
        answer = bare.cli(*words)
        if words == ("templates", "--json") and where == "OUTREACH_DATABASE_URL":
            continue
        refused(answer, message)
        assert answer.error["where"] == where
    assert bare.cli("doctor").code == 1


def test_without_a_channel_there_is_nothing_to_queue_on_and_nothing_to_work_on(bare: Place) -> None:
    refused(bare.cli("add", bare.letter(), "--json"), "No channel is set up.", "FACEBOOK_PAGE_ID")
    answer = bare.run("worker", "--once")
    assert answer.code == 1
    assert "No channel is set up" in answer.err


def test_the_env_file_of_the_folder_is_read_and_the_environment_wins(bare: Place) -> None:
    (bare.folder / ".env").write_text("OUTREACH_TIME_ZONE=Europe/Berlin\nSMTP_PASSWORD=a${b}\n")
    refused(bare.cli("queue", "--json"), "half filled")  # a password alone, and not one made empty
    bare.settings["SMTP_USERNAME"] = "me"
    assert "Europe/Berlin" in bare.cli("doctor").out
    bare.settings["OUTREACH_TIME_ZONE"] = "Asia/Tokyo"
    assert "Asia/Tokyo" in bare.cli("doctor").out


def test_an_env_file_that_is_no_text_is_refused(bare: Place) -> None:
    (bare.folder / ".env").write_bytes(b"OUTREACH_COMMUNITY=caf\xe9\n")
    refused(bare.cli("queue", "--json"), ".env", "UTF-8")


def test_a_database_that_another_program_holds_is_waited_for(place: Place) -> None:
    holder = sqlite3.connect(place.queue / "outreach.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    process = place.start("add", place.letter(at="2035-01-15 09:00"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    holder.execute("COMMIT")
    holder.close()
    assert process.wait(20) == 0
    assert place.states() == {"1/facebook": "queued", "1/listserv": "queued"}


def test_a_reader_that_goes_away_causes_no_traceback(place: Place) -> None:
    for number in range(20):
        place.json("add", place.letter(title=f"Number {number}", at="2035-01-15 09:00"))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "outreach", "queue", "--json"],
        cwd=place.folder,
        env=place.environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert b"Traceback" not in done.stderr

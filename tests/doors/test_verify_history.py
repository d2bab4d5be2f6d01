"""`verify-history`, the digest and the doctor: the sealed history as people meet it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from outreach.sandbox import Sandbox
from outreach.store import seals
from outreach.watch.digest import digest_note
from outreach.watch.sealing import Sealing
from tests.alarms.test_digest import standing
from tests.builders import NOW
from tests.doors.place import Place
from tests.hands.test_seals import MINUTES


@pytest.fixture
def sealed(tmp_path: Path, migrated_file: Path) -> Place:
    """An install with something in its history, all of it sealed."""
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        place.json("add", place.letter(), "--as", "ann@example.org")
        house = place.house()
        for minutes in (0, 3):
            Sealing(store=house.store, now=lambda at=minutes: NOW + at * MINUTES).round()  # type: ignore[misc]
        house.close()
    return place


def tamper(place: Place) -> None:
    with closing(sqlite3.connect(place.queue / "outreach.db")) as connection:
        connection.execute("DROP TRIGGER events_never_update")
        connection.execute("UPDATE events SET person = 'eve@example.org' WHERE id = 1")
        connection.commit()


def test_a_history_as_it_was_sealed_ends_well_and_gives_the_hash_to_keep(sealed: Place) -> None:
    told = sealed.json("verify-history")
    said = sealed.cli("verify-history").out

    assert (told["ok"], told["seals"], told["entries"], told["unsealed"], told["misfit"]) == (True, 1, 2, 0, None)
    assert told["latest"]["sha256"] in said
    assert "Write it down elsewhere." in said


def test_the_hash_that_was_written_down_is_found_again(sealed: Place) -> None:
    noted = sealed.json("verify-history")["latest"]["sha256"]

    assert sealed.json("verify-history", "--expect", noted)["expected"] is True
    other = sealed.cli("verify-history", "--expect", "0" * 64)
    assert (other.code, "none of its seals" in other.out) == (1, True)


def test_a_history_that_was_changed_ends_with_1_and_names_the_entry(sealed: Place) -> None:
    tamper(sealed)

    as_json, said = sealed.cli("verify-history", "--json"), sealed.cli("verify-history")

    assert (as_json.code, said.code) == (1, 1)
    assert as_json.json["misfit"] == {
        "seal": 1,
        "entry": "event 1",
        "message": "Seal 1 does not fit: event 1 was changed.",
    }
    assert "Seal 1 does not fit: event 1 was changed." in said.out


@pytest.mark.parametrize("word", ["", "abc", "g" * 64, "0" * 65])
def test_what_is_no_hash_is_refused(sealed: Place, word: str) -> None:
    answer = sealed.cli("verify-history", "--expect", word, "--json")

    assert (answer.code, answer.error["where"]) == (1, "--expect")


def test_nothing_sealed_yet_is_said(tmp_path: Path, migrated_file: Path) -> None:
    place = Place(tmp_path, None, database=migrated_file)

    answer = place.cli("verify-history")

    assert (answer.code, "Nothing is sealed yet." in answer.out) == (0, True)


def test_a_worker_seals_what_an_earlier_one_saw(sealed: Place) -> None:
    place = sealed
    house = place.house()
    names = [errand.name for errand in house.new_worker()[1].errands]
    house.close()

    assert "seal" in names


def test_the_digest_carries_the_latest_hash(sealed: Place) -> None:
    house = sealed.house()
    with house.store.read() as tx:
        seal = seals.latest(tx)
    house.close()
    assert seal is not None

    body = digest_note(standing(seal=seal)).body

    assert f"outreach verify-history --expect {seal.sha256}\n" in body


def test_the_doctor_tells_how_far_the_history_is_sealed(sealed: Place) -> None:
    checks = {check["name"]: check for check in sealed.cli("doctor", "--json").json["checks"]}

    assert checks["history"]["ok"]
    assert checks["history"]["message"].startswith("seal 1 of Tue 1 Dec 2026")

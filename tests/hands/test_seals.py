"""The sealed history: whoever changes, removes or adds something of it is found out, on either database and after any copy."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from outreach.model import Move, State
from outreach.store import Store, backup, copies, history, open_store, people, restore, seals
from outreach.store.proof import Proof, prove
from outreach.store.seals import Seal
from outreach.watch.sealing import Sealing
from tests.builders import NOW, a_stored_post, behind_its_back, column, make
from tests.conftest import Cluster

MINUTES = timedelta(minutes=1)


def seal(store: Store, *, at: datetime = NOW, most: int = 10_000) -> Seal | None:
    """Let a worker look, and look again when what it saw is at rest."""
    Sealing(store=store, now=lambda: at).round()
    Sealing(store=store, now=lambda: at + 2 * MINUTES, most_at_once=most).round()
    with store.read() as tx:
        return seals.latest(tx)


def proof(store: Store, *, expected: str | None = None) -> Proof:
    with store.read() as tx:
        return prove(tx, expected=expected)


def much(store: Store) -> None:
    """Posts that were queued, tried and seen."""
    for state in (State.PUBLISHED, State.UNCONFIRMED, State.MISSED):
        post = a_stored_post(store, state, by="ann@example.org")
        with store.write() as tx:
            history.see(tx, post.id, at=NOW, kind="looked", evidence={"why": "nothing there yet — ∅"})


def test_a_history_that_nobody_touched_fits(store: Store) -> None:
    much(store)

    made = seal(store)

    found = proof(store)
    assert made is not None
    assert (found.is_good, found.seals, found.entries, found.unsealed, found.latest) == (True, 1, 9, 0, made)


def test_what_was_just_written_is_not_sealed_before_it_is_at_rest(store: Store) -> None:
    much(store)
    sealing = Sealing(store=store, now=lambda: NOW)

    made = [sealing.round(), sealing.round(), Sealing(store=store, now=lambda: NOW + 119 * MINUTES / 60).round()]

    assert (made, proof(store).unsealed) == ([0, 0, 0], 9)


def test_nothing_new_makes_no_seal_and_writes_nothing(store: Store) -> None:
    much(store)
    seal(store)
    before = column(store, "SELECT value FROM meta ORDER BY key")

    again = seal(store, at=NOW + 60 * MINUTES)

    assert again is not None
    assert (again.id, column(store, "SELECT value FROM meta ORDER BY key")) == (1, before)


def test_a_clock_that_was_set_back_only_delays_the_seal(store: Store) -> None:
    much(store)
    Sealing(store=store, now=lambda: NOW + 600 * MINUTES).round()

    made = seal(store)

    assert made is not None
    assert made.entries == 9


def test_each_seal_goes_on_from_the_one_before(store: Store) -> None:
    much(store)
    made = [seal(store)]
    a_stored_post(store, State.PUBLISHED)
    made.append(seal(store, at=NOW + 5 * MINUTES))

    found = proof(store)

    assert [each and each.entries for each in made] == [9, 2]
    assert (found.is_good, found.seals, found.entries) == (True, 2, 11)


def test_a_long_history_is_sealed_part_by_part(store: Store) -> None:
    much(store)

    seal(store, most=2)

    found = proof(store)
    assert (found.is_good, found.seals, found.entries) == (True, 3, 9)


TAMPERED = {
    "a time": ("UPDATE events SET at = at + 1 WHERE id = 3", 1, "event 3", "event 3 was changed"),
    "a note": ("UPDATE events SET note = 'never' WHERE id = 2", 1, "event 2", "event 2 was changed"),
    "who did it": ("UPDATE events SET person = 'eve@example.org' WHERE id = 1", 1, "event 1", "event 1 was changed"),
    "an event that is gone": ("DELETE FROM events WHERE id = 3", 1, "event 2", "what came after event 2 is gone"),
    "the first event": ("DELETE FROM events WHERE id = 1", 1, "", "its first entry is gone"),
    "an event before all": (
        "INSERT INTO events (id, at, kind) VALUES (-5, 0, 'x')",
        1,
        "event -5",
        "event -5 was added",
    ),
    "the number of an event": (
        "UPDATE events SET id = 99 WHERE id = 6",
        1,
        "event 5",
        "what came after event 5 is gone",
    ),
    "a sighting": ("UPDATE sightings SET evidence = '{}' WHERE id = 2", 1, "sighting 2", "sighting 2 was changed"),
    "a sighting that is gone": ("DELETE FROM sightings WHERE id = 3", 1, "sighting 2", "after sighting 2 is gone"),
    "what came of a try": (
        "UPDATE attempts SET outcome = 'refused' WHERE post_id = 1",
        1,
        "event 2",
        "event 2 was changed",
    ),
    "the proof of a try": ("UPDATE attempts SET evidence = '1' WHERE post_id = 2", 1, "event 4", "event 4 was changed"),
    "a try that is gone": ("DELETE FROM attempts WHERE post_id = 1", 1, "event 2", "event 2 was changed"),
    "the letter": (
        "UPDATE revisions SET letter = 'Other.' WHERE announcement_id = 3",
        1,
        "event 5",
        "event 5 was changed",
    ),
    "what it sent": ("UPDATE contents SET text = 'Other.' WHERE post_id = 2", 1, "event 3", "event 3 was changed"),
    "the hash of a seal": ("UPDATE seals SET sha256 = 'x' WHERE id = 1", 1, "", "the seal itself was changed"),
    "the time of a seal": ("UPDATE seals SET at = at - 1 WHERE id = 1", 1, "", "the seal itself was changed"),
    "a seal that is gone": ("DELETE FROM seals WHERE id = 1", 1, "", "Seal 1 is gone"),
    "a later event": (
        "UPDATE events SET at = 0 WHERE id = 8",
        2,
        "event 8",
        "Seal 2 does not fit: event 8 was changed",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_behind_its_back_is_named(store: Store, what: str) -> None:
    statement, number, entry, message = TAMPERED[what]
    much(store)
    seal(store)
    a_stored_post(store, State.PUBLISHED)
    a_stored_post(store, State.MISSED)
    seal(store, at=NOW + 5 * MINUTES)
    assert proof(store).is_good

    behind_its_back(store, statement)

    misfit = proof(store).misfit
    assert misfit is not None
    assert (misfit.seal, misfit.entry) == (number, entry)
    assert message in misfit.message


def test_marks_that_were_changed_hide_nothing(store: Store) -> None:
    much(store)
    seal(store)

    behind_its_back(store, "UPDATE events SET at = 0 WHERE id = 3", "UPDATE seals SET marks = ''")

    assert not proof(store).is_good


def test_a_history_rewritten_with_all_its_seals_lacks_the_hash_that_was_written_down(store: Store) -> None:
    much(store)
    noted = seal(store)
    assert noted is not None
    assert proof(store, expected=noted.sha256).is_good

    behind_its_back(
        store, "UPDATE events SET person = 'eve@example.org' WHERE id = 1", "DELETE FROM seals", "DELETE FROM meta"
    )
    seal(store, at=NOW + 5 * MINUTES)

    assert proof(store).is_good
    found = proof(store, expected=noted.sha256)
    assert (found.is_good, found.has_expected, found.misfit) == (False, False, None)


@pytest.mark.parametrize("table", ["events", "sightings", "seals"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_rewrite_the_history(store: Store, table: str, statement: str) -> None:
    much(store)
    seal(store)
    before = column(store, f"SELECT at FROM {table} ORDER BY id")

    with pytest.raises(SQLAlchemyError, match="the history is never rewritten"), store.write() as tx:
        tx.execute(text(statement.format(table)))

    assert column(store, f"SELECT at FROM {table} ORDER BY id") == before


def test_what_comes_later_to_a_post_changes_nothing_of_what_is_sealed(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    seal(store)

    make(store, post, Move.REQUEUE, at=NOW + MINUTES)
    with store.write() as tx:
        people.tell(tx, "set roles", person="ann@example.org", note="x", now=NOW)
    seal(store, at=NOW + 5 * MINUTES)

    found = proof(store)
    assert (found.is_good, found.seals) == (True, 2)


# Several at once


def test_two_workers_that_seal_at_once_make_one_chain(store: Store) -> None:
    for _ in range(20):
        a_stored_post(store, State.MISSED)
    Sealing(store=store, now=lambda: NOW).round()

    def work() -> None:
        sealing = Sealing(store=store, now=lambda: NOW + 3 * MINUTES, most_at_once=3)
        for _ in range(8):
            sealing.round()

    _together(work, work, work)

    found = proof(store)
    assert (found.is_good, found.entries, found.seals, found.unsealed) == (True, 40, 14, 0)


def test_what_is_written_while_it_is_sealed_is_sealed_once(store: Store) -> None:
    times = iter(range(10_000))

    def write() -> None:
        for _ in range(40):
            with store.write() as tx:
                people.tell(tx, "work", person="ann@example.org", note=None, now=NOW)

    def work() -> None:
        for _ in range(30):
            Sealing(store=store, now=lambda: NOW + next(times) * MINUTES, most_at_once=7).round()

    _together(write, write, work, work)
    seal(store, at=NOW + 20_000 * MINUTES)
    seal(store, at=NOW + 20_100 * MINUTES)

    found = proof(store)
    assert (found.is_good, found.entries, found.unsealed) == (True, 80, 0)


@pytest.mark.postgres
def test_an_entry_that_is_committed_late_is_not_left_out(postgres_store: Store) -> None:
    a_stored_post(postgres_store, State.MISSED)
    with postgres_store.write() as slow:
        people.tell(slow, "slow", person=None, note=None, now=NOW)  # takes its number, and is not committed for long
        with postgres_store.write() as tx:
            people.tell(tx, "quick", person=None, note=None, now=NOW)
        before = seal(postgres_store)
        later = seal(postgres_store, at=NOW + 60 * MINUTES)
    made = seal(postgres_store, at=NOW + 120 * MINUTES)

    assert (before, later) == (None, None)
    assert made is not None
    assert (made.entries, proof(postgres_store).is_good) == (4, True)


def _together(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


# Copies


def _put_back(store: Store, url: str, folder: Path) -> Store:
    file = folder / "outreach.zip"
    backup.back_up(store, folder, backup.Order(file, NOW))
    restore.restore(url, folder, restore.Wish(file, NOW + 10 * MINUTES, "UTC", (30,), force=True))
    return open_store(url)


def test_a_backup_that_was_put_back_fits_and_goes_on(store: Store, database_url: str, tmp_path: Path) -> None:
    much(store)
    noted = seal(store)
    assert noted is not None

    again = _put_back(store, database_url, tmp_path)

    assert proof(again, expected=noted.sha256).is_good
    assert proof(again).unsealed == 1  # safe mode begins with it
    seal(again, at=NOW + 20 * MINUTES)
    found = proof(again, expected=noted.sha256)
    assert (found.is_good, found.seals, found.unsealed) == (True, 2, 0)
    again.close()


@pytest.mark.postgres
def test_a_copy_on_the_other_database_fits_there_and_back(
    sqlite_store: Store, postgres_cluster: Cluster, tmp_path: Path
) -> None:
    much(sqlite_store)
    noted = seal(sqlite_store)
    assert noted is not None
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    copies.make(sqlite_store, first)
    there = open_store(postgres_cluster.washed())

    with there.write() as tx:
        copies.rows_from(first, tx)
    on_postgres = proof(there, expected=noted.sha256)
    copies.make(there, second)
    there.close()
    back = open_store(f"sqlite:///{second}")

    assert on_postgres.is_good
    assert proof(back, expected=noted.sha256).is_good
    back.close()


def test_a_search_for_what_belongs_to_entries_begins_at_the_entries(sqlite_store: Store) -> None:
    values = {"after": 1, "last": 9, "most": 5}
    for query in (seals._EVENTS, seals._SAID, seals._LETTERS):
        with sqlite_store.read() as tx:
            plan = tx.execute(text(f"EXPLAIN QUERY PLAN {query.text}"), values).all()
        assert plan[0][3].startswith("SEARCH e USING INTEGER PRIMARY KEY"), plan

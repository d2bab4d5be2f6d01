"""Approving at the desk: what is approved is what was shown, by somebody else, before it came due."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from outreach.bootstrap import House
from outreach.desk import Place as At
from outreach.desk.approving import NotAsShown, OwnRevision
from outreach.model import BadInput, Letter, State
from outreach.sandbox import Sandbox
from outreach.store import Store, announcements, waiting
from tests.builders import NOW, an_announcement, column, require_approval, seen
from tests.doors.place import Place
from tests.work.clocks import StillClock

ANN, BEN = "ann@example.org", "ben@example.org"
LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-01 11:00")  # two hours after NOW
HOUR = 3600


@pytest.fixture
def number(house: House, tmp_path: Path) -> int:
    """An announcement of Ann's that waits."""
    require_approval(house.store)
    return house.desk.add(LETTER, folder=tmp_path, person=ANN).announcement


def edit(house: House, number: int, letter: Letter, folder: Path) -> None:
    house.desk.edit(At(number, house.desk.latest(number).key), letter, folder=folder, person=ANN)


def work(house: House) -> int:
    """Make a round of the watch, then send what is due; give how many posts that tried.

    Not a whole worker: it would ask the sandbox for the time, and believe that rather than the clock of the test.
    """
    publisher, watch = house.new_worker()
    watch.miss()
    made = publisher.drain()
    publisher.close()
    return made


def states(house: House, number: int) -> set[State]:
    return {post.state for post in house.desk.find(str(number))}


def test_what_was_shown_is_approved_and_nothing_else(house: House, number: int, tmp_path: Path) -> None:
    shown = house.desk.review(number, person=BEN).shown
    with pytest.raises(NotAsShown):
        house.desk.approve(number, person=BEN, revision=1, shown="something else")
    assert house.desk.approve(number, person=BEN, revision=1, shown=shown).posts[0].approved

    edit(house, number, replace(LETTER, body="Room 8."), tmp_path)
    with pytest.raises(NotAsShown):
        house.desk.approve(number, person=BEN, revision=1, shown=shown)
    assert not house.desk.find(str(number))[0].approved


@pytest.mark.parametrize(
    "changed", [{"body": "Room 8."}, {"at": "2026-12-01 12:00"}, {"title": "Another"}, {"to": ("facebook",)}]
)
def test_any_edit_voids_the_approval(house: House, number: int, tmp_path: Path, changed: dict[str, str]) -> None:
    house.desk.approve(number, person=BEN)
    edit(house, number, replace(LETTER, **changed), tmp_path)  # type: ignore[arg-type]

    assert [each.announcement for each in house.desk.to_be_approved().found] == [number]
    assert [post.announcement for post in house.desk.waiting_for_approval()] == [number] * len(
        [p for p in house.desk.find(str(number)) if p.state is State.QUEUED]
    )


@pytest.mark.parametrize("person", [ANN, "Ann@Example.ORG"])
def test_nobody_approves_their_own_revision(house: House, number: int, person: str) -> None:
    with pytest.raises(OwnRevision):
        house.desk.approve(number, person=person)


def test_what_comes_due_unapproved_is_missed_at_that_instant_and_stays_so(
    house: House, number: int, still: StillClock, box: Sandbox
) -> None:
    still.tick(2 * HOUR - 1)
    assert work(house) == 0
    assert states(house, number) == {State.QUEUED}
    still.tick(1)
    assert work(house) == 0
    assert states(house, number) == {State.MISSED}
    assert {post.reason for post in house.desk.find(str(number))} == {"Nobody approved it in time."}

    house.desk.approve(number, person=BEN)
    assert work(house) == 0
    assert box.graph.public_posts() == []


def test_what_is_approved_in_time_goes_out_in_time(house: House, number: int, still: StillClock) -> None:
    house.desk.approve(number, person=BEN)
    still.tick(2 * HOUR)
    assert work(house) == 2


def test_an_approval_that_comes_after_the_due_time_sends_nothing_even_when_no_worker_ran(
    house: House, number: int, still: StillClock
) -> None:
    still.tick(2 * HOUR)
    changed = house.desk.approve(number, person=BEN)

    assert {post.state for post in changed.posts} == {State.MISSED}
    assert "1/facebook came due before it was approved" in changed.notes[0]
    assert work(house) == 0


def test_what_a_person_sends_again_goes_out_once_it_is_approved(house: House, number: int, still: StillClock) -> None:
    still.tick(2 * HOUR)
    work(house)
    still.tick(60)
    house.desk.requeue(str(number), person=ANN)
    assert work(house) == 0
    assert states(house, number) == {State.QUEUED}

    house.desk.approve(number, person=BEN)
    assert work(house) == 2


def test_what_is_given_another_time_waits_again(house: House, number: int, still: StillClock, tmp_path: Path) -> None:
    still.tick(2 * HOUR)
    work(house)
    edit(house, number, replace(LETTER, at="2026-12-02 09:00"), tmp_path)
    assert [each.revision for each in house.desk.to_be_approved().found] == [2]


def test_what_is_wanted_at_once_waits_for_its_approval_until_its_grace_is_over(
    house: House, still: StillClock, tmp_path: Path
) -> None:
    require_approval(house.store)
    first, second = (
        house.desk.add(replace(LETTER, title=title, body=title, at="now"), folder=tmp_path, person=ANN).announcement
        for title in ("One", "Two")
    )
    still.tick(5 * HOUR)
    house.desk.approve(first, person=BEN)
    assert work(house) == 2
    still.tick(HOUR)
    work(house)
    assert (states(house, first), states(house, second)) == ({State.PUBLISHED}, {State.MISSED})


def test_who_looked_just_before_an_approval_misses_nothing_just_after_it(
    house: House, number: int, still: StillClock
) -> None:
    still.tick(2 * HOUR)
    with house.store.read() as tx:
        over = waiting.over(tx, still.now())
    publisher, watch = house.new_worker()
    publisher.close()
    with house.store.write() as tx:  # in the same instant, and before the watch writes
        announcements.approve(tx, number, 1, person=BEN, now=still.now())

    assert len(over) == 2
    assert [watch._miss_one(post, still.now()) for post in over] == [False, False]
    assert states(house, number) == {State.QUEUED}


@pytest.mark.postgres
def test_nobody_approves_what_is_being_missed(postgres_store: Store) -> None:
    [post] = an_announcement(postgres_store)
    with postgres_store.write() as missing:
        waiting.keep_from_changing(missing, post.announcement)
        with postgres_store.write() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError, match="lock timeout"), tx.begin_nested():
                announcements.approve(tx, post.announcement, 1, person=BEN, now=NOW)
    assert seen(postgres_store, post).state is State.QUEUED


def test_the_same_decision_at_another_door(place: Place) -> None:
    place.settings["OUTREACH_APPROVAL"] = "required"
    added = place.json("add", place.letter(at="2030-12-03 09:00"), "--as", ANN)
    assert added["notes"][0] == "It waits for an approval: outreach approve 1"
    assert (
        place.cli("approve", "1", "--as", ANN, "--json").error["message"]
        == "Nobody approves what they wrote themselves."
    )
    assert {post["approved"] for post in place.json("approve", "1", "--as", BEN)["posts"]} == {True}
    house = place.house()
    assert column(house.store, "SELECT kind FROM notices") == ["approved"]
    house.close()


def test_asking_for_changes_needs_words_and_the_revision_that_was_shown(house: House, number: int) -> None:
    shown = house.desk.review(number, person=BEN).shown
    with pytest.raises(BadInput, match="empty"):
        house.desk.ask_for_changes(number, revision=1, said="  ", person=BEN, shown=shown)
    with pytest.raises(NotAsShown):
        house.desk.ask_for_changes(number, revision=1, said="Shorter.", person=BEN, shown="x")
    with pytest.raises(NotAsShown):
        house.desk.comment(number, said="Shorter.", person=BEN, revision=2)
    assert column(house.store, "SELECT count(*) FROM comments") == [0]

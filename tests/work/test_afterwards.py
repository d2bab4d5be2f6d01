"""After a restore: the channels are asked for what was missed, people are told, and nothing of it is sent again blindly."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.channels import Channel
from outreach.letter import parse
from outreach.model import Absent, Attempt, BadInput, Candidate, CannotTell, Finding, Found, Move, Post, State
from outreach.store import Store, aftermath, history, troubles, workers
from outreach.watch.afterwards import MOST_ASKS, Afterwards
from tests.builders import NOW, a_channel, a_stored_post, column, make, seen
from tests.hands.stand_ins import Scripted

HERE = Candidate("1_77", "https://www.facebook.com/1/posts/77", NOW)
SOON = NOW + timedelta(minutes=5)


class Asked:
    """A channel that gives these findings one after the other, and keeps what it was asked."""

    def __init__(self, *findings: Finding | Exception) -> None:
        self.findings: list[Finding | Exception] = list(findings)
        self.asked: list[Attempt] = []

    def __call__(self, attempt: Attempt) -> Finding:
        self.asked.append(attempt)
        finding = self.findings.pop(0) if len(self.findings) > 1 else self.findings[0]
        if isinstance(finding, Exception):
            raise finding
        return finding


def put_back(store: Store, *, at: Any = SOON) -> None:
    """Let the database be one that was just put back."""
    with store.write() as tx:
        aftermath.mark(tx, "A backup was put back.", now=at, look_after_s=(30,))


def chore(store: Store, *findings: Finding | Exception) -> tuple[Afterwards, Asked]:
    asked = Asked(*findings)
    channels = {a_channel(store).id: cast(Channel, Scripted(find=asked))}
    return Afterwards(store=store, channels=channels, now=lambda: SOON), asked


def sightings(store: Store, post: Post) -> list[dict[str, Any]]:
    with store.read() as tx:
        return [entry for entry in history.of_post(tx, post.id) if entry["kind"] == "sighting"]


def kinds(store: Store) -> list[str]:
    return column(store, "SELECT kind FROM sightings ORDER BY id")


def test_a_post_that_went_out_after_the_backup_is_published_as_what_it_is_there(store: Store) -> None:
    post = a_stored_post(store)
    put_back(store)
    afterwards, asked = chore(store, Found((HERE,)))
    afterwards.round()
    afterwards.round()
    [told] = sightings(store, post)
    assert (told["what"], told["by"]) == ("found after a restore", "the service")
    assert told["evidence"]["remote_id"] == "1_77"
    now = seen(store, post)
    assert (now.state, now.remote_id, now.url, now.reason) == (State.PUBLISHED, "1_77", HERE.url, None)
    assert column(store, "SELECT outcome FROM attempts") == ["published"]
    assert [attempt.first_started_at for attempt in asked.asked] == [NOW]


def test_one_whose_channel_is_busy_is_asked_for_again(store: Store) -> None:
    post = a_stored_post(store)
    put_back(store)
    in_flight = a_stored_post(store, State.PUBLISHING)
    afterwards, _ = chore(store, Found((HERE,)))
    afterwards.round()
    assert seen(store, post).state is State.MISSED
    make(store, in_flight, Move.PUBLISH)
    afterwards.round()
    assert seen(store, post).state is State.PUBLISHED


def test_one_that_is_not_there_is_asked_for_twice(store: Store) -> None:
    a_stored_post(store)
    put_back(store)
    afterwards, asked = chore(store, Absent())
    for _ in range(4):
        afterwards.round()
    assert (len(asked.asked), kinds(store)) == (2, ["not there after a restore"])


def test_what_no_channel_can_tell_is_asked_a_few_times_and_left_to_a_person(store: Store) -> None:
    post = a_stored_post(store)
    put_back(store)
    afterwards, asked = chore(store, CannotTell("a list cannot be asked"))
    for _ in range(MOST_ASKS + 2):
        afterwards.round()
    assert (len(asked.asked), kinds(store)) == (MOST_ASKS, ["could not tell after a restore"])
    assert sightings(store, post)[0]["evidence"] == {"why": "a list cannot be asked"}


def test_one_that_belongs_to_another_post_proves_nothing(store: Store) -> None:
    other = a_stored_post(store, State.PUBLISHED)
    post = a_stored_post(store)
    put_back(store)
    afterwards, _ = chore(store, Found((Candidate(f"1_{other.id}", None, NOW),)))
    afterwards.round()
    afterwards.round()
    assert [told["what"] for told in sightings(store, post)] == ["not there after a restore"]


def test_a_channel_that_breaks_keeps_no_other_post_waiting(store: Store) -> None:
    _, second = a_stored_post(store), a_stored_post(store)
    put_back(store)
    afterwards, _ = chore(store, RuntimeError("a fault of ours"), Found((HERE,)))
    with pytest.raises(RuntimeError):
        afterwards.round()
    afterwards.round()
    assert sightings(store, second)[0]["what"] == "found after a restore"


def test_a_channel_that_breaks_each_time_is_not_asked_for_ever(store: Store) -> None:
    a_stored_post(store)
    put_back(store)
    afterwards, asked = chore(store, RuntimeError("a fault of ours"))
    for _ in range(MOST_ASKS):
        with pytest.raises(RuntimeError):
            afterwards.round()
    afterwards.round()
    afterwards.round()
    assert (len(asked.asked), kinds(store)) == (MOST_ASKS, ["could not tell after a restore"])


def test_a_post_that_a_person_decided_meanwhile_is_not_asked_for(store: Store) -> None:
    post = a_stored_post(store)
    put_back(store)
    make(store, post, Move.CANCEL)
    afterwards, asked = chore(store, Found((HERE,)))
    afterwards.round()
    assert (asked.asked, kinds(store)) == ([], [])


def test_what_was_missed_before_the_backup_is_asked_for_since_somebody_may_have_sent_it_after(store: Store) -> None:
    post = a_stored_post(store, State.MISSED)
    put_back(store)
    afterwards, _ = chore(store, Found((HERE,)))
    afterwards.round()
    assert (seen(store, post).state, seen(store, post).remote_id) == (State.PUBLISHED, HERE.remote_id)


def test_what_was_missed_long_ago_is_not_asked_for(store: Store) -> None:
    post = a_stored_post(store, State.MISSED)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET planned_at = 0 WHERE id = :id"), {"id": post.id})
    put_back(store)
    afterwards, asked = chore(store, Found((HERE,)))
    afterwards.round()
    assert asked.asked == []


def test_a_post_found_more_than_once_after_a_restore_is_told_as_one_that_went_out_twice(store: Store) -> None:
    post = a_stored_post(store)
    put_back(store)
    afterwards, _ = chore(store, Found((HERE, replace(HERE, remote_id="1_78"))))
    afterwards.round()
    with store.read() as tx:
        assert [(one.id, ids) for one, ids in troubles.seen_twice(tx, SOON - timedelta(days=1))] == [
            (post.id, ("1_77", "1_78"))
        ]


def test_nobody_sends_a_post_again_while_its_channel_is_asked(house: House, missed: str) -> None:
    refused: list[str] = []

    def find(_: Attempt) -> Finding:
        with pytest.raises(BadInput) as told:
            house.desk.requeue(missed)
        refused.append(told.value.message)
        return Found((HERE,))

    channels = {target.id: cast(Channel, Scripted(find=find)) for target in house.targets}
    Afterwards(store=house.store, channels=channels, now=house.clock.now).round()
    assert "still being asked" in refused[0]
    assert house.desk.find(missed)[0].state is State.PUBLISHED


# What a person may do with it


@pytest.fixture
def missed(house: House) -> str:
    """A post on the Page that a restore missed."""
    added = house.desk.add(
        parse("---\ntitle: Poster session\nat: now\nto: [facebook]\n---\nCome.\n"), folder=house.media
    )
    put_back(house.store, at=house.clock.now())
    return added.posts[0].name


def test_a_post_is_not_sent_again_before_its_channel_was_asked(house: House, missed: str) -> None:
    with pytest.raises(BadInput, match="its channel is still being asked") as refused:
        house.desk.requeue(missed)
    assert refused.value.next_step.endswith("outreach worker --once")


def test_a_post_that_is_on_the_channel_is_not_sent_again(house: House, missed: str) -> None:
    answer(house, Found((HERE,)))
    with pytest.raises(BadInput, match="1/facebook is published; to requeue it"):
        house.desk.requeue(missed)
    assert house.desk.find(missed)[0].remote_id == "1_77"


@pytest.mark.parametrize("finding", [Absent(), CannotTell("no answer")])
def test_a_post_that_was_not_found_may_be_sent_again_by_a_person(house: House, missed: str, finding: Finding) -> None:
    answer(house, finding)
    assert house.desk.requeue(missed).posts[0].state is State.QUEUED


def answer(house: House, finding: Finding) -> None:
    channel = cast(Channel, Scripted(find=lambda _: finding))
    channels = {target.id: channel for target in house.targets}
    for _ in range(MOST_ASKS):
        Afterwards(store=house.store, channels=channels, now=house.clock.now).round()


def test_only_a_worker_that_is_heard_of_still_has_to_begin_anew(store: Store) -> None:
    with store.write() as tx:
        aftermath.remember_workers(tx, ["elsewhere|b|1|2|0"])
        workers.beat(tx, "elsewhere|b|1|2|0", NOW)
        assert aftermath.workers_to_restart(tx, NOW + timedelta(seconds=30)) == ["elsewhere|b|1|2|0"]
        assert aftermath.workers_to_restart(tx, NOW + timedelta(days=5)) == []

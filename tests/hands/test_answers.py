"""What requests were answered: a key is begun by one, taken over by one, and forgotten after a day, on each database."""

import threading
from datetime import timedelta

import pytest

from outreach.model import Move
from outreach.store import Store, answers, doorkeys, people
from outreach.store.answers import Sign
from tests.builders import NOW, a_channel, a_stored_post, behind_its_back, column, make

ANN = "ann@example.org"


@pytest.fixture
def token(store: Store) -> int:
    community = a_channel(store).community_id
    with store.write() as tx:
        who = people.welcome(tx, community, ANN, (), now=NOW)
        about = {"person_id": who.id, "name": "t", "sha256": "0", "scopes": ["write"], "ends_at": None}
        return doorkeys.make_token(tx, now=NOW, **about)


def test_of_many_at_once_one_begins(store: Store, token: int) -> None:
    ready, began = threading.Barrier(6), list[bool]()

    def begin() -> None:
        ready.wait()
        with store.write() as tx:
            began.append(answers.begin(tx, token, "one", "sha", NOW) is None)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(began) == [False] * 5 + [True]


def test_one_takes_over_and_only_that_one_answers(store: Store, token: int) -> None:
    later = NOW + timedelta(minutes=3)
    with store.write() as tx:
        answers.begin(tx, token, "one", "sha", NOW)
        was = answers.begin(tx, token, "one", "sha", later)
        assert was is not None
        assert answers.take_over(tx, token, "one", was, later)
        assert not answers.take_over(tx, token, "one", was, later)
        answers.finish(tx, token, "one", taken_at=NOW, status=200, body="too late")
        answers.finish(tx, token, "one", taken_at=later, status=201, body="mine")
        kept = answers.begin(tx, token, "one", "sha", later)
    assert kept is not None
    assert (kept.at, kept.status, kept.body) == (NOW, 201, "mine")


def test_a_key_is_forgotten_after_a_day(store: Store, token: int) -> None:
    with store.write() as tx:
        answers.begin(tx, token, "one", "sha", NOW)
        assert answers.begin(tx, token, "one", "sha", NOW + timedelta(hours=23)) is not None
        assert answers.begin(tx, token, "one", "sha", NOW + timedelta(hours=24)) is None
    assert column(store, "SELECT count(*) FROM answers") == [1]


def test_the_history_tells_whether_somebody_did_it_since(store: Store) -> None:
    post = a_stored_post(store)
    make(store, post, Move.MISS, at=NOW)
    with store.write() as tx:
        people.tell(tx, "close account", person=ANN, note="ben@example.org", now=NOW)
    behind_its_back(store, f"UPDATE events SET person = '{ANN}' WHERE kind = 'miss'")

    def since(sign: Sign, minutes: int = 0) -> int | None:
        with store.read() as tx:
            return answers.done_since(tx, sign, NOW + timedelta(minutes=minutes))

    assert since(Sign(("miss", "cancel"), ANN, post_ids=[post.id])) == post.announcement
    assert since(Sign(("miss",), ANN, announcement=post.announcement)) == post.announcement
    assert since(Sign(("close account",), ANN, note="ben@example.org")) == 0
    assert since(Sign(("close account",), ANN, note="cleo@example.org")) is None
    assert since(Sign(("miss",), "ben@example.org")) is None
    assert since(Sign(("miss",), ANN, post_ids=[])) is None
    assert since(Sign(("miss",), ANN, post_ids=[post.id + 1])) is None
    assert since(Sign(("miss",), ANN, announcement=post.announcement + 1)) is None
    assert since(Sign(("miss",), ANN, channel_id=1)) is None
    assert since(Sign(("miss",), ANN), minutes=1) is None

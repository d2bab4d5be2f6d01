"""Before anything is sent a second time the channel is asked, whatever the first time was told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from outreach.channels import Channel
from outreach.model import (
    HELD_UP,
    Absent,
    Attempt,
    Candidate,
    CannotTell,
    Finding,
    Found,
    Move,
    Outcome,
    Published,
    State,
    Unavailable,
)
from outreach.store import Store, safety, troubles
from tests.builders import NOW, SettableClock, a_stored_post, make, pause, seen, take
from tests.hands.stand_ins import Scripted, a_publisher

HERE = Candidate("1_77", "https://www.facebook.com/1/posts/77", NOW)


def drain(
    store: Store,
    clock: SettableClock,
    find: Callable[[Attempt], Finding],
    publish: Callable[[Attempt], Outcome] = lambda attempt: Published(remote_id="1_1"),
) -> list[int]:
    """Publish what is due; give the numbers of the attempts that were sent."""
    sent: list[int] = []

    def send(attempt: Attempt) -> Outcome:
        sent.append(attempt.number)
        return publish(attempt)

    channel: Channel = Scripted(send, find)
    publisher = a_publisher(store, {1: channel}, clock=clock)
    publisher.drain()
    publisher.close()
    return sent


def test_a_first_try_asks_nothing(sqlite_store: Store, clock: SettableClock) -> None:
    a_stored_post(sqlite_store)
    asked: list[Attempt] = []

    assert drain(sqlite_store, clock, lambda a: asked.append(a) or Absent()) == [1]  # type: ignore[func-returns-value]
    assert asked == []


def test_a_post_that_an_answer_denied_but_that_is_there_is_not_sent_again(
    sqlite_store: Store, clock: SettableClock
) -> None:
    post = a_stored_post(sqlite_store)
    assert drain(sqlite_store, clock, lambda _: Absent(), lambda _: Unavailable("Not now.")) == [1]
    clock.tick(60)

    assert drain(sqlite_store, clock, lambda _: Found((HERE,))) == []

    now = seen(sqlite_store, post)
    assert (now.state, now.remote_id, now.url, now.attempt) == (State.PUBLISHED, "1_77", HERE.url, 2)


def test_a_person_who_was_mistaken_sends_nothing_twice(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.UNCONFIRMED)
    make(sqlite_store, post, Move.REQUEUE)

    assert drain(sqlite_store, clock, lambda _: Found((HERE,))) == []
    assert seen(sqlite_store, post).state is State.PUBLISHED


@pytest.mark.parametrize("finding", [Absent(), CannotTell("an empty list")])
def test_what_is_not_positively_there_is_sent(sqlite_store: Store, clock: SettableClock, finding: Finding) -> None:
    make(sqlite_store, a_stored_post(sqlite_store, State.UNCONFIRMED), Move.REQUEUE)

    assert drain(sqlite_store, clock, lambda _: finding) == [2]


def test_what_is_there_but_belongs_to_another_post_does_not_count(sqlite_store: Store, clock: SettableClock) -> None:
    other = a_stored_post(sqlite_store)
    take(sqlite_store, other)
    make(sqlite_store, other, Move.PUBLISH, remote_id="1_77")
    post = a_stored_post(sqlite_store, State.UNCONFIRMED)
    make(sqlite_store, post, Move.REQUEUE)

    assert drain(sqlite_store, clock, lambda _: Found((HERE,))) == [2]


def test_the_search_begins_with_the_very_first_try(sqlite_store: Store, clock: SettableClock) -> None:
    asked: list[Attempt] = []
    a_stored_post(sqlite_store)
    drain(sqlite_store, clock, lambda _: Absent(), lambda _: Unavailable("Not now."))
    clock.tick(60)

    drain(sqlite_store, clock, lambda a: asked.append(a) or Absent())  # type: ignore[func-returns-value]

    assert [attempt.first_started_at for attempt in asked] == [NOW]


def test_a_post_whose_earlier_tries_are_out_more_than_once_is_told_as_one_that_went_out_twice(
    sqlite_store: Store, clock: SettableClock
) -> None:
    post = a_stored_post(sqlite_store, State.UNCONFIRMED)
    make(sqlite_store, post, Move.REQUEUE)
    double = Candidate("1_78", None, NOW)

    assert drain(sqlite_store, clock, lambda _: Found((HERE, double))) == []

    with sqlite_store.read() as tx:
        assert [ids for _, ids in troubles.seen_twice(tx, NOW)] == [("1_77", "1_78")]


# The last question before the first byte


def answers_before_sending(store: Store, clock: SettableClock, meanwhile: Callable[[], object]) -> list[bool]:
    """What a channel is told that asks twice whether it may send, something happening in between."""
    told: list[bool] = []

    def publish(attempt: Attempt) -> Outcome:
        told.append(attempt.may_send())
        meanwhile()
        told.append(attempt.may_send())
        return Published(remote_id="1_1") if told[-1] else HELD_UP

    drain(store, clock, lambda _: Absent(), publish)
    return told


def test_what_nothing_stopped_may_be_sent(sqlite_store: Store, clock: SettableClock) -> None:
    a_stored_post(sqlite_store)
    assert answers_before_sending(sqlite_store, clock, lambda: None) == [True, True]


def test_nothing_is_sent_after_the_end_of_its_grace(sqlite_store: Store, clock: SettableClock) -> None:
    a_stored_post(sqlite_store, miss_at=NOW + timedelta(seconds=5))
    assert answers_before_sending(sqlite_store, clock, lambda: clock.tick(5)) == [True, False]


def test_nothing_is_sent_once_safe_mode_is_on(sqlite_store: Store, clock: SettableClock) -> None:
    a_stored_post(sqlite_store)

    def stop_everything() -> None:
        with sqlite_store.write() as tx:
            safety.enter(tx, safety.Cause.PERSON, "Wrong link.", now=NOW)

    assert answers_before_sending(sqlite_store, clock, stop_everything) == [True, False]


def test_nothing_is_sent_on_a_channel_that_was_paused(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store)
    assert answers_before_sending(sqlite_store, clock, lambda: pause(sqlite_store, post.channel_id)) == [True, False]


def test_a_rest_that_this_very_post_began_does_not_hold_it_up(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store)
    until = NOW + timedelta(hours=1)
    told = answers_before_sending(sqlite_store, clock, lambda: pause(sqlite_store, post.channel_id, until))
    assert told == [True, True]


def test_nothing_is_sent_for_an_attempt_that_was_given_up(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store)

    def give_up() -> None:
        with sqlite_store.write() as tx:
            tx.execute(text("UPDATE posts SET attempt = 2 WHERE id = :id"), {"id": post.id})

    assert answers_before_sending(sqlite_store, clock, give_up)[:2] == [True, False]

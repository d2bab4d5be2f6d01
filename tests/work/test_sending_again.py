"""Before anything is sent a second time the channel is asked, whatever the first time was told."""

from collections.abc import Callable

import pytest

from outreach.channels import Channel
from outreach.model import (
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
from outreach.store import Store
from tests.builders import NOW, SettableClock, a_stored_post, make, seen, take
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

"""What is known of posts after a channel took them, on each database: who was tried, what was seen, what was not in time."""

from datetime import timedelta
from typing import Any

import pytest

from outreach.model import Move, Post, State
from outreach.store import Store, arrivals, history
from tests.builders import NOW, a_channel, a_stored_post, make, seen

HOUR = timedelta(hours=1)


def see(store: Store, post: Post, kind: str, **evidence: Any) -> None:
    with store.write() as tx:
        history.see(tx, post.id, at=NOW, kind=kind, evidence=evidence)


def published(store: Store, title: str, channel: str = "listserv") -> Post:
    return a_stored_post(store, State.PUBLISHED, channel=channel, title=title)


def test_what_was_tried_lately_on_a_channel_is_given_latest_first(store: Store) -> None:
    first, second = published(store, "One"), published(store, "Two")
    published(store, "On the Page", "facebook")
    a_stored_post(store, channel="listserv", title="Not tried")
    number = a_channel(store, "listserv").id
    with store.read() as tx:
        assert {post.id for post in arrivals.tried_since(tx, number, NOW - HOUR)} == {first.id, second.id}
        assert arrivals.tried_since(tx, number, NOW + HOUR) == []
        assert arrivals.sent_at(tx, first) == NOW


def test_what_nobody_saw_in_time_is_given_until_somebody_did(store: Store) -> None:
    post, other = published(store, "One"), published(store, "Two")
    number = a_channel(store, "listserv").id

    def unseen(until: timedelta = HOUR) -> list[int]:
        with store.read() as tx:
            return sorted(p.id for p in arrivals.unseen(tx, [number], since=NOW - HOUR, until=NOW + until))

    assert unseen() == [post.id, other.id]
    assert unseen(until=-HOUR) == []
    see(store, post, "could not tell")
    assert unseen() == [post.id, other.id]
    see(store, post, "distributed")
    assert unseen() == [other.id]
    make(store, other, Move.HOLD, reason="It waits.")
    assert unseen() == []


def test_sightings_are_given_by_post_oldest_first_with_what_they_rest_on(store: Store) -> None:
    post, other = published(store, "One"), published(store, "Two")
    see(store, post, "held", basis="subject", uid=3)
    see(store, post, "distributed", basis="id", uid=4)
    with store.read() as tx:
        found = arrivals.sighted(tx, [post.id, other.id])
        assert arrivals.sighted(tx, []) == {}
    assert [(each.kind, each.evidence["uid"]) for each in found[post.id]] == [("held", 3), ("distributed", 4)]
    assert other.id not in found
    assert arrivals.is_seen(found[post.id])
    assert not arrivals.is_seen(found[post.id][:1])


def test_a_channel_that_never_showed_a_copy_is_known_by_some_posts(store: Store) -> None:
    posts = [published(store, f"No. {n}") for n in range(3)]
    number = a_channel(store, "listserv").id

    def shows() -> bool:
        with store.read() as tx:
            return arrivals.shows_copies(tx, number, NOW)

    assert shows()  # too few to tell
    published(store, "One more")
    assert not shows()
    see(store, posts[0], "distributed")
    assert shows()


def test_an_answer_is_kept_once_and_given_once(store: Store) -> None:
    post = published(store, "One")
    with store.write() as tx:
        assert arrivals.answer_of(tx, post.id) is None
        arrivals.keep_answer(tx, post.id, "list+release-1@example.org", "Let it through", "")
        arrivals.keep_answer(tx, post.id, "list+release-2@example.org", "Let it through", "Grüße")
        assert arrivals.answer_of(tx, post.id) == ("list+release-2@example.org", "Let it through", "Grüße")
        arrivals.forget_answer(tx, post.id)
        assert arrivals.answer_of(tx, post.id) is None


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED])
def test_only_what_is_queued_is_held_back(store: Store, state: State) -> None:
    post = a_stored_post(store, state, channel="listserv")
    with store.write() as tx:
        assert arrivals.hold_back(tx, post, now=NOW, note="It is out already.") is (state is State.QUEUED)
    assert seen(store, post).paused is (state is State.QUEUED)

"""Hand-overs in the database: a post is given to the channel's own scheduler or taken by a worker, never both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from outreach.lifecycle import IllegalMove
from outreach.model import Move, Post
from outreach.store import Store, claims, handovers, moves, posts
from outreach.store.moves import Change
from tests.builders import LEASE, NOW, WORKER, a_stored_post, column


def begin(store: Store, post: Post) -> bool:
    with store.write() as tx:
        return handovers.begin(tx, post, now=NOW)


def claim(store: Store, post: Post) -> bool:
    with store.write() as tx:
        taken = claims.claim(tx, worker=WORKER, channels=[post.channel_id], now=NOW, lease=LEASE, most=1)
    return bool(taken)


def cancel(store: Store, post: Post) -> bool:
    try:
        with store.write() as tx:
            moves.apply(tx, [Change(post.id, post.attempt, Move.CANCEL, NOW)])
    except IllegalMove:
        return False
    return True


@pytest.mark.parametrize("other", [claim, cancel, begin], ids=["a worker", "a person", "another worker that gives"])
def test_whoever_is_first_has_it_and_the_other_is_refused(store: Store, other: Callable[[Store, Post], bool]) -> None:
    for _ in range(12):
        post = a_stored_post(store)
        together = Barrier(2)

        def at_once(do: Callable[[Store, Post], bool], post: Post = post, together: Barrier = together) -> bool:
            together.wait(10)
            return do(store, post)

        with ThreadPoolExecutor(2) as both:
            done = list(both.map(at_once, (begin, other)))
        assert sum(done) == 1
        with store.write() as tx:
            tx.execute(text("DELETE FROM handovers"))
            tx.execute(text("DELETE FROM attempts"))
            tx.execute(text("UPDATE posts SET handed_over = false"))
            tx.execute(text("UPDATE posts SET state = 'cancelled', attempt = 0, worker = NULL, lease_until = NULL"))


def test_what_is_with_the_channel_is_neither_claimed_cancelled_missed_nor_due(store: Store) -> None:
    post = a_stored_post(store)
    assert begin(store, post)
    assert not claim(store, post)
    assert not cancel(store, post)
    with store.read() as tx:
        assert claims.next_due(tx, channels=[post.channel_id], now=NOW) is None
        assert posts.past_their_grace(tx, NOW + timedelta(days=30)) == []
    with store.write() as tx:
        handovers.end(tx, post.id)
    assert claim(store, post)


def test_a_post_that_changed_since_it_was_read_is_not_given(store: Store) -> None:
    post = a_stored_post(store)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET content_sha256 = 'another'"))
    assert not begin(store, post)
    assert column(store, "SELECT count(*) FROM handovers") == [0]


def test_a_late_answer_does_not_bring_back_what_was_ended(store: Store) -> None:
    post = a_stored_post(store)
    begin(store, post)
    with store.write() as tx:
        handovers.end(tx, post.id)
        assert not handovers.set_given(tx, post.id, "1_2", note="given")
    assert column(store, "SELECT handed_over FROM posts") == [False]


def test_what_was_refused_is_not_given_again_until_it_says_something_else_or_its_time_has_come(store: Store) -> None:
    post = a_stored_post(store, due_at=NOW + timedelta(days=2), miss_at=NOW + timedelta(days=3))

    def wanted(now: timedelta = timedelta()) -> int:
        with store.read() as tx:
            at = NOW + now
            return len(handovers.to_give(tx, [post.channel_id], since=at, until=at + timedelta(days=9), now=at))

    assert wanted() == 1
    begin(store, post)
    with store.write() as tx:
        handovers.refuse(tx, post.id, again_at=NOW + timedelta(hours=1))
    assert (wanted(), wanted(timedelta(hours=1, seconds=1))) == (0, 1)
    begin(store, post)
    with store.write() as tx:
        handovers.refuse(tx, post.id, again_at=None)
    assert wanted(timedelta(days=1)) == 0
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET content_sha256 = 'another'"))
    assert wanted() == 1

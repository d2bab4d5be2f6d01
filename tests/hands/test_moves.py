"""The one door for a post's state: what the table allows happens whole, and everything else changes nothing."""

from datetime import timedelta

import pytest

from outreach.lifecycle import IllegalMove
from outreach.model import Move, State
from outreach.store import Store, moves
from outreach.store.moves import Change, Ending
from tests.builders import LEASE, NOW, a_stored_post, claimed, column, everything, make, seen, take

MOVES_BUT_CLAIM = tuple(move for move in Move if move is not Move.CLAIM)
LEGAL = {
    "queued": {"miss": "missed", "cancel": "cancelled"},
    "publishing": {"publish": "published", "defer": "queued", "fail": "failed", "doubt": "unconfirmed"},
    "published": {"hold": "held", "refuse": "failed", "retract": "retracted"},
    "unconfirmed": {"confirm": "published", "absolve": "queued", "refuse": "failed", "requeue": "queued"},
    "held": {"release": "published", "refuse": "failed", "retract": "retracted"},
    "failed": {"cancel": "cancelled", "requeue": "queued"},
    "missed": {"cancel": "cancelled", "requeue": "queued"},
    "cancelled": {},
    "retracted": {},
}


@pytest.mark.parametrize("state", list(State))
def test_every_move_the_table_does_not_have_raises_and_changes_nothing(store: Store, state: State) -> None:
    post = a_stored_post(store, state)
    before = everything(store)

    for move in MOVES_BUT_CLAIM:
        if str(move) in LEGAL[str(state)]:
            continue
        values = {"reason": "No.", "remote_id": "1_2"}
        with pytest.raises(IllegalMove), store.write() as tx:
            moves.apply(tx, [Change(post.id, post.attempt, move, NOW, values=values)])

    assert everything(store) == before


@pytest.mark.parametrize(
    ("state", "move", "end"), [(state, move, end) for state, ends in LEGAL.items() for move, end in ends.items()]
)
def test_a_legal_move_leads_where_the_table_says_and_is_told_in_the_history(
    store: Store, state: str, move: str, end: str
) -> None:
    post = a_stored_post(store, State(state))

    make(store, post, Move(move))

    assert seen(store, post).state == end
    assert column(store, "SELECT kind FROM events WHERE post_id = :id ORDER BY id", id=post.id)[-1] == move


def test_the_event_of_a_move_says_when_who_and_in_whose_name(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    at = NOW + timedelta(minutes=5)

    with store.write() as tx:
        moves.apply(tx, [Change(post.id, 1, Move.CANCEL, at, note="Not needed.", person="ann@example.org")])

    with store.read() as tx:
        [row] = tx.exec_driver_sql("SELECT at, attempt, person, note FROM events WHERE kind = 'cancel'").all()
    assert tuple(row) == (1796133900000000, 1, "ann@example.org", "Not needed.")


def test_leaving_publishing_gives_the_lease_back_and_leaving_doubt_ends_the_looking(store: Store) -> None:
    published = a_stored_post(store, State.PUBLISHED)
    absolved = a_stored_post(store, State.UNCONFIRMED)
    make(store, absolved, Move.ABSOLVE)

    lease = "SELECT count(*) FROM posts WHERE worker IS NOT NULL OR lease_until IS NOT NULL"
    assert column(store, lease) == [0]
    assert seen(store, published).doubted_at is None
    assert (seen(store, absolved).doubted_at, seen(store, absolved).look_at) == (None, None)


# The fence


def test_a_slow_worker_cannot_speak_for_a_later_attempt(store: Store) -> None:
    # Given a worker that took the post, was given up, and the post was taken again by another
    post = a_stored_post(store, State.UNCONFIRMED)
    make(store, post, Move.ABSOLVE)
    take(store, post, worker="another worker")
    before = everything(store)

    # When the first comes back with its answer
    with pytest.raises(IllegalMove), store.write() as tx:
        moves.apply(tx, [Change(post.id, 1, Move.PUBLISH, NOW, values={"remote_id": "1_1"})])

    # Then nothing of it counts
    assert everything(store) == before
    assert (seen(store, post).state, seen(store, post).attempt) == ("publishing", 2)


def test_a_person_who_looked_before_the_last_attempt_cannot_decide_about_it(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    make(store, post, Move.REQUEUE)
    take(store, post)
    make(store, post, Move.FAIL)

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.apply(tx, [Change(post.id, 1, Move.CANCEL, NOW)])

    assert seen(store, post).state == "failed"


def test_an_attempt_that_has_ended_cannot_end_again(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.end_attempts(tx, [Ending(post.id, 1, NOW, "published")])

    assert column(store, "SELECT outcome FROM attempts") == ["fail"]


def test_an_attempt_that_never_began_cannot_end(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.end_attempts(tx, [Ending(post.id, 2, NOW, "published")])


def test_the_end_of_an_attempt_keeps_what_was_answered(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)
    ending = Ending(post.id, 1, NOW, "refused", "The Page said no.", {"code": 100, "trace": "A1"})

    with store.write() as tx:
        moves.end_attempts(tx, [ending])

    with store.read() as tx:
        [row] = tx.exec_driver_sql("SELECT ended_at, outcome, reason FROM attempts").all()
    assert tuple(row) == (1796133600000000, "refused", "The Page said no.")


# Batches


def test_a_batch_with_one_illegal_move_changes_nothing_at_all(store: Store) -> None:
    good = [a_stored_post(store, State.PUBLISHING, channel=name) for name in ("facebook", "listserv")]
    gone = a_stored_post(store, State.CANCELLED)
    before = everything(store)
    batch = [
        Change(post.id, post.attempt, Move.PUBLISH, NOW, values={"remote_id": f"1_{post.id}"}) for post in (*good, gone)
    ]

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.apply(tx, batch)

    assert everything(store) == before


def test_an_illegal_move_of_another_kind_takes_the_whole_batch_with_it(store: Store) -> None:
    failed, queued = a_stored_post(store, State.FAILED), a_stored_post(store)
    before = everything(store)

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.apply(tx, [Change(failed.id, 1, Move.CANCEL, NOW), Change(queued.id, 0, Move.REQUEUE, NOW)])

    assert everything(store) == before


def test_one_post_cannot_make_the_same_move_twice_in_a_batch(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    change = Change(post.id, 1, Move.CANCEL, NOW)

    with pytest.raises(IllegalMove), store.write() as tx:
        moves.apply(tx, [change, change])

    assert seen(store, post).state == "failed"


def test_a_batch_of_different_moves_is_carried_out_whole(store: Store) -> None:
    posts = [a_stored_post(store, State.PUBLISHING, channel=name) for name in ("facebook", "listserv", "list-2")]
    changes = [
        Change(posts[0].id, 1, Move.PUBLISH, NOW, values={"remote_id": "1_1"}),
        Change(posts[1].id, 1, Move.FAIL, NOW, "No.", values={"reason": "No."}),
        Change(posts[2].id, 1, Move.DEFER, NOW, "Later.", values={"reason": "Later.", "due_at": NOW + LEASE}),
    ]

    with store.write() as tx:
        moves.apply(tx, changes)

    assert [seen(store, post).state for post in posts] == ["published", "failed", "queued"]
    assert seen(store, posts[2]).due_at == NOW + timedelta(minutes=2)


def test_no_changes_are_no_trouble(store: Store) -> None:
    with store.write() as tx:
        moves.apply(tx, [])
        moves.end_attempts(tx, [])

    assert claimed(store) == []

"""What keeps a channel from too much: a backlog is spaced, caps hold, and a channel that fails again and again rests."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from outreach.lifecycle import Pause
from outreach.model import Attempt, Move, Post
from outreach.store import Store, channels, claims, moves
from outreach.store.limits import Limits
from tests.builders import NOW, a_channel, a_stored_post, claimed, column, make, seen, take

MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(hours=3)


def claim_with(store: Store, limits: Limits, now: object = NOW, *, worker: str = "w") -> list[Attempt]:
    """Claim as the publisher does, limits and all, in one transaction."""
    with store.write() as tx:
        ids = tuple(tx.execute(text("SELECT id FROM channels")).scalars())
        found = claims.claim(tx, worker=worker, channels=ids, now=now, lease=MINUTE, most=32)  # type: ignore[arg-type]
        limits.after_claims(tx, found, now)  # type: ignore[arg-type]
    return found


def send(store: Store, limits: Limits, now: object = NOW) -> list[Post]:
    """Claim and publish at once; give what went out."""
    found = claim_with(store, limits, now)
    for attempt in found:
        make(store, attempt.post, Move.PUBLISH, remote_id=f"1_{attempt.post.id}")
    return [attempt.post for attempt in found]


def next_due(store: Store, now: object = NOW) -> object:
    with store.read() as tx:
        ids = tuple(tx.execute(text("SELECT id FROM channels")).scalars())
        return claims.next_due(tx, channels=ids, now=now)  # type: ignore[arg-type]


# Spacing


def test_a_backlog_goes_out_one_by_one_oldest_first_and_spaced(store: Store) -> None:
    late = [a_stored_post(store, due_at=LONG_AGO + n * MINUTE, miss_at=NOW + timedelta(hours=9)) for n in (2, 1, 0)]
    limits = Limits(spacing=MINUTE)

    assert [post.id for post in send(store, limits)] == [late[2].id]
    assert send(store, limits, NOW + timedelta(seconds=59)) == []
    assert next_due(store, NOW + timedelta(seconds=1)) == NOW + MINUTE
    assert [post.id for post in send(store, limits, NOW + MINUTE)] == [late[1].id]
    assert [post.id for post in send(store, limits, NOW + 2 * MINUTE)] == [late[0].id]


def test_what_is_on_time_does_not_wait_for_a_backlog(store: Store) -> None:
    a_stored_post(store, due_at=LONG_AGO, miss_at=NOW + timedelta(hours=9))
    a_stored_post(store, due_at=LONG_AGO, miss_at=NOW + timedelta(hours=9))
    punctual = a_stored_post(store, due_at=NOW - 9 * MINUTE)
    limits = Limits(spacing=MINUTE)
    send(store, limits)

    assert next_due(store) == punctual.due_at
    assert [post.id for post in send(store, limits)] == [punctual.id]
    assert send(store, limits) == []


def test_posts_that_are_a_few_minutes_late_are_not_spaced(store: Store) -> None:
    for _ in range(2):
        a_stored_post(store, due_at=NOW - 9 * MINUTE)
    limits = Limits(spacing=MINUTE)

    assert [len(send(store, limits)) for _ in range(2)] == [1, 1]


def test_the_space_of_one_channel_is_nothing_to_another(store: Store) -> None:
    for channel in ("facebook", "listserv", "facebook", "listserv"):
        a_stored_post(store, channel=channel, due_at=LONG_AGO, miss_at=NOW + timedelta(hours=9))

    assert len(send(store, Limits(spacing=MINUTE))) == 2


# Caps


def test_no_more_than_the_cap_go_out_within_an_hour(store: Store) -> None:
    for _ in range(4):
        a_stored_post(store)
    limits = Limits(max_per_hour=2)

    assert [len(send(store, limits, NOW + n * MINUTE)) for n in range(4)] == [1, 1, 0, 0]
    assert next_due(store, NOW + 3 * MINUTE) == NOW + timedelta(hours=1)
    assert [len(send(store, limits, NOW + timedelta(hours=1, minutes=n))) for n in range(3)] == [1, 1, 0]


def test_no_more_than_the_cap_go_out_within_a_day(store: Store) -> None:
    for _ in range(3):
        a_stored_post(store, miss_at=NOW + timedelta(days=3))
    limits = Limits(max_per_hour=100, max_per_day=2)

    assert [len(send(store, limits, NOW + timedelta(hours=h))) for h in (0, 5, 10, 23)] == [1, 1, 0, 0]
    assert len(send(store, limits, NOW + timedelta(hours=24))) == 1


def test_tries_count_whatever_came_of_them(store: Store) -> None:
    post = a_stored_post(store)
    limits = Limits(max_per_hour=2)
    for _ in range(2):
        [attempt] = claim_with(store, limits)
        make(store, attempt.post, Move.DEFER)

    assert claim_with(store, limits) == []
    assert seen(store, post).attempt == 2


def test_a_try_that_a_wrong_clock_put_into_the_future_closes_no_channel(store: Store) -> None:
    post = a_stored_post(store)
    take(store, post, now=NOW + timedelta(days=365))
    with store.write() as tx:
        tx.execute(text("UPDATE attempts SET channel_id = 1"))
    make(store, post, Move.PUBLISH)
    a_stored_post(store)
    a_stored_post(store)

    assert [len(send(store, Limits(max_per_hour=2))) for _ in range(2)] == [1, 1]


def test_a_full_channel_is_paused_for_all_to_see_only_when_something_waits(store: Store) -> None:
    a_stored_post(store)
    limits = Limits(max_per_hour=1)
    send(store, limits)
    with store.write() as tx:
        assert limits.tell_of_full_channels(tx, NOW) == 0
    a_stored_post(store)
    with store.write() as tx:
        assert limits.tell_of_full_channels(tx, NOW) == 1
        assert limits.tell_of_full_channels(tx, NOW) == 0
        [row] = channels.of_community(tx, 1)

    assert (row.state, row.until, row.paused_by) == ("paused", NOW + timedelta(hours=1), None)
    assert "OUTREACH_MAX_PER_HOUR=1" in (row.reason or "")


def test_a_person_who_resumes_a_full_channel_lifts_its_cap(store: Store) -> None:
    for _ in range(2):
        a_stored_post(store)
    limits = Limits(max_per_hour=1)
    send(store, limits)
    with store.write() as tx:
        channels.resume(tx, 1, now=NOW, person="ann@example.org")

    assert len(send(store, limits)) == 1


# The breaker


def fail_once(store: Store, limits: Limits, *, move: Move = Move.FAIL, now: object = NOW) -> None:
    post = a_stored_post(store, miss_at=NOW + timedelta(days=2))
    [attempt] = claimed(store, post.channel_id, now=now)  # type: ignore[arg-type]
    values = {Move.DEFER: {"reason": "No.", "due_at": NOW + timedelta(days=9)}}.get(move, {"reason": "No."})
    if move is Move.DOUBT:
        values = {"reason": "Lost.", "doubted_at": NOW}
    with store.write() as tx:
        moves.end_attempts(tx, [moves.Ending(post.id, 1, now, str(move))])  # type: ignore[arg-type]
        moves.apply(tx, [moves.Change(attempt.post.id, 1, move, now, values=values)])  # type: ignore[arg-type]
        limits.after_failures(tx, [post.channel_id], now)  # type: ignore[arg-type]


def state(store: Store) -> tuple[object, ...]:
    with store.read() as tx:
        [row] = channels.of_community(tx, 1)
    return row.state, row.until


@pytest.mark.parametrize("move", [Move.FAIL, Move.DEFER, Move.DOUBT])
def test_a_channel_rests_after_too_many_failures_in_a_row_whatever_they_were(store: Store, move: Move) -> None:
    limits = Limits(max_failures=3)
    for _ in range(2):
        fail_once(store, limits, move=move)
    assert state(store) == ("ready", None)

    fail_once(store, limits, move=move)

    assert state(store) == ("paused", NOW + 5 * MINUTE)
    assert column(store, "SELECT note FROM events WHERE kind = 'pause channel'") == [
        "The last 3 tries on this channel failed; it rests before the next one."
    ]


def test_each_further_failure_makes_the_rest_longer_up_to_an_hour(store: Store) -> None:
    limits = Limits(max_failures=1)
    rests = []
    for number in range(6):
        now = NOW + number * timedelta(hours=2)
        a_channel(store)
        with store.write() as tx:
            channels.resume_those_whose_time_is_over(tx, now)
        fail_once(store, limits, now=now)
        rests.append(state(store)[1] - now)  # type: ignore[operator]

    assert [rest / MINUTE for rest in rests] == [5, 10, 20, 40, 60, 60]


def test_a_success_in_between_begins_the_count_anew(store: Store) -> None:
    limits = Limits(max_failures=2)
    fail_once(store, limits)
    a_stored_post(store)
    send(store, limits, NOW + MINUTE)
    fail_once(store, limits, now=NOW + 2 * MINUTE)

    assert state(store) == ("ready", None)


def test_a_try_that_was_in_doubt_and_was_found_is_no_failure(store: Store) -> None:
    limits = Limits(max_failures=2)
    fail_once(store, limits, move=Move.DOUBT)
    with store.write() as tx:
        moves.apply(tx, [moves.Change(1, 1, Move.CONFIRM, NOW, values={"remote_id": "1_1"})])
    fail_once(store, limits, now=NOW + MINUTE)

    assert state(store) == ("ready", None)


def test_no_limit_is_a_limit_of_zero(store: Store) -> None:
    limits = Limits()
    for number in range(12):
        fail_once(store, limits, now=NOW + timedelta(seconds=number))

    assert state(store) == ("ready", None)


def test_a_pause_by_a_person_is_not_replaced_by_one_of_the_service(store: Store) -> None:
    a_channel(store)
    with store.write() as tx:
        channels.pause(tx, 1, Pause("The Page is being moved.", None), now=NOW, person="ann@example.org")
        channels.pause(tx, 1, Pause("Too fast.", NOW + MINUTE), now=NOW)
        [row] = channels.of_community(tx, 1)

    assert (row.reason, row.until, row.paused_by) == ("The Page is being moved.", None, "ann@example.org")

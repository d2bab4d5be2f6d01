"""What may be claimed: what is due, approved, not paused, in its grace, on a channel with nothing in flight."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from outreach.lifecycle import Pause
from outreach.model import BadInput, Move, State
from outreach.store import Store, announcements, channels, claims
from tests.builders import (
    LATER,
    NOW,
    a_channel,
    a_content,
    a_new_announcement,
    a_new_post,
    a_stored_post,
    an_announcement,
    claimed,
    column,
    make,
    pause,
    require_approval,
    seen,
    take,
)

A_SECOND = timedelta(seconds=1)


class PowerCut(Exception):
    """Whatever ends a transaction before it commits."""


def _claim_and_fail(store: Store, channel_id: int) -> None:
    with store.write() as tx:
        assert claims.claim(tx, worker="w", channels=[channel_id], now=NOW, lease=A_SECOND, most=1)
        raise PowerCut


def next_due(store: Store, now: datetime = NOW) -> datetime | None:
    with store.read() as tx:
        return claims.next_due(tx, channels=tuple(tx.execute(text("SELECT id FROM channels")).scalars()), now=now)


def names(store: Store, **how: datetime | int) -> list[str]:
    return [attempt.post.name for attempt in claimed(store, **how)]  # type: ignore[arg-type]


def test_a_claim_hands_over_the_post_its_number_and_exactly_what_is_stored(store: Store) -> None:
    [post] = an_announcement(store, title="Poster session", body="Join us.")

    [attempt] = claimed(store, worker="w1", lease=timedelta(seconds=90))

    assert (attempt.post.id, attempt.number, attempt.started_at) == (post.id, 1, NOW)
    assert attempt.content == a_content(text="Poster session\n\nJoin us.")
    assert attempt.content.sha256() == attempt.post.content_sha256
    assert (seen(store, post).state, seen(store, post).attempt) == ("publishing", 1)
    assert column(store, "SELECT worker FROM posts") == ["w1"]
    assert column(store, "SELECT lease_until FROM posts") == [1796133690000000]


def test_a_claim_is_written_down_as_an_open_attempt_before_anything_is_sent(store: Store) -> None:
    [post] = an_announcement(store)

    claimed(store, worker="w1")

    with store.read() as tx:
        [row] = tx.exec_driver_sql("SELECT post_id, number, worker, started_at, ended_at, outcome FROM attempts").all()
    assert tuple(row) == (post.id, 1, "w1", 1796133600000000, None, None)


def test_a_claim_that_did_not_commit_leaves_the_post_queued(store: Store) -> None:
    [post] = an_announcement(store)

    with pytest.raises(PowerCut):
        _claim_and_fail(store, post.channel_id)

    assert (seen(store, post).state, seen(store, post).attempt) == ("queued", 0)
    assert column(store, "SELECT number FROM attempts") == []


def test_one_post_is_claimed_for_each_channel_the_earliest_first(store: Store) -> None:
    [second] = an_announcement(store, due_at=NOW)
    [first] = an_announcement(store, due_at=NOW - A_SECOND)
    [mail] = an_announcement(store, on=["listserv"], due_at=NOW - 2 * A_SECOND)

    assert names(store) == [mail.name, first.name]
    assert seen(store, second).state == "queued"


def test_of_posts_due_at_the_same_instant_the_first_queued_goes_first(store: Store) -> None:
    [first], _ = an_announcement(store), an_announcement(store)

    assert names(store) == [first.name]


def test_nothing_is_claimed_while_something_is_in_flight_on_the_channel(store: Store) -> None:
    [first], [second] = an_announcement(store, due_at=NOW - A_SECOND), an_announcement(store)
    claimed(store)

    assert claimed(store, worker="another worker") == []
    make(store, first, Move.PUBLISH)
    assert names(store) == [second.name]


def test_what_is_in_flight_on_one_channel_does_not_hold_up_another(store: Store) -> None:
    _, mail = an_announcement(store, on=["facebook", "listserv"])
    take(store, seen(store, _))

    assert names(store) == [mail.name]


@pytest.mark.parametrize("state", [s for s in State if s not in (State.QUEUED, State.PUBLISHING)])
def test_a_post_that_is_not_queued_is_never_claimed(store: Store, state: State) -> None:
    a_stored_post(store, state)

    assert claimed(store) == []


def test_a_post_is_not_claimed_before_its_second(store: Store) -> None:
    [post] = an_announcement(store, due_at=NOW + A_SECOND)

    assert names(store, now=NOW + A_SECOND - timedelta(microseconds=1)) == []
    assert names(store, now=NOW + A_SECOND) == [post.name]


def test_a_post_is_not_claimed_when_its_grace_is_over(store: Store) -> None:
    [post] = an_announcement(store)

    assert names(store, now=LATER) == []
    assert names(store, now=LATER - timedelta(microseconds=1)) == [post.name]


def test_a_paused_post_is_not_claimed_and_lets_the_next_one_pass(store: Store) -> None:
    [waiting] = an_announcement(store, due_at=NOW - A_SECOND)
    [post] = an_announcement(store)
    with store.write() as tx:
        announcements.set_paused(tx, [waiting], True, now=NOW, person=None)

    assert names(store) == [post.name]


def test_a_post_that_was_paused_and_resumed_is_claimed(store: Store) -> None:
    [post] = an_announcement(store)
    with store.write() as tx:
        announcements.set_paused(tx, [post], True, now=NOW, person=None)
        announcements.set_paused(tx, [post], False, now=NOW, person="ann@example.org")

    assert names(store) == [post.name]


# Channels


def test_nothing_is_claimed_on_a_channel_paused_until_a_person_acts(store: Store) -> None:
    [post] = an_announcement(store)
    pause(store, post.channel_id)

    assert names(store, now=LATER - A_SECOND) == []


def test_a_channel_paused_until_an_instant_lets_nothing_out_before_it(store: Store) -> None:
    [post] = an_announcement(store)
    pause(store, post.channel_id, NOW + A_SECOND)

    assert names(store) == []
    assert names(store, now=NOW + A_SECOND) == [post.name]


def test_only_the_channels_asked_for_are_claimed_from(store: Store) -> None:
    facebook, mail = an_announcement(store, on=["facebook", "listserv"])

    [attempt] = claimed(store, mail.channel_id)

    assert attempt.post.name == mail.name
    assert seen(store, facebook).state == "queued"


def test_no_more_are_claimed_than_there_are_senders(store: Store) -> None:
    for name in ("facebook", "listserv", "list-2"):
        an_announcement(store, on=[name])

    assert len(claimed(store, most=2)) == 2
    assert len(claimed(store, most=0)) == 0
    assert len(claimed(store, most=2)) == 1


def test_channels_with_nothing_due_take_no_place_from_those_that_have(store: Store) -> None:
    for name in ("facebook", "listserv", "list-2"):
        a_channel(store, name)
    [post] = an_announcement(store, on=["list-3"])

    assert names(store, most=2) == [post.name]


# Approval


def test_what_nobody_approved_is_not_claimed_where_approval_is_asked_for(store: Store) -> None:
    [post] = an_announcement(store)
    require_approval(store)

    assert names(store) == []
    with store.write() as tx:
        announcements.approve(tx, post.announcement, 1, person="bob@example.org", now=NOW)
    assert names(store) == [post.name]


def test_an_edit_voids_the_approval(store: Store) -> None:
    [post] = an_announcement(store)
    require_approval(store)
    with store.write() as tx:
        announcements.approve(tx, post.announcement, 1, person="bob@example.org", now=NOW)
        tx.execute(text("UPDATE announcements SET revision = 2"))

    assert names(store) == []
    assert seen(store, post).approved is False
    assert next_due(store) is None


def test_an_approval_of_a_revision_that_was_changed_meanwhile_is_refused_and_not_told_as_given(store: Store) -> None:
    [post] = an_announcement(store)
    require_approval(store)
    with store.write() as tx:
        tx.execute(text("UPDATE announcements SET revision = 2"))

    with pytest.raises(BadInput), store.write() as tx:
        announcements.approve(tx, post.announcement, 1, person="bob@example.org", now=NOW)

    assert names(store) == []
    assert column(store, "SELECT count(*) FROM events WHERE kind = 'approve'") == [0]


# What is next


def test_the_next_due_time_is_that_of_the_earliest_post_that_could_be_claimed(store: Store) -> None:
    an_announcement(store, due_at=NOW + 3 * A_SECOND)
    an_announcement(store, on=["listserv"], due_at=NOW + 2 * A_SECOND)

    assert next_due(store) == NOW + 2 * A_SECOND


def test_nothing_queued_means_no_next_due_time(store: Store) -> None:
    a_stored_post(store, State.CANCELLED)

    assert next_due(store) is None
    with store.read() as tx:
        assert claims.next_due(tx, channels=[], now=NOW) is None


def test_what_cannot_be_claimed_wakes_nobody(store: Store) -> None:
    [paused] = an_announcement(store)
    [blocked] = an_announcement(store, on=["listserv"])
    an_announcement(store, on=["list-2"])
    claimed(store, a_channel(store, "list-2").id)
    an_announcement(store, on=["list-2"])
    an_announcement(store, on=["list-3"], miss_at=NOW)
    with store.write() as tx:
        announcements.set_paused(tx, [paused], True, now=NOW, person=None)
        channels.pause(tx, blocked.channel_id, Pause("The token ended.", None), now=NOW)

    assert next_due(store) is None
    assert claimed(store) == []


def test_a_series_goes_out_occurrence_by_occurrence(store: Store) -> None:
    channel = a_channel(store)
    series = [a_new_post(channel.id, occurrence=n, due_at=NOW + (n - 1) * A_SECOND) for n in (1, 2)]
    with store.write() as tx:
        number = announcements.add(tx, a_new_announcement(), series, NOW)

    [first] = claimed(store)
    assert first.post.name == f"{number}/facebook"
    make(store, first.post, Move.PUBLISH)
    assert names(store, now=NOW + A_SECOND) == [f"{number}/facebook/2"]

"""Safe mode: while it is on nobody claims anything, and both its beginning and its end are told in the history."""

from datetime import timedelta

from outreach.store import Store, claims, safety
from outreach.store.safety import Cause
from tests.builders import NOW, a_channel, a_stored_post, claimed, column


def test_nothing_is_claimed_while_safe_mode_is_on(store: Store) -> None:
    a_stored_post(store)
    row = a_channel(store)
    with store.write() as tx:
        assert safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW)

    assert claimed(store) == []
    with store.read() as tx:
        assert claims.next_due(tx, channels=[row.id], now=NOW) is None

    with store.write() as tx:
        assert safety.leave(tx, now=NOW, person="ann@example.org")
    assert len(claimed(store)) == 1


def test_each_cause_counts_and_a_persons_is_shown_first(store: Store) -> None:
    later = NOW + timedelta(hours=1)
    with store.write() as tx:
        assert safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW, host="one")
        assert not safety.enter(tx, Cause.CLOCK, "It jumped again.", now=later, host="one")
        assert safety.enter(tx, Cause.PERSON, "A wrong link.", now=later)
    with store.read() as tx:
        assert safety.current(tx) == safety.SafeMode(Cause.PERSON, "A wrong link.", later)
        assert [each.cause for each in safety.causes(tx)] == [Cause.CLOCK, Cause.PERSON]


def test_a_clock_that_is_right_again_takes_back_its_own_cause_and_no_other(store: Store) -> None:
    with store.write() as tx:
        for host in ("one", "two"):
            safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW, host=host)
        safety.enter(tx, Cause.RESTORE, "A backup was restored.", now=NOW)
        assert not safety.take_back_clock(tx, "one", now=NOW, note="right again")
        assert [(each.cause, each.host) for each in safety.causes(tx)] == [(Cause.CLOCK, "two"), (Cause.RESTORE, "")]
        assert safety.leave(tx, now=NOW, person="ann@example.org")
        assert safety.causes(tx) == []


def test_safe_mode_is_left_once_and_told(store: Store) -> None:
    with store.write() as tx:
        safety.enter(tx, Cause.COPY, "It may be a copy.", now=NOW)
        assert safety.leave(tx, now=NOW, note="it is the original")
        assert not safety.leave(tx, now=NOW)
        assert safety.current(tx) is None

    assert column(store, "SELECT kind FROM events ORDER BY id") == ["safe mode on", "safe mode off"]


def test_a_text_is_kept_under_its_name_in_place_of_the_one_before(store: Store) -> None:
    with store.write() as tx:
        assert safety.remembered(tx, "zones") is None
        safety.remember(tx, "zones", "1")
        safety.remember(tx, "zones", "2")
        assert safety.remembered(tx, "zones") == "2"

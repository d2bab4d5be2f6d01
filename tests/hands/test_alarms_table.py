"""The table of alarms: one open alarm for each cause, told once an hour at most, its end told once."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from outreach.store import Store, alarms
from outreach.store.alarms import Owed
from outreach.trouble import Alarm, AlarmKind
from tests.builders import NOW, column

BACKUP = Alarm(AlarmKind.BACKUP, "", "The backup did not work.", "Make one.")
DISK = Alarm(AlarmKind.DISK, "", "The disk is nearly full.", "Free some space.")
MINUTE = timedelta(minutes=1)


def settle(store: Store, *current: Alarm, minute: int = 0) -> list[str]:
    with store.write() as tx:
        return [row.cause for row in alarms.settle(tx, current, now=NOW + minute * MINUTE)]


def tell(store: Store, minute: int) -> list[str]:
    """Tell what is to be told at a minute, and give its causes."""
    with store.write() as tx:
        new = alarms.untold(tx, NOW + minute * MINUTE)
        alarms.mark_told(tx, new, NOW + minute * MINUTE)
    return [row.cause for row in new]


def tell_ends(store: Store, minute: int) -> list[str]:
    with store.write() as tx:
        over = alarms.over_and_untold(tx)
        alarms.mark_end_told(tx, over, NOW + minute * MINUTE)
    return [row.cause for row in over]


def test_what_is_wrong_is_raised_once_and_ends_when_it_is_no_longer_true(store: Store) -> None:
    assert settle(store, BACKUP, DISK) == []
    assert settle(store, BACKUP, DISK, minute=1) == []
    assert settle(store, DISK, minute=2) == [BACKUP.cause]
    assert column(store, "SELECT count(*) FROM alarms") == [2]
    assert column(store, "SELECT cause FROM alarms WHERE ended_at IS NULL") == [DISK.cause]


def test_whether_there_is_news_is_found_out_without_writing(store: Store) -> None:
    settle(store, BACKUP)
    with store.read() as tx:
        assert not alarms.is_news(tx, [BACKUP])
        assert alarms.is_news(tx, [])
        assert alarms.is_news(tx, [Alarm(AlarmKind.BACKUP, "", "Another reason.", "Make one.")])


def test_an_open_alarm_says_what_is_true_now(store: Store) -> None:
    settle(store, BACKUP)
    settle(store, Alarm(AlarmKind.BACKUP, "", "Another reason.", "Another step."), minute=1)
    with store.read() as tx:
        [row] = alarms.open_ones(tx)
    assert (row.message, row.next_step, row.raised_at) == ("Another reason.", "Another step.", NOW)


def test_the_database_refuses_a_second_open_alarm_of_a_cause(store: Store) -> None:
    settle(store, BACKUP)
    again = "INSERT INTO alarms (cause, kind, message, next_step, raised_at) SELECT cause, kind, '', '', raised_at FROM alarms"
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.exec_driver_sql(again)


def test_a_flapping_cause_is_told_again_only_after_an_hour_and_only_if_it_is_still_true(store: Store) -> None:
    settle(store, BACKUP)
    assert tell(store, 0) == [BACKUP.cause]
    for minute in (5, 15, 25):
        settle(store, minute=minute)
        settle(store, BACKUP, minute=minute + 5)
        assert tell(store, minute + 5) == []
    assert tell(store, 60) == [BACKUP.cause]
    settle(store, minute=70)
    settle(store, BACKUP, minute=80)
    settle(store, minute=90)
    assert tell(store, 130) == []


def test_what_a_wrong_clock_told_in_the_future_keeps_nothing_from_being_told_now(store: Store) -> None:
    settle(store, BACKUP, minute=9000)
    assert tell(store, 9000) == [BACKUP.cause]
    settle(store, minute=1)
    settle(store, BACKUP, minute=5)
    assert tell(store, 5) == [BACKUP.cause]


def test_an_end_is_told_once_and_not_while_the_cause_is_true_again(store: Store) -> None:
    settle(store, BACKUP)
    tell(store, 0)
    settle(store, minute=1)
    settle(store, BACKUP, minute=2)
    assert tell_ends(store, 2) == []
    settle(store, minute=3)
    assert tell_ends(store, 3) == [BACKUP.cause]
    assert tell_ends(store, 4) == []


def test_an_end_whose_beginning_was_not_told_is_not_told(store: Store) -> None:
    settle(store, BACKUP)
    settle(store, minute=1)
    assert tell_ends(store, 1) == []


def test_what_a_route_owes_is_kept_by_its_name(store: Store) -> None:
    with store.write() as tx:
        assert alarms.owed(tx, "mail", to_change=True) is None
        alarms.owe(tx, "mail", Owed((1, 2), (3,)))
        alarms.owe(tx, "pigeon", Owed())
    with store.read() as tx:
        assert alarms.owed(tx, "mail") == Owed((1, 2), (3,))
        assert alarms.owed(tx, "pigeon") == Owed()


def test_a_turn_is_had_by_one_at_a_time_and_no_clock_takes_it_for_ever(store: Store) -> None:
    def take(minute: float) -> bool:
        with store.write() as tx:
            return alarms.take_turn(tx, "mail", now=NOW + minute * MINUTE, pause=MINUTE)

    assert [take(0), take(0.5), take(1)] == [True, False, True]
    assert [take(60 * 24 * 365), take(2), take(2.5)] == [True, True, False]


def test_of_two_who_found_the_same_to_tell_one_tells_it(store: Store) -> None:
    settle(store, BACKUP)
    with store.read() as tx:
        found = alarms.untold(tx, NOW)
    with store.write() as tx:
        assert [alarms.mark_told(tx, found, NOW), alarms.mark_told(tx, found, NOW)] == [found, []]
    settle(store, minute=1)
    with store.write() as tx:
        over = alarms.over_and_untold(tx)
        assert [alarms.mark_end_told(tx, over, NOW), alarms.mark_end_told(tx, over, NOW)] == [over, []]


def test_an_older_look_settles_nothing_and_no_clock_keeps_all_others_from_it_for_ever(store: Store) -> None:
    def look(began: float, settled: float) -> bool:
        with store.write() as tx:
            return alarms.is_newest_look(tx, NOW + began * MINUTE, now=NOW + settled * MINUTE)

    assert [look(1, 2), look(1.5, 2.5), look(3, 3)] == [True, False, True]
    assert [look(60 * 24 * 365, 60 * 24 * 365), look(4, 5), look(6, 6)] == [True, True, True]

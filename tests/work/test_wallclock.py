"""The wall clock: a jump stops everything and is told, a clock that is right again lets it go on, a person may decide."""

from datetime import datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import text

from outreach.channels import Channel
from outreach.model import State
from outreach.publisher import Pace
from outreach.store import Store, safety, workers
from outreach.watch import Watch
from outreach.watch.wallclock import WallClock
from tests.builders import NOW, SettableClock, a_channel, a_stored_post, claimed, column, pause, seen
from tests.hands.stand_ins import Scripted, a_publisher

HOUR = timedelta(hours=1)


class Elsewhere(Scripted):
    """A channel whose server has a clock."""

    def __init__(self, *times: datetime | None) -> None:
        super().__init__()
        self.times = list(times)

    def server_time(self) -> datetime | None:
        return self.times.pop(0) if self.times else None


def a_wall_clock(store: Store, clock: SettableClock, *times: datetime | None) -> WallClock:
    return WallClock(
        store=store,
        channels={1: cast(Channel, Elsewhere(*times))},
        now=clock.now,
        elapsed_s=clock.elapsed_s,
    )


def safe_mode(store: Store) -> str | None:
    with store.read() as tx:
        found = safety.current(tx)
    return str(found.cause) if found else None


def jump(clock: SettableClock, by: timedelta) -> None:
    clock.set_to(clock.now() + by)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


# While it runs


@pytest.mark.parametrize("by", [HOUR, -HOUR, timedelta(days=365), timedelta(days=-20000)])
def test_a_clock_that_jumps_while_the_worker_runs_stops_everything_and_says_so(
    store: Store, clock: SettableClock, by: timedelta
) -> None:
    wall = a_wall_clock(store, clock)
    wall.check()
    jump(clock, by)
    assert wall.is_in_doubt()

    wall.check()

    assert safe_mode(store) == "clock"
    assert wall.is_in_doubt()
    assert column(store, "SELECT kind FROM events") == ["safe mode on"]


def test_a_clock_that_comes_back_lets_everything_go_on(store: Store, clock: SettableClock) -> None:
    wall = a_wall_clock(store, clock)
    wall.check()
    jump(clock, HOUR)
    wall.check()
    clock.tick(30)
    jump(clock, -HOUR)
    wall.check()
    wall.check()

    assert safe_mode(store) is None
    assert not wall.is_in_doubt()


def test_a_clock_that_was_put_right_is_confirmed_by_the_clock_of_a_channel(store: Store, clock: SettableClock) -> None:
    wall = a_wall_clock(store, clock, NOW + HOUR + timedelta(seconds=90))
    wall.check()
    jump(clock, HOUR)
    wall.check()
    assert safe_mode(store) == "clock"

    wall.check()

    assert safe_mode(store) is None


def test_a_channel_is_asked_for_its_time_once_a_minute_at_most(store: Store, clock: SettableClock) -> None:
    wall = a_wall_clock(store, clock, None, NOW + HOUR + timedelta(seconds=61))
    wall.check()
    jump(clock, HOUR)
    for _ in range(3):
        wall.check()
    assert safe_mode(store) == "clock"
    clock.tick(61)
    wall.check()

    assert safe_mode(store) is None


def test_a_person_who_says_that_the_clock_is_right_is_believed(store: Store, clock: SettableClock) -> None:
    wall = a_wall_clock(store, clock)
    wall.check()
    jump(clock, HOUR)
    wall.check()
    with store.write() as tx:
        safety.leave(tx, now=clock.now(), person="ann@example.org")
    clock.tick(15)
    wall.check()
    a_wall_clock(store, clock).settle()

    assert safe_mode(store) is None


def test_safe_mode_for_another_reason_is_not_ended_by_a_good_clock(store: Store, clock: SettableClock) -> None:
    with store.write() as tx:
        safety.enter(tx, safety.Cause.RESTORE, "A backup was restored.", now=NOW)
    wall = a_wall_clock(store, clock, NOW, NOW)
    wall.check()

    assert safe_mode(store) == "restore"
    assert not wall.is_in_doubt()


# At a start


def test_a_clock_that_was_moved_while_nobody_worked_is_noticed_at_the_start(store: Store, clock: SettableClock) -> None:
    a_wall_clock(store, clock).check()
    clock.tick(3600)
    jump(clock, timedelta(days=365))

    a_wall_clock(store, clock).settle()

    assert safe_mode(store) == "clock"


def test_a_night_without_a_worker_is_no_jump(store: Store, clock: SettableClock) -> None:
    a_wall_clock(store, clock).check()
    clock.tick(9 * 3600)

    a_wall_clock(store, clock).settle()

    assert safe_mode(store) is None


def forget_the_mark(store: Store) -> None:
    """As after another boot."""
    with store.write() as tx:
        tx.execute(text("DELETE FROM meta"))


@pytest.mark.parametrize(
    ("by", "elsewhere", "expected"),
    [
        (timedelta(days=-20000), None, "clock"),
        (-HOUR, None, "clock"),
        (-HOUR, -HOUR, None),
        (timedelta(minutes=-9), None, None),
        (timedelta(days=7), None, None),
        (timedelta(days=7), timedelta(days=7), None),
        (timedelta(days=7), timedelta(0), "clock"),
        (timedelta(days=365), None, "clock"),
        (timedelta(days=365), timedelta(days=365), None),
    ],
)
def test_after_a_boot_the_clock_is_judged_by_the_history_and_by_a_channel(
    store: Store, clock: SettableClock, by: timedelta, elsewhere: timedelta | None, expected: str | None
) -> None:
    a_stored_post(store, State.PUBLISHED)
    forget_the_mark(store)
    clock.set_to(NOW + by)
    times = [] if elsewhere is None else [NOW + elsewhere]

    a_wall_clock(store, clock, *times).settle()

    assert safe_mode(store) == expected


def test_a_mark_of_another_boot_says_nothing(store: Store, clock: SettableClock) -> None:
    a_wall_clock(store, clock).check()
    with store.write() as tx:
        tx.execute(text("UPDATE meta SET value = replace(value, :boot, 'another boot')"), {"boot": workers.boot()})
    jump(clock, HOUR)

    a_wall_clock(store, clock).settle()

    assert safe_mode(store) is None


# What it is good for


def test_a_publisher_sends_nothing_after_a_jump(store: Store, clock: SettableClock) -> None:
    row = a_channel(store)
    a_stored_post(store, due_at=NOW + timedelta(days=300))
    publisher = a_publisher(store, {row.id: Scripted()}, clock=clock)
    jump(clock, timedelta(days=300, hours=1))

    assert publisher.drain() == 0

    assert (column(store, "SELECT count(*) FROM attempts"), safe_mode(store)) == ([0], "clock")
    publisher.close()


def a_watch(store: Store, clock: SettableClock) -> Watch:
    return Watch(
        store=store, channels={}, now=clock.now, elapsed_s=clock.elapsed_s, worker=workers.this_worker(9), pace=Pace()
    )


def test_nothing_is_missed_rescued_or_looked_for_by_a_clock_that_jumped(store: Store, clock: SettableClock) -> None:
    queued = a_stored_post(store)
    doubtful = a_stored_post(store, State.UNCONFIRMED, channel="listserv")
    watch = a_watch(store, clock)
    claimed(store, queued.channel_id)
    waiting = a_stored_post(store)
    jump(clock, timedelta(days=365))

    watch.round()

    states = [seen(store, post).state for post in (queued, waiting, doubtful)]
    assert states == [State.PUBLISHING, State.QUEUED, State.UNCONFIRMED]
    assert seen(store, doubtful).looks == 0


def test_no_channel_is_opened_by_a_clock_that_jumped(store: Store, clock: SettableClock) -> None:
    channel = a_channel(store)
    watch = a_watch(store, clock)
    pause(store, channel.id, NOW + HOUR)
    jump(clock, timedelta(days=2))
    watch.round()
    assert column(store, "SELECT state FROM channels") == ["paused"]


def test_a_person_who_stops_everything_is_not_overruled_by_a_clock_that_is_right_again(
    store: Store, clock: SettableClock
) -> None:
    wall = a_wall_clock(store, clock)
    wall.check()
    jump(clock, HOUR)
    wall.check()
    with store.write() as tx:
        safety.enter(tx, safety.Cause.PERSON, "A wrong link.", now=clock.now(), person="ann@example.org")
    jump(clock, -HOUR)
    wall.check()

    assert safe_mode(store) == "person"
    assert not wall.is_in_doubt()


def test_a_jump_counts_although_nothing_goes_out_for_another_reason(store: Store, clock: SettableClock) -> None:
    wall = a_wall_clock(store, clock)
    wall.check()
    with store.write() as tx:
        safety.enter(tx, safety.Cause.RESTORE, "A backup was restored.", now=NOW)
    jump(clock, timedelta(days=2))
    wall.check()

    assert safe_mode(store) == "restore"
    assert wall.is_in_doubt()


def test_the_clock_of_another_machine_says_nothing_of_this_one(store: Store, clock: SettableClock) -> None:
    with store.write() as tx:
        safety.enter(tx, safety.Cause.CLOCK, "The clock jumped.", now=NOW, host="another machine")
    wall = a_wall_clock(store, clock, NOW, NOW)
    wall.check()
    wall.check()

    assert safe_mode(store) == "clock"
    assert not wall.is_in_doubt()


def test_a_publisher_believes_a_person_who_said_that_the_clock_is_right(store: Store, clock: SettableClock) -> None:
    row = a_channel(store)
    a_stored_post(store, miss_at=NOW + timedelta(hours=9))
    wall = a_wall_clock(store, clock)
    wall.check()
    publisher = a_publisher(store, {row.id: Scripted()}, clock=clock)
    jump(clock, HOUR)
    wall.check()
    with store.write() as tx:
        safety.leave(tx, now=clock.now(), person="ann@example.org")

    assert publisher.drain() == 1
    assert safe_mode(store) is None
    publisher.close()

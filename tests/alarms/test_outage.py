"""Trouble of the database itself: told without it after half a minute, once an hour, and its end once."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.alarms import Note
from outreach.alarms.outage import Outage
from outreach.bootstrap import House, SystemClock
from outreach.doors.worker import CHORES_STOP_S, Worker, safely
from outreach.model import BadInput
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.watch.errands import Errand
from tests.alarms.world import World, mails
from tests.builders import SettableClock
from tests.doors.place import Place, until

FULL = BadInput("The database cannot be used: full.", next_step="Free some disk space and try again.")


class Pigeon:
    """A route that keeps what it was given, unless it is to fail."""

    def __init__(self, name: str = "pigeon") -> None:
        self.name = name
        self.took: list[str] = []
        self.fails = False

    def tell(self, note: Note) -> str | None:
        if self.fails:
            return "It flew away."
        self.took.append(note.subject.removeprefix("[outreach] TMM SIG: "))
        return None


@pytest.fixture
def pigeon() -> Pigeon:
    return Pigeon()


@pytest.fixture
def hear(clock: SettableClock, tmp_path: Path, pigeon: Pigeon) -> Callable[..., Outage]:
    """A process that hears of the database; each call is another process of the same install."""

    def make(*more: Pigeon) -> Outage:
        return Outage(
            folder=tmp_path,
            routes=lambda: (pigeon, *more),
            community="TMM SIG",
            now=clock.now,
            elapsed_s=clock.elapsed_s,
        )

    return make


def test_it_is_told_after_half_a_minute_once_and_its_end_once(
    hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon
) -> None:
    outage = hear()
    outage.trouble("beat", FULL)
    clock.tick(30)
    outage.check()
    assert pigeon.took == []
    for _ in range(3):
        clock.tick(1)
        outage.check()
    assert pigeon.took == ["database"]
    outage.well("beat")
    for _ in range(3):
        outage.check()
    assert pigeon.took == ["database", "over: database"]


def test_a_chore_that_works_does_not_take_back_what_another_meets(
    hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon
) -> None:
    outage = hear()
    outage.trouble("beat", FULL)
    for _ in range(4):
        clock.tick(10)
        outage.well("round")  # it only reads
        outage.trouble("beat", FULL)
        outage.check()
    assert pigeon.took == ["database"]


def test_trouble_that_comes_and_goes_is_told_once_an_hour_whatever_process_meets_it(
    hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon
) -> None:
    for _ in range(4):
        hear().tell_now(FULL)
        clock.tick(1000)
    assert pigeon.took == ["database"]
    hear().tell_now(FULL)
    assert pigeon.took == ["database", "database"]


def test_the_process_that_can_work_again_tells_the_end(hear: Callable[..., Outage], pigeon: Pigeon) -> None:
    hear().tell_now(FULL)
    later = hear()
    later.check()
    assert pigeon.took == ["database"]  # nothing has worked yet
    later.well("beat")
    later.check()
    assert pigeon.took == ["database", "over: database"]


def test_a_route_that_fails_is_tried_again_and_the_others_hear_it_once(
    hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon
) -> None:
    other = Pigeon("other")
    outage = hear(other)
    outage.trouble("beat", FULL)
    clock.tick(31)
    other.fails = True
    outage.check()
    outage.check()
    other.fails = False
    outage.check()
    assert (pigeon.took, other.took) == (["database"], ["database"])


def test_who_did_not_hear_of_it_does_not_hear_of_its_end(
    hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon
) -> None:
    other = Pigeon("other")
    other.fails = True
    outage = hear(other)
    outage.trouble("beat", FULL)
    clock.tick(31)
    outage.check()
    other.fails = False
    outage.well("beat")
    outage.check()
    assert (pigeon.took, other.took) == (["database", "over: database"], [])


def test_the_publishers_own_trouble_counts(hear: Callable[..., Outage], clock: SettableClock, pigeon: Pigeon) -> None:
    outage = hear()
    began_s = clock.elapsed_s()
    outage.publisher_since_s = lambda: began_s
    clock.tick(31)
    outage.check()
    assert (pigeon.took, outage.is_on) == (["database"], True)


def test_a_folder_that_cannot_be_written_does_not_make_it_told_again_and_again(
    clock: SettableClock, tmp_path: Path, pigeon: Pigeon
) -> None:
    for _ in range(2):
        nowhere = Outage(
            folder=tmp_path / "is" / "not" / "there",
            routes=lambda: (pigeon,),
            community="TMM SIG",
            now=clock.now,
            elapsed_s=clock.elapsed_s,
        )
        nowhere.tell_now(FULL)
    assert pigeon.took == ["database"]


def test_a_chore_that_cannot_use_the_database_is_heard_and_so_is_one_that_can(world: World) -> None:
    outage = world.house.outage
    holder = sqlite3.connect(world.place.queue / "outreach.db")
    holder.execute("ALTER TABLE heartbeats RENAME TO elsewhere")
    publisher, watch = world.house.new_worker()
    publisher.close()
    beat = safely("beat", watch.beat, outage)
    beat()
    assert outage.is_on
    world.clock.tick(31)
    world.run("database")
    assert [mail["Subject"] for mail in world.mails] == ["[outreach] TMM SIG: database"]
    holder.execute("ALTER TABLE elsewhere RENAME TO heartbeats")
    holder.close()
    beat()
    world.run("database")
    assert [mail["Subject"] for mail in world.mails][1:] == ["[outreach] TMM SIG: over: database"]


@pytest.mark.parametrize("command", [("worker", "--once"), ("worker",)], ids=" ".join)
def test_a_database_that_cannot_be_written_is_told_at_the_start(
    place: Place, box: Sandbox, command: tuple[str, ...]
) -> None:
    with sqlite3.connect(place.queue / "outreach.db") as connection:
        connection.execute("DROP TABLE heartbeats")
    connection.close()
    assert place.run(*command).code == 1
    assert [mail["Subject"] for mail in mails(box)] == ["[outreach] TMM SIG: database"]


# Errands in the worker


def test_once_does_every_errand_at_its_end(place: Place, box: Sandbox) -> None:
    box.graph.fail("feed", "error", code=100, subcode=1, message="Invalid parameter")
    place.json("add", place.letter(), "--to", "facebook")
    place.run("worker", "--once")
    assert "[outreach] TMM SIG: failed" in [mail["Subject"] for mail in mails(box)]


class WithErrands(House):
    """A house whose worker does the errands of a test."""

    wanted: tuple[Errand, ...] = ()

    def errands(self, worker: str) -> tuple[Errand, ...]:
        return self.wanted


def test_an_errand_that_hangs_holds_up_neither_posts_nor_letters_nor_another_errand_nor_the_end(
    place: Place, box: Sandbox
) -> None:
    house = WithErrands(read_settings(place.settings), SystemClock())
    release, began, done = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        release.wait(30)

    WithErrands.wanted = (Errand("hangs", 1, hang), Errand("works", 1, done.set))
    worker = Worker(house)
    worker.start()
    until(lambda: began.is_set() and done.is_set())
    place.drop(title="In the meantime")
    until(lambda: bool(box.graph.public_posts()) and bool(box.mail.distributed()))
    began_s = house.clock.elapsed_s()
    worker.stop()
    assert house.clock.elapsed_s() - began_s < CHORES_STOP_S
    release.set()
    house.close()

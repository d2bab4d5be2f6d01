"""Leases and workers: who holds what, who is certainly gone, and who is never thought gone."""

import multiprocessing
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from outreach.model import State
from outreach.store import Store, claims, workers
from outreach.store.claims import InFlight
from tests.builders import NOW, a_stored_post, an_announcement, claimed, column, seen

MINUTE = timedelta(minutes=1)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """Another process that says its worker's name and then waits for its input to end."""
    code = "import sys; from outreach.store import workers; print(workers.this_worker(), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as process:
        yield process
        process.kill()


def name_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# Leases


def test_a_lease_is_extended_only_for_what_one_still_holds(store: Store) -> None:
    held = a_stored_post(store, State.PUBLISHING)
    lost = a_stored_post(store, State.UNCONFIRMED, channel="listserv")

    with store.write() as tx:
        claims.extend_leases(tx, [(held.id, 1), (lost.id, 1)], NOW + 5 * MINUTE)

    assert column(store, "SELECT lease_until FROM posts ORDER BY id") == [1796133900000000, None]
    assert seen(store, lost).state == "unconfirmed"


def test_a_lease_of_a_later_attempt_is_not_extended_in_the_name_of_an_earlier_one(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)

    with store.write() as tx:
        claims.extend_leases(tx, [(post.id, 0), (post.id, 2)], NOW + 5 * MINUTE)

    assert column(store, "SELECT lease_until FROM posts") == [1796133720000000]


def test_extending_nothing_is_no_trouble(store: Store) -> None:
    with store.write() as tx:
        claims.extend_leases(tx, [], NOW)


def test_everything_in_flight_by_anyone_is_known_with_its_worker_and_the_end_of_its_lease(store: Store) -> None:
    mine, theirs = an_announcement(store, on=["facebook", "listserv"])
    an_announcement(store)
    claimed(store, mine.channel_id, worker="w1", lease=MINUTE)
    claimed(store, theirs.channel_id, worker="w2", lease=2 * MINUTE)

    with store.read() as tx:
        found = {post.worker: post for post in claims.in_flight(tx)}

    assert found == {
        "w1": InFlight(mine.id, 1, "w1", NOW + MINUTE, since=NOW),
        "w2": InFlight(theirs.id, 1, "w2", NOW + 2 * MINUTE, since=NOW),
    }


# Who is gone


def test_a_worker_that_runs_is_not_gone(child: "subprocess.Popen[str]") -> None:
    assert workers.is_gone(name_of(child)) is False
    assert workers.is_gone(workers.this_worker()) is False


def test_a_killed_worker_is_gone_before_its_parent_takes_notice(child: "subprocess.Popen[str]") -> None:
    name = name_of(child)

    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it ended, and is a zombie: nobody has reaped it

    assert workers.is_gone(name) is True


def test_a_worker_that_ended_and_was_reaped_is_gone(child: "subprocess.Popen[str]") -> None:
    name = name_of(child)

    child.kill()
    child.wait()

    assert workers.is_gone(name) is True


def test_a_process_that_has_the_number_of_a_dead_worker_is_not_taken_for_it() -> None:
    host, boot, pid, _, serial = workers.this_worker().split("|")

    assert workers.is_gone(f"{host}|{boot}|{pid}|1|{serial}") is True


def test_a_worker_of_an_earlier_boot_of_this_machine_is_gone() -> None:
    host, _, pid, started, serial = workers.this_worker().split("|")

    assert workers.is_gone(f"{host}|an-earlier-boot|{pid}|{started}|{serial}") is True


def test_a_worker_on_another_machine_is_never_certainly_gone() -> None:
    _, _, _, started, serial = workers.this_worker().split("|")

    assert workers.is_gone(f"{platform.node()}-2|an-earlier-boot|999999999|{started}|{serial}") is False


@pytest.mark.parametrize("name", ["", "a worker", f"{platform.node()}", f"{platform.node()}|boot|not a number|1|0"])
def test_a_name_that_says_nothing_is_never_certainly_gone(name: str) -> None:
    assert workers.is_gone(name) is False


def test_two_workers_of_one_process_have_different_names() -> None:
    assert workers.this_worker(0) != workers.this_worker(1)


def test_a_forked_worker_has_a_name_of_its_own() -> None:
    parent, child = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_tell_name, args=(child,))
    process.start()
    assert parent.poll(20)
    name = parent.recv()
    process.join(20)

    assert name != workers.this_worker()
    assert workers.is_gone(name) is True


def _tell_name(to: "multiprocessing.connection.Connection[str, str]") -> None:
    to.send(workers.this_worker())


# Heartbeats


def test_the_latest_heartbeat_is_first_and_a_worker_has_only_one(store: Store) -> None:
    with store.write() as tx:
        workers.beat(tx, "w1", NOW)
        workers.beat(tx, "w2", NOW + MINUTE)
        workers.beat(tx, "w1", NOW + 2 * MINUTE)

    with store.read() as tx:
        assert workers.last_beats(tx) == [("w1", NOW + 2 * MINUTE), ("w2", NOW + MINUTE)]
    assert column(store, "SELECT started_at FROM heartbeats WHERE worker = 'w1'") == [1796133600000000]


def test_a_worker_that_leaves_in_order_has_no_heartbeat_any_more(store: Store) -> None:
    with store.write() as tx:
        workers.beat(tx, "w1", NOW)
        workers.beat(tx, "w2", NOW)
        workers.leave(tx, "w1")

    with store.read() as tx:
        assert workers.last_beats(tx) == [("w2", NOW)]


def test_heartbeats_are_forgotten_only_when_they_are_older(store: Store) -> None:
    with store.write() as tx:
        workers.beat(tx, "w1", NOW - MINUTE)
        workers.beat(tx, "w2", NOW)
        workers.forget_the_gone(tx, older_than=NOW)

    with store.read() as tx:
        assert workers.last_beats(tx) == [("w2", NOW)]

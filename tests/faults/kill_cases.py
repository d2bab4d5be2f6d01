"""Workers that die, freeze, crowd or are told to stop, at every step of the protocol."""

import os
import signal
import threading
from dataclasses import replace
from functools import partial
from typing import Any

from outreach.model import State
from tests.doors.place import until
from tests.faults.cases import Case, On, Scenario
from tests.faults.ground import Ground

KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("text", {}),
    ("photos", {"pictures": 3}),
    ("mail", {"to": "listserv"}),
)


def _killed_at(point: str, parts: dict[str, Any], ground: Ground) -> None:
    ground.write("Alpha", **parts)
    ground.killed_at(point)


def _each_kind(*points: str, both: bool = False) -> tuple[Scenario, ...]:
    """Kill at each point with a text, with photos and with a mail; `both`: on PostgreSQL, too."""
    stores: tuple[On, ...] = ("sqlite", "postgres") if both else ("sqlite",)
    return tuple(
        Scenario(f"{kind} {point} {on}", partial(_killed_at, point, parts), on=on)
        for point in points
        for kind, parts in KINDS
        for on in stores
    )


# 4: the server took it, the answer was not read


def _killed_after_accept(ground: Ground, **parts: Any) -> None:
    wanted = ground.write("Alpha", **parts)
    if wanted.channels == ("facebook",):
        ground.box.graph.fail("feed", "hang")
    else:
        ground.box.mail.fail("DOT", "hang", keep=True)
    worker = ground.begin("worker", settings={"OUTREACH_HTTP_TIMEOUT_S": "60"})
    ground.until_public("Alpha", wanted.channels[0])
    worker.kill()


AFTER_ACCEPT = tuple(
    Scenario(f"{kind} after-accept {on}", partial(_killed_after_accept, **parts), on=on)
    for kind, parts in KINDS
    for on in ("sqlite", "postgres")
)


# 7: killed during recovery, again and again


def _killed_in_recovery(arrived: bool, ground: Ground) -> None:
    ground.write("Alpha")
    ground.box.graph.fail("feed", "close", write=arrived)
    ground.killed_at("after-answer")
    ends = ("in-confirm", "after-confirm") if arrived else ("in-absolve", "after-absolve", "after-intent")
    for point in ("in-rescue", "in-rescue", "after-rescue", "before-look", "in-look", "in-look"):
        ground.killed_at(point)
    if not arrived:
        ground.once()
        ground.let_pass(1.1)
    for point in ends:
        ground.killed_at(point)
    attempts = ground.post("Alpha").attempt
    ground.expect(attempts <= 2, f"recovery itself made attempts: {attempts}")


def _restart_storm(ground: Ground) -> None:
    for number in range(10):
        ground.write(f"Number {number}", to="facebook" if number % 2 else "listserv")
    ground.box.graph.fail("feed", "delay", seconds=0.15, times=None)
    for _ in range(10):
        worker = ground.begin()
        threading.Event().wait(0.2)
        worker.kill()
    ground.box.graph._faults.clear()


# 20: many workers


def _many(workers: int, letters: int, ground: Ground) -> None:
    for number in range(letters):
        ground.write(f"Number {number}", to="")
    begun = [ground.begin() for _ in range(workers)]
    until(lambda: len(ground.box.graph.public_posts()) > letters and len(ground.box.mail.distributed()) >= letters)
    for worker in begun:
        worker.send(signal.SIGTERM)
    ends = [worker.wait() for worker in begun]
    ground.expect(ends == [0] * workers, f"the workers ended with {ends}")


def _many_killed_in_turn(ground: Ground) -> None:
    for number in range(12):
        ground.write(f"Number {number}", to="")
    ground.box.graph.fail("feed", "delay", seconds=0.1, times=None)
    begun = [ground.begin() for _ in range(4)]
    for worker in begun:
        threading.Event().wait(0.25)
        worker.kill()


# 21: frozen past the lease


def _frozen_before_sending(ground: Ground) -> None:
    ground.write("Alpha")
    zombie = ground.frozen_at("before-sending")
    threading.Event().wait(0.8)  # more than half of its lease, by the clock that counts on
    ground.let_pass(2)
    ground.once()
    ground.let_pass(1.1)
    ground.once()
    zombie.send(signal.SIGCONT)
    zombie.wait()


def _frozen_in_flight(ground: Ground) -> None:
    ground.write("Alpha")
    ground.box.graph.fail("feed", "delay", seconds=0.6)
    zombie = ground.begin("worker", "--once")
    ground.until_public("Alpha")
    zombie.send(signal.SIGSTOP)
    until(lambda: zombie.is_frozen)
    ground.let_pass(2)
    ground.once()
    before = ground.post("Alpha")
    ground.expect(before.state is State.PUBLISHED, f"it was not found, it is {before.state}")
    zombie.send(signal.SIGCONT)
    zombie.wait()
    ground.expect(ground.post("Alpha") == before, "the one that came back late changed the post")


def _frozen_with_an_answer(ground: Ground) -> None:
    """A refusal that comes back late meets the next attempt in flight: it must not speak for that one."""
    ground.write("Alpha")
    ground.box.graph.fail_with("100")
    zombie = ground.frozen_at("after-answer")
    ground.let_pass(2)
    ground.once()
    ground.let_pass(1.1)
    ground.box.graph.fail("feed", "delay", seconds=30)
    heir = ground.begin("worker", "--once")
    ground.until_public("Alpha")
    zombie.send(signal.SIGCONT)
    zombie.wait()
    post = ground.post("Alpha")
    ground.expect((post.state, post.attempt) == (State.PUBLISHING, 2), f"a late answer made it {post.state}")
    ground.box.release()
    heir.wait()


def _frozen_with_a_good_answer(ground: Ground) -> None:
    ground.write("Alpha")
    zombie = ground.frozen_at("after-answer")
    ground.let_pass(2)
    ground.once()
    before = ground.post("Alpha")
    zombie.send(signal.SIGCONT)
    zombie.wait()
    ground.expect(ground.post("Alpha") == before, "the one that came back late changed the post")


def _frozen(on: On) -> tuple[Scenario, ...]:
    plays = (_frozen_before_sending, _frozen_in_flight, _frozen_with_an_answer, _frozen_with_a_good_answer)
    settings = {"OUTREACH_LEASE_S": "1", "OUTREACH_HTTP_TIMEOUT_S": "20"}
    return tuple(Scenario(f"{play.__name__.strip('_')} {on}", play, settings, on) for play in plays)


# 29: a post that kills whoever sends it


def _poison(ground: Ground) -> None:
    ground.write("Poison")
    ground.write("Beside it")
    ground.write("On the list", to="listserv")
    for _ in range(12):
        ground.once(point="after-intent", about="Poison")
        ground.let_pass(1.1)
    attempts = ground.post("Poison").attempt
    ground.expect(attempts <= 3, f"it killed {attempts} workers, and nobody was asked")


# 33: told to stop


def _told_to_stop(times: int, ground: Ground) -> None:
    ground.write("Alpha")
    ground.write("Omega")
    ground.box.graph.fail("feed", "delay", seconds=0.8)
    worker = ground.begin()
    ground.until_public("Alpha")
    for _ in range(times):
        worker.send(signal.SIGTERM)
        threading.Event().wait(0.1)
    status = worker.wait(20)
    wanted = 0 if times == 1 else -signal.SIGTERM
    ground.expect(status == wanted, f"it ended with {status}")


def _nobody_reads_its_log(ground: Ground) -> None:
    pipe = ground.folder / "full pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(reader, b"x" * 4096)
    except BlockingIOError:
        pass
    order = ground.order("worker", "--once")
    ground.write("Alpha")
    worker = ground._zygote.begin(replace(order, log=str(pipe)))
    try:
        worker.wait(8)
    except TimeoutError:
        ground.unmet.append("a worker whose log nobody reads hangs")
    finally:
        os.close(reader)
        pipe.unlink()


CASES = (
    Case(1, "killed before the claim commits", _each_kind("before-claim", "claim-uncommitted", both=True)),
    Case(2, "killed after the intent, before connecting", _each_kind("before-sending", "after-intent", "before-connect")),
    Case(3, "killed with half the body written", _each_kind("half-body")),
    Case(4, "killed after the server accepted", AFTER_ACCEPT),
    Case(5, "killed after the answer", _each_kind("after-answer", "record-uncommitted", "after-record", both=True)),
    Case(
        7,
        "killed again and again during recovery",
        (
            Scenario("it had arrived", partial(_killed_in_recovery, True)),
            Scenario("it had not", partial(_killed_in_recovery, False)),
            Scenario("it had arrived, postgres", partial(_killed_in_recovery, True), on="postgres"),
            Scenario("killed every 0.2 s", _restart_storm),
        ),
    ),
    Case(
        20,
        "two and four workers on one database",
        (
            Scenario("two", partial(_many, 2, 20)),
            Scenario("four", partial(_many, 4, 20)),
            Scenario("four, postgres", partial(_many, 4, 20), on="postgres"),
            Scenario("four, killed in turn", _many_killed_in_turn),
            Scenario("four, killed in turn, postgres", _many_killed_in_turn, on="postgres"),
        ),
    ),
    Case(21, "frozen past the lease, then thawed", (*_frozen("sqlite"), *_frozen("postgres"))),
    Case(29, "a post that kills whoever sends it", (Scenario("killed after the intent", _poison, {"OUTREACH_MAX_FAILURES": "3"}),)),
    Case(
        33,
        "told to stop while sending; a log nobody reads",
        (
            Scenario("SIGTERM", partial(_told_to_stop, 1)),
            Scenario("SIGTERM twice", partial(_told_to_stop, 2)),
            Scenario("a full pipe", _nobody_reads_its_log),
        ),
    ),
)  # fmt: skip

"""The worker: the publisher in one thread, chores and errands on steady beats in others, until it is told to stop."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import schedule

from outreach.alarms.outage import Outage
from outreach.bootstrap import House
from outreach.desk import HOW_TO_SET_UP
from outreach.doors.inbox import Inbox
from outreach.model import BadInput
from outreach.store import StoreTrouble, explained
from outreach.watch.errands import Ear, Errand

log = logging.getLogger(__name__)

ROUND_S = 1
BEAT_S = 15
LEAST_WAIT_S = 0.05
CHORES_STOP_S = 5.0
ERRANDS_AFTER_S = 5.0  # what was waiting for a worker goes out first: it is no trouble then
ERRANDS_STOP_S = 1.0
AGAIN_S = 1.0


class Worker:
    """One worker of this process. `start` returns at once; `stop` waits for what is in flight."""

    def __init__(self, house: House) -> None:
        if not house.targets:
            raise BadInput("No channel is set up, so there is nothing to work on.", next_step=HOW_TO_SET_UP)
        self._inbox = Inbox(house.settings.OUTREACH_QUEUE, house.desk)
        self._publisher, self._watch = house.new_worker()
        self._desk = house.desk
        self._stop = threading.Event()
        watch, outage = self._watch, house.outage
        self._rounds = [safely(name, chore, outage) for name, chore in watch.chores()]
        self._errands = [(errand, safely(errand.name, errand.do, outage)) for errand in watch.errands]
        # Letters have a thread of their own: a channel that does not answer keeps none waiting.
        self._letters = Beats().every(ROUND_S, safely("inbox", self._inbox.sweep, outage))
        self._chores = Beats()
        for chore in (safely("round", self._round, outage), safely("links", watch.links.fetch, outage)):
            self._chores.every(ROUND_S, chore)
        self._chores.every(BEAT_S, safely("beat", watch.beat, outage))
        self._publishing = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._beating = [
            threading.Thread(target=beats.run, args=(self._stop,), name=name, daemon=True)
            for name, beats in (("inbox", self._letters), ("chores", self._chores))
        ]
        # Each errand has a thread of its own: one that waits for the network holds up neither chores nor another.
        self._running = [
            threading.Thread(target=self._run_errand, args=(errand, do), name=errand.name, daemon=True)
            for errand, do in self._errands
        ]
        ears = [(errand.name, ear) for errand in watch.errands for ear in errand.ears]
        self._running += [
            threading.Thread(target=self._keep_listening, args=(ear,), name=f"{name} ear", daemon=True)
            for name, ear in ears
        ]

    def once(self) -> int:
        """Do what is due now, then end; give how many attempts were made."""
        self._inbox.prepare()
        self._settle()
        safely("inbox", self._inbox.sweep)()
        for chore in self._rounds:
            chore()
        made = self._publisher.drain(self._stop)
        safely("links", lambda: self._watch.links.fetch(budget_s=60.0))()
        for _, errand in self._errands:
            errand()
        self._watch.leave()
        self._publisher.close()
        return made

    def _settle(self) -> None:
        """Before anything may go out: see whether the clock can be right and the zones are as they were."""
        self._watch.wall.settle()
        safely("zones", self._watch.zones.settle)()
        self._watch.beat()

    def _round(self) -> None:
        if self._watch.is_time():
            for chore in self._rounds:
                chore()

    def start(self) -> None:
        """Begin to work."""
        self._inbox.prepare()
        self._settle()
        safely("recall", self._watch.links.recall)()
        self._desk.on_queued = self._publisher.wake
        for thread in (self._publishing, *self._beating, *self._running):
            thread.start()

    def ask_to_stop(self) -> None:
        """Claim nothing more. May be called from a signal handler."""
        self._stop.set()
        self._publisher.wake()
        for errand, _ in self._errands:
            errand.called.set()

    def stop(self) -> None:
        """Claim nothing more and wait until what is in flight has ended, or its time has.

        A chore or an errand that hangs is not waited for: it only asks, and what it would write down it writes whole or not at all.
        """
        self.ask_to_stop()
        self._publishing.join()
        for thread in self._beating:
            thread.join(CHORES_STOP_S)
        until_s = time.monotonic() + ERRANDS_STOP_S
        for thread in self._running:
            thread.join(max(0.0, until_s - time.monotonic()))
        safely("leave", self._watch.leave)()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it was asked to stop."""
        return self._stop.wait(timeout_s)

    def _run_errand(self, errand: Errand, do: Callable[[], None]) -> None:
        if not self._stop.wait(ERRANDS_AFTER_S):
            Beats().every(errand.every_s, do).run(self._stop, errand.called)

    def _keep_listening(self, ear: Ear) -> None:
        listen = safely("listen", lambda: ear.listen(self._stop))
        while not self._stop.wait(ERRANDS_AFTER_S):
            listen()

    def _publish(self) -> None:
        """Publish until told to stop. A fault of ours is logged and the work goes on: nobody would see a dead thread."""
        work = safely("publish", lambda: self._publisher.run(self._stop))
        work()
        while not self._stop.wait(AGAIN_S):
            work()


class Beats:
    """Chores, each on its beat."""

    def __init__(self) -> None:
        self._scheduler = schedule.Scheduler()
        self._longest_s = 0

    def every(self, seconds: int, chore: Callable[[], None]) -> "Beats":
        """Add a chore."""
        self._scheduler.every(seconds).seconds.do(chore)
        self._longest_s = max(self._longest_s, seconds)
        return self

    def run(self, stop: threading.Event, called: threading.Event | None = None) -> None:
        """Do all of them at once, then each on its beat, and all whenever they are `called`, until `stop` is set."""
        call = called or stop  # who sets `stop` sets `called`, too
        self._scheduler.run_all()
        while not stop.is_set():
            is_called = call.wait(max(LEAST_WAIT_S, min(self._scheduler.idle_seconds or 0, ROUND_S)))
            if stop.is_set():
                return
            if is_called:
                call.clear()
                self._scheduler.run_all()
            else:
                self.turn()

    def turn(self) -> None:
        """Do what is due. `schedule` goes by the wall clock: when that was set back, as each autumn, do all at once."""
        if (self._scheduler.idle_seconds or 0) > self._longest_s:
            self._scheduler.run_all()
        self._scheduler.run_pending()


def safely(name: str, chore: Callable[[], object], outage: Outage | None = None) -> Callable[[], None]:
    """Make a chore that never raises: what fails today may work at the next beat. The outage hears of the database."""

    def beat() -> None:
        try:
            chore()
            if outage is not None:
                outage.well(name)
        except StoreTrouble as trouble:
            told = explained(trouble)
            log.error("the chore %r has to wait: %s", name, told.message)
            if outage is not None:
                outage.trouble(name, told)
        except Exception:  # the named place around one beat
            log.exception("the chore %r failed", name)

    return beat


class Stoppable(Protocol):
    """Something that a signal can end."""

    def ask_to_stop(self) -> None:
        """Begin to end. Called from a signal handler."""


@contextmanager
def stopping_on_signals(work: Stoppable) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the work in order; a second one ends it at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        work.ask_to_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def telling_outages(house: House) -> Iterator[None]:
    """Let what the database cannot do at the start, or at all, be told by the routes, which need none; then raise it."""
    try:
        yield
    except StoreTrouble as trouble:
        house.outage.tell_now(explained(trouble))
        raise


def begun(house: House) -> Worker:
    """Build the worker. A database that cannot even be opened is told before that is raised."""
    try:
        _ = house.store
    except BadInput as bad:
        house.outage.tell_now(bad)
        raise
    if safe := house.desk.safe_mode():
        log.warning("Safe mode is on, nothing goes out. %s", safe.reason)
    return Worker(house)


def run(house: House) -> None:
    """Work until told to stop."""
    with telling_outages(house):
        worker = begun(house)
        with stopping_on_signals(worker):
            worker.start()
            worker.wait()
            worker.stop()


def run_once(house: House) -> int:
    """Do what is due now, then end; told to stop, finish what is in flight. Give how many attempts were made."""
    with telling_outages(house):
        worker = begun(house)
        with stopping_on_signals(worker):
            return worker.once()

"""The worker: the publisher in one thread, the chores on a steady beat in another, until it is told to stop."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import schedule

from outreach.bootstrap import House
from outreach.doors.inbox import Inbox

log = logging.getLogger(__name__)

ROUND_S = 1
BEAT_S = 15


class Worker:
    """One worker of this process. `start` returns at once; `stop` waits for what is in flight."""

    def __init__(self, house: House) -> None:
        self._inbox = Inbox(house.settings.OUTREACH_QUEUE, house.desk)
        self._publisher, self._watch = house.new_worker()
        self._desk = house.desk
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._publish, name="publisher", daemon=True),
            threading.Thread(target=self._do_chores, name="chores", daemon=True),
        ]

    def once(self) -> int:
        """Do what is due now, then end; give how many attempts were made."""
        self._inbox.prepare()
        self._inbox.sweep()
        self._watch.beat()
        self._watch.round()
        made = self._publisher.drain()
        self._watch.fetch_links(budget_s=60.0)
        self._watch.leave()
        self._publisher.close()
        return made

    def start(self) -> None:
        """Begin to work."""
        self._inbox.prepare()
        self._watch.beat()
        self._desk.on_queued = self._publisher.wake
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Claim nothing more. May be called from a signal handler."""
        self._stop.set()
        self._publisher.wake()

    def stop(self) -> None:
        """Claim nothing more and wait until what is in flight has ended, or its time has."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join()
        _safely("leave", self._watch.leave)()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it was asked to stop."""
        return self._stop.wait(timeout_s)

    def _publish(self) -> None:
        self._publisher.run(self._stop)

    def _do_chores(self) -> None:
        beats = schedule.Scheduler()
        beats.every(ROUND_S).seconds.do(_safely("round", self._watch.round))
        beats.every(ROUND_S).seconds.do(_safely("inbox", self._inbox.sweep))
        beats.every(ROUND_S).seconds.do(_safely("links", self._watch.fetch_links))
        beats.every(BEAT_S).seconds.do(_safely("beat", self._watch.beat))
        _safely("recall", self._watch.recall_links)()
        beats.run_all()
        while not self._stop.wait(max(0.05, beats.idle_seconds or ROUND_S)):
            beats.run_pending()


def _safely(name: str, chore: Callable[[], object]) -> Callable[[], None]:
    def beat() -> None:
        try:
            chore()
        except Exception:  # the named place around one beat: a chore that fails today may work at the next beat
            log.exception("the chore %r failed", name)

    return beat


@contextmanager
def stopping_on_signals(worker: Worker) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the worker in order; a second one ends it at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        worker.ask_to_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(house: House) -> None:
    """Work until told to stop."""
    worker = Worker(house)
    with stopping_on_signals(worker):
        worker.start()
        worker.wait()
        worker.stop()

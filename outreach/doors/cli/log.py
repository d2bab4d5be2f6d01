"""The log of a command: lines that never hold up the work, whoever reads them or does not."""

import logging
import os
import select
import sys
import threading
import time
from contextlib import suppress
from queue import Full, Queue
from typing import TextIO

MOST_WAITING = 10_000
PATIENCE_S = 1.0


def set_up_logging(*, verbose: bool = False) -> None:
    """Send the log to standard error, one line an event, with the time in UTC."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        handlers=[NeverWaiting(sys.stderr)],
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)sZ %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.getLogger("schedule").setLevel(logging.WARNING)


class NeverWaiting(logging.Handler):
    """Writes in a thread of its own. A pipe that nobody empties costs lines of the log, and never a post.

    Written to the file itself, not through Python's buffer: a thread that waits there would keep the process from ending.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: Queue[str] = Queue(MOST_WAITING)
        number = _number_of(stream)
        self._number = None if number is None else os.dup(number)  # its own: the number may be another file's one day
        if self._number is not None:
            threading.Thread(target=self._write_all, args=(self._number,), name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; one that finds no place is lost."""
        try:
            line = f"{self.format(record)}\n"
        except (TypeError, ValueError):
            self.handleError(record)
            return
        if self._number is None:
            self._stream.write(line)
            return
        with suppress(Full):
            self._lines.put_nowait(line)

    def _write_all(self, number: int) -> None:
        while True:
            line = self._lines.get()
            with suppress(OSError):
                os.write(number, line.encode("utf-8", "backslashreplace"))
            self._lines.task_done()

    def flush(self) -> None:
        """Wait until everything is written, but not for long."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, PATIENCE_S)


def is_heard() -> bool:
    """Tell whether standard output takes a line now: a pipe that is full and that nobody empties does not."""
    number = _number_of(sys.stdout)
    if number is None:
        return True
    try:
        return bool(select.select([], [number], [], PATIENCE_S)[1])
    except (OSError, ValueError):
        return True


def _number_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None

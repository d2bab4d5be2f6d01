"""The harness' side of the zygote: begin a worker process, wait for it, send it signals."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from tests.faults.orders import Order

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


class Child:
    """One process of the service. `status` is its exit code, or minus the signal that ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self._over = threading.Event()

    def has_ended(self, status: int) -> None:
        """Take note of its end."""
        self.status = status
        self._over.set()

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its end. Raises `TimeoutError` after killing one that does not come to it."""
        if not self._over.wait(within_s):
            self.send(signal.SIGKILL)
            self._over.wait(10)
            raise TimeoutError(f"a process did not end within {within_s:g} s")
        assert self.status is not None
        return self.status

    @property
    def is_alive(self) -> bool:
        return not self._over.is_set()

    @property
    def is_frozen(self) -> bool:
        """Tell whether it stands still."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        if self.is_alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once and wait for that."""
        self.send(signal.SIGKILL)
        self.wait()


class Zygote:
    """The process that forks the workers. May be used by many threads."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self._asking = threading.Lock()
        self._begun: SimpleQueue[Child] = SimpleQueue()
        self._alive: dict[int, Child] = {}
        self._listener = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._listener.start()

    def begin(self, order: Order) -> Child:
        """Begin a process."""
        assert self._process.stdin is not None
        with self._asking:
            self._process.stdin.write(order.as_json().encode() + b"\n")
            self._process.stdin.flush()
            return self._begun.get(timeout=PATIENCE_S)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "pid" in said:
                child = self._alive[said["pid"]] = Child(said["pid"])
                self._begun.put(child)
            else:
                self._alive.pop(said["ended"]).has_ended(said["status"])

    def close(self) -> None:
        """End it and all its children."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._listener.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

"""Pauses that end early: a hanging answer must not outlive the sandbox that hangs it."""

import threading


class Patience:
    """Lets connection threads wait until a test releases them or the sandbox stops."""

    def __init__(self) -> None:
        self._gate = threading.Event()
        self._is_over = False

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, at `release`, or at once when the sandbox is stopping."""
        if not self._is_over:
            self._gate.wait(seconds)

    def release(self) -> None:
        """Let everybody who waits now go on; who comes later waits again."""
        gate, self._gate = self._gate, threading.Event()
        gate.set()

    def end(self) -> None:
        """Release everybody, now and from now on."""
        self._is_over = True
        self.release()

    def begin(self) -> None:
        """Make waiting possible again after `end`."""
        self._is_over = False

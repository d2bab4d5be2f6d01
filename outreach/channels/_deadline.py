"""Reading from a socket under one deadline: a server that says a byte now and then cannot hold us for ever."""

import io
import socket
import time
from typing import Any

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def steady_s() -> float:
    """Give the seconds of a clock that never jumps and, where the system has such a one, goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


def left_s(until_s: float) -> float:
    """Say how many seconds are left until a moment of the steady clock. Raises `TimeoutError` when none are."""
    left = until_s - steady_s()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


class Reader(io.RawIOBase):
    """Reads a socket until `until_s`, which may be moved, and raises `TimeoutError` after it; it may then go on."""

    def __init__(self, sock: socket.socket, until_s: float) -> None:
        super().__init__()
        self._sock = sock
        # Counts as a user of the socket, which is closed only when its last user is.
        self._hold = sock.makefile("rb", buffering=0)
        self.until_s = until_s

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, waiting for it if need be."""
        self._sock.settimeout(left_s(self.until_s))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Give the socket back."""
        self._hold.close()
        super().close()

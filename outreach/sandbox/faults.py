"""Armed faults: which call they wait for, how often they strike, after how many calls."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

F = TypeVar("F")


@dataclass
class _Armed(Generic[F]):
    fault: F
    skips_left: int
    strikes_left: int | None


class Faults(Generic[F]):
    """A list of armed faults; the oldest that fits and is ready strikes."""

    def __init__(self) -> None:
        self._armed: list[_Armed[F]] = []
        self._lock = threading.Lock()

    def arm(self, fault: F, *, times: int | None, after: int) -> None:
        """Let `fault` strike `times` fitting calls (`None`: all of them) once `after` of them passed untouched."""
        with self._lock:
            self._armed.append(_Armed(fault, skips_left=after, strikes_left=times))

    def take(self, fits: Callable[[F], bool]) -> F | None:
        """Return the fault that strikes this call, and use it up by one."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if fits(armed.fault) and self._is_ready(armed):
                    return self._strike(armed)
        return None

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()

    @staticmethod
    def _is_ready(armed: _Armed[F]) -> bool:
        if armed.skips_left > 0:
            armed.skips_left -= 1
            return False
        return True

    def _strike(self, armed: _Armed[F]) -> F:
        if armed.strikes_left is not None:
            armed.strikes_left -= 1
            if armed.strikes_left <= 0:
                self._armed.remove(armed)
        return armed.fault

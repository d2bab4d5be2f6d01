"""A process that dies at the k-th line of chosen modules that it comes to: a fault between any two statements."""

import importlib
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any


class Lines:
    """Counts the lines of some modules as they are first come to, in all threads, and kills the process at line `at`.

    0: never. A line of a loop counts once: what a later round of it meets is the soak's to find.
    """

    def __init__(self, modules: Sequence[str], at: int) -> None:
        self._files = {str(importlib.import_module(name).__file__) for name in modules}
        self._at = at
        self._places: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Begin to count, in this thread and in those to come."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def end(self) -> int:
        """Count no more; give how many there were."""
        sys.settrace(None)
        threading.settrace(None)
        return len(self._places)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place not in self._places:
            with self._lock:
                self._places.add(place)
                is_it = len(self._places) == self._at
            if is_it:
                signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
        return self._line

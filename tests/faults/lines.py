"""A process that dies at the k-th line it executes in chosen modules: a fault between any two statements."""

import importlib
import itertools
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any


class Lines:
    """Counts the executed lines of some modules, in all threads, and kills the process at line `at` (0: never)."""

    def __init__(self, modules: Sequence[str], at: int) -> None:
        self._files = {str(importlib.import_module(name).__file__) for name in modules}
        self._at = at
        self._numbers = itertools.count(1)
        self._seen = 0

    def watch(self) -> None:
        """Begin to count, in this thread and in those to come."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def end(self) -> int:
        """Count no more; give how many there were."""
        sys.settrace(None)
        threading.settrace(None)
        return self._seen

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, _frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._seen = next(self._numbers)
            if self._seen == self._at:
                signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
        return self._line

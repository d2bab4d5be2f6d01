"""A piece of work, done in a process of its own that is killed before a chosen one of its lines."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from types import FrameType
from typing import Any

STORE = Path(__file__).parents[2] / "outreach" / "store"
WATCHED = {
    str(STORE / f"{name}.py")
    for name in ("aftermath", "archive", "backup", "copies", "first_comments", "home", "notices", "restore", "swap")
} | {str(STORE.parent / "watch" / name) for name in ("approvals.py", "first_comments.py")}
HANDING_OVER = {
    str(STORE / "handovers.py"),
    str(STORE.parent / "watch" / "handing_over.py"),
    str(STORE.parent / "channels" / "_page_plans.py"),
}
WATCHED |= {str(STORE.parent / "channels" / "_video.py")}
_DONE, _RAISED = 0, 3


def lines_of(work: Callable[[], object], watched: Set[str] = frozenset(WATCHED)) -> int:
    """Do the work whole, in a process of its own, and count the lines of the watched modules that it ran."""
    reader, writer = os.pipe()
    status = _forked(work, watched, before=None, tell=writer)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert status == _DONE, "the work fails even when nobody kills it"
        return int(told.read())


def killed_before(line: int, work: Callable[[], object], watched: Set[str] = frozenset(WATCHED)) -> None:
    """Do the work until just before the nth line of the watched modules; there it dies, as by a power switch."""
    assert _forked(work, watched, before=line) == -signal.SIGKILL


def spread(lines: int, points: int) -> Iterator[int]:
    """Choose some of the lines, the first and the last ones among them."""
    yield from sorted({1, 2, lines, *range(1, lines, max(1, lines // points))})


def _forked(work: Callable[[], object], watched: Set[str], *, before: int | None, tell: int | None = None) -> int:
    pid = os.fork()
    if pid == 0:
        _work_and_die(work, watched, before, tell)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _work_and_die(work: Callable[[], object], watched: Set[str], before: int | None, tell: int | None) -> None:
    count = 0

    def each(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            count += 1
            if count == before:
                os.kill(os.getpid(), signal.SIGKILL)
        return each

    try:
        sys.settrace(each)
        work()
        sys.settrace(None)
        if tell is not None:
            os.write(tell, str(count).encode())
        os._exit(_DONE)
    finally:
        os._exit(_RAISED)

"""Runs one command of the service as it is, with a kill point armed around it.

`python -m tests.faults.launcher --kill after-intent -- worker --once` does it in the surroundings it finds.
"""

import argparse
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.faults import points
from tests.faults.lines import Lines
from tests.faults.orders import Order

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def obey(order: Order) -> int:
    """Carry out an order in this process; give the exit code, if it comes to that."""
    from outreach.doors.cli import app

    if order.ahead_s:
        _set_ahead(order.ahead_s)
    if order.point:
        points.arm(order.point, points.Trigger(order.nth, SIGNALS[order.act], order.about))
    lines = Lines(order.modules, order.line) if order.modules else None
    sys.argv = ["outreach", *order.words]
    if lines:
        lines.watch()
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        if lines and order.count_to:
            Path(order.count_to).write_text(str(lines.end()))
    return 0


def _set_ahead(seconds: float) -> None:
    """Move both clocks of the service, as if all of it, sandbox included, happened later."""
    for name, ahead in ((points.CLOCK_NOW, timedelta(seconds=seconds)), (points.CLOCK_ELAPSED, seconds)):
        owner, function = points.find(name)
        original = getattr(owner, function)
        setattr(owner, function, _later(original, ahead))


def _later(original: Any, ahead: Any) -> Any:
    return lambda clock: original(clock) + ahead


def main() -> int:
    """Run one command from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kill", choices=points.POINTS, default="", help="the point at which the process dies")
    parser.add_argument("--nth", type=int, default=1, help="at which passing of it")
    parser.add_argument("--stop", action="store_true", help="stand still there instead (SIGSTOP)")
    parser.add_argument("--modules", nargs="*", default=[], help="watch the lines of these modules")
    parser.add_argument("--line", type=int, default=0, help="die at this line of them")
    parser.add_argument("--ahead", type=float, default=0.0, help="seconds by which the clocks are ahead")
    parser.add_argument("words", nargs="+", help="the command, such as: worker --once")
    given = parser.parse_args()
    return obey(
        Order(
            tuple(given.words), os.getcwd(), "", ahead_s=given.ahead, point=given.kill, nth=given.nth,
            act="stop" if given.stop else "kill", modules=tuple(given.modules), line=given.line,
        )
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

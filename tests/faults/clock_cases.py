"""Clocks that jump, machines that sleep, and days on which an hour is missing or comes twice."""

import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from outreach.model import State
from tests.faults.cases import Case, Scenario
from tests.faults.ground import Ground

HOUR_S, DAY_S = 3600.0, 86400.0
NEW_YORK = ZoneInfo("America/New_York")


def _in_standby(ground: Ground) -> None:
    """The machine sleeps between the claim and the first byte; nobody else is there to take the post over."""
    ground.write("Alpha")
    worker = ground.frozen_at("before-sending")
    threading.Event().wait(1.2)
    worker.send(signal.SIGCONT)
    worker.wait()
    ground.expect(ground.copies("Alpha", "facebook") == 0, "it was sent on a claim that had grown stale")


def _jump(seconds: float, ground: Ground) -> None:
    """For one run only the service's clock is wrong; what is due in thirty days stays unpublished all the same."""
    ground.write("Due now", to="")
    ground.write("In a month", at=_at(ground.now() + timedelta(days=30)), zone="UTC")
    ground.once()
    ground.write("Meanwhile", to="")
    true = ground.ahead_s
    ground.ahead_s += seconds
    ground.once()
    ground.ahead_s = true
    ground.expect(ground.copies("In a month", "facebook") == 0, "what is due in a month went out")


def _jump_in_doubt(seconds: float, write: bool, ground: Ground) -> None:
    ground.box.graph.fail("feed", "close", write=write)
    ground.write("Alpha")
    ground.killed_at("after-record")
    true = ground.ahead_s
    ground.ahead_s += seconds
    for _ in range(3):
        ground.once()
    ground.ahead_s = true


def _born_in_1970(ground: Ground) -> None:
    _jump(-datetime.now(UTC).timestamp() - ground.ahead_s + 60, ground)


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _odd_nights() -> Iterator[tuple[str, datetime]]:
    """Find the next nights in New York that lack an hour, or have one twice."""
    day = datetime.now(UTC).replace(hour=12)
    for number in range(1, 400):
        offsets = [(day + timedelta(days=number + n)).astimezone(NEW_YORK).utcoffset() for n in (-1, 0)]
        if offsets[0] != offsets[1]:
            is_gap = (offsets[0] or timedelta()) < (offsets[1] or timedelta())
            yield ("gap" if is_gap else "fold"), day + timedelta(days=number)


def _odd_night(kind: str, clock: str, ground: Ground) -> None:
    day = next(day for what, day in _odd_nights() if what == kind)
    ground.write("Odd night", to="", at=f"{day:%Y-%m-%d} {clock}", zone="America/New_York")
    ground.once()
    due_at = ground.post("Odd night").due_at
    ground.let_pass((due_at - ground.now()).total_seconds() - 60)
    ground.once()
    ground.expect(ground.post("Odd night").state is not State.PUBLISHED, "it went out a minute early")
    ground.let_pass(61)
    ground.once()
    ground.let_pass(HOUR_S)


def _leap_day(ground: Ground) -> None:
    year = next(year for year in range(ground.now().year + 1, ground.now().year + 9) if year % 4 == 0)
    ground.write("Leap day", at=f"{year}-02-29 09:00", zone="UTC")
    ground.once()
    ground.expect(
        ground.post("Leap day").due_at == datetime(year, 2, 29, 9, tzinfo=UTC), "another day than 29 February"
    )
    ground.run("cancel", "1", "--json")


CASES = (
    Case(22, "the machine sleeps in the middle", (Scenario("before the first byte", _in_standby, {"OUTREACH_LEASE_S": "1"}),)),
    Case(23, "the clock jumps", (
        *(Scenario(name, partial(_jump, seconds)) for name, seconds in (
            ("back an hour", -HOUR_S), ("forward an hour", HOUR_S), ("forward a year", 365 * DAY_S))),
        Scenario("1970", _born_in_1970),
        *(Scenario(f"in doubt, by {seconds / HOUR_S:g} h, written: {write}", partial(_jump_in_doubt, seconds, write))
          for seconds in (-HOUR_S, HOUR_S, -DAY_S, DAY_S) for write in (True, False)),
    )),
    Case(24, "an hour that is missing, or comes twice", (
        Scenario("02:30 on the night without it", partial(_odd_night, "gap", "02:30")),
        Scenario("01:30 on the night with two", partial(_odd_night, "fold", "01:30")),
        Scenario("29 February", _leap_day),
    )),
)  # fmt: skip

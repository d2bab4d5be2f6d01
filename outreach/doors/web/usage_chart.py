"""How much of the other side's limit a channel used in the last seven days, as values that a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.channels import NEARLY_FULL, Usage
from outreach.doors.web.charts import HEIGHT, WIDTH, Block, Chart, Label, Line
from outreach.when import AOE

DAYS = 7
_SPAN = timedelta(days=DAYS)
_COLUMN = timedelta(hours=4)
_LEFT, _TOP, _BOTTOM = 42, 10, 22
_ROOM = HEIGHT - _TOP - _BOTTOM
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class UsageShown:
    """What the page says: `now_percent` as of `at`; `spared_until` while nothing but posts in doubt is asked for."""

    now_percent: int
    at: datetime
    spared_until: datetime | None
    chart: Chart


def shown(seen: Sequence[Usage], *, now: datetime, zone: str) -> UsageShown | None:
    """Lay it out; None where the channel never said anything. `seen` is newest first."""
    if not seen:
        return None
    newest, most = seen[0], max(seen, key=lambda each: each.percent)
    local = ZoneInfo("Etc/GMT+12" if zone == AOE else zone)
    day = most.at.astimezone(local)
    said = (
        f"{newest.percent} % of the limit is used now; at most {most.percent} % in the last {DAYS} days,"
        f" on {day.day} {day:%B} at {day:%H:%M}."
    )
    until = newest.rests_until
    chart = Chart("How much of the limit was used", said, _blocks(seen, now), _labels(now, local), _lines())
    return UsageShown(newest.percent, newest.at, until if until and until > now else None, chart)


def _blocks(seen: Sequence[Usage], now: datetime) -> tuple[Block, ...]:
    """One column for four hours, as high as the most that was used in them."""
    most: dict[int, int] = {}
    for each in seen:
        column = (now - each.at) // _COLUMN
        most[column] = max(most.get(column, 0), each.percent)
    count = _SPAN // _COLUMN
    place = (WIDTH - _LEFT) / count
    return tuple(_block(count - 1 - ago, place, percent) for ago, percent in sorted(most.items()) if 0 <= ago < count)


def _block(number: int, place: float, percent: int) -> Block:
    high = max(_ROOM * min(percent, 100) / 100, 1.5)  # what is there is to be seen
    kind = "trouble" if percent >= NEARLY_FULL else "out"
    x = _LEFT + number * place + place * 0.1
    return Block(round(x, 1), round(HEIGHT - _BOTTOM - high, 1), round(place * 0.8, 1), round(high, 1), kind)


def _labels(now: datetime, local: ZoneInfo) -> tuple[Label, ...]:
    place = (WIDTH - _LEFT) / DAYS
    days = [(now - timedelta(days=DAYS - 1 - number)).astimezone(local) for number in range(DAYS)]
    return tuple(
        Label(round(_LEFT + (number + 0.5) * place, 1), _DAY_NAMES[day.weekday()]) for number, day in enumerate(days)
    )


def _lines() -> tuple[Line, ...]:
    return tuple(Line(round(HEIGHT - _BOTTOM - _ROOM * part / 100, 1), f"{part} %") for part in (0, 50, 100))

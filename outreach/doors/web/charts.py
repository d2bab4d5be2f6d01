"""Small charts as values that a template draws as SVG: every length is counted here, every colour is a class."""

from collections.abc import Sequence
from dataclasses import dataclass

from outreach.store.months import Numbers, Tally

WIDTH, HEIGHT = 400, 150
_LEFT, _TOP, _BOTTOM = 42, 10, 22
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a column: `kind` is the class that gives its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word below a column, in its middle."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the chart at a value."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of columns: `name` is what it shows, `said` what it says, in a sentence for who does not see it."""

    name: str
    said: str
    blocks: tuple[Block, ...]
    labels: tuple[Label, ...]
    lines: tuple[Line, ...]


def months_between(first: int, last: int) -> list[int]:
    """Give every month from one to another, such as 202612."""
    found = []
    while first <= last:
        found.append(first)
        first += 1 if first % 100 < 12 else 89
    return found


def months_before(last: int, how_many: int) -> int:
    """Give the first of so many months of which `last` is the latest."""
    at = last // 100 * 12 + last % 100 - 1 - (how_many - 1)
    return at // 12 * 100 + at % 12 + 1


def named(month: int) -> str:
    """Name a month such as 202612: December 2026."""
    return f"{_LONG_MONTHS[month % 100 - 1]} {month // 100}"


def percent(share: float | None) -> str:
    """Write a share for people: never 100 % where anything is missing, never 0 % where anything is there."""
    if share is None:
        return "–"
    whole = round(share * 100)
    if whole == 100 and share < 1:
        return "over 99 %"
    return "under 1 %" if whole == 0 and share > 0 else f"{whole} %"


def per_month(numbers: Numbers, months: Sequence[int]) -> Chart:
    """Draw how many posts went out each month and how many were trouble."""
    tallies = [numbers.by_month.get(month, Tally()) for month in months]
    stacks = [(("out", float(t.out)), ("trouble", float(t.trouble))) for t in tallies]
    whole = sum(tallies, Tally())
    most = max(zip((t.out for t in tallies), months, strict=True), default=(0, 0))
    said = f"Posts that went out {_span(months)}: {whole.out:,}. Trouble: {whole.trouble:,}."
    if most[0]:
        said += f" Most went out in {named(most[1])}: {most[0]:,}."
    return _columns(
        "Posts per month", said, stacks, months, _round_up(max((t.out + t.trouble for t in tallies), default=0))
    )


def shares(numbers: Numbers, months: Sequence[int], *, of_trouble: bool) -> Chart:
    """Draw which part of what was sent each month was on time, or which part of what was due was trouble."""
    tallies = [numbers.by_month.get(month, Tally()) for month in months]
    found = [t.trouble_share if of_trouble else t.on_time_share for t in tallies]
    kind, name = ("trouble", "Trouble, per month") if of_trouble else ("out", "On time, per month")
    whole = numbers.whole.trouble_share if of_trouble else numbers.whole.on_time_share
    what = "failed, was missed or is in doubt" if of_trouble else "went out within 5 minutes of its time"
    said = f"{percent(whole)} of all {what}, {_span(months)}." if whole is not None else "Nothing yet."
    return _columns(name, said, [((kind, 100 * (share or 0.0)),) for share in found], months, 100, unit=" %")


def _span(months: Sequence[int]) -> str:
    return f"from {named(months[0])} to {named(months[-1])}" if len(months) > 1 else f"in {named(months[0])}"


def _columns(
    name: str,
    said: str,
    stacks: Sequence[Sequence[tuple[str, float]]],
    months: Sequence[int],
    top: int,
    *,
    unit: str = "",
) -> Chart:
    place, room = (WIDTH - _LEFT) / len(stacks), HEIGHT - _TOP - _BOTTOM
    blocks, labels = [], []
    every = -(-len(months) // 12)
    for number, (stack, month) in enumerate(zip(stacks, months, strict=True)):
        x, y = _LEFT + number * place, float(HEIGHT - _BOTTOM)
        for kind, value in stack:
            high = room * value / top
            if value:
                high = max(high, 1.5)  # what is there is to be seen
                blocks.append(
                    Block(round(x + place * 0.15, 1), round(y - high, 1), round(place * 0.7, 1), round(high, 1), kind)
                )
            y -= high
        if number % every == 0:
            labels.append(Label(round(x + place / 2, 1), _MONTHS[month % 100 - 1]))
    lines = [Line(round(HEIGHT - _BOTTOM - room * part, 1), f"{top * part:,.0f}{unit}") for part in (0, 0.5, 1)]
    return Chart(name, said, tuple(blocks), tuple(labels), tuple(lines))


def _round_up(value: float) -> int:
    """Give the next number that reads well and has a whole half."""
    top = 2
    while top < value:
        top = top * 5 // 2 if str(top)[0] == "4" else top * 2
    return top

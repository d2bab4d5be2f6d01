"""Advice on what else goes out: posts of the same channel that are close in time, or say nearly the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach import when
from outreach.advice.counsel import Advice, Kind
from outreach.advice.likeness import ALIKE, likeness
from outreach.advice.times import Planned
from outreach.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another post of the same channel. `is_out`: it went out, or may have, at `at`; else it is due then."""

    name: str
    title: str
    at: datetime
    text: str
    is_out: bool


def on_neighbours(
    text: str, planned: Planned | None, neighbours: Sequence[Neighbour], wishes: Wishes, *, wording: str = ""
) -> list[Advice]:
    """Say what comes too close in time, and what was said before. `wording` is the template that the text is made of."""
    close = list(_close(planned, neighbours, wishes)) if planned else []
    return [*_alike(text, planned, neighbours, wording), *close]


def _close(planned: Planned, neighbours: Sequence[Neighbour], wishes: Wishes) -> Iterator[Advice]:
    apart = timedelta(minutes=wishes.apart_min)
    near = [n for n in neighbours if abs(n.at - planned.due_at) < apart]
    if near:
        nearest = min(near, key=lambda n: abs(n.at - planned.due_at))
        more = f" and {len(near) - 1} more" if len(near) > 1 else ""
        verb = "went out" if nearest.is_out else "goes out"
        gap = _length(abs(nearest.at - planned.due_at))
        before = "before" if nearest.at < planned.due_at else "after"
        place = f"{gap} {before} it" if gap else "at the same time"
        told = f"{nearest.name} “{nearest.title}” {verb} {place}{more}."
        yield Advice(Kind.CLOSE, told, f"Leave {_length(apart)} between two posts, so that both are seen.")


def _alike(text: str, planned: Planned | None, neighbours: Sequence[Neighbour], wording: str) -> Iterator[Advice]:
    found = [(likeness(text, n.text, wording=wording), n) for n in neighbours]
    alike = [pair for pair in found if pair[0] >= ALIKE]
    if alike:
        much, nearest = max(alike, key=lambda pair: (pair[0], pair[1].at))
        zone = planned.zone if planned else "UTC"
        verb = "went out" if nearest.is_out else "goes out"
        what = "the same as" if much == 1.0 else f"nearly the same ({much:.0%}) as"
        told = f"It says {what} {nearest.name} “{nearest.title}”, which {verb} on {when.show(nearest.at, zone)}."
        step = "Say first what is new, such as a deadline that was extended; or leave it out."
        yield Advice(Kind.ALIKE, told, step, is_grave=much == 1.0)


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours >= 48 else (0, hours)
    parts = [(days, "day"), (hours, "hour"), (0 if days else rest, "minute")]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count)

"""The figures of each month: how much went out where, how much of it on time, how much was trouble."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from outreach.model import State
from outreach.store.engine import Transaction
from outreach.store.schema import channels, people, roles
from outreach.store.schema_past import months

OUT = frozenset({State.PUBLISHED, State.HELD, State.RETRACTED})
TROUBLE = frozenset({State.FAILED, State.MISSED, State.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of posts: `out` are on their channel or were, `trouble` failed, were missed or are in doubt."""

    out: int = 0
    trouble: int = 0
    cancelled: int = 0
    sent: int = 0
    on_time: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Put two together."""
        return Tally(
            self.out + other.out,
            self.trouble + other.trouble,
            self.cancelled + other.cancelled,
            self.sent + other.sent,
            self.on_time + other.on_time,
        )

    @property
    def on_time_share(self) -> float | None:
        """Give the part of what was sent that was on time; None where nothing was sent."""
        return self.on_time / self.sent if self.sent else None

    @property
    def trouble_share(self) -> float | None:
        """Give the part of what was to go out, and was not cancelled, that was trouble; None where there was nothing."""
        due = self.out + self.trouble
        return self.trouble / due if due else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """The figures of a span of months, by month such as 202612, by channel and by template (empty: none), and of all."""

    by_month: dict[int, Tally] = field(default_factory=dict)
    by_channel: dict[str, Tally] = field(default_factory=dict)
    by_template: dict[str, Tally] = field(default_factory=dict)
    whole: Tally = Tally()


def numbers(tx: Transaction, community: int, *, first: int, last: int) -> Numbers:
    """Put the figures of the months from `first` to `last`, both such as 202612, together."""
    within = months.c.community_id == community, months.c.month >= first, months.c.month <= last

    def by(column: Any) -> dict[Any, Tally]:
        query = select(column, months.c.state, *_SUMS).join(channels, channels.c.id == months.c.channel_id)
        return _tallied(tx, query.where(*within).group_by(column, months.c.state).order_by(column))

    by_month = by(months.c.month)
    return Numbers(by_month, by(channels.c.name), by(months.c.template), sum(by_month.values(), Tally()))


_SUMS = func.sum(months.c.posts), func.sum(months.c.sent), func.sum(months.c.on_time)


def _tallied(tx: Transaction, query: Select[Any]) -> dict[Any, Tally]:
    found: dict[Any, Tally] = {}
    for what, state, posts, sent, on_time in tx.execute(query):
        if posts:
            found[what] = found.get(what, Tally()) + _tally(State(state), int(posts), int(sent), int(on_time))
    return found


def _tally(state: State, posts: int, sent: int, on_time: int) -> Tally:
    return Tally(
        out=posts if state in OUT else 0,
        trouble=posts if state in TROUBLE else 0,
        cancelled=posts if state is State.CANCELLED else 0,
        sent=sent,
        on_time=on_time,
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What the history can be narrowed to: what there is any post of, and the people of the community, by address."""

    channels: tuple[str, ...]
    templates: tuple[str, ...]
    people: tuple[tuple[str, str], ...]
    years: tuple[int, ...]


def choices(tx: Transaction, community: int) -> Choices:
    """Give them, each in its order; the years newest first, people as (address, name)."""
    of_it = months.c.community_id == community, months.c.posts > 0
    names = select(channels.c.name).where(channels.c.community_id == community).order_by(channels.c.id)
    templates = select(months.c.template).where(*of_it, months.c.template != "").distinct()
    found = tx.execute(select(months.c.month).where(*of_it).distinct()).scalars()
    return Choices(
        tuple(tx.execute(names).scalars()),
        tuple(sorted(tx.execute(templates).scalars())),
        people_of(tx, community),
        tuple(sorted({month // 100 for month in found}, reverse=True)),
    )


def people_of(tx: Transaction, community: int) -> tuple[tuple[str, str], ...]:
    """Give the people of a community as (address, name); the name may be empty."""
    query = (
        select(people.c.email, people.c.name)
        .where(people.c.id.in_(select(roles.c.person_id).where(roles.c.community_id == community)))
        .order_by(people.c.email)
    )
    return tuple((row[0], row[1]) for row in tx.execute(query))

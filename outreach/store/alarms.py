"""Alarms on record: one open alarm for each cause, what was told of it, and what each route still has to tell."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, update

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import alarms, meta
from outreach.trouble import Alarm, AlarmKind

AGAIN_AFTER = timedelta(hours=1)
_CLOCKS_DIFFER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as the database knows it. It is open while `ended_at` is None."""

    id: int
    cause: str
    kind: AlarmKind
    message: str
    next_step: str
    raised_at: datetime
    told_at: datetime | None
    ended_at: datetime | None
    end_told_at: datetime | None


_SELECT: Select[Any] = select(
    alarms.c.id,
    alarms.c.cause,
    alarms.c.kind,
    alarms.c.message,
    alarms.c.next_step,
    alarms.c.raised_at,
    alarms.c.told_at,
    alarms.c.ended_at,
    alarms.c.end_told_at,
)


def _rows(tx: Transaction, query: Select[Any]) -> list[AlarmRow]:
    return [AlarmRow(row[0], row[1], AlarmKind(row[2]), *row[3:]) for row in tx.execute(query)]


def is_news(tx: Transaction, current: Sequence[Alarm]) -> bool:
    """Tell whether what is wrong now differs from the open alarms. Writes nothing."""
    known = tx.execute(select(alarms.c.cause, alarms.c.message).where(alarms.c.ended_at.is_(None)))
    return {row[0]: row[1] for row in known} != {alarm.cause: alarm.message for alarm in current}


def settle(tx: Transaction, current: Sequence[Alarm], *, now: datetime) -> list[AlarmRow]:
    """Make the open alarms those of what is wrong now; give the ones that ended by that."""
    wanted = {alarm.cause: alarm for alarm in current}
    known = {row.cause: row for row in open_ones(tx)}
    for cause, alarm in wanted.items():
        words = {"message": alarm.message, "next_step": alarm.next_step}
        if cause not in known:
            insert_once(tx, alarms, {"cause": cause, "kind": str(alarm.kind), "raised_at": now} | words)
        elif known[cause].message != alarm.message:
            tx.execute(update(alarms).where(alarms.c.id == known[cause].id).values(**words))
    over = [row for cause, row in known.items() if cause not in wanted]
    return _marked(tx, over, alarms.c.ended_at, now)


def is_newest_look(tx: Transaction, began: datetime, *, now: datetime) -> bool:
    """Tell whether nobody settled the alarms since a look began: what an older look saw may be true no more."""
    key, at_most = "alarms were settled", _text(now + _CLOCKS_DIFFER)
    insert_once(tx, meta, {"key": key, "value": ""})
    is_older = (meta.c.value < _text(began)) | (meta.c.value > at_most)
    return tx.execute(update(meta).where(meta.c.key == key, is_older).values(value=_text(now))).rowcount == 1


def open_ones(tx: Transaction, *, most: int | None = None) -> list[AlarmRow]:
    """Give the open alarms in the order they were raised."""
    return _rows(tx, _SELECT.where(alarms.c.ended_at.is_(None)).order_by(alarms.c.id).limit(most))


def recent(tx: Transaction, *, most: int = 50) -> list[AlarmRow]:
    """Give the latest of those that are over, newest first."""
    return _rows(tx, _SELECT.where(alarms.c.ended_at.is_not(None)).order_by(alarms.c.id.desc()).limit(most))


def of_ids(tx: Transaction, ids: Collection[int]) -> list[AlarmRow]:
    """Give the alarms with these numbers."""
    return _rows(tx, _SELECT.where(alarms.c.id.in_(ids)).order_by(alarms.c.id))


def untold(tx: Transaction, now: datetime) -> list[AlarmRow]:
    """Give the open alarms that are to be told now: not told yet, and their cause not within the last hour."""
    lately = select(alarms.c.cause).where(
        alarms.c.told_at > now - AGAIN_AFTER,
        alarms.c.told_at <= now + _CLOCKS_DIFFER,  # one told in the future was told by a clock that was wrong
    )
    query = _SELECT.where(alarms.c.ended_at.is_(None), alarms.c.told_at.is_(None), alarms.c.cause.not_in(lately))
    return _rows(tx, query.order_by(alarms.c.id))


def mark_told(tx: Transaction, rows: Sequence[AlarmRow], now: datetime) -> list[AlarmRow]:
    """Write down that these are told; give those that nobody else told meanwhile."""
    return _marked(tx, rows, alarms.c.told_at, now)


def over_and_untold(tx: Transaction) -> list[AlarmRow]:
    """Give the alarms whose beginning was told and whose end was not; none whose cause is true again."""
    is_open = select(alarms.c.cause).where(alarms.c.ended_at.is_(None))
    query = _SELECT.where(
        alarms.c.ended_at.is_not(None),
        alarms.c.end_told_at.is_(None),
        alarms.c.told_at.is_not(None),
        alarms.c.cause.not_in(is_open),
    )
    return _rows(tx, query.order_by(alarms.c.id))


def mark_end_told(tx: Transaction, rows: Sequence[AlarmRow], now: datetime) -> list[AlarmRow]:
    """Write down that the end of these is told, or need not be; give those of which nobody else told it meanwhile."""
    return _marked(tx, rows, alarms.c.end_told_at, now)


def count_open(tx: Transaction, *, most: int = 10_000) -> int:
    """Count the open alarms, no further than `most`."""
    some = select(alarms.c.id).where(alarms.c.ended_at.is_(None)).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def _marked(tx: Transaction, rows: Sequence[AlarmRow], column: Any, now: datetime) -> list[AlarmRow]:
    if not rows:
        return []
    ours = update(alarms).where(alarms.c.id.in_([row.id for row in rows]), column.is_(None))
    marked = set(tx.execute(ours.values({column: now}).returning(alarms.c.id)).scalars())
    return [row for row in rows if row.id in marked]


# What a route still has to tell


@dataclass(frozen=True, slots=True)
class Owed:
    """What a route has not told yet: alarms by their numbers, and ends of alarms."""

    alarms: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.alarms or self.ends)


def owed(tx: Transaction, route: str, *, to_change: bool = False) -> Owed | None:
    """Give what a route still has to tell, None when nobody ever wrote that down; others who want `to_change` it wait."""
    query = select(meta.c.value).where(meta.c.key == _owed_key(route))
    kept = tx.execute(query.with_for_update() if to_change else query).scalar()
    if kept is None:
        return None
    read = json.loads(kept)
    return Owed(tuple(read["alarms"]), tuple(read["ends"]))


def owe(tx: Transaction, route: str, what: Owed) -> None:
    """Write down what a route still has to tell."""
    value = json.dumps({"alarms": what.alarms, "ends": what.ends})
    if tx.execute(update(meta).where(meta.c.key == _owed_key(route)).values(value=value)).rowcount != 1:
        insert_once(tx, meta, {"key": _owed_key(route), "value": value})


def _owed_key(route: str) -> str:
    return f"to be told by {route}"


def take_turn(tx: Transaction, name: str, *, now: datetime, pause: timedelta) -> bool:
    """Take the turn at something that all workers together do at most once in `pause`; False while another has it."""
    key, until = f"turn of {name}", _text(now + pause)
    insert_once(tx, meta, {"key": key, "value": ""})
    # A turn that ends further ahead than any can is of a clock that was wrong.
    is_free = (meta.c.value <= _text(now)) | (meta.c.value > until)
    return tx.execute(update(meta).where(meta.c.key == key, is_free).values(value=until)).rowcount == 1


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")

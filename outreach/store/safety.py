"""Safe mode: while it is on, no post is claimed by anyone. A restore, a clock that jumped or a copied database begin it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import bindparam, delete, insert, select, update

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import events, meta

KEY = "safe mode"
CLOCK_MARK = "clock of "
BACKUP_TROUBLE = "backup trouble"
CLOCK_ACCEPTED = "clock accepted"


class Cause(StrEnum):
    """Why nothing goes out."""

    CLOCK = "clock"
    RESTORE = "restore"
    COPY = "copy"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class SafeMode:
    """Nothing goes out `since` an instant; `reason` is a plain sentence with the next step in it.

    `host` names the machine for a cause that is of one machine alone, its clock.
    """

    cause: Cause
    reason: str
    since: datetime
    host: str = ""


_WEIGHT = (Cause.PERSON, Cause.RESTORE, Cause.COPY, Cause.CLOCK)


def current(tx: Transaction) -> SafeMode | None:
    """Give the safe mode that is on, if one is: of several causes the one that only a person can end, if there is one."""
    return min(causes(tx), key=lambda each: _WEIGHT.index(each.cause), default=None)


def causes(tx: Transaction) -> list[SafeMode]:
    """Give every cause for which nothing goes out, in the order they came."""
    return _read(tx.execute(_KEPT).scalar())


_KEPT = select(meta.c.value).where(meta.c.key == KEY)


def _read(kept: str | None) -> list[SafeMode]:
    return [
        SafeMode(Cause(read["cause"]), read["reason"], datetime.fromisoformat(read["since"]), read.get("host", ""))
        for read in json.loads(kept or "[]")
    ]


def enter(
    tx: Transaction, cause: Cause, reason: str, *, now: datetime, person: str | None = None, host: str = ""
) -> bool:
    """Let nothing out any more for one more cause; False where it is one already, whose reason then stays."""
    insert_once(tx, meta, {"key": KEY, "value": "[]"})
    before = _read(tx.execute(_KEPT.with_for_update()).scalar())
    if any((each.cause, each.host) == (cause, host) for each in before):
        return False
    _keep(tx, [*before, SafeMode(cause, reason, now.astimezone(UTC), host)])
    _tell(tx, "safe mode on", reason, now=now, person=person)
    return True


def leave(tx: Transaction, *, now: datetime, person: str | None = None, note: str | None = None) -> bool:
    """Let posts out again; False where safe mode was not on. What the clock says now counts as right from here on."""
    if tx.execute(delete(meta).where(meta.c.key == KEY)).rowcount != 1:
        return False
    tx.execute(delete(meta).where(meta.c.key.startswith(CLOCK_MARK, autoescape=True)))
    remember(tx, CLOCK_ACCEPTED, now.astimezone(UTC).isoformat())
    _tell(tx, "safe mode off", note, now=now, person=person)
    return True


def take_back_clock(tx: Transaction, host: str, *, now: datetime, note: str) -> bool:
    """End what one machine's clock was the cause of, and nothing else; give whether posts go out again."""
    before = _read(tx.execute(_KEPT.with_for_update()).scalar())
    left = [each for each in before if (each.cause, each.host) != (Cause.CLOCK, host)]
    if len(left) < len(before):
        _keep(tx, left)
        _tell(tx, "safe mode off", note, now=now, person=None)
    return not left


def _keep(tx: Transaction, modes: Sequence[SafeMode]) -> None:
    if not modes:
        tx.execute(delete(meta).where(meta.c.key == KEY))
        return
    rows = [
        {"cause": str(m.cause), "reason": m.reason, "since": m.since.astimezone(UTC).isoformat(), "host": m.host}
        for m in modes
    ]
    tx.execute(update(meta).where(meta.c.key == KEY).values(value=json.dumps(rows)))


def _tell(tx: Transaction, kind: str, note: str | None, *, now: datetime, person: str | None) -> None:
    tx.execute(insert(events), {"at": now, "kind": kind, "person": person, "note": note})


def remember(tx: Transaction, key: str, value: str) -> None:
    """Keep a text under a name of its own, in place of the one before."""
    if tx.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount != 1:
        insert_once(tx, meta, {"key": key, "value": value})


def remembered(tx: Transaction, key: str) -> str | None:
    """Give what was kept under a name, if something was."""
    found: str | None = tx.execute(_REMEMBERED, {"name": key}).scalar()
    return found


_REMEMBERED = select(meta.c.value).where(meta.c.key == bindparam("name"))


def forget(tx: Transaction, key: str) -> None:
    """Keep nothing under a name any more."""
    tx.execute(delete(meta).where(meta.c.key == key))

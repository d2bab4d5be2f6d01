"""Safe mode: while it is on, no post is claimed by anyone. A restore, a clock that jumped or a copied database begin it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select, update

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import events, meta

KEY = "safe mode"
CLOCK_MARK = "clock of "


class Cause(StrEnum):
    """Why nothing goes out."""

    CLOCK = "clock"
    RESTORE = "restore"
    COPY = "copy"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class SafeMode:
    """Nothing goes out `since` an instant; `reason` is a plain sentence with the next step in it."""

    cause: Cause
    reason: str
    since: datetime


def current(tx: Transaction) -> SafeMode | None:
    """Give the safe mode that is on, if one is."""
    kept = tx.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar()
    if kept is None:
        return None
    read = json.loads(kept)
    return SafeMode(Cause(read["cause"]), read["reason"], datetime.fromisoformat(read["since"]))


def enter(tx: Transaction, cause: Cause, reason: str, *, now: datetime, person: str | None = None) -> bool:
    """Let nothing out any more; False where safe mode is on already, whose cause and reason then stay."""
    if current(tx) is not None:
        return False
    value = {"cause": str(cause), "reason": reason, "since": now.astimezone(UTC).isoformat()}
    insert_once(tx, meta, {"key": KEY, "value": json.dumps(value)})
    _tell(tx, "safe mode on", reason, now=now, person=person)
    return True


def leave(tx: Transaction, *, now: datetime, person: str | None = None, note: str | None = None) -> bool:
    """Let posts out again; False where safe mode was not on. What the clock says now counts as right from here on."""
    if tx.execute(delete(meta).where(meta.c.key == KEY)).rowcount != 1:
        return False
    tx.execute(delete(meta).where(meta.c.key.startswith(CLOCK_MARK, autoescape=True)))
    _tell(tx, "safe mode off", note, now=now, person=person)
    return True


def _tell(tx: Transaction, kind: str, note: str | None, *, now: datetime, person: str | None) -> None:
    tx.execute(insert(events), {"at": now, "kind": kind, "person": person, "note": note})


def remember(tx: Transaction, key: str, value: str) -> None:
    """Keep a text under a name of its own, in place of the one before."""
    if tx.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount != 1:
        insert_once(tx, meta, {"key": key, "value": value})


def remembered(tx: Transaction, key: str) -> str | None:
    """Give what was kept under a name, if something was."""
    found: str | None = tx.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return found


def forget(tx: Transaction, key: str) -> None:
    """Keep nothing under a name any more."""
    tx.execute(delete(meta).where(meta.c.key == key))

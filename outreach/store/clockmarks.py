"""What is on record of a machine's clock: the mark that its latest beat left, and a person's word that it is right."""

import json
from datetime import datetime, timedelta

from outreach.guard import MOST_APART, Mark
from outreach.store import safety, workers
from outreach.store.engine import Transaction

_JUST_NOW = timedelta(minutes=2)


def leave(tx: Transaction, now: datetime, steady_s: float) -> None:
    """Leave the mark of this machine, in place of the one before."""
    value = {"boot": workers.boot(), "at": now.isoformat(), "steady_s": steady_s}
    safety.remember(tx, _key(), json.dumps(value))


def kept(tx: Transaction) -> Mark | None:
    """Give the mark that was left since this machine was started; an older one says nothing."""
    try:
        read = json.loads(safety.remembered(tx, _key()) or "")
        is_of_this_boot = read["boot"] == workers.boot() != ""
        return Mark(datetime.fromisoformat(read["at"]), float(read["steady_s"])) if is_of_this_boot else None
    except (ValueError, KeyError, TypeError):
        return None


def is_accepted(tx: Transaction, now: datetime, steady_s: float) -> bool:
    """Tell whether what the clock says now was found right already: by a beat since, or by a person a moment ago."""
    mark = kept(tx)
    if mark is not None and abs(mark.ahead(now, steady_s)) <= MOST_APART:
        return True
    said = safety.remembered(tx, safety.CLOCK_ACCEPTED)
    return said is not None and timedelta() <= now - datetime.fromisoformat(said) < _JUST_NOW


def _key() -> str:
    return f"{safety.CLOCK_MARK}{workers.host()}"

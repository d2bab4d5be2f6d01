"""Finding where the recent part of a table begins, by its numbers, which grow: no index of instants is written for it."""

from datetime import datetime

from sqlalchemy import TextClause, bindparam, text

from outreach.store.engine import Transaction
from outreach.store.schema import Instant

# Halving: each row of the recursion looks at one row of the table, so twenty looks find the place among a million.
_HALVING = """
    WITH RECURSIVE part(low, high) AS (
        SELECT coalesce((SELECT min(id) FROM {table}), 0), coalesce((SELECT max(id) FROM {table}), 0) + 1
        UNION ALL
        SELECT CASE WHEN {middle} < :since THEN (low + high) / 2 + 1 ELSE low END,
               CASE WHEN {middle} < :since THEN high ELSE (low + high) / 2 END
        FROM part WHERE low < high
    )
    SELECT max(low) FROM part
"""


def _statement(table: str) -> TextClause:
    middle = f"(SELECT r.at FROM {table} r WHERE r.id >= (low + high) / 2 ORDER BY r.id LIMIT 1)"  # noqa: S608 - a name of ours
    return text(_HALVING.format(table=table, middle=middle)).bindparams(bindparam("since", type_=Instant()))


_STATEMENTS = {table: _statement(table) for table in ("events", "sightings")}


def first_since(tx: Transaction, table: str, since: datetime) -> int:
    """Give the number from which on the rows of `events` or `sightings` were written after an instant."""
    return int(tx.execute(_STATEMENTS[table], {"since": since}).scalar_one())

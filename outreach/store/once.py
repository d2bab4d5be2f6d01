"""Writing a row that another writer may just be writing too: one of them does, both go on."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable, Table

from outreach.store.engine import Transaction


def insert_once(tx: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row, or do nothing where a UNIQUE says that it is there; give whether it was inserted."""
    # Start-up time: each dialect is loaded only where it is spoken.
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return _is_given(tx, insert(table).values(dict(row)).on_conflict_do_nothing().returning(*table.primary_key))
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    wanted = postgresql_insert(table).values(dict(row)).on_conflict_do_nothing()
    return _is_given(tx, wanted.returning(*table.primary_key))


def _is_given(tx: Transaction, query: Executable) -> bool:
    """Tell whether a row comes back: how many rows an INSERT wrote is not what every driver says."""
    return tx.execute(query).first() is not None

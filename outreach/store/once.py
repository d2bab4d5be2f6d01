"""Writing a row that another writer may just be writing too: one of them does, both go on."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from outreach.store.engine import Transaction


def insert_once(tx: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row, or do nothing where a UNIQUE says that it is there; give whether it was inserted."""
    # Start-up time: each dialect is loaded only where it is spoken.
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return tx.execute(insert(table).values(dict(row)).on_conflict_do_nothing()).rowcount == 1
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return tx.execute(postgresql_insert(table).values(dict(row)).on_conflict_do_nothing()).rowcount == 1

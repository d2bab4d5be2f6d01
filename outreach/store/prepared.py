"""Statements that run for every post: Core builds them, once for each dialect, and the driver gets them as they are.

Core's own way to execute costs 60 to 100 µs a statement, more than the database needs for its part.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import CursorResult, Dialect, Executable

from outreach.store.engine import Transaction


class Prepared:
    """One statement. `columns` are those an INSERT names. What it returns is what the driver gives, unconverted."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, tx: Transaction, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute it once."""
        compiled = self._for(tx.dialect)
        return tx.exec_driver_sql(compiled.sql, compiled.bound(values))

    def run_all(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> int:
        """Execute it for each of the rows, at least one; give how many rows of the table that touched."""
        compiled = self._for(tx.dialect)
        return tx.exec_driver_sql(compiled.sql, [compiled.bound(row) for row in rows]).rowcount

    def _for(self, dialect: Dialect) -> "_Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self._statement, self._columns, dialect)
        return found


class _Compiled:
    def __init__(self, statement: Executable, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns) if columns else None)  # type: ignore[attr-defined]
        self.sql = str(compiled)
        self._is_positional: bool = compiled.positional
        self._names: list[str] = compiled.positiontup if compiled.positional else list(compiled.binds)
        # A value of its own, such as a NULL that the statement sets, is bound like the others.
        self._own = {name: compiled.binds[name].value for name in self._names}
        self._pick = itemgetter(*self._names) if len(self._names) > 1 else lambda given: [given[n] for n in self._names]
        self._processors = [
            (place, process)
            for place, name in enumerate(self._names)
            if (process := _processor(compiled.binds[name].type, dialect)) is not None
        ]

    def bound(self, values: Mapping[str, Any]) -> Any:
        picked = list(self._pick(self._own | dict(values)))
        for place, process in self._processors:
            picked[place] = process(picked[place])
        return tuple(picked) if self._is_positional else dict(zip(self._names, picked, strict=True))


def _processor(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    process: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return process

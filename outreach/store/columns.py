"""What every table is made of: the one collection of them, aware instants, row numbers, closed lists of words."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, Integer, MetaData, TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds of UTC since 1970: sorts, compares and indexes on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse a naive datetime: it would be off by hours."""
        if value is None:
            return None
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give it back as UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


Id = BigInteger().with_variant(Integer, "sqlite")


def id_column() -> Column[int]:
    """Make the column of a row number."""
    return Column("id", Id, primary_key=True)


def one_of(column: str, values: Iterable[str]) -> str:
    """Write the condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(str(v)) for v in values)})"

"""The table of how much of a channel's limits was used: one row for each ten minutes in which it said so."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table

from outreach.store.columns import Id, Instant, metadata

usage = Table(
    "usage",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    # Which ten minutes since 1970.
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    # Percent of the limit.
    Column("call_count", Integer, nullable=False),
    Column("total_cputime", Integer, nullable=False),
    Column("total_time", Integer, nullable=False),
    # Minutes until calls are welcome again.
    Column("regain_min", Integer, nullable=False),
    CheckConstraint(
        "call_count >= 0 AND total_cputime >= 0 AND total_time >= 0 AND regain_min >= 0", name="not_below_nothing"
    ),
)

"""How much of a channel's limits was used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "usage",
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("total_cputime", sa.Integer(), nullable=False),
        sa.Column("total_time", sa.Integer(), nullable=False),
        sa.Column("regain_min", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "call_count >= 0 AND total_cputime >= 0 AND total_time >= 0 AND regain_min >= 0",
            name=op.f("ck_usage_not_below_nothing"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_usage_channel_id_channels")),
        sa.PrimaryKeyConstraint("channel_id", "slot", name=op.f("pk_usage")),
    )

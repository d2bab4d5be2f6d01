"""The weekly mail; mails found by their Message-ID."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MAILED = sa.text("message_id IS NOT NULL")


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "weekly_items",
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_weekly_items_announcement_id_announcements")
        ),
        sa.PrimaryKeyConstraint("announcement_id", name=op.f("pk_weekly_items")),
    )
    op.create_table(
        "weekly_mails",
        sa.Column("community_id", _ID, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("announcement_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_weekly_mails_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_weekly_mails_announcement_id_announcements")
        ),
        sa.PrimaryKeyConstraint("community_id", "due_at", name=op.f("pk_weekly_mails")),
    )
    op.create_index("mailed", "posts", ["message_id"], unique=False, sqlite_where=_MAILED, postgresql_where=_MAILED)

"""Which Page a channel is connected with, dialogs that are open, and whether the public sees what is published."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    _make_connections()
    _make_dialogs()
    _make_visibility()


def _make_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("page_name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("facebook_id", sa.Text(), nullable=False),
        sa.Column("facebook_name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data_access_expires_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("page_id <> ''", name=op.f("ck_connections_page_id")),
        sa.CheckConstraint("sealed <> ''", name=op.f("ck_connections_sealed")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_connections_channel_id_channels")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_connections")),
    )


def _make_dialogs() -> None:
    op.create_table(
        "dialogs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("state_sha256", sa.Text(), nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.CheckConstraint("ends_at > begun_at", name=op.f("ck_dialogs_end")),
        sa.CheckConstraint("sealed IS NULL OR answered_at IS NOT NULL", name=op.f("ck_dialogs_sealed")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_dialogs_channel_id_channels")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogs")),
        sa.UniqueConstraint("state_sha256", name=op.f("uq_dialogs_state_sha256")),
    )
    op.create_index("dialogs_by_end", "dialogs", ["ends_at"], unique=False)


def _make_visibility() -> None:
    op.create_table(
        "visibility",
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no', 'not yet')", name=op.f("ck_visibility_answer")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_visibility_channel_id_channels")),
        sa.PrimaryKeyConstraint("channel_id", "page_id", "app_id", name=op.f("pk_visibility")),
    )

"""How far posts reached, and what a Page's webhook told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    _make_reached()
    _make_values("reached_values", "post_id", "reached.post_id")
    _make_values("reached_channels", "channel_id", "channels.id")
    _make_hook_events()


def _make_reached() -> None:
    op.create_table(
        "reached",
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("ask_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("remark_at", sa.BigInteger(), nullable=True),
        sa.Column("remark_text", sa.Text(), nullable=True),
        sa.Column("remark_url", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "remark_at IS NOT NULL OR (remark_text IS NULL AND remark_url IS NULL)", name=op.f("ck_reached_remark")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_reached_channel_id_channels")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_reached_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_reached")),
    )
    is_followed = sa.text("ask_at IS NOT NULL")
    op.create_index(
        "to_be_asked",
        "reached",
        ["channel_id", "ask_at"],
        unique=False,
        sqlite_where=is_followed,
        postgresql_where=is_followed,
    )


def _make_values(table: str, key: str, of: str) -> None:
    op.create_table(
        table,
        sa.Column(key, _ID, nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("measure <> ''", name=op.f(f"ck_{table}_measure")),
        sa.CheckConstraint("value >= 0", name=op.f(f"ck_{table}_value")),
        sa.ForeignKeyConstraint([key], [of], name=op.f(f"fk_{table}_{key}_{of.partition('.')[0]}")),
        sa.PrimaryKeyConstraint(key, "measure", "at", name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )


def _make_hook_events() -> None:
    op.create_table(
        "hook_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("done_at IS NULL OR body = ''", name=op.f("ck_hook_events_done")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_hook_events_channel_id_channels")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_events")),
        sa.UniqueConstraint("sha256", name=op.f("uq_hook_events_sha256")),
    )
    op.create_index(op.f("ix_hook_events_at"), "hook_events", ["at"], unique=False)
    is_open = sa.text("done_at IS NULL")
    op.create_index(
        "to_be_worked_on", "hook_events", ["id"], unique=False, sqlite_where=is_open, postgresql_where=is_open
    )

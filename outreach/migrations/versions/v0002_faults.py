"""What surviving faults needs: limits of channels, doubts that last, uploads, pre-flights and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    _widen_what_is_there()
    _make_uploads()
    _make_checks()
    _make_alarms()


def _widen_what_is_there() -> None:
    op.add_column("channels", sa.Column("not_before", sa.BigInteger(), nullable=True))
    op.add_column("channels", sa.Column("spaced_until", sa.BigInteger(), nullable=True))
    op.add_column("posts", sa.Column("doubtful_since", sa.BigInteger(), nullable=True))
    op.add_column("attempts", sa.Column("channel_id", _ID, nullable=True))
    op.execute("UPDATE attempts SET channel_id = (SELECT p.channel_id FROM posts p WHERE p.id = attempts.post_id)")
    op.execute(
        "UPDATE posts SET doubtful_since = (SELECT min(a.started_at) FROM attempts a WHERE a.post_id = posts.id"
        " AND a.outcome = 'unconfirmed')"
    )
    op.create_index("of_channel", "attempts", ["channel_id", "started_at"])


def _make_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_uploads_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", "place", name=op.f("pk_uploads")),
    )


def _make_checks() -> None:
    op.create_table(
        "checks",
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_checks_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_checks")),
    )


def _make_alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", _ID, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_told_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("end_told_at IS NULL OR ended_at IS NOT NULL", name=op.f("ck_alarms_end")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_index("by_cause", "alarms", ["cause", "id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index("one_open_alarm", "alarms", ["cause"], unique=True, sqlite_where=is_open, postgresql_where=is_open)

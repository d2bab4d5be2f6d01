"""Posts that a channel's own scheduler is given ahead of their time."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    # In words of its own: a table with a million rows need not be written anew for one column.
    op.execute(
        "ALTER TABLE posts ADD COLUMN handed_over BOOLEAN DEFAULT false NOT NULL"
        " CONSTRAINT ck_posts_handed_over CHECK (NOT handed_over OR state = 'queued')"
    )
    op.create_table(
        "handovers",
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=True),
        sa.Column("again_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('giving', 'given', 'doubtful', 'refused')", name=op.f("ck_handovers_state")),
        sa.CheckConstraint("(state = 'given') = (remote_id IS NOT NULL)", name=op.f("ck_handovers_given")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_handovers_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_handovers")),
    )

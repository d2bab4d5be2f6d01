"""First comments under posts on a Page, each with its own state."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "first_comments",
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("doubted_at", sa.BigInteger(), nullable=True),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clean_looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'posting', 'posted', 'failed', 'in doubt')", name=op.f("ck_first_comments_state")
        ),
        sa.CheckConstraint(
            "(state = 'posting') = (worker IS NOT NULL) AND (state = 'posting') = (lease_until IS NOT NULL)",
            name=op.f("ck_first_comments_lease"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('failed', 'in doubt') OR reason IS NOT NULL", name=op.f("ck_first_comments_reason")
        ),
        sa.CheckConstraint("(state = 'in doubt') = (doubted_at IS NOT NULL)", name=op.f("ck_first_comments_doubt")),
        sa.CheckConstraint("attempt >= 0 AND clean_looks <= looks", name=op.f("ck_first_comments_counts")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_first_comments_post_id_posts")),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_first_comments")),
    )
    _find("comments_to_do", "next_at", "state IN ('waiting', 'posting', 'in doubt')")
    _find("comments_in_trouble", "post_id", "state IN ('failed', 'in doubt')")


def _find(name: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "first_comments", [column], unique=False, sqlite_where=condition, postgresql_where=condition)

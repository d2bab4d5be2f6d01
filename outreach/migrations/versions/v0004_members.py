"""Who is on a list, and who asks to join or to leave; what corrects or retracts what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    _make_members()
    _make_requests()
    _find_requests()
    _make_follows()


def _make_follows() -> None:
    op.create_table(
        "follows",
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("of_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("announcement_id <> of_id", name=op.f("ck_follows_itself")),
        sa.CheckConstraint("kind IN ('correction', 'retraction')", name=op.f("ck_follows_kind")),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_follows_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["of_id"], ["announcements.id"], name=op.f("fk_follows_of_id_announcements")),
        sa.PrimaryKeyConstraint("announcement_id", name=op.f("pk_follows")),
    )
    op.create_index(op.f("ix_follows_of_id"), "follows", ["of_id"], unique=False)


def _make_members() -> None:
    op.create_table(
        "members",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("address <> ''", name=op.f("ck_members_address")),
        sa.CheckConstraint("status IN ('member', 'digest', 'no-mail', 'moderated')", name=op.f("ck_members_status")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_members_channel_id_channels")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("channel_id", "address", name=op.f("uq_members_channel_id_address")),
    )
    op.create_table(
        "rosters",
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_rosters_source")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_rosters_channel_id_channels")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_rosters")),
    )


def _make_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("came_by", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("mail_sha256", sa.Text(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("link_sha256", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("came_by IN ('form', 'mail', 'coordinator')", name=op.f("ck_requests_came_by")),
        sa.CheckConstraint(
            "confirmed_at IS NOT NULL OR state IN ('unconfirmed', 'lapsed', 'declined')",
            name=op.f("ck_requests_consent"),
        ),
        sa.CheckConstraint("kind IN ('join', 'leave')", name=op.f("ck_requests_kind")),
        sa.CheckConstraint(
            "(state IN ('done', 'declined', 'lapsed')) = (settled_at IS NOT NULL)", name=op.f("ck_requests_settled")
        ),
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'waiting', 'accepted', 'done', 'declined', 'lapsed')",
            name=op.f("ck_requests_state"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_requests_channel_id_channels")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_requests_link_sha256")),
        sa.UniqueConstraint("mail_sha256", name=op.f("uq_requests_mail_sha256")),
    )


def _find_requests() -> None:
    is_open = sa.text("state IN ('unconfirmed', 'waiting', 'accepted')")
    op.create_index(
        "open_requests",
        "requests",
        ["channel_id", "address", "kind"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    is_settled = sa.text("settled_at IS NOT NULL")
    op.create_index(
        "settled_requests",
        "requests",
        ["settled_at"],
        unique=False,
        sqlite_where=is_settled,
        postgresql_where=is_settled,
    )

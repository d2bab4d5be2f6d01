"""The page: people and their ways in, tokens and webhooks, approving, versions of templates, the sealed history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply it."""
    _widen_what_is_there()
    _make_the_ways_in()
    _make_what_programs_use()
    _make_webhooks()
    _make_approving()
    _make_what_waits_findable()
    _make_notices()
    _make_versions_and_seals()
    _let_nobody_rewrite_the_history()
    _make_the_history_ready()
    _find_what_a_page_shows()


def _widen_what_is_there() -> None:
    op.add_column("communities", sa.Column("wishes", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("announcements", sa.Column("discarded_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("password", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("password_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("totp", sa.Text(), nullable=True))
    op.add_column("people", sa.Column("totp_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("closed_at", sa.BigInteger(), nullable=True))


def _make_the_ways_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("is_whole", sa.Boolean(create_constraint=True, name="is_whole"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id_people")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "links",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("community_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=True),
        sa.Column("announcement_id", _ID, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("made_by", _ID, nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('first admin', 'invitation', 'reset', 'approval')", name=op.f("ck_links_kind")),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_links_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_links_community_id_communities")),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_links_made_by_people")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_links")),
    )
    op.create_index("links_of_kind", "links", ["kind", "email"], unique=False)
    op.create_table(
        "log_ins",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("is_good", sa.Boolean(create_constraint=True, name="is_good"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_ins")),
    )
    op.create_index("of_address", "log_ins", ["address", "at"], unique=False)
    op.create_index("of_who", "log_ins", ["who", "at"], unique=False)


def _make_what_programs_use() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_tokens_name")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tokens_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_index(op.f("ix_tokens_person_id"), "tokens", ["person_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_answers_token_id_tokens")),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_at"), "answers", ["at"], unique=False)


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("community_id", _ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("made_by", _ID, nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("after_event", _ID, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_webhooks_community_id_communities")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_webhooks_made_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("webhook_id", _ID, nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("done_at IS NULL OR next_at IS NULL", name=op.f("ck_deliveries_done")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name=op.f("fk_deliveries_webhook_id_webhooks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("webhook_id", "event_id", name=op.f("uq_deliveries_webhook_id_event_id")),
    )
    op.create_index(
        "to_be_delivered",
        "deliveries",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _make_approving() -> None:
    op.create_table(
        "seen",
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("before", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("before_revision", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_seen_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_seen_person_id_people")),
        sa.PrimaryKeyConstraint("announcement_id", "person_id", name=op.f("pk_seen")),
    )
    op.create_table(
        "comments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asks_for_changes", sa.Boolean(create_constraint=True, name="asks_for_changes"), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_comments_text")),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_comments_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_comments_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(op.f("ix_comments_announcement_id"), "comments", ["announcement_id"], unique=False)
    op.create_table(
        "presence",
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_presence_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_presence_person_id_people")),
        sa.PrimaryKeyConstraint("announcement_id", "person_id", name=op.f("pk_presence")),
    )


def _make_what_waits_findable() -> None:
    op.add_column("posts", sa.Column("unapproved", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.execute(
        "UPDATE posts SET unapproved = false WHERE EXISTS (SELECT 1 FROM announcements a"
        " WHERE a.id = posts.announcement_id AND a.approved_revision = a.revision)"
    )
    op.create_index(
        "waiting",
        "posts",
        ["channel_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND unapproved"),
        postgresql_where=sa.text("state = 'queued' AND unapproved"),
    )


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("announcement_id", _ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint("told_at IS NULL OR next_at IS NULL", name=op.f("ck_notices_told")),
        sa.CheckConstraint(
            "kind IN ('asks', 'a day before', 'hours before', 'changes', 'approved', 'missed')",
            name=op.f("ck_notices_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name=op.f("fk_notices_announcement_id_announcements")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "announcement_id",
            "revision",
            "person_id",
            "kind",
            "about",
            name=op.f("uq_notices_announcement_id_revision_person_id_kind_about"),
        ),
    )
    op.create_index(
        "to_be_told",
        "notices",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _make_versions_and_seals() -> None:
    op.create_table(
        "template_versions",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("person_id", _ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_template_versions_version")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_template_versions_person_id_people")),
        sa.PrimaryKeyConstraint("file", "version", name=op.f("pk_template_versions")),
    )
    op.create_table(
        "seals",
        sa.Column("id", _ID, nullable=False),
        sa.Column("last_event", _ID, nullable=False),
        sa.Column("last_sighting", _ID, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )


_NEVER = "the history is never rewritten"


def _let_nobody_rewrite_the_history() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(
            "CREATE FUNCTION never_rewritten() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_NEVER}'; END $$"
        )
    for table in ("events", "sightings", "seals"):
        for verb in ("update", "delete"):
            begin = f"CREATE TRIGGER {table}_never_{verb} BEFORE {verb.upper()} ON {table}"
            if is_sqlite:
                op.execute(f"{begin} BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END")
            else:
                op.execute(f"{begin} FOR EACH ROW EXECUTE FUNCTION never_rewritten()")


def _make_the_history_ready() -> None:
    # They are filled by who looks at the history first, and by the worker: a million posts keep no start waiting.
    op.create_table(
        "past",
        sa.Column("key", _ID, autoincrement=False, nullable=False),
        sa.Column("post_id", _ID, nullable=False),
        sa.Column("community_id", _ID, nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), server_default="", nullable=False),
        sa.Column("written_by", _ID, nullable=True),
        sa.Column("approved_by", _ID, nullable=True),
        sa.Column("is_on_time", sa.Boolean(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_past_approved_by_people")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_past_channel_id_channels")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_past_community_id_communities")),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_past_post_id_posts")),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name=op.f("fk_past_written_by_people")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_past")),
        sa.UniqueConstraint("post_id", name=op.f("uq_past_post_id")),
    )
    op.create_index("in_order", "past", ["community_id", "key"], unique=False)
    op.create_table(
        "months",
        sa.Column("community_id", _ID, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("channel_id", _ID, nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_months_channel_id_channels")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_months_community_id_communities")),
        sa.PrimaryKeyConstraint("community_id", "month", "channel_id", "template", "state", name=op.f("pk_months")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX past_words ON past USING gin (array_to_tsvector(string_to_array(words, ' ')))")
        return
    op.execute(
        "CREATE VIRTUAL TABLE past_words USING fts5("
        "words, content='past', content_rowid='key', columnsize=0, prefix='3 4 5', tokenize=\"ascii tokenchars '_'\")"
    )
    op.execute("CREATE TABLE past_lexicon (word TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")


def _find_what_a_page_shows() -> None:
    groups = {
        "open_questions": "'unconfirmed', 'held'",
        "at_a_bad_rest": "'failed', 'missed'",
        "went_out": "'published', 'retracted'",
    }
    for name, states in groups.items():
        are = sa.text(f"state IN ({states})")
        columns = ["channel_id", "due_at", "id"]
        op.create_index(name, "posts", columns, unique=False, sqlite_where=are, postgresql_where=are)

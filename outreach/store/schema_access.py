"""The tables of the doors: sessions, links, tokens and webhooks; what people saw, said and wrote about announcements."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from outreach.model import NoticeKind
from outreach.store.columns import Id, Instant, id_column, metadata, one_of

# Getting in. What opens a door is kept as its SHA-256 only.

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("agent", Text, nullable=False, server_default=""),
    # Whether the second factor was given, where the person has one.
    Column("is_whole", Boolean(create_constraint=True, name="is_whole"), nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("sha256", Text, primary_key=True),
    # What a link of one community opens, it opens there alone.
    Column("community_id", Id, ForeignKey("communities.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("email", Text),
    Column("roles", JSON),
    Column("announcement_id", Id, ForeignKey("announcements.id")),
    Column("revision", Integer),
    Column("made_by", Id, ForeignKey("people.id")),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("used_at", Instant),
    CheckConstraint(one_of("kind", ("first admin", "invitation", "reset", "approval")), name="kind"),
    Index("links_of_kind", "kind", "email"),
)

log_ins = Table(
    "log_ins",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("is_good", Boolean(create_constraint=True, name="is_good"), nullable=False),
    Index("of_who", "who", "at"),
    Index("of_address", "address", "at"),
)

# Programs

tokens = Table(
    "tokens",
    metadata,
    id_column(),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("ends_at", Instant),
    Column("revoked_at", Instant),
    CheckConstraint("name <> ''", name="name"),
)

# What a POST with an Idempotency-Key was answered. No status: it is being worked on.
answers = Table(
    "answers",
    metadata,
    Column("token_id", Id, ForeignKey("tokens.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    # When somebody last began to work on it: another who repeats it after a crash takes it over.
    Column("taken_at", Instant, nullable=False),
    Column("status", Integer),
    # Encrypted: an answer may hold a link or a secret that opens something.
    Column("body", Text),
)

webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    Column("community_id", Id, ForeignKey("communities.id"), nullable=False),
    Column("url", Text, nullable=False),
    # Encrypted with the secret of the install: it signs, so it cannot be kept as a hash.
    Column("secret", Text, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("made_by", Id, ForeignKey("people.id")),
    Column("made_at", Instant, nullable=False),
    # Events up to this one are dealt with.
    Column("after_event", Id, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", Text),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("webhook_id", Id, ForeignKey("webhooks.id"), nullable=False),
    Column("event_id", Id, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("status", Integer),
    Column("trouble", Text),
    Column("done_at", Instant),
    UniqueConstraint("webhook_id", "event_id"),
    CheckConstraint("done_at IS NULL OR next_at IS NULL", name="done"),
    Index("to_be_delivered", "next_at", info={"where": "next_at IS NOT NULL"}),
)

# Approving

seen = Table(
    "seen",
    metadata,
    Column("announcement_id", Id, ForeignKey("announcements.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    # The hash of what each post sent in the revision seen last, and in the one seen before it, by the post's number.
    Column("shown", JSON, nullable=False, server_default=text("'{}'")),
    Column("before", JSON, nullable=False, server_default=text("'{}'")),
    Column("before_revision", Integer),
)

# What a person was or has to be told by mail about an approval, once for each `about`: a comment, or an instant that a
# post is due. It is tried at `next_at`; what is neither told nor to be tried was given up, or nobody needs it any more.
notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("announcement_id", Id, ForeignKey("announcements.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", BigInteger, nullable=False, server_default="0"),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("told_at", Instant),
    Column("trouble", Text),
    UniqueConstraint("announcement_id", "revision", "person_id", "kind", "about"),
    CheckConstraint("told_at IS NULL OR next_at IS NULL", name="told"),
    CheckConstraint(one_of("kind", NoticeKind), name="kind"),
    Index("to_be_told", "next_at", info={"where": "next_at IS NOT NULL"}),
)

comments = Table(
    "comments",
    metadata,
    id_column(),
    Column("announcement_id", Id, ForeignKey("announcements.id"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("asks_for_changes", Boolean(create_constraint=True, name="asks_for_changes"), nullable=False),
    CheckConstraint("text <> ''", name="text"),
)

# Who has an announcement open for writing right now.
presence = Table(
    "presence",
    metadata,
    Column("announcement_id", Id, ForeignKey("announcements.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    Column("at", Instant, nullable=False),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("file", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("person_id", Id, ForeignKey("people.id")),
    Column("at", Instant, nullable=False),
    CheckConstraint("version >= 1", name="version"),
)

# The chain over the history: each seal covers what was written since the one before, and that one's hash.
seals = Table(
    "seals",
    metadata,
    id_column(),
    Column("last_event", Id, nullable=False),
    Column("last_sighting", Id, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    # The first digits of the hash of each entry: they prove nothing, but find the one that was changed.
    Column("marks", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

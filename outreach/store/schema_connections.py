"""The tables of connected Pages: whose token a channel publishes with, dialogs that are open, and what people saw of posts."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, Table, Text

from outreach.store.columns import Id, Instant, id_column, metadata, one_of

ANSWERS = ("yes", "no", "not yet")

connections = Table(
    "connections",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("page_id", Text, nullable=False),
    Column("page_name", Text, nullable=False),
    # The Page's token, encrypted with OUTREACH_SECRET_KEY.
    Column("sealed", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    # Our person, by their address, and who they are on Facebook.
    Column("person", Text, nullable=False),
    Column("facebook_id", Text, nullable=False),
    Column("facebook_name", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("data_access_expires_at", Instant),
    CheckConstraint("page_id <> ''", name="page_id"),
    CheckConstraint("sealed <> ''", name="sealed"),
)

# A log-in on Facebook that a person began here: its `state` is kept as a hash, the person's token encrypted until the
# Page is chosen, and never longer than the dialog lasts.
dialogs = Table(
    "dialogs",
    metadata,
    id_column(),
    Column("state_sha256", Text, nullable=False, unique=True),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("session", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("sealed", Text),
    CheckConstraint("ends_at > begun_at", name="end"),
    CheckConstraint("sealed IS NULL OR answered_at IS NOT NULL", name="sealed"),
    Index("dialogs_by_end", "ends_at"),
)

# Whether a person who is not logged in sees the Page's posts: an app that is not Live publishes what the public cannot see.
visibility = Table(
    "visibility",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("page_id", Text, primary_key=True),
    Column("app_id", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("permalink", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Instant, nullable=False),
    CheckConstraint(one_of("answer", ANSWERS), name="answer"),
)

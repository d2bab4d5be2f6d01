"""The tables of how far posts reached, and of what a Page's webhook told; nothing that queues or publishes needs them."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text

from outreach.store.columns import Id, Instant, id_column, metadata

# A post whose figures are followed, until `ask_at` is empty for good.
reached = Table(
    "reached",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("ask_at", Instant),
    Column("asked_at", Instant),
    # The latest comment: its beginning and its address.
    Column("remark_at", Instant),
    Column("remark_text", Text),
    Column("remark_url", Text),
    CheckConstraint("remark_at IS NOT NULL OR (remark_text IS NULL AND remark_url IS NULL)", name="remark"),
    Index("to_be_asked", "channel_id", "ask_at", info={"where": "ask_at IS NOT NULL"}),
)

# One number of each hour, day or week in which it changed.
reached_values = Table(
    "reached_values",
    metadata,
    Column("post_id", Id, ForeignKey("reached.post_id"), primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("measure <> ''", name="measure"),
    CheckConstraint("value >= 0", name="value"),
    sqlite_with_rowid=False,
)

reached_channels = Table(
    "reached_channels",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("measure <> ''", name="measure"),
    CheckConstraint("value >= 0", name="value"),
    sqlite_with_rowid=False,
)

# What a webhook told, before anything is made of it. The body goes once it was worked on; its hash stays for a while, so
# that the same told again is recognised.
hook_events = Table(
    "hook_events",
    metadata,
    id_column(),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("done_at", Instant),
    CheckConstraint("done_at IS NULL OR body = ''", name="done"),
    Index("to_be_worked_on", "id", info={"where": "done_at IS NULL"}),
    Index(None, "at"),
)

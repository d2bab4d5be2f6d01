"""The table of posts that a channel's own scheduler is given ahead of their time, and of what is known of each there.

`posts.handed_over` says the same in one column of the post itself, so that whoever takes, changes or gives up a post sees it
in the very row that they change.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, Text

from outreach.store.columns import Id, Instant, metadata, one_of

STATES = ("giving", "given", "doubtful", "refused")

handovers = Table(
    "handovers",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("state", Text, nullable=False),
    # The intent: what was given, for which instant, and when.
    Column("content_sha256", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    # What the channel calls it.
    Column("remote_id", Text),
    # How often it was looked for in vain, and when it was last; for one that was refused, when it may be tried again.
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("looked_at", Instant),
    Column("again_at", Instant),
    CheckConstraint(one_of("state", STATES), name="state"),
    CheckConstraint("(state = 'given') = (remote_id IS NOT NULL)", name="given"),
)

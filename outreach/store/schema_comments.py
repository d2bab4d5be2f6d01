"""The table of first comments: one row for each post that is to get one, with a state of its own beside that of its post."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from outreach.extras import CommentState
from outreach.store.columns import Id, Instant, metadata, one_of

first_comments = Table(
    "first_comments",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("worker", Text),
    Column("lease_until", Instant),
    # When it is next to be made or, in doubt, looked for; NULL: a person has to say, or nothing is left to do.
    Column("next_at", Instant),
    Column("doubted_at", Instant),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("clean_looks", Integer, nullable=False, server_default="0"),
    Column("remote_id", Text),
    Column("reason", Text),
    CheckConstraint(one_of("state", CommentState), name="state"),
    CheckConstraint(
        "(state = 'posting') = (worker IS NOT NULL) AND (state = 'posting') = (lease_until IS NOT NULL)", name="lease"
    ),
    CheckConstraint("state NOT IN ('failed', 'in doubt') OR reason IS NOT NULL", name="reason"),
    CheckConstraint("(state = 'in doubt') = (doubted_at IS NOT NULL)", name="doubt"),
    CheckConstraint("attempt >= 0 AND clean_looks <= looks", name="counts"),
    # Few, and found among a million: those that are not at rest.
    Index("comments_to_do", "next_at", info={"where": "state IN ('waiting', 'posting', 'in doubt')"}),
    Index("comments_in_trouble", "post_id", info={"where": "state IN ('failed', 'in doubt')"}),
)

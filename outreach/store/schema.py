"""The tables, with a CHECK or a UNIQUE for every promise that one row or two can break."""

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

from outreach.model import FollowKind, State
from outreach.store import schema_access as access
from outreach.store import schema_comments as commenting
from outreach.store import schema_connections as connecting
from outreach.store import schema_handovers as ahead
from outreach.store import schema_members as membership
from outreach.store import schema_past as looking_back
from outreach.store import schema_reached as reaching
from outreach.store import schema_usage as using
from outreach.store import schema_weekly as each_week
from outreach.store.columns import Id, Instant, id_column, metadata, one_of

__all__ = [
    "Instant",
    "access",
    "ahead",
    "commenting",
    "connecting",
    "each_week",
    "looking_back",
    "membership",
    "metadata",
    "reaching",
    "using",
]

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

communities = Table(
    "communities",
    metadata,
    id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("time_zone", Text, nullable=False),
    Column("approval", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    # What the community wishes of the page: quiet hours, country, as `outreach.wishes` reads it.
    Column("wishes", JSON, nullable=False, server_default=text("'{}'")),
    CheckConstraint(one_of("approval", ("off", "required")), name="approval"),
)

people = Table(
    "people",
    metadata,
    id_column(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    # An argon2 hash, and an encrypted secret of one-time codes with the step of the last code that was taken.
    Column("password", Text),
    Column("password_at", Instant),
    Column("totp", Text),
    Column("totp_at", Instant),
    Column("totp_step", BigInteger),
    Column("closed_at", Instant),
    CheckConstraint("email <> ''", name="email"),
)

roles = Table(
    "roles",
    metadata,
    Column("community_id", Id, ForeignKey("communities.id"), primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), primary_key=True),
    Column(
        "role",
        Text,
        primary_key=True,
    ),
    CheckConstraint(one_of("role", ("coordinator", "approver", "reviewer", "admin")), name="role"),
)

channels = Table(
    "channels",
    metadata,
    id_column(),
    Column("community_id", Id, ForeignKey("communities.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("until", Instant),
    Column("paused_by", Text),
    # A keyed hash of the settings it was built from: when they change, a pause that the old ones caused is over.
    Column("fingerprint", Text, nullable=False),
    # Set with a claim and so shared by all workers: before the first nothing goes out, before the second nothing late.
    Column("not_before", Instant),
    Column("spaced_until", Instant),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("community_id", "name"),
    CheckConstraint("(state = 'paused') = (reason IS NOT NULL)", name="reason"),
    CheckConstraint("state = 'paused' OR until IS NULL", name="until"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(one_of("state", ("ready", "paused")), name="state"),
)

announcements = Table(
    "announcements",
    metadata,
    id_column(),
    Column("community_id", Id, ForeignKey("communities.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("approved_revision", Integer),
    Column("approved_by", Id, ForeignKey("people.id")),
    # The title without its letter case, to find another that a list server could not tell from it.
    Column("title_key", Text, nullable=False, server_default=""),
    # What it says, and the whole letter: the second of two equal letters is recognised by a UNIQUE, not by a look.
    Column("said", Text, nullable=False),
    Column("letter_key", Text),
    Column("created_at", Instant, nullable=False),
    # A draft that nobody wants any more. What has posts is never discarded.
    Column("discarded_at", Instant),
    UniqueConstraint("community_id", "letter_key"),
    CheckConstraint("approved_revision <= revision", name="approved_revision"),
    Index(None, "community_id", "said"),
    Index(None, "community_id", "title_key"),
    CheckConstraint("title <> ''", name="title"),
    CheckConstraint("revision >= 1", name="revision"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("announcement_id", Id, ForeignKey("announcements.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("letter", Text, nullable=False),
    Column("person_id", Id, ForeignKey("people.id")),
    Column("at", Instant, nullable=False),
)

# A correction or a retraction, and the announcement that it is of.
follows = Table(
    "follows",
    metadata,
    Column("announcement_id", Id, ForeignKey("announcements.id"), primary_key=True),
    Column("of_id", Id, ForeignKey("announcements.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    CheckConstraint(one_of("kind", FollowKind), name="kind"),
    CheckConstraint("announcement_id <> of_id", name="itself"),
)

media = Table(
    "media",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    id_column(),
    Column("announcement_id", Id, ForeignKey("announcements.id"), nullable=False),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("occurrence", Integer, nullable=False, server_default="1"),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("miss_at", Instant, nullable=False),
    Column("wall_time", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("paused", Boolean(create_constraint=True, name="paused"), nullable=False, server_default=text("false")),
    Column("content_sha256", Text, nullable=False),
    Column("worker", Text),
    Column("lease_until", Instant),
    Column("remote_id", Text),
    Column("url", Text),
    Column("message_id", Text),
    Column("reason", Text),
    Column("doubted_at", Instant),
    Column("look_at", Instant),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("clean_looks", Integer, nullable=False, server_default="0"),
    # Start of the earliest attempt that may have arrived: no later answer takes that back, only a person or a find does.
    Column("doubtful_since", Instant),
    # Whether nobody approved its announcement as it is now. It follows from the announcement, which alone decides what may
    # go out; it stands here only so that an index finds what waits among a million posts that do not.
    Column("unapproved", Boolean, nullable=False, server_default=text("true")),
    # Whether the channel's own scheduler has it, or may have it: then no worker takes it and nobody changes it here.
    Column("handed_over", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("announcement_id", "channel_id", "occurrence"),
    CheckConstraint("NOT handed_over OR state = 'queued'", name="handed_over"),
    CheckConstraint(
        "(state = 'publishing') = (worker IS NOT NULL) AND (state = 'publishing') = (lease_until IS NOT NULL)",
        name="lease",
    ),
    CheckConstraint(
        "state NOT IN ('published', 'held', 'retracted') OR remote_id IS NOT NULL OR message_id IS NOT NULL"
        " OR url IS NOT NULL",
        name="evidence",
    ),
    CheckConstraint("state NOT IN ('failed', 'missed', 'unconfirmed') OR reason IS NOT NULL", name="reason"),
    CheckConstraint("(state = 'unconfirmed') = (doubted_at IS NOT NULL)", name="doubt"),
    CheckConstraint("state = 'unconfirmed' OR look_at IS NULL", name="look"),
    CheckConstraint("attempt >= 0 AND occurrence >= 1 AND clean_looks <= looks", name="counts"),
    CheckConstraint("attempt > 0 OR state IN ('queued', 'missed', 'cancelled')", name="attempted"),
    # Partial indexes: the condition is in `info` and applied by the migrations, since naming a dialect here would load it
    # at every start. The states are literals: PostgreSQL uses such an index only for a query that says the same.
    Index(
        "due",
        "channel_id",
        "due_at",
        "id",
        info={"where": "state = 'queued'"},
    ),
    Index("missing", "miss_at", info={"where": "state = 'queued'"}),
    Index("waiting", "channel_id", "due_at", "id", info={"where": "state = 'queued' AND unapproved"}),
    # What needs a person, for the page: few, and found among a million.
    Index("open_questions", "channel_id", "due_at", "id", info={"where": "state IN ('unconfirmed', 'held')"}),
    Index("at_a_bad_rest", "channel_id", "due_at", "id", info={"where": "state IN ('failed', 'missed')"}),
    # What went out, in the order it was due, for the calendar.
    Index("went_out", "channel_id", "due_at", "id", info={"where": "state IN ('published', 'retracted')"}),
    Index(
        "one_in_flight",
        "channel_id",
        unique=True,
        info={"where": "state = 'publishing'"},
    ),
    # Whose answer, and whose calendar file, is asked for.
    Index("mailed", "message_id", info={"where": "message_id IS NOT NULL"}),
    Index(
        "doubtful",
        "look_at",
        info={"where": "state = 'unconfirmed'"},
    ),
    Index(
        "one_of_each",
        "channel_id",
        "remote_id",
        unique=True,
        info={"where": "remote_id IS NOT NULL"},
    ),
    CheckConstraint(one_of("state", State), name="state"),
)

contents = Table(
    "contents",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    # The text apart, so that the history can be searched; link, pictures and a mail's message in the body.
    Column("text", Text, nullable=False),
    Column("body", JSON, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text),
    Column("reason", Text),
    Column("evidence", JSON(none_as_null=True)),
    # That of its post, once more, so that the attempts of a channel are counted without looking at its posts.
    Column("channel_id", Id),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
    Index("of_channel", "channel_id", "started_at"),
    Index(
        "one_open_attempt",
        "post_id",
        unique=True,
        info={"where": "ended_at IS NULL"},
    ),
    CheckConstraint("number >= 1", name="number"),
    # No row number: one tree less to write for every attempt.
    sqlite_with_rowid=False,
)

sightings = Table(
    "sightings",
    metadata,
    id_column(),
    Column("post_id", Id, ForeignKey("posts.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("seen_by", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("post_id", Id, ForeignKey("posts.id")),
    Column("announcement_id", Id, ForeignKey("announcements.id")),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("attempt", Integer),
    Column("person", Text),
    Column("note", Text),
    Index(
        "of_post",
        "post_id",
        "id",
        info={"where": "post_id IS NOT NULL"},
    ),
    Index(
        "of_announcement",
        "announcement_id",
        info={"where": "announcement_id IS NOT NULL"},
    ),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

# What was uploaded unseen for a post, so that a crash between upload and post wastes nothing.
uploads = Table(
    "uploads",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# What the latest pre-flight of a queued post found; `problems` is a list of [message, next step].
checks = Table(
    "checks",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("problems", JSON, nullable=False),
)

# What a person was or has to be told. `cause` names the trouble; there is one open alarm for each cause.
alarms = Table(
    "alarms",
    metadata,
    id_column(),
    Column("cause", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("next_step", Text, nullable=False, server_default=""),
    Column("raised_at", Instant, nullable=False),
    Column("told_at", Instant),
    Column("ended_at", Instant),
    Column("end_told_at", Instant),
    CheckConstraint("end_told_at IS NULL OR ended_at IS NOT NULL", name="end"),
    Index("one_open_alarm", "cause", unique=True, info={"where": "ended_at IS NULL"}),
    Index("by_cause", "cause", "id"),
)

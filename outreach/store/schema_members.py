"""The tables of lists' members: who is on a list, as far as that was imported, and who asks to join or to leave.

They alone hold personal data of people who have no account here. All of it can be erased: the history names a request by
its number, never by an address.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from outreach.joining import CameBy, RequestKind, RequestState
from outreach.roster import MemberStatus
from outreach.store.columns import Id, Instant, id_column, metadata, one_of

members = Table(
    "members",
    metadata,
    id_column(),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    # In lower case.
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("since", Instant, nullable=False),
    UniqueConstraint("channel_id", "address"),
    CheckConstraint("address <> ''", name="address"),
    CheckConstraint(one_of("status", MemberStatus), name="status"),
)

rosters = Table(
    "rosters",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    # What it was imported from, in words.
    Column("source", Text, nullable=False),
    CheckConstraint("source <> ''", name="source"),
)

requests = Table(
    "requests",
    metadata,
    id_column(),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("came_by", Text, nullable=False),
    # Empty once they were erased.
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("words", Text, nullable=False, server_default=""),
    # Of the mail that it came by: the same mail read again is no second request.
    Column("mail_sha256", Text, unique=True),
    Column("made_at", Instant, nullable=False),
    # The SHA-256 of what the consent link opens with; the link itself is kept nowhere.
    Column("link_sha256", Text, nullable=False, unique=True),
    Column("ends_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("settled_at", Instant),
    Column("decided_by", Text),
    # What was done about it, or what the list server answered, in words.
    Column("note", Text),
    CheckConstraint(one_of("kind", RequestKind), name="kind"),
    CheckConstraint(one_of("state", RequestState), name="state"),
    CheckConstraint(one_of("came_by", CameBy), name="came_by"),
    # Nobody is put on a list, or taken off, whose own link was not opened.
    CheckConstraint("confirmed_at IS NOT NULL OR state IN ('unconfirmed', 'lapsed', 'declined')", name="consent"),
    CheckConstraint("(state IN ('done', 'declined', 'lapsed')) = (settled_at IS NOT NULL)", name="settled"),
    Index(
        "open_requests",
        "channel_id",
        "address",
        "kind",
        unique=True,
        info={"where": "state IN ('unconfirmed', 'waiting', 'accepted')"},
    ),
    Index("settled_requests", "settled_at", info={"where": "settled_at IS NOT NULL"}),
)

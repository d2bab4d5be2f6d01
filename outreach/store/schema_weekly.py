"""The tables of the weekly mail: the drafts that wait for it, and the mails that were put together of such."""

from sqlalchemy import Column, ForeignKey, Table, Text

from outreach.store.columns import Id, Instant, metadata

weekly_items = Table(
    "weekly_items",
    metadata,
    Column("announcement_id", Id, ForeignKey("announcements.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("person", Text),
)

weekly_mails = Table(
    "weekly_mails",
    metadata,
    # One for each instant, whatever crashes: the items leave the drafts in the transaction that writes this down.
    Column("community_id", Id, ForeignKey("communities.id"), primary_key=True),
    Column("due_at", Instant, primary_key=True),
    Column("announcement_id", Id, ForeignKey("announcements.id"), nullable=False),
)

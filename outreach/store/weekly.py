"""The weekly mail: which drafts wait for it, and which announcement was made of them for which instant."""

from datetime import datetime

from sqlalchemy import delete, select

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import announcements, posts
from outreach.store.schema_weekly import weekly_items, weekly_mails

_HAS_POSTS = select(posts.c.id).where(posts.c.announcement_id == announcements.c.id).exists()


def mark(tx: Transaction, number: int, *, person: str | None, now: datetime) -> None:
    """Let a draft wait for the weekly mail; one that does already keeps its place."""
    insert_once(tx, weekly_items, {"announcement_id": number, "at": now, "person": person})


def unmark(tx: Transaction, number: int) -> None:
    """Let it wait no more."""
    tx.execute(delete(weekly_items).where(weekly_items.c.announcement_id == number))


def marked(tx: Transaction, community_id: int) -> list[tuple[int, datetime]]:
    """Give the drafts that wait, and since when, in the order in which they were marked."""
    query = (
        select(announcements.c.id, weekly_items.c.at)
        .join(weekly_items, weekly_items.c.announcement_id == announcements.c.id)
        .where(announcements.c.community_id == community_id, announcements.c.discarded_at.is_(None), ~_HAS_POSTS)
        .order_by(weekly_items.c.at, announcements.c.id)
    )
    return [(row[0], row[1]) for row in tx.execute(query)]


def mail_for(tx: Transaction, community_id: int, due_at: datetime) -> int | None:
    """Give the announcement that was made for an instant, if one was."""
    wanted = weekly_mails.c.community_id == community_id, weekly_mails.c.due_at == due_at
    found: int | None = tx.execute(select(weekly_mails.c.announcement_id).where(*wanted)).scalar()
    return found


def note_mail(tx: Transaction, community_id: int, due_at: datetime, number: int) -> bool:
    """Write down which announcement is the mail of an instant; give whether it was the first to be."""
    row = {"community_id": community_id, "due_at": due_at, "announcement_id": number}
    return insert_once(tx, weekly_mails, row)


def not_queued(tx: Transaction, *, since: datetime, made_before: datetime) -> list[tuple[int, str, datetime]]:
    """Give the mails due after an instant that are drafts still: the number, the title, and when each was to go out.

    One `made_before` that instant: just now it is about to be queued.
    """
    query = (
        select(announcements.c.id, announcements.c.title, weekly_mails.c.due_at)
        .join(weekly_mails, weekly_mails.c.announcement_id == announcements.c.id)
        .where(weekly_mails.c.due_at >= since, announcements.c.created_at < made_before)
        .where(announcements.c.discarded_at.is_(None), ~_HAS_POSTS)
        .order_by(weekly_mails.c.due_at)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]

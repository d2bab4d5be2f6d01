"""Approving, as it is kept: what each approver last saw, what they said about it, and who is writing right now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update

from outreach.model import Post
from outreach.store.announcements import person_id
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import APPROVED, SELECT_POSTS, as_post
from outreach.store.schema import announcements, communities, events, people
from outreach.store.schema_access import comments, presence, seen


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about one revision of an announcement."""

    id: int
    revision: int
    person: str
    at: datetime
    text: str
    asks_for_changes: bool


def waiting(tx: Transaction, community_id: int) -> list[Post]:
    """Give the queued posts whose announcement nobody approved as it is now, next due first."""
    query = SELECT_POSTS.where(text("posts.state = 'queued'"), ~APPROVED, communities.c.id == community_id)
    return [as_post(row) for row in tx.execute(query.order_by(text("posts.due_at, posts.id")))]


def last_seen(tx: Transaction, number: int, person: str) -> int | None:
    """Give the revision of an announcement that a person last saw."""
    query = select(seen.c.revision).join(people, people.c.id == seen.c.person_id)
    return tx.execute(query.where(seen.c.announcement_id == number, people.c.email == person)).scalar()


def saw(tx: Transaction, number: int, revision: int, *, person: str, now: datetime) -> None:
    """Write down which revision a person saw."""
    who = person_id(tx, person, now)
    values = {"revision": revision, "at": now}
    of_them = seen.c.announcement_id == number, seen.c.person_id == who
    if tx.execute(update(seen).where(*of_them).values(**values)).rowcount != 1:
        insert_once(tx, seen, {"announcement_id": number, "person_id": who} | values)


def add_comment(tx: Transaction, number: int, said: Comment) -> None:
    """Keep what a person said; asking for changes is told in the history."""
    values: dict[str, Any] = {"announcement_id": number, "person_id": person_id(tx, said.person, said.at)}
    values |= {"revision": said.revision, "at": said.at, "text": said.text, "asks_for_changes": said.asks_for_changes}
    tx.execute(insert(comments).values(**values))
    kind = "ask for changes" if said.asks_for_changes else "comment"
    row = {"at": said.at, "kind": kind, "announcement_id": number, "person": said.person}
    tx.execute(insert(events), row | {"note": f"revision {said.revision}: {said.text}"})


def comments_on(tx: Transaction, number: int) -> list[Comment]:
    """Give everything said about an announcement, oldest first."""
    query = (
        select(
            comments.c.id,
            comments.c.revision,
            people.c.email,
            comments.c.at,
            comments.c.text,
            comments.c.asks_for_changes,
        )
        .join(people, people.c.id == comments.c.person_id)
        .where(comments.c.announcement_id == number)
        .order_by(comments.c.id)
    )
    return [Comment(*row) for row in tx.execute(query)]


def withdraw_approval(tx: Transaction, number: int) -> None:
    """Take an approval back: nothing of the announcement goes out until it is approved again."""
    tx.execute(
        update(announcements).where(announcements.c.id == number).values(approved_revision=None, approved_by=None)
    )


# Who is writing


def is_writing(tx: Transaction, number: int, *, person: str, now: datetime) -> None:
    """Note that a person has an announcement open for writing."""
    who = person_id(tx, person, now)
    of_them = presence.c.announcement_id == number, presence.c.person_id == who
    if tx.execute(update(presence).where(*of_them).values(at=now)).rowcount != 1:
        insert_once(tx, presence, {"announcement_id": number, "person_id": who, "at": now})


def writing_since(tx: Transaction, number: int, since: datetime) -> list[str]:
    """Give who had an announcement open for writing at or after an instant."""
    query = select(people.c.email).join(presence, presence.c.person_id == people.c.id)
    query = query.where(presence.c.announcement_id == number, presence.c.at >= since)
    return list(tx.execute(query.order_by(people.c.email)).scalars())

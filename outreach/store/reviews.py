"""Approving, as it is kept: what each approver last saw, what they said about it, and who is writing right now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from outreach.store.announcements import person_id
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import announcements, events, people, posts
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


OF_A_COMMENT = (
    comments.c.id,
    comments.c.revision,
    people.c.email,
    comments.c.at,
    comments.c.text,
    comments.c.asks_for_changes,
)
"""The columns of a `Comment`, in its order."""


def last_seen(tx: Transaction, number: int, person: str) -> int | None:
    """Give the revision of an announcement that a person last saw."""
    query = select(seen.c.revision).join(people, people.c.id == seen.c.person_id)
    return tx.execute(query.where(seen.c.announcement_id == number, people.c.email == person)).scalar()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person saw: a revision with the hash of what each post sent then, and the revision seen before that one."""

    revision: int
    shown: Mapping[int, str]
    before_revision: int | None
    before: Mapping[int, str]


def seen_by(tx: Transaction, number: int, person: str) -> Seen | None:
    """Give what a person saw of an announcement, if anything."""
    query = select(seen.c.revision, seen.c.shown, seen.c.before_revision, seen.c.before)
    query = query.join(people, people.c.id == seen.c.person_id)
    row = tx.execute(query.where(seen.c.announcement_id == number, people.c.email == person)).first()
    return Seen(row[0], _by_number(row[1]), row[2], _by_number(row[3])) if row else None


def saw(
    tx: Transaction, number: int, revision: int, *, person: str, now: datetime, shown: Mapping[int, str] | None = None
) -> None:
    """Write down which revision a person saw; `shown` are the hashes by post, else those of now. An older one is passed over."""
    who, was = person_id(tx, person, now), seen_by(tx, number, person)
    if was is not None and was.revision >= revision:
        return
    hashes = {str(post): sha256 for post, sha256 in (_hashes(tx, number) if shown is None else shown).items()}
    values: dict[str, Any] = {"revision": revision, "at": now, "shown": hashes}
    if was is None:
        insert_once(tx, seen, {"announcement_id": number, "person_id": who} | values)
        return
    values |= {"before_revision": was.revision, "before": {str(p): sha256 for p, sha256 in was.shown.items()}}
    of_them = seen.c.announcement_id == number, seen.c.person_id == who, seen.c.revision == was.revision
    tx.execute(update(seen).where(*of_them).values(**values))


def _by_number(kept: Mapping[str, str] | None) -> dict[int, str]:
    return {int(post): sha256 for post, sha256 in (kept or {}).items()}


def _hashes(tx: Transaction, number: int) -> dict[int, str]:
    query = select(posts.c.id, posts.c.content_sha256).where(posts.c.announcement_id == number)
    return {row[0]: row[1] for row in tx.execute(query)}


def add_comment(tx: Transaction, number: int, said: Comment) -> int:
    """Keep what a person said, also in the history; give the number of the comment."""
    values: dict[str, Any] = {"announcement_id": number, "person_id": person_id(tx, said.person, said.at)}
    values |= {"revision": said.revision, "at": said.at, "text": said.text, "asks_for_changes": said.asks_for_changes}
    added = int(tx.execute(insert(comments).values(**values).returning(comments.c.id)).scalar_one())
    kind = "ask for changes" if said.asks_for_changes else "comment"
    row = {"at": said.at, "kind": kind, "announcement_id": number, "person": said.person}
    tx.execute(insert(events), row | {"note": f"revision {said.revision}: {said.text}"})
    return added


def comments_on(tx: Transaction, number: int) -> list[Comment]:
    """Give everything said about an announcement, oldest first."""
    query = (
        select(*OF_A_COMMENT)
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
    tx.execute(update(posts).where(posts.c.announcement_id == number).values(unapproved=True))


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

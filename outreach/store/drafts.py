"""What is being written: drafts, which are announcements without posts, and the revisions of every announcement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from outreach.lifecycle import IllegalMove
from outreach.model import Move, Post, sha256_of_json
from outreach.store import first_comments, moves
from outreach.store.announcements import IS_LATEST, Author, NewAnnouncement, NewPost, person_id, queue_one
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import content_row
from outreach.store.schema import announcements, contents, events, people, posts, revisions
from outreach.store.schema_access import comments

ONE_SITTING = timedelta(hours=1)
"""For so long what one person saves of a draft replaces what the same person saved before."""


@dataclass(frozen=True, slots=True)
class Version:
    """What an announcement says as of one revision, who wrote it and when."""

    announcement: int
    revision: int
    letter: str
    person: str | None
    at: datetime
    is_discarded: bool = False

    @property
    def key(self) -> str:
        """Name this very text of this very revision: who saves on top of it names it."""
        return f"{self.revision}-{sha256_of_json([self.letter])[:16]}"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A post that is to send something else, or at another time: `was` as it was read, `new` as it is to be."""

    was: Post
    new: NewPost


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit does to the posts of an announcement."""

    rewritten: Sequence[Rewritten] = ()
    added: Sequence[NewPost] = ()
    dropped: Sequence[Post] = ()


_SELECT = (
    select(
        revisions.c.announcement_id,
        revisions.c.revision,
        revisions.c.letter,
        people.c.email,
        revisions.c.at,
        announcements.c.discarded_at.is_not(None),
    )
    .join(announcements, announcements.c.id == revisions.c.announcement_id)
    .outerjoin(people, people.c.id == revisions.c.person_id)
)


def latest(tx: Transaction, community_id: int, number: int) -> Version | None:
    """Give what an announcement of the community says now."""
    return latest_of(tx, community_id, [number]).get(number)


def latest_of(tx: Transaction, community_id: int, numbers: Sequence[int], *, saying: str = "") -> dict[int, Version]:
    """Give what these announcements say now, those that the community has and whose letter has `saying` in it."""
    if not numbers:
        return {}
    # By the numbers, which are few: SQLite would rather go through all of the community, were it not for the sum.
    query = _SELECT.where(announcements.c.id.in_(numbers), announcements.c.community_id + 0 == community_id)
    if saying:
        query = query.where(revisions.c.letter.contains(saying, autoescape=True))
    rows = tx.execute(query.where(revisions.c.revision == announcements.c.revision)).all()
    return {row[0]: Version(*row) for row in rows}


def versions(tx: Transaction, number: int) -> list[Version]:
    """Give every revision of an announcement, oldest first."""
    query = _SELECT.where(announcements.c.id == number).order_by(revisions.c.revision)
    return [Version(*row) for row in tx.execute(query)]


def of_community(tx: Transaction, community_id: int, *, limit: int = 200) -> list[dict[str, Any]]:
    """Give the drafts, latest touched first: `id`, `title`, `revised_at`, `written_by`."""
    query = (
        select(announcements.c.id, announcements.c.title, revisions.c.at.label("revised_at"), people.c.email)
        .join(revisions, IS_LATEST)
        .outerjoin(people, people.c.id == revisions.c.person_id)
        .where(announcements.c.community_id == community_id, announcements.c.discarded_at.is_(None))
        .where(~select(posts.c.id).where(posts.c.announcement_id == announcements.c.id).exists())
        .order_by(revisions.c.at.desc(), announcements.c.id.desc())
        .limit(limit)
    )
    return [{"id": row[0], "title": row[1], "revised_at": row[2], "written_by": row[3]} for row in tx.execute(query)]


def begin(tx: Transaction, new: NewAnnouncement, now: datetime) -> int:
    """Write a new draft down and give its number. Equal drafts may stand beside each other."""
    values = {"community_id": new.community_id, "title": new.title, "title_key": new.title.casefold(), "revision": 1}
    values |= {"said": new.said, "letter_key": None, "created_at": now}
    number = int(tx.execute(insert(announcements).values(**values).returning(announcements.c.id)).scalar_one())
    _add_revision(tx, number, 1, new, now)
    _tell(tx, "draft", number, new.author, now, new.author.source)
    return number


def save(tx: Transaction, was: Version, new: NewAnnouncement, now: datetime) -> None:
    """Write what a draft says now: in place within one sitting of one person, else as a new revision."""
    values: dict[str, Any] = {"title": new.title, "title_key": new.title.casefold(), "said": new.said}
    values["discarded_at"] = None
    if _is_one_sitting(tx, was, new.author, now):
        changed = revisions.c.announcement_id == was.announcement, revisions.c.revision == was.revision
        tx.execute(update(revisions).where(*changed).values(letter=new.letter, at=now))
    else:
        _add_revision(tx, was.announcement, was.revision + 1, new, now)
        values["revision"] = was.revision + 1
    tx.execute(update(announcements).where(announcements.c.id == was.announcement).values(**values))


def _is_one_sitting(tx: Transaction, was: Version, author: Author, now: datetime) -> bool:
    if was.person is None or was.person != author.person or now - was.at > ONE_SITTING:
        return False
    said = select(func.count()).where(
        comments.c.announcement_id == was.announcement, comments.c.revision == was.revision
    )
    approved = select(announcements.c.approved_revision).where(announcements.c.id == was.announcement)
    return not tx.execute(said).scalar() and tx.execute(approved).scalar() != was.revision


def discard(tx: Transaction, number: int, *, person: str | None, now: datetime) -> None:
    """Take a draft out of sight. Its text stays in the history."""
    tx.execute(update(announcements).where(announcements.c.id == number).values(discarded_at=now))
    _tell(tx, "discard", number, Author(person), now, None)


def edit(tx: Transaction, was: Version, new: NewAnnouncement, posts_of_it: Edit, now: datetime) -> None:
    """Make a new revision of an announcement that has posts, and of what they send. It voids an approval.

    Raises `IllegalMove` when a post moved, or was tried, since it was read: then nothing was changed.
    """
    revision = was.revision + 1
    _add_revision(tx, was.announcement, revision, new, now)
    values = {"title": new.title, "title_key": new.title.casefold(), "said": new.said, "revision": revision}
    wanted = update(announcements).where(announcements.c.id == was.announcement)
    tx.execute(wanted.values(**values, letter_key=new.letter_key))
    tx.execute(update(posts).where(posts.c.announcement_id == was.announcement).values(unapproved=True))
    _tell(tx, "edit", was.announcement, new.author, now, f"revision {revision}")
    for post in posts_of_it.rewritten:
        _rewrite(tx, post, revision, new.author, now)
    told = [queue_one(tx, was.announcement, post, new.author, now, revision) for post in posts_of_it.added]
    if told:
        tx.execute(insert(events), told)
    moves.apply(tx, [_change(post, Move.CANCEL, new.author, now) for post in posts_of_it.dropped])


def _rewrite(tx: Transaction, post: Rewritten, revision: int, author: Author, now: datetime) -> None:
    if post.was.state == "queued":
        _rewrite_queued(tx, post, revision, author, now)
    else:
        _queue_again(tx, post, revision, author, now)
    sha256 = post.new.content_sha256
    content = {"post_id": post.was.id, "sha256": sha256, "revision": revision} | content_row(post.new.content)
    insert_once(tx, contents, content)
    first_comments.expect(tx, post.was.id, post.new.content, at=post.new.due_at)


def _rewrite_queued(tx: Transaction, post: Rewritten, revision: int, author: Author, now: datetime) -> None:
    was, new = post.was, post.new
    still = posts.c.id == was.id, posts.c.attempt == was.attempt, posts.c.state == "queued", ~posts.c.handed_over
    wanted = (
        update(posts)
        .where(*still)
        .values(
            planned_at=new.due_at,
            due_at=new.due_at,
            miss_at=new.miss_at,
            wall_time=new.wall_time,
            time_zone=new.time_zone,
            content_sha256=new.content_sha256,
            message_id=new.content.message_id,
        )
    )
    if tx.execute(wanted).rowcount != 1:
        raise IllegalMove(f"{was.name} was just taken by the worker")
    row = {"at": now, "kind": "edit", "post_id": was.id, "attempt": was.attempt, "person": author.person}
    tx.execute(insert(events), row | {"note": f"revision {revision}"})


def _queue_again(tx: Transaction, post: Rewritten, revision: int, author: Author, now: datetime) -> None:
    was, new = post.was, post.new
    values = {
        "planned_at": new.due_at,
        "due_at": new.due_at,
        "miss_at": new.miss_at,
        "wall_time": new.wall_time,
        "time_zone": new.time_zone,
        "content_sha256": new.content_sha256,
        "message_id": new.content.message_id,
        "reason": None,
        "looks": 0,
        "clean_looks": 0,
    }
    change = _change(was, Move.REQUEUE, author, now)
    moves.apply(tx, [replace(change, note=f"revision {revision}", values=values)])


def _change(post: Post, move: Move, author: Author, now: datetime) -> moves.Change:
    return moves.Change(post.id, post.attempt, move, now, person=author.person, only_from=frozenset({post.state}))


def _add_revision(tx: Transaction, number: int, revision: int, new: NewAnnouncement, now: datetime) -> None:
    who = person_id(tx, new.author.person, now) if new.author.person else None
    row = {"announcement_id": number, "revision": revision, "letter": new.letter, "person_id": who, "at": now}
    tx.execute(insert(revisions), row)


def _tell(tx: Transaction, kind: str, number: int, author: Author, now: datetime, note: str | None) -> None:
    row = {"at": now, "kind": kind, "announcement_id": number, "person": author.person, "note": note}
    tx.execute(insert(events), row)

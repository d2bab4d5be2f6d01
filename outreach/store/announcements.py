"""Writing announcements: what is said, its revisions, its approval, and the posts that come of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from outreach.lifecycle import OPEN
from outreach.model import BadInput, Content, Post, SentPicture, State
from outreach.store import first_comments
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import APPROVED, content_row
from outreach.store.prepared import Prepared
from outreach.store.schema import (
    announcements,
    channels,
    communities,
    contents,
    events,
    media,
    people,
    posts,
    revisions,
)


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post about to be queued."""

    channel_id: int
    content: Content
    content_sha256: str
    due_at: datetime
    miss_at: datetime
    wall_time: str
    time_zone: str
    occurrence: int = 1


@dataclass(frozen=True, slots=True)
class Author:
    """Who queues, by e-mail address, and by which way it came, for the history."""

    person: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """An announcement about to be written down: `said` and `letter_key` are the hashes of its letter."""

    community_id: int
    title: str
    letter: str
    said: str
    letter_key: str
    author: Author = Author()


IS_LATEST = (revisions.c.announcement_id == announcements.c.id) & (revisions.c.revision == announcements.c.revision)
"""Joins an announcement with its latest revision."""

_ANNOUNCE = Prepared(
    insert(announcements).returning(announcements.c.id),
    ("community_id", "title", "title_key", "revision", "said", "letter_key", "created_at"),
)
_REVISE = Prepared(insert(revisions), ("announcement_id", "revision", "letter", "person_id", "at"))
_QUEUE = Prepared(
    insert(posts).returning(posts.c.id),
    (
        *("announcement_id", "channel_id", "occurrence", "state", "due_at", "planned_at", "miss_at"),
        *("wall_time", "time_zone", "content_sha256", "message_id"),
    ),
)
_CONTENT = Prepared(insert(contents), ("post_id", "sha256", "revision", "text", "body"))
_TELL = Prepared(insert(events), ("at", "kind", "person", "note", "post_id", "announcement_id", "attempt"))
_SAME = Prepared(
    select(announcements.c.id, announcements.c.letter_key, posts.c.channel_id, posts.c.state)
    .outerjoin(posts, posts.c.announcement_id == announcements.c.id)
    .where(announcements.c.community_id == bindparam("community"), announcements.c.said == bindparam("said"))
)


class AlreadyThere(Exception):
    """The letter is an announcement already: the one with this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def add(tx: Transaction, new: NewAnnouncement, new_posts: Sequence[NewPost], now: datetime) -> int:
    """Write an announcement and queue its posts; give its number. Raises `AlreadyThere` for a letter known already."""
    _refuse_what_is_there(tx, new, [post.channel_id for post in new_posts])
    number = _insert_announcement(tx, new, now)
    _insert_revision(tx, number, 1, new, now)
    told = [queue_one(tx, number, post, new.author, now) for post in new_posts]
    _TELL.run_all(tx, told or [_told("draft", new.author, now, post_id=None, announcement_id=number, attempt=None)])
    return number


def queue_draft(
    tx: Transaction, number: int, new: NewAnnouncement, new_posts: Sequence[NewPost], now: datetime
) -> None:
    """Give a draft its posts; the letter that it is queued with becomes its next revision.

    Raises `AlreadyThere` when another announcement is this very letter, or says the same on one of these channels.
    """
    _refuse_what_is_there(tx, new, [post.channel_id for post in new_posts], but=number)
    revision = 1 + tx.execute(select(announcements.c.revision).where(announcements.c.id == number)).scalar_one()
    values = {"letter_key": new.letter_key, "revision": revision, "said": new.said, "discarded_at": None}
    values |= {"title": new.title, "title_key": new.title.casefold()}
    tx.execute(update(announcements).where(announcements.c.id == number).values(**values))
    _insert_revision(tx, number, revision, new, now)
    _TELL.run_all(tx, [queue_one(tx, number, post, new.author, now, revision) for post in new_posts])


def _refuse_what_is_there(
    tx: Transaction, new: NewAnnouncement, channel_ids: Sequence[int], *, but: int | None = None
) -> None:
    _wait_for_others(tx, new.said)
    # Two equal letters say the same, so one look finds both kinds.
    same: Any = _SAME.run(tx, {"community": new.community_id, "said": new.said}).all()
    for number, letter_key, channel_id, state in same:
        if number == but:
            continue
        if letter_key == new.letter_key or (channel_id in channel_ids and State(state) in OPEN):
            raise AlreadyThere(number)


def _wait_for_others(tx: Transaction, said: str) -> None:
    """Let whoever queues the same text right now finish first. On SQLite there is one writer at a time anyway."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(int(said[:15], 16))))


def _insert_announcement(tx: Transaction, new: NewAnnouncement, now: datetime) -> int:
    values = {
        "community_id": new.community_id,
        "title": new.title,
        "title_key": new.title.casefold(),
        "revision": 1,
        "said": new.said,
        "letter_key": new.letter_key,
        "created_at": now,
    }
    return int(_ANNOUNCE.run(tx, values).scalar_one())


def _insert_revision(tx: Transaction, number: int, revision: int, new: NewAnnouncement, now: datetime) -> None:
    who = person_id(tx, new.author.person, now) if new.author.person else None
    row = {"announcement_id": number, "revision": revision, "letter": new.letter, "person_id": who, "at": now}
    _REVISE.run(tx, row)


def queue_one(
    tx: Transaction, number: int, post: NewPost, author: Author, now: datetime, revision: int = 1
) -> dict[str, Any]:
    """Queue one post of an announcement; give the event that tells of it, for the caller to write down."""
    values = {
        "announcement_id": number,
        "channel_id": post.channel_id,
        "occurrence": post.occurrence,
        "state": "queued",
        "due_at": post.due_at,
        "planned_at": post.due_at,
        "miss_at": post.miss_at,
        "wall_time": post.wall_time,
        "time_zone": post.time_zone,
        "content_sha256": post.content_sha256,
        "message_id": post.content.message_id,
    }
    post_id = _QUEUE.run(tx, values).scalar_one()
    _CONTENT.run(
        tx, {"post_id": post_id, "sha256": post.content_sha256, "revision": revision} | content_row(post.content)
    )
    if post.content.extras.first_comment:
        first_comments.expect(tx, post_id, post.content, at=post.due_at)
    return _told("queue", author, now, post_id=post_id, announcement_id=number, attempt=0)


def _told(kind: str, author: Author, now: datetime, **about: int | None) -> dict[str, Any]:
    return {"at": now, "kind": kind, "person": author.person, "note": author.source, **about}


def source(tx: Transaction, number: int) -> str | None:
    """Give the source that was noted when the announcement was queued."""
    query = select(events.c.note).where(events.c.announcement_id == number, events.c.kind == "queue")
    return tx.execute(query.limit(1)).scalar()


def by_letter(tx: Transaction, community_id: int, letter_key: str) -> int | None:
    """Give the announcement that this very letter became, if it did."""
    query = select(announcements.c.id).where(
        announcements.c.community_id == community_id, announcements.c.letter_key == letter_key
    )
    return tx.execute(query).scalar()


def saying_nothing_yet(tx: Transaction, community_id: int, said: str) -> int | None:
    """Give the draft that says exactly this: an announcement without posts."""
    _wait_for_others(tx, said)
    query = (
        select(announcements.c.id)
        .outerjoin(posts, posts.c.announcement_id == announcements.c.id)
        .where(announcements.c.community_id == community_id, announcements.c.said == said, posts.c.id.is_(None))
        .where(announcements.c.discarded_at.is_(None))
    )
    return tx.execute(query.limit(1)).scalar()


def saying_the_same(tx: Transaction, community_id: int, said: str) -> list[tuple[int, int, str]]:
    """Give (announcement, channel id, state) of every post whose announcement says exactly this."""
    query = (
        select(posts.c.announcement_id, posts.c.channel_id, posts.c.state)
        .join(announcements, announcements.c.id == posts.c.announcement_id)
        .where(announcements.c.community_id == community_id, announcements.c.said == said)
        .order_by(posts.c.id)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def open_with_title(tx: Transaction, channel_id: int, title: str) -> int | None:
    """Give the announcement with this title, letter case apart, that has an open post on the channel."""
    query = (
        select(announcements.c.id)
        .join(posts, posts.c.announcement_id == announcements.c.id)
        .join(channels, channels.c.id == posts.c.channel_id)
        .where(posts.c.channel_id == channel_id, posts.c.state.in_([str(s) for s in OPEN]))
        .where(announcements.c.community_id == channels.c.community_id)
        .where(announcements.c.title_key == title.casefold())
    )
    return tx.execute(query.limit(1)).scalar()


def get(tx: Transaction, number: int) -> dict[str, Any] | None:
    """Give an announcement with the letter of its latest revision and who wrote it."""
    query = (
        select(
            announcements,
            revisions.c.letter,
            revisions.c.at.label("revised_at"),
            people.c.email.label("written_by"),
            communities.c.name.label("community"),
            APPROVED.label("approved"),
        )
        .join(communities, communities.c.id == announcements.c.community_id)
        .join(revisions, IS_LATEST)
        .outerjoin(people, people.c.id == revisions.c.person_id)
        .where(announcements.c.id == number)
    )
    row = tx.execute(query).mappings().first()
    return dict(row) if row else None


def held_fast(tx: Transaction, number: int) -> int | None:
    """Give the latest revision of an announcement, and let nobody change it before this transaction is over."""
    query = select(announcements.c.revision).where(announcements.c.id == number)
    return tx.execute(query.with_for_update()).scalar()


def let_go(tx: Transaction, number: int) -> None:
    """Forget which letter it came from, so that the letter may be added again: for one that is wholly cancelled."""
    tx.execute(update(announcements).where(announcements.c.id == number).values(letter_key=None))


def set_paused(tx: Transaction, of: Sequence[Post], paused: bool, *, now: datetime, person: str | None) -> None:
    """Hold queued posts back, or let them go on. Their state stays as it is."""
    ids = [post.id for post in of]
    tx.execute(update(posts).where(posts.c.id.in_(ids)).values(paused=paused))
    kind = "pause" if paused else "resume"
    tx.execute(
        insert(events),
        [{"at": now, "kind": kind, "post_id": p.id, "attempt": p.attempt, "person": person} for p in of],
    )


def approve(tx: Transaction, number: int, revision: int, *, person: str, now: datetime) -> None:
    """Bind an approval to one revision: any edit afterwards voids it. Raises `BadInput` if there was one meanwhile."""
    who = person_id(tx, person, now)
    given = tx.execute(
        update(announcements)
        .where(announcements.c.id == number, announcements.c.revision == revision)
        .values(approved_revision=revision, approved_by=who)
    )
    if given.rowcount != 1:
        raise BadInput(
            f"Announcement {number} was changed meanwhile; revision {revision} is not its latest any more.",
            next_step=f"Look at it again with: outreach show {number}",
        )
    tx.execute(update(posts).where(posts.c.announcement_id == number).values(unapproved=False))
    event = {"at": now, "kind": "approve", "announcement_id": number, "person": person, "note": f"revision {revision}"}
    tx.execute(insert(events), event)


def person_id(tx: Transaction, email: str, now: datetime) -> int:
    """Give the number of the person with this address; a new one is written down."""
    found: int | None = tx.execute(select(people.c.id).where(people.c.email == email)).scalar()
    if found is not None:
        return found
    insert_once(tx, people, {"email": email, "name": "", "created_at": now})
    return int(tx.execute(select(people.c.id).where(people.c.email == email)).scalar_one())


def remember_picture(
    tx: Transaction, picture: SentPicture, *, kind: str, size: int, shape: tuple[int, int], now: datetime
) -> None:
    """Write down a picture that the queue folder keeps; a second time changes nothing. `shape` is (width, height)."""
    row = {"sha256": picture.sha256, "kind": kind, "size": size, "width": shape[0], "height": shape[1]}
    insert_once(tx, media, row | {"path": picture.path, "created_at": now})

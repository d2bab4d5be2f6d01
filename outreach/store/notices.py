"""Notices: what people are told by mail about approvals, each once. They outlive every process, and two workers share them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from outreach.model import NoticeKind, Post
from outreach.roles import Role
from outreach.store import people as persons
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import announcements, people, revisions
from outreach.store.schema_access import notices


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person was or has to be told. `about` is a comment, the seconds of a due time, or 0."""

    id: int
    announcement: int
    revision: int
    person_id: int
    email: str
    kind: NoticeKind
    about: int
    made_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice about to be written down."""

    announcement: int
    revision: int
    person_id: int
    kind: NoticeKind
    about: int = 0


def known(tx: Transaction, numbers: Collection[int]) -> set[Owed]:
    """Give what is written down about these announcements, told or not."""
    n = notices.c
    query = select(n.announcement_id, n.revision, n.person_id, n.kind, n.about).where(n.announcement_id.in_(numbers))
    return {Owed(row[0], row[1], row[2], NoticeKind(row[3]), row[4]) for row in tx.execute(query)}


def owe(tx: Transaction, owed: Iterable[Owed], now: datetime) -> None:
    """Write down what people have to be told; what is written down already stays as it is."""
    for one in owed:
        row: dict[str, Any] = {"announcement_id": one.announcement, "revision": one.revision, "kind": str(one.kind)}
        row |= {"person_id": one.person_id, "about": one.about, "made_at": now, "next_at": now}
        insert_once(tx, notices, row)


def owe_author(tx: Transaction, number: int, kind: NoticeKind, now: datetime, *, about: int = 0) -> None:
    """Write down that who wrote the latest revision has to be told."""
    revision, author = _latest(tx, number)
    if author is not None:
        owe(tx, [Owed(number, revision, author, kind, about)], now)


def owe_missed(tx: Transaction, post: Post, now: datetime) -> None:
    """Write down that author and approvers have to be told that nobody approved a post in time."""
    revision, author = _latest(tx, post.announcement)
    told = {person.id for person in persons.with_role(tx, post.community, Role.APPROVER)} | ({author} - {None})
    about = int(post.planned_at.timestamp())
    owe(
        tx,
        [Owed(post.announcement, revision, one, NoticeKind.MISSED, about) for one in sorted(filter(None, told))],
        now,
    )


def _latest(tx: Transaction, number: int) -> tuple[int, int | None]:
    query = select(revisions.c.revision, revisions.c.person_id).join(
        announcements,
        (announcements.c.id == revisions.c.announcement_id) & (announcements.c.revision == revisions.c.revision),
    )
    row = tx.execute(query.where(announcements.c.id == number)).one()
    return row[0], row[1]


# Telling

_N = notices.c
_SELECT = select(
    _N.id,
    _N.announcement_id,
    _N.revision,
    _N.person_id,
    people.c.email,
    _N.kind,
    _N.about,
    _N.made_at,
    _N.tries,
).join(people, people.c.id == _N.person_id)


def to_be_told(tx: Transaction, community_id: int, now: datetime, *, most: int) -> list[Notice]:
    """Give the notices of a community whose time to be told has come, the longest waiting first."""
    query = _SELECT.join(announcements, announcements.c.id == _N.announcement_id)
    query = query.where(_N.next_at.is_not(None), _N.next_at <= now, announcements.c.community_id == community_id)
    query = query.order_by(_N.next_at, _N.id).limit(most)
    return [Notice(*row[:5], NoticeKind(row[5]), *row[6:]) for row in tx.execute(query)]


def take(tx: Transaction, notice: Notice, *, again_at: datetime) -> bool:
    """Take a notice to tell it; False when another worker took it. Who dies now is followed by a try at `again_at`."""
    wanted = update(notices).where(*_still(notice.id, notice.tries), _N.next_at.is_not(None))
    return tx.execute(wanted.values(tries=notice.tries + 1, next_at=again_at)).rowcount == 1


def told(tx: Transaction, notice: Notice, now: datetime) -> None:
    """Write down that a taken notice was told: it is never told again."""
    wanted = update(notices).where(*_still(notice.id, notice.tries + 1))
    tx.execute(wanted.values(told_at=now, next_at=None, trouble=None))


def not_told(tx: Transaction, notice: Notice, trouble: str, *, again_at: datetime | None) -> None:
    """Write down why a taken notice was not told, and when it is tried again; None: never."""
    wanted = update(notices).where(*_still(notice.id, notice.tries + 1))
    tx.execute(wanted.values(next_at=again_at, trouble=trouble[:500]))


def drop(tx: Transaction, notice: Notice) -> None:
    """Write down that nobody needs a taken notice any more."""
    wanted = update(notices).where(*_still(notice.id, notice.tries + 1))
    tx.execute(wanted.values(next_at=None, trouble=None))


def _still(number: int, tries: int) -> tuple[ColumnElement[bool], ...]:
    return _N.id == number, _N.tries == tries


def troubles_of(tx: Transaction, number: int) -> list[tuple[str, str]]:
    """Give whom a mail about an announcement did not reach so far, and why."""
    query = select(people.c.email, _N.trouble).join(people, people.c.id == _N.person_id).distinct()
    query = query.where(_N.announcement_id == number, _N.told_at.is_(None), _N.trouble.is_not(None))
    return [(row[0], row[1]) for row in tx.execute(query.order_by(people.c.email))]

"""Every action, newest first: what the audit reads. Pages go by number, so that the last costs what the first costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from outreach.model import post_name
from outreach.store.engine import Transaction
from outreach.store.recent import first_since
from outreach.store.schema import announcements, channels, events, posts

MOST_LOOKED_THROUGH = 100_000
"""So many entries are looked through for one page: what is rare is found by looking further back, page by page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the history is asked for; empty: everything. `before` is the number that a page goes on from."""

    community: int
    person: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One entry. `post` is the name of the post it is about; `title` that of its announcement."""

    id: int
    at: datetime
    kind: str
    person: str | None
    note: str | None
    announcement: int | None
    title: str | None
    post: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some actions, newest first. `before` goes on from here, None at the end; `is_cut`: it may be that none was found here
    though there are some further back.
    """

    actions: Sequence[Action]
    before: int | None
    is_cut: bool


def page(tx: Transaction, wanted: Wanted, *, most: int = 50, through: int = MOST_LOOKED_THROUGH) -> Page:
    """Give the next page of what is asked for, looking through so many entries at most."""
    newest = int(tx.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())
    before = min(wanted.before if wanted.before is not None else newest + 1, newest + 1)
    if wanted.until is not None:
        before = min(before, first_since(tx, "events", wanted.until))
    first = first_since(tx, "events", wanted.since) if wanted.since is not None else 1
    down_to = max(first, before - through)
    query = _query(wanted).where(events.c.id < before, events.c.id >= down_to)
    found = [_action(row) for row in tx.execute(query.order_by(events.c.id.desc()).limit(most + 1))]
    if len(found) > most:
        return Page(found[:most], found[most - 1].id, False)
    is_cut = down_to > first
    return Page(found, down_to if is_cut else None, is_cut)


def _query(wanted: Wanted) -> Select[Any]:
    of = func.coalesce(events.c.announcement_id, posts.c.announcement_id)
    on = func.coalesce(events.c.channel_id, posts.c.channel_id)
    query = (
        select(
            events.c.id,
            events.c.at,
            events.c.kind,
            events.c.person,
            events.c.note,
            announcements.c.id,
            announcements.c.title,
            posts.c.occurrence,
            channels.c.name,
        )
        .outerjoin(posts, posts.c.id == events.c.post_id)
        .outerjoin(announcements, announcements.c.id == of)
        .outerjoin(channels, channels.c.id == on)
        # What is about no announcement and no channel is about the install, and so of every community.
        .where(func.coalesce(announcements.c.community_id, wanted.community) == wanted.community)
        .where(func.coalesce(channels.c.community_id, wanted.community) == wanted.community)
    )
    if wanted.person:
        query = query.where(events.c.person.is_(None) if wanted.person == "-" else events.c.person == wanted.person)
    if wanted.kind:
        query = query.where(events.c.kind == wanted.kind)
    return query


def _action(row: Any) -> Action:
    number, at, kind, person, note, announcement, title, occurrence, channel = row
    post = post_name(announcement, channel, occurrence) if occurrence is not None else None
    return Action(number, at, kind, person, note, announcement, title, post, channel)

"""Reading posts: rows of several tables become one `Post`."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, cast, func, insert, or_, select, text, update

from outreach.extras import read_extras
from outreach.model import Candidate, Content, Post, SentPicture, State
from outreach.store.engine import Transaction
from outreach.store.schema import announcements, attempts, channels, communities, contents, events, posts

APPROVED: ColumnElement[bool] = or_(
    func.coalesce(announcements.c.approved_revision, 0) == announcements.c.revision, communities.c.approval == "off"
)

SELECT_POSTS: Select[Any] = (
    select(
        posts.c.id,
        posts.c.announcement_id,
        announcements.c.community_id,
        posts.c.channel_id,
        channels.c.name,
        channels.c.kind,
        announcements.c.title,
        posts.c.occurrence,
        posts.c.state,
        posts.c.attempt,
        posts.c.due_at,
        posts.c.planned_at,
        posts.c.miss_at,
        posts.c.wall_time,
        posts.c.time_zone,
        APPROVED.label("approved"),
        posts.c.paused,
        posts.c.content_sha256,
        posts.c.remote_id,
        posts.c.url,
        posts.c.message_id,
        posts.c.reason,
        posts.c.doubted_at,
        posts.c.look_at,
        posts.c.looks,
        posts.c.clean_looks,
        posts.c.doubtful_since,
        posts.c.handed_over,
    )
    .join(announcements, announcements.c.id == posts.c.announcement_id)
    .join(channels, channels.c.id == posts.c.channel_id)
    .join(communities, communities.c.id == announcements.c.community_id)
)
_STATE = 8
_WIDTH = len(SELECT_POSTS.selected_columns)


def as_post(row: Row[Any] | Sequence[Any]) -> Post:
    """Make a `Post` of a row of `SELECT_POSTS`; further columns of the row are left alone."""
    values: list[Any] = list(row[:_WIDTH])
    values[_STATE] = State(values[_STATE])
    return Post(*values)


def one(tx: Transaction, post_id: int) -> Post | None:
    """Give the post with this id, if there is one."""
    row = tx.execute(SELECT_POSTS.where(posts.c.id == post_id)).first()
    return as_post(row) if row else None


def held_fast(tx: Transaction, ids: Collection[int]) -> list[Post]:
    """Give these posts as they are, and let nobody change them before this transaction is over."""
    tx.execute(select(posts.c.id).where(posts.c.id.in_(ids)).order_by(posts.c.id).with_for_update())
    return [as_post(row) for row in tx.execute(SELECT_POSTS.where(posts.c.id.in_(ids)))]


def of_announcement(
    tx: Transaction, announcement: int, channel: str | None = None, occurrence: int | None = None
) -> list[Post]:
    """Give the posts of an announcement, or those of one channel, or the one of one occurrence there."""
    query = SELECT_POSTS.where(posts.c.announcement_id == announcement)
    if channel is not None:
        query = query.where(channels.c.name == channel)
    if occurrence is not None:
        query = query.where(posts.c.occurrence == occurrence)
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.occurrence, channels.c.id))]


def in_states(
    tx: Transaction, states: Collection[State], *, community: int | None = None, limit: int | None = None
) -> list[Post]:
    """Give the posts in these states, next due first; those of one community, or of all."""
    query = SELECT_POSTS.where(posts.c.state.in_([str(s) for s in states])).order_by(posts.c.due_at, posts.c.id)
    if community is not None:
        query = query.where(announcements.c.community_id == community)
    return [as_post(row) for row in tx.execute(query.limit(limit))]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """What of the history is asked for. Every part is optional; `limit` None means all of it.

    `since` and `until` look at the planned time, `until` is not included. `person` is the address of who wrote the text
    or approved it.
    """

    search: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    channel: str | None = None
    template: str | None = None
    person: str | None = None
    state: State | None = None
    limit: int | None = 50


BODY = cast(contents.c.body, Text)
KNOWN_THERE = "is_known_there"
WORKER_LOST = "worker_lost"


def content(tx: Transaction, post: Post) -> Content:
    """Give exactly what the post sends."""
    query = select(contents.c.text, BODY).where(contents.c.post_id == post.id, contents.c.sha256 == post.content_sha256)
    row = tx.execute(query).first()
    return content_from(post.kind, *(row or (None, None)))


def contents_of(tx: Transaction, post: Post) -> dict[str, Content]:
    """Give everything that the post was ever to send, by its hash."""
    query = select(contents.c.sha256, contents.c.text, BODY).where(contents.c.post_id == post.id)
    return {row[0]: content_from(post.kind, row[1], row[2]) for row in tx.execute(query.order_by(contents.c.revision))}


def content_from(kind: str, text: str | None, body: str | None) -> Content:
    """Build the value from its row. One that is missing or broken gives an empty content, whose hash nobody approved."""
    try:
        read = json.loads(body or "")
        pictures = tuple(SentPicture(**p) for p in read.get("pictures", ()))
        mail = read.get("message"), read.get("message_id")
        extras = read_extras(read.get("extras", {}))
        return Content(
            kind, text or "", read.get("link"), pictures, *mail, read.get("does", ""), read.get("on"), extras
        )
    except (ValueError, TypeError, AttributeError):
        return Content(kind, "")


def content_row(content: Content) -> dict[str, Any]:
    """Lay a content out as columns of its row."""
    body: dict[str, Any] = {}
    if content.link is not None:
        body["link"] = content.link
    if content.pictures:
        body["pictures"] = [
            {"file": p.file, "alt": p.alt, "sha256": p.sha256, "path": p.path} for p in content.pictures
        ]
    if content.message is not None:
        body |= {"message": content.message, "message_id": content.message_id}
    if content.does:
        body |= {"does": content.does, "on": content.on}
    if kept := content.extras.kept():
        body["extras"] = kept
    return {"text": content.text, "body": body}


def past_their_grace(tx: Transaction, now: datetime) -> list[Post]:
    """Give the queued posts whose time is over."""
    query = SELECT_POSTS.where(text("posts.state = 'queued'"), posts.c.miss_at <= now)
    query = query.where(posts.c.handed_over.is_(False)).order_by(posts.c.miss_at)
    return [as_post(row) for row in tx.execute(query.limit(1000))]


def zones_of_queued(tx: Transaction) -> list[str]:
    """Give the zones that queued posts are meant in."""
    query = select(posts.c.time_zone).where(text("posts.state = 'queued'")).distinct()
    return list(tx.execute(query.order_by(posts.c.time_zone)).scalars())


def queued_in_zone(tx: Transaction, zone: str, *, after: int, limit: int) -> list[Post]:
    """Give queued posts of a zone by growing id, those beyond `after`."""
    query = SELECT_POSTS.where(text("posts.state = 'queued'"), posts.c.time_zone == zone, posts.c.id > after)
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.id).limit(limit))]


def move_due(tx: Transaction, post: Post, due: datetime, *, now: datetime, note: str) -> None:
    """Give a queued post another due time, and its grace with it; one that was put off keeps the time of its next try."""
    by = due - post.planned_at
    values = {"planned_at": due, "miss_at": post.miss_at + by}
    if post.due_at == post.planned_at:
        values["due_at"] = due
    still = update(posts).where(posts.c.id == post.id, text("posts.state = 'queued'"), posts.c.attempt == post.attempt)
    if tx.execute(still.values(**values)).rowcount == 1:
        row = {"at": now, "kind": "move due time", "post_id": post.id, "attempt": post.attempt, "note": note}
        tx.execute(insert(events), row)


def to_be_looked_for(tx: Transaction, now: datetime) -> list[Post]:
    """Give the unconfirmed posts whose time to be looked for has come."""
    query = SELECT_POSTS.where(text("posts.state = 'unconfirmed'"), posts.c.look_at <= now)
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.look_at).limit(100))]


def recent_without_link(tx: Transaction, newest: int = 200) -> list[Post]:
    """Give those of the newest posts that were published and whose public address is not known yet."""
    first = select(func.max(posts.c.id) - newest).scalar_subquery()
    query = SELECT_POSTS.where(posts.c.id > first, posts.c.state == "published")
    return [as_post(row) for row in tx.execute(query.where(posts.c.url.is_(None), posts.c.remote_id.is_not(None)))]


@dataclass(frozen=True, slots=True)
class Tries:
    """What the tries at a post came to: the `outcome` of the latest, whether the channel said in it that it has the post
    already, and how many workers did not live to tell.
    """

    outcome: str | None
    is_known_there: bool
    workers_lost: int


def tries(tx: Transaction, post: Post) -> Tries:
    """Look back at the tries at a post."""
    query = select(attempts.c.outcome, attempts.c.evidence).where(attempts.c.post_id == post.id)
    rows = [(outcome, evidence or {}) for outcome, evidence in tx.execute(query.order_by(attempts.c.number))]
    outcome, evidence = rows[-1] if rows else (None, {})
    lost = sum(bool(told.get(WORKER_LOST)) for _, told in rows)
    return Tries(outcome, bool(evidence.get(KNOWN_THERE)), lost)


def first_try(tx: Transaction, post: Post) -> datetime | None:
    """Give the start of the earliest attempt, whatever came of it."""
    query = select(attempts.c.started_at).where(attempts.c.post_id == post.id)
    return tx.execute(query.order_by(attempts.c.number).limit(1)).scalar()


def not_of_others(tx: Transaction, post: Post, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give those of the candidates on the post's channel that belong to no other post, in their order."""
    ids = [candidate.remote_id for candidate in candidates]
    others = (posts.c.channel_id == post.channel_id) & (posts.c.id != post.id)
    owned = set(tx.execute(select(posts.c.remote_id).where(others, posts.c.remote_id.in_(ids))).scalars())
    return [candidate for candidate in candidates if candidate.remote_id not in owned]


def by_message_id(tx: Transaction, ids: Sequence[str]) -> Post | None:
    """Give the post of the mail with one of these ids, the latest where several share one."""
    query = SELECT_POSTS.where(posts.c.message_id.in_(ids)).order_by(posts.c.id.desc()).limit(1)
    row = tx.execute(query).first() if ids else None
    return as_post(row) if row else None

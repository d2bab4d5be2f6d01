"""What is wrong right now, as the rows and an instant say it. Nothing here needs a worker, or remembers anything."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, text

from outreach.model import Post
from outreach.store import safety
from outreach.store.engine import Transaction
from outreach.store.history import TWICE
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.recent import first_since
from outreach.store.schema import attempts, channels, checks, events, posts, sightings

OVERDUE_AFTER = timedelta(seconds=60)
TRYING_AGAIN_FOR = timedelta(minutes=5)
IN_ITS_SPACE_FOR = timedelta(minutes=15)
BEING_SENT_FOR = timedelta(minutes=15)
IN_DOUBT_FOR = timedelta(hours=1)
MOST = 1000
_LONGEST_BACK_OFF = timedelta(days=1)
_APPROVED = SELECT_POSTS.selected_columns["approved"]
_QUEUED = text("posts.state = 'queued'")  # in these words, which the partial indexes use
TO_A_BAD_REST = ("miss", "fail", "refuse")
AT_A_BAD_REST = ("missed", "failed")


def overdue(tx: Transaction, now: datetime, *, by: timedelta = OVERDUE_AFTER, most: int = MOST) -> list[Post]:
    """Give the posts that nothing holds back and that are not out though they were due, next due first.

    Also those whose next try lies ahead, when they were meant to be out a while ago: late is late, whatever the reason.
    And those that are being sent for so long that nobody can expect an answer any more.
    """
    query = (
        SELECT_POSTS.join(attempts, (attempts.c.post_id == posts.c.id) & (attempts.c.number == posts.c.attempt))
        .where(text("posts.state = 'publishing'"), posts.c.channel_id.in_(_every_channel(tx)))
        .where(attempts.c.started_at < now - BEING_SENT_FOR)
        .order_by(posts.c.due_at, posts.c.id)
    )
    stuck = [as_post(row) for row in tx.execute(query.limit(most))]
    if safety.current(tx) is not None:
        return stuck
    is_due = posts.c.due_at < now - by
    is_tried_again = (posts.c.due_at > now) & (posts.c.attempt > 0) & (posts.c.planned_at < now - TRYING_AGAIN_FOR)
    query = _claimable(_open_channels(tx, now - by)).where(
        posts.c.due_at < now + _LONGEST_BACK_OFF,
        or_(is_due, is_tried_again),
        or_(_has_had_space(now - by), posts.c.planned_at < now - IN_ITS_SPACE_FOR),
    )
    late = [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at, posts.c.id).limit(most))]
    return (stuck + late)[:most]


def is_anything_due(tx: Transaction, until: datetime) -> bool:
    """Tell whether a post falls due by then that nothing holds back."""
    query = _claimable(_open_channels(tx, until)).where(posts.c.due_at <= until, _has_had_space(until))
    return tx.execute(query.limit(1)).first() is not None


def _claimable(channel_ids: Sequence[int]) -> Select[Any]:
    # By the channels' numbers: so each database finds its way by the index of what is due, with statistics or without.
    return SELECT_POSTS.where(_QUEUED, posts.c.channel_id.in_(channel_ids), posts.c.paused.is_(False), _APPROVED)


def _open_channels(tx: Transaction, since: datetime) -> list[int]:
    """Give the channels that have been open for posts since an instant: neither paused nor at their cap."""
    query = select(channels.c.id).where(
        or_(channels.c.state == "ready", channels.c.until <= since),
        or_(channels.c.not_before.is_(None), channels.c.not_before <= since),
    )
    return list(tx.execute(query).scalars())


def _every_channel(tx: Transaction) -> list[int]:
    return list(tx.execute(select(channels.c.id)).scalars())


def _has_had_space(since: datetime) -> ColumnElement[bool]:
    return or_(channels.c.spaced_until.is_(None), channels.c.spaced_until <= since)


def at_a_bad_rest(tx: Transaction, since: datetime, *, most: int = MOST) -> list[Post]:
    """Give the posts that failed or were missed since an instant and still stand so: the latest, in their order."""
    came = (
        select(events.c.post_id)
        .join(posts, posts.c.id == events.c.post_id)
        .where(events.c.id >= first_since(tx, "events", since), events.c.at >= since)
        .where(events.c.kind.in_(TO_A_BAD_REST), posts.c.state.in_(AT_A_BAD_REST))
        .order_by(events.c.id.desc())
        .limit(most)
    )
    query = SELECT_POSTS.where(posts.c.id.in_(came.scalar_subquery()))
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.planned_at, posts.c.id))]


def left_in_doubt(tx: Transaction, now: datetime, *, most: int = MOST) -> list[Post]:
    """Give the unconfirmed posts that nobody looks for any more, or in vain for an hour: a person has to decide."""
    is_old = or_(posts.c.look_at.is_(None), posts.c.doubted_at < now - IN_DOUBT_FOR)
    query = SELECT_POSTS.where(text("posts.state = 'unconfirmed'"), is_old)
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.look_at).limit(most))]


def seen_twice(tx: Transaction, since: datetime, *, most: int = MOST) -> list[tuple[Post, tuple[str, ...]]]:
    """Give the posts that were seen on their channel more than once, each with the ids of all its copies."""
    query = (
        select(sightings.c.post_id, sightings.c.evidence)
        .where(sightings.c.id >= first_since(tx, "sightings", since), sightings.c.at >= since)
        .where(sightings.c.kind == TWICE)
        .order_by(sightings.c.id.desc())
        .limit(most)
    )
    copies: dict[int, tuple[str, ...]] = {}
    for post_id, evidence in tx.execute(query):
        copies.setdefault(post_id, tuple(map(str, evidence.get("remote_ids", ()))))  # the latest look saw most
    seen = SELECT_POSTS.where(posts.c.id.in_(list(copies))).order_by(posts.c.id)
    return [(post, copies[post.id]) for post in map(as_post, tx.execute(seen))] if copies else []


def with_problems(tx: Transaction, until: datetime, *, most: int = MOST) -> list[tuple[Post, list[tuple[str, str]]]]:
    """Give the posts due by then whose pre-flight found problems, each with them as (message, next step); no warnings."""
    every = _every_channel(tx)
    query = (
        SELECT_POSTS.add_columns(checks.c.problems)
        .join(checks, checks.c.post_id == posts.c.id)
        .where(_QUEUED, posts.c.channel_id.in_(every), posts.c.paused.is_(False), posts.c.due_at <= until)
        .order_by(posts.c.due_at, posts.c.id)
        .limit(most)
    )
    found = [(as_post(row), [(one[0], one[1]) for one in row[-1] if not any(one[2:])]) for row in tx.execute(query)]
    return [(post, problems) for post, problems in found if problems]

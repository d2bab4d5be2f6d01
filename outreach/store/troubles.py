"""What is wrong right now, as the rows and an instant say it. Nothing here needs a worker, or remembers anything."""

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, or_, select, text

from outreach.model import Post
from outreach.store import safety
from outreach.store.columns import Instant
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
    asked = {"channels": _every_channel(tx), "before": now - BEING_SENT_FOR, "most": most}
    stuck = [as_post(row) for row in tx.execute(_STUCK, asked).all()]
    if safety.current(tx) is not None:
        return stuck
    asked = {"channels": _open_channels(tx, now - by), "since": now - by, "now": now, "most": most}
    asked |= {"trying": now - TRYING_AGAIN_FOR, "spaced": now - IN_ITS_SPACE_FOR, "longest": now + _LONGEST_BACK_OFF}
    late = [as_post(row) for row in tx.execute(_LATE, asked).all()]
    return (stuck + late)[:most]


def is_anything_due(tx: Transaction, until: datetime) -> bool:
    """Tell whether a post falls due by then that nothing holds back."""
    return tx.execute(_DUE, {"channels": _open_channels(tx, until), "since": until}).first() is not None


def is_planned_before(tx: Transaction, channel_id: int, at: datetime) -> bool:
    """Tell whether a post of a channel waits that is due before an instant and that neither a person nor an approval holds."""
    planned = _CLAIMABLE.where(posts.c.due_at < at).limit(1)
    return tx.execute(planned, {"channels": [channel_id]}).first() is not None


def _open_channels(tx: Transaction, since: datetime) -> list[int]:
    """Give the channels that have been open for posts since an instant: neither paused nor at their cap."""
    return list(tx.execute(_OPEN_CHANNELS, {"since": since}).scalars())


def _every_channel(tx: Transaction) -> list[int]:
    return list(tx.execute(_EVERY_CHANNEL).scalars())


# Built once: every page that stands open asks these, and to build one costs more than its answer. By the channels' numbers:
# so each database finds its way by the index of what is due, with statistics or without.


def _instant(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=Instant())


_IN_CHANNELS = posts.c.channel_id.in_(bindparam("channels", expanding=True))
_BY_DUE_TIME = (posts.c.due_at, posts.c.id)
_HAS_HAD_SPACE = or_(channels.c.spaced_until.is_(None), channels.c.spaced_until <= _instant("since"))
_CLAIMABLE = SELECT_POSTS.where(_QUEUED, _IN_CHANNELS, posts.c.paused.is_(False), _APPROVED)
_STUCK = (
    SELECT_POSTS.join(attempts, (attempts.c.post_id == posts.c.id) & (attempts.c.number == posts.c.attempt))
    .where(text("posts.state = 'publishing'"), _IN_CHANNELS, attempts.c.started_at < _instant("before"))
    .order_by(*_BY_DUE_TIME)
    .limit(bindparam("most"))
)
_IS_TRIED_AGAIN = (posts.c.due_at > _instant("now")) & (posts.c.attempt > 0) & (posts.c.planned_at < _instant("trying"))
_LATE = (
    _CLAIMABLE.where(
        posts.c.due_at < _instant("longest"),
        or_(posts.c.due_at < _instant("since"), _IS_TRIED_AGAIN),
        or_(_HAS_HAD_SPACE, posts.c.planned_at < _instant("spaced")),
    )
    .order_by(*_BY_DUE_TIME)
    .limit(bindparam("most"))
)
_DUE = _CLAIMABLE.where(posts.c.due_at <= _instant("since"), _HAS_HAD_SPACE).limit(1)
_EVERY_CHANNEL = select(channels.c.id)
_OPEN_CHANNELS = _EVERY_CHANNEL.where(
    or_(channels.c.state == "ready", channels.c.until <= _instant("since")),
    or_(channels.c.not_before.is_(None), channels.c.not_before <= _instant("since")),
)
_PROBLEMS = (
    SELECT_POSTS.add_columns(checks.c.problems)
    .join(checks, checks.c.post_id == posts.c.id)
    .where(_QUEUED, _IN_CHANNELS, posts.c.paused.is_(False), posts.c.due_at <= _instant("until"))
    .order_by(*_BY_DUE_TIME)
    .limit(bindparam("most"))
)
_HELD = (
    SELECT_POSTS.where(text("posts.state IN ('unconfirmed', 'held') AND posts.state = 'held'"))
    .order_by(*_BY_DUE_TIME)
    .limit(bindparam("most"))
)
_SEEN_TWICE = (
    select(sightings.c.post_id, sightings.c.evidence)
    .where(sightings.c.id >= bindparam("first"), sightings.c.at >= _instant("since"), sightings.c.kind == TWICE)
    .order_by(sightings.c.id.desc())
    .limit(bindparam("most"))
)


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


def held(tx: Transaction, *, most: int = MOST) -> list[Post]:
    """Give the posts that a list holds for its moderator or for a confirmation, earliest first."""
    return [as_post(row) for row in tx.execute(_HELD, {"most": most}).all()]


def seen_twice(tx: Transaction, since: datetime, *, most: int = MOST) -> list[tuple[Post, tuple[str, ...]]]:
    """Give the posts that were seen on their channel more than once, each with the ids of all its copies."""
    asked = {"first": first_since(tx, "sightings", since), "since": since, "most": most}
    copies: dict[int, tuple[str, ...]] = {}
    for post_id, evidence in tx.execute(_SEEN_TWICE, asked):
        copies.setdefault(post_id, tuple(map(str, evidence.get("remote_ids", ()))))  # the latest look saw most
    seen = SELECT_POSTS.where(posts.c.id.in_(list(copies))).order_by(posts.c.id)
    return [(post, copies[post.id]) for post in map(as_post, tx.execute(seen))] if copies else []


def with_problems(tx: Transaction, until: datetime, *, most: int = MOST) -> list[tuple[Post, list[tuple[str, str]]]]:
    """Give the posts due by then whose pre-flight found problems, each with them as (message, next step); no warnings."""
    rows = tx.execute(_PROBLEMS, {"channels": _every_channel(tx), "until": until, "most": most})
    found = [(as_post(row), [(one[0], one[1]) for one in row[-1] if not any(one[2:])]) for row in rows]
    return [(post, problems) for post, problems in found if problems]

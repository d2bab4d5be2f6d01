"""How far posts reached, over time: which are followed, what was learnt of each, and how a channel's figures stand."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, insert, select, text, update

from outreach.reach import FIRST_AFTER, FOLLOWED_FOR, Learnt, Remark, next_ask, slot_of
from outreach.store import safety
from outreach.store.columns import Instant
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import attempts, channels, posts
from outreach.store.schema_reached import reached, reached_channels, reached_values

MOST_AT_ONCE = 500
MOST_MEASURES = 40
_AT_ONCE_IN = 500
_STANDING = "figures of channel "
_LATE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """A post whose figures are to be asked for. `is_there` is false once it is no longer published."""

    post_id: int
    channel_id: int
    remote_id: str
    published_at: datetime
    ask_at: datetime
    is_there: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of how far a post reached: the latest value of each measure, the latest comment, and as of when."""

    values: Mapping[str, int]
    remark: Remark | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel's figures stand: what could not be read and why, since when, and until when nothing is asked."""

    note: str = ""
    at: datetime | None = None
    rest_until: datetime | None = None
    page_at: datetime | None = None
    values: Mapping[str, int] = field(default_factory=dict)


# Which posts are followed


def enrol(tx: Transaction, channel_id: int, now: datetime) -> int:
    """Follow what was published on a channel lately and is not followed yet; give how many those are."""
    asked = {"channel": channel_id, "since": now - FOLLOWED_FOR - _LATE}
    found = tx.execute(_NEW, asked).all()
    for post_id, published_at in found:
        row = {"post_id": post_id, "channel_id": channel_id, "published_at": published_at}
        insert_once(tx, reached, row | {"ask_at": published_at + FIRST_AFTER})
    return len(found)


# A change of a post is named behind its id, with a colon: the figures are those of the post itself.
_NEW = (
    select(posts.c.id, attempts.c.started_at)
    .join(attempts, (attempts.c.post_id == posts.c.id) & (attempts.c.number == posts.c.attempt))
    .outerjoin(reached, reached.c.post_id == posts.c.id)
    .where(
        text("posts.state IN ('published', 'retracted') AND posts.state = 'published'"),
        posts.c.channel_id == bindparam("channel"),
        posts.c.due_at >= bindparam("since", type_=Instant()),
        posts.c.remote_id.is_not(None),
        ~posts.c.remote_id.contains(":"),
        reached.c.post_id.is_(None),
    )
    .order_by(posts.c.due_at, posts.c.id)
    .limit(MOST_AT_ONCE)
)


def is_any_new(tx: Transaction, channel_id: int, now: datetime) -> bool:
    """Tell whether `enrol` would find something, without writing."""
    return tx.execute(_NEW, {"channel": channel_id, "since": now - FOLLOWED_FOR - _LATE}).first() is not None


def due(tx: Transaction, channel_id: int, now: datetime, *, most: int) -> list[Due]:
    """Give the posts of a channel to be asked about now, those that waited longest first."""
    rows = tx.execute(_DUE, {"channel": channel_id, "now": now, "most": most})
    return [Due(*row[:5], is_there=row[5] == "published") for row in rows]


_DUE = (
    select(
        reached.c.post_id,
        reached.c.channel_id,
        posts.c.remote_id,
        reached.c.published_at,
        reached.c.ask_at,
        posts.c.state,
    )
    .join(posts, posts.c.id == reached.c.post_id)
    .where(
        text("reached.ask_at IS NOT NULL"),
        reached.c.channel_id == bindparam("channel"),
        reached.c.ask_at <= bindparam("now", type_=Instant()),
    )
    .order_by(reached.c.ask_at, reached.c.post_id)
    .limit(bindparam("most"))
)


def take(tx: Transaction, what: Due, until: datetime) -> bool:
    """Keep others from asking about a post until an instant; False where somebody else did so first."""
    mine = update(reached).where(reached.c.post_id == what.post_id, reached.c.ask_at == what.ask_at)
    return tx.execute(mine.values(ask_at=until)).rowcount == 1


def let_go(tx: Transaction, post_id: int) -> None:
    """Follow a post no more; what was learnt stays."""
    tx.execute(update(reached).where(reached.c.post_id == post_id).values(ask_at=None))


def put_off(tx: Transaction, what: Due, now: datetime) -> None:
    """Ask again at the next time, though nothing was learnt at this one."""
    tx.execute(update(reached).where(reached.c.post_id == what.post_id).values(ask_at=next_ask(what.published_at, now)))


def bring_forward(tx: Transaction, channel_id: int, remote_ids: Collection[str], now: datetime) -> int:
    """Ask about these posts soon, because something happened there; give how many are followed."""
    of_them = select(posts.c.id).where(posts.c.channel_id == channel_id, posts.c.remote_id.in_(list(remote_ids)))
    followed = reached.c.post_id.in_(of_them), reached.c.ask_at > now
    return tx.execute(update(reached).where(*followed).values(ask_at=now)).rowcount


def is_resting(tx: Transaction, channel_id: int, now: datetime) -> bool:
    """Tell whether a channel lets nothing out just now, paused or at a limit: then it is asked nothing either."""
    row = tx.execute(select(channels.c.state, channels.c.not_before).where(channels.c.id == channel_id)).one()
    return row.state != "ready" or (row.not_before is not None and row.not_before > now)


# What was learnt


def keep(tx: Transaction, what: Due, learnt: Learnt, now: datetime) -> None:
    """Keep what was learnt of a post, one value for each hour, day or week of its life, and only where it changed."""
    values: dict[str, Any] = {"asked_at": now, "ask_at": next_ask(what.published_at, now)}
    if learnt.remark is not None:
        remark = learnt.remark
        values |= {"remark_at": remark.at, "remark_text": remark.text or None, "remark_url": remark.url}
    tx.execute(update(reached).where(reached.c.post_id == what.post_id).values(**values))
    _keep_values(tx, reached_values, what.post_id, learnt.values, (now, slot_of(what.published_at, now)))


def keep_of_channel(tx: Transaction, channel_id: int, values: Mapping[str, int], now: datetime) -> None:
    """Keep what was learnt of a channel itself, one value a day."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    _keep_values(tx, reached_channels, channel_id, values, (now, day))


def _keep_values(
    tx: Transaction, table: Table, key: int, values: Mapping[str, int], when: tuple[datetime, datetime]
) -> None:
    now, since = when
    mine = table.c[0] == key
    known = _latest(tx, table, [key]).get(key, {})
    for measure, value in sorted(values.items())[:MOST_MEASURES]:
        if known.get(measure) == value:
            continue
        of_slot = mine, table.c.measure == measure, table.c.at >= since
        tx.execute(delete(table).where(*of_slot))
        tx.execute(insert(table), {table.c[0].name: key, "measure": measure, "at": now, "value": value})


def _latest(tx: Transaction, table: Table, keys: Sequence[int]) -> dict[int, dict[str, int]]:
    key = table.c[0]
    newest = select(key, table.c.measure, func.max(table.c.at).label("at")).where(key.in_(keys))
    ends = newest.group_by(key, table.c.measure).subquery()
    is_end = (ends.c[0] == key) & (ends.c.measure == table.c.measure) & (ends.c.at == table.c.at)
    found: dict[int, dict[str, int]] = {}
    query = select(key, table.c.measure, table.c.value).join(ends, is_end)
    for of, measure, value in tx.execute(query):
        found.setdefault(of, {})[measure] = value
    return found


def of_posts(tx: Transaction, ids: Collection[int]) -> dict[int, Reach]:
    """Give what is known of these posts, those of which nothing was ever learnt left out."""
    wanted, found = sorted(ids), {}
    for first in range(0, len(wanted), _AT_ONCE_IN):
        some = wanted[first : first + _AT_ONCE_IN]
        values = _latest(tx, reached_values, some)
        query = select(
            reached.c.post_id, reached.c.asked_at, reached.c.remark_at, reached.c.remark_text, reached.c.remark_url
        ).where(reached.c.post_id.in_(some), reached.c.asked_at.is_not(None))
        for post_id, asked_at, at, words, url in tx.execute(query):
            remark = Remark(at, words or "", url) if at is not None else None
            found[post_id] = Reach(values.get(post_id, {}), remark, asked_at)
    return found


def series(tx: Transaction, post_id: int, measures: Collection[str]) -> dict[str, list[tuple[datetime, int]]]:
    """Give how these measures of a post grew, oldest first."""
    return _series(tx, reached_values, post_id, measures)


def series_of_channel(
    tx: Transaction, channel_id: int, measures: Collection[str]
) -> dict[str, list[tuple[datetime, int]]]:
    """Give how these measures of a channel itself changed, one value a day at most, oldest first."""
    return _series(tx, reached_channels, channel_id, measures)


def _series(
    tx: Transaction, table: Table, key: int, measures: Collection[str]
) -> dict[str, list[tuple[datetime, int]]]:
    query = select(table.c.measure, table.c.at, table.c.value)
    query = query.where(table.c[0] == key, table.c.measure.in_(list(measures)))
    found: dict[str, list[tuple[datetime, int]]] = {}
    for measure, at, value in tx.execute(query.order_by(table.c.at)):
        found.setdefault(measure, []).append((at, value))
    return found


# How a channel stands


def standing(tx: Transaction, channel_id: int) -> Standing:
    """Say how the figures of a channel stand."""
    kept = json.loads(safety.remembered(tx, f"{_STANDING}{channel_id}") or "{}")
    instants = {name: datetime.fromisoformat(kept[name]) if kept.get(name) else None for name in _INSTANTS}
    values = _latest(tx, reached_channels, [channel_id]).get(channel_id, {})
    return Standing(kept.get("note", ""), values=values, **instants)


_INSTANTS = ("at", "rest_until", "page_at")


def stand(tx: Transaction, channel_id: int, how: Standing) -> None:
    """Keep how the figures of a channel stand."""
    instants = {name: at.isoformat() for name in _INSTANTS if (at := getattr(how, name)) is not None}
    safety.remember(tx, f"{_STANDING}{channel_id}", json.dumps({"note": how.note, **instants}))

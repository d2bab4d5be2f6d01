"""Keeping the history ready to be looked at: `past` and what belongs to it follow what happened, a little later.

Whoever queues or publishes writes nothing for it. What happened is read from the events, as far as they were not read yet,
by whoever looks at the history and by a chore of the worker. Posts from before there was such a table come after that,
the newest first.
"""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, text

from outreach import letter as letters
from outreach.model import BadInput, State
from outreach.store import safety
from outreach.store.engine import Store, Transaction
from outreach.store.prepared import Prepared
from outreach.store.schema import announcements, attempts, channels, communities, contents, events, posts, revisions
from outreach.store.schema_past import past
from outreach.store.words import words_of
from outreach.when import local

ON_TIME = timedelta(minutes=5)
_KEPT = "history so far"
_AT_ONCE = 50
_FROM_BEFORE_AT_ONCE = 5_000
_LOCK = 0x70617374  # "past"
_PLACES = 1 << 31
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SENT = frozenset({State.PUBLISHED, State.HELD, State.RETRACTED})

IS_PAST = or_(posts.c.attempt > 0, posts.c.state.in_(["missed", "cancelled"]))
"""Whether a post belongs to the history: it was attempted or came to rest."""


def key_of(planned_at: datetime, post_id: int = 0) -> int:
    """Give a post's place in the order of the history: by the second it was planned for, of equals by its number."""
    second = (planned_at - _EPOCH) // timedelta(seconds=1)
    return min(max(second, 0), 2**32 - 1) * _PLACES + post_id % _PLACES


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the history is brought up to date: `version` is another one whenever anything of it has changed."""

    version: str
    is_whole: bool


def standing(tx: Transaction) -> Standing:
    """Tell whether all that happened is in the history, what is being sent right now included. Cheap."""
    row: Any = _STANDING.run(tx, {"kept": _KEPT}).one()
    kept, latest, sends = row
    event, post = json.loads(kept) if kept else (-1, 1)
    return Standing(kept or "", event >= latest and post == 0 and not sends)


_STANDING = Prepared(
    text(
        "SELECT (SELECT value FROM meta WHERE key = :kept), (SELECT coalesce(max(id), 0) FROM events),"
        " EXISTS (SELECT 1 FROM posts p LEFT JOIN past q ON q.post_id = p.id"
        " WHERE p.state = 'publishing' AND (q.state IS NULL OR q.state <> 'publishing'))"
    )
)


def catch_up(store: Store, *, most: int | None = None, with_in_flight: bool = False) -> bool:
    """Bring the history up to date; False when `most` posts were looked at and there is more to do.

    In short steps, so that no publisher waits. `with_in_flight` also takes in what is being sent right now.
    """
    with store.read() as tx:
        if standing(tx).is_whole:
            return True
    upto, seen = _settled(store), 0
    while most is None or seen < most:
        with store.read() as tx:
            step = _next_step(tx, upto, with_in_flight)
            rows = _rows(tx, step.posts)
        if step.before == step.after and not step.posts:
            return True
        with store.write() as tx:
            _take(tx, step, rows)
        seen += max(len(step.posts), 1)
    return False


@dataclass(frozen=True, slots=True)
class _Place:
    """Up to which event all is taken in, and below which post nothing from before is taken in yet."""

    event: int
    post: int


@dataclass(frozen=True, slots=True)
class _Step:
    before: _Place | None
    after: _Place
    posts: frozenset[int]


def _settled(store: Store) -> int:
    """Give the number of the latest event before which no other can appear any more."""
    latest = select(func.coalesce(func.max(events.c.id), 0))
    with store.read() as tx:
        found = int(tx.execute(latest).scalar_one())
        place = _place(tx)
    if store.is_sqlite or (place is not None and place.event >= found):
        return found
    # Numbers are given out before their rows can be seen: this waits for those who have one and have not committed yet.
    with store.write() as tx:
        tx.execute(text("SET LOCAL lock_timeout = '2s'"))
        tx.execute(text("LOCK TABLE events IN SHARE MODE"))
        return int(tx.execute(latest).scalar_one())


def _place(tx: Transaction) -> _Place | None:
    kept = safety.remembered(tx, _KEPT)
    return _Place(*json.loads(kept)) if kept else None


def _next_step(tx: Transaction, upto: int, with_in_flight: bool) -> _Step:
    place = _place(tx)
    if place is None:
        first = tx.execute(select(func.coalesce(func.max(posts.c.id), 0) + 1)).scalar_one()
        return _Step(None, _Place(upto, first), frozenset())
    found, event = _after(tx, place.event, upto)
    if event != place.event:
        return _Step(place, _Place(event, place.post), found)
    if with_in_flight and (sending := _in_flight(tx)):
        return _Step(place, place, sending)
    if place.post > 0:
        found, post = _from_before(tx, place.post)
        return _Step(place, _Place(place.event, post), found)
    return _Step(place, place, frozenset())


def _after(tx: Transaction, event: int, upto: int) -> tuple[frozenset[int], int]:
    """Give the posts that the next events are about, and the last of these events."""
    query = select(events.c.id, events.c.kind, events.c.post_id, events.c.announcement_id)
    rows = tx.execute(query.where(events.c.id > event, events.c.id <= upto).order_by(events.c.id).limit(_AT_ONCE)).all()
    found = {row.post_id for row in rows if row.post_id is not None and row.kind != "queue"}
    whole = {row.announcement_id for row in rows if row.post_id is None and row.announcement_id is not None}
    if whole:
        of_them = select(posts.c.id).where(posts.c.announcement_id.in_(whole), IS_PAST)
        found |= set(tx.execute(of_them).scalars())
    return frozenset(found), rows[-1].id if rows else event


def _in_flight(tx: Transaction) -> frozenset[int]:
    query = (
        select(posts.c.id)
        .outerjoin(past, past.c.post_id == posts.c.id)
        .where(text("posts.state = 'publishing'"), or_(past.c.state.is_(None), past.c.state != "publishing"))
    )
    return frozenset(tx.execute(query).scalars())


def _from_before(tx: Transaction, below: int) -> tuple[frozenset[int], int]:
    least = max(below - _FROM_BEFORE_AT_ONCE, 0)
    query = select(posts.c.id).where(posts.c.id < below, posts.c.id >= least, IS_PAST).order_by(posts.c.id.desc())
    found = tx.execute(query.limit(_AT_ONCE)).scalars().all()
    return frozenset(found), found[-1] if len(found) == _AT_ONCE else least


# What the row of a post has to be

_WANTED = (
    select(
        posts.c.id.label("post_id"),
        posts.c.channel_id,
        posts.c.state,
        posts.c.planned_at,
        announcements.c.community_id,
        announcements.c.title,
        channels.c.name.label("channel"),
        communities.c.time_zone,
        contents.c.text,
        revisions.c.letter,
        revisions.c.person_id.label("written_by"),
        announcements.c.approved_by,
        (announcements.c.approved_revision == contents.c.revision).label("is_approved"),
        attempts.c.started_at,
    )
    .join(announcements, announcements.c.id == posts.c.announcement_id)
    .join(communities, communities.c.id == announcements.c.community_id)
    .join(channels, channels.c.id == posts.c.channel_id)
    .outerjoin(contents, and_(contents.c.post_id == posts.c.id, contents.c.sha256 == posts.c.content_sha256))
    .outerjoin(
        revisions,
        and_(
            revisions.c.announcement_id == posts.c.announcement_id,
            revisions.c.revision == func.coalesce(contents.c.revision, announcements.c.revision),
        ),
    )
    .outerjoin(attempts, and_(attempts.c.post_id == posts.c.id, attempts.c.number == posts.c.attempt))
    .where(IS_PAST)
)


def _rows(tx: Transaction, ids: Collection[int]) -> list[dict[str, Any]]:
    return [_row(found) for found in tx.execute(_WANTED.where(posts.c.id.in_(ids)))] if ids else []


def _row(of: Any) -> dict[str, Any]:
    at = local(of.planned_at, of.time_zone)
    is_sent = of.state in _SENT and of.started_at is not None
    row: dict[str, Any] = {
        "key": key_of(of.planned_at, of.post_id),
        "post_id": of.post_id,
        "community_id": of.community_id,
        "channel_id": of.channel_id,
        "month": at.year * 100 + at.month,
        "state": of.state,
        "template": template_of(of.letter or ""),
        "written_by": of.written_by,
        "approved_by": of.approved_by if of.is_approved else None,
        "is_on_time": of.started_at - of.planned_at <= ON_TIME if is_sent else None,
    }
    said = words_of(f"{of.title}\n{of.channel}\n{of.text or ''}")
    return row | {"words": " ".join([*marks(row), *said])}


def marks(of: Mapping[str, Any]) -> list[str]:
    """Give the words that stand for what a post is, among those of what it says: none of these begins with _."""
    found = [f"_o{of['community_id']}"] if "community_id" in of else []
    found += [f"_c{of['channel_id']}"] if "channel_id" in of else []
    found += [f"_s{of['state']}"] if "state" in of else []
    if of.get("template"):
        found.append(f"_t{hashlib.sha256(of['template'].encode()).hexdigest()[:16]}")
    return found + [f"_{kind}{of[name]}" for kind, name in (("w", "written_by"), ("a", "approved_by")) if of.get(name)]


def template_of(letter: str) -> str:
    """Give the template that a letter of ours names; empty for one that names none."""
    for line in letter.split("\n")[1:]:
        if line == "---":
            return ""
        if line.startswith("template: "):
            name = line.removeprefix("template: ").strip()
            return _parsed(letter) if name[:1] in "\"'" else name
    return ""


def _parsed(letter: str) -> str:
    try:
        return letters.parse(letter).template or ""
    except BadInput:
        return ""


# Writing it

_COLUMNS = [column.name for column in past.c]
_ADD = Prepared(insert(past), _COLUMNS)
_DROP = Prepared(delete(past).where(past.c.key == bindparam("key")))
_ADD_WORDS = Prepared(text("INSERT INTO past_words (rowid, words) VALUES (:key, :words)"))
_DROP_WORDS = Prepared(text("INSERT INTO past_words (past_words, rowid, words) VALUES ('delete', :key, :words)"))
_LEARN = Prepared(text("INSERT OR IGNORE INTO past_lexicon (word) VALUES (:word)"))
_COUNTED = ("community_id", "month", "channel_id", "template", "state")
_COUNT = Prepared(
    text(
        f"INSERT INTO months ({', '.join(_COUNTED)}, posts, sent, on_time)"  # noqa: S608 - names of our own
        f" VALUES ({', '.join(f':{name}' for name in _COUNTED)}, :posts, :sent, :on_time)"
        f" ON CONFLICT ({', '.join(_COUNTED)}) DO UPDATE SET posts = months.posts + excluded.posts,"
        " sent = months.sent + excluded.sent, on_time = months.on_time + excluded.on_time"
    )
)


def _take(tx: Transaction, step: _Step, rows: Sequence[dict[str, Any]]) -> None:
    """Write a step down, unless somebody else has taken one meanwhile."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _place(tx) != step.before:
        return
    before = _there(tx, step.posts)
    after = {row["post_id"]: row for row in rows}
    changed = [post_id for post_id in step.posts if before.get(post_id) != after.get(post_id)]
    _drop(tx, [before[post_id] for post_id in changed if post_id in before])
    _add(tx, [after[post_id] for post_id in changed if post_id in after])
    if step.before != step.after:
        safety.remember(tx, _KEPT, json.dumps([step.after.event, step.after.post]))


def _there(tx: Transaction, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    if not ids:
        return {}
    found = tx.execute(select(past).where(past.c.post_id.in_(ids))).mappings()
    return {row["post_id"]: dict(row) for row in found}


def _drop(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        _DROP_WORDS.run_all(tx, rows)
    _DROP.run_all(tx, rows)
    _COUNT.run_all(tx, [_figures(row, -1) for row in rows])


def _add(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    _ADD.run_all(tx, rows)
    if tx.dialect.name == "sqlite":
        _ADD_WORDS.run_all(tx, rows)
        said = {word for row in rows for word in row["words"].split(" ") if word[:1] != "_"}
        if said:
            _LEARN.run_all(tx, [{"word": word} for word in sorted(said)])
    _COUNT.run_all(tx, [_figures(row, 1) for row in rows])


def _figures(row: Mapping[str, Any], by: int) -> dict[str, Any]:
    is_sent, is_on_time = row["is_on_time"] is not None, bool(row["is_on_time"])
    return {name: row[name] for name in _COUNTED} | {"posts": by, "sent": by * is_sent, "on_time": by * is_on_time}


def index_again(connection: sqlite3.Connection) -> None:
    """Make the index of words anew in a SQLite file whose rows of `past` came from elsewhere."""
    connection.execute("INSERT INTO past_words (past_words) VALUES ('rebuild')")
    connection.execute("DELETE FROM past_lexicon")
    known = {word for (said,) in connection.execute("SELECT words FROM past") for word in said.split(" ")}
    words = [(word,) for word in sorted(known) if word[:1] != "_"]
    connection.executemany("INSERT INTO past_lexicon (word) VALUES (?)", words)

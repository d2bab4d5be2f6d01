"""The sealed history: a chain of hashes over everything that happened, so that nobody rewrites it without being found out.

Each seal covers the events and sightings written since the seal before. Its hash is the SHA-256 of, one after the other:
the hash of the seal before (64 hexadecimal digits; zeros before the first), the SHA-256 (32 bytes) of the line of each
entry (events by their numbers, then sightings by theirs), and the line of the seal itself. A line is compact JSON with
ASCII escapes; instants are whole microseconds since 1970, JSON columns are their text as stored, missing is null:

    ["event", id, at, kind, post, announcement, channel, attempt, person, note, TRIED, SAID, LETTER]
    ["sighting", id, post, at, kind, seen by, evidence]
    ["seal", id, last event, last sighting, entries, at]

TRIED is null but for a verdict, and then its attempt: [worker, content hash, started, ended, outcome, reason, evidence].
SAID is null but for what brought texts of a post (queued, edited, queued again by an edit), and then [[content hash, SHA-256
of text, NUL and body] …]. LETTER is null but for what is about one revision (queued, edited, approved), and then the SHA-256
of its letter. All of it is the same on SQLite and PostgreSQL and after a backup was put back.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import TextClause, func, select, text

from outreach.store import safety
from outreach.store.engine import Store, Transaction
from outreach.store.once import insert_once
from outreach.store.schema_access import seals

SETTLED_AFTER = timedelta(minutes=2)
MOST_AT_ONCE = 10_000
_MARK = "seal mark"
_BATCH = 5_000
_BEFORE_ALL = -(2**62)
_VERDICTS = frozenset({"publish", "defer", "fail", "doubt"})
MARK_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain: `entries` counts what it covers, up to and with `last_event` and `last_sighting`."""

    id: int
    last_event: int
    last_sighting: int
    entries: int
    sha256: str
    at: datetime


NOTHING = Seal(0, _BEFORE_ALL, _BEFORE_ALL, 0, "0" * 64, datetime(1970, 1, 1, tzinfo=UTC))
"""What stands before the first seal."""

_COLUMNS = (
    seals.c.id,
    seals.c.last_event,
    seals.c.last_sighting,
    seals.c.entries,
    seals.c.sha256,
    seals.c.at,
)


def latest(tx: Transaction) -> Seal | None:
    """Give the latest seal."""
    row = tx.execute(select(*_COLUMNS).order_by(seals.c.id.desc()).limit(1)).first()
    return Seal(*row) if row else None


def after(tx: Transaction, number: int, most: int) -> list[tuple[Seal, str]]:
    """Give the seals after one, each with its marks: the first digits of the hash of each entry, to find one by."""
    query = select(*_COLUMNS, seals.c.marks).where(seals.c.id > number).order_by(seals.c.id).limit(most)
    return [(Seal(*row[:-1]), row[-1]) for row in tx.execute(query)]


def counted(tx: Transaction) -> tuple[int, int]:
    """Give how many seals there are and how many entries they cover."""
    row = tx.execute(select(func.count(), func.coalesce(func.sum(seals.c.entries), 0)).select_from(seals)).one()
    return int(row[0]), int(row[1])


# Entries


class Entry(NamedTuple):
    """One thing that happened: `what` is `event` or `sighting`, `digest` the SHA-256 of its line."""

    what: str
    id: int
    digest: bytes

    @property
    def name(self) -> str:
        """Name it as people look for it."""
        return f"{self.what} {self.id}"


_EVENTS = text(
    """
    SELECT e.id, e.at, e.kind, e.post_id, e.announcement_id, e.channel_id, e.attempt, e.person, e.note,
           a.worker, a.content_sha256, a.started_at, a.ended_at, a.outcome, a.reason, CAST(a.evidence AS TEXT)
    FROM events e
    LEFT JOIN attempts a ON a.post_id = e.post_id AND a.number = e.attempt
         AND e.kind IN ('publish', 'defer', 'fail', 'doubt')
    WHERE e.id > :after AND e.id <= :last ORDER BY e.id LIMIT :most
    """
)
_SAID = text(
    """
    SELECT e.id, c.sha256, c.text, CAST(c.body AS TEXT)
    FROM events e JOIN contents c ON c.post_id = e.post_id
    WHERE e.id > :after AND e.id <= :last
      AND (e.kind = 'queue' AND c.revision = (SELECT min(f.revision) FROM contents f WHERE f.post_id = e.post_id)
           OR e.kind IN ('edit', 'requeue') AND e.note = 'revision ' || CAST(c.revision AS TEXT))
    """
)
_LETTERS = text(
    """
    SELECT e.id, r.letter
    FROM events e JOIN revisions r ON r.announcement_id = e.announcement_id
    WHERE e.id > :after AND e.id <= :last
      AND (e.kind = 'queue' AND r.revision = (SELECT min(f.revision) FROM contents f WHERE f.post_id = e.post_id)
           OR e.kind IN ('edit', 'approve') AND e.note = 'revision ' || CAST(r.revision AS TEXT))
    """
)
_SIGHTINGS = text(
    """
    SELECT 'sighting', s.id, s.post_id, s.at, s.kind, s.seen_by, CAST(s.evidence AS TEXT)
    FROM sightings s WHERE s.id > :after AND s.id <= :last ORDER BY s.id LIMIT :most
    """
)
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=repr).encode


def entries(tx: Transaction, before: Seal, event: int, sighting: int) -> Iterator[Entry]:
    """Give everything after a seal, up to and with an event and a sighting, in the order in which it is sealed."""
    yield from _events(tx, before.last_event, event)
    yield from _sightings(tx, before.last_sighting, sighting)


def _events(tx: Transaction, after: int, last: int) -> Iterator[Entry]:
    while rows := tx.execute(_EVENTS, {"after": after, "last": last, "most": _BATCH}).all():
        span = {"after": after, "last": rows[-1][0]}
        said, letters = _said(tx, span), _letters(tx, span)
        for row in rows:
            number, kind = row[0], row[2]
            tried = list(row[9:]) if kind in _VERDICTS else None
            yield _entry("event", number, ["event", *row[:9], tried, said.get(number), letters.get(number)])
        after = span["last"]


def _said(tx: Transaction, span: dict[str, int]) -> dict[int, list[list[str]]]:
    found: dict[int, list[list[str]]] = defaultdict(list)
    for event, sha256, words, body in tx.execute(_SAID, span):
        found[event].append([sha256, _sha256(f"{words}\0{body}")])
    return {event: sorted(contents) for event, contents in found.items()}


def _letters(tx: Transaction, span: dict[str, int]) -> dict[int, str]:
    return {event: _sha256(letter) for event, letter in tx.execute(_LETTERS, span)}


def _sightings(tx: Transaction, after: int, last: int) -> Iterator[Entry]:
    while rows := tx.execute(_SIGHTINGS, {"after": after, "last": last, "most": _BATCH}).all():
        yield from (_entry("sighting", row[1], list(row)) for row in rows)
        after = rows[-1][1]


def _entry(what: str, number: int, line: list[Any]) -> Entry:
    return Entry(what, number, hashlib.sha256(_encode(line).encode()).digest())


def _sha256(said: str) -> str:
    return hashlib.sha256(str(said).encode("utf-8", "surrogatepass")).hexdigest()


def mark_of(entry: Entry) -> str:
    """Give the digits by which an entry is found again, should its seal not fit any more."""
    return entry.digest.hex()[:MARK_DIGITS]


def hash_of(before: Seal, digests: list[bytes], seal: Seal) -> str:
    """Compute what the hash of a seal over these entries has to be."""
    at = (seal.at - NOTHING.at) // timedelta(microseconds=1)
    own = _encode(["seal", seal.id, seal.last_event, seal.last_sighting, seal.entries, at])
    return hashlib.sha256(b"".join([before.sha256.encode(), *digests, own.encode()])).hexdigest()


# Sealing


class Upto(NamedTuple):
    """Up to which event and sighting nothing can be written in between any more."""

    event: int
    sighting: int


def settled(store: Store, now: datetime) -> Upto | None:
    """Say up to where the history is at rest: everything seen two minutes ago, if no transaction of then still runs.

    A number is given to an entry before it is committed, so on PostgreSQL a later one may be seen first. None: nothing
    new is at rest yet.
    """
    with store.read() as tx:
        seal, newest, marked = latest(tx) or NOTHING, _newest(tx), _marked(tx)
        oldest, next_one = (0, 0) if store.is_sqlite else _running(tx)
    if newest.event <= seal.last_event and newest.sighting <= seal.last_sighting:
        return None
    is_new = marked and (marked["event"] > seal.last_event or marked["sighting"] > seal.last_sighting)
    if marked and is_new and datetime.fromisoformat(marked["at"]) <= now and marked["next"] <= next_one:
        is_at_rest = now - datetime.fromisoformat(marked["at"]) >= SETTLED_AFTER and oldest >= marked["next"]
        return Upto(marked["event"], marked["sighting"]) if is_at_rest else None
    with store.write() as tx:
        told = {"at": now.astimezone(UTC).isoformat(), "next": next_one} | newest._asdict()
        safety.remember(tx, _MARK, json.dumps(told))
    return None


def _newest(tx: Transaction) -> Upto:
    row = tx.execute(text("SELECT (SELECT max(id) FROM events), (SELECT max(id) FROM sightings)")).one()
    return Upto(*(_BEFORE_ALL if number is None else int(number) for number in row))


def _marked(tx: Transaction) -> dict[str, Any] | None:
    kept = safety.remembered(tx, _MARK)
    read: dict[str, Any] | None = json.loads(kept) if kept else None
    return read


_RUNNING = text("SELECT txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot())")


def _running(tx: Transaction) -> tuple[int, int]:
    """Give the number of the oldest transaction of a PostgreSQL that still runs, and that of the next to begin."""
    row = tx.execute(_RUNNING).one()
    return int(row[0]), int(row[1])


def seal_some(store: Store, upto: Upto, now: datetime, *, most: int = MOST_AT_ONCE) -> Seal | None:
    """Make the next seal, over at most so many events and so many sightings; None where nothing is left, or another was faster.

    It is computed while others write; only the finished seal waits for its turn.
    """
    with store.read() as tx:
        before = latest(tx) or NOTHING
        event = _nth(tx, _NTH_EVENT, before.last_event, upto.event, most)
        sighting = _nth(tx, _NTH_SIGHTING, before.last_sighting, upto.sighting, most)
        found = list(entries(tx, before, event, sighting))
    if not found:
        return None
    unhashed = Seal(before.id + 1, event, sighting, len(found), "", now)
    sha256 = hash_of(before, [entry.digest for entry in found], unhashed)
    row = {name: getattr(unhashed, name) for name in ("id", "last_event", "last_sighting", "entries", "at")}
    row |= {"sha256": sha256, "marks": "".join(map(mark_of, found))}
    with store.write() as tx:
        insert_once(tx, seals, row)  # under its number there may be that of another worker by now
        made = latest(tx)
    return made if made and made.sha256 == sha256 else None


def _nth_of(table: str) -> TextClause:
    few = f"SELECT id FROM {table} WHERE id > :after AND id <= :last ORDER BY id LIMIT :most"  # noqa: S608 - our own
    return text(f"SELECT max(id) FROM ({few}) AS few")  # noqa: S608 - our own


_NTH_EVENT, _NTH_SIGHTING = _nth_of("events"), _nth_of("sightings")


def _nth(tx: Transaction, query: TextClause, after: int, last: int, most: int) -> int:
    found = tx.execute(query, {"after": after, "last": last, "most": most}).scalar()
    return after if found is None else int(found)

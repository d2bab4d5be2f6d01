"""What happened, in order, never rewritten: events, attempts and sightings of a post."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from outreach.model import Move, Post
from outreach.store.engine import Transaction
from outreach.store.schema import attempts, events, posts, sightings

TWICE = "twice"
"""The kind of sighting that says that a post went out more than once."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_VERDICTS = {str(move) for move in (Move.PUBLISH, Move.DEFER, Move.FAIL, Move.DOUBT)}


def of_post(tx: Transaction, post_id: int) -> list[dict[str, Any]]:
    """Give everything that happened to a post in the order it happened, each with at least `at` and `kind`.

    The order is that of writing: a clock that was set back cannot turn it round. An attempt stands before its verdict.
    """
    told: list[tuple[datetime, int, dict[str, Any]]] = []
    latest = _LONG_AGO
    ended: dict[int, datetime] = {}
    for entry in _events(tx, post_id):
        latest = max(latest, entry["at"])
        told.append((latest, 1, entry))
        if entry["kind"] in _VERDICTS:
            ended.setdefault(entry["attempt"], latest)
    told += [(ended.get(entry["attempt"], max(latest, entry["at"])), 0, entry) for entry in _attempts(tx, post_id)]
    told += [(entry["at"], 0, entry) for entry in _sightings(tx, post_id)]
    return [entry for _, _, entry in sorted(told, key=lambda each: each[:2])]


def of_announcement(tx: Transaction, number: int) -> list[dict[str, Any]]:
    """Give what happened to an announcement as a whole, such as an approval, in the order it was written."""
    query = select(events).where(events.c.announcement_id == number, events.c.post_id.is_(None)).order_by(events.c.id)
    rows = tx.execute(query).mappings()
    return [_without_nothing({key: row[key] for key in ("at", "kind", "person", "note")}) for row in rows]


def see(
    tx: Transaction,
    post_id: int,
    *,
    at: datetime,
    kind: str,
    evidence: Mapping[str, Any],
    by: str = "the service",
) -> None:
    """Write down something that proves or disproves arrival, or a look that saw nothing, and who saw it."""
    row = {"post_id": post_id, "at": at, "kind": kind, "seen_by": by, "evidence": dict(evidence)}
    tx.execute(insert(sightings), row)


def happened_to(
    tx: Transaction, post: Post, kind: str, *, now: datetime, person: str | None = None, note: str | None = None
) -> None:
    """Write down something that was done about a post and that moves nothing."""
    row = {"at": now, "kind": kind, "post_id": post.id, "attempt": post.attempt, "person": person, "note": note}
    tx.execute(insert(events), row)


def see_copies(tx: Transaction, post_id: int, *, at: datetime, remote_ids: Sequence[str], url: str | None) -> None:
    """Write down that a post is there more than once; nothing where it is there once."""
    if len(remote_ids) > 1:
        see(tx, post_id, at=at, kind=TWICE, evidence={"remote_ids": list(remote_ids), "url": url})


def plan_look(tx: Transaction, post: Post, *, look_at: datetime | None, looks: int, clean_looks: int) -> None:
    """Write down how often an unconfirmed post was looked for and when it is next; nothing if it was tried again since."""
    tx.execute(
        update(posts)
        .where(posts.c.id == post.id, posts.c.attempt == post.attempt, posts.c.state == "unconfirmed")
        .values(look_at=look_at, looks=looks, clean_looks=clean_looks)
    )


def set_url(tx: Transaction, post_id: int, url: str) -> None:
    """Write down the public address of a post, learnt after it went out."""
    tx.execute(update(posts).where(posts.c.id == post_id).values(url=url))


def _events(tx: Transaction, post_id: int) -> list[dict[str, Any]]:
    rows = tx.execute(select(events).where(events.c.post_id == post_id).order_by(events.c.id)).mappings()
    return [_without_nothing({key: row[key] for key in ("at", "kind", "attempt", "person", "note")}) for row in rows]


def _attempts(tx: Transaction, post_id: int) -> list[dict[str, Any]]:
    rows = (
        tx.execute(select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.number)).mappings().all()
    )
    decided = _decided(tx, post_id) if rows else ()
    return [
        _without_nothing(
            {
                "at": row["ended_at"] or row["started_at"],
                "kind": "attempt",
                "attempt": row["number"],
                "started_at": row["started_at"],
                "outcome": row["outcome"],
                "note": row["reason"],
                "evidence": row["evidence"] or None,
                "content_sha256": row["content_sha256"],
                "approval": _approval(decided, row["started_at"]),
            }
        )
        for row in rows
    ]


_DECIDES = ("queue", "edit", "approve", "ask for changes")


def _decided(tx: Transaction, post_id: int) -> Sequence[Any]:
    query = select(events.c.at, events.c.kind, events.c.person).join(
        posts, posts.c.announcement_id == events.c.announcement_id
    )
    query = query.where(posts.c.id == post_id, events.c.kind.in_(_DECIDES))
    return tx.execute(query.order_by(events.c.id)).all()


def _approval(decided: Sequence[Any], at: datetime) -> str:
    """Say by whose approval a try began. What began without one could do so only where none was asked for."""
    latest = [(kind, person) for told_at, kind, person in decided if told_at <= at][-1:]
    approvers = [person for kind, person in latest if kind == "approve"]
    return f"approved by {approvers[0]}" if approvers else "without approval: the community asked for none"


def _sightings(tx: Transaction, post_id: int) -> list[dict[str, Any]]:
    rows = tx.execute(select(sightings).where(sightings.c.post_id == post_id).order_by(sightings.c.id)).mappings()
    return [
        {"at": row["at"], "kind": "sighting", "what": row["kind"], "by": row["seen_by"], "evidence": row["evidence"]}
        for row in rows
    ]


def _without_nothing(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}

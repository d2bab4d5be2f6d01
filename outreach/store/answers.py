"""What requests with an Idempotency-Key were answered, so that the same request a second time does nothing twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.recent import first_since
from outreach.store.schema import events, posts
from outreach.store.schema_access import answers

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a key: the request it came with first, and its answer. No `status`: it is, or was, worked on."""

    request_sha256: str
    at: datetime
    taken_at: datetime
    status: int | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Sign:
    """How the history would show that somebody did something already: an event of one of these kinds by this person.

    About these posts, or this announcement, or this channel, or with this note; what is None does not matter.
    """

    kinds: Sequence[str]
    person: str
    post_ids: Sequence[int] | None = None
    announcement: int | None = None
    channel_id: int | None = None
    note: str | None = None


def begin(tx: Transaction, token_id: int, key: str, request_sha256: str, now: datetime) -> Kept | None:
    """Write down that a request is being worked on; what is known of its key already otherwise. Forgets what is a day old."""
    tx.execute(delete(answers).where(answers.c.at <= now - KEPT_FOR))
    row = {"token_id": token_id, "key": key, "request_sha256": request_sha256, "at": now, "taken_at": now}
    if insert_once(tx, answers, row):
        return None
    columns = answers.c.request_sha256, answers.c.at, answers.c.taken_at, answers.c.status, answers.c.body
    found = tx.execute(select(*columns).where(answers.c.token_id == token_id, answers.c.key == key)).one()
    return Kept(*found)


def take_over(tx: Transaction, token_id: int, key: str, was: Kept, now: datetime) -> bool:
    """Go on with what somebody began and never answered; False where another does so already."""
    own = answers.c.token_id == token_id, answers.c.key == key, answers.c.status.is_(None)
    wanted = update(answers).where(*own, answers.c.taken_at == was.taken_at)
    return tx.execute(wanted.values(taken_at=now)).rowcount == 1


def finish(tx: Transaction, token_id: int, key: str, *, taken_at: datetime, status: int, body: str) -> None:
    """Keep the answer, unless another took over meanwhile."""
    own = answers.c.token_id == token_id, answers.c.key == key, answers.c.taken_at == taken_at
    tx.execute(update(answers).where(*own, answers.c.status.is_(None)).values(status=status, body=body))


def done_since(tx: Transaction, sign: Sign, since: datetime) -> int | None:
    """Give the announcement of the event by which the history shows that it was done since; 0 for one of none; else None."""
    number = func.coalesce(events.c.announcement_id, posts.c.announcement_id, 0)
    query = (
        select(number)
        .outerjoin(posts, posts.c.id == events.c.post_id)
        .where(events.c.id >= first_since(tx, "events", since), events.c.at >= since)
        .where(events.c.kind.in_(list(sign.kinds)), events.c.person == sign.person)
    )
    if sign.post_ids is not None:
        query = query.where(events.c.post_id.in_(list(sign.post_ids)))
    if sign.announcement is not None:
        query = query.where(number == sign.announcement)
    if sign.channel_id is not None:
        query = query.where(events.c.channel_id == sign.channel_id)
    if sign.note is not None:
        query = query.where(events.c.note == sign.note)
    found: int | None = tx.execute(query.order_by(events.c.id).limit(1)).scalar()
    return found

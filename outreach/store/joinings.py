"""Requests to join or to leave a list: each goes one way, step by step, and the history names it by its number alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from outreach.joining import OPEN, CameBy, RequestKind, RequestState
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import channels, events
from outreach.store.schema_members import requests

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands. The address, the name and the words are empty once they were erased."""

    id: int
    channel_id: int
    channel: str
    kind: RequestKind
    state: RequestState
    came_by: CameBy
    address: str
    name: str
    words: str
    made_at: datetime
    ends_at: datetime
    confirmed_at: datetime | None
    settled_at: datetime | None
    decided_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be written down: who asks, what for, how it came, and what its consent link opens with, as a hash."""

    channel_id: int
    kind: RequestKind
    came_by: CameBy
    address: str
    link_sha256: str
    ends_at: datetime
    name: str = ""
    words: str = field(default="", repr=False)
    mail_sha256: str | None = None


def ask(tx: Transaction, asked: Asked, *, now: datetime, person: str | None) -> int | None:
    """Write a request down; give its number, None where one like it is open already, or the same mail made one before."""
    row = {
        "channel_id": asked.channel_id,
        "kind": asked.kind,
        "state": RequestState.UNCONFIRMED,
        "came_by": asked.came_by,
        "address": asked.address,
        "name": asked.name,
        "words": asked.words,
        "mail_sha256": asked.mail_sha256,
        "made_at": now,
        "link_sha256": asked.link_sha256,
        "ends_at": asked.ends_at,
    }
    if not insert_once(tx, requests, row):
        return None
    number = int(tx.execute(select(requests.c.id).where(requests.c.link_sha256 == asked.link_sha256)).scalar_one())
    _tell(tx, asked.channel_id, f"ask to {asked.kind}", number, now, person, f"by {asked.came_by}")
    return number


def by_id(tx: Transaction, community_id: int, number: int) -> Request | None:
    """Give a request of the community."""
    return _one(tx, _QUERY.where(requests.c.id == number, channels.c.community_id == community_id))


def by_link(tx: Transaction, community_id: int, link_sha256: str) -> Request | None:
    """Give the request that a link is of."""
    return _one(tx, _QUERY.where(requests.c.link_sha256 == link_sha256, channels.c.community_id == community_id))


def open_of(tx: Transaction, channel_id: int, address: str, kind: RequestKind) -> Request | None:
    """Give the open request of somebody on a list."""
    of_them = requests.c.channel_id == channel_id, requests.c.address == address, requests.c.kind == kind
    return _one(tx, _QUERY.where(*of_them, requests.c.state.in_(OPEN)))


def accepted_on(tx: Transaction, channel_id: int) -> list[Request]:
    """Give the requests of a list that were accepted and are not done yet."""
    query = _QUERY.where(requests.c.channel_id == channel_id, requests.c.state == RequestState.ACCEPTED)
    return [_request(row) for row in tx.execute(query.order_by(requests.c.id).limit(MOST_SHOWN))]


def waiting_on(tx: Transaction, channel_id: int) -> list[Request]:
    """Give the requests of a list that wait for a coordinator."""
    query = _QUERY.where(requests.c.channel_id == channel_id, requests.c.state == RequestState.WAITING)
    return [_request(row) for row in tx.execute(query.order_by(requests.c.id).limit(MOST_SHOWN))]


def listed(tx: Transaction, community_id: int, states: Collection[RequestState]) -> Sequence[Request]:
    """Give the requests of a community in these states, those that were asked first first."""
    query = _QUERY.where(channels.c.community_id == community_id, requests.c.state.in_(states))
    return [_request(row) for row in tx.execute(query.order_by(requests.c.id).limit(MOST_SHOWN))]


def settled(tx: Transaction, community_id: int, *, most: int) -> Sequence[Request]:
    """Give the requests that came to their end last, newest first."""
    query = _QUERY.where(channels.c.community_id == community_id, requests.c.settled_at.is_not(None))
    return [_request(row) for row in tx.execute(query.order_by(requests.c.settled_at.desc()).limit(most))]


def count_waiting(tx: Transaction, community_id: int) -> int:
    """Count the requests that wait for a coordinator."""
    return len(listed(tx, community_id, (RequestState.WAITING,)))


def go_on(
    tx: Transaction,
    request: Request,
    to: RequestState,
    *,
    now: datetime,
    person: str | None = None,
    note: str | None = None,
    **values: Any,
) -> bool:
    """Move a request on from where it was seen; False when somebody was faster, and then nothing happens.

    `note` may speak of the person, so it is kept with the request alone and can be erased.
    """
    ends = to in (RequestState.DONE, RequestState.DECLINED, RequestState.LAPSED)
    values |= {"settled_at": now if ends else None} | ({"note": note} if note is not None else {})
    as_seen = requests.c.id == request.id, requests.c.state == request.state
    if tx.execute(update(requests).where(*as_seen).values(state=to, **values)).rowcount != 1:
        return False
    _tell(tx, request.channel_id, _SAID[to], request.id, now, person, None)
    return True


def note(tx: Transaction, request: Request, words: str, *, now: datetime, person: str | None = None) -> None:
    """Keep what became known of a request without moving it."""
    tx.execute(update(requests).where(requests.c.id == request.id).values(note=words))
    _tell(tx, request.channel_id, "note request", request.id, now, person, None)


def renew(
    tx: Transaction, request: Request, link_sha256: str, *, ends_at: datetime, now: datetime, person: str | None
) -> None:
    """Give a request that nobody confirmed yet another link; the one before opens nothing any more."""
    values = {"link_sha256": link_sha256, "ends_at": ends_at, "made_at": now}
    is_unconfirmed = requests.c.id == request.id, requests.c.state == RequestState.UNCONFIRMED
    tx.execute(update(requests).where(*is_unconfirmed).values(**values))
    _tell(tx, request.channel_id, f"ask to {request.kind}", request.id, now, person, "once more")


def count_by_mail(tx: Transaction, *, since: datetime) -> int:
    """Count the requests that mails made since an instant."""
    by_mail = requests.c.came_by == CameBy.MAIL, requests.c.made_at > since
    return int(tx.execute(select(func.count()).select_from(requests).where(*by_mail)).scalar_one())


def of_address(tx: Transaction, community_id: int, address: str) -> list[Request]:
    """Give every request of an address."""
    query = _QUERY.where(channels.c.community_id == community_id, requests.c.address == address)
    return [_request(row) for row in tx.execute(query.order_by(requests.c.id))]


def erase(tx: Transaction, request: Request, *, now: datetime, person: str | None) -> None:
    """Forget who a request was from and what they said; one that is open lapses."""
    if request.state in OPEN:
        go_on(tx, request, RequestState.LAPSED, now=now, person=person, note="")
    gone = {"address": "", "name": "", "words": "", "note": None}
    tx.execute(update(requests).where(requests.c.id == request.id).values(**gone))
    _tell(tx, request.channel_id, "erase request", request.id, now, person, None)


def to_be_forgotten(tx: Transaction, *, now: datetime, settled_before: datetime, most: int = 200) -> list[Request]:
    """Give the requests that nobody confirmed in time, and those settled so long ago that nobody needs to know of whom."""
    is_over = (requests.c.state == RequestState.UNCONFIRMED) & (requests.c.ends_at <= now)
    is_old = (requests.c.settled_at <= settled_before) & (requests.c.address != "")
    return [_request(row) for row in tx.execute(_QUERY.where(is_over | is_old).order_by(requests.c.id).limit(most))]


_SAID = {
    RequestState.WAITING: "confirm request",
    RequestState.ACCEPTED: "accept request",
    RequestState.DONE: "request done",
    RequestState.DECLINED: "decline request",
    RequestState.LAPSED: "request lapsed",
}
_QUERY = select(
    requests.c.id,
    requests.c.channel_id,
    channels.c.name,
    requests.c.kind,
    requests.c.state,
    requests.c.came_by,
    requests.c.address,
    requests.c.name,
    requests.c.words,
    requests.c.made_at,
    requests.c.ends_at,
    requests.c.confirmed_at,
    requests.c.settled_at,
    requests.c.decided_by,
    requests.c.note,
).join(channels, channels.c.id == requests.c.channel_id)


def _one(tx: Transaction, query: Any) -> Request | None:
    row = tx.execute(query).first()
    return _request(row) if row else None


def _request(row: Any) -> Request:
    number, channel_id, channel, kind, state, came_by, *rest = row
    return Request(number, channel_id, channel, RequestKind(kind), RequestState(state), CameBy(came_by), *rest)


def _tell(
    tx: Transaction, channel_id: int, kind: str, number: int, now: datetime, person: str | None, note: str | None
) -> None:
    said = f"request {number}" + (f": {note}" if note else "")
    tx.execute(insert(events), {"at": now, "kind": kind, "channel_id": channel_id, "person": person, "note": said})

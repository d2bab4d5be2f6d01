"""Webhooks: who is told what happens, and the deliveries that are owed to each. An outbox: written before it is sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, text, update

from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.recent import first_since
from outreach.store.schema import channels, events, posts
from outreach.store.schema_access import deliveries, webhooks

LATE_COMMITS = timedelta(minutes=2)
"""PostgreSQL numbers a row before its transaction ends: what is newer than this is looked through again."""


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """An address that is told. `secret` is encrypted; it is over once `ended_at` is set."""

    id: int
    community_id: int
    url: str
    secret: str = field(repr=False)
    kinds: Sequence[str]
    made_at: datetime
    after_event: int
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that somebody may have to be told of."""

    id: int
    at: datetime
    kind: str
    post_id: int | None
    channel_id: int | None
    person: str | None
    note: str | None
    attempt: int | None


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery that is to be made. `tries` counts those that were begun."""

    id: int
    webhook_id: int
    event_id: int
    body: str
    made_at: datetime
    next_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the deliveries of a webhook stand."""

    waiting: int
    last_taken_at: datetime | None
    last_trouble: str | None


_SELECT = select(
    webhooks.c.id,
    webhooks.c.community_id,
    webhooks.c.url,
    webhooks.c.secret,
    webhooks.c.kinds,
    webhooks.c.made_at,
    webhooks.c.after_event,
    webhooks.c.ended_at,
    webhooks.c.end_reason,
)


def of_community(tx: Transaction, community_id: int, *, most: int = 100) -> list[WebhookRow]:
    """Give the webhooks of a community, newest first, those that ended included."""
    query = _SELECT.where(webhooks.c.community_id == community_id).order_by(webhooks.c.id.desc()).limit(most)
    return [WebhookRow(*row) for row in tx.execute(query)]


def alive(tx: Transaction) -> list[WebhookRow]:
    """Give the webhooks of all communities that have not ended."""
    return [WebhookRow(*row) for row in tx.execute(_SELECT.where(webhooks.c.ended_at.is_(None)))]


def one(tx: Transaction, community_id: int, number: int) -> WebhookRow | None:
    """Give a webhook of this community."""
    query = _SELECT.where(webhooks.c.community_id == community_id, webhooks.c.id == number)
    row = tx.execute(query).first()
    return WebhookRow(*row) if row else None


def add(
    tx: Transaction, community_id: int, url: str, *, secret: str, kinds: Sequence[str], by: int, now: datetime
) -> int:
    """Begin one; it is told what happens from now on. `secret` is encrypted, `by` the id of a person."""
    values = {"community_id": community_id, "url": url, "secret": secret, "kinds": list(kinds), "made_by": by}
    newest = select(func.coalesce(func.max(events.c.id), 0)).scalar_subquery()
    wanted = insert(webhooks).values(**values, made_at=now, after_event=newest).returning(webhooks.c.id)
    return int(tx.execute(wanted).scalar_one())


def end(tx: Transaction, number: int, reason: str, now: datetime) -> bool:
    """Tell it nothing any more, and drop what is owed to it; False where it had ended."""
    alive_one = webhooks.c.id == number, webhooks.c.ended_at.is_(None)
    if tx.execute(update(webhooks).where(*alive_one).values(ended_at=now, end_reason=reason)).rowcount != 1:
        return False
    owed = deliveries.c.webhook_id == number, deliveries.c.done_at.is_(None)
    tx.execute(update(deliveries).where(*owed).values(done_at=now, next_at=None, trouble="the webhook ended"))
    return True


# From what happened to what is owed


def untold(tx: Transaction, hook: WebhookRow, kinds: Collection[str], *, after: int, most: int) -> list[Happened]:
    """Give the events of these kinds behind a place of which the webhook is owed nothing yet, in their order."""
    known = select(deliveries.c.event_id).where(deliveries.c.webhook_id == hook.id)
    query = (
        select(
            events.c.id,
            events.c.at,
            events.c.kind,
            events.c.post_id,
            events.c.channel_id,
            events.c.person,
            events.c.note,
            events.c.attempt,
        )
        .where(events.c.id > after, events.c.kind.in_(list(kinds)))
        .where(~known.where(deliveries.c.event_id == events.c.id).exists())
        .order_by(events.c.id)
        .limit(most)
    )
    return [Happened(*row) for row in tx.execute(query)]


def left_in_doubt(tx: Transaction, hook: WebhookRow, *, most: int) -> list[Happened]:
    """Give the events that put posts in doubt for which nobody looks any more, since the webhook was made and untold to it."""
    latest = (
        select(func.max(events.c.id))
        .where(events.c.post_id == posts.c.id, events.c.kind == "doubt", events.c.at >= hook.made_at)
        .correlate(posts)
        .scalar_subquery()
    )
    known = select(deliveries.c.event_id).where(deliveries.c.webhook_id == hook.id)
    query = (
        select(events.c.id, events.c.at, events.c.kind, events.c.post_id, events.c.channel_id, events.c.person)
        .add_columns(events.c.note, events.c.attempt)
        .select_from(posts)
        .join(events, events.c.id == latest)
        .where(text("posts.state = 'unconfirmed'"), posts.c.look_at.is_(None))
        .where(~known.where(deliveries.c.event_id == events.c.id).exists())
        .order_by(events.c.id)
        .limit(most)
    )
    return [Happened(*row) for row in tx.execute(query)]


def owe(tx: Transaction, hook: WebhookRow, event_id: int, body: str, now: datetime) -> bool:
    """Owe a webhook the telling of an event, once; False where it is owed or told already."""
    row = {"webhook_id": hook.id, "event_id": event_id, "body": body, "made_at": now, "next_at": now}
    return insert_once(tx, deliveries, row)


def place_to_move_to(tx: Transaction, hook: WebhookRow, now: datetime) -> int | None:
    """Give the place a little before now, from which a webhook that was told of everything goes on; None where it is there."""
    place = first_since(tx, "events", now - LATE_COMMITS) - 1
    return place if place > hook.after_event else None


def move_on(tx: Transaction, hook: WebhookRow, place: int) -> None:
    """Let the next look of a webhook begin behind a place."""
    behind = webhooks.c.id == hook.id, webhooks.c.after_event < place
    tx.execute(update(webhooks).where(*behind).values(after_event=place))


def paused_for_a_person(tx: Transaction, community_id: int, channel_id: int) -> str | None:
    """Give the name of a channel of a community that is paused until a person does something about it; else None."""
    query = select(channels.c.name).where(channels.c.id == channel_id, channels.c.community_id == community_id)
    return tx.execute(query.where(channels.c.state == "paused", channels.c.until.is_(None))).scalar()


# Delivering

_OWED = select(
    deliveries.c.id,
    deliveries.c.webhook_id,
    deliveries.c.event_id,
    deliveries.c.body,
    deliveries.c.made_at,
    deliveries.c.next_at,
    deliveries.c.tries,
)


def due(tx: Transaction, now: datetime, *, most: int) -> list[Owed]:
    """Give the deliveries whose time has come, the longest due first."""
    query = _OWED.where(deliveries.c.next_at.is_not(None), deliveries.c.next_at <= now)
    return [Owed(*row) for row in tx.execute(query.order_by(deliveries.c.next_at, deliveries.c.id).limit(most))]


def take(tx: Transaction, owed: Owed, *, until: datetime) -> bool:
    """Begin to deliver: whoever takes it has until then; False where another took it."""
    own = deliveries.c.id == owed.id, deliveries.c.next_at == owed.next_at, deliveries.c.tries == owed.tries
    return tx.execute(update(deliveries).where(*own).values(next_at=until, tries=owed.tries + 1)).rowcount == 1


def note(
    tx: Transaction, owed: Owed, *, status: int | None, trouble: str | None, next_at: datetime | None, now: datetime
) -> None:
    """Write down how a try ended; without a next one the delivery is done. One that ended meanwhile stays so."""
    values = {"status": status, "trouble": trouble, "next_at": next_at, "done_at": None if next_at else now}
    still = deliveries.c.id == owed.id, deliveries.c.done_at.is_(None)
    tx.execute(update(deliveries).where(*still).values(**values))


def add_test(tx: Transaction, hook: WebhookRow, number: int, body: str, *, now: datetime, until: datetime) -> Owed:
    """Write down a delivery that tells of nothing, begun already; `number` is below zero, where no event is."""
    row = {"webhook_id": hook.id, "event_id": number, "body": body, "made_at": now, "next_at": until, "tries": 1}
    made = int(tx.execute(insert(deliveries).values(**row).returning(deliveries.c.id)).scalar_one())
    return Owed(made, hook.id, number, body, now, until, 1)


def failing_since(tx: Transaction, hook: WebhookRow) -> datetime | None:
    """Give when the oldest delivery was made that was tried in vain since the last one that was taken."""
    own = deliveries.c.webhook_id == hook.id
    taken = tx.execute(select(func.max(deliveries.c.done_at)).where(own, _IS_TAKEN)).scalar()
    query = select(func.min(deliveries.c.made_at)).where(own, deliveries.c.trouble.is_not(None))
    found: datetime | None = tx.execute(query if taken is None else query.where(deliveries.c.made_at > taken)).scalar()
    return found


_IS_TAKEN = deliveries.c.status.between(200, 299)


def standing(tx: Transaction, hook: WebhookRow) -> Standing:
    """Say how the deliveries of a webhook stand."""
    own = deliveries.c.webhook_id == hook.id
    waiting = select(func.count()).select_from(deliveries).where(own, deliveries.c.next_at.is_not(None))
    taken = select(func.max(deliveries.c.done_at)).where(own, _IS_TAKEN)
    latest = select(deliveries.c.trouble).where(own, deliveries.c.tries > 0).order_by(deliveries.c.id.desc()).limit(1)
    return Standing(int(tx.execute(waiting).scalar_one()), tx.execute(taken).scalar(), tx.execute(latest).scalar())


def forget(tx: Transaction, before: datetime) -> None:
    """Forget deliveries that were done long ago."""
    tx.execute(delete(deliveries).where(deliveries.c.done_at < before))

"""Communities and their channels: written down from the settings, paused and resumed."""

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from outreach.lifecycle import Pause
from outreach.model import BadInput
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import channels, communities, events, meta


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as the database knows it. `until` and `reason` are set only while it is paused."""

    id: int
    community_id: int
    name: str
    kind: str
    state: str
    reason: str | None
    until: datetime | None
    paused_by: str | None


@dataclass(frozen=True, slots=True)
class CommunityRow:
    """A community as the database knows it."""

    id: int
    name: str
    time_zone: str
    approval: str


def install_secret(tx: Transaction) -> str:
    """Give the random secret of this install, made when it is first asked for."""
    kept = select(meta.c.value).where(meta.c.key == "secret")
    found: str | None = tx.execute(kept).scalar()
    if found is None:
        insert_once(tx, meta, {"key": "secret", "value": randomness.token_hex(32)})
        found = tx.execute(kept).scalar_one()
    return found


def settle_community(
    tx: Transaction, *, name: str, time_zone: str, approval: str | None, now: datetime
) -> CommunityRow:
    """Make the first community what the settings say, and give it. Approval None: as the community has it."""
    said = {"name": name, "time_zone": time_zone} | ({"approval": approval} if approval else {})
    first = select(communities).order_by(communities.c.id).limit(1)
    row = tx.execute(first).mappings().first()
    if row is None:
        insert_once(tx, communities, {"approval": "off"} | said | {"created_at": now})
        row = tx.execute(first).mappings().one()
    if any(row[key] != value for key, value in said.items()):
        tx.execute(update(communities).where(communities.c.id == row["id"]).values(**said))
    return CommunityRow(row["id"], name, time_zone, approval or row["approval"])


def community(tx: Transaction, community_id: int) -> CommunityRow:
    """Give a community as it is now."""
    row = tx.execute(select(communities).where(communities.c.id == community_id)).mappings().one()
    return CommunityRow(row["id"], row["name"], row["time_zone"], row["approval"])


def wishes(tx: Transaction, community_id: int) -> dict[str, Any]:
    """Give what a community wishes of its page, as `outreach.wishes` reads it."""
    return dict(tx.execute(select(communities.c.wishes).where(communities.c.id == community_id)).scalar_one() or {})


def set_wishes(tx: Transaction, community_id: int, wanted: dict[str, Any], *, now: datetime, person: str) -> None:
    """Keep what a community wishes of its page."""
    tx.execute(update(communities).where(communities.c.id == community_id).values(wishes=wanted))
    note = ", ".join(f"{name.replace('_', ' ')} {value or 'none'}" for name, value in wanted.items())
    tx.execute(insert(events), {"at": now, "kind": "set wishes", "person": person, "note": note})


def set_approval(tx: Transaction, community_id: int, approval: str, *, now: datetime, person: str) -> None:
    """Ask for approval from now on (`required`), or no more (`off`)."""
    tx.execute(update(communities).where(communities.c.id == community_id).values(approval=approval))
    tx.execute(insert(events), {"at": now, "kind": "set approval", "person": person, "note": approval})


def settle_channel(
    tx: Transaction, *, community_id: int, channel: tuple[str, str], config: str, secret: str, now: datetime
) -> ChannelRow:
    """Make the channel of this name what the settings say. One paused for its old settings is ready with new ones.

    `channel` is (name, kind). `config` may hold secrets: only its keyed hash is kept.
    """
    name, kind = channel
    fingerprint = hmac.new(secret.encode(), config.encode(), hashlib.sha256).hexdigest()
    kept = select(channels).where(channels.c.community_id == community_id, channels.c.name == name)
    row = tx.execute(kept).mappings().first()
    if row is None:
        values = {"community_id": community_id, "name": name, "kind": kind, "state": "ready"}
        insert_once(tx, channels, values | {"fingerprint": fingerprint, "created_at": now})
    elif row["fingerprint"] != fingerprint:
        tx.execute(update(channels).where(channels.c.id == row["id"]).values(kind=kind, fingerprint=fingerprint))
        if row["state"] == "paused" and row["paused_by"] is None:
            resume(tx, row["id"], now=now, note="its settings changed")
    return by_name(tx, community_id, name)


def of_community(tx: Transaction, community_id: int) -> list[ChannelRow]:
    """Give the channels of a community in the order they were made."""
    return [ChannelRow(*row) for row in tx.execute(_OF_COMMUNITY, {"community": community_id})]


def every(tx: Transaction) -> list[ChannelRow]:
    """Give the channels of all communities in the order they were made."""
    return [ChannelRow(*row) for row in tx.execute(select(*_COLUMNS).order_by(channels.c.id))]


def by_name(tx: Transaction, community_id: int, name: str) -> ChannelRow:
    """Give the channel of this name. Raises `BadInput` that names the ones there are."""
    rows = of_community(tx, community_id)
    for row in rows:
        if row.name == name:
            return row
    known = ", ".join(row.name for row in rows) or "none yet"
    raise BadInput(f"There is no channel called {name!r}.", next_step=f"The channels are: {known}.")


def pause(tx: Transaction, channel_id: int, why: Pause, *, now: datetime, person: str | None = None) -> None:
    """Let nothing out on the channel until `why.until`, or until it is resumed. What a person paused, only a person touches."""
    values = {"state": "paused", "reason": why.reason, "until": why.until, "paused_by": person}
    wanted = update(channels).where(channels.c.id == channel_id)
    if person is None:
        wanted = wanted.where(channels.c.paused_by.is_(None))
    if tx.execute(wanted.values(**values)).rowcount != 1:
        return
    _tell(tx, "pause channel", channel_id, now, person, why.reason)


def resume(
    tx: Transaction, channel_id: int, *, now: datetime, person: str | None = None, note: str | None = None
) -> None:
    """Let posts out on the channel again; a person's word lifts a cap as well, for one more post at least."""
    values: dict[str, Any] = {"state": "ready", "reason": None, "until": None, "paused_by": None}
    if person is not None:
        values |= {"not_before": None, "spaced_until": None}
    tx.execute(update(channels).where(channels.c.id == channel_id).values(**values))
    _tell(tx, "resume channel", channel_id, now, person, note)


def paused_by_the_service(tx: Transaction, channel_id: int) -> ChannelRow | None:
    """Give the channel if the service paused it, as for a token that ended or a limit that is reached."""
    query = select(*_COLUMNS).where(channels.c.id == channel_id, channels.c.state == "paused")
    row = tx.execute(query.where(channels.c.paused_by.is_(None))).first()
    return ChannelRow(*row) if row else None


def is_a_pause_over(tx: Transaction, now: datetime) -> bool:
    """Tell whether some channel was paused until an instant now past."""
    query = select(channels.c.id).where(channels.c.state == "paused", channels.c.until <= now).limit(1)
    return tx.execute(query).scalar() is not None


def resume_those_whose_time_is_over(tx: Transaction, now: datetime) -> Sequence[int]:
    """Make ready the channels that were paused until an instant now past."""
    is_over = (
        channels.c.state == "paused",
        channels.c.until <= now,
    )  # asked as it is changed: one paused anew stays so
    ready = {"state": "ready", "reason": None, "until": None, "paused_by": None}
    over = tx.execute(update(channels).where(*is_over).values(**ready).returning(channels.c.id)).scalars().all()
    for channel_id in over:
        _tell(tx, "resume channel", channel_id, now, None, "the time it was paused for is over")
    return over


_COLUMNS = (
    channels.c.id,
    channels.c.community_id,
    channels.c.name,
    channels.c.kind,
    channels.c.state,
    channels.c.reason,
    channels.c.until,
    channels.c.paused_by,
)
_OF_COMMUNITY = select(*_COLUMNS).where(channels.c.community_id == bindparam("community")).order_by(channels.c.id)


def _tell(tx: Transaction, kind: str, channel_id: int, now: datetime, person: str | None, note: str | None) -> None:
    tx.execute(insert(events), {"at": now, "kind": kind, "channel_id": channel_id, "person": person, "note": note})

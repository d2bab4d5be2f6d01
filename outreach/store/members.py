"""Rosters of lists: imported whole, kept up with who joins and leaves, asked, and erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from outreach.roster import Member, MemberStatus, Roster, concern_about
from outreach.store.engine import Transaction
from outreach.store.schema import channels, events
from outreach.store.schema_members import members, rosters

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of who is on a list: how many, since when, and by what."""

    count: int
    at: datetime
    source: str


def replace(
    tx: Transaction, channel_id: int, roster: Roster, *, source: str, now: datetime, person: str | None
) -> None:
    """Take a roster in place of what was known; who was known before stays known since then."""
    since = {row.address: row.since for row in tx.execute(_SINCE, {"channel": channel_id})}
    tx.execute(delete(members).where(members.c.channel_id == channel_id))
    rows = [
        {
            "channel_id": channel_id,
            "address": member.address,
            "name": member.name,
            "status": member.status,
            "since": since.get(member.address, now),
        }
        for member in roster.members
    ]
    if rows:
        tx.execute(insert(members), rows)
    tx.execute(delete(rosters).where(rosters.c.channel_id == channel_id))
    tx.execute(insert(rosters).values(channel_id=channel_id, at=now, source=source))
    _tell(tx, channel_id, "import members", f"{len(rows)} members, {source}", now, person)


def known(tx: Transaction, channel_id: int) -> Known | None:
    """Say what is known of a list's members; None where no roster was ever imported."""
    row = tx.execute(select(rosters.c.at, rosters.c.source).where(rosters.c.channel_id == channel_id)).first()
    if row is None:
        return None
    count = tx.execute(select(func.count()).where(members.c.channel_id == channel_id)).scalar_one()
    return Known(int(count), row.at, row.source)


def one(tx: Transaction, channel_id: int, address: str) -> Member | None:
    """Give one member by the address."""
    row = tx.execute(_ONE, {"channel": channel_id, "address": address.lower()}).first()
    return Member(row.address, row.name, MemberStatus(row.status)) if row else None


def concern(tx: Transaction, channel_id: int, sender: str) -> str | None:
    """Say in a sentence why a list may not take a mail from an address; None where it may, or no roster is known."""
    found = known(tx, channel_id)
    return concern_about(one(tx, channel_id, sender), count=found.count) if found else None


def page(
    tx: Transaction, channel_id: int, *, after: str = "", part: str = "", most: int | None = A_PAGE
) -> Sequence[Member]:
    """Give the members whose address or name has `part` in it, by address, going on `after` one; all with `most` None."""
    query = select(members.c.address, members.c.name, members.c.status).where(
        members.c.channel_id == channel_id, members.c.address > after
    )
    if part:
        wanted = f"%{_literally(part.lower())}%"
        query = query.where(
            members.c.address.like(wanted, escape="\\") | func.lower(members.c.name).like(wanted, escape="\\")
        )
    query = query.order_by(members.c.address).limit(most)
    return [Member(row.address, row.name, MemberStatus(row.status)) for row in tx.execute(query)]


def put(tx: Transaction, channel_id: int, member: Member, *, now: datetime) -> None:
    """Note that somebody is on the list now, where its roster is known at all."""
    if known(tx, channel_id) is None:
        return
    is_there = members.c.channel_id == channel_id, members.c.address == member.address
    named = {"name": member.name} if member.name else {}
    if tx.execute(update(members).where(*is_there).values(status=member.status, **named)).rowcount:
        return
    row = {"address": member.address, "name": member.name, "status": member.status, "since": now}
    tx.execute(insert(members).values(channel_id=channel_id, **row))


def take_off(tx: Transaction, channel_id: int, address: str) -> bool:
    """Note that somebody is on the list no more; False when nobody knew of them."""
    of_them = members.c.channel_id == channel_id, members.c.address == address.lower()
    return tx.execute(delete(members).where(*of_them)).rowcount > 0


def erase(tx: Transaction, community_id: int, address: str) -> int:
    """Forget somebody on every list of a community; give on how many they were. The lists themselves are not told."""
    own = select(channels.c.id).where(channels.c.community_id == community_id)
    of_them = members.c.channel_id.in_(own), members.c.address == address.lower()
    return int(tx.execute(delete(members).where(*of_them)).rowcount)


def forget_roster(tx: Transaction, channel_id: int, *, now: datetime, person: str | None) -> None:
    """Erase all that is known of who is on a list."""
    tx.execute(delete(members).where(members.c.channel_id == channel_id))
    tx.execute(delete(rosters).where(rosters.c.channel_id == channel_id))
    _tell(tx, channel_id, "erase members", "the whole roster", now, person)


_SINCE = select(members.c.address, members.c.since).where(members.c.channel_id == bindparam("channel"))
_ONE = select(members.c.address, members.c.name, members.c.status).where(
    members.c.channel_id == bindparam("channel"), members.c.address == bindparam("address")
)


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _tell(tx: Transaction, channel_id: int, kind: str, note: str, now: datetime, person: str | None) -> None:
    tx.execute(insert(events), {"at": now, "kind": kind, "channel_id": channel_id, "person": person, "note": note})

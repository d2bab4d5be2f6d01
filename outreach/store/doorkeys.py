"""What opens the doors: sessions, one-use links, tokens, and the log-ins that were tried. Each is kept as a hash only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from outreach.store.columns import Instant
from outreach.store.engine import Transaction
from outreach.store.schema_access import links, log_ins, sessions, tokens


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A log-in that lasts. `is_whole` is False until the second factor was given, where there is one."""

    sha256: str
    person_id: int
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    agent: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class LinkRow:
    """An address that may be opened once. `roles` are those that an invitation gives."""

    sha256: str
    kind: str
    email: str | None
    roles: Sequence[str] | None
    announcement: int | None
    revision: int | None
    made_by: int | None
    ends_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """What a program shows instead of a password."""

    id: int
    person_id: int
    name: str
    scopes: Sequence[str]
    made_at: datetime
    used_at: datetime | None
    ends_at: datetime | None
    revoked_at: datetime | None


# Sessions

_SESSION = select(
    sessions.c.sha256,
    sessions.c.person_id,
    sessions.c.began_at,
    sessions.c.seen_at,
    sessions.c.ends_at,
    sessions.c.agent,
    sessions.c.is_whole,
)
_THAT_LASTS = _SESSION.where(
    sessions.c.sha256 == bindparam("wanted"), sessions.c.ends_at > bindparam("now", type_=Instant())
)


def begin_session(tx: Transaction, row: SessionRow) -> None:
    """Write a session down, and forget those that ended."""
    tx.execute(delete(sessions).where(sessions.c.ends_at <= row.began_at))
    names = ("sha256", "person_id", "began_at", "seen_at", "ends_at", "agent", "is_whole")
    tx.execute(insert(sessions).values({name: getattr(row, name) for name in names}))


def session(tx: Transaction, sha256: str, now: datetime) -> SessionRow | None:
    """Give a session that has not ended."""
    row = tx.execute(_THAT_LASTS, {"wanted": sha256, "now": now}).first()
    return SessionRow(*row) if row else None


def sessions_of(tx: Transaction, person_id: int, now: datetime) -> list[SessionRow]:
    """Give the sessions of a person that have not ended, latest seen first."""
    query = _SESSION.where(sessions.c.person_id == person_id, sessions.c.ends_at > now)
    return [SessionRow(*row) for row in tx.execute(query.order_by(sessions.c.seen_at.desc(), sessions.c.began_at))]


def touch(tx: Transaction, sha256: str, *, seen_at: datetime, ends_at: datetime) -> None:
    """Note that a session is used."""
    tx.execute(update(sessions).where(sessions.c.sha256 == sha256).values(seen_at=seen_at, ends_at=ends_at))


def end_session(tx: Transaction, sha256: str, person_id: int) -> bool:
    """End a session of this person; False when there is none."""
    own = sessions.c.sha256 == sha256, sessions.c.person_id == person_id
    return tx.execute(delete(sessions).where(*own)).rowcount == 1


def end_session_of_key(tx: Transaction, sha256: str) -> None:
    """End a session, whosever it is: who has its key may do that."""
    tx.execute(delete(sessions).where(sessions.c.sha256 == sha256))


def end_sessions_of(tx: Transaction, person_id: int, *, but: str | None = None) -> None:
    """End every session of a person, but for one."""
    tx.execute(delete(sessions).where(sessions.c.person_id == person_id, sessions.c.sha256 != (but or "")))


# Links

_LINK = select(
    links.c.sha256,
    links.c.kind,
    links.c.email,
    links.c.roles,
    links.c.announcement_id,
    links.c.revision,
    links.c.made_by,
    links.c.ends_at,
    links.c.used_at,
)


def make_link(tx: Transaction, *, now: datetime, **values: Any) -> None:
    """Write a link down: `sha256`, `community_id`, `kind`, `ends_at` and what goes with its kind."""
    tx.execute(insert(links).values(made_at=now, **values))


def link(tx: Transaction, community_id: int, sha256: str) -> LinkRow | None:
    """Give a link of the community, used or not."""
    row = tx.execute(_LINK.where(links.c.sha256 == sha256, links.c.community_id == community_id)).first()
    return LinkRow(*row) if row else None


def use_link(tx: Transaction, sha256: str, now: datetime) -> bool:
    """Use a link up; False when it was used, or ended, already."""
    fresh = links.c.sha256 == sha256, links.c.used_at.is_(None), links.c.ends_at > now
    return tx.execute(update(links).where(*fresh).values(used_at=now)).rowcount == 1


def end_links(tx: Transaction, community_id: int, kind: str, email: str | None, now: datetime) -> int:
    """Let no earlier link of this kind for this address open anything any more; give how many still could have."""
    of_them = links.c.community_id == community_id, links.c.kind == kind, links.c.used_at.is_(None)
    wanted = update(links).where(*of_them, links.c.ends_at > now)
    wanted = wanted.where(links.c.email == email if email else links.c.email.is_(None))
    return tx.execute(wanted.values(used_at=now)).rowcount


def end_links_of(tx: Transaction, email: str, now: datetime, *, kinds: Sequence[str]) -> None:
    """Let no link of these kinds for this address open anything any more, in whichever community it was made."""
    of_them = links.c.email == email, links.c.kind.in_(kinds), links.c.used_at.is_(None)
    tx.execute(update(links).where(*of_them).values(used_at=now))


def open_invitations(tx: Transaction, community_id: int, now: datetime) -> list[LinkRow]:
    """Give the invitations into the community that nobody has taken up yet."""
    query = _LINK.where(links.c.community_id == community_id, links.c.kind == "invitation")
    query = query.where(links.c.used_at.is_(None), links.c.ends_at > now)
    return [LinkRow(*row) for row in tx.execute(query.order_by(links.c.email))]


# Log-ins


def note_log_in(tx: Transaction, who: str, address: str, *, now: datetime) -> int:
    """Write a try down, as failed until `take_back`; give its number."""
    query = insert(log_ins).values(at=now, who=who, address=address, is_good=False).returning(log_ins.c.id)
    return int(tx.execute(query).scalar_one())


def take_back(tx: Transaction, number: int) -> None:
    """Let a try count no more: it was right."""
    tx.execute(update(log_ins).where(log_ins.c.id == number).values(is_good=True))


def forgive(tx: Transaction, who: Sequence[str]) -> None:
    """Let the tries counted under these names count no more: somebody has shown that the account is theirs."""
    tx.execute(update(log_ins).where(log_ins.c.who.in_(who)).values(is_good=True))


def failures(tx: Transaction, *, since: datetime, who: str | None = None, address: str | None = None) -> list[datetime]:
    """Give when log-ins failed since an instant, for an account or from an address, oldest first."""
    query = select(log_ins.c.at).where(log_ins.c.at > since, ~log_ins.c.is_good)
    query = query.where(log_ins.c.who == who) if who is not None else query.where(log_ins.c.address == address)
    return list(tx.execute(query.order_by(log_ins.c.at)).scalars())


def forget_log_ins(tx: Transaction, before: datetime) -> None:
    """Forget tries that count no more."""
    tx.execute(delete(log_ins).where(log_ins.c.at < before))


# Tokens

_TOKEN = select(
    tokens.c.id,
    tokens.c.person_id,
    tokens.c.name,
    tokens.c.scopes,
    tokens.c.made_at,
    tokens.c.used_at,
    tokens.c.ends_at,
    tokens.c.revoked_at,
)


def make_token(tx: Transaction, *, now: datetime, **values: Any) -> int:
    """Write a token down: `person_id`, `name`, `sha256`, `scopes`, `ends_at`."""
    query = insert(tokens).values(made_at=now, **values).returning(tokens.c.id)
    return int(tx.execute(query).scalar_one())


def token(tx: Transaction, sha256: str, now: datetime) -> TokenRow | None:
    """Give a token that still opens something."""
    is_alive = tokens.c.revoked_at.is_(None) & (tokens.c.ends_at.is_(None) | (tokens.c.ends_at > now))
    row = tx.execute(_TOKEN.where(tokens.c.sha256 == sha256, is_alive)).first()
    return TokenRow(*row) if row else None


def tokens_of(tx: Transaction, person_id: int) -> list[TokenRow]:
    """Give the tokens of a person, newest first, those that are over included."""
    query = _TOKEN.where(tokens.c.person_id == person_id).order_by(tokens.c.id.desc())
    return [TokenRow(*row) for row in tx.execute(query)]


def token_used(tx: Transaction, number: int, now: datetime) -> None:
    """Note that a token was used."""
    tx.execute(update(tokens).where(tokens.c.id == number).values(used_at=now))


def revoke_token(tx: Transaction, number: int, person_id: int, now: datetime) -> bool:
    """End a token of this person; False when there is none that is alive."""
    own = tokens.c.id == number, tokens.c.person_id == person_id, tokens.c.revoked_at.is_(None)
    return tx.execute(update(tokens).where(*own).values(revoked_at=now)).rowcount == 1


def revoke_tokens_of(tx: Transaction, person_id: int, now: datetime) -> None:
    """End every token of a person."""
    own = tokens.c.person_id == person_id, tokens.c.revoked_at.is_(None)
    tx.execute(update(tokens).where(*own).values(revoked_at=now))


def count_tokens(tx: Transaction, person_id: int) -> int:
    """Count the tokens of a person that are not revoked."""
    own = tokens.c.person_id == person_id, tokens.c.revoked_at.is_(None)
    return int(tx.execute(select(func.count()).where(*own)).scalar_one())

"""Which Page each channel is connected with, the dialogs by which people connect one, and what they saw of posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from outreach.model import Post, State
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import attempts, channels, events, posts
from outreach.store.schema_connections import connections, dialogs, visibility

UNUSED_FOR = timedelta(days=90)
"""After so long Facebook takes back a permission that nobody used (facts: permissions)."""
_MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connected Page. `sealed` is its token, encrypted; `person` our person, `facebook_name` who that is on Facebook."""

    channel_id: int
    page_id: str
    page_name: str
    sealed: str
    scopes: Sequence[str]
    person: str
    facebook_id: str
    facebook_name: str
    at: datetime
    data_access_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class DialogRow:
    """A log-in on Facebook that a person began here. `sealed` is their token, encrypted, until they chose a Page."""

    id: int
    channel_id: int
    person: str
    scopes: Sequence[str]
    ends_at: datetime
    sealed: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether somebody who is not logged in saw a post: `answer` is yes, no or not yet."""

    answer: str
    permalink: str
    person: str
    at: datetime


def of_channel(tx: Transaction, channel_id: int) -> ConnectionRow | None:
    """Give the Page that a channel is connected with."""
    row = tx.execute(select(connections).where(connections.c.channel_id == channel_id)).first()
    return ConnectionRow(*row) if row else None


def of_name(tx: Transaction, name: str) -> ConnectionRow | None:
    """Give the Page that the channel of this name is connected with."""
    query = select(connections).join(channels, channels.c.id == connections.c.channel_id).where(channels.c.name == name)
    row = tx.execute(query.order_by(connections.c.channel_id).limit(1)).first()
    return ConnectionRow(*row) if row else None


def keep(tx: Transaction, row: ConnectionRow, *, was: str = "") -> None:
    """Connect a channel with a Page, in place of what it was connected with; the history says who did. `was`: the Page before."""
    values = {name: getattr(row, name) for name in ConnectionRow.__slots__}
    values["scopes"] = list(row.scopes)
    tx.execute(delete(connections).where(connections.c.channel_id == row.channel_id))
    tx.execute(insert(connections), values)
    note = f"{row.page_name} ({row.page_id}){f', in place of {was}' if was and was != row.page_id else ''}"
    _tell(tx, "connect a Page", row.channel_id, row.at, row.person, note)


def forget(tx: Transaction, channel_id: int, *, now: datetime, person: str) -> bool:
    """Forget the token of a channel's Page; tell whether there was one."""
    gone = tx.execute(delete(connections).where(connections.c.channel_id == channel_id)).rowcount == 1
    if gone:
        _tell(tx, "disconnect the Page", channel_id, now, person, None)
    return gone


# Dialogs


def begin(tx: Transaction, row: dict[str, Any]) -> None:
    """Write down that a person goes to Facebook's dialog; what nobody came back for in time is forgotten."""
    sweep(tx, row["begun_at"])
    tx.execute(insert(dialogs), row)


def sweep(tx: Transaction, now: datetime) -> int:
    """Forget dialogs that are over, and the tokens in them; give how many there were."""
    return tx.execute(delete(dialogs).where(dialogs.c.ends_at <= now)).rowcount


def is_any_over(tx: Transaction, now: datetime) -> bool:
    """Tell whether some dialog is over and still kept."""
    return tx.execute(select(dialogs.c.id).where(dialogs.c.ends_at <= now).limit(1)).first() is not None


def take_answer(tx: Transaction, state_sha256: str, session: str, now: datetime) -> DialogRow | None:
    """Take the answer to a dialog, once; None where this session began none of this state, it is over, or was answered."""
    is_ours = (dialogs.c.state_sha256 == state_sha256, dialogs.c.session == session)
    is_open = (dialogs.c.answered_at.is_(None), dialogs.c.ends_at > now)
    taken = update(dialogs).where(*is_ours, *is_open).values(answered_at=now).returning(*_DIALOG)
    row = tx.execute(taken).first()
    return DialogRow(*row) if row else None


def seal(tx: Transaction, number: int, sealed: str) -> None:
    """Keep a person's token, encrypted, until they chose a Page."""
    tx.execute(update(dialogs).where(dialogs.c.id == number, dialogs.c.answered_at.is_not(None)).values(sealed=sealed))


def dialog(tx: Transaction, number: int, session: str, now: datetime) -> DialogRow | None:
    """Give a dialog of this session that is not over."""
    query = select(*_DIALOG).where(dialogs.c.id == number, dialogs.c.session == session, dialogs.c.ends_at > now)
    row = tx.execute(query).first()
    return DialogRow(*row) if row else None


def end(tx: Transaction, number: int) -> None:
    """Forget a dialog, and the token in it."""
    tx.execute(delete(dialogs).where(dialogs.c.id == number))


_DIALOG = (
    dialogs.c.id,
    dialogs.c.channel_id,
    dialogs.c.person,
    dialogs.c.scopes,
    dialogs.c.ends_at,
    dialogs.c.sealed,
)

# Posts of a channel


def in_doubt(tx: Transaction, channel_id: int) -> list[Post]:
    """Give the posts of a channel of which it is not known yet whether they are out, or that its own scheduler has."""
    is_open = or_(posts.c.state.in_([str(State.PUBLISHING), str(State.UNCONFIRMED)]), posts.c.handed_over)
    query = SELECT_POSTS.where(posts.c.channel_id == channel_id, is_open).order_by(posts.c.due_at).limit(_MOST_NAMED)
    return [as_post(row) for row in tx.execute(query)]


def queued(tx: Transaction, channel_id: int) -> list[Post]:
    """Give the posts of a channel that wait for their time, or for the channel."""
    query = SELECT_POSTS.where(posts.c.channel_id == channel_id, posts.c.state == str(State.QUEUED))
    return [as_post(row) for row in tx.execute(query.order_by(posts.c.due_at).limit(_MOST_NAMED))]


def latest_public(tx: Transaction, channel_id: int, page_id: str) -> Post | None:
    """Give the latest post that is out on a Page and whose address is known."""
    is_out = (posts.c.channel_id == channel_id, posts.c.state == str(State.PUBLISHED), posts.c.url.is_not(None))
    query = SELECT_POSTS.where(*is_out, posts.c.remote_id.startswith(f"{page_id}_", autoescape=True))
    row = tx.execute(query.order_by(posts.c.due_at.desc(), posts.c.id.desc()).limit(1)).first()
    return as_post(row) if row else None


def page_of_latest(tx: Transaction, channel_id: int) -> str:
    """Give the Page on which a channel published last, by the id that the post got; empty where it never did."""
    is_known = (posts.c.channel_id == channel_id, posts.c.remote_id.contains("_", autoescape=True))
    query = select(posts.c.remote_id).where(*is_known).order_by(posts.c.due_at.desc(), posts.c.id.desc()).limit(1)
    found: str | None = tx.execute(query).scalar()
    return (found or "").partition("_")[0]


def last_published_at(tx: Transaction, channel_id: int) -> datetime | None:
    """Say when a channel last took a post, also one whose answer was lost and that was found there later."""
    is_out = or_(attempts.c.outcome == "published", posts.c.state.in_(["published", "retracted"]))
    query = select(attempts.c.ended_at).join(posts, posts.c.id == attempts.c.post_id)
    query = query.where(attempts.c.channel_id == channel_id, attempts.c.ended_at.is_not(None), is_out)
    found: datetime | None = tx.execute(query.order_by(attempts.c.started_at.desc()).limit(1)).scalar()
    return found


def unused_since(tx: Transaction, channel_id: int) -> datetime | None:
    """Say when a permission to publish was last used or given; None where neither is known."""
    row = of_channel(tx, channel_id)
    used = [at for at in (last_published_at(tx, channel_id), row.at if row else None) if at is not None]
    return max(used, default=None)


# What people see


def seen(tx: Transaction, channel_id: int, page_id: str, app_id: str) -> Seen | None:
    """Give what was answered to the question whether the public sees the Page's posts."""
    is_it = (visibility.c.channel_id == channel_id, visibility.c.page_id == page_id, visibility.c.app_id == app_id)
    columns = (visibility.c.answer, visibility.c.permalink, visibility.c.person, visibility.c.at)
    row = tx.execute(select(*columns).where(*is_it)).first()
    return Seen(*row) if row else None


def keep_seen(tx: Transaction, of: tuple[int, str, str], found: Seen) -> None:
    """Keep an answer to that question, in place of an earlier one. `of` is (channel, Page, app)."""
    key = dict(zip(("channel_id", "page_id", "app_id"), of, strict=True))
    values = {"answer": found.answer, "permalink": found.permalink, "person": found.person, "at": found.at}
    if not insert_once(tx, visibility, key | values):
        is_it = [visibility.c[name] == value for name, value in key.items()]
        tx.execute(update(visibility).where(*is_it).values(**values))
    _tell(tx, "say whether the public sees posts", of[0], found.at, found.person, found.answer)


def _tell(tx: Transaction, kind: str, channel_id: int, at: datetime, person: str, note: str | None) -> None:
    tx.execute(insert(events), {"at": at, "kind": kind, "channel_id": channel_id, "person": person, "note": note})

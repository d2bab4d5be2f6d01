"""Announcements that follow an earlier one: corrections and retractions, and what of the earlier one is out."""

from collections.abc import Sequence
from email import message_from_string
from email.policy import compat32

from sqlalchemy import and_, select

from outreach.model import FollowKind, Letter, Post, State
from outreach.store import announcements as store_of_announcements
from outreach.store import posts as store_of_posts
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import announcements, follows, posts

_OUT = (State.PUBLISHED, State.HELD)
_MOST = 100


def note(tx: Transaction, number: int, letter: Letter) -> None:
    """Write down what an announcement follows, once."""
    wanted = letter.corrects or letter.retracts
    if wanted:
        kind = FollowKind.CORRECTION if letter.corrects else FollowKind.RETRACTION
        insert_once(tx, follows, {"announcement_id": number, "of_id": int(wanted), "kind": kind})


def of(tx: Transaction, number: int) -> Sequence[tuple[int, FollowKind]]:
    """Give the announcements that follow one, each with what it does."""
    query = select(follows.c.announcement_id, follows.c.kind).where(follows.c.of_id == number)
    return [(row[0], FollowKind(row[1])) for row in tx.execute(query.order_by(follows.c.announcement_id))]


def out_on(tx: Transaction, community_id: int, number: int, channel: str) -> tuple[Post, str, str, str] | None:
    """Give what of an announcement is out on a channel: the latest such post, its text, its message, and the letter."""
    about = store_of_announcements.get(tx, number)
    found = [p for p in store_of_posts.of_announcement(tx, number) if p.channel == channel and p.state in _OUT]
    if about is None or not found or found[-1].community != community_id:
        return None
    content = store_of_posts.content(tx, found[-1])
    return found[-1], content.text, content.message or "", str(about["letter"])


def references(message: str, message_id: str | None) -> tuple[str, ...]:
    """Give the Message-IDs that an answer to a mail stands below: those of that mail, and its own the last."""
    head = message_from_string(message, policy=compat32)
    above = str(head.get("References", "")).split()
    return (*above, *([message_id] if message_id else []))


def to_be_retracted(tx: Transaction) -> list[Post]:
    """Give the posts whose retraction went out on their channel, and which do not say so yet."""
    later = posts.alias("later")
    retracts = and_(follows.c.of_id == announcements.c.id, follows.c.kind == FollowKind.RETRACTION)
    query = (
        SELECT_POSTS.join(follows, retracts)
        .join(
            later, and_(later.c.announcement_id == follows.c.announcement_id, later.c.channel_id == posts.c.channel_id)
        )
        .where(later.c.state == State.PUBLISHED, posts.c.state.in_(_OUT))
    )
    return [as_post(row) for row in tx.execute(query.limit(_MOST))]

"""Pre-flights: the posts that are due soon, what the latest look at each found, and what each channel's check found."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select, text, update

from outreach.model import Post, Problem
from outreach.store import history, safety
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.posts import SELECT_POSTS, as_post
from outreach.store.schema import announcements, channels, checks, posts, revisions

KIND = "pre-flight"
ALL_IS_WELL = "pre-flight: all is well"


@dataclass(frozen=True, slots=True)
class Check:
    """What a look found, and when it was made."""

    at: datetime
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """A queued post, the latest look at it, and when its text was last written."""

    post: Post
    check: Check | None
    revised_at: datetime | None


def coming(tx: Transaction, until: datetime, *, after: datetime | None = None) -> list[Coming]:
    """Give the queued posts that are due by `until`, and after an instant if one is given; next due first."""
    on = tx.execute(select(channels.c.id)).scalars().all()
    wanted = and_(posts.c.channel_id.in_(on), text("posts.state = 'queued'"), posts.c.due_at <= until)
    return _found(tx, wanted if after is None else and_(wanted, posts.c.due_at > after))


def of_posts(tx: Transaction, ids: Collection[int]) -> list[Coming]:
    """Give the posts of these ids with the latest look at each; next due first."""
    return _found(tx, posts.c.id.in_(ids))


def _found(tx: Transaction, wanted: Any) -> list[Coming]:
    query = (
        SELECT_POSTS.add_columns(checks.c.at, checks.c.problems, revisions.c.at)
        .outerjoin(checks, checks.c.post_id == posts.c.id)
        .outerjoin(
            revisions,
            and_(
                revisions.c.announcement_id == posts.c.announcement_id,
                revisions.c.revision == announcements.c.revision,
            ),
        )
        .where(wanted)
        .order_by(posts.c.due_at, posts.c.id)
    )
    return [Coming(as_post(row), _check(*row[-3:-1]), row[-1]) for row in tx.execute(query)]


def standing(tx: Transaction) -> dict[int, Check]:
    """Give the latest look at each queued post that was looked at, by the post's id."""
    # Not a join: one might begin at the posts, of which there can be a million without a look.
    is_queued = select(posts.c.id).where(posts.c.id == checks.c.post_id, text("posts.state = 'queued'")).exists()
    rows = tx.execute(select(checks.c.post_id, checks.c.at, checks.c.problems).where(is_queued))
    return {post_id: found for post_id, at, problems in rows if (found := _check(at, problems))}


def of_queued(tx: Transaction, ids: Collection[int]) -> dict[int, Check]:
    """Give the latest look at each of these posts that are queued and were looked at, by the post's id."""
    if not ids:
        return {}
    rows = tx.execute(
        select(checks.c.post_id, checks.c.at, checks.c.problems)
        .join(posts, posts.c.id == checks.c.post_id)
        .where(checks.c.post_id.in_(ids), posts.c.state == "queued")
    )
    return {post_id: found for post_id, at, problems in rows if (found := _check(at, problems))}


def keep(tx: Transaction, post: Post, found: Check) -> bool:
    """Write down what a look found, and tell the history when that is something new; False where the post has changed.

    What was looked at is named by its content: a look at an older text says nothing of the one that is queued now.
    """
    row = SELECT_POSTS.where(posts.c.id == post.id, posts.c.content_sha256 == post.content_sha256)
    if tx.execute(row.where(text("posts.state = 'queued'"))).first() is None:
        return False
    before = tx.execute(select(checks.c.at, checks.c.problems).where(checks.c.post_id == post.id)).first()
    values = {"at": found.at, "problems": _rows(found.problems)}
    if tx.execute(update(checks).where(checks.c.post_id == post.id).values(values)).rowcount != 1:
        insert_once(tx, checks, {"post_id": post.id} | values)
    known = _check(*before) if before else None
    if known is None or known.problems != found.problems:
        _tell(tx, post, found)
    return True


def _tell(tx: Transaction, post: Post, found: Check) -> None:
    told = {"problems": [problem.sentence() for problem in found.problems]} if found.problems else {}
    kind = KIND if found.problems else ALL_IS_WELL
    history.see(tx, post.id, at=found.at, kind=kind, evidence=told)


# Channels


def of_channel(tx: Transaction, name: str) -> Check | None:
    """Give what the latest check of a channel found, if there was one."""
    kept = safety.remembered(tx, _checked(name))
    if kept is None:
        return None
    read = json.loads(kept)
    return _check(datetime.fromisoformat(read["at"]), read["problems"])


def keep_of_channel(tx: Transaction, name: str, found: Check) -> None:
    """Write down what the check of a channel found."""
    value = {"at": found.at.astimezone(UTC).isoformat(), "problems": _rows(found.problems)}
    safety.remember(tx, _checked(name), json.dumps(value))


def keep_expiry(tx: Transaction, name: str, at: datetime | None) -> None:
    """Write down when a channel's access first runs out; None: nothing of it does."""
    if at is None:
        safety.forget(tx, _expires(name))
    else:
        safety.remember(tx, _expires(name), at.astimezone(UTC).isoformat())


def expiry(tx: Transaction, name: str) -> datetime | None:
    """Say when a channel's access first runs out, as far as that is known."""
    kept = safety.remembered(tx, _expires(name))
    return datetime.fromisoformat(kept) if kept else None


def _checked(name: str) -> str:
    return f"channel check {name}"


def _expires(name: str) -> str:
    return f"expires {name}"


def _rows(problems: Iterable[Problem]) -> list[list[Any]]:
    return [[problem.message, problem.next_step, problem.is_warning] for problem in problems]


def _check(at: datetime | None, rows: Sequence[Sequence[Any]] | None) -> Check | None:
    if at is None:
        return None
    return Check(at, tuple(Problem(str(row[0]), str(row[1]), is_warning=bool(row[2])) for row in rows or ()))

"""Values and stored rows with defaults, so that a test says only what matters to it; and a clock that one sets."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from outreach import letter as letters
from outreach.lifecycle import Pause
from outreach.model import Attempt, Content, Letter, Move, Post, State
from outreach.store import Store, announcements, channels, claims, moves, posts
from outreach.store.announcements import Author, NewAnnouncement, NewPost

NOW = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
LEASE = timedelta(seconds=120)
WORKER = "a worker"

_serials = itertools.count(1)


class SettableClock:
    """A clock that stands still until a test moves it: `tick` lets time pass, `set_to` makes the wall clock jump."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._elapsed_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def elapsed_s(self) -> float:
        return self._elapsed_s

    def tick(self, seconds: float) -> datetime:
        self._now += timedelta(seconds=seconds)
        self._elapsed_s += seconds
        return self._now

    def set_to(self, now: datetime) -> None:
        self._now = now


# Values


def a_content(**changes: Any) -> Content:
    """What a Page post sends."""
    return replace(Content("facebook_page", "Poster session\n\nJoin us on Friday.", "https://example.org/"), **changes)


def a_mail(**changes: Any) -> Content:
    """What a list mail sends."""
    message = (
        "Date: Tue, 01 Dec 2026 14:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nSubject: Poster session\r\n"
        "\r\nJoin us on Friday.\r\n"
    )
    return replace(
        Content("listserv", "Join us on Friday.", message=message, message_id="<1@example.org>"),
        **changes,
    )


def a_post(**changes: Any) -> Post:
    """A post as a value, of no database."""
    values: dict[str, Any] = {
        "id": 1,
        "announcement": 12,
        "community": 1,
        "channel_id": 1,
        "channel": "facebook",
        "kind": "facebook_page",
        "title": "Poster session",
        "occurrence": 1,
        "state": State.QUEUED,
        "attempt": 0,
        "due_at": NOW,
        "planned_at": NOW,
        "miss_at": LATER,
        "wall_time": "2026-12-01 09:00",
        "time_zone": "America/New_York",
        "approved": True,
        "paused": False,
        "content_sha256": "0" * 64,
    }
    return Post(**values | changes)


def an_attempt(**changes: Any) -> Attempt:
    """A try at `a_post`, its content and hash agreeing."""
    content = changes.pop("content", None) or a_content()
    post = a_post(state=State.PUBLISHING, attempt=1, content_sha256=content.sha256())
    return replace(Attempt(post, 1, NOW, NOW, content), **changes)


# Stored rows


def a_channel(store: Store, name: str = "facebook", *, approval: str = "off") -> channels.ChannelRow:
    """A ready channel, of a kind that goes with its name; the same one when it is there already."""
    kind = "listserv" if name.startswith("list") else "facebook_page"
    with store.write() as tx:
        there = tx.execute(text("SELECT id FROM communities ORDER BY id")).scalar()
        if there is None:
            there = channels.settle_community(
                tx, name="TMM SIG", time_zone="America/New_York", approval=approval, now=NOW
            ).id
        return channels.settle_channel(
            tx, community_id=there, channel=(name, kind), config="as set up", secret="a secret", now=NOW
        )


def require_approval(store: Store) -> None:
    """Let nothing out that nobody has approved."""
    with store.write() as tx:
        tx.execute(text("UPDATE communities SET approval = 'required'"))


def a_new_post(channel_id: int = 1, content: Content | None = None, **changes: Any) -> NewPost:
    """A post about to be queued, due now."""
    content = content or a_content()
    values: dict[str, Any] = {
        "channel_id": channel_id,
        "content": content,
        "content_sha256": content.sha256(),
        "due_at": NOW,
        "miss_at": changes.get("due_at", NOW) + timedelta(hours=6),
        "wall_time": "2026-12-01 09:00",
        "time_zone": "America/New_York",
    }
    return NewPost(**values | changes)


def a_new_announcement(letter: Letter | None = None, **changes: Any) -> NewAnnouncement:
    """An announcement about to be written down, of a letter that nobody else has."""
    letter = letter or Letter(f"Poster session {next(_serials)}", "Join us on Friday.")
    new = NewAnnouncement(1, letter.title, letters.show(letter), letter.said(), letter.key())
    return replace(new, **changes)


def an_announcement(
    store: Store,
    *,
    title: str | None = None,
    body: str = "Join us on Friday.",
    on: Sequence[str] = ("facebook",),
    by: str | None = None,
    **of_each: Any,
) -> list[Post]:
    """An announcement with a queued post on each channel of `on`; `of_each` says more of its posts, such as `due_at`."""
    letter = Letter(title or f"Poster session {next(_serials)}", body)
    rows = [a_channel(store, name) for name in on]
    text_ = f"{letter.title}\n\n{body}"
    new = [a_new_post(row.id, a_content(kind=row.kind, text=text_), **of_each) for row in rows]
    with store.write() as tx:
        number = announcements.add(tx, a_new_announcement(letter, author=Author(by)), new, NOW)
        return posts.of_announcement(tx, number)


_WAY: Mapping[State, tuple[Move, ...]] = {
    State.QUEUED: (),
    State.PUBLISHING: (Move.CLAIM,),
    State.PUBLISHED: (Move.CLAIM, Move.PUBLISH),
    State.UNCONFIRMED: (Move.CLAIM, Move.DOUBT),
    State.HELD: (Move.CLAIM, Move.PUBLISH, Move.HOLD),
    State.FAILED: (Move.CLAIM, Move.FAIL),
    State.MISSED: (Move.MISS,),
    State.CANCELLED: (Move.CANCEL,),
    State.RETRACTED: (Move.CLAIM, Move.PUBLISH, Move.RETRACT),
}
_VALUES: Mapping[Move, Mapping[str, Any]] = {
    Move.FAIL: {"reason": "The Page said no."},
    Move.MISS: {"reason": "Its time was over before it could be sent."},
    Move.DEFER: {"reason": "No answer from the server.", "due_at": NOW},
    Move.DOUBT: {"reason": "The answer was lost.", "doubted_at": NOW, "look_at": NOW + timedelta(seconds=30)},
    Move.REFUSE: {"reason": "The list rejected it."},
}


def a_stored_post(store: Store, state: State = State.QUEUED, *, channel: str = "facebook", **more: Any) -> Post:
    """A post brought into `state` by legal moves; for what was claimed the channel must have nothing else in flight."""
    [post] = an_announcement(store, on=(channel,), **more)
    for move in _WAY[state]:
        if move is Move.CLAIM:
            take(store, post)
        else:
            make(store, post, move)
    return seen(store, post)


def take(store: Store, post: Post, *, worker: str = WORKER, now: datetime = NOW) -> None:
    """Claim this very post, whatever else is due."""
    values = {"id": post.id, "worker": worker, "until": _micros(now + LEASE), "now": _micros(now)}
    with store.write() as tx:
        tx.execute(
            text(
                "UPDATE posts SET state = 'publishing', attempt = attempt + 1, worker = :worker, lease_until = :until"
                " WHERE id = :id"
            ),
            values,
        )
        tx.execute(
            text(
                "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at, channel_id)"
                " SELECT id, attempt, :worker, content_sha256, :now, channel_id FROM posts WHERE id = :id"
            ),
            values,
        )


def make(store: Store, post: Post, move: Move, *, at: datetime = NOW, **values: Any) -> None:
    """Make a move with what it needs, in the name of the post's latest attempt. Raises `IllegalMove`."""
    current = seen(store, post)
    needed = dict(_VALUES.get(move, {}))
    if move in (Move.PUBLISH, Move.CONFIRM):
        needed = {"remote_id": f"1_{post.id}"}
    change = moves.Change(post.id, current.attempt, move, at, values=needed | values)
    with store.write() as tx:
        if move in (Move.PUBLISH, Move.DEFER, Move.FAIL, Move.DOUBT):
            moves.end_attempts(tx, [moves.Ending(post.id, current.attempt, at, str(move))])
        moves.apply(tx, [change])


def claimed(
    store: Store, *channel_ids: int, worker: str = WORKER, now: datetime = NOW, most: int = 32, lease: timedelta = LEASE
) -> list[Attempt]:
    """Claim as a worker does, on these channels or on every one there is."""
    with store.write() as tx:
        wanted = channel_ids or tuple(tx.execute(text("SELECT id FROM channels")).scalars())
        return claims.claim(tx, worker=worker, channels=wanted, now=now, lease=lease, most=most)


def pause(store: Store, channel_id: int, until: datetime | None = None) -> None:
    """Pause a channel, `until` an instant or for good."""
    with store.write() as tx:
        channels.pause(tx, channel_id, Pause("The token ended.", until), now=NOW)


def behind_its_back(store: Store, *statements: str, **values: Any) -> None:
    """Change rows as somebody does who owns the database: the triggers are gone first."""
    with store.write() as tx:
        for table in ("events", "sightings", "seals"):
            for verb in ("update", "delete"):
                on = "" if store.is_sqlite else f" ON {table}"
                tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_never_{verb}{on}"))
        for statement in statements:
            tx.execute(text(statement), values)
        if not store.is_sqlite:
            for table in ("events", "sightings", "seals"):
                for verb in ("update", "delete"):
                    tx.execute(
                        text(
                            f"CREATE TRIGGER {table}_never_{verb} BEFORE {verb.upper()} ON {table}"
                            " FOR EACH ROW EXECUTE FUNCTION never_rewritten()"
                        )
                    )


# Looking


def seen(store: Store, post: Post) -> Post:
    """The post as it is now."""
    with store.read() as tx:
        found = posts.one(tx, post.id)
    assert found is not None
    return found


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that the life of posts touches, to see that nothing was changed."""
    tables = ("announcements", "revisions", "posts", "contents", "attempts", "events", "sightings", "channels")
    with store.read() as tx:
        return {name: sorted(map(tuple, tx.execute(text(f"SELECT * FROM {name}"))), key=repr) for name in tables}


def column(store: Store, sql: str, **values: Any) -> list[Any]:
    """The first column of what a query gives."""
    with store.read() as tx:
        return list(tx.execute(text(sql), values).scalars())


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

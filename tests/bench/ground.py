"""What the measurements stand on: stores filled with posts, a channel that does nothing, one that posts over HTTP."""

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outreach.channels import Limits
from outreach.model import Absent, Attempt, Content, Finding, Outcome, Problem, Published, Wording
from outreach.publisher import Pace, Publisher
from outreach.store import Store, announcements, channels, open_store
from outreach.store.announcements import NewAnnouncement, NewPost

FUTURE = 1_000_000
TEXT = "Submit your abstract for the poster session and the networking event at the annual meeting. " * 2


class Clock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        return time.monotonic()


class Nothing:
    """A channel that publishes by saying so, and notes how late it was asked."""

    kind = "nothing"
    usual_name = "nothing"
    limits = Limits(max_chars=100_000)

    def __init__(self) -> None:
        self.late_s: list[float] = []

    def publish(self, attempt: Attempt) -> Outcome:
        self.late_s.append((datetime.now(UTC) - attempt.post.due_at).total_seconds())
        return Published(remote_id=str(attempt.post.id))

    def find(self, attempt: Attempt) -> Finding:
        return Absent()

    def check(self) -> list[Problem]:
        return []

    def render(self, wording: Wording) -> Content:
        return Content(self.kind, wording.body)

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        return {}

    @classmethod
    def from_settings(cls, *_: object) -> "Nothing":
        return cls()


def fresh(file: Path) -> Store:
    """Open an empty store."""
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    return open_store(f"sqlite:///{file}")


def settle(store: Store, how_many: int) -> list[int]:
    """Write down channels of kind `nothing`."""
    now = datetime.now(UTC)
    with store.write() as tx:
        community = channels.settle_community(tx, name="TMM SIG", time_zone="UTC", approval="off", now=now)
        rows = [
            channels.settle_channel(
                tx, community_id=community.id, channel=(f"c{n}", "nothing"), config="", secret="bench", now=now
            )
            for n in range(how_many)
        ]
    return [row.id for row in rows]


def enqueue(
    store: Store, channel_ids: list[int], how_many: int, *, due_at: datetime, apart: timedelta = timedelta()
) -> float:
    """Queue posts one by one, each in a commit of its own; give how many a second."""
    began = time.perf_counter()
    for n in range(how_many):
        with store.write() as tx:
            add_one(tx, channel_ids[n % len(channel_ids)], n, due_at + n * apart)
    return how_many / (time.perf_counter() - began)


def add_one(tx: object, channel_id: int, n: int, due_at: datetime) -> int:
    """Queue one announcement with one post."""
    content = Content("nothing", f"{n}: {TEXT}")
    post = NewPost(
        channel_id, content, content.sha256(), due_at, due_at + timedelta(hours=6), "2026-12-01 09:00", "UTC"
    )
    key = f"{n:x}-{due_at.timestamp():f}"
    new = NewAnnouncement(1, f"Announcement {n}", TEXT, f"{n:064x}", key)
    return announcements.add(tx, new, [post], datetime.now(UTC))  # type: ignore[arg-type]


def fill(file: Path, channel_ids: list[int], *, due: int, future: int) -> None:
    """Put many posts into a store at once, past the front door, with all the rows that the front door writes."""
    now = int(time.time() * 1e6)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA foreign_keys=OFF")
    for count, at in ((future, now + 30 * 86_400 * 1_000_000), (due, now - 1_000_000)):
        if count:
            _fill(connection, channel_ids, count, at)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


_SERIES = "WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s WHERE n < :last)"


def _fill(connection: sqlite3.Connection, channel_ids: list[int], count: int, at: int) -> None:
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM announcements").fetchone()[0]
    sha256 = Content("nothing", TEXT).sha256()
    values = {
        "first": first,
        "last": first + count - 1,
        "at": at,
        "text": TEXT,
        "sha": sha256,
        "channels": len(channel_ids),
    }
    channel = f"(SELECT value FROM json_each('{channel_ids}') WHERE key = n % :channels)"
    connection.execute("BEGIN")
    for statement in (
        "INSERT INTO announcements (id, community_id, title, title_key, revision, said, letter_key, created_at)"
        f" {_SERIES} SELECT n, 1, 'Announcement ' || n, 'announcement ' || n, 1, printf('%064x', n), printf('k%064x', n), :at FROM s",
        f"INSERT INTO revisions (announcement_id, revision, letter, at) {_SERIES} SELECT n, 1, :text, :at FROM s",
        "INSERT INTO posts (id, announcement_id, channel_id, state, due_at, planned_at, miss_at, wall_time, time_zone,"
        f" content_sha256) {_SERIES} SELECT n, n, {channel}, 'queued', :at + n, :at + n, :at + n + 21600000000,"
        " '2026-12-01 09:00', 'UTC', :sha FROM s",
        "INSERT INTO contents (post_id, sha256, revision, text, body)"
        f" {_SERIES} SELECT n, :sha, 1, :text, '{{}}' FROM s",
        f"INSERT INTO events (at, kind, post_id, announcement_id, attempt) {_SERIES} SELECT :at, 'queue', n, n, 0 FROM s",
    ):
        connection.execute(statement, values)
    connection.execute("COMMIT")


def copy_of(file: Path, name: str) -> Path:
    """Copy a store that nobody has open."""
    target = file.with_name(name)
    for old in target.parent.glob(f"{target.name}*"):
        old.unlink()
    shutil.copyfile(file, target)
    os.sync()  # else the next measurement waits for this copy to reach the disk
    return target


def publisher(store: Store, by_id: Mapping[int, object]) -> Publisher:
    """Build a publisher over some channels."""
    return Publisher(store=store, channels=by_id, clock=Clock(), worker="bench", pace=Pace())  # type: ignore[arg-type]


def drain(file: Path, channel_ids: list[int]) -> tuple[int, float]:
    """Publish everything due through the full protocol; give how many, and how many a second."""
    store = open_store(f"sqlite:///{file}")
    worker = publisher(store, {channel_id: Nothing() for channel_id in channel_ids})
    began = time.perf_counter()
    made = worker.drain()
    rate = made / (time.perf_counter() - began)
    worker.close()
    store.close()
    return made, rate


def run_until(worker: Publisher, is_over: threading.Event, timeout_s: float) -> None:
    """Let a publisher work until an event, in a thread of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    is_over.wait(timeout_s)
    stop.set()
    worker.wake()
    thread.join()

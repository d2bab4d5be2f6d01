"""The ground a case is played on: an install of its own, a sandbox behind it, and workers that may die."""

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from outreach.lifecycle import AT_REST
from outreach.model import Post, State
from outreach.sandbox import Sandbox
from outreach.store import Store, channels, open_store, posts, safety
from tests.doors.place import a_letter, a_picture, settings_for, until
from tests.faults.children import Child, Zygote
from tests.faults.orders import Order

SMTP_NAME, SMTP_PASSWORD = "coordinator", "correct-horse-battery-staple"  # of the sandbox alone
BEFORE_ALL_S = 2 * 3600.0
PATIENCE = 4  # rounds in which nothing moved although time passed
OLDER = "An older post"
PICTURES = tuple(a_picture("JPEG", (40 + 8 * n, 30)) for n in range(3))
SETTINGS = {
    "OUTREACH_HTTP_TIMEOUT_S": "1",
    "OUTREACH_LOOK_AFTER_S": "0,1",
    "OUTREACH_MAX_PER_HOUR": "0",
    "OUTREACH_SPACING_S": "0",
    "OUTREACH_MAX_FAILURES": "0",
    "SMTP_USERNAME": SMTP_NAME,
    "SMTP_PASSWORD": SMTP_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A letter that was handed in, and where it is to go."""

    title: str
    channels: tuple[str, ...]
    file: str


class Unmet(AssertionError):
    """A case did not find what it expects."""


class Ground:
    """One install with both channels. Time moves for the service and the sandbox alike, and only when told to."""

    def __init__(
        self,
        folder: Path,
        zygote: Zygote,
        database: Path | str,
        *,
        settings: Mapping[str, str] | None = None,
        is_page_empty: bool = False,
    ) -> None:
        self.folder, self.queue = folder, folder / "queue"
        self._zygote = zygote
        self.box = Sandbox(smtp_credentials=(SMTP_NAME, SMTP_PASSWORD))
        self.box.start()
        self.settings = {"OUTREACH_QUEUE": str(self.queue)} | SETTINGS | settings_for(self.box) | dict(settings or {})
        for name in ("inbox", "accepted", "rejected"):
            (self.queue / name).mkdir(parents=True, exist_ok=True)
        self.file = self.queue / "outreach.db"
        if isinstance(database, Path):
            self.file.write_bytes(database.read_bytes())
        else:
            self.settings["OUTREACH_DATABASE_URL"] = database
        self.ahead_s = 0.0
        self.wanted: list[Wanted] = []
        self.requeued: Counter[str] = Counter()
        self.unmet: list[str] = []
        self.wild_exits = 0
        self._children: list[Child] = []
        self._stores: dict[str, Store] = {}
        if not is_page_empty:
            self._post_by_hand(OLDER)
        self.let_pass(BEFORE_ALL_S)

    def _post_by_hand(self, text: str) -> None:
        world = self.box.graph.world
        with world.lock:
            world.add_post(self.box.page_id, message=text, link=None, photo_ids=(), due_at=None, is_public=True)

    # Time

    def let_pass(self, seconds: float) -> None:
        """Let time pass for everybody who looks at a clock from now on."""
        self.ahead_s += seconds
        self.box.graph.clock.advance(seconds)

    def now(self) -> datetime:
        """The instant, for those who begin now."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    # Letters

    def write(self, title: str, *, to: str = "facebook", pictures: int = 0, **parts: str) -> Wanted:
        """Hand in a letter through the inbox; `to` is empty for both channels."""
        inbox = self.queue / "inbox"
        lines = ""
        for number, data in enumerate(PICTURES[:pictures]):
            (inbox / f"p{number}.jpg").write_bytes(data)
            lines += f"\n  - file: p{number}.jpg\n    alt: Picture {number}"
        name = f"{title.lower().replace(' ', '-')}.md"
        (inbox / f"{name}.tmp").write_text(a_letter(title=title, to=to, pictures=lines, **parts))
        (inbox / f"{name}.tmp").rename(inbox / name)
        wanted = Wanted(title, (to,) if to else ("facebook", "listserv"), name)
        self.wanted.append(wanted)
        return wanted

    def inside(self, folder: str) -> list[str]:
        """The names of the letters in a folder of the queue."""
        return sorted(file.name for file in (self.queue / folder).glob("*.md"))

    # Workers

    def order(self, *words: str, **more: Any) -> Order:
        """Lay out an order for a process of this install."""
        settings = self.settings | more.pop("settings", {})
        return Order(words, str(self.folder), str(self.log), settings, self.ahead_s, **more)

    @property
    def log(self) -> Path:
        """Where the processes write what they say."""
        return self.folder / "log"

    def begin(self, *words: str, **more: Any) -> Child:
        """Begin a command; a long-running worker when none is given."""
        child = self._zygote.begin(self.order(*(words or ("worker",)), **more))
        self._children.append(child)
        return child

    def once(self, **more: Any) -> int:
        """Run `worker --once` to its end."""
        return self.run("worker", "--once", **more)

    def run(self, *words: str, **more: Any) -> int:
        """Run a command to its end and give its exit code, or minus the signal that killed it."""
        return self.begin(*words, **more).wait()

    def run_order(self, order: Order) -> int:
        """Run an order that was laid out by hand to its end."""
        child = self._zygote.begin(order)
        self._children.append(child)
        return child.wait()

    def killed_at(self, point: str, *words: str, **more: Any) -> None:
        """Run a command, `worker --once` when none is given, that has to die at a kill point."""
        status = self.run(*(words or ("worker", "--once")), point=point, **more)
        self.expect(status == -signal.SIGKILL, f"the kill point {point} was not reached (status {status})")

    def frozen_at(self, point: str, **more: Any) -> Child:
        """Begin a worker that stands still at a point, and wait until it does."""
        child = self.begin("worker", "--once", point=point, act="stop", **more)
        until(lambda: child.is_frozen or not child.is_alive)
        self.expect(child.is_frozen, f"the point {point} was not reached")
        return child

    def expect(self, is_so: bool, what: str) -> None:
        """Note what a case expects and did not get."""
        if not is_so:
            self.unmet.append(what)

    # Looking

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the database, as the harness; no connection of it stays open."""
        url = self.settings.get("OUTREACH_DATABASE_URL") or f"sqlite:///{self.file}"
        if url not in self._stores:
            self._stores[url] = open_store(url)
        try:
            yield self._stores[url]
        finally:
            self._stores[url].close()

    def posts(self) -> list[Post]:
        """Every post there is."""
        with self.store() as store, store.read() as tx:
            return posts.in_states(tx, list(State))

    def post(self, title: str, channel: str = "facebook") -> Post:
        """The post of a title on a channel. Raises `Unmet` when it is not there."""
        for post in self.posts():
            if (post.title, post.channel) == (title, channel):
                return post
        raise Unmet(f"{title} is not on {channel}")

    def channel_rows(self) -> dict[int, channels.ChannelRow]:
        """The channels by their numbers."""
        with self.store() as store, store.read() as tx:
            return {row.id: row for row in channels.of_community(tx, 1)}

    def safe_mode(self) -> safety.SafeMode | None:
        """The safe mode, if it is on."""
        with self.store() as store, store.read() as tx:
            return safety.current(tx)

    def copies(self, title: str, channel: str) -> int:
        """Count what the public sees of a letter on a channel."""
        if channel == "listserv":
            return sum(mail.subject == title for mail in self.box.mail.distributed())
        return sum(_title_of(post.message) == title for post in self.box.graph.public_posts())

    def until_public(self, title: str, channel: str = "facebook") -> None:
        """Wait until the public sees it."""
        until(lambda: self.copies(title, channel) > 0)

    # Recovery

    def recover(self, most: int = 60) -> None:
        """Run `worker --once` until nothing moves any more, letting pass the time that anything waits for."""
        unmoved = 0
        for _ in range(most):
            before = self._picture()
            status = self.once()
            if status != 0:
                self.wild_exits += 1
            unmoved = unmoved + 1 if self._picture() == before else 0
            wait_s = self._wait_s(looking=unmoved < PATIENCE)
            if unmoved >= PATIENCE and self._is_up_to_people():
                return
            if wait_s is not None:
                self.let_pass(max(0.0, wait_s) + 0.05)
            elif status == 0 and (self._is_at_rest() or self._picture() == before):
                return
        self.unmet.append("it did not come to rest")

    def waits_for_a_person(self, channel_id: int) -> bool:
        """Tell whether the service paused a channel until a person acts."""
        row = self.channel_rows()[channel_id]
        return row.state == "paused" and row.until is None and bool(row.reason)

    def _is_up_to_people(self) -> bool:
        """Tell whether everything that is open is on a channel that waits for a person."""
        asked = {p.id for p in self.posts() if p.state is State.UNCONFIRMED and p.look_at is None}
        return all(p.state in AT_REST or p.id in asked or self.waits_for_a_person(p.channel_id) for p in self.posts())

    def _is_at_rest(self) -> bool:
        return not self.inside("inbox") and all(post.state in AT_REST for post in self.posts())

    def _picture(self) -> object:
        return self.inside("inbox"), [replace(post, look_at=None) for post in self.posts()]

    def _wait_s(self, *, looking: bool = True) -> float | None:
        """Say how long until something happens by itself; None when nothing will.

        Without `looking` the looks on a paused channel are passed over, which are made every few minutes in vain.
        """
        paused = {n: row for n, row in self.channel_rows().items() if row.state == "paused"}
        waits: list[datetime] = []
        for post in self.posts():
            if post.state is State.PUBLISHING:  # by a worker that stands still, or by one on another machine
                waits.append(self.now() + timedelta(seconds=float(self.settings.get("OUTREACH_LEASE_S", "120"))))
            elif post.state is State.UNCONFIRMED and post.look_at and (looking or post.channel_id not in paused):
                waits.append(post.look_at)
            elif post.state is State.UNCONFIRMED and post.look_at and (until := paused[post.channel_id].until):
                waits.append(max(until, post.look_at))
            elif post.handed_over:
                waits.append(self.now() + timedelta(minutes=6))  # it is looked for every five minutes
            elif post.state is State.QUEUED and post.channel_id not in paused:
                waits.append(post.due_at)
            elif post.state is State.QUEUED and (until_ := paused[post.channel_id].until):
                waits.append(min(until_, post.miss_at))
        soonest = [at for at in waits if at > self.now()]
        return (min(soonest) - self.now()).total_seconds() if soonest else None

    def be_the_person(self) -> None:
        """Decide what only a person can: look at the channels, resume them, confirm what is there and requeue the rest."""
        self.box.graph._faults.clear()
        self.box.mail.faults.clear()
        if self.safe_mode() is not None:
            self.run("safe-mode", "off", "--json")
        for row in self.channel_rows().values():
            if row.state == "paused":
                self.run("channels", "resume", row.name, "--json")
        for post in self.posts():
            if post.state is State.UNCONFIRMED:
                self._decide(post)

    def _decide(self, post: Post) -> None:
        there = [p for p in self.box.graph.public_posts() if _title_of(p.message) == post.title]
        if post.channel == "listserv" and self.copies(post.title, "listserv"):
            self.run("confirm", post.name, "--json")
        elif post.channel == "facebook" and there:
            self.run("confirm", post.name, "--url", there[0].permalink_url, "--json")
        else:
            self.requeued[post.name] += 1
            self.run("requeue", post.name, "--json")

    def close(self) -> None:
        """End everything that was begun here."""
        for child in self._children:
            if child.is_alive:
                child.send(signal.SIGKILL)
        for child in self._children:
            if child.is_alive:
                child.wait(10)
        self.box.stop()


def _title_of(message: str | None) -> str:
    return (message or "").partition("\n")[0]


def somewhere() -> Path:
    """A folder for many small databases: in memory where there is one, since nobody cuts the power here."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="outreach-faults-", dir=base))

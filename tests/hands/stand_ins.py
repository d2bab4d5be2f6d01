"""A channel whose answers the test chooses, and workers that drain a database with one."""

import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from outreach.bootstrap import SystemClock
from outreach.channels import Channel, Limits, Surroundings
from outreach.model import Absent, Attempt, Content, Finding, Outcome, Problem, Published, Wording
from outreach.publisher import Clock, Pace, Publisher
from outreach.settings import Settings
from outreach.store import Store, open_store, workers
from tests.builders import a_content, column


class Scripted:
    """Answers what `publish` and `find` say."""

    kind: ClassVar[str] = "scripted"
    usual_name: ClassVar[str] = "scripted"
    limits = Limits(max_chars=1000)

    def __init__(
        self,
        publish: Callable[[Attempt], Outcome] = lambda attempt: Published(remote_id=f"1_{attempt.post.id}"),
        find: Callable[[Attempt], Finding] = lambda attempt: Absent(),
    ) -> None:
        self._publish = publish
        self._find = find

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        return None

    def render(self, wording: Wording) -> Content:
        return a_content()

    def check(self) -> list[Problem]:
        return []

    def publish(self, attempt: Attempt) -> Outcome:
        return self._publish(attempt)

    def find(self, attempt: Attempt) -> Finding:
        return self._find(attempt)

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        return {}


class Noting:
    """Publishes nothing, and notes every try as one line that no other process can tear apart."""

    def __init__(self, file: Path) -> None:
        self._out = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def __call__(self, attempt: Attempt) -> Outcome:
        os.write(self._out, f"{attempt.post.id} {attempt.number}\n".encode())
        return Published(remote_id=f"1_{attempt.post.id}")


def a_publisher(
    store: Store,
    channels: Mapping[int, Channel],
    *,
    clock: Clock | None = None,
    worker: str | None = None,
    pace: Pace | None = None,
) -> Publisher:
    """A publisher on these channels, with the clock of the machine if no other is given."""
    return Publisher(
        store=store,
        channels=channels,
        clock=clock or SystemClock(),
        worker=worker or workers.this_worker(),
        pace=pace or Pace(),
    )


def drain_until_nothing_is_left(url: str, file: Path, serial: int, together: Any) -> None:
    """Work as one of many: drain again and again until nobody has anything queued or in flight any more."""
    store = open_store(url)
    note = Noting(file)
    ids = column(store, "SELECT id FROM channels ORDER BY id")
    publisher = a_publisher(store, {i: Scripted(note) for i in ids}, worker=workers.this_worker(serial))
    left = "SELECT 1 FROM posts WHERE state IN ('queued', 'publishing') LIMIT 1"
    between = threading.Event()
    together.wait(30)
    while publisher.drain() or column(store, left):
        between.wait(0.01)  # others hold every channel: look again in a moment
    publisher.close()
    store.close()

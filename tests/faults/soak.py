"""The soak: many posts, a random fault for most of them, workers that die again and again. The seed brings it all back."""

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.faults.cases import Scenario
from tests.faults.ground import Ground
from tests.faults.points import POINTS

SETTINGS = {"OUTREACH_HTTP_TIMEOUT_S": "0.6", "OUTREACH_LOOK_AFTER_S": "30,120,300,900"}
BATCH = 40
LINES = (
    "outreach.doors.inbox", "outreach.desk.queueing", "outreach.store.announcements", "outreach.publisher", "outreach.watch",
    "outreach.watch.doubts", "outreach.store.claims", "outreach.store.moves", "outreach.channels.facebook_page",
    "outreach.mail.submission",
)  # fmt: skip
WRITES = ("500-1", "500-2", "close", "reset", "html-502", "empty-200", "success-200", "truncated", "redirect")
GOOD = ("delay", "gzip", "drip")
OPEN_ROWS = ("1", "2", "20_1772107", "1609010", "506", "368_1404082")
ROWS = ("4", "17", "32", "80001", "100", "190_463", "200", "324", "368_1390008", "368_1404006", "1609005")
LOOKS = ("empty-list", "failing-list", "500-2", "close", "html-502", "truncated")
VERBS = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY")
WORKER_POINTS = tuple(name for name in POINTS if "decision" not in name and "queue" not in name)


def batches(posts: int, seed: int) -> list[Scenario]:
    """Cut the soak into batches, each with a ground and a seed of its own."""
    sizes = [min(BATCH, posts - start) for start in range(0, posts, BATCH)]
    return [
        Scenario(f"seed {seed}, batch {number}", partial(_batch, size, f"{seed}/{number}"), SETTINGS)
        for number, size in enumerate(sizes)
    ]


def _batch(size: int, seed: str, ground: Ground) -> None:
    chance = random.Random(seed)
    ground.box.graph.rules.lag_s = chance.choice((0.0, 0.0, 60.0))
    _letters(size, chance, ground)
    for _ in range(int(size * 0.7)):
        chance.choices(_FAULTS, _WEIGHTS)[0](size, chance, ground)
    if chance.random() < 0.3:  # two lists in a row that lag alike could hide what is there for good
        ground.box.graph.fail("published_posts", "lagging-list", after=chance.randrange(3))
    for _ in range(chance.randint(4, 8)):
        chance.choice(_RUNS)(chance, ground)
        ground.let_pass(chance.choice((0.0, 1.0, 31.0, 95.0)))


def _letters(size: int, chance: random.Random, ground: Ground) -> None:
    for number in range(size):
        kind = chance.choice(("text", "text", "photos", "mail", "mail"))
        to = "listserv" if kind == "mail" else "facebook"
        link = chance.choice(("", "https://example.org/more"))
        pictures = chance.randint(1, 3) if kind == "photos" else 0
        ground.write(f"Number {number}", to=to, pictures=pictures, link=link, body=f"What number {number} says. Grüße!")


# Faults, each armed for some call to come


def _write(size: int, chance: random.Random, ground: Ground) -> None:
    ground.box.graph.fail(
        "feed", chance.choice(WRITES), write=chance.random() < 0.5, after=chance.randrange(size // 2 + 1)
    )


def _hang(size: int, chance: random.Random, ground: Ground) -> None:
    write = chance.random() < 0.5
    ground.box.graph.fail("feed", "hang", write=write, seconds=3.0, after=chance.randrange(size // 2 + 1))


def _good(size: int, chance: random.Random, ground: Ground) -> None:
    ground.box.graph.fail("feed", chance.choice(GOOD), seconds=0.05, after=chance.randrange(size // 2 + 1))


def _staging(size: int, chance: random.Random, ground: Ground) -> None:
    how = chance.choice(WRITES)
    ground.box.graph.fail("photos", how, write=chance.random() < 0.5, after=chance.randrange(size // 2 + 1))


def _row(size: int, chance: random.Random, ground: Ground) -> None:
    ground.box.graph.fail_with(chance.choice((*ROWS, *OPEN_ROWS)), chance.choice(("feed", "feed", "photos")), after=chance.randrange(size // 2 + 1))  # fmt: skip


def _look(size: int, chance: random.Random, ground: Ground) -> None:
    ground.box.graph.fail("published_posts", chance.choice(LOOKS), after=chance.randrange(size // 2 + 1))


def _before_the_dot(size: int, chance: random.Random, ground: Ground) -> None:
    verb = chance.choice(VERBS)
    how = chance.choice(("close", "reset") if verb == "BODY" else ("close", "reset", "421", "451", "550"))
    ground.box.mail.fail(verb, how, after=chance.randrange(size // 2 + 1))


def _at_the_dot(size: int, chance: random.Random, ground: Ground) -> None:
    how = chance.choice(("close", "reset", "451", "550"))
    keep = how in ("close", "reset") and chance.random() < 0.5
    ground.box.mail.fail("DOT", how, keep=keep, after=chance.randrange(size // 2 + 1))


_Arm = Callable[[int, random.Random, Ground], None]
_FAULTS: tuple[_Arm, ...] = (_write, _hang, _good, _staging, _row, _look, _before_the_dot, _at_the_dot)
_WEIGHTS = (10, 2, 3, 3, 4, 3, 4, 4)


# Runs of the worker, most of which it does not survive


def _dies_at_a_point(chance: random.Random, ground: Ground) -> None:
    ground.once(point=chance.choice(WORKER_POINTS), nth=chance.randint(1, 6))


def _dies_at_a_line(chance: random.Random, ground: Ground) -> None:
    ground.once(modules=tuple(chance.sample(LINES, 3)), line=chance.randint(1, 900))


def _dies_some_time(chance: random.Random, ground: Ground) -> None:
    worker = ground.begin()
    threading.Event().wait(chance.uniform(0.02, 0.4))
    worker.kill()


def _lives(chance: random.Random, ground: Ground) -> None:
    ground.once()


_Run = Callable[[random.Random, Ground], Any]
_RUNS: tuple[_Run, ...] = (
    _dies_at_a_point,
    _dies_at_a_point,
    _dies_at_a_line,
    _dies_at_a_line,
    _dies_some_time,
    _lives,
)

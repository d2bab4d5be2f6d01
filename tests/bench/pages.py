"""How fast the pages answer: a served app with 1,000 and with 1,000,000 posts, 8 people looking at once, over HTTP."""

import itertools
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from outreach.bootstrap import build
from outreach.settings import read_settings
from outreach.store import open_store, past
from outreach.store.past import index_again, key_of, marks
from outreach.store.words import words_of
from tests.bench import ground
from tests.web.visitors import member

Figures = dict[str, float]
PEOPLE, EACH = 8, 40
OF_THE_HISTORY = ("history", "deep", "filter", "search", "numbers")
_VOCABULARY = 20_000
_STATES = ("published",) * 96 + ("failed", "missed", "cancelled", "retracted")
_ZONE = "UTC"

_SERVE = """
import sys, time
from pathlib import Path
from outreach.bootstrap import build
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.settings import read_settings
house = build(read_settings({"OUTREACH_QUEUE": sys.argv[1], "OUTREACH_TIME_ZONE": "UTC"}))
app = create(house)

@app.middleware("http")
async def timed(request, call_next):
    began = time.perf_counter()
    answer = await call_next(request)
    answer.headers["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - began):.3f}"
    return answer

with served(app) as address:
    print(address, flush=True)
    sys.stdin.read()
"""


def pages(folder: Path, *, many: int = ground.FUTURE) -> Figures:
    """Ask the pages for a few hundred answers each, as eight people at once do."""
    figures: Figures = {}
    for how_many, name in ((1000, "1k"), (many, "1m")):
        figures |= {f"{key}_{name}{unit}": value for (key, unit), value in _measured(folder / name, how_many).items()}
    return figures


def history(folder: Path, *, due: int = 3000) -> Figures:
    """Take what was published into the history: how many posts a second, and how long the longest step holds the writer."""
    store = ground.fresh(folder / "history.db")
    ids = ground.settle(store, 4)
    past.catch_up(store)
    ground.fill(folder / "history.db", ids, due=due, future=0)
    store.close()
    ground.drain(folder / "history.db", ids)
    store = open_store(f"sqlite:///{folder / 'history.db'}")
    steps: list[float] = []
    began = before = time.perf_counter()
    while not past.catch_up(store, most=1):
        now = time.perf_counter()
        steps.append(now - before)
        before = now
    rate = due / (before - began)
    store.close()
    return {"history_per_s": rate, "history_step_ms": 1000 * statistics.median(steps)}


def _measured(queue: Path, how_many: int) -> dict[tuple[str, str], float]:
    queue.mkdir(parents=True)
    house = build(read_settings({"OUTREACH_QUEUE": str(queue), "OUTREACH_TIME_ZONE": _ZONE}))
    _ = house.community
    ids = ground.settle(house.store, 4)
    guest = member(house, "http://127.0.0.1")
    house.close()
    fill(queue / "outreach.db", ids, how_many)
    key = guest.web.cookies["outreach"]
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(queue)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        found: dict[tuple[str, str], float] = {}
        for name, paths in asked_for(how_many).items():
            if requests.get(address + paths[0], cookies={"outreach": key}, timeout=60).status_code == 404:
                continue  # a page that is not there yet
            p50, p95 = _times(address, key, paths)
            found |= {(f"page_{name}", "_p50_ms"): p50, (f"page_{name}", "_p95_ms"): p95}
        return found | {("page_server", "_rss_mb"): _rss_mb(server.pid)}
    finally:
        server.terminate()
        server.wait(20)


def asked_for(how_many: int) -> dict[str, list[str]]:
    """Give the addresses of each kind, of which each is asked for in turn."""
    middle = key_of(datetime.now(UTC) - timedelta(minutes=how_many * 5))
    return {
        "queue": ["/"],
        "calendar": ["/calendar"],
        "history": ["/history"],
        "deep": [f"/history?below={middle + n * (1 << 40)}" for n in range(20)],
        "filter": [
            "/history?channel=c1",
            "/history?template=call-for-abstracts",
            "/history?person=ann@example.org",
            "/history?state=failed",
            "/history?since=2020-01-01&until=2025-12-31",
            "/history?state=published&channel=c2&template=webinar",
        ],
        "search": [
            "/history?search=abstract",
            "/history?search=poster+session",
            "/history?search=%22networking+event%22",
            "/history?search=w00003",
            "/history?search=w19999",
            "/history?search=unheard-of",
            "/history?search=abs",
            "/history?search=networ&channel=c1&state=failed",
        ],
        "numbers": ["/history/numbers"],
    }


def _times(address: str, key: str, paths: list[str]) -> tuple[float, float]:
    taken: list[float] = []

    def look(first: int) -> None:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set("outreach", key)
        for n in range(EACH):
            answer = session.get(address + paths[(first + n) % len(paths)], timeout=60)
            assert answer.status_code == 200, (answer.status_code, answer.url)
            taken.append(float(answer.headers["Server-Timing"].partition("=")[2]))

    look(0)  # what is read and compiled once is not the pages' own
    taken.clear()
    threads = [threading.Thread(target=look, args=(n,)) for n in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == PEOPLE * EACH
    cut = statistics.quantiles(taken, n=20)
    return statistics.median(taken), cut[18]


def _rss_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


# Stores full of what went out


def fill(file: Path, channel_ids: list[int], how_many: int) -> None:
    """Put posts that came to rest into a store, one every ten minutes until now, past the front door."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("BEGIN")
    rows = _Rows(channel_ids, how_many)
    for first in range(1, how_many + 1, 20_000):
        rows.write(connection, first, min(first + 20_000, how_many + 1))
    connection.execute(
        "INSERT INTO months SELECT community_id, month, channel_id, template, state, count(*),"
        " sum(is_on_time IS NOT NULL), coalesce(sum(is_on_time), 0) FROM past GROUP BY 1, 2, 3, 4, 5"
    )
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('history so far', ?)", (f"[{how_many}, 0]",))
    index_again(connection)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


class _Rows:
    def __init__(self, channel_ids: list[int], how_many: int) -> None:
        self._channels = channel_ids
        self._first_at = datetime.now(UTC) - timedelta(minutes=10 * how_many)
        self._random = random.Random(7)
        self._words = [f"w{n:05d}" for n in range(_VOCABULARY)]
        self._weights = list(itertools.accumulate(1 / (n + 1) for n in range(_VOCABULARY)))
        self._templates = ("", "call-for-abstracts", "webinar", "poster-session", "job", "thank-you")

    def write(self, connection: sqlite3.Connection, first: int, last: int) -> None:
        made = [self._one(n) for n in range(first, last)]
        for table, columns in _TABLES.items():
            blanks = ", ".join(f":{column}" for column in columns.values())
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({blanks})", made)

    def _one(self, n: int) -> dict[str, object]:
        at = self._first_at + timedelta(minutes=10 * n)
        micros = int(at.timestamp() * 1e6)
        state = self._random.choice(_STATES)
        is_sent = state in ("published", "retracted")
        said = " ".join(self._random.choices(self._words, cum_weights=self._weights, k=8))
        row: dict[str, object] = {
            "n": n,
            "one": 1,
            "community_id": 1,
            "channel_id": self._channels[n % len(self._channels)],
            "template": self._random.choice(self._templates),
            "written_by": 1 if n % 3 == 0 else None,
            "approved_by": 1 if n % 7 == 0 else None,
            "state": state,
            "is_on_time": (n % 50 != 0) if is_sent else None,
            "key": key_of(at, n),
            "month": at.year * 100 + at.month,
            "at": micros,
            "title": f"Announcement {said[:13]}",
            "title_key": f"announcement {said[:13]}",
            "said": f"{n:064x}",
            "text": f"{ground.TEXT}{said}",
            "sha": f"{n:x}",
            "body": "{}",
            "wall": f"{at:%Y-%m-%d %H:%M}",
            "zone": _ZONE,
            "reason": "The Page said no." if state in ("failed", "missed") else None,
            "remote": f"1_{n}" if is_sent else None,
            "kind": "publish",
        }
        return row | {"words": " ".join([*marks(row), *words_of(f"{row['title']} c1 {row['text']}")])}


_TABLES = {
    "announcements": {
        "id": "n",
        "community_id": "community_id",
        "title": "title",
        "title_key": "title_key",
        "revision": "one",
        "said": "said",
        "letter_key": "said",
        "created_at": "at",
    },
    "revisions": {"announcement_id": "n", "revision": "one", "letter": "text", "at": "at", "person_id": "written_by"},
    "posts": {
        "id": "n",
        "announcement_id": "n",
        "channel_id": "channel_id",
        "state": "state",
        "attempt": "one",
        "due_at": "at",
        "planned_at": "at",
        "miss_at": "at",
        "wall_time": "wall",
        "time_zone": "zone",
        "content_sha256": "sha",
        "reason": "reason",
        "remote_id": "remote",
    },
    "contents": {"post_id": "n", "sha256": "sha", "revision": "one", "text": "text", "body": "body"},
    "events": {"at": "at", "kind": "kind", "post_id": "n", "attempt": "one"},
    "past": {
        "key": "key",
        "post_id": "n",
        "community_id": "community_id",
        "channel_id": "channel_id",
        "month": "month",
        "state": "state",
        "template": "template",
        "written_by": "written_by",
        "approved_by": "approved_by",
        "is_on_time": "is_on_time",
        "words": "words",
    },
}

"""The measurements, each a function that gives figures by name."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from outreach.bootstrap import build
from outreach.channels import Surroundings
from outreach.channels.facebook_page import Access, FacebookPage
from outreach.settings import Settings, read_settings
from outreach.store import open_store
from tests.bench import ground, raw

Figures = dict[str, float]
CHANNELS = 16


def enqueue(folder: Path) -> Figures:
    """Queue one by one, a commit each."""
    store = ground.fresh(folder / "enqueue.db")
    ids = ground.settle(store, 1)
    ours = ground.enqueue(store, ids, 4000, due_at=datetime.now(UTC) + timedelta(days=30))
    store.close()
    bare = raw.enqueue(folder / "enqueue.db", ids[0], 4000)
    return {"enqueue_per_s": ours, "raw_enqueue_per_s": bare, "enqueue_ratio": ours / bare}


def drain(folder: Path, *, due: int = 20_000, future: int = ground.FUTURE) -> Figures:
    """Publish what is due over an empty queue and over a million future posts, beside raw sqlite3 on copies of the same."""
    rates: dict[str, list[float]] = {"empty": [], "full": [], "raw": []}
    store = ground.fresh(folder / "empty.db")
    ids = ground.settle(store, CHANNELS)
    store.close()
    shutil.copyfile(folder / "empty.db", folder / "full.db")
    ground.fill(folder / "empty.db", ids, due=due, future=0)
    ground.fill(folder / "full.db", ids, due=due, future=future)
    for _ in range(3):  # taken in turn, so that a slow minute of the machine is shared by all three
        rates["empty"].append(ground.drain(ground.copy_of(folder / "empty.db", "run.db"), ids)[1])
        rates["full"].append(ground.drain(ground.copy_of(folder / "full.db", "run.db"), ids)[1])
        rates["raw"].append(raw.drain(ground.copy_of(folder / "full.db", "run.db"))[1])
    empty, full, bare = (statistics.median(rates[name]) for name in ("empty", "full", "raw"))
    return {
        "drain_empty_per_s": empty,
        "drain_over_1m_per_s": full,
        "raw_drain_over_1m_per_s": bare,
        "drain_ratio": full / bare,
        "ballast_ratio": full / empty,
    }


@contextmanager
def sandbox(pages: int) -> Iterator[dict[str, object]]:
    """Run the sandbox as a process of its own."""
    command = [sys.executable, "-m", "outreach.sandbox", "--json", "--pages", str(pages)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def over_http(folder: Path, *, due: int = 4000) -> Figures:
    """Publish with one HTTP POST each on 16 Pages, beside as many bare threads of `requests` on the same sandbox."""
    store = ground.fresh(folder / "http.db")
    ids = ground.settle(store, CHANNELS)
    ground.fill(folder / "http.db", ids, due=due, future=0)
    with sandbox(CHANNELS) as box:
        bare = _bare(box, due)
        by_id = {channel_id: _page(box, n, folder) for n, channel_id in enumerate(ids)}
        worker = ground.publisher(store, by_id)
        began = time.perf_counter()
        made = worker.drain()
        ours = made / (time.perf_counter() - began)
        worker.close()
    store.close()
    return {"http_drain_per_s": ours, "bare_requests_per_s": bare, "http_ratio": ours / bare}


def _page(box: dict[str, object], n: int, folder: Path) -> FacebookPage:
    page = box["pages"][n]  # type: ignore[index]
    access = Access(str(box["graph_url"]), "v26.0", page["id"], page["token"], "", 30.0)
    return FacebookPage(access, Surroundings(folder, lambda: datetime.now(UTC)))


def _bare(box: dict[str, object], how_many: int) -> float:
    each = how_many // CHANNELS

    def post(n: int) -> None:
        page = box["pages"][n]  # type: ignore[index]
        session = requests.Session()
        session.trust_env = False
        for k in range(each):
            url = f"{box['graph_url']}/v26.0/{page['id']}/feed"
            data = {"message": f"{k} {ground.TEXT}"}
            answer = session.post(url, data=data, headers={"Authorization": f"Bearer {page['token']}"}, timeout=30)
            assert answer.json()["id"]

    threads = [threading.Thread(target=post, args=(n,)) for n in range(CHANNELS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * CHANNELS / (time.perf_counter() - began)


def lateness(folder: Path) -> Figures:
    """Take the time from due to the channel's call: 200 posts over 20 s, then 60 that another process queues."""
    store = ground.fresh(folder / "late.db")
    ids = ground.settle(store, 4)
    channels = {channel_id: ground.Nothing() for channel_id in ids}
    ground.enqueue(store, ids, 200, due_at=datetime.now(UTC) + timedelta(seconds=2), apart=timedelta(seconds=0.1))
    worker = ground.publisher(store, channels)
    ground.run_until(worker, threading.Event(), 22.5)
    late = sorted(1000 * s for channel in channels.values() for s in channel.late_s)
    assert len(late) == 200, f"{len(late)} of 200 went out"
    return {"late_p50_ms": late[100], "late_p99_ms": late[197], **_lateness_of_others(folder)}


_OTHER = """
import sys, time
from datetime import UTC, datetime
from outreach.store import open_store
from tests.bench import ground
store = open_store(sys.argv[1])
for n in range(60):
    with store.write() as tx:
        ground.add_one(tx, 1 + n % 4, 1000 + n, datetime.now(UTC))
    time.sleep(0.1)
"""


def _lateness_of_others(folder: Path) -> Figures:
    store = open_store(f"sqlite:///{folder / 'late.db'}")
    channels = {n: ground.Nothing() for n in range(1, 5)}
    worker = ground.publisher(store, channels)
    over = threading.Event()
    other = subprocess.Popen([sys.executable, "-c", _OTHER, f"sqlite:///{folder / 'late.db'}"])
    threading.Thread(target=_end_after, args=(other, over), daemon=True).start()
    ground.run_until(worker, over, 30)
    late = sorted(1000 * s for channel in channels.values() for s in channel.late_s)
    assert len(late) == 60, f"{len(late)} of 60 went out"
    return {"late_other_process_p50_ms": late[30], "late_other_process_p99_ms": late[59]}


def _end_after(process: subprocess.Popen[bytes], over: threading.Event) -> None:
    process.wait()
    time.sleep(0.5)
    over.set()


def resident(folder: Path) -> Figures:
    """Start the real worker over a million future posts: time to its first post, then idle CPU and memory."""
    with sandbox(1) as box:
        settings = _settings(folder / "real", box)
        house = build(settings)
        ids = [target.id for target in house.targets]
        house.close()
        ground.fill(folder / "real" / "outreach.db", ids, due=0, future=ground.FUTURE)
        _page_post(folder, ids)
        return _measured(settings, box)


def _settings(queue: Path, box: dict[str, object]) -> Settings:
    page = box["pages"][0]  # type: ignore[index]
    return read_settings(
        {
            "OUTREACH_QUEUE": str(queue),
            "FACEBOOK_GRAPH_URL": str(box["graph_url"]),
            "FACEBOOK_PAGE_ID": page["id"],
            "FACEBOOK_PAGE_TOKEN": page["token"],
        }
    )


def _page_post(folder: Path, ids: list[int]) -> None:
    store = open_store(f"sqlite:///{folder / 'real' / 'outreach.db'}")
    with store.write() as tx:
        ground.add_one(tx, ids[0], 10**9, datetime.now(UTC))
    store.close()


def _measured(settings: Settings, box: dict[str, object]) -> Figures:
    environment = {
        "PATH": os.environ["PATH"],
        "OUTREACH_QUEUE": str(settings.OUTREACH_QUEUE),
        "FACEBOOK_GRAPH_URL": settings.FACEBOOK_GRAPH_URL,
        "FACEBOOK_PAGE_ID": settings.FACEBOOK_PAGE_ID,
        "FACEBOOK_PAGE_TOKEN": settings.FACEBOOK_PAGE_TOKEN.get_secret_value(),
        "OUTREACH_BACKUPS_KEPT": "0",  # the backup of a million posts is work of the night, and no idling
    }
    began = time.perf_counter()
    worker = subprocess.Popen([sys.executable, "-m", "outreach", "worker"], env=environment, stderr=subprocess.DEVNULL)
    try:
        while not any(requests.get(f"{box['graph_url']}/_sandbox/posts", timeout=5).json().values()):
            assert time.perf_counter() - began < 30, "nothing was posted"
            time.sleep(0.005)
        start_s = time.perf_counter() - began
        time.sleep(15)  # the first look at the zones, once a day, goes through all that is queued
        cpu, seconds = _cpu_s(worker.pid), 20.0
        time.sleep(seconds)
        used = _cpu_s(worker.pid) - cpu
        return {
            "start_to_first_post_s": start_s,
            "idle_cpu_percent": 100 * used / seconds,
            "worker_rss_mb": _rss_mb(worker.pid),
        }
    finally:
        worker.terminate()
        worker.wait(20)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


_DRAIN = """
import sys
from pathlib import Path
from tests.bench import ground
print(ground.drain(Path(sys.argv[1]), list(range(1, 9)))[0])
"""


def syncs(folder: Path, *, due: int = 2000) -> Figures:
    """Count the disk's syncs for each post with eight senders, where `strace` is there."""
    if shutil.which("strace") is None:
        return {}
    store = ground.fresh(folder / "sync.db")
    ids = ground.settle(store, 8)
    store.close()
    ground.fill(folder / "sync.db", ids, due=due, future=0)
    trace = folder / "trace"
    command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(trace), sys.executable, "-c", _DRAIN]
    done = subprocess.run([*command, str(folder / "sync.db")], capture_output=True, text=True, timeout=300)
    if done.returncode != 0 or int(done.stdout) != due:
        return {}
    return {"syncs_per_post": len(re.findall(r"\bf(?:data)?sync\(", trace.read_text())) / due}

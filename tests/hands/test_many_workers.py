"""Many workers on one database: processes, threads, SQLite and PostgreSQL. Every post is taken once, by one of them."""

import multiprocessing
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from outreach.bootstrap import SystemClock
from outreach.store import Store, open_store
from outreach.store.announcements import add
from tests.builders import NOW, a_channel, a_new_announcement, a_new_post, claimed, column
from tests.hands.stand_ins import drain_until_nothing_is_left

FAR_FUTURE = NOW.replace(year=2100)


def queue(url: str, posts: int, channels: int) -> None:
    """Queue posts evenly on some channels: half fell due long ago, half will only when `let_fall_due` is called."""
    store = open_store(url)
    ids = [a_channel(store, f"page-{number}").id for number in range(channels)]
    with store.write() as tx:
        for number in range(posts // channels):
            due_at = NOW.replace(year=2020 if number % 2 == 0 else 2100, microsecond=number)
            new = [a_new_post(i, due_at=due_at, miss_at=FAR_FUTURE) for i in ids]
            add(tx, a_new_announcement(), new, NOW)
    store.close()


def let_fall_due(url: str, within_s: int = 2) -> None:
    """Let the other half fall due one after the other from now on, on all channels at the same instants.

    One worker empties a backlog alone, since it records a post and takes the next in one transaction; what falls due
    at this moment is raced for by all, unless so much falls due that it is a backlog on a slow machine.
    """
    store = open_store(url)
    with store.write() as tx:
        last = tx.execute(text("SELECT max(announcement_id) FROM posts")).scalar_one()
        values = {"now": int(SystemClock().now().timestamp() * 1_000_000), "step": within_s * 1_000_000 // last}
        tx.execute(text("UPDATE posts SET due_at = :now + announcement_id * :step WHERE due_at > :now"), values)
    store.close()


def drain_with_processes(url: str, file: Path, count: int, within_s: int = 2) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(count + 1)
    workers = [
        spawn.Process(target=drain_until_nothing_is_left, args=(url, file, n, together), daemon=True)
        for n in range(count)
    ]
    for worker in workers:
        worker.start()
    together.wait(60)
    let_fall_due(url, within_s)
    for worker in workers:
        worker.join(150)
    assert [worker.exitcode for worker in workers] == [0] * count


def tries(file: Path) -> Counter[str]:
    """Count the tries of each post, as the stand-in for the outside world saw them."""
    return Counter(line.split()[0] for line in file.read_text().splitlines())


def assert_each_went_out_once(url: str, file: Path, posts: int) -> None:
    store = open_store(url)
    assert tries(file) == {str(i): 1 for i in range(1, posts + 1)}
    assert column(store, "SELECT count(*) FROM posts WHERE state = 'published' AND attempt = 1") == [posts]
    assert column(store, "SELECT count(*) FROM attempts WHERE outcome = 'published' AND number = 1") == [posts]
    assert column(store, "SELECT count(*) FROM attempts") == [posts]
    store.close()


def how_many_took_part(url: str) -> int:
    store = open_store(url)
    [count] = column(store, "SELECT count(DISTINCT worker) FROM attempts")
    store.close()
    return int(count)


@pytest.mark.timeout(600)
def test_many_processes_never_take_a_post_twice(migrated_file: Path, tmp_path: Path) -> None:
    for within_s in (2, 20, 60):  # on a slow machine it takes longer until more than one gets something
        url, sent = f"sqlite:///{tmp_path}/within-{within_s}.db", tmp_path / f"sent-{within_s}"
        shutil.copyfile(migrated_file, tmp_path / f"within-{within_s}.db")
        queue(url, 2000, 10)

        drain_with_processes(url, sent, 10, within_s)

        assert_each_went_out_once(url, sent, 2000)
        if how_many_took_part(url) > 1:
            return
    pytest.fail("one worker took everything each time")


def test_many_threads_never_take_a_post_twice(sqlite_url: str, tmp_path: Path) -> None:
    queue(sqlite_url, 1000, 10)
    together = Barrier(7)

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(drain_until_nothing_is_left, sqlite_url, tmp_path / "sent", n, together) for n in range(6)]
        together.wait(30)
        let_fall_due(sqlite_url)

    assert [one.result() for one in work] == [None] * 6
    assert_each_went_out_once(sqlite_url, tmp_path / "sent", 1000)


@pytest.mark.postgres
def test_many_processes_never_take_a_post_twice_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    queue(postgres_url, 400, 10)

    drain_with_processes(postgres_url, tmp_path / "sent", 4)

    assert_each_went_out_once(postgres_url, tmp_path / "sent", 400)


def test_of_eight_claims_at_once_one_gets_the_post(database_url: str) -> None:
    queue(database_url, 1, 1)
    stores = [open_store(database_url) for _ in range(8)]
    together = Barrier(8)

    def claim(store: Store) -> list[int]:
        together.wait(20)
        return [attempt.post.id for attempt in claimed(store)]

    with ThreadPoolExecutor(8) as pool:
        taken = [post_id for got in pool.map(claim, stores) for post_id in got]

    assert taken == [1]
    for store in stores:
        store.close()

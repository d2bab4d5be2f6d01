"""The two questions that are asked all day use the index of what is due, however many posts wait for next year."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from outreach.model import Move
from outreach.store import Store, checks, claims
from tests.builders import LEASE, NOW, WORKER, a_channel, a_stored_post, claimed, make

Statement = tuple[str, Any]


@pytest.fixture
def said() -> Iterator[list[Statement]]:
    """Every statement that goes to a database, with its values."""
    heard: list[Statement] = []

    def hear(_connection: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        heard.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


def heard(said: list[Statement], ask: Callable[[], object], words: str) -> Statement:
    """Ask, and give the one statement sent for it in which the words are."""
    said.clear()
    ask()
    [statement] = [(sql, values) for sql, values in said if words in sql]
    return statement


def fill(store: Store, *, with_statistics: bool = True) -> None:
    """Queue one post that is due, and thousands that are due next year or came to rest long ago."""
    a_stored_post(store)
    a_channel(store, "listserv")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
    announce = (
        "INSERT INTO announcements (id, community_id, title, revision, said, created_at)"
        f" {numbers} SELECT i, community_id, title, 1, said, created_at FROM announcements, n WHERE id = 1"
    )
    queue = (
        "INSERT INTO posts (announcement_id, channel_id, state, attempt, due_at, planned_at, miss_at, wall_time,"
        f" time_zone, content_sha256, remote_id) {numbers} SELECT i, channel_id,"
        " CASE WHEN i % 2 = 0 THEN 'queued' ELSE 'published' END, 1, due_at + i * CAST(1000000 AS bigint), planned_at,"
        " miss_at + i * CAST(1000000 AS bigint), wall_time, time_zone, content_sha256, 'r' || i"
        " FROM posts, n WHERE id = 1"
    )
    with store.write() as tx:
        for sql in (announce, queue, "ANALYZE" if with_statistics else "SELECT 1"):
            tx.execute(text(sql))


def claim_one(store: Store) -> None:
    claimed(store)


def ask_what_is_next(store: Store) -> None:
    with store.read() as tx:
        claims.next_due(tx, channels=[1, 2], now=NOW)


def ask_what_is_coming(store: Store) -> None:
    with store.read() as tx:
        checks.coming(tx, NOW + timedelta(seconds=10), after=NOW)


QUESTIONS = [
    pytest.param(claim_one, "UPDATE posts", id="claim"),
    pytest.param(ask_what_is_next, "AS soonest", id="next due"),
]


@pytest.mark.parametrize("with_statistics", [False, True])
@pytest.mark.parametrize(("ask", "words"), QUESTIONS)
def test_sqlite_looks_only_at_the_first_of_what_is_due(
    sqlite_store: Store,
    said: list[Statement],
    with_statistics: bool,
    ask: Callable[[Store], object],
    words: str,
) -> None:
    fill(sqlite_store, with_statistics=with_statistics)
    sql, values = heard(said, lambda: ask(sqlite_store), words)

    with sqlite_store.write() as tx:
        plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [line for line in plan if "INDEX due" in line]
    assert [line for line in plan if "INDEX one_in_flight" in line]
    assert not [line for line in plan if line.startswith(("SCAN p", "SCAN f", "SCAN posts", "SCAN a"))]


@pytest.mark.postgres
@pytest.mark.parametrize(("ask", "words"), QUESTIONS)
def test_postgresql_looks_only_at_the_first_of_what_is_due(
    postgres_store: Store, said: list[Statement], ask: Callable[[Store], object], words: str
) -> None:
    fill(postgres_store)
    sql, values = heard(said, lambda: ask(postgres_store), words)

    with postgres_store.write() as tx:
        [plan] = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalars()
    nodes = list(every_node(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]))

    assert [node for node in nodes if node.get("Index Name") == "due"]
    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "posts"]


def every_node(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from every_node(below)


@pytest.mark.parametrize("with_statistics", [False, True])
def test_a_pre_flight_looks_only_at_what_is_due_soon(
    sqlite_store: Store, said: list[Statement], with_statistics: bool
) -> None:
    fill(sqlite_store, with_statistics=with_statistics)
    sql, values = heard(said, lambda: ask_what_is_coming(sqlite_store), "FROM posts")

    with sqlite_store.read() as tx:
        plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", _one(values))]

    assert [line for line in plan if "INDEX due (channel_id=? AND due_at>? AND due_at<?)" in line]
    assert not [line for line in plan if line.startswith(("SCAN posts", "SCAN announcements", "SCAN checks"))]


@pytest.mark.postgres
def test_a_pre_flight_on_postgresql_looks_only_at_what_is_due_soon(
    postgres_store: Store, said: list[Statement]
) -> None:
    fill(postgres_store)
    sql, values = heard(said, lambda: ask_what_is_coming(postgres_store), "FROM posts")

    with postgres_store.write() as tx:
        [plan] = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalars()
    nodes = list(every_node(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]))
    assert [node for node in nodes if node.get("Index Name") == "due"]
    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "posts"]


def test_a_claim_reads_a_handful_of_rows_however_many_wait(sqlite_store: Store) -> None:
    fill(sqlite_store)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with sqlite_store.write() as tx:
        connection: Any = tx.connection.dbapi_connection
        connection.set_progress_handler(count, 100)  # called at each hundredth step of SQLite's machine
        found = claims.claim(tx, worker=WORKER, channels=[1, 2], now=NOW, lease=LEASE, most=32)
        connection.set_progress_handler(None, 0)

    assert [attempt.post.state for attempt in found] == ["publishing"]
    assert steps < 30


def test_a_move_names_its_row_and_looks_at_no_other(sqlite_store: Store, said: list[Statement]) -> None:
    post = a_stored_post(sqlite_store)
    sql, values = heard(said, lambda: make(sqlite_store, post, Move.CANCEL), "UPDATE posts")
    with sqlite_store.read() as tx:
        plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", _one(values))]

    assert plan == ["SEARCH posts USING INTEGER PRIMARY KEY (rowid=?)"]


def _one(values: Any) -> Any:
    return values[0] if isinstance(values, list) else values

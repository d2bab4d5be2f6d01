"""Figures and troubles: exact on both databases, and cheap however many posts there are."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from outreach.model import Move, State
from outreach.store import Store, figures, safety, troubles, workers
from outreach.store.figures import Figures
from outreach.store.recent import first_since
from outreach.store.safety import Cause
from tests.builders import NOW, WORKER, a_channel, a_stored_post, make, pause, require_approval

DAY = timedelta(days=1)


def read(store: Store, after: timedelta = timedelta()) -> Figures:
    with store.read() as tx:
        return figures.read(tx, NOW + after)


def overdue(store: Store, seconds: float) -> list[str]:
    with store.read() as tx:
        return [post.name for post in troubles.overdue(tx, NOW + timedelta(seconds=seconds))]


def set_channel(store: Store, column: str, seconds: float) -> None:
    with store.write() as tx:
        sql = f"UPDATE channels SET {column} = :at"
        tx.execute(text(sql), {"at": int((NOW + timedelta(seconds=seconds)).timestamp()) * 1_000_000})


# What is overdue


def test_a_post_is_overdue_after_a_minute(store: Store) -> None:
    post = a_stored_post(store)
    assert (overdue(store, 60), overdue(store, 61)) == ([], [post.name])


def test_what_somebody_or_something_holds_back_is_not_overdue(store: Store) -> None:
    post = a_stored_post(store)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET paused = true"))
    assert overdue(store, 3600) == []
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET paused = false"))
        safety.enter(tx, Cause.PERSON, "A person asked for it.", now=NOW)
    assert overdue(store, 3600) == []
    with store.write() as tx:
        safety.leave(tx, now=NOW)
    require_approval(store)
    assert overdue(store, 3600) == []
    with store.write() as tx:
        tx.execute(text("UPDATE announcements SET approved_revision = revision"))
    assert overdue(store, 3600) == [post.name]


def test_a_post_of_a_paused_channel_is_overdue_a_minute_after_the_pause(store: Store) -> None:
    post = a_stored_post(store)
    pause(store, post.channel_id, NOW + timedelta(minutes=10))
    assert (overdue(store, 659), overdue(store, 660)) == ([], [post.name])


@pytest.mark.parametrize("column", ["not_before", "spaced_until"])
def test_a_post_that_waits_for_its_turn_is_not_overdue(store: Store, column: str) -> None:
    post = a_stored_post(store)
    set_channel(store, column, 600)
    assert (overdue(store, 659), overdue(store, 660)) == ([], [post.name])


def test_a_post_that_is_tried_again_and_again_is_overdue_though_its_next_try_lies_ahead(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)
    make(store, post, Move.DEFER, due_at=NOW + timedelta(minutes=20))
    assert (overdue(store, 290), overdue(store, 301)) == ([], [post.name])


def test_a_post_that_waits_for_a_later_time_is_not_overdue(store: Store) -> None:
    a_stored_post(store, due_at=NOW + timedelta(minutes=20))
    assert overdue(store, 301) == []


# Figures


def test_the_figures_of_an_install(store: Store) -> None:
    for state in (State.QUEUED, State.UNCONFIRMED, State.MISSED, State.FAILED, State.PUBLISHED):
        a_stored_post(store, state)
    a_stored_post(store, channel="listserv", due_at=NOW + DAY)
    pause(store, a_channel(store, "listserv").id)
    with store.write() as tx:
        workers.beat(tx, WORKER, NOW + timedelta(seconds=90))
    assert read(store, timedelta(seconds=100)) == Figures(
        overdue=1,
        unconfirmed=1,
        missed=1,
        failed=1,
        queued=2,
        paused_channels=1,
        safe_mode=False,
        since_beat_s=10.0,
        open_alarms=0,
    )


def test_what_failed_long_ago_or_was_put_right_does_not_count(store: Store) -> None:
    a_stored_post(store, State.MISSED)
    again = a_stored_post(store, State.FAILED)
    make(store, again, Move.REQUEUE)
    assert (read(store).missed, read(store).failed) == (1, 0)
    assert read(store, 15 * DAY).missed == 0


def test_what_keeps_posts_from_going_out_is_said(store: Store) -> None:
    a_stored_post(store)
    with store.write() as tx:
        workers.beat(tx, WORKER, NOW)
    assert list(read(store, timedelta(seconds=59)).problems()) == []
    assert list(read(store, timedelta(seconds=75)).problems()) == [
        "1 posts are overdue.",
        "No worker gave a sign for 75 s.",
    ]
    with store.write() as tx:
        safety.enter(tx, Cause.PERSON, "A person asked for it.", now=NOW)
        workers.leave(tx, WORKER)
    assert list(read(store).problems()) == ["No worker runs.", "Safe mode is on."]


# The recent part of a table


def events(store: Store, days: dict[int, int]) -> None:
    """Entries by their numbers, each written on a day."""
    with store.write() as tx:
        for number, day in days.items():
            at = int((NOW + day * DAY).timestamp()) * 1_000_000
            tx.execute(text("INSERT INTO events (id, at, kind) VALUES (:id, :at, 'x')"), {"id": number, "at": at})


@pytest.mark.parametrize("since", range(-1, 12))
def test_the_recent_part_of_a_table_is_found_by_halving(store: Store, since: int) -> None:
    days = {1: 0, 3: 1, 4: 2, 6: 5, 7: 5, 8: 9, 9: 10}  # numbers that a transaction took and did not use are missing
    events(store, days)
    with store.read() as tx:
        first = first_since(tx, "events", NOW + since * DAY)
        found = tx.execute(text("SELECT count(*) FROM events WHERE id >= :first"), {"first": first}).scalar()
    assert found == len([day for day in days.values() if day >= since])


def test_a_table_with_nothing_in_it_has_no_recent_part(store: Store) -> None:
    with store.read() as tx:
        assert first_since(tx, "sightings", NOW) in (0, 1)


# Cheap


def fill(store: Store, *, with_statistics: bool) -> None:
    """Thousands of posts that came to rest long ago or wait for next year, with their history."""
    a_stored_post(store, State.MISSED)
    a_channel(store, "listserv")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
    announce = (
        "INSERT INTO announcements (id, community_id, title, revision, said, created_at)"
        f" {numbers} SELECT i, community_id, title, 1, said, created_at FROM announcements, n WHERE id = 1"
    )
    year = f"CAST({365 * 86400} AS bigint) * 1000000"
    queue = (
        "INSERT INTO posts (announcement_id, channel_id, state, attempt, due_at, planned_at, miss_at, wall_time,"
        f" time_zone, content_sha256, remote_id, reason) {numbers} SELECT i, channel_id,"
        " CASE WHEN i % 3 = 0 THEN 'queued' WHEN i % 3 = 1 THEN 'failed' ELSE 'published' END, 1,"
        f" due_at + {year}, planned_at, miss_at + {year}, wall_time, time_zone, content_sha256, 'r' || i, 'why'"
        " FROM posts, n WHERE id = 1"
    )
    tell = f"INSERT INTO events (at, kind, post_id) SELECT due_at - 2 * {year}, 'fail', id FROM posts WHERE id > 1"
    with store.write() as tx:
        for sql in (announce, queue, tell, "ANALYZE" if with_statistics else "SELECT 1"):
            tx.execute(text(sql))


@pytest.fixture
def said() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that goes to a database, with its values."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        heard.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


def ask_everything(store: Store) -> None:
    with store.read() as tx:
        figures.read(tx, NOW)
        troubles.overdue(tx, NOW)
        troubles.is_anything_due(tx, NOW)
        troubles.at_a_bad_rest(tx, NOW - 14 * DAY)
        troubles.left_in_doubt(tx, NOW)
        troubles.seen_twice(tx, NOW - 14 * DAY)
        troubles.with_problems(tx, NOW + DAY)


@pytest.mark.parametrize("with_statistics", [False, True])
def test_sqlite_looks_through_no_large_table(
    sqlite_store: Store, said: list[tuple[str, Any]], with_statistics: bool
) -> None:
    fill(sqlite_store, with_statistics=with_statistics)
    said.clear()
    ask_everything(sqlite_store)
    asked = list(said)
    with sqlite_store.write() as tx:
        plans = [
            (row[3], sql)
            for sql, values in asked
            if sql.lstrip().startswith(("SELECT", "WITH"))
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    whole = {line for line, sql in plans if line.startswith(("SCAN posts", "SCAN announcements", "SCAN events"))}
    # What is counted goes through the index of just those posts, and no further than its limit.
    assert whole == {"SCAN posts USING INDEX doubtful", "SCAN posts USING INDEX missing"}


def steps_of(store: Store, ask: Callable[[Any], object]) -> int:
    """Count hundreds of steps of SQLite's machine."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with store.read() as tx:
        connection: Any = tx.connection.dbapi_connection
        connection.set_progress_handler(count, 100)
        ask(tx)
        connection.set_progress_handler(None, 0)
    return steps


def test_what_is_wrong_is_found_in_a_few_steps_however_many_posts_there_are(sqlite_store: Store) -> None:
    fill(sqlite_store, with_statistics=False)
    for ask in (
        lambda tx: troubles.overdue(tx, NOW),
        lambda tx: troubles.is_anything_due(tx, NOW),
        lambda tx: troubles.at_a_bad_rest(tx, NOW - 14 * DAY),
        lambda tx: troubles.left_in_doubt(tx, NOW),
        lambda tx: troubles.with_problems(tx, NOW + DAY),
    ):
        assert steps_of(sqlite_store, ask) < 30


@pytest.mark.postgres
def test_postgresql_looks_through_no_large_table(postgres_store: Store, said: list[tuple[str, Any]]) -> None:
    fill(postgres_store, with_statistics=True)
    said.clear()
    ask_everything(postgres_store)
    asked = [(sql, values) for sql, values in said if sql.lstrip().startswith(("SELECT", "WITH"))]
    scans = []
    with postgres_store.write() as tx:
        for sql, values in asked:
            [plan] = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalars()
            top = plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]
            scans += [
                (node["Relation Name"], sql)
                for node in every_node(top)
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("posts", "events", "announcements")
            ]
    assert [(table, sql) for table, sql in scans if "count(*)" not in sql] == []


def every_node(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from every_node(below)


def test_a_post_that_waits_for_its_space_for_long_is_overdue_all_the_same(store: Store) -> None:
    post = a_stored_post(store, due_at=NOW, miss_at=NOW + timedelta(hours=5))
    with store.write() as tx:
        until = int((NOW + timedelta(hours=1)).timestamp() * 1e6)
        tx.execute(text("UPDATE channels SET spaced_until = :until"), {"until": until})
    assert (overdue(store, 900), overdue(store, 901)) == ([], [post.name])


def test_a_post_that_is_being_sent_without_end_is_overdue_even_in_safe_mode(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)
    with store.write() as tx:
        safety.enter(tx, safety.Cause.PERSON, "Wrong link.", now=NOW)
    assert (overdue(store, 900), overdue(store, 901)) == ([], [post.name])

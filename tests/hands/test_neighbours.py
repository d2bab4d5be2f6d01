"""Neighbours: few rows of the one channel, found by index however many posts there are."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from outreach.model import Move, Post
from outreach.store import Store, neighbours
from tests.builders import NOW, a_stored_post, an_announcement, claimed, make

DAY = timedelta(days=1)


def names(store: Store, post: Post, *, days: float = 0, but: int | None = None, most: int = 40) -> list[str]:
    with store.read() as tx:
        found = neighbours.of_channel(tx, post.channel_id, around=NOW + days * DAY, but=but, most=most)
    return sorted(n.title for n in found)


def sent(store: Store, title: str) -> Post:
    [post] = an_announcement(store, title=title, body=f"The text of {title}")
    claimed(store)
    make(store, post, Move.PUBLISH)
    return post


def queued(store: Store, title: str, days: float, **more: Any) -> Post:
    return an_announcement(store, title=title, due_at=NOW + days * DAY, **more)[0]


def test_what_went_out_and_what_waits_on_the_channel_are_neighbours(store: Store) -> None:
    out = sent(store, "Out")
    queued(store, "Soon", 1)
    queued(store, "On the list", 1, on=("listserv",))
    failed = an_announcement(store, title="Failed")[0]
    claimed(store)
    make(store, failed, Move.FAIL)

    with store.read() as tx:
        found = {n.title: n for n in neighbours.of_channel(tx, out.channel_id, around=NOW, but=None)}

    assert set(found) == {"Out", "Soon"}
    assert (found["Out"].is_out, found["Out"].at, found["Out"].name) == (True, NOW, "1/facebook")
    assert found["Out"].text == "Out\n\nThe text of Out"
    assert (found["Soon"].is_out, found["Soon"].at) == (False, NOW + DAY)


def test_nobody_is_their_own_neighbour(store: Store) -> None:
    post = queued(store, "Soon", 1)
    assert names(store, post) == ["Soon"]
    assert names(store, post, but=post.announcement) == []
    out = sent(store, "Out")
    assert names(store, out) == ["Out", "Soon"]
    assert names(store, out, but=out.announcement) == ["Soon"]


def test_those_nearest_to_the_instant_are_taken(store: Store) -> None:
    first, *_ = [queued(store, f"Day {day}", day) for day in range(1, 8)]
    assert names(store, first, days=4, most=2) == ["Day 2", "Day 3", "Day 4", "Day 5"]


@pytest.fixture
def said() -> Iterator[list[tuple[str, Any]]]:
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        heard.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


def test_every_question_goes_by_an_index_and_sorts_nothing_large(
    sqlite_store: Store, said: list[tuple[str, Any]]
) -> None:
    post = a_stored_post(sqlite_store)
    said.clear()
    names(sqlite_store, post)
    asked = [(sql, values) for sql, values in said if "FROM" in sql]
    assert len(asked) == 3

    with sqlite_store.write() as tx:
        plans = [[row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)] for sql, values in asked]

    assert all(not line.startswith("SCAN") or "tried" in line for plan in plans for line in plan), plans
    assert any("of_channel" in line for line in plans[0])
    assert all(any("INDEX due" in line for line in plan) for plan in plans[1:])
    assert not any("TEMP B-TREE" in line for plan in plans[1:] for line in plan)


def test_a_long_text_is_cut_where_nobody_compares_it_any_more(store: Store) -> None:
    post = an_announcement(store, title="Long", body="word " * 10_000)[0]
    with store.read() as tx:
        [found] = neighbours.of_channel(tx, post.channel_id, around=NOW, but=None)
    assert len(found.text) == 20_000
    with store.read() as tx:
        assert tx.execute(text("SELECT length(text) FROM contents")).scalar_one() > 50_000

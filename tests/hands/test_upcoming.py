"""What the queue page asks of the store: the right posts in the right order, by an index, and never more than a page."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from outreach.model import BadInput, Post, State
from outreach.store import Store, agenda, pulse, slices, upcoming
from outreach.store.lanes import Mark
from outreach.store.upcoming import Page
from tests.builders import (
    NOW,
    a_channel,
    a_stored_post,
    an_announcement,
    claimed,
    everything,
    require_approval,
    take,
)
from tests.hands.test_query_plans import every_node, fill

SOON = timedelta(minutes=1)
Statement = tuple[str, Any]


def ids(found: Page | list[Post]) -> list[int]:
    return [post.id for post in (found.posts if isinstance(found, Page) else found)]


def ask(store: Store, what: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with store.read() as tx:
        return what(tx, *args, **more)


# What goes out next


def test_what_is_queued_comes_next_due_first_whatever_its_channel(store: Store) -> None:
    late = a_stored_post(store, due_at=NOW + 2 * SOON)
    early = a_stored_post(store, channel="listserv", due_at=NOW + SOON)
    a_stored_post(store, State.CANCELLED)

    assert ids(ask(store, upcoming.queued, [1, 2], limit=9)) == [early.id, late.id]
    assert ids(ask(store, upcoming.queued, [1], limit=9)) == [late.id]


def test_pages_follow_each_other_without_a_gap_or_a_repeat(store: Store) -> None:
    every = [a_stored_post(store, due_at=NOW + (n // 3) * SOON).id for n in range(10)]
    seen: list[int] = []
    page = ask(store, upcoming.queued, [1], limit=4)
    while True:
        seen += ids(page)
        if page.next is None:
            break
        page = ask(store, upcoming.queued, [1], after=Mark.read(str(page.next)), limit=4)
    assert seen == every


def test_the_posts_of_one_announcement_at_one_time_stay_together_on_one_page(store: Store) -> None:
    both = an_announcement(store, on=("facebook", "listserv"))
    other = a_stored_post(store)

    first = ask(store, upcoming.queued, [1, 2], limit=1)
    second = ask(store, upcoming.queued, [1, 2], after=first.next, limit=1)
    third = ask(store, upcoming.queued, [1, 2], after=second.next, limit=1)

    assert (ids(first), ids(second), ids(third)) == ([both[0].id, both[1].id], [], [other.id])


def test_of_one_channel_the_others_are_left_out_though_they_are_due_together(store: Store) -> None:
    both = an_announcement(store, on=("facebook", "listserv"))
    assert ids(ask(store, upcoming.queued, [2], limit=9)) == [both[1].id]


@pytest.mark.parametrize("words", ["", "x", "1", "1-", "-1", "1-2-3", "١-2", "1-99999999999999999999", f"{'9' * 18}-1"])
def test_a_mark_that_nobody_wrote_is_refused(words: str) -> None:
    with pytest.raises(BadInput, match="no such page"):
        Mark.read(words)


def test_nothing_is_asked_where_there_is_no_channel(store: Store) -> None:
    assert ids(ask(store, upcoming.queued, [], limit=9)) == []
    assert ids(ask(store, upcoming.at_a_bad_rest, [], limit=9)) == []
    assert ask(store, upcoming.went_out, [], limit=9) == []


# What needs a person


def test_what_needs_a_person_is_found_by_its_state(store: Store) -> None:
    of: dict[State, int] = {s: a_stored_post(store, s).id for s in State if s is not State.PUBLISHING}
    of[State.PUBLISHING] = a_stored_post(store, State.PUBLISHING).id

    assert ids(ask(store, upcoming.open_questions, [1], limit=9)) == sorted([of[State.UNCONFIRMED], of[State.HELD]])
    assert set(ids(ask(store, upcoming.at_a_bad_rest, [1], limit=9))) == {of[State.FAILED], of[State.MISSED]}
    assert ids(ask(store, upcoming.in_flight, [1])) == [of[State.PUBLISHING]]
    assert set(ids(ask(store, upcoming.went_out, [1], limit=9))) == {
        of[State.PUBLISHED],
        of[State.HELD],
        of[State.RETRACTED],
    }


def test_the_latest_bad_rest_comes_first_and_the_others_page_by_page(store: Store) -> None:
    every = [a_stored_post(store, State.MISSED, due_at=NOW + n * SOON).id for n in range(5)]
    first = ask(store, upcoming.at_a_bad_rest, [1], limit=3)
    second = ask(store, upcoming.at_a_bad_rest, [1], before=first.next, limit=3)
    assert (ids(first), ids(second), second.next) == (every[:1:-1], every[1::-1], None)


def test_only_what_nobody_approved_and_is_due_soon_waits_for_an_approval(store: Store) -> None:
    soon = a_stored_post(store, due_at=NOW + SOON)
    a_stored_post(store, due_at=NOW + 9 * SOON)
    assert ids(ask(store, upcoming.unapproved, [1], until=NOW + 2 * SOON, limit=9)) == []
    require_approval(store)
    assert ids(ask(store, upcoming.unapproved, [1], until=NOW + 2 * SOON, limit=9)) == [soon.id]
    assert ask(store, upcoming.requires_approval, 1)


# What went out


def test_what_went_out_last_comes_first_and_each_post_once(store: Store) -> None:
    a_channel(store, "listserv")
    first = a_stored_post(store, State.PUBLISHED)
    second = a_stored_post(store, channel="listserv")
    take(store, second, now=NOW + SOON)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET state = 'published', worker = NULL, lease_until = NULL, remote_id = 'x'"))
        tx.execute(text("INSERT INTO attempts SELECT post_id, 2, worker, content_sha256, started_at, 0, 'x', NULL, NULL,"
                        " channel_id FROM attempts WHERE post_id = 1"))  # fmt: skip
    assert ids(ask(store, upcoming.went_out, [1, 2], limit=9)) == [second.id, first.id]
    assert ids(ask(store, upcoming.went_out, [1, 2], limit=1)) == [second.id]


# How it is asked


@pytest.fixture
def said() -> Iterator[list[Statement]]:
    """Every statement that goes to a database, with its values."""
    heard: list[Statement] = []

    def hear(_connection: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        heard.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


MARK = Mark(NOW, 1)
IN_FLIGHT = "SCAN posts USING INDEX one_in_flight"
QUESTIONS = [
    pytest.param(lambda tx: upcoming.queued(tx, [1, 2], after=MARK, limit=50), "due", id="goes out next"),
    pytest.param(lambda tx: upcoming.in_flight(tx, [1, 2]), "one_in_flight", id="in flight"),
    pytest.param(lambda tx: upcoming.open_questions(tx, [1, 2], limit=50), "open_questions", id="open questions"),
    pytest.param(
        lambda tx: upcoming.at_a_bad_rest(tx, [1, 2], before=MARK, limit=20), "at_a_bad_rest", id="at a bad rest"
    ),
    pytest.param(lambda tx: upcoming.unapproved(tx, [1, 2], until=NOW, limit=50), "due", id="unapproved"),
    pytest.param(lambda tx: upcoming.went_out(tx, [1, 2], limit=10), "of_channel", id="went out"),
    pytest.param(pulse.of_all, "one_in_flight", id="pulse"),
    pytest.param(lambda tx: pulse.of_announcement(tx, 1, 1), "of_post", id="pulse of an announcement"),
]


@pytest.mark.parametrize("with_statistics", [False, True])
@pytest.mark.parametrize(("question", "index"), QUESTIONS)
def test_sqlite_reads_a_page_of_a_million_by_an_index(
    sqlite_store: Store, said: list[Statement], with_statistics: bool, question: Callable[[Any], object], index: str
) -> None:
    fill(sqlite_store, with_statistics=with_statistics)
    said.clear()
    ask(sqlite_store, question)
    statements = [(sql, values) for sql, values in said if "SELECT" in sql]
    with sqlite_store.write() as tx:
        plan = [row[3] for sql, values in statements for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [line for line in plan if f"INDEX {index}" in line]
    large = ("SCAN posts", "SCAN p", "SCAN a", "SCAN events", "SCAN sightings")
    assert [line for line in plan if line.startswith(large) and not line.startswith(("SCAN anon_1", IN_FLIGHT))] == []


@pytest.mark.postgres
@pytest.mark.parametrize(("question", "index"), QUESTIONS)
def test_postgresql_reads_a_page_of_a_million_by_an_index(
    postgres_store: Store, said: list[Statement], question: Callable[[Any], object], index: str
) -> None:
    fill(postgres_store)
    said.clear()
    ask(postgres_store, question)
    # Those that look for what is wanted; what they found is then fetched by its numbers.
    statements = [(sql, values) for sql, values in said if ("posts" in sql and "LIMIT" in sql) or "max(" in sql]
    nodes: list[dict[str, Any]] = []
    with postgres_store.write() as tx:
        for sql, values in statements:
            [plan] = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalars()
            nodes += every_node(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"])

    assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "posts"]


@pytest.mark.parametrize(
    "question",
    [
        lambda tx: upcoming.queued(tx, [1, 2], limit=50),
        lambda tx: upcoming.queued(tx, [1, 2], after=Mark(NOW + timedelta(seconds=900), 1), limit=50),
        lambda tx: upcoming.at_a_bad_rest(tx, [1, 2], limit=20),
        lambda tx: upcoming.went_out(tx, [1, 2], limit=10),
        lambda tx: agenda.between(tx, 1, NOW, NOW + timedelta(days=900), limit=20),
        lambda tx: agenda.by_day(tx, 1, [NOW + timedelta(seconds=3000 + 10 * place) for place in range(8)], most=5),
        lambda tx: agenda.open_announcements(tx, 1, limit=50),
        lambda tx: slices.open_after(tx, 1, None, most=20),
        lambda tx: slices.open_after(tx, 1, (NOW + timedelta(seconds=900), 1), most=20),
        pulse.of_all,
    ],
)
def test_a_page_reads_few_rows_however_many_there_are(sqlite_store: Store, question: Callable[[Any], object]) -> None:
    fill(sqlite_store)
    with sqlite_store.write() as tx:
        tx.execute(text("UPDATE posts SET state = 'failed', reason = 'no' WHERE id % 10 = 1 AND attempt > 0"))
        tx.execute(text("INSERT INTO attempts (post_id, number, worker, content_sha256, started_at, channel_id)"
                        " SELECT id, 1, 'w', '', due_at, channel_id FROM posts WHERE id % 2 = 1"))  # fmt: skip
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with sqlite_store.read() as tx:
        connection: Any = tx.connection.dbapi_connection
        connection.set_progress_handler(count, 100)  # called at each hundredth step of SQLite's machine
        question(tx)
        connection.set_progress_handler(None, 0)

    assert steps < 150


# Whether anything changed


def test_a_pulse_stays_while_nothing_happens_and_changes_with_a_claim_and_a_move(store: Store) -> None:
    post = a_stored_post(store)
    before = ask(store, pulse.of_all), ask(store, pulse.of_announcement, 1, post.announcement)
    everything(store)
    assert (ask(store, pulse.of_all), ask(store, pulse.of_announcement, 1, post.announcement)) == before
    [attempt] = claimed(store)
    claim = ask(store, pulse.of_all), ask(store, pulse.of_announcement, 1, post.announcement)
    assert claim[0] != before[0]
    assert claim[1] != before[1]
    assert attempt.post.id == post.id


def test_the_pulse_of_another_communitys_announcement_is_not_given(store: Store) -> None:
    post = a_stored_post(store)
    assert ask(store, pulse.of_announcement, 2, post.announcement) is None
    assert ask(store, pulse.of_announcement, 1, 999) is None

"""How far posts reached, as rows: who is followed, one value of each hour, day and week, and questions answered by an index."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from outreach.model import Move, Post, State
from outreach.reach import Learnt, Remark
from outreach.store import Store, reached
from outreach.store.reached import Due, Standing
from tests.builders import NOW, a_channel, a_stored_post, column, make
from tests.hands.test_query_plans import every_node, fill

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def enrol(store: Store, channel: int = 1, after: timedelta = HOUR) -> int:
    with store.write() as tx:
        return reached.enrol(tx, channel, NOW + after)


def due(store: Store, after: timedelta, channel: int = 1) -> list[Due]:
    with store.read() as tx:
        return reached.due(tx, channel, NOW + after, most=5)


def followed(store: Store) -> Due:
    """A published post that is followed, due for its first question."""
    a_stored_post(store, State.PUBLISHED)
    enrol(store)
    [found] = due(store, HOUR)
    return found


def keep(store: Store, what: Due, after: timedelta, remark: Remark | None = None, **values: int) -> None:
    with store.write() as tx:
        reached.keep(tx, what, Learnt(values, remark, is_read=True), NOW + after)


def points(store: Store) -> list[Any]:
    return column(store, "SELECT value FROM reached_values ORDER BY measure, at")


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.FAILED, State.UNCONFIRMED, State.CANCELLED, State.HELD, State.RETRACTED]
)
def test_only_what_is_published_is_followed(store: Store, state: State) -> None:
    a_stored_post(store, state)
    assert enrol(store) == 0


def test_a_published_post_is_followed_once_from_when_it_went_out(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    assert (enrol(store), enrol(store)) == (1, 0)
    assert due(store, timedelta(minutes=9)) == []
    [found] = due(store, timedelta(minutes=10))
    assert (found.post_id, found.published_at, found.is_there) == (post.id, NOW, True)


def test_a_change_of_a_post_is_not_followed_beside_it(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET remote_id = '1_2:edit:7'"))
    assert enrol(store) == 0


def test_what_went_out_long_ago_is_left_alone(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED)
    assert enrol(store, after=98 * DAY) == 0


def test_another_channels_posts_are_its_own(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED)
    other = a_channel(store, "facebook-two")
    enrol(store)
    assert (enrol(store, other.id), due(store, DAY, other.id)) == (0, [])


def test_two_workers_do_not_ask_about_one_post(store: Store) -> None:
    what = followed(store)
    with store.write() as tx:
        assert reached.take(tx, what, NOW + 2 * HOUR)
    with store.write() as tx:
        assert not reached.take(tx, what, NOW + 2 * HOUR)
    assert due(store, HOUR) == []


def test_the_latest_values_and_comment_are_given_with_their_instant(store: Store) -> None:
    what = followed(store)
    remark = Remark(NOW, "When?", "https://example.org/1")
    keep(store, what, HOUR, remark, reached=10, comments=1)
    keep(store, what, 3 * HOUR, reached=12, comments=1)
    with store.read() as tx:
        found = reached.of_posts(tx, [what.post_id, 999])
    assert list(found) == [what.post_id]
    assert found[what.post_id].values == {"reached": 12, "comments": 1}
    assert (found[what.post_id].remark, found[what.post_id].asked_at) == (remark, NOW + 3 * HOUR)


def test_one_value_is_kept_of_each_hour_and_then_of_each_day(store: Store) -> None:
    what = followed(store)
    keep(store, what, timedelta(minutes=61), views=1)
    keep(store, what, timedelta(minutes=90), views=2)  # the same hour
    keep(store, what, timedelta(minutes=121), views=3)
    keep(store, what, 5 * DAY, views=4)
    keep(store, what, 5 * DAY + HOUR, views=5)  # the same day
    assert points(store) == [2, 3, 5]


def test_what_did_not_change_is_not_kept_again(store: Store) -> None:
    what = followed(store)
    for hours in range(1, 40):
        keep(store, what, hours * HOUR, views=7, comments=0)
    assert points(store) == [0, 7]


def test_a_series_is_given_oldest_first(store: Store) -> None:
    what = followed(store)
    for hours, views in ((1, 3), (2, 5), (9, 9)):
        keep(store, what, hours * HOUR, views=views, shares=1)
    with store.read() as tx:
        found = reached.series(tx, what.post_id, ["views"])
    assert found == {"views": [(NOW + HOUR, 3), (NOW + 2 * HOUR, 5), (NOW + 9 * HOUR, 9)]}


def test_it_is_asked_less_and_less_often_and_in_the_end_never(store: Store) -> None:
    what = followed(store)
    asked = 0
    after = timedelta(minutes=10)
    while found := due(store, after + 8 * DAY):
        after = max(after, found[0].ask_at - NOW)
        keep(store, found[0], after, views=asked)
        asked += 1
    assert 80 < asked < 90
    assert len(points(store)) == asked
    assert column(store, "SELECT ask_at FROM reached") == [None]
    with store.read() as tx:
        assert reached.of_posts(tx, [what.post_id])[what.post_id].values == {"views": asked - 1}


def test_a_webhook_brings_the_next_question_forward(store: Store) -> None:
    what = followed(store)
    keep(store, what, 5 * DAY, views=1)
    with store.write() as tx:
        assert reached.bring_forward(tx, 1, [what.remote_id, "1_999"], NOW + 5 * DAY + HOUR) == 1
        assert reached.bring_forward(tx, 1, [what.remote_id], NOW + 5 * DAY + HOUR) == 0  # it is due already
    assert len(due(store, 5 * DAY + HOUR)) == 1


def test_a_post_that_was_retracted_is_told_as_gone(store: Store) -> None:
    post: Post = a_stored_post(store, State.PUBLISHED)
    enrol(store)
    make(store, post, Move.RETRACT)
    [found] = due(store, HOUR)
    assert not found.is_there
    with store.write() as tx:
        reached.let_go(tx, found.post_id)
    assert due(store, DAY) == []


def test_how_a_channel_stands_is_kept_with_its_own_figures(store: Store) -> None:
    a_channel(store)
    how = Standing("The token has expired.", NOW, NOW + HOUR, None)
    with store.write() as tx:
        reached.stand(tx, 1, how)
        reached.keep_of_channel(tx, 1, {"followers": 120}, NOW)
        reached.keep_of_channel(tx, 1, {"followers": 121}, NOW + HOUR)
        reached.keep_of_channel(tx, 1, {"followers": 130}, NOW + DAY)
    with store.read() as tx:
        assert reached.standing(tx, 1) == replace(how, values={"followers": 130})
    assert column(store, "SELECT value FROM reached_channels ORDER BY at") == [121, 130]


# However many there are


def many(store: Store) -> None:
    """Thousands of posts, half of them out, each followed with a few values."""
    fill(store)
    out = "FROM posts WHERE state = 'published'"
    with store.write() as tx:
        for sql in (
            "INSERT INTO reached (post_id, channel_id, published_at, ask_at)"
            f" SELECT id, channel_id, planned_at, planned_at + id * CAST(1000000 AS bigint) {out}",
            f"INSERT INTO reached_values (post_id, measure, at, value) SELECT id, 'views', planned_at, id {out}",
            f"INSERT INTO reached_values (post_id, measure, at, value) SELECT id, 'views', planned_at + 1, id {out}",
            "ANALYZE",
        ):
            tx.execute(text(sql))


def plans(store: Store) -> dict[str, str]:
    """What each question of the chore looks at."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, sql: str, values: Any, *_: object) -> None:
        said.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    with store.write() as tx:
        reached.due(tx, 1, NOW + HOUR, most=5)
        reached.of_posts(tx, [3, 5, 7])
        reached.series(tx, 3, ["views"])
        reached.bring_forward(tx, 1, ["r3"], NOW)
        reached.is_any_new(tx, 1, NOW)
    event.remove(Engine, "before_cursor_execute", hear)
    asked = [each for each in said if "reached" in each[0]]
    with store.write() as tx:
        if store.is_sqlite:
            explain = "EXPLAIN QUERY PLAN "
            return {s: " ".join(r[3] for r in tx.exec_driver_sql(explain + s, _one(v))) for s, v in asked}
        found = {s: tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {s}", _one(v)).scalars().one() for s, v in asked}
    return {
        s: " ".join(f"{n['Node Type']} {n.get('Relation Name', '')}," for n in every_node(plan[0]["Plan"]))
        for s, plan in found.items()
    }


def _one(values: Any) -> Any:
    return values[0] if isinstance(values, list) else values


def test_sqlite_reads_a_handful_of_rows(sqlite_store: Store) -> None:
    many(sqlite_store)
    found = plans(sqlite_store)
    assert len(found) == 6
    for sql, plan in found.items():
        assert not re.search("SCAN (reached|posts|attempts)", plan), sql
    assert any("INDEX to_be_asked (channel_id=? AND ask_at>? AND ask_at<?)" in plan for plan in found.values())
    assert any("INDEX went_out (channel_id=? AND due_at>?)" in plan for plan in found.values())


@pytest.mark.postgres
def test_postgresql_reads_a_handful_of_rows(postgres_store: Store) -> None:
    many(postgres_store)
    for sql, plan in plans(postgres_store).items():
        assert "Seq Scan reached" not in plan, sql

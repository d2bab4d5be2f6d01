"""Keeping the history ready: whoever queues and publishes writes nothing for it, and yet nothing is missing there."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from outreach.lifecycle import is_legal
from outreach.model import Move, State
from outreach.store import Store, announcements, months, past, search
from outreach.store.months import Tally
from outreach.store.posts import HistoryFilter
from tests.builders import NOW, a_stored_post, an_announcement, claimed, column, make, require_approval, seen, take
from tests.hands.spots import Spot, of
from tests.hands.test_restores import other_url

__all__ = ["other_url"]

A_DAY = timedelta(days=1)
ANN, BEN = "ann@example.org", "ben@example.org"
TABLES = ("past", "months")


def titles(store: Store, **wanted: Any) -> list[str]:
    past.catch_up(store)
    return [gone.post.title for gone in search.each(store, 1, HistoryFilter(**wanted))]


def kept(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What is kept for the history; figures that came to nothing are none."""
    with store.read() as tx:
        found = {name: sorted(map(tuple, tx.execute(text(f"SELECT * FROM {name}"))), key=repr) for name in TABLES}
    return found | {"months": [row for row in found["months"] if row[5]]}


def made_anew(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What would be kept if everything were looked at for the first time now."""
    with store.write() as tx:
        if store.is_sqlite:
            tx.execute(text("INSERT INTO past_words (past_words, rowid, words) SELECT 'delete', key, words FROM past"))
        for sql in ("DELETE FROM past", "DELETE FROM months", "DELETE FROM meta WHERE key = 'history so far'"):
            tx.execute(text(sql))
    past.catch_up(store)
    return kept(store)


def test_queueing_claiming_and_publishing_write_nothing_for_the_history(store: Store) -> None:
    past.catch_up(store)
    before = column(store, "SELECT value FROM meta ORDER BY key")
    post = a_stored_post(store)
    claimed(store)
    make(store, post, Move.PUBLISH)

    assert kept(store) == {"past": [], "months": []}
    assert column(store, "SELECT value FROM meta ORDER BY key") == before
    with store.read() as tx:
        assert not past.standing(tx).is_whole
    assert titles(store) == [post.title]
    with store.read() as tx:
        assert past.standing(tx).is_whole


def test_what_is_being_sent_right_now_is_taken_in_by_who_looks(store: Store) -> None:
    past.catch_up(store)
    post = a_stored_post(store, title="On its way")
    claimed(store)

    assert titles(store) == []
    past.catch_up(store, with_in_flight=True)
    assert titles(store, state=State.PUBLISHING) == ["On its way"]
    make(store, post, Move.PUBLISH)
    assert titles(store, state=State.PUBLISHED) == ["On its way"]
    assert titles(store, state=State.PUBLISHING) == []


def test_a_post_that_goes_back_to_the_queue_untried_leaves_the_history(store: Store) -> None:
    post = a_stored_post(store, State.MISSED)
    assert titles(store) == [post.title]
    make(store, post, Move.REQUEUE, due_at=NOW)
    assert titles(store) == []
    assert kept(store)["months"] == []


def test_who_approved_what_was_sent_is_known_and_an_older_approval_is_none(store: Store) -> None:
    require_approval_of = a_stored_post(store, State.FAILED, by=ANN)
    require_approval(store)
    past.catch_up(store)
    with store.write() as tx:
        announcements.approve(tx, require_approval_of.announcement, 1, person=BEN, now=NOW)
    past.catch_up(store)
    [gone] = search.each(store, 1, HistoryFilter())
    assert (gone.written_by, gone.approved_by) == (ANN, BEN)
    assert titles(store, person=BEN) == [gone.post.title]

    with store.write() as tx:
        tx.execute(text("UPDATE contents SET revision = 2"))
        tx.execute(text("INSERT INTO revisions (announcement_id, revision, letter, at) VALUES (1, 2, '', 0)"))
    make(store, gone.post, Move.CANCEL)
    past.catch_up(store)
    [gone] = search.each(store, 1, HistoryFilter())
    assert (gone.written_by, gone.approved_by) == (None, None)


@pytest.mark.parametrize(("late_s", "is_on_time"), [(0, True), (300, True), (301, False)])
def test_on_time_is_what_was_sent_within_five_minutes(store: Store, late_s: int, is_on_time: bool) -> None:
    post = a_stored_post(store)
    take(store, post, now=NOW + timedelta(seconds=late_s))
    make(store, post, Move.PUBLISH)
    a_stored_post(store, State.MISSED)
    past.catch_up(store)

    found = {gone.post.id: gone.is_on_time for gone in search.each(store, 1, HistoryFilter())}
    assert found == {1: is_on_time, 2: None}
    with store.read() as tx:
        whole = months.numbers(tx, 1, first=202601, last=202612).whole
    assert whole == Tally(out=1, trouble=1, sent=1, on_time=int(is_on_time))
    assert (whole.on_time_share, whole.trouble_share) == (float(is_on_time), 0.5)


def test_a_month_is_one_of_the_zone_of_the_community(store: Store) -> None:
    new_year_in_utc = NOW.replace(year=2027, month=1, day=1, hour=3)
    a_stored_post(store, State.CANCELLED, due_at=new_year_in_utc)  # in New York it is still the old one
    past.catch_up(store)
    with store.read() as tx:
        assert list(months.numbers(tx, 1, first=0, last=999912).by_month) == [202612]
        assert months.choices(tx, 1).years == (2026,)


MOVES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Move))), max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=MOVES)
def test_whatever_happens_the_history_is_as_if_made_anew(sqlite_store: Store, steps: list[tuple[int, Move]]) -> None:
    store = sqlite_store
    posts = [a_stored_post(store, due_at=NOW + n * 20 * A_DAY) for n in range(5)]
    for number, (which, move) in enumerate(steps):
        _try(store, posts[which], move)
        if number % 3 == 0:
            past.catch_up(store, with_in_flight=number % 2 == 0)
    past.catch_up(store, with_in_flight=True)

    followed = kept(store)
    with store.write() as tx:
        tx.execute(text("INSERT INTO past_words (past_words, rank) VALUES ('integrity-check', 1)"))
    made_anew(store)
    past.catch_up(store, with_in_flight=True)
    assert kept(store) == followed
    for post in posts:  # the next example begins with an empty channel
        _try(store, post, Move.FAIL)


def _try(store: Store, post: Any, move: Move) -> None:
    now = seen(store, post)
    if not is_legal(move, now.state):
        return
    if move is Move.CLAIM:
        if not column(store, "SELECT 1 FROM posts WHERE state = 'publishing'"):
            take(store, post)
        return
    make(store, post, move)


def test_a_part_at_a_time_is_taken_in_the_newest_of_what_was_there_before_first(store: Store) -> None:
    for number in range(130):
        a_stored_post(store, State.CANCELLED, title=f"t{number}", due_at=NOW + number * A_DAY)

    assert not past.catch_up(store, most=20)
    part = [gone.post.title for gone in search.each(store, 1, HistoryFilter(limit=None))]
    assert 0 < len(part) < 130
    assert part[0] == "t129"
    while not past.catch_up(store, most=20):
        pass
    assert len(titles(store, limit=None)) == 130


def test_several_who_bring_it_up_to_date_at_once_count_nothing_twice(store: Store) -> None:
    for number in range(150):
        a_stored_post(store, State.CANCELLED, due_at=NOW + number * A_DAY)
    together = threading.Barrier(4)

    def catch_up() -> None:
        together.wait()
        past.catch_up(store)

    threads = [threading.Thread(target=catch_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.read() as tx:
        assert months.numbers(tx, 1, first=0, last=999912).whole.cancelled == 150
    assert kept(store) == made_anew(store)


def test_a_slow_looker_cannot_put_back_what_was_true_before(store: Store) -> None:
    past.catch_up(store)
    post = a_stored_post(store, State.PUBLISHING, title="On its way")
    past.catch_up(store)
    with store.read() as tx:
        step = past._next_step(tx, 0, True)
        rows = past._rows(tx, step.posts)
    make(store, post, Move.PUBLISH)
    assert titles(store, state=State.PUBLISHED) == ["On its way"]

    with store.write() as tx:
        past._take(tx, step, rows)

    assert titles(store, state=State.PUBLISHED) == ["On its way"]


@pytest.mark.postgres
def test_on_postgresql_nothing_is_passed_over_that_was_written_earlier_and_committed_later(
    postgres_store: Store,
) -> None:
    early, late = an_announcement(postgres_store)[0], an_announcement(postgres_store)[0]
    past.catch_up(postgres_store)
    is_written, may_commit = threading.Event(), threading.Event()

    def cancel_slowly() -> None:
        with postgres_store.write() as tx:
            tx.execute(text("UPDATE posts SET state = 'cancelled' WHERE id = :id"), {"id": early.id})
            tx.execute(
                text("INSERT INTO events (at, kind, post_id, attempt) VALUES (0, 'cancel', :id, 0)"), {"id": early.id}
            )
            is_written.set()
            may_commit.wait(10)

    slow = threading.Thread(target=cancel_slowly)
    slow.start()
    is_written.wait(10)
    make(postgres_store, late, Move.CANCEL)
    looking = threading.Thread(target=lambda: past.catch_up(postgres_store))
    looking.start()
    looking.join(0.5)  # who would pass over it has ended by now
    may_commit.set()
    looking.join()
    slow.join()

    assert len(titles(postgres_store)) == 2


def test_what_is_restored_on_another_database_is_found_there(
    store: Store, database_url: str, other_url: str, tmp_path: Path
) -> None:
    a_stored_post(store, State.PUBLISHED, title="Grüße aus Zürich", body="interdisciplinary")
    a_stored_post(store, State.FAILED, title="Something else", body="-")
    past.catch_up(store)
    before = kept(store)
    here, there = Spot(tmp_path / "here", database_url), Spot(tmp_path / "other", other_url)
    here.backup()
    there.restore(here.zip)

    assert of(there.url, kept) == before
    questions = ("zurich", "interdisciplin", '"grusse aus"')
    found = of(there.url, lambda opened: [titles(opened, search=question) for question in questions])
    assert found == [["Grüße aus Zürich"]] * 3
    assert of(there.url, lambda opened: titles(opened, state=State.FAILED)) == ["Something else"]

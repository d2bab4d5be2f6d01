"""What waits for an approval is found by its own index, on both databases, and comes to rest when it comes due."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from outreach.model import NoticeKind, Post, State
from outreach.roles import Role
from outreach.store import Store, announcements, drafts, health, notices, people, reviews, waiting
from outreach.store.announcements import Author
from outreach.store.drafts import Edit, Rewritten
from outreach.store.reviews import Comment
from tests.builders import (
    NOW,
    a_channel,
    a_content,
    a_new_announcement,
    a_new_post,
    a_stored_post,
    an_announcement,
    column,
    require_approval,
    seen,
)
from tests.hands.test_query_plans import Statement, every_node, fill, said

__all__ = ["said"]

ANN, BEN = "ann@example.org", "ben@example.org"
DUE = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)


def first(store: Store, **more: object) -> list[str]:
    with store.read() as tx:
        return [post.name for post in waiting.first(tx, 1, **more)]  # type: ignore[arg-type]


def over(store: Store, now: datetime) -> list[str]:
    with store.read() as tx:
        return [post.name for post in waiting.over(tx, now)]


def approve(store: Store, post: Post, *, person: str = BEN) -> None:
    with store.write() as tx:
        announcements.approve(tx, post.announcement, 1, person=person, now=NOW)


def edit(store: Store, post: Post, body: str = "Changed.") -> None:
    with store.write() as tx:
        was = drafts.latest(tx, 1, post.announcement)
        assert was is not None
        new = a_new_post(post.channel_id, a_content(text=body), due_at=post.due_at)
        drafts.edit(tx, was, a_new_announcement(author=Author(ANN)), Edit([Rewritten(post, new)]), NOW)


# What waits


def test_what_is_due_next_comes_first_whatever_its_channel(store: Store) -> None:
    [late] = an_announcement(store, due_at=DUE + HOUR)
    [soon] = an_announcement(store, on=("listserv",), due_at=DUE)
    require_approval(store)

    assert first(store) == [soon.name, late.name]
    assert first(store, limit=1) == [soon.name]
    assert first(store, after=waiting.place(soon)) == [late.name]
    assert first(store, after=waiting.place(late)) == []


def test_two_posts_of_one_instant_stand_in_the_order_of_their_numbers(store: Store) -> None:
    posts = [an_announcement(store, due_at=DUE)[0] for _ in range(3)]
    require_approval(store)

    assert first(store, after=waiting.place(posts[0])) == [posts[1].name, posts[2].name]


def test_nothing_waits_where_no_approval_is_asked_for(store: Store) -> None:
    an_announcement(store, due_at=DUE)
    assert first(store) == []


def test_an_approval_takes_it_out_an_edit_and_a_withdrawal_put_it_back(store: Store) -> None:
    [post] = an_announcement(store, due_at=DUE, by=ANN)
    require_approval(store)
    approve(store, post)
    assert first(store) == []

    edit(store, post)
    assert first(store) == [post.name]

    with store.write() as tx:
        announcements.approve(tx, post.announcement, 2, person=BEN, now=NOW)
    assert first(store) == []
    with store.write() as tx:
        reviews.withdraw_approval(tx, post.announcement)
    assert first(store) == [post.name]


@pytest.mark.parametrize("state", [State.PUBLISHED, State.CANCELLED, State.MISSED, State.FAILED])
def test_what_is_not_queued_does_not_wait(store: Store, state: State) -> None:
    a_stored_post(store, state)
    require_approval(store)
    assert first(store) == []


def test_an_announcement_that_waits_says_who_wrote_it_and_whether_changes_were_asked_for(store: Store) -> None:
    posts = an_announcement(store, on=("facebook", "listserv"), due_at=DUE, by=ANN)
    [other] = an_announcement(store, due_at=DUE + HOUR)
    require_approval(store)
    with store.write() as tx:
        for wish in (Comment(0, 1, BEN, NOW, "Shorter.", True), Comment(0, 1, BEN, NOW, "By half.", True)):
            reviews.add_comment(tx, posts[0].announcement, wish)
        reviews.add_comment(tx, other.announcement, Comment(0, 1, BEN, NOW, "Nice.", False))

    with store.read() as tx:
        found = waiting.of(tx, waiting.first(tx, 1))

    asked = found[0].asked
    assert [(each.announcement, len(each.posts), each.written_by) for each in found] == [
        (posts[0].announcement, 2, ANN),
        (other.announcement, 1, None),
    ]
    assert asked is not None
    assert (asked.text, asked.person, found[0].is_back_with_its_author) == ("By half.", BEN, True)
    assert found[1].asked is None


def test_the_count_leaves_out_what_one_wrote_oneself(store: Store) -> None:
    an_announcement(store, on=("facebook", "listserv"), due_at=DUE, by=ANN)
    an_announcement(store, due_at=DUE)
    with store.read() as tx:
        assert waiting.count(tx, 1, but_of=BEN) == 0
    require_approval(store)

    with store.read() as tx:
        assert [waiting.count(tx, 1, but_of=who) for who in (BEN, ANN, "Ann@Example.org")] == [2, 1, 1]


# What came due


def test_what_comes_due_unapproved_is_over_at_that_instant(store: Store) -> None:
    [post] = an_announcement(store, due_at=DUE)
    assert over(store, DUE) == []
    require_approval(store)

    assert over(store, DUE - timedelta(microseconds=1)) == []
    assert over(store, DUE) == [post.name]
    approve(store, post)
    assert over(store, DUE) == []


def test_what_is_wanted_at_once_waits_until_its_grace_is_over(store: Store) -> None:
    an_announcement(store, due_at=NOW)
    require_approval(store)
    assert over(store, NOW + HOUR) == []


def test_what_a_person_sends_again_waits_for_its_approval(store: Store) -> None:
    [post] = an_announcement(store, due_at=DUE)
    require_approval(store)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET due_at = due_at + 1"))
    assert over(store, DUE + HOUR) == []
    assert seen(store, post).state is State.QUEUED


def test_the_watch_wakes_when_the_first_comes_due_unapproved(store: Store) -> None:
    an_announcement(store, due_at=DUE + HOUR)
    [post] = an_announcement(store, on=("listserv",), due_at=DUE)
    an_announcement(store, due_at=NOW)
    with store.read() as tx:
        assert health.next_chore(tx) == NOW + timedelta(hours=6)
        tx.rollback()
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET miss_at = miss_at + 864000000000"))
    require_approval(store)

    with store.read() as tx:
        assert health.next_chore(tx) == DUE
    approve(store, post)
    with store.read() as tx:
        assert health.next_chore(tx) == DUE + HOUR


def test_giving_up_owes_a_word_to_author_and_approvers_and_to_nobody_else(store: Store) -> None:
    posts = an_announcement(store, on=("facebook", "listserv"), due_at=DUE, by=ANN)
    with store.write() as tx:
        for email, role in ((BEN, Role.APPROVER), ("cara@example.org", Role.REVIEWER)):
            people.welcome(tx, 1, email, {role}, now=NOW)
        closed = people.welcome(tx, 1, "dan@example.org", {Role.APPROVER}, now=NOW)
        people.change(tx, closed.id, closed_at=NOW)
        for post in posts:
            waiting.give_up(tx, post, DUE)

    assert {(seen(store, p).state, seen(store, p).reason) for p in posts} == {
        (State.MISSED, "Nobody approved it in time.")
    }
    owed = "SELECT email FROM notices JOIN people ON people.id = person_id WHERE kind = 'missed' ORDER BY email"
    assert column(store, owed) == [ANN, BEN]  # once, though two posts were missed at one time


# Notices


def a_notice(store: Store) -> notices.Notice:
    [post] = an_announcement(store, by=ANN)
    with store.write() as tx:
        notices.owe_author(tx, post.announcement, NoticeKind.CHANGES, NOW, about=7)
        notices.owe_author(tx, post.announcement, NoticeKind.CHANGES, NOW, about=7)
    return due(store)[0]


def due(store: Store, now: datetime = NOW) -> list[notices.Notice]:
    with store.read() as tx:
        return notices.to_be_told(tx, 1, now, most=50)


def test_a_notice_is_there_once_and_told_once(store: Store) -> None:
    notice = a_notice(store)
    assert [(n.email, n.kind, n.about, n.tries) for n in due(store)] == [(ANN, NoticeKind.CHANGES, 7, 0)]

    with store.write() as tx:
        assert notices.take(tx, notice, again_at=NOW + HOUR)
        assert not notices.take(tx, notice, again_at=NOW + HOUR)  # another worker, a moment later
    assert due(store) == []
    assert len(due(store, NOW + HOUR)) == 1  # who took it and died is followed
    with store.write() as tx:
        notices.told(tx, notice, NOW)
    assert due(store, NOW + 9 * HOUR) == []


def test_who_was_followed_cannot_speak_for_the_later_try(store: Store) -> None:
    notice = a_notice(store)
    with store.write() as tx:
        notices.take(tx, notice, again_at=NOW)
    [again] = due(store)
    with store.write() as tx:
        notices.take(tx, again, again_at=NOW + HOUR)
        notices.not_told(tx, notice, "No answer.", again_at=None)

    assert len(due(store, NOW + HOUR)) == 1


def test_a_notice_that_was_not_told_says_why_until_it_is(store: Store) -> None:
    notice = a_notice(store)
    with store.write() as tx:
        notices.take(tx, notice, again_at=NOW)
        notices.not_told(tx, notice, "No such mailbox.", again_at=NOW + HOUR)
    with store.read() as tx:
        assert notices.troubles_of(tx, notice.announcement) == [(ANN, "No such mailbox.")]

    [again] = due(store, NOW + HOUR)
    with store.write() as tx:
        notices.take(tx, again, again_at=NOW)
        notices.told(tx, again, NOW)
    with store.read() as tx:
        assert notices.troubles_of(tx, notice.announcement) == []


# Seeing


def test_what_is_seen_is_remembered_with_what_was_seen_before_it(store: Store) -> None:
    [post] = an_announcement(store, by=ANN)
    with store.write() as tx:
        for revision, sha256 in ((1, "a"), (3, "c"), (3, "x"), (2, "b")):
            reviews.saw(tx, post.announcement, revision, person=BEN, now=NOW, shown={post.id: sha256})

    with store.read() as tx:
        assert reviews.seen_by(tx, post.announcement, BEN) == reviews.Seen(3, {post.id: "c"}, 1, {post.id: "a"})
        assert reviews.seen_by(tx, post.announcement, ANN) is None


# Among many


def a_million_less(store: Store) -> None:
    """Thousands that are approved and queued, thousands that are out and were never approved, and one that waits."""
    fill(store)
    require_approval(store)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET unapproved = false WHERE state = 'queued' AND id > 1"))
        tx.execute(text("UPDATE announcements SET approved_revision = 1 WHERE id > 1 AND id % 2 = 0"))
        tx.execute(text("ANALYZE"))


def ask_everything(store: Store) -> None:
    with store.read() as tx:
        waiting.first(tx, 1)
        waiting.first(tx, 1, after=(NOW - HOUR, 0))
        waiting.count(tx, 1, but_of=ANN)
        waiting.over(tx, NOW + HOUR)
        health.next_chore(tx)


def about_posts(said: list[Statement]) -> list[Statement]:
    return [(sql, values) for sql, values in said if "unapproved" in sql]


@pytest.mark.parametrize("with_statistics", [False, True])
def test_sqlite_finds_what_waits_by_its_index(
    sqlite_store: Store, said: list[Statement], with_statistics: bool
) -> None:
    fill(sqlite_store, with_statistics=with_statistics)
    require_approval(sqlite_store)
    said.clear()
    ask_everything(sqlite_store)

    asked = about_posts(said)
    assert len(asked) >= 8
    for sql, values in asked:
        with sqlite_store.read() as tx:
            plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert [line for line in plan if "INDEX waiting" in line], sql
        assert not [line for line in plan if line.startswith(("SCAN p", "SCAN a", "SCAN r")) and "INDEX" not in line], (
            sql
        )


@pytest.mark.postgres
def test_postgresql_finds_what_waits_by_its_index(postgres_store: Store, said: list[Statement]) -> None:
    a_million_less(postgres_store)
    said.clear()
    ask_everything(postgres_store)

    asked = about_posts(said)
    assert len(asked) >= 8
    for sql, values in asked:
        with postgres_store.write() as tx:
            [plan] = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalars()
        nodes = list(every_node(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]))
        assert [node for node in nodes if node.get("Index Name") == "waiting"], sql
        assert not [n for n in nodes if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "posts"]


def test_what_waits_is_found_in_a_few_steps_among_thousands(sqlite_store: Store) -> None:
    a_million_less(sqlite_store)
    a_channel(sqlite_store, "listserv")
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with sqlite_store.read() as tx:
        connection = tx.connection.dbapi_connection
        connection.set_progress_handler(count, 100)  # type: ignore[union-attr]
        found = waiting.first(tx, 1)
        assert waiting.count(tx, 1, but_of=ANN) == 1
        waiting.over(tx, NOW)
        connection.set_progress_handler(None, 0)  # type: ignore[union-attr]

    assert [post.id for post in found] == [1]
    assert steps < 30

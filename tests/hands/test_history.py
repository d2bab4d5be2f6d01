"""Looking back: what happened to a post, in order; and the posts that came to rest, found again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from outreach.model import Candidate, Move, Post, State
from outreach.publisher import doubt_values
from outreach.store import Store, history, moves, past, posts, search
from outreach.store.moves import Change, Ending
from outreach.store.posts import HistoryFilter
from tests.builders import NOW, a_stored_post, claimed, make, seen, take

A_DAY = timedelta(days=1)
A_MINUTE = timedelta(minutes=1)


def titles(store: Store, **wanted: object) -> list[str]:
    past.catch_up(store, with_in_flight=True)
    return [gone.post.title for gone in search.each(store, 1, HistoryFilter(**wanted))]  # type: ignore[arg-type]


def told(store: Store, post: Post) -> list[dict[str, object]]:
    with store.read() as tx:
        return history.of_post(tx, post.id)


# One post


def test_everything_that_happened_to_a_post_is_told_oldest_first(store: Store) -> None:
    # Given a post that was deferred, then lost, looked for, and found
    post = a_stored_post(store)
    take(store, post, now=NOW + A_MINUTE)
    make(store, post, Move.DEFER, at=NOW + 2 * A_MINUTE)
    take(store, post, now=NOW + 3 * A_MINUTE)
    make(store, post, Move.DOUBT, at=NOW + 4 * A_MINUTE)
    with store.write() as tx:
        history.see(tx, post.id, at=NOW + 5 * A_MINUTE, kind="not there", evidence={"look": 1})
    make(store, post, Move.CONFIRM, at=NOW + 6 * A_MINUTE)

    story = told(store, post)

    assert [entry["at"] for entry in story] == sorted(entry["at"] for entry in story)  # type: ignore[type-var]
    kinds = [str(entry["kind"]) for entry in story if entry["kind"] != "claim"]
    assert [kind for kind in kinds if kind != "attempt"] == ["queue", "defer", "doubt", "sighting", "confirm"]
    assert [entry["attempt"] for entry in story if entry["kind"] == "attempt"] == [1, 2]


def test_an_attempt_is_told_with_its_outcome_its_evidence_and_what_it_sent(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)
    with store.write() as tx:
        moves.end_attempts(tx, [Ending(post.id, 1, NOW + A_MINUTE, "refused", "The Page said no.", {"code": 100})])

    [attempt] = [entry for entry in told(store, post) if entry["kind"] == "attempt"]

    assert attempt["started_at"] == NOW
    assert (attempt["outcome"], attempt["note"]) == ("refused", "The Page said no.")
    assert attempt["evidence"] == {"code": 100}
    assert attempt["content_sha256"] == post.content_sha256


def test_a_sighting_is_told_with_who_saw_what(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    with store.write() as tx:
        history.see(tx, post.id, at=NOW + A_MINUTE, kind="found", evidence={"remote_ids": ["1"]})

    [sighting] = [entry for entry in told(store, post) if entry["kind"] == "sighting"]

    assert sighting == {
        "at": NOW + A_MINUTE,
        "kind": "sighting",
        "what": "found",
        "by": "the service",
        "evidence": {"remote_ids": ["1"]},
    }


def test_who_decided_and_why_is_told(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    with store.write() as tx:
        change = Change(post.id, 1, Move.CANCEL, NOW + A_MINUTE, note="Not needed.", person="ann@example.org")
        moves.apply(tx, [change])

    assert told(store, post)[-1] == {
        "at": NOW + A_MINUTE,
        "kind": "cancel",
        "attempt": 1,
        "person": "ann@example.org",
        "note": "Not needed.",
    }


def test_what_happened_to_another_post_is_not_told(store: Store) -> None:
    post = a_stored_post(store)
    a_stored_post(store, State.CANCELLED)

    assert [entry["kind"] for entry in told(store, post)] == ["queue"]


def test_moves_are_told_in_the_order_they_were_made_though_the_clock_went_back(store: Store) -> None:
    post = a_stored_post(store, State.FAILED)
    make(store, post, Move.REQUEUE, at=NOW + A_MINUTE)
    make(store, post, Move.CANCEL, at=NOW - A_MINUTE)

    kinds = [entry["kind"] for entry in told(store, post)]

    assert kinds.index("requeue") < kinds.index("cancel")


def test_a_look_is_planned_only_for_a_post_in_doubt(store: Store) -> None:
    doubtful = a_stored_post(store, State.UNCONFIRMED)
    sure = a_stored_post(store, State.PUBLISHED)

    with store.write() as tx:
        for post in (doubtful, sure):
            history.plan_look(tx, post, look_at=NOW + A_MINUTE, looks=1, clean_looks=1)
        history.plan_look(tx, replace(doubtful, attempt=0), look_at=NOW, looks=9, clean_looks=9)

    found = seen(store, doubtful)
    assert (found.look_at, found.looks, found.clean_looks) == (NOW + A_MINUTE, 1, 1)
    assert (seen(store, sure).look_at, seen(store, sure).looks) == (None, 0)


def test_an_address_learnt_later_is_kept(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)

    with store.write() as tx:
        history.set_url(tx, post.id, "https://www.facebook.com/1")

    assert seen(store, post).url == "https://www.facebook.com/1"


# All posts


@pytest.mark.parametrize("state", list(State))
def test_a_post_is_in_the_history_once_it_was_attempted_or_came_to_rest(store: Store, state: State) -> None:
    a_stored_post(store, state, title="Poster session")

    assert titles(store) == ([] if state is State.QUEUED else ["Poster session"])


def test_a_post_that_waits_for_its_second_try_is_in_the_history(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING, title="Poster session")
    make(store, post, Move.DEFER)

    assert titles(store) == ["Poster session"]


def test_the_latest_planned_comes_first_whenever_it_was_tried_and_of_equals_the_latest_post(store: Store) -> None:
    for title, planned, tried in (("b", 2, 9), ("a", 1, 99), ("c", 2, 8)):
        post = a_stored_post(store, title=title, due_at=NOW + planned * A_MINUTE)
        take(store, post, now=NOW + tried * A_MINUTE)
        make(store, post, Move.PUBLISH)

    assert titles(store) == ["c", "b", "a"]


def test_no_more_are_given_than_asked_for_and_without_a_limit_all(store: Store) -> None:
    for title in ("a", "b", "c"):
        a_stored_post(store, State.PUBLISHED, title=title)

    assert titles(store, limit=2) == ["c", "b"]
    assert titles(store, limit=None) == ["c", "b", "a"]


def test_a_search_finds_words_of_the_title_and_of_the_text_in_any_letter_case(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED, title="Poster session", body="Room 5.")
    a_stored_post(store, State.PUBLISHED, title="Webinar", body="Bring a POSTER.")
    a_stored_post(store, State.PUBLISHED, title="Elections", body="Vote.")

    assert titles(store, search="poster") == ["Webinar", "Poster session"]


def test_a_search_takes_letter_case_for_nothing_in_any_language(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED, title="ÉLECTION", body="Votez.")

    assert titles(store, search="élection") == ["ÉLECTION"]


def test_a_search_does_not_find_what_a_post_said_before_it_was_edited(store: Store) -> None:
    post = a_stored_post(store, State.CANCELLED, body="The old wording.")
    with store.write() as tx:
        tx.execute(
            text("INSERT INTO contents (post_id, sha256, revision, text, body) VALUES (:id, 'new', 2, 'New.', '{}')"),
            {"id": post.id},
        )
        tx.execute(text("UPDATE posts SET content_sha256 = 'new'"))

    assert titles(store, search="old wording") == []


def test_since_and_until_look_at_the_planned_time_and_until_is_not_included(store: Store) -> None:
    for title, days in (("a", 0), ("b", 1), ("c", 2)):
        a_stored_post(store, State.CANCELLED, title=title, due_at=NOW + days * A_DAY)

    assert titles(store, since=NOW + A_DAY) == ["c", "b"]
    assert titles(store, until=NOW + A_DAY) == ["a"]
    assert titles(store, since=NOW + A_DAY, until=NOW + 2 * A_DAY) == ["b"]


def test_one_channel_or_one_state_may_be_asked_for(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED, title="a")
    a_stored_post(store, State.FAILED, title="b", channel="listserv")

    assert titles(store, channel="listserv") == ["b"]
    assert titles(store, state=State.PUBLISHED) == ["a"]
    assert titles(store, channel="listserv", state=State.PUBLISHED) == []


# Lists of the service


def test_posts_in_some_states_are_given_next_due_first(store: Store) -> None:
    a_stored_post(store, title="later", due_at=NOW + A_DAY)
    a_stored_post(store, title="now")
    a_stored_post(store, State.CANCELLED, title="never")

    with store.read() as tx:
        found = posts.in_states(tx, [State.QUEUED])

    assert [post.title for post in found] == ["now", "later"]


def test_only_queued_posts_can_be_past_their_grace(store: Store) -> None:
    late = a_stored_post(store, miss_at=NOW)
    a_stored_post(store, miss_at=NOW + A_MINUTE)
    a_stored_post(store, State.CANCELLED, miss_at=NOW)

    with store.read() as tx:
        assert [post.id for post in posts.past_their_grace(tx, NOW)] == [late.id]


def test_an_unconfirmed_post_is_looked_for_when_its_time_has_come(store: Store) -> None:
    post = a_stored_post(store, State.UNCONFIRMED)  # to be looked for 30 s after the doubt

    with store.read() as tx:
        assert posts.to_be_looked_for(tx, NOW + timedelta(seconds=29)) == []
        assert [p.id for p in posts.to_be_looked_for(tx, NOW + timedelta(seconds=30))] == [post.id]


def test_a_search_for_a_post_begins_at_the_first_attempt_that_may_have_reached_the_channel(store: Store) -> None:
    post = a_stored_post(store)
    for number, outcome in enumerate(("unavailable", "unconfirmed", "unconfirmed"), 1):
        take(store, post, now=NOW + number * A_MINUTE)
        since = seen(store, post).doubtful_since or NOW + number * A_MINUTE
        with store.write() as tx:
            moves.end_attempts(tx, [Ending(post.id, number, NOW + number * A_MINUTE, outcome, "No answer.")])
            doubt = (
                doubt_values("No answer.", at=NOW, since=since, look_after_s=(30,)) if outcome != "unavailable" else {}
            )
            move = Move.DOUBT if doubt else Move.DEFER
            moves.apply(
                tx, [Change(post.id, number, move, NOW, values=doubt or {"reason": "No answer.", "due_at": NOW})]
            )
            if doubt:
                moves.apply(tx, [Change(post.id, number, Move.ABSOLVE, NOW, values={"due_at": NOW})])

    [attempt] = claimed(store, now=NOW + 9 * A_MINUTE)
    assert (attempt.started_at, attempt.first_started_at) == (NOW + 9 * A_MINUTE, NOW + 2 * A_MINUTE)


def test_ids_that_belong_to_posts_of_the_channel_are_told_from_strangers(store: Store) -> None:
    post, another = a_stored_post(store, State.PUBLISHED), a_stored_post(store)
    elsewhere = a_stored_post(store, channel="list-2")
    its_own, strange = (Candidate(remote_id, None, None) for remote_id in (f"1_{post.id}", "1_99"))

    with store.read() as tx:
        assert posts.not_of_others(tx, another, [its_own, strange]) == [strange]
        assert posts.not_of_others(tx, post, [its_own]) == [its_own]
        assert posts.not_of_others(tx, elsewhere, [its_own]) == [its_own]

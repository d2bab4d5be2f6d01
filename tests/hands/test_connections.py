"""Connected Pages in the database: one for each channel, dialogs that are answered once, and nothing that outlives its time."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from outreach.model import State
from outreach.store import Store, connections
from outreach.store.connections import ConnectionRow, Seen
from tests.builders import NOW, a_channel, a_stored_post, behind_its_back, column

LATER = NOW + timedelta(minutes=15)


def a_row(channel_id: int, **changes: Any) -> ConnectionRow:
    given: dict[str, Any] = {
        "channel_id": channel_id,
        "page_id": "1",
        "page_name": "One",
        "sealed": "sealed",
        "scopes": ["pages_manage_posts"],
        "person": "ann@example.org",
        "facebook_id": "7",
        "facebook_name": "Ann",
        "at": NOW,
        "data_access_expires_at": None,
    }
    return ConnectionRow(**given | changes)


def begin(store: Store, state: str = "s", session: str = "of ann", **changes: Any) -> None:
    channel = a_channel(store).id if not column(store, "SELECT id FROM channels") else 1
    row = {"state_sha256": state, "channel_id": channel, "scopes": [], "session": session, "person": "ann@example.org"}
    with store.write() as tx:
        connections.begin(tx, row | {"begun_at": NOW, "ends_at": LATER} | changes)


def test_a_channel_has_one_page_and_the_history_says_who_changed_it(store: Store) -> None:
    channel = a_channel(store)
    with store.write() as tx:
        connections.keep(tx, a_row(channel.id))
        connections.keep(tx, a_row(channel.id, page_id="2", page_name="Two"), was="1")
    with store.read() as tx:
        assert connections.of_channel(tx, channel.id) == a_row(channel.id, page_id="2", page_name="Two")
        assert connections.of_name(tx, channel.name) == connections.of_channel(tx, channel.id)
        assert connections.of_name(tx, "nothing") is None
    notes = column(store, "SELECT note FROM events WHERE kind = 'connect a Page' ORDER BY id")
    assert notes == ["One (1)", "Two (2), in place of 1"]


def test_a_dialog_is_answered_once_in_its_own_session_and_in_time(store: Store) -> None:
    begin(store)
    with store.write() as tx:
        assert connections.take_answer(tx, "s", "of ben", NOW) is None
        assert connections.take_answer(tx, "another", "of ann", NOW) is None
        assert connections.take_answer(tx, "s", "of ann", LATER) is None
        taken = connections.take_answer(tx, "s", "of ann", NOW)
        assert taken is not None
        assert connections.take_answer(tx, "s", "of ann", NOW) is None


def test_of_many_answers_at_once_one_is_heard(store: Store) -> None:
    begin(store)
    heard: list[bool] = []

    def answer() -> None:
        with store.write() as tx:
            heard.append(connections.take_answer(tx, "s", "of ann", NOW) is not None)

    threads = [threading.Thread(target=answer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [False] * 5 + [True]


def test_a_token_is_kept_only_after_an_answer_and_no_longer_than_its_dialog(store: Store) -> None:
    begin(store)
    with store.write() as tx:
        connections.seal(tx, 1, "too early")
        assert connections.dialog(tx, 1, "of ann", NOW).sealed is None  # type: ignore[union-attr]
        connections.take_answer(tx, "s", "of ann", NOW)
        connections.seal(tx, 1, "sealed")
        assert connections.dialog(tx, 1, "of ben", NOW) is None
        assert connections.dialog(tx, 1, "of ann", LATER) is None
        assert connections.dialog(tx, 1, "of ann", NOW).sealed == "sealed"  # type: ignore[union-attr]
        assert not connections.is_any_over(tx, NOW)
        assert connections.is_any_over(tx, LATER)
        assert connections.sweep(tx, LATER) == 1
    assert column(store, "SELECT id FROM dialogs") == []


def test_who_begins_anew_forgets_what_is_over(store: Store) -> None:
    begin(store)
    begin(store, "t", begun_at=LATER, ends_at=LATER + timedelta(minutes=15))
    assert column(store, "SELECT state_sha256 FROM dialogs") == ["t"]


@pytest.mark.parametrize("state", list(State))
def test_a_post_is_in_doubt_while_nobody_knows_whether_it_is_out(store: Store, state: State) -> None:
    post = a_stored_post(store, state)
    with store.read() as tx:
        doubtful = [each.id for each in connections.in_doubt(tx, post.channel_id)]
        waiting = [each.id for each in connections.queued(tx, post.channel_id)]
    assert doubtful == ([post.id] if state in (State.PUBLISHING, State.UNCONFIRMED) else [])
    assert waiting == ([post.id] if state is State.QUEUED else [])


def test_an_answer_on_what_is_seen_belongs_to_a_page_and_an_app(store: Store) -> None:
    channel = a_channel(store)
    said = Seen("no", "https://www.facebook.com/1_2", "ann@example.org", NOW)
    again = Seen("yes", said.permalink, "ben@example.org", LATER)
    with store.write() as tx:
        connections.keep_seen(tx, (channel.id, "1", "42"), said)
        connections.keep_seen(tx, (channel.id, "1", "42"), again)
    with store.read() as tx:
        assert connections.seen(tx, channel.id, "1", "42") == again
        assert connections.seen(tx, channel.id, "2", "42") is None
        assert connections.seen(tx, channel.id, "1", "43") is None


def test_only_a_post_of_the_page_itself_is_asked_about(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    behind_its_back(store, "UPDATE posts SET remote_id = '1_2', url = 'https://www.facebook.com/1_2'")
    with store.read() as tx:
        assert connections.latest_public(tx, post.channel_id, "1") is not None
        assert connections.latest_public(tx, post.channel_id, "11") is None
        assert connections.latest_public(tx, post.channel_id, "_") is None

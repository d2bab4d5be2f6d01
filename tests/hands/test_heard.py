"""What a channel told by itself, as rows: kept once, worked on once, its words forgotten; posts in doubt are asked for soon."""

from datetime import timedelta

from outreach.model import State
from outreach.reach import Learnt
from outreach.store import Store, heard, reached
from outreach.store.reached import Due
from tests.builders import NOW, a_channel, a_stored_post, column, seen

HOUR = timedelta(hours=1)


def keep(store: Store, name: str = "a", after: timedelta = timedelta()) -> bool:
    with store.write() as tx:
        return heard.keep(tx, 1, sha256=name * 64, body=f'{{"of": "{name}"}}', now=NOW + after)


def waiting(store: Store) -> list[str]:
    with store.read() as tx:
        return [each.body for each in heard.waiting(tx)]


def work_on_all(store: Store, after: timedelta = timedelta()) -> None:
    with store.write() as tx:
        for each in heard.waiting(tx):
            heard.done(tx, each, NOW + after)


def test_what_comes_is_kept_once_and_given_oldest_first(store: Store) -> None:
    a_channel(store)
    assert [keep(store, name) for name in ("b", "a", "b")] == [True, True, False]
    assert waiting(store) == ['{"of": "b"}', '{"of": "a"}']


def test_what_was_worked_on_is_known_when_it_comes_again_though_its_words_are_gone(store: Store) -> None:
    a_channel(store)
    keep(store)
    work_on_all(store)
    assert (waiting(store), keep(store)) == ([], False)
    assert column(store, "SELECT body FROM hook_events") == [""]


def test_only_what_was_worked_on_is_forgotten_and_only_after_a_week(store: Store) -> None:
    a_channel(store)
    keep(store, "a")
    work_on_all(store)
    keep(store, "b")
    with store.write() as tx:
        heard.forget_old(tx, NOW + 7 * 24 * HOUR)
    assert len(column(store, "SELECT id FROM hook_events")) == 2
    with store.write() as tx:
        heard.forget_old(tx, NOW + 7 * 24 * HOUR + HOUR)
    assert waiting(store) == ['{"of": "b"}']


def test_only_posts_in_doubt_on_that_channel_are_given(store: Store) -> None:
    doubtful = a_stored_post(store, State.UNCONFIRMED)
    a_stored_post(store, State.PUBLISHED)
    other = a_channel(store, "facebook-two")
    with store.read() as tx:
        assert [post.id for post in heard.in_doubt(tx, doubtful.channel_id)] == [doubtful.id]
        assert heard.in_doubt(tx, other.id) == []


def test_a_post_in_doubt_is_asked_for_now_also_when_nobody_looked_any_more(store: Store) -> None:
    post = a_stored_post(store, State.UNCONFIRMED)
    with store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET look_at = NULL")
        heard.look_soon(tx, post, NOW + HOUR)
    assert seen(store, post).look_at == NOW + HOUR


def test_a_post_that_was_decided_meanwhile_is_left_alone(store: Store) -> None:
    post = a_stored_post(store, State.UNCONFIRMED)
    with store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET state = 'cancelled', doubted_at = NULL, look_at = NULL")
        heard.look_soon(tx, post, NOW + HOUR)
    assert seen(store, post).look_at is None


def test_a_post_is_told_of_once(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    with store.write() as tx:
        assert not heard.is_told(tx, post.id)
        assert heard.tell(tx, post.id, now=NOW, evidence={"remote_id": "1_2"})
        assert not heard.tell(tx, post.id, now=NOW, evidence={"remote_id": "1_2"})
    assert column(store, "SELECT seen_by FROM sightings") == ["the channel"]


def test_posts_are_known_by_their_ids_on_their_own_channel(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    with store.read() as tx:
        assert heard.known_as(tx, post.channel_id, [str(post.remote_id), "9_9"]) == {post.remote_id: post.id}
        assert heard.known_as(tx, post.channel_id + 1, [str(post.remote_id)]) == {}


def test_whether_something_is_being_sent(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHING)
    with store.read() as tx:
        assert (heard.is_sending(tx, post.channel_id), heard.is_sending(tx, post.channel_id + 1)) == (True, False)


def test_figures_come_sooner_but_ten_minutes_lie_between(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    with store.write() as tx:
        reached.enrol(tx, post.channel_id, NOW)
        what = Due(post.id, post.channel_id, "1_2", NOW, NOW, is_there=True)
        reached.keep(tx, what, Learnt({"views": 1}, is_read=True), NOW)
        heard.ask_for_figures(tx, [post.id], NOW + timedelta(minutes=1))
        assert reached.due(tx, post.channel_id, NOW + timedelta(minutes=9), most=5) == []
        assert len(reached.due(tx, post.channel_id, NOW + timedelta(minutes=10), most=5)) == 1


def test_that_somebody_follows_is_on_record(store: Store) -> None:
    a_channel(store)
    with store.write() as tx:
        heard.note_following(tx, 1, ["name", "feed"], now=NOW, person="ann@example.org")
    assert column(store, "SELECT note FROM events WHERE kind = 'follow channel'") == ["name, feed"]

"""Pre-flights in the store: what a look found, told once; what is due soon; what each channel's check found."""

from datetime import timedelta

from sqlalchemy import text

from outreach.model import Move, Post, Problem
from outreach.store import Store, checks, history
from outreach.store.checks import Check
from tests.builders import NOW, a_stored_post, column, make, seen

GONE = Problem("The picture is gone.", "Put it there again.")
SOON = Problem("The token runs out in 20 days.", is_warning=True)
DAY = timedelta(hours=24)


def keep(store: Store, post: Post, *problems: Problem, minutes: int = 0) -> bool:
    with store.write() as tx:
        return checks.keep(tx, post, Check(NOW + timedelta(minutes=minutes), problems))


def told(store: Store, post: Post) -> list[tuple[str, object]]:
    with store.read() as tx:
        entries = history.of_post(tx, post.id)
    return [(entry["what"], entry["evidence"]) for entry in entries if entry["kind"] == "sighting"]


def standing(store: Store) -> dict[int, Check]:
    with store.read() as tx:
        return checks.standing(tx)


def test_the_latest_look_stands_on_the_post(store: Store) -> None:
    post = a_stored_post(store)
    assert standing(store) == {}
    assert keep(store, post, GONE, SOON)
    assert keep(store, post, SOON, minutes=5)
    assert standing(store) == {post.id: Check(NOW + timedelta(minutes=5), (SOON,))}
    assert column(store, "SELECT count(*) FROM checks") == [1]


def test_the_history_tells_only_what_is_new(store: Store) -> None:
    post = a_stored_post(store)
    for minute, problems in enumerate([(), (), (GONE, SOON), (GONE, SOON), ()]):
        keep(store, post, *problems, minutes=minute)
    assert told(store, post) == [
        ("pre-flight: all is well", {}),
        (
            "pre-flight",
            {"problems": ["The picture is gone. Put it there again.", "Warning: The token runs out in 20 days."]},
        ),
        ("pre-flight: all is well", {}),
    ]


def test_nothing_is_kept_of_a_post_that_is_not_queued_any_more(store: Store) -> None:
    post = a_stored_post(store)
    keep(store, post, GONE)
    make(store, post, Move.CANCEL)
    assert not keep(store, post)
    assert standing(store) == {}
    assert told(store, post) == [("pre-flight", {"problems": ["The picture is gone. Put it there again."]})]


def test_a_look_at_another_text_says_nothing_of_the_one_that_is_queued(store: Store) -> None:
    post = a_stored_post(store)
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET content_sha256 = 'another'"))
    assert not keep(store, post, GONE)
    assert standing(store) == {}


def test_what_is_due_soon_comes_with_its_look_and_its_last_revision(store: Store) -> None:
    later = a_stored_post(store, due_at=NOW + DAY)
    sooner = a_stored_post(store, channel="listserv", due_at=NOW + timedelta(hours=1))
    a_stored_post(store, due_at=NOW + DAY + timedelta(seconds=1))
    due = a_stored_post(store, due_at=NOW)
    make(store, a_stored_post(store, due_at=NOW + DAY), Move.CANCEL)
    keep(store, later, GONE)
    with store.read() as tx:
        found = checks.coming(tx, NOW + DAY, after=NOW)
        assert [each.post.id for each in checks.coming(tx, NOW + DAY)] == [due.id, sooner.id, later.id]
        assert [each.post.id for each in checks.of_posts(tx, [later.id])] == [later.id]
    assert [(each.post, each.check, each.revised_at) for each in found] == [
        (seen(store, sooner), None, NOW),
        (seen(store, later), Check(NOW, (GONE,)), NOW),
    ]


def test_what_a_channel_said_is_kept_until_it_says_something_else(store: Store) -> None:
    with store.write() as tx:
        assert checks.of_channel(tx, "facebook") is None
        checks.keep_of_channel(tx, "facebook", Check(NOW, (GONE, SOON)))
        checks.keep_of_channel(tx, "facebook", Check(NOW + DAY, (SOON,)))
        assert checks.of_channel(tx, "facebook") == Check(NOW + DAY, (SOON,))
        assert checks.of_channel(tx, "listserv") is None


def test_when_a_channel_runs_out_is_kept_as_an_instant_in_utc(store: Store) -> None:
    with store.write() as tx:
        checks.keep_expiry(tx, "facebook", NOW)
        assert checks.expiry(tx, "facebook") == NOW
    assert column(store, "SELECT value FROM meta WHERE key = 'expires facebook'") == ["2026-12-01T14:00:00+00:00"]
    with store.write() as tx:
        checks.keep_expiry(tx, "facebook", None)
        assert checks.expiry(tx, "facebook") is None

"""What the audit reads: everything newest first, page by page, filtered, and nothing of another community."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from outreach.lifecycle import Pause
from outreach.model import State
from outreach.store import Store, actions, channels, people, wellbeing
from outreach.store.actions import Page, Wanted
from tests.builders import NOW, a_stored_post, an_announcement, column

DAY = timedelta(days=1)


def told(store: Store, kind: str, *, person: str | None = "ann@example.org", days: int = 0) -> None:
    with store.write() as tx:
        people.tell(tx, kind, person=person, note=None, now=NOW + days * DAY)


def page(store: Store, most: int = 50, through: int = 100_000, **wanted: Any) -> Page:
    with store.read() as tx:
        return actions.page(tx, Wanted(**{"community": 1} | wanted), most=most, through=through)


def kinds(found: Page) -> list[str]:
    return [action.kind for action in found.actions]


def test_each_action_names_what_it_is_about(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED, by="ann@example.org", title="Poster session")
    told(store, "set roles")

    roles, publish, queue = page(store).actions

    assert (roles.post, roles.title, roles.person) == (None, None, "ann@example.org")
    assert (publish.kind, publish.post, publish.person) == ("publish", f"{post.announcement}/facebook", None)
    assert (queue.kind, queue.title, queue.channel) == ("queue", "Poster session", "facebook")


def test_pages_hang_together_without_a_gap(store: Store) -> None:
    for number in range(7):
        told(store, f"n{number}")

    first = page(store, most=3)
    second = page(store, most=3, before=first.before)
    third = page(store, most=3, before=second.before)

    assert kinds(first) + kinds(second) + kinds(third) == [f"n{n}" for n in (6, 5, 4, 3, 2, 1, 0)]
    assert third.before is None


def test_what_comes_meanwhile_does_not_move_a_page(store: Store) -> None:
    for number in range(4):
        told(store, f"n{number}")
    first = page(store, most=2)

    told(store, "new")

    assert kinds(page(store, most=2, before=first.before)) == ["n1", "n0"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"person": "ben@example.org"}, ["b"]),
        ({"person": "-"}, ["c"]),
        ({"kind": "a"}, ["a"]),
        ({"since": NOW + DAY}, ["c", "b"]),
        ({"until": NOW + DAY}, ["a"]),
        ({"since": NOW + DAY, "until": NOW + 2 * DAY}, ["b"]),
        ({"kind": "' OR 1=1 --"}, []),
        ({"before": 10**14}, ["c", "b", "a"]),
        ({"before": 0}, []),
    ],
)
def test_actions_are_filtered(store: Store, wanted: dict[str, Any], expected: list[str]) -> None:
    told(store, "a")
    told(store, "b", person="ben@example.org", days=1)
    told(store, "c", person=None, days=2)

    assert kinds(page(store, **wanted)) == expected


def test_what_is_rare_is_found_further_back(store: Store) -> None:
    told(store, "rare")
    for _ in range(5):
        told(store, "often")

    first = page(store, through=3, kind="rare")
    second = page(store, through=3, kind="rare", before=first.before)

    assert (kinds(first), first.is_cut) == ([], True)
    assert (kinds(second), second.is_cut, second.before) == (["rare"], False, None)


def test_another_community_sees_what_is_of_the_install_and_nothing_of_this_one(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED)
    an_announcement(store, on=())
    told(store, "set roles")
    with store.write() as tx:
        channels.pause(tx, post.channel_id, Pause("The token ended.", None), now=NOW)

    assert kinds(page(store, community=2)) == ["set roles"]
    assert kinds(page(store)) == ["pause channel", "set roles", "draft", "publish", "queue"]


def test_how_a_channel_is_costs_the_same_however_long_its_history_is(sqlite_store: Store) -> None:
    post = a_stored_post(sqlite_store, State.FAILED)
    with sqlite_store.write() as tx:
        tx.execute(
            text(
                "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at, ended_at, outcome, channel_id)"
                " WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                " SELECT 1, i, 'w', 'x', :now - i, :now - i, 'refused', 1 FROM n"
            ),
            {"now": int(NOW.timestamp()) * 1_000_000},
        )
    with sqlite_store.read() as tx:
        found = wellbeing.of_channel(tx, post.channel_id, "facebook", NOW)
        plan = tx.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT a.ended_at FROM attempts a WHERE a.channel_id = 1 AND a.ended_at IS NOT NULL"
                " ORDER BY a.started_at DESC LIMIT 200"
            )
        ).all()

    assert found.in_hour == 10_000
    assert found.last_good is None
    assert column(sqlite_store, "SELECT count(*) FROM attempts") == [20_000]
    assert "USING INDEX of_channel" in plan[0][3]

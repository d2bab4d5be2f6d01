"""Long lists in parts: nothing is left out and nothing comes twice, however the list grows meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.lifecycle import OPEN
from outreach.model import Move
from outreach.store import Store, slices
from tests.api.conftest import Program
from tests.api.test_verbs import kind, queued
from tests.builders import NOW, a_channel, a_stored_post, make


def every_part(program: Program, path: str, **params: Any) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        part = program.get(path, **params | ({"cursor": cursor} if cursor else {})).json()
        found += [post["id"] for post in part["posts"]]
        cursor = part["next"]
        if cursor is None:
            return found


def test_the_queue_comes_in_parts_next_due_first(ann: Program) -> None:
    for number in range(3):
        queued(ann, title=f"Colloquium {number}", at=f"2026-12-0{9 - number} 09:00")
    whole = [post["id"] for post in ann.get("/queue").json()["posts"]]
    assert whole[0].startswith("3/")
    assert every_part(ann, "/queue", limit=1) == every_part(ann, "/queue", limit=4) == whole
    assert len(whole) == 6


def test_what_is_queued_between_two_parts_shifts_nothing(ann: Program) -> None:
    for number in range(2):
        queued(ann, title=f"Colloquium {number}", at=f"2026-12-0{5 + number} 09:00", to=["facebook"])
    first = ann.get("/queue", limit=1).json()
    queued(ann, title="Earlier", at="2026-12-02 09:00", to=["facebook"])
    second = ann.get("/queue", limit=1, cursor=first["next"]).json()
    assert [p["id"] for p in first["posts"] + second["posts"]] == ["1/facebook", "2/facebook"]


def test_the_history_comes_in_parts_with_its_filters(ann: Program, house: House) -> None:
    for number in range(3):
        queued(ann, title=f"Colloquium {number}", at=f"2026-12-0{5 + number} 09:00")
        ann.post(f"/announcements/{number + 1}/cancel", {"channel": "facebook"})
    assert every_part(ann, "/history", limit=2) == ["3/facebook", "2/facebook", "1/facebook"]
    assert every_part(ann, "/history", state="cancelled", channel="facebook", search="colloquium 1") == ["2/facebook"]
    since, until = "2026-12-06T00:00:00Z", "2026-12-07T00:00:00Z"
    assert every_part(ann, "/history", since=since, until=until) == ["2/facebook"]
    for wrong in ({"state": "sent"}, {"since": "2026-12-06T00:00:00"}, {"since": "0.5"}, {"limit": 0}, {"limit": 201}):
        assert kind(ann.get("/history", **wrong)) == (422, "bad-input"), wrong


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MTcwMDAwMDAwMC4xLmRlYWRiZWVm"])
def test_a_cursor_that_was_not_given_out_is_refused(ann: Program, cursor: str) -> None:
    assert kind(ann.get("/queue", cursor=cursor)) == (422, "bad-input")


def test_a_cursor_is_of_one_list(ann: Program) -> None:
    queued(ann)
    goes_on = ann.get("/queue", limit=1).json()["next"]
    assert kind(ann.get("/history", cursor=goes_on)) == (422, "bad-input")


def test_slices_follow_each_other_on_each_database(store: Store) -> None:
    community = a_channel(store).community_id
    made = [a_stored_post(store, title=f"Post {n}", due_at=NOW + timedelta(hours=n // 2)) for n in range(5)]
    for post in made[:3]:
        make(store, post, Move.MISS)
    with store.read() as tx:
        first = slices.open_after(tx, community, None, most=2)
        rest = slices.open_after(tx, community, (first[-1].due_at, first[-1].id), most=9)
        elsewhere = slices.open_after(tx, community + 1, None, most=9)
    assert [p.id for p in first + rest] == [p.id for p in made]
    assert elsewhere == []
    assert {p.state for p in first + rest} <= OPEN

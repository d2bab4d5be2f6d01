"""Several drafts in one mail: with an index, each whole, and none of them left to be sent a second time."""

import pytest

from outreach.bootstrap import House
from outreach.model import BadInput, Letter
from outreach.store import history


def draft(house: House, title: str, body: str = "Its text.", **more: str) -> int:
    return house.desk.save_draft(Letter(title, body, **more), person="ann@example.org").number  # type: ignore[arg-type]


def test_drafts_become_one_for_the_list_with_an_index(house: House) -> None:
    first = draft(house, "A *talk*", "On Friday.", link="https://example.org/talk")
    second = draft(house, "Welcome", "Ben is new here.")
    saved = house.desk.collate([second, first], title="News of the week", person="ann@example.org")
    letter = house.desk.letter_of(saved.number)
    assert (letter.title, letter.to) == ("News of the week", ("listserv",))
    assert letter.body == (
        "**In this mail**\n\n1. Welcome\n2. A \\*talk\\*\n\n## 1. Welcome\n\nBen is new here.\n\n"
        "## 2. A \\*talk\\*\n\nOn Friday.\n\n<https://example.org/talk>"
    )
    assert [row["id"] for row in house.desk.drafts()] == [saved.number]
    with house.store.read() as tx:
        told = history.of_announcement(tx, saved.number)
    assert [entry["note"] for entry in told if entry["kind"] == "draft"] == [f"collated of {second}, {first}"]


def test_without_a_title_it_has_the_day(house: House) -> None:
    saved = house.desk.collate([draft(house, "A"), draft(house, "B")])
    assert house.desk.letter_of(saved.number).title.startswith("News of TMM SIG, ")
    assert ":" not in house.desk.letter_of(saved.number).title


def test_what_cannot_be_collated_is_refused_and_nothing_is_lost(house: House) -> None:
    only, empty = draft(house, "A"), draft(house, "", "")
    out = house.desk.add(Letter("Queued", "Its text.", at="2035-01-15 09:00"), folder=house.media).announcement
    for chosen in ([only], [only, only], [only, empty], [only, out], [only, 99], list(range(1, 40))):
        with pytest.raises(BadInput):
            house.desk.collate(chosen)
    assert {row["id"] for row in house.desk.drafts()} == {only, empty}

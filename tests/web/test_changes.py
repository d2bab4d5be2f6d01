"""What changed between two revisions, as a page shows it."""

import pytest

from outreach.doors.web.changes import of_letters, of_revisions

LETTER = "---\ntitle: Poster session\nto: [facebook]\nat: 2026-12-01 09:00\n---\nCome to room 7.\n"


def test_a_letter_is_compared_part_by_part_and_what_stayed_is_left_out() -> None:
    after = LETTER.replace("room 7", "room 9").replace("09:00", "10:00")
    assert [difference.part for difference in of_letters(LETTER, after)] == ["Time", "Text"]
    assert of_letters(LETTER, LETTER) == ()


def test_what_is_no_letter_is_compared_as_one_text() -> None:
    [difference] = of_letters("not a letter", "---\nbroken: [")
    assert difference.part == "Text"


def test_of_a_long_text_only_what_is_around_a_change_is_shown() -> None:
    body = "word " * 400
    before = LETTER.replace("Come", f"{body}Come", 1)
    [difference] = of_letters(before, before.replace("room 7", "room 9"))
    assert len("".join(part.text for part in difference.parts)) < 250


@pytest.mark.parametrize("texts", [[], ["a"]])
def test_the_first_revision_changed_nothing(texts: list[str]) -> None:
    assert of_revisions(texts)[: len(texts)] == [()] * len(texts)

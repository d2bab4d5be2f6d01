"""What changed, word by word: nothing is lost of either text, and no text however long or odd holds a page up."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.doors.web.changes import Piece, of_letters, of_revisions, words


def test_only_the_words_that_changed_are_marked() -> None:
    assert words("Come to room 7 at noon.", "Come to room 9 at noon.") == (
        Piece("same", "Come to room "),
        Piece("went", "7"),
        Piece("came", "9"),
        Piece("same", " at noon."),
    )


def test_words_beside_each_other_are_one_change() -> None:
    assert words("one two end", "uno dos end") == (
        Piece("went", "one two"),
        Piece("came", "uno dos"),
        Piece("same", " end"),
    )


@given(st.text(alphabet="ab \n.", max_size=60), st.text(alphabet="ab \n.", max_size=60))
def test_both_texts_can_be_read_from_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "came") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "went") == after


def test_a_long_text_is_compared_by_lines_and_a_huge_one_as_a_whole() -> None:
    lines = [f"line {n} of many words here" for n in range(900)]
    pieces = words("\n".join(lines), "\n".join([*lines, "one more"]))
    assert [piece.kind for piece in pieces] == ["same", "went", "came"]
    began = time.perf_counter()
    pieces = words("a b " * 50_000, "b a\n" * 50_000)
    assert [piece.kind for piece in pieces] == ["went", "came"]
    assert time.perf_counter() - began < 5


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
    assert len("".join(piece.text for piece in difference.pieces)) < 250


@pytest.mark.parametrize("texts", [[], ["a"]])
def test_the_first_revision_changed_nothing(texts: list[str]) -> None:
    assert of_revisions(texts)[: len(texts)] == [()] * len(texts)

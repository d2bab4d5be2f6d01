"""The difference between two texts, word by word: it loses nothing, is quick, and reads as a person would tell it."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.difference import Part, between, counted

TEXT = st.text(st.sampled_from("ab .,\n’é"), max_size=60)


def told(before: str, after: str) -> str:
    marks = {"same": "{}", "out": "[-{}-]", "in": "[+{}+]"}
    return "".join(marks[part.kind].format(part.text) for part in between(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Room 7 at noon.", "Room 7 at noon.", "Room 7 at noon."),
        ("Room 7 at noon.", "Room 8 at noon.", "Room [-7-][+8+] at noon."),
        ("Please come.", "Please do come.", "Please [+do +]come."),
        ("Please do come.", "Please come.", "Please [-do -]come."),
        ("in room seven today", "in hall nine today", "in [-room seven-][+hall nine+] today"),
        ("", "New.", "[+New.+]"),
        ("Old.", "", "[-Old.-]"),
        ("", "", ""),
        ("One\n\nTwo\n", "One\n\nTwo\n\nThree\n", "One\n\nTwo\n[+\nThree\n+]"),
        ("Old\n\nold end", "New\n\nnew end", "[-Old-][+New+]\n\n[-old-][+new+] end"),
        ("Don’t come", "Do come", "[-Don’t-][+Do+] come"),
    ],
)
def test_it_tells_which_words_changed(before: str, after: str, expected: str) -> None:
    assert told(before, after) == expected


def test_a_line_that_only_breaks_elsewhere_is_no_difference() -> None:
    assert told("One two\nthree four\nfive", "One two three\nfour five") == "One two three\nfour five"


def test_a_paragraph_that_begins_elsewhere_is_one() -> None:
    assert "[" in told("One. Two.", "One.\n\nTwo.")


@given(TEXT, TEXT)
def test_nothing_is_lost(before: str, after: str) -> None:
    parts = between(before, after)
    assert "".join(part.text for part in parts if part.kind != "out") == after
    old = "".join(part.text for part in parts if part.kind != "in")
    assert old.split() == before.split()
    assert all(a.kind != b.kind for a, b in pairwise(parts))


def test_words_are_counted_and_not_their_points() -> None:
    assert counted([Part("in", "two words, "), Part("out", "one!"), Part("same", "rest")]) == (2, 1)


@pytest.mark.parametrize("unit", ["word{} ", "line {}\n", "x", "\n"])
def test_the_longest_texts_take_no_long_time(unit: str) -> None:
    before = "".join(unit.format(n) for n in range(20_000))
    after = "".join(unit.format(n * 7 % 20_011) for n in range(20_000)) + "end"
    began = time.perf_counter()
    between(before, after)
    assert time.perf_counter() - began < 5

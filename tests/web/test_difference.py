"""The difference between two texts: nothing of either is missing from it, however long they are."""

from hypothesis import given
from hypothesis import strategies as st

from outreach.doors.web.difference import Part, difference

TEXTS = st.text(st.sampled_from("ab \n"), max_size=60)


def test_it_is_told_word_by_word() -> None:
    assert difference("Come to room 7.", "Come to hall 7.") == [
        Part("same", "Come to "),
        Part("del", "room"),
        Part("ins", "hall"),
        Part("same", " 7."),
    ]


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_it(first: str, second: str) -> None:
    parts = difference(first, second)
    assert "".join(p.text for p in parts if p.kind != "ins") == first
    assert "".join(p.text for p in parts if p.kind != "del") == second


def test_long_texts_are_compared_line_by_line_and_huge_ones_as_wholes() -> None:
    long = "\n".join("a b c d" for _ in range(1000))
    huge = "\n".join("a b c d" for _ in range(9000))

    assert [p.kind for p in difference(long, long + "\nend")] == ["same", "del", "ins"]
    assert [p.kind for p in difference(huge, huge + "\nend")] == ["del", "ins"]
    assert [p.kind for p in difference(huge, huge)] == ["same"]

"""What people say of a list: read from any door, and what follows from it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.list_habits import ListHabits, concern_about_size, read_habits
from outreach.model import BadInput


def test_what_is_said_is_read_and_the_rest_is_open() -> None:
    given = {"dedupe": "body", "own_copy": "no", "moderated": "yes", "lead_h": "1.5", "size_kb": ""}
    found = read_habits(given)
    assert found == ListHabits("body", False, True, 1.5, None)
    assert found.lead == timedelta(minutes=90)
    assert found.in_words() == "dedupe body, own copy False, moderated True, lead h 1.5"
    assert read_habits(found.laid_out()) == found
    assert read_habits({}) == ListHabits()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"dedupe": "colour"}, "dedupe"),
        ({"own_copy": "perhaps"}, "own_copy"),
        ({"lead_h": "-1"}, "lead_h"),
        ({"lead_h": "337"}, "lead_h"),
        ({"lead_h": "nan"}, "lead_h"),
        ({"size_kb": "many"}, "size_kb"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(given: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_habits(given)
    assert refused.value.where == where


@given(st.dictionaries(st.sampled_from(ListHabits.__slots__), st.text() | st.none() | st.booleans()))
def test_anything_is_read_or_refused(given: dict[str, Any]) -> None:
    try:
        found = read_habits(given)
    except BadInput:
        return
    assert read_habits(found.laid_out()) == found


def test_what_a_person_said_of_a_moderator_outweighs_the_settings() -> None:
    short, long = timedelta(minutes=30), timedelta(hours=72)
    assert ListHabits().unseen_after(short) == short
    assert ListHabits(moderated=True).unseen_after(short) == long
    assert ListHabits(moderated=False).unseen_after(long) == short


def test_a_mail_that_is_too_long_is_a_concern() -> None:
    assert concern_about_size(ListHabits(size_kb=1), 1024) is None
    assert str(concern_about_size(ListHabits(size_kb=1), 1500)).startswith("The mail has 1.5 KB; the list takes 1 KB")
    assert concern_about_size(ListHabits(), 10**9) is None

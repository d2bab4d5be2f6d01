"""When figures are asked for, which of them are kept, how they are said, and what too few posts tell."""

from datetime import timedelta

import pytest

from outreach.reach import Summary, in_words, next_ask, slot_of, summed_up
from tests.builders import NOW


@pytest.mark.parametrize(
    ("age", "step"),
    [
        (timedelta(), timedelta(hours=1)),
        (timedelta(hours=47), timedelta(hours=1)),
        (timedelta(days=2), timedelta(days=1)),
        (timedelta(days=27, hours=23), timedelta(days=1)),
        (timedelta(days=28), timedelta(days=7)),
        (timedelta(days=89), timedelta(days=7)),
        (timedelta(days=90), None),
        (timedelta(days=900), None),
        (-timedelta(hours=3), timedelta(hours=1)),  # a clock that was set back
    ],
)
def test_it_is_asked_hourly_then_daily_then_weekly_then_never(age: timedelta, step: timedelta | None) -> None:
    assert next_ask(NOW, NOW + age) == (NOW + age + step if step else None)


def test_a_post_is_asked_about_fewer_than_a_hundred_times() -> None:
    at, asked = NOW, 0
    while (later := next_ask(NOW, at)) is not None:
        at, asked = later, asked + 1
    assert asked == 48 + 26 + 9


@pytest.mark.parametrize(
    ("age", "begins"),
    [
        (timedelta(minutes=59), timedelta()),
        (timedelta(minutes=61), timedelta(hours=1)),
        (timedelta(days=3, hours=5), timedelta(days=3)),
        (timedelta(days=40), timedelta(days=35)),
        (timedelta(days=100), timedelta(days=98)),
    ],
)
def test_one_number_is_kept_of_each_hour_day_and_week(age: timedelta, begins: timedelta) -> None:
    assert slot_of(NOW, NOW + age) == NOW + begins


def test_figures_are_said_in_a_phrase_most_telling_first() -> None:
    values = {"comments": 2, "reactions": 8, "reached": 1120, "views": 0, "shares": 1, "reactions/like": 8}
    assert in_words(values) == "1,120 people reached, 8 reactions, 2 comments, 1 share"
    assert in_words({"reactions": 0}) == "nobody reacted so far"
    assert in_words({}) == ""


def test_a_group_of_few_posts_tells_nothing_and_comes_last() -> None:
    many = [("talk", value) for value in (1, 2, 3, 4, 100)]
    found = summed_up([("poster", 1000)] * 4 + many)
    assert list(found) == ["talk", "poster"]
    assert found["talk"] == Summary(5, 3.0, 110)
    assert (found["talk"].is_enough, found["poster"].is_enough) == (True, False)

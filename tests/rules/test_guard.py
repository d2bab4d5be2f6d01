"""The clock guard: a jump of the wall clock is noticed once, and what is small and slow is let pass."""

from datetime import timedelta

import pytest

from outreach.guard import ClockGuard, Mark, sentence
from tests.builders import NOW


def test_a_clock_that_goes_on_with_the_steady_one_does_not_jump() -> None:
    guard = ClockGuard(NOW, 100.0)

    assert guard.jump(NOW + timedelta(days=3), 100.0 + 3 * 86400) is None


@pytest.mark.parametrize("hours", [1, -1, 24 * 365, -24 * 365 * 57])
def test_a_jump_is_told_with_its_length_until_it_is_accepted(hours: int) -> None:
    guard = ClockGuard(NOW, 100.0)
    jumped = NOW + timedelta(hours=hours)

    assert [guard.jump(jumped, 100.0) for _ in range(2)] == [timedelta(hours=hours)] * 2
    guard.accept(jumped, 100.0)
    assert guard.jump(jumped + timedelta(seconds=5), 105.0) is None


@pytest.mark.parametrize("minutes", [9, -9])
def test_a_step_of_some_minutes_is_no_jump(minutes: int) -> None:
    guard = ClockGuard(NOW, 100.0)

    assert guard.jump(NOW + timedelta(minutes=minutes), 100.0) is None


def test_steps_of_some_minutes_add_up_to_a_jump() -> None:
    guard = ClockGuard(NOW, 100.0)

    assert guard.jump(NOW + timedelta(minutes=6), 100.0) is None
    assert guard.jump(NOW + timedelta(minutes=12), 100.0) == timedelta(minutes=12)


def test_a_drift_of_seconds_is_forgotten() -> None:
    guard = ClockGuard(NOW, 0.0)

    for day in range(1, 101):
        assert guard.jump(NOW + day * timedelta(days=1, seconds=10), day * 86400.0) is None


def test_a_machine_that_slept_has_not_jumped() -> None:
    assert Mark(NOW, 100.0).ahead(NOW + timedelta(hours=8), 100.0 + 8 * 3600) == timedelta(0)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(hours=1), "jumped forward by 60 minutes,"),
        (timedelta(hours=-1), "jumped back by 60 minutes,"),
        (timedelta(hours=30), "jumped forward by 30 hours,"),
        (timedelta(days=365), "jumped forward by 365 days,"),
    ],
)
def test_the_sentence_says_which_way_and_how_far(ahead: timedelta, words: str) -> None:
    assert words in sentence(ahead)
    assert "outreach safe-mode off" in sentence(ahead)

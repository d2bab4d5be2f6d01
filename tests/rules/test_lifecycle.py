"""The life of a post: every move from every state, what each answer leads to, and how long is waited."""

import math
import typing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import model
from outreach.lifecycle import (
    AT_REST,
    MOVES,
    OPEN,
    Pause,
    Verdict,
    back_off,
    breaker_pause,
    diagram,
    invariants,
    is_legal,
    judge,
    may_absolve,
    next_look,
    status,
)
from outreach.model import Blocked, Move, Outcome, Published, Refused, State, Unauthorized, Unavailable, Unconfirmed
from tests.builders import NOW, a_post

WINDOW = (30, 120, 300, 900)

# One row for each move: where it may start, and where it ends.
TABLE = {
    "claim": ("queued", "publishing"),
    "publish": ("publishing", "published"),
    "defer": ("publishing", "queued"),
    "fail": ("publishing", "failed"),
    "doubt": ("publishing", "unconfirmed"),
    "confirm": ("unconfirmed", "published"),
    "absolve": ("unconfirmed", "queued"),
    "hold": ("published", "held"),
    "release": ("held", "published"),
    "refuse": ("published held unconfirmed", "failed"),
    "miss": ("queued", "missed"),
    "cancel": ("queued missed failed", "cancelled"),
    "requeue": ("failed missed unconfirmed", "queued"),
    "retract": ("published held", "retracted"),
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(Move))
def test_a_move_is_legal_from_the_states_of_the_table_and_no_other(move: Move, state: State) -> None:
    starts, end = TABLE[move]

    assert is_legal(move, state) == (str(state) in starts.split())
    assert MOVES[move][1] == end


def test_every_move_has_one_row_and_every_state_can_be_reached() -> None:
    assert {str(move) for move in MOVES} == set(TABLE)
    assert {"queued"} | {end for _, end in TABLE.values()} == {str(state) for state in State}


def test_nothing_that_went_out_goes_back_to_the_queue_but_by_a_person() -> None:
    back = {str(move) for move, (_, end) in MOVES.items() if end is State.QUEUED}

    assert back == {"defer", "absolve", "requeue"}
    assert not any(is_legal(move, State.PUBLISHED) for move in (Move.DEFER, Move.ABSOLVE, Move.REQUEUE))


def test_nothing_leaves_cancelled_or_retracted() -> None:
    assert not [move for move in Move if is_legal(move, State.CANCELLED) or is_legal(move, State.RETRACTED)]


def test_a_post_is_open_or_at_rest_and_never_both() -> None:
    assert not AT_REST & OPEN - {State.MISSED}
    assert set(State) == AT_REST | OPEN


# What an answer leads to


def test_what_was_accepted_is_published_with_its_ids() -> None:
    verdict = judge(a_post(attempt=1), Published("1_2", "https://fb.com/1", "<1@x>", {"code": 200}), NOW)

    assert verdict == Verdict(Move.PUBLISH, remote_id="1_2", url="https://fb.com/1", message_id="<1@x>")


def test_what_was_refused_after_an_earlier_doubt_is_in_doubt_again() -> None:
    verdict = judge(a_post(attempt=2, doubtful_since=NOW), Refused("Too long."), NOW)
    assert verdict == Verdict(Move.DOUBT, "Too long. An earlier try may be out all the same.")


def test_a_channel_that_asks_for_a_rest_gets_it_and_the_post_is_out() -> None:
    until = NOW + timedelta(minutes=7)
    verdict = judge(a_post(attempt=1), Published("1_2", rest_until=until), NOW)
    assert (verdict.move, verdict.pause) == (Move.PUBLISH, Pause("The channel's limit is nearly reached.", until))


@pytest.mark.parametrize(("failures", "minutes"), [(9, None), (10, 5), (11, 10), (13, 40), (14, 60), (500, 60)])
def test_the_rest_of_a_failing_channel_grows(failures: int, minutes: int | None) -> None:
    expected = None if minutes is None else timedelta(minutes=minutes)
    assert breaker_pause(failures, most=10) == expected
    assert breaker_pause(failures, most=0) is None


def test_what_was_refused_failed_with_the_reason() -> None:
    assert judge(a_post(attempt=1), Refused("Too long."), NOW) == Verdict(Move.FAIL, "Too long.")


def test_what_could_not_be_sent_waits_for_another_try() -> None:
    verdict = judge(a_post(id=7, attempt=1), Unavailable("No answer."), NOW)

    assert verdict == Verdict(Move.DEFER, "No answer.", due_at=NOW + back_off(1, key="7"))


def test_the_channels_own_wish_is_waited_for_when_it_is_longer() -> None:
    verdict = judge(a_post(attempt=1), Unavailable("Wait an hour.", retry_after_s=3600), NOW)

    assert verdict.due_at == NOW + timedelta(hours=1)


def test_a_channel_that_lets_nobody_in_is_paused_until_a_person_acts_and_the_post_stays_due() -> None:
    verdict = judge(a_post(attempt=3), Unauthorized("The token ended."), NOW)

    assert verdict == Verdict(Move.DEFER, "The token ended.", due_at=NOW, pause=Pause("The token ended.", None))


@pytest.mark.parametrize("until", [None, NOW + timedelta(hours=1)])
def test_a_channel_that_restricts_us_is_paused_and_the_post_stays_due(until: datetime | None) -> None:
    verdict = judge(a_post(attempt=1), Blocked("Too many posts.", until), NOW)

    assert verdict == Verdict(Move.DEFER, "Too many posts.", due_at=NOW, pause=Pause("Too many posts.", until))


def test_what_may_be_out_is_unconfirmed() -> None:
    assert judge(a_post(attempt=1), Unconfirmed("Reset."), NOW) == Verdict(Move.DOUBT, "Reset.")


OUTCOMES = st.one_of(
    st.builds(Published, st.text(), st.text(), st.text()),
    st.builds(Refused, st.text()),
    st.builds(Unavailable, st.text(), st.none() | st.floats()),
    st.builds(Unauthorized, st.text()),
    st.builds(Blocked, st.text(), st.none() | st.datetimes(timezones=st.just(UTC))),
    st.builds(Unconfirmed, st.text()),
)


@given(OUTCOMES, st.integers(0, 10_000), st.integers(1, 2**62))
def test_every_answer_leads_to_a_move_that_is_legal_for_what_is_being_published(
    outcome: Outcome, attempt: int, post_id: int
) -> None:
    verdict = judge(a_post(id=post_id, attempt=attempt, state=State.PUBLISHING), outcome, NOW)

    assert is_legal(verdict.move, State.PUBLISHING)
    assert (verdict.due_at is not None) == (verdict.move is Move.DEFER)
    assert judge(a_post(id=post_id, attempt=attempt, state=State.PUBLISHING), outcome, NOW) == verdict


def test_every_kind_of_outcome_is_tried_above() -> None:
    assert set(typing.get_args(model.Outcome)) == {
        Published,
        Refused,
        Unavailable,
        Unauthorized,
        Blocked,
        Unconfirmed,
    }


# How long is waited


@pytest.mark.parametrize(
    ("attempt", "least_s", "most_s"),
    [(0, 22.5, 30), (1, 22.5, 30), (2, 45, 60), (3, 90, 120), (6, 720, 960), (7, 1350, 1800), (1000, 1350, 1800)],
)
def test_the_wait_doubles_from_half_a_minute_to_half_an_hour(attempt: int, least_s: float, most_s: float) -> None:
    waits = [back_off(attempt, key=str(key)).total_seconds() for key in range(200)]

    assert least_s <= min(waits) < max(waits) <= most_s


@given(st.text(), st.integers(1, 6))
def test_the_wait_grows_until_it_reaches_the_cap(key: str, attempt: int) -> None:
    assert back_off(attempt, key=key) < back_off(attempt + 1, key=key)


@given(st.text(), st.integers(-5, 10**9), st.floats() | st.floats(0, 100_000))
def test_the_wait_is_never_shorter_than_the_channels_wish_and_always_the_same(
    key: str, attempt: int, wish_s: float
) -> None:
    wait = back_off(attempt, key=key, at_least_s=wish_s)

    assert timedelta(seconds=22.5) <= wait <= timedelta(days=1)
    assert math.isnan(wish_s) or wait >= timedelta(seconds=max(0.0, min(wish_s, 86400)))
    assert wait == back_off(attempt, key=key, at_least_s=wish_s)


def test_the_channels_wish_may_be_longer_than_the_cap() -> None:
    assert back_off(1, key="7", at_least_s=7200) == timedelta(hours=2)


@pytest.mark.parametrize("wish_s", [1e300, math.inf, 86401.0])
def test_no_wish_of_a_channel_is_followed_for_more_than_a_day(wish_s: float) -> None:
    assert back_off(1, key="7", at_least_s=wish_s) == timedelta(days=1)


def test_two_posts_do_not_march_in_step() -> None:
    assert len({back_off(1, key=str(post_id)) for post_id in range(50)}) == 50


# Looking for what may be out


@pytest.mark.parametrize(("looks", "after_s"), [(0, 30), (1, 120), (2, 300), (3, 900)])
def test_each_look_has_its_time_after_the_doubt(looks: int, after_s: int) -> None:
    assert next_look(looks, doubted_at=NOW, look_after_s=WINDOW) == NOW + timedelta(seconds=after_s)


@pytest.mark.parametrize("looks", [4, 5, 100])
def test_there_is_no_look_after_the_window(looks: int) -> None:
    assert next_look(looks, doubted_at=NOW, look_after_s=WINDOW) is None


@pytest.mark.parametrize(
    ("looks", "clean", "window", "expected"),
    [
        (4, 4, WINDOW, True),
        (4, 2, WINDOW, True),
        (4, 1, WINDOW, False),  # one list that reached back is no proof
        (4, 0, WINDOW, False),
        (3, 3, WINDOW, False),  # the window is not over
        (1, 1, (30,), True),
        (1, 0, (30,), False),
        (0, 0, (), False),  # never looked: never absent
        (5, 5, (), False),
    ],
)
def test_a_post_is_absent_only_after_the_whole_window_with_two_clean_looks(
    looks: int, clean: int, window: tuple[int, ...], expected: bool
) -> None:
    assert may_absolve(looks=looks, clean_looks=clean, look_after_s=window) is expected


# How an announcement stands


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("", "draft"),
        ("queued", "queued"),
        ("queued queued", "queued"),
        ("queued cancelled", "queued"),
        ("queued published", "partly published"),
        ("queued retracted", "queued"),
        ("publishing", "publishing"),
        ("publishing queued published", "publishing"),
        ("published", "published"),
        ("published published", "published"),
        ("published cancelled", "published"),
        ("published retracted", "partly published"),
        ("retracted", "retracted"),
        ("retracted cancelled", "retracted"),
        ("cancelled", "cancelled"),
        ("unconfirmed", "needs a person"),
        ("held published", "needs a person"),
        ("missed queued", "needs a person"),
        ("failed publishing", "needs a person"),
        ("failed published cancelled", "needs a person"),
    ],
)
def test_the_status_of_an_announcement_is_derived_from_its_posts(states: str, expected: str) -> None:
    assert status(State(state) for state in states.split()) == expected


@given(st.lists(st.sampled_from(list(State))))
def test_the_status_does_not_depend_on_the_order_of_the_posts(states: list[State]) -> None:
    assert status(states) == status(reversed(states))


# Drawing and doctor


def test_the_diagram_shows_every_move_from_every_start() -> None:
    lines = diagram().splitlines()

    assert lines[:2] == ["stateDiagram-v2", "    [*] --> queued"]
    assert set(lines[2:]) == {
        f"    {start} --> {end}: {move}" for move, (starts, end) in TABLE.items() for start in starts.split()
    }
    assert len(lines) == 23


ROW = {"state": "queued", "worker": None, "remote_id": None, "message_id": None, "url": None, "reason": None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"state": "publishing", "worker": "w"}, []),
        ({"state": "publishing"}, ["a worker is named if and only if the post is publishing"]),
        ({"worker": "w"}, ["a worker is named if and only if the post is publishing"]),
        ({"state": "published", "message_id": "<1@x>"}, []),
        ({"state": "published"}, ["published without evidence"]),
        ({"state": "failed"}, ["failed without a reason"]),
        ({"state": "missed"}, ["missed without a reason"]),
        ({"state": "unconfirmed"}, ["unconfirmed without a reason"]),
        ({"state": "unconfirmed", "reason": "Reset."}, []),
    ],
)
def test_what_cannot_be_true_of_a_row_is_named(changes: dict[str, str], expected: list[str]) -> None:
    assert invariants(ROW | changes) == expected

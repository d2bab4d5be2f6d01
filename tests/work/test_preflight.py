"""Pre-flight: what a post needs is found out at its three stages without publishing anything, and stands on the post."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from outreach.channels import Channel
from outreach.model import Content, Post, Problem, State
from outreach.store import Store, checks, safety
from outreach.store.safety import Cause
from outreach.watch.preflight import Preflight, stage_begin
from tests.builders import (
    NOW,
    SettableClock,
    a_channel,
    a_stored_post,
    column,
    pause,
    require_approval,
    seen,
    take,
)

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


class Told:
    """A channel that says what it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.of_all: list[Problem] | Exception = []
        self.of_one: list[Problem] | Exception = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.runs_out: dict[str, Any] = {}
        self.asked = 0
        self.looked_at: list[Content] = []

    def check(self) -> list[Problem]:
        self.asked += 1
        if isinstance(self.of_all, Exception):
            raise self.of_all
        return self.of_all

    def check_content(self, content: Content) -> list[Problem]:
        self.looked_at.append(content)
        self.meanwhile()
        if isinstance(self.of_one, Exception):
            raise self.of_one
        return self.of_one

    def expires(self) -> dict[str, Any]:
        return self.runs_out


@pytest.fixture
def told() -> Told:
    return Told()


def a_preflight(store: Store, clock: SettableClock, *channels: Told) -> Preflight:
    """One that has the first channels of the database, in their order."""
    a_channel(store)
    by_id = {number: cast(Channel, channel) for number, channel in enumerate(channels, 1)}
    return Preflight(store=store, channels=by_id, now=clock.now, elapsed_s=clock.elapsed_s, budget_s=45)


def found(store: Store, post: Post) -> list[str]:
    """What stands on a post."""
    with store.read() as tx:
        return [problem.message for problem in checks.standing(tx)[post.id].problems]


def sightings(store: Store) -> list[str]:
    return column(store, "SELECT kind FROM sightings ORDER BY id")


# When it looks


def test_a_post_is_looked_at_a_day_an_hour_and_ten_minutes_before_it_is_due(
    store: Store, clock: SettableClock, told: Told
) -> None:
    a_stored_post(store, due_at=NOW + 30 * HOUR)
    preflight = a_preflight(store, clock, told)
    looked = []
    for minute in range(0, 31 * 60, 10):
        clock.set_to(NOW + timedelta(minutes=minute))
        looked += [minute] * preflight.round()
    assert looked == [6 * 60, 29 * 60, 29 * 60 + 50]
    assert len(told.looked_at) == 3
    assert sightings(store) == ["pre-flight: all is well"]


def test_a_post_that_was_edited_is_looked_at_once_more(store: Store, clock: SettableClock, told: Told) -> None:
    a_stored_post(store, due_at=NOW + 20 * HOUR)
    preflight = a_preflight(store, clock, told)
    assert [preflight.round(), preflight.round()] == [1, 0]
    clock.tick(60)
    with store.write() as tx:
        tx.execute(text("UPDATE announcements SET revision = 2"))
        copied = "SELECT announcement_id, 2, letter, person_id, at + 60000000 FROM revisions"
        tx.execute(text(f"INSERT INTO revisions (announcement_id, revision, letter, person_id, at) {copied}"))
    clock.tick(60)
    assert [preflight.round(), preflight.round()] == [1, 0]


@pytest.mark.parametrize(
    ("before_s", "began_s"),
    [(86401, 86400), (86400, 86400), (3601, 86400), (3600, 3600), (601, 3600), (600, 600), (1, 600)],
)
def test_a_stage_begins_at_its_time(before_s: int, began_s: int) -> None:
    now = NOW - timedelta(seconds=before_s)
    assert stage_begin(NOW, now=now) == NOW - timedelta(seconds=began_s)


def test_what_is_due_now_or_in_more_than_a_day_is_left_alone(store: Store, clock: SettableClock, told: Told) -> None:
    a_stored_post(store, due_at=NOW)
    a_stored_post(store, due_at=NOW + DAY + timedelta(seconds=1))
    assert a_preflight(store, clock, told).round() == 0


def test_each_channel_is_asked_once_in_a_round_however_many_posts_it_has(
    store: Store, clock: SettableClock, told: Told
) -> None:
    other = Told()
    for number in range(5):
        a_stored_post(store, channel=("facebook", "listserv")[number % 2], due_at=NOW + HOUR)
    assert a_preflight(store, clock, told, other).round() == 5
    assert (told.asked, other.asked) == (1, 1)
    assert (len(told.looked_at), len(other.looked_at)) == (3, 2)


def test_what_a_round_has_no_time_for_is_left_to_the_next_nearest_first(
    store: Store, clock: SettableClock, told: Told
) -> None:
    late, soon = (a_stored_post(store, due_at=NOW + hours * HOUR) for hours in (5, 2))
    told.meanwhile = lambda: clock.tick(50)
    preflight = a_preflight(store, clock, told)
    assert preflight.round() == 1
    with store.read() as tx:
        assert list(checks.standing(tx)) == [soon.id]
    assert preflight.round() == 1
    assert found(store, late) == []


def test_every_channel_is_asked_daily_even_with_nothing_due(store: Store, clock: SettableClock, told: Told) -> None:
    told.of_all = [Problem("The token has expired.", "Renew it.")]
    preflight = a_preflight(store, clock, told)
    asked = []
    for _ in range(49):
        before = told.asked
        preflight.round()
        asked.append(told.asked - before)
        clock.tick(3600)
    assert [hour for hour, times in enumerate(asked) if times] == [0, 24, 48]
    with store.read() as tx:
        kept = checks.of_channel(tx, "facebook")
    assert kept is not None
    assert kept.problems == (Problem("The token has expired.", "Renew it."),)


# What it finds


def test_what_is_wrong_with_the_channel_and_with_the_post_stands_on_the_post(
    store: Store, clock: SettableClock, told: Told
) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    told.of_all, told.of_one = [Problem("The token is dead.")], [Problem("A link is gone.", is_warning=True)]
    a_preflight(store, clock, told).round()
    assert found(store, post) == ["The token is dead.", "A link is gone."]
    assert column(store, "SELECT state FROM channels") == ["ready"]
    assert seen(store, post).state is State.QUEUED


def test_a_change_is_told_once_and_the_end_of_it_too(store: Store, clock: SettableClock, told: Told) -> None:
    a_stored_post(store, due_at=NOW + DAY)
    preflight = a_preflight(store, clock, told)
    for seconds, problems in ((0, []), (23 * 3600, [Problem("x")]), (50 * 60, [])):
        clock.tick(seconds)
        told.of_one = list(problems)
        preflight.round()
    assert sightings(store) == ["pre-flight: all is well", "pre-flight", "pre-flight: all is well"]


def test_a_problem_is_looked_at_again_each_quarter_of_an_hour_until_it_is_mended(
    store: Store, clock: SettableClock, told: Told
) -> None:
    post = a_stored_post(store, due_at=NOW + 20 * HOUR)
    preflight = a_preflight(store, clock, told)
    told.of_all = [Problem("The token is dead.")]
    assert [preflight.round(), preflight.round()] == [1, 0]
    clock.tick(15 * 60)
    told.of_all = [Problem("It runs out soon.", is_warning=True)]
    assert [preflight.round(), preflight.round()] == [1, 0]
    clock.tick(3600)
    assert preflight.round() == 0
    assert found(store, post) == ["It runs out soon."]


def test_a_fault_of_one_check_is_one_problem_and_stops_nothing(store: Store, clock: SettableClock, told: Told) -> None:
    other = Told()
    post, mail = (a_stored_post(store, channel=name, due_at=NOW + HOUR) for name in ("facebook", "listserv"))
    told.of_all, told.of_one = RuntimeError("secret"), KeyError("secret")
    assert a_preflight(store, clock, told, other).round() == 2
    assert found(store, post) == [
        "The service itself failed while checking the channel facebook (RuntimeError).",
        f"The service itself failed while checking {post.name} (KeyError).",
    ]
    assert found(store, mail) == []


def test_a_post_that_nobody_approved_says_so_until_somebody_does(
    store: Store, clock: SettableClock, told: Told
) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    require_approval(store)
    preflight = a_preflight(store, clock, told)
    preflight.round()
    assert found(store, post) == ["Nobody has approved it yet."]
    assert preflight.round() == 0
    with store.write() as tx:
        tx.execute(text("UPDATE announcements SET approved_revision = revision"))
    assert preflight.round() == 1
    assert found(store, post) == []
    assert sightings(store) == ["pre-flight", "pre-flight: all is well"]


def test_a_pause_of_the_post_or_its_channel_is_a_problem(store: Store, clock: SettableClock, told: Told) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    preflight = a_preflight(store, clock, told)
    preflight.round()
    with store.write() as tx:
        tx.execute(text("UPDATE posts SET paused = true"))
    pause(store, post.channel_id)
    assert [preflight.round(), preflight.round()] == [1, 0]
    assert found(store, post) == ["It is paused.", "Its channel is paused: The token ended."]


@pytest.mark.parametrize(("hours", "is_warning"), [(0.5, True), (2, False)])
def test_a_pause_that_is_over_by_then_is_a_warning(
    store: Store, clock: SettableClock, told: Told, hours: float, is_warning: bool
) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    pause(store, post.channel_id, NOW + hours * HOUR)
    a_preflight(store, clock, told).round()
    with store.read() as tx:
        [problem] = checks.standing(tx)[post.id].problems
    assert problem.is_warning is is_warning


def test_safe_mode_is_a_problem_of_every_post(store: Store, clock: SettableClock, told: Told) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    with store.write() as tx:
        safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW)
    a_preflight(store, clock, told).round()
    assert found(store, post) == ["Nothing goes out now: The clock jumped."]


def test_access_that_runs_out_before_a_post_is_due_is_its_problem_and_is_kept(
    store: Store, clock: SettableClock, told: Told
) -> None:
    soon, late = (a_stored_post(store, due_at=NOW + hours * HOUR) for hours in (1, 3))
    told.runs_out = {"the token": NOW + 2 * HOUR, "the access to data": NOW + 99 * DAY}
    a_preflight(store, clock, told).round()
    assert found(store, soon) == []
    [problem] = found(store, late)
    assert problem.startswith("The token runs out on Tue 1 Dec 2026, 11:00 America/New_York (EST), before")
    assert column(store, "SELECT value FROM meta WHERE key = 'expires facebook'") == ["2026-12-01T16:00:00+00:00"]


def test_what_runs_out_is_forgotten_when_nothing_does_but_not_when_nobody_answers(
    store: Store, clock: SettableClock, told: Told
) -> None:
    told.runs_out = {"the token": NOW + DAY}
    preflight = a_preflight(store, clock, told)
    preflight.round()
    kept = []
    for problems in ([Problem("Nobody answers.")], []):
        told.runs_out, told.of_all = {}, list(problems)
        preflight.of_channel("facebook")
        kept.append(len(column(store, "SELECT value FROM meta WHERE key = 'expires facebook'")))
    assert kept == [1, 0]


def test_a_post_of_a_channel_that_is_not_set_up_any_more_says_so(store: Store, clock: SettableClock) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    a_preflight(store, clock).round()
    assert found(store, post) == ["The channel facebook is not set up any more."]


def test_a_stored_content_that_is_not_what_was_queued_is_told(store: Store, clock: SettableClock, told: Told) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    with store.write() as tx:
        tx.execute(text("UPDATE contents SET text = 'something else'"))
    a_preflight(store, clock, told).round()
    assert found(store, post) == ["What is stored for it is not what was queued, so it will not be sent."]
    assert told.looked_at == []


def test_a_post_that_is_sent_while_it_is_looked_at_keeps_nothing_of_the_look(
    store: Store, clock: SettableClock, told: Told
) -> None:
    post = a_stored_post(store, due_at=NOW + HOUR)
    told.meanwhile = lambda: take(store, post)
    assert a_preflight(store, clock, told).round() == 0
    assert sightings(store) == []


def test_a_stored_content_that_cannot_even_be_hashed_is_told_and_holds_up_no_other_post(
    store: Store, clock: SettableClock, told: Told
) -> None:
    broken, sound = (a_stored_post(store, channel=name, due_at=NOW + HOUR) for name in ("listserv", "facebook"))
    body = '{"message": "Subject: \\u00fc\\r\\n\\r\\nx", "message_id": "<1@example.org>"}'
    with store.write() as tx:
        tx.execute(text("UPDATE contents SET body = :body WHERE post_id = :id"), {"body": body, "id": broken.id})
    a_preflight(store, clock, told).round()
    assert found(store, broken)[-1] == "What is stored for it is not what was queued, so it will not be sent."
    assert column(store, f"SELECT post_id FROM checks WHERE post_id = {sound.id}") == [sound.id]

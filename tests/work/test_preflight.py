"""Pre-flight: what a post needs is found out at its three stages without publishing anything, and stands on the post."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.channels import Channel
from outreach.letter import parse
from outreach.model import Content, Post, Problem, State
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.tokens import Kind
from outreach.settings import read_settings
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
from tests.channels.servers import RawServer, Visit, http
from tests.doors.place import Place, a_picture
from tests.work.clocks import StillClock

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


# With a sandbox, over real sockets


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """One whose clock stands still where that of the house does."""
    with Sandbox(clock=Clock(NOW), smtp_credentials=("coordinator", "right")) as running:
        yield running


class Install:
    """A house on the sandbox, with two posts due in an hour."""

    def __init__(self, box: Sandbox, place: Place, **settings: str) -> None:
        self.box = box
        given = place.settings | {
            "FACEBOOK_APP_ID": box.app_id,
            "SMTP_USERNAME": "coordinator",
            "SMTP_PASSWORD": "right",
        }
        self.house = House(read_settings(given | settings), StillClock())
        self.folder = place.folder

    def add(self, *, link: str | None = None, picture: bytes | None = None) -> None:
        """Queue a letter for an hour from now."""
        head = ["title: Poster session", "at: 2026-12-01 10:00", "zone: America/New_York"]
        head += [f"link: {link}"] if link else []
        if picture:
            (self.folder / "poster.jpg").write_bytes(picture)
            head += ["pictures:", "  - file: poster.jpg", "    alt: A poster"]
        self.house.desk.add(parse("\n".join(["---", *head, "---", "Join us.", ""])), folder=self.folder)

    def problems(self) -> dict[str, list[str]]:
        """Look, and give what stands on each channel's post; what only warns is in brackets."""
        self.house.new_preflight().round()
        standing = self.house.desk.checks()
        return {
            post.channel: [f"({p.message})" if p.is_warning else p.message for p in standing[post.id].problems]
            for post in self.house.desk.queue()
        }


@pytest.fixture
def install(box: Sandbox, place: Place) -> Iterator[Install]:
    made = Install(box, place)
    yield made
    assert_nothing_was_written(box)
    made.house.close()


def assert_nothing_was_written(box: Sandbox) -> None:
    assert [entry for entry in box.graph.journal if entry.wrote or entry.method != "GET"] == []
    assert (box.graph.public_posts(), box.mail.journal, box.mail.distributed()) == ([], [], [])


def test_a_set_up_that_is_right_has_no_problems(install: Install) -> None:
    install.add(picture=a_picture())
    assert install.problems() == {"facebook": [], "listserv": []}


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda box: box.graph.tokens.kill(box.page_token, 460), "changed their password"),
        (lambda box: box.graph.tokens.narrow(box.page_token, "pages_manage_posts"), "lacks the permission"),
        (lambda box: setattr(box.graph.rules, "tasks", ("ANALYZE",)), "may not create content"),
        (lambda box: box.graph.fail("me", "close"), "could not be reached"),
        (lambda box: box.graph.clock.advance(3600), "60 minutes behind Facebook's"),
    ],
    ids=["dead", "narrow", "no task", "no answer", "clock"],
)
def test_what_is_wrong_with_the_token_stands_on_the_page_post_alone(
    install: Install, harm: Callable[[Sandbox], None], words: str
) -> None:
    install.add()
    harm(install.box)
    problems = install.problems()
    [problem] = problems["facebook"]
    assert words in problem
    assert problems["listserv"] == []


def test_a_token_that_ends_before_the_post_is_due_stands_on_the_post_twice_over(box: Sandbox, place: Place) -> None:
    lives = timedelta(minutes=30)
    short = box.graph.tokens.issue(Kind.PAGE, now=NOW, user_id="1", page_id=box.page_id, lives=lives)
    made = Install(box, place, FACEBOOK_PAGE_TOKEN=short)
    made.add()
    told, own = made.problems()["facebook"]
    assert "made from a short-lived one" in told
    assert "before it is due" in own
    with made.house.store.read() as tx:
        assert checks.expiry(tx, "facebook") == NOW + lives
    made.house.close()


def test_a_mail_server_that_refuses_the_log_in_or_the_sender_stands_on_the_mail(box: Sandbox, place: Place) -> None:
    for settings, fault, words in (
        ({"SMTP_PASSWORD": "wrong"}, None, "refused the log-in"),
        ({}, "550 5.7.1 You may not send as this", "did not accept the sender"),
    ):
        made = Install(box, place, **settings)
        if not made.house.desk.queue():
            made.add()
        if fault:
            box.mail.fail("MAIL", fault)
        made.house.clock.tick(1)  # type: ignore[attr-defined]
        [(_, check)] = made.house.new_preflight().of_posts(made.house.desk.find("1/listserv"))
        assert words in check.problems[0].message
        made.house.close()
    assert_nothing_was_written(box)


@pytest.mark.parametrize("harm", ["delete", "truncate", "change"])
def test_a_picture_that_is_harmed_on_the_disk_stands_on_the_page_post_alone(install: Install, harm: str) -> None:
    install.add(picture=a_picture())
    [file] = [f for f in install.house.media.iterdir() if f.is_file()]
    whole = file.read_bytes()
    match harm:
        case "delete":
            file.unlink()
        case "truncate":
            file.write_bytes(whole[:50])
        case _:
            file.write_bytes(a_picture(size=(8, 8)))
    problems = install.problems()
    [problem] = problems["facebook"]
    assert "The picture poster.jpg" in problem
    assert problems["listserv"] == []  # it is inside the mail


def test_a_link_that_leads_to_nothing_stands_on_both_posts(install: Install) -> None:
    def gone(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(b"", status="404 x"))

    with RawServer(gone) as server:
        install.add(link=f"{server.url}/abstracts")
        told = [f"The link {server.url}/abstracts leads to nothing (404)."]
        assert install.problems() == {"facebook": told, "listserv": told}


def test_a_setting_that_changes_after_queueing_stands_on_the_mail(box: Sandbox, place: Place) -> None:
    first = Install(box, place)
    first.add()
    first.house.close()
    moved = Install(box, place, LISTSERV_ADDRESS="moved@lists.example.org")
    [problem] = moved.problems()["listserv"]
    assert "but LISTSERV_ADDRESS is moved@lists.example.org" in problem
    moved.house.close()


def test_the_end_of_the_access_to_data_is_a_warning(box: Sandbox, place: Place) -> None:
    old = box.graph.tokens.issue(Kind.PAGE, now=NOW - timedelta(days=80), user_id="1", page_id=box.page_id)
    made = Install(box, place, FACEBOOK_PAGE_TOKEN=old)
    made.add()
    [warning] = made.problems()["facebook"]
    assert warning.startswith("(The app's access to the Page's data runs out in 10 days")
    made.house.close()


def test_no_secret_stands_anywhere(install: Install, tmp_path: Path) -> None:
    install.add()
    install.box.graph.tokens.kill(install.box.page_token, 467)
    install.problems()
    install.house.close()
    kept = (install.house.settings.OUTREACH_QUEUE / "outreach.db").read_bytes()
    secrets = (install.box.page_token, install.box.app_secret, "right\0")
    assert [secret for secret in secrets if secret.encode() in kept] == []

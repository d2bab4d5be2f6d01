"""Watching: posts in doubt are looked for, found once, sent again only when they are positively not there."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from outreach.channels import Channel
from outreach.lifecycle import Pause
from outreach.model import Absent, Attempt, Candidate, CannotTell, Finding, Found, Move, Post, Published, State
from outreach.publisher import Pace
from outreach.store import Store, channels, troubles, workers
from outreach.watch import Watch
from tests.builders import (
    NOW,
    SettableClock,
    a_channel,
    a_stored_post,
    column,
    make,
    pause,
    seen,
    take,
)

HERE = Candidate("1_77", "https://www.facebook.com/1/posts/77", NOW)
DOUBLE = Candidate("1_78", "https://www.facebook.com/1/posts/78", NOW)


class Says:
    """A channel that answers what it is told to, and keeps what it was asked."""

    def __init__(self, findings: Iterable[Finding | Exception] = (), link: str | None = None) -> None:
        self.findings = list(findings)
        self.asked: list[Attempt] = []
        self.link = link
        self.links_asked: list[str] = []

    def find(self, attempt: Attempt) -> Finding:
        self.asked.append(attempt)
        finding = self.findings.pop(0) if len(self.findings) > 1 else self.findings[0]
        if isinstance(finding, Exception):
            raise finding
        return finding

    def link_to(self, remote_id: str) -> str | None:
        self.links_asked.append(remote_id)
        return self.link


def a_watch(store: Store, clock: SettableClock, channel: Says, *, worker: str = "the watch") -> Watch:
    row = a_channel(store)
    return Watch(
        store=store,
        channels={row.id: cast(Channel, channel)},
        now=clock.now,
        elapsed_s=clock.elapsed_s,
        worker=worker,
        pace=Pace(look_after_s=(30, 120, 300, 900)),
    )


def look_at(watch: Watch, clock: SettableClock, *seconds: float) -> None:
    """Look at these moments, in seconds after the doubt began."""
    for second in seconds:
        clock.tick((NOW - clock.now()).total_seconds() + second)
        watch.doubts.look()


@pytest.fixture
def doubtful(sqlite_store: Store) -> Post:
    return a_stored_post(sqlite_store, State.UNCONFIRMED)


def sightings(store: Store, post: Post) -> list[Any]:
    return column(store, "SELECT kind FROM sightings WHERE post_id = :id ORDER BY id", id=post.id)


def test_a_post_that_is_found_is_published_under_its_own_id(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    channel = Says([Found((HERE,))])
    look_at(a_watch(sqlite_store, clock, channel), clock, 29, 30)
    assert len(channel.asked) == 1  # not before its time
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.remote_id, now.url, now.reason) == (State.PUBLISHED, "1_77", HERE.url, None)
    assert sightings(sqlite_store, doubtful) == ["found"]
    assert channel.asked[0].first_started_at == NOW


def test_of_several_the_oldest_is_taken_and_the_others_are_told_loudly(
    sqlite_store: Store, clock: SettableClock, doubtful: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        look_at(a_watch(sqlite_store, clock, Says([Found((HERE, DOUBLE))])), clock, 30)
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.remote_id) == (State.PUBLISHED, "1_77")
    assert now.reason == "published more than once (2 times): 1_77, 1_78; the oldest is taken"
    assert sightings(sqlite_store, doubtful) == ["twice"]
    assert "published more than once (2 times): 1_77, 1_78" in caplog.text


def test_what_belongs_to_another_post_is_not_taken_for_this_one(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    other = a_stored_post(sqlite_store, channel="facebook")
    take(sqlite_store, other)
    make(sqlite_store, other, Move.PUBLISH, remote_id="1_77")
    watch = a_watch(sqlite_store, clock, Says([Found((HERE,)), Found((HERE, DOUBLE))]))
    look_at(watch, clock, 30)
    assert seen(sqlite_store, doubtful).state is State.UNCONFIRMED
    assert sightings(sqlite_store, doubtful) == ["not there"]
    look_at(watch, clock, 120)
    assert (seen(sqlite_store, doubtful).state, seen(sqlite_store, doubtful).remote_id) == (State.PUBLISHED, "1_78")


def test_it_is_sent_again_only_when_it_was_absent_in_the_whole_window(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    watch = a_watch(sqlite_store, clock, Says([Absent()]))
    look_at(watch, clock, 30, 120, 300, 899)
    assert seen(sqlite_store, doubtful).state is State.UNCONFIRMED
    look_at(watch, clock, 900)
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.reason) == (State.QUEUED, "not on the channel after 4 looks; it is sent again")
    assert sightings(sqlite_store, doubtful) == ["not there"] * 4


def test_what_was_absent_but_is_past_its_grace_is_left_to_a_person(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.UNCONFIRMED, miss_at=NOW.replace(minute=10))
    channel = Says([Absent()])
    watch = a_watch(sqlite_store, clock, channel)
    look_at(watch, clock, 30, 120, 300, 900, 2000)
    now = seen(sqlite_store, post)
    assert (now.state, now.look_at, now.looks) == (State.UNCONFIRMED, None, 4)
    assert len(channel.asked) == 4


@pytest.mark.parametrize(
    "answer", [CannotTell("no answer"), RuntimeError("a fault of ours")], ids=["cannot tell", "fails"]
)
def test_what_nobody_can_tell_is_left_to_a_person(
    sqlite_store: Store, clock: SettableClock, doubtful: Post, answer: Finding | Exception
) -> None:
    watch = a_watch(sqlite_store, clock, Says([answer]))
    look_at(watch, clock, 30, 120, 300, 900, 2000)
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.look_at, now.clean_looks) == (State.UNCONFIRMED, None, 0)
    assert sightings(sqlite_store, doubtful) == ["could not tell"] * 4


def test_one_clean_look_among_failures_proves_nothing(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    watch = a_watch(sqlite_store, clock, Says([CannotTell("x"), CannotTell("x"), CannotTell("x"), Absent()]))
    look_at(watch, clock, 30, 120, 300, 900)
    assert seen(sqlite_store, doubtful).state is State.UNCONFIRMED


def end_the_attempt(store: Store, post: Post, outcome: str, evidence: str = "null") -> None:
    with store.write() as tx:
        sql = "UPDATE attempts SET outcome = :outcome, evidence = :evidence WHERE post_id = :id"
        tx.execute(text(sql), {"outcome": outcome, "evidence": evidence, "id": post.id})


def test_a_post_that_was_refused_after_a_doubt_and_is_not_there_has_failed(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    end_the_attempt(sqlite_store, doubtful, "refused")
    look_at(a_watch(sqlite_store, clock, Says([Absent()])), clock, 30, 120, 300, 900)
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.reason) == (State.FAILED, "The answer was lost.")


def test_a_post_that_was_refused_after_a_doubt_and_is_there_is_published(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    end_the_attempt(sqlite_store, doubtful, "refused")
    look_at(a_watch(sqlite_store, clock, Says([Absent(), Found((HERE,))])), clock, 30, 120)
    assert seen(sqlite_store, doubtful).state is State.PUBLISHED


def test_what_the_channel_says_it_has_is_never_sent_again_by_itself(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    end_the_attempt(sqlite_store, doubtful, "unconfirmed", '{"code": 506, "is_known_there": true}')
    look_at(a_watch(sqlite_store, clock, Says([Absent()])), clock, 30, 120, 300, 900, 2000)
    now = seen(sqlite_store, doubtful)
    assert (now.state, now.look_at, now.looks) == (State.UNCONFIRMED, None, 4)


def test_a_post_that_ended_two_workers_is_left_to_a_person(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.PUBLISHING)
    watch = a_watch(sqlite_store, clock, Says([Absent()]))
    clock.tick(121)
    assert watch.rescue() == 1
    for second in (30, 120, 300, 900):
        clock.tick(second)
        watch.doubts.look()
    assert seen(sqlite_store, post).state is State.QUEUED
    take(sqlite_store, post, now=clock.now())
    clock.tick(121)
    assert watch.rescue() == 1
    for second in (30, 120, 300, 900):
        clock.tick(second)
        watch.doubts.look()
    now = seen(sqlite_store, post)
    assert (now.state, now.look_at, now.attempt) == (State.UNCONFIRMED, None, 2)
    last = column(sqlite_store, "SELECT evidence FROM sightings ORDER BY id")[-1]
    assert "2 workers ended while sending it" in last


def test_a_channel_that_is_paused_is_asked_all_the_same(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    pause(sqlite_store, doubtful.channel_id, NOW.replace(hour=23))
    look_at(a_watch(sqlite_store, clock, Says([Absent(), Found((HERE,))])), clock, 30, 120)
    assert seen(sqlite_store, doubtful).state is State.PUBLISHED


def test_a_look_that_failed_under_a_limit_is_made_again_within_minutes_for_a_person_may_lift_it(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    pause(sqlite_store, doubtful.channel_id, NOW + timedelta(hours=1))
    look_at(a_watch(sqlite_store, clock, Says([CannotTell("a limit is reached")])), clock, 30)
    now = seen(sqlite_store, doubtful)
    assert (now.looks, now.look_at) == (0, NOW + timedelta(seconds=330))


def test_a_look_that_failed_on_a_channel_that_waits_for_a_person_does_not_count(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    pause(sqlite_store, doubtful.channel_id)
    channel = Says([CannotTell("the token ended"), CannotTell("the token ended"), Found((HERE,))])
    watch = a_watch(sqlite_store, clock, channel)
    look_at(watch, clock, 30, 120)
    now = seen(sqlite_store, doubtful)
    assert (now.looks, now.look_at, len(channel.asked)) == (0, NOW + timedelta(seconds=330), 1)
    look_at(watch, clock, 330, 631)
    assert seen(sqlite_store, doubtful).state is State.PUBLISHED
    assert sightings(sqlite_store, doubtful) == ["found"]


def test_a_person_who_decides_while_it_is_looked_for_has_the_last_word(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    class Slow(Says):
        def find(self, attempt: Attempt) -> Finding:
            make(sqlite_store, doubtful, Move.CONFIRM, remote_id="1_99")
            return super().find(attempt)

    look_at(a_watch(sqlite_store, clock, Slow([Found((HERE,))])), clock, 30)
    assert seen(sqlite_store, doubtful).remote_id == "1_99"


def test_what_a_person_confirmed_while_it_was_looked_for_is_not_called_failed(
    sqlite_store: Store, clock: SettableClock, doubtful: Post
) -> None:
    class Slow(Says):
        def find(self, attempt: Attempt) -> Finding:
            make(sqlite_store, doubtful, Move.CONFIRM, remote_id="1_99")
            return super().find(attempt)

    end_the_attempt(sqlite_store, doubtful, "refused")
    with sqlite_store.write() as tx:
        tx.execute(text("UPDATE posts SET looks = 3, clean_looks = 3"))
    look_at(a_watch(sqlite_store, clock, Slow([Absent()])), clock, 30)
    assert (seen(sqlite_store, doubtful).state, sightings(sqlite_store, doubtful)) == (State.PUBLISHED, [])


def test_a_round_of_looks_ends_with_its_time_and_the_next_goes_on(sqlite_store: Store, clock: SettableClock) -> None:
    class Slow(Says):
        def find(self, attempt: Attempt) -> Finding:
            clock.tick(30)
            return super().find(attempt)

    for _ in range(3):
        a_stored_post(sqlite_store, State.UNCONFIRMED)
    watch = a_watch(sqlite_store, clock, Slow([CannotTell("no answer")]))
    clock.tick(30)
    assert [watch.doubts.look() for _ in range(3)] == [1, 1, 1]


def test_a_post_that_is_looked_for_in_vain_for_an_hour_is_told(sqlite_store: Store, doubtful: Post) -> None:
    with sqlite_store.read() as tx:
        assert troubles.left_in_doubt(tx, NOW + timedelta(minutes=59)) == []
        assert [one.id for one in troubles.left_in_doubt(tx, NOW + timedelta(minutes=61))] == [doubtful.id]


def test_a_channel_that_was_paused_anew_is_not_opened_by_the_pause_before(sqlite_store: Store) -> None:
    channel = a_channel(sqlite_store)
    pause(sqlite_store, channel.id, NOW)
    with sqlite_store.write() as tx:
        channels.pause(tx, channel.id, Pause("Wrong link.", None), now=NOW, person="chair@example.org")
        assert channels.resume_those_whose_time_is_over(tx, NOW) == []


def test_a_post_of_a_channel_that_is_gone_from_the_settings_is_left_to_a_person(
    sqlite_store: Store, clock: SettableClock
) -> None:
    post = a_stored_post(sqlite_store, State.UNCONFIRMED, channel="listserv")
    look_at(a_watch(sqlite_store, clock, Says([Found((HERE,))])), clock, 30, 120, 300, 900)
    assert (seen(sqlite_store, post).state, seen(sqlite_store, post).look_at) == (State.UNCONFIRMED, None)


# Workers that are gone


def test_a_post_whose_lease_is_over_is_in_doubt(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.PUBLISHING)
    watch = a_watch(sqlite_store, clock, Says())
    clock.tick(120)
    assert watch.rescue() == 0
    clock.tick(1)
    assert watch.rescue() == 1
    now = seen(sqlite_store, post)
    assert (now.state, now.reason) == (
        State.UNCONFIRMED,
        "The worker that was sending it gave no sign in time; the post may be out.",
    )
    assert column(sqlite_store, "SELECT outcome FROM attempts") == ["unconfirmed"]
    assert watch.rescue() == 0


def test_the_post_of_a_worker_of_this_machine_that_is_gone_is_in_doubt_at_once(
    sqlite_store: Store, clock: SettableClock
) -> None:
    post = a_stored_post(sqlite_store)
    host, boot, _, _, _ = workers.this_worker().split("|")
    take(sqlite_store, post, worker=f"{host}|{boot}|4194305|1|0")
    assert a_watch(sqlite_store, clock, Says()).rescue() == 1
    assert seen(sqlite_store, post).reason == "The worker that was sending it is gone; the post may be out."


def test_a_worker_that_lives_keeps_its_post(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store)
    take(sqlite_store, post, worker=workers.this_worker(1))
    assert a_watch(sqlite_store, clock, Says(), worker=workers.this_worker(2)).rescue() == 0


# Time that is over


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE posts SET paused = true", "It was paused until its time was over."),
        ("UPDATE communities SET approval = 'required'", "Nobody approved it in time."),
        (
            "UPDATE posts SET reason = 'No answer.'",
            "Its time was over before it could be sent. Before that: No answer.",
        ),
        ("UPDATE posts SET reason = NULL", "Its time was over before it could be sent."),
    ],
)
def test_a_post_whose_grace_is_over_is_missed_and_says_why(
    sqlite_store: Store, clock: SettableClock, sql: str, reason: str
) -> None:
    post = a_stored_post(sqlite_store)
    with sqlite_store.write() as tx:
        tx.execute(text(sql))
    watch = a_watch(sqlite_store, clock, Says())
    assert watch.miss() == 0
    clock.tick(6 * 3600)
    assert watch.miss() == 1
    assert (seen(sqlite_store, post).state, seen(sqlite_store, post).reason) == (State.MISSED, reason)


def test_a_channel_is_opened_again_when_its_time_has_come(sqlite_store: Store, clock: SettableClock) -> None:
    row = a_channel(sqlite_store)
    pause(sqlite_store, row.id, NOW.replace(minute=30))
    watch = a_watch(sqlite_store, clock, Says())
    watch.resume()
    assert column(sqlite_store, "SELECT state FROM channels") == ["paused"]
    clock.tick(1800)
    watch.resume()
    assert column(sqlite_store, "SELECT state FROM channels") == ["ready"]


# Links


def test_the_address_of_what_went_out_is_asked_for_afterwards(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.PUBLISHED)
    channel = Says(link="https://www.facebook.com/1/posts/1")
    watch = a_watch(sqlite_store, clock, channel)
    watch.links.note(post, Published(remote_id="1_1"))
    watch.links.fetch()
    watch.links.fetch()
    assert seen(sqlite_store, post).url == "https://www.facebook.com/1/posts/1"
    assert channel.links_asked == ["1_1"]


def test_an_address_that_cannot_be_had_means_nothing_for_the_post(sqlite_store: Store, clock: SettableClock) -> None:
    post = a_stored_post(sqlite_store, State.PUBLISHED)
    watch = a_watch(sqlite_store, clock, Says(link=None))
    watch.links.recall()
    watch.links.fetch()
    assert (seen(sqlite_store, post).state, seen(sqlite_store, post).url) == (State.PUBLISHED, None)


def test_addresses_are_asked_for_only_as_long_as_the_budget_lasts(sqlite_store: Store, clock: SettableClock) -> None:
    class Slow(Says):
        def link_to(self, remote_id: str) -> str | None:
            clock.tick(0.2)
            return super().link_to(remote_id)

    channel = Slow(link="https://www.facebook.com/1/posts/1")
    for _ in range(5):
        a_stored_post(sqlite_store, State.PUBLISHED)
    watch = a_watch(sqlite_store, clock, channel)
    watch.links.recall()
    watch.links.fetch(budget_s=0.3)
    assert len(channel.links_asked) == 2

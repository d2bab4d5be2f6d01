"""A worker keeps to what one channel may take, and stops when its clock cannot be relied on."""

from datetime import UTC, datetime, timedelta

import time_machine

from outreach.doors.worker import Worker
from outreach.sandbox import Sandbox
from outreach.store import safety
from tests.doors.place import Place, until
from tests.doors.workers import change, once


def test_a_channel_that_had_enough_for_an_hour_is_paused_and_says_until_when(place: Place, box: Sandbox) -> None:
    for number in range(4):
        place.json("add", place.letter(title=f"Number {number}"), "--to", "facebook")

    assert once(place, OUTREACH_MAX_PER_HOUR="2") == 2
    assert once(place, OUTREACH_MAX_PER_HOUR="2") == 0

    facebook = place.json("channels")[0]
    assert facebook["state"] == "paused"
    assert "OUTREACH_MAX_PER_HOUR=2" in facebook["reason"]
    ahead = datetime.fromisoformat(facebook["until"]) - datetime.now(UTC)
    assert timedelta(minutes=55) < ahead <= timedelta(hours=1)
    assert len(box.graph.public_posts()) == 2
    place.json("channels", "resume", "facebook", "--as", "ann@example.org")
    assert once(place, OUTREACH_MAX_PER_HOUR="2") == 1


def test_after_a_long_stop_what_is_over_is_missed_and_the_rest_is_spaced(place: Place, box: Sandbox) -> None:
    for number in range(6):
        place.json("add", place.letter(title=f"Number {number}"), "--to", "facebook")
    hour = 3_600_000_000
    change(place, f"UPDATE posts SET due_at = due_at - (8 - id) * {hour}, miss_at = miss_at - (8 - id) * {hour}")

    assert once(place) == 1
    assert once(place) == 0

    assert [place.states()[f"{number}/facebook"] for number in range(1, 7)] == [
        *("missed", "missed", "published", "queued", "queued", "queued")
    ]
    change(place, "UPDATE channels SET spaced_until = 1")
    assert once(place) == 1
    assert [(post.message or "").split("\n")[0] for post in box.graph.public_posts()] == ["Number 2", "Number 3"]


def test_a_channel_on_which_everything_fails_rests(place: Place, box: Sandbox) -> None:
    box.graph.fail("feed", "error", code=100, times=None)
    for number in range(5):
        place.json("add", place.letter(title=f"Number {number}"), "--to", "facebook")

    assert once(place, OUTREACH_MAX_FAILURES="3") == 3

    assert "3 tries on this channel failed" in place.json("channels")[0]["reason"]
    assert sorted(place.states().values()) == ["failed", "failed", "failed", "queued", "queued"]


def safe_mode(place: Place) -> str | None:
    house = place.house()
    with house.store.read() as tx:
        found = safety.current(tx)
    house.close()
    return str(found.cause) if found else None


def test_a_clock_that_jumps_a_year_stops_a_running_worker_before_anything_is_sent(place: Place, box: Sandbox) -> None:
    place.settings["FACEBOOK_GRAPH_URL"] = "http://127.0.0.1:9"  # nobody there to ask for the time
    house = place.house()
    worker = Worker(house)
    worker.start()
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).replace(microsecond=0)
    place.json("add", place.letter(at=in_a_year.isoformat()), "--to", "listserv")

    with time_machine.travel(in_a_year + timedelta(minutes=1)):
        until(lambda: safe_mode(place) == "clock")
        worker.stop()

    house.close()
    assert (place.states(), box.mail.distributed()) == ({"1/listserv": "queued"}, [])


def test_a_wrong_year_at_the_start_sends_nothing_early(place: Place, box: Sandbox) -> None:
    place.settings["FACEBOOK_GRAPH_URL"] = "http://127.0.0.1:9"
    place.json("add", place.letter(title="Today"), "--to", "listserv")
    once(place)
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).replace(microsecond=0)
    place.json("add", place.letter(title="In a year", at=in_a_year.isoformat()), "--to", "listserv")

    with time_machine.travel(in_a_year + timedelta(minutes=1)):
        assert once(place) == 0

    assert safe_mode(place) == "clock"
    assert [mail.subject for mail in box.mail.distributed()] == ["Today"]
    assert place.states() == {"1/listserv": "published", "2/listserv": "queued"}


def test_a_clock_that_went_back_sends_nothing_twice(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter())
    once(place)

    with time_machine.travel(datetime.now(UTC) - timedelta(hours=1)):
        assert once(place) == 0

    assert (len(box.graph.public_posts()), len(box.mail.distributed())) == (1, 1)

"""The worker: what is due goes out once and no earlier, trouble of a channel keeps to that channel, chores go on."""

import json
import sqlite3
import threading

import pytest
import time_machine

from outreach.doors.worker import Beats, Worker, safely
from outreach.sandbox import Sandbox
from tests.doors.place import Place, settings_for, until
from tests.doors.workers import change, once, working

# worker --once


def test_once_publishes_what_is_due_and_ends_with_0_whatever_the_outcomes(place: Place, box: Sandbox) -> None:
    box.graph.fail("feed", "error", code=100, subcode=1, message="Invalid parameter")
    place.json("add", place.letter(title="Refused"), "--to", "facebook")
    place.json("add", place.letter(title="Good"), "--to", "listserv")
    place.json("add", place.letter(title="Later", at="2035-01-15 09:00"))
    answer = place.run("worker", "--once")
    assert (answer.code, answer.out) == (0, "2 posts were tried.\n")
    assert place.states() == {
        "1/facebook": "failed",
        "2/listserv": "published",
        "3/facebook": "queued",
        "3/listserv": "queued",
    }


def test_nothing_is_sent_early(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    assert place.run("worker", "--once").out == "Nothing was due.\n"
    assert (box.graph.public_posts(), box.mail.distributed()) == ([], [])


def test_a_running_worker_sends_at_the_second_and_not_before(place: Place, box: Sandbox) -> None:
    house = place.house()
    with working(place):
        due = house.clock.now().timestamp() + 2
        at = house.clock.now().fromtimestamp(int(due), tz=house.clock.now().tzinfo).isoformat()
        place.json("add", place.letter(), "--at", at, "--to", "facebook")
        until(lambda: bool(box.graph.public_posts()))
    house.close()
    [post] = box.graph.public_posts()
    assert 0 <= post.created_at.timestamp() - int(due) < 1.0


def test_the_posts_of_one_channel_go_out_in_the_order_they_are_due(place: Place, box: Sandbox) -> None:
    for title in ("One", "Two", "Three", "Four"):
        place.json("add", place.letter(title=title))
    assert once(place) == 8
    assert [(post.message or "").split("\n")[0] for post in box.graph.public_posts()] == ["One", "Two", "Three", "Four"]
    assert [mail.subject for mail in box.mail.distributed()] == ["One", "Two", "Three", "Four"]


def test_two_workers_on_one_database_send_everything_once(place: Place, box: Sandbox) -> None:
    for number in range(10):
        place.json("add", place.letter(title=f"Number {number}"))
    with working(place), working(place):
        until(lambda: set(place.states().values()) == {"published"})
    assert len(box.graph.public_posts()) == 10
    assert len({mail.message_id for mail in box.mail.distributed()}) == len(box.mail.distributed()) == 10


def test_a_letter_in_the_inbox_is_out_within_two_seconds(place: Place, box: Sandbox) -> None:
    with working(place):
        until(lambda: (place.queue / "rejected").is_dir())
        place.drop()
        until(lambda: place.inside("inbox") == [], within_s=2.0)
        until(lambda: bool(box.graph.public_posts()) and bool(box.mail.distributed()))


def test_a_channel_that_hangs_keeps_no_letter_waiting(place: Place, box: Sandbox) -> None:
    box.graph.fail("*", "hang", method="GET", times=None)
    with working(place) as worker:
        place.json("add", place.letter(), "--to", "facebook")
        until(lambda: bool(box.graph.public_posts()))  # and now its link is asked for, in vain
        until(lambda: any(entry.op == "read" for entry in box.graph.journal))
        place.drop(title="In the meantime", at="2035-01-15 09:00")
        until(lambda: place.inside("inbox") == [], within_s=4.0)
        box.release()
        worker.ask_to_stop()


# What holds posts back


def test_a_paused_post_waits_until_it_is_resumed(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter())
    place.json("pause", "1/facebook")
    assert once(place) == 1
    assert place.states() == {"1/facebook": "queued", "1/listserv": "published"}
    place.json("resume", "1/facebook")
    assert once(place) == 1
    assert len(box.graph.public_posts()) == 1


def test_a_paused_channel_waits_and_the_other_goes_on(place: Place) -> None:
    place.json("add", place.letter())
    place.json("channels", "pause", "facebook")
    assert once(place) == 1
    assert place.states() == {"1/facebook": "queued", "1/listserv": "published"}
    assert once(place, OUTREACH_GRACE_H="7") == 0  # another setting is no reason to go on
    place.json("channels", "resume", "facebook")
    assert once(place) == 1


def test_a_dead_token_pauses_the_channel_and_a_new_one_resumes_it(place: Place, box: Sandbox) -> None:
    place.settings["FACEBOOK_PAGE_TOKEN"] = "EAAdead"
    for title in ("One", "Two"):
        place.json("add", place.letter(title=title), "--to", "facebook")
    assert once(place) == 1
    assert place.states() == {"1/facebook": "queued", "2/facebook": "queued"}
    facebook = place.json("channels")[0]
    assert facebook["state"] == "paused"
    assert facebook["until"] is None
    assert "EAAdead" not in json.dumps(facebook)
    assert once(place) == 0
    # Neither other settings of the service nor those of the other channel are a new token.
    assert once(place, OUTREACH_PERSON="ann@example.org", LISTSERV_SIZE_KB="41") == 0
    place.settings["FACEBOOK_PAGE_TOKEN"] = box.page_token
    assert once(place) == 2
    assert len(box.graph.public_posts()) == 2


def test_a_rate_limit_pauses_the_channel_until_its_time(place: Place, box: Sandbox) -> None:
    box.graph.fail_with("32")
    place.json("add", place.letter(), "--to", "facebook")
    once(place)
    facebook = place.json("channels")[0]
    assert (facebook["state"], place.states()) == ("paused", {"1/facebook": "queued"})
    assert facebook["until"].endswith("Z")
    assert once(place) == 0
    change(place, "UPDATE channels SET until = 1 WHERE name = 'facebook'")
    assert once(place) == 1
    assert place.json("channels")[0]["state"] == "ready"


def test_a_channel_that_is_off_for_a_while_is_tried_later(place: Place, box: Sandbox) -> None:
    box.stop()
    place.json("add", place.letter())
    assert once(place) == 2
    assert set(place.states().values()) == {"queued"}
    box.start()
    change(place, "UPDATE posts SET due_at = 1")
    assert once(place) == 2
    assert set(place.states().values()) == {"published"}


def test_what_is_past_its_grace_is_missed_and_never_sent_late(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter())
    change(place, "UPDATE posts SET miss_at = 1")
    assert once(place) == 0
    posts = place.posts()
    assert {name: post.state for name, post in posts.items()} == {"1/facebook": "missed", "1/listserv": "missed"}
    assert posts["1/facebook"].reason == "Its time was over before it could be sent."
    assert box.graph.public_posts() == []
    place.json("requeue", "1/facebook")
    assert once(place) == 1


def test_what_nobody_approved_is_not_sent(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_APPROVAL"] = "required"
    added = place.json("add", place.letter(), "--as", "ann@example.org")
    assert added["posts"][0]["approved"] is False
    assert added["notes"] == ["It waits for an approval: outreach approve 1"]
    assert once(place) == 0
    own = place.cli("approve", "1", "--as", "Ann@Example.org", "--json")
    assert (own.code, own.error["message"]) == (1, "Nobody approves what they wrote themselves.")
    assert place.cli("approve", "1", "--json").error["message"] == "Who approves?"
    assert place.json("approve", "1", "--as", "bob@example.org")["posts"][0]["approved"] is True
    assert once(place) == 2


def test_what_is_not_what_was_approved_is_not_sent(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(), "--to", "facebook")
    change(place, "UPDATE contents SET text = 'Something else.'")
    assert once(place) == 1
    post = place.posts()["1/facebook"]
    assert (post.state, post.reason) == ("failed", "What is stored is not what was approved; it was not sent.")
    assert box.graph.public_posts() == []


# Doubt


def test_an_unclear_answer_is_looked_for_and_found(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_LOOK_AFTER_S"] = "0,1"
    box.graph.fail("feed", "500-2")
    place.json("add", place.letter(), "--to", "facebook")
    once(place)
    assert place.states() == {"1/facebook": "unconfirmed"}
    once(place)
    post = place.posts()["1/facebook"]
    assert (post.state, post.remote_id) == ("published", box.graph.public_posts()[0].id)
    assert len(box.graph.public_posts()) == 1


def test_what_is_positively_not_there_is_sent_again(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_LOOK_AFTER_S"] = "0"
    place.json("add", place.letter(title="Earlier"), "--to", "facebook")
    once(place)
    box.graph.fail("feed", "500-2", write=False)
    place.json("add", place.letter(), "--to", "facebook")
    assert once(place) == 1
    assert once(place) == 1
    assert place.states() == {"1/facebook": "published", "2/facebook": "published"}
    assert len(box.graph.public_posts()) == 2


def test_a_mail_in_doubt_waits_for_a_person(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_LOOK_AFTER_S"] = "0"
    box.mail.fail("DOT", "close", keep=True)
    place.json("add", place.letter(), "--to", "listserv")
    for _ in range(3):
        once(place)
    assert place.states() == {"1/listserv": "unconfirmed"}
    shown = place.cli("show", "1").out
    assert "1/listserv may be out. Nobody looks any more: decide." in shown
    assert "It is there:      outreach confirm 1/listserv --url ADDRESS" in shown
    assert place.json("confirm", "1/listserv")["posts"][0]["state"] == "published"
    assert len(box.mail.distributed()) == 1


def test_a_mail_that_is_not_there_is_requeued_by_a_person_under_the_same_message_id(place: Place, box: Sandbox) -> None:
    box.mail.fail("DOT", "close")
    [post] = place.json("add", place.letter(), "--to", "listserv")["posts"]
    once(place)
    answer = place.cli("requeue", "1/listserv")
    assert "1/listserv may be out already: " in answer.out
    assert once(place) == 1
    assert [mail.message_id for mail in box.mail.distributed()] == [post["message_id"]]


# Trouble of our own


def test_a_database_that_is_locked_for_a_while_costs_nothing(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(title="First"))
    with working(place):
        until(lambda: len(box.mail.distributed()) == 1)
        for number in range(3):
            holder = sqlite3.connect(place.queue / "outreach.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            threading.Event().wait(0.3)
            holder.execute("COMMIT")
            holder.close()
            place.json("add", place.letter(title=f"Number {number}"))
        until(lambda: set(place.states().values()) == {"published"})
    assert len(box.graph.public_posts()) == len(box.mail.distributed()) == 4


def test_a_chore_that_fails_is_done_again_at_its_next_beat() -> None:
    done: list[str] = []

    def fails() -> None:
        done.append("tried")
        raise RuntimeError("a fault of ours")

    stop = threading.Event()
    beats = Beats().every(1, safely("fails", fails)).every(1, lambda: done.append("other"))
    thread = threading.Thread(target=beats.run, args=(stop,))
    thread.start()
    until(lambda: done.count("tried") >= 2 and done.count("other") >= 2)
    stop.set()
    thread.join()


def test_a_clock_that_is_set_back_delays_no_chore() -> None:
    done: list[str] = []
    with time_machine.travel("2035-11-04 05:59:59+00:00", tick=False) as clock:
        beats = Beats().every(1, lambda: done.append("round")).every(15, lambda: done.append("beat"))
        clock.shift(20)
        beats.turn()
        clock.shift(-3600)
        beats.turn()
        assert done == ["round", "beat", "round", "beat"]
        clock.shift(2)
        beats.turn()
    assert done[4:] == ["round"]


def test_a_publisher_that_fails_begins_again(place: Place, box: Sandbox) -> None:
    house = place.house()

    class Stumbling(Worker):
        stumbles = 2

        def __init__(self) -> None:
            super().__init__(house)
            run = self._publisher.run

            def stumble(stop: threading.Event) -> None:
                if self.stumbles:
                    self.stumbles -= 1
                    raise RuntimeError("a fault of ours")
                run(stop)

            self._publisher.run = stumble  # type: ignore[method-assign]

    worker = Stumbling()
    worker.start()
    place.json("add", place.letter())
    until(lambda: len(box.mail.distributed()) == 1)
    worker.stop()
    house.close()


@pytest.mark.parametrize("after", ["500-2", "hang"])
def test_channels_do_not_wait_for_each_other(place: Place, box: Sandbox, after: str) -> None:
    box.graph.fail("feed", after)
    place.json("add", place.letter())
    with working(place, OUTREACH_HTTP_TIMEOUT_S="1"):
        until(lambda: len(box.mail.distributed()) == 1)
        until(lambda: place.states()["1/facebook"] == "unconfirmed")


def test_another_sandbox_is_another_channel_setting(place: Place) -> None:
    place.json("channels", "pause", "facebook")
    with Sandbox() as other:
        place.settings |= settings_for(other)
        assert place.json("channels")[0]["state"] == "paused"  # a person paused it: only a person resumes it

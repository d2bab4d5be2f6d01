"""Real worker processes killed, stopped and frozen at bad moments: never twice, never lost."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from outreach.model import Post
from outreach.sandbox import Sandbox
from tests.doors.place import Place, end, until


@pytest.fixture
def workers(place: Place) -> Iterator[list["subprocess.Popen[bytes]"]]:
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for process in begun:
        end(process)


def test_a_worker_killed_in_the_middle_of_a_post_leaves_it_to_the_next_which_finds_it(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"]
) -> None:
    place.settings |= {"OUTREACH_LOOK_AFTER_S": "0,1", "OUTREACH_HTTP_TIMEOUT_S": "60"}
    box.graph.fail("feed", "hang")
    place.json("add", place.letter(), "--to", "facebook")
    workers.append(place.start("worker"))
    until(lambda: len(box.graph.public_posts()) == 1)
    assert place.states() == {"1/facebook": "publishing"}
    end(workers[0])

    assert place.run("worker", "--once").code == 0  # its lease has 2 minutes to go, but its worker is gone

    post = place.posts()["1/facebook"]
    assert (post.state, post.remote_id) == ("published", box.graph.public_posts()[0].id)
    assert len(box.graph.public_posts()) == 1
    kinds = [entry["kind"] for entry in place.json("show", "1/facebook")["posts"][0]["history"]]
    assert kinds == ["queue", "attempt", "doubt", "sighting", "confirm"]


@pytest.mark.parametrize("arrived", [True, False], ids=["it arrived", "it did not"])
def test_a_worker_killed_in_the_middle_of_a_mail_leaves_it_to_a_person(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"], arrived: bool
) -> None:
    place.settings |= {"OUTREACH_LOOK_AFTER_S": "0", "OUTREACH_HTTP_TIMEOUT_S": "60"}
    box.mail.fail("DOT", "hang", keep=arrived)
    place.json("add", place.letter(), "--to", "listserv")
    workers.append(place.start("worker"))
    until(lambda: len(box.mail.journal) == 1)
    end(workers[0])
    place.run("worker", "--once")
    assert place.states() == {"1/listserv": "unconfirmed"}
    if arrived:
        place.json("confirm", "1/listserv")
    else:
        place.json("requeue", "1/listserv")
    place.run("worker", "--once")
    assert place.states() == {"1/listserv": "published"}
    assert len(box.mail.distributed()) == 1


@pytest.mark.parametrize("command", [("worker",), ("worker", "--once")], ids=" ".join)
def test_sigterm_finishes_what_is_in_flight(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"], command: tuple[str, ...]
) -> None:
    box.graph.fail("feed", "delay", seconds=1.5)
    place.json("add", place.letter(title="In flight"), "--to", "facebook")
    place.json("add", place.letter(title="Next"), "--to", "facebook")
    workers.append(place.start(*command))
    until(lambda: len(box.graph.public_posts()) == 1)
    workers[0].send_signal(signal.SIGTERM)
    assert workers[0].wait(20) == 0
    assert place.states() == {"1/facebook": "published", "2/facebook": "queued"}
    assert "Traceback" not in place.log


def test_sigterm_leaves_in_doubt_what_does_not_finish_in_time(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"]
) -> None:
    place.settings["OUTREACH_HTTP_TIMEOUT_S"] = "1"  # a mail's last answer may take ten minutes; a stop waits 6 seconds
    box.mail.fail("DOT", "hang", keep=True)
    place.json("add", place.letter(), "--to", "listserv")
    workers.append(place.start("worker"))
    until(lambda: len(box.mail.journal) == 1)
    workers[0].send_signal(signal.SIGTERM)
    assert workers[0].wait(20) == 0
    post = place.posts()["1/listserv"]
    assert post.state == "unconfirmed"
    assert post.reason == "The worker was stopped before the answer came; the post may be out."
    assert len(box.mail.distributed()) == 1
    assert "Traceback" not in place.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_worker_ends_at_once_and_in_order(
    place: Place, workers: list["subprocess.Popen[bytes]"], number: signal.Signals
) -> None:
    workers.append(place.start("worker"))
    until(lambda: (place.queue / "rejected").is_dir())
    threading.Event().wait(0.3)  # wherever it is by now
    workers[0].send_signal(number)
    assert workers[0].wait(10) == 0
    assert "Traceback" not in place.log


def is_frozen_outside_a_transaction(worker: "subprocess.Popen[bytes]", place: Place) -> bool:
    """Freeze it, unless that caught it with the database's lock in its hand, which would hold up everybody."""
    worker.send_signal(signal.SIGSTOP)
    other = sqlite3.connect(place.queue / "outreach.db", timeout=0.3, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
    except sqlite3.OperationalError:
        worker.send_signal(signal.SIGCONT)
        return False
    finally:
        other.close()
    return True


def test_a_frozen_worker_that_comes_back_late_records_nothing(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"]
) -> None:
    place.settings |= {"OUTREACH_LEASE_S": "1", "OUTREACH_LOOK_AFTER_S": "0,1"}
    box.graph.fail("feed", "delay", seconds=2.0)
    place.json("add", place.letter(), "--to", "facebook")
    workers.append(place.start("worker"))
    until(lambda: len(box.graph.public_posts()) == 1)
    until(lambda: is_frozen_outside_a_transaction(workers[0], place))
    workers.append(place.start("worker"))
    until(lambda: place.states() == {"1/facebook": "published"})
    found = place.json("show", "1/facebook")["posts"][0]["history"]
    assert [entry["kind"] for entry in found] == ["queue", "attempt", "doubt", "sighting", "confirm"]

    workers[0].send_signal(signal.SIGCONT)

    until(lambda: "came too late and was not recorded" in place.log)
    assert place.json("show", "1/facebook")["posts"][0]["history"] == found
    assert len(box.graph.public_posts()) == 1
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0


def test_whenever_the_worker_is_killed_nothing_is_sent_twice_and_nothing_is_lost(
    place: Place, box: Sandbox, workers: list["subprocess.Popen[bytes]"]
) -> None:
    place.settings |= {"OUTREACH_LOOK_AFTER_S": "0,1", "OUTREACH_MAX_PER_HOUR": "0"}
    (place.queue / "inbox").mkdir()
    for number in range(30):
        place.drop(f"letter{number:02}.md", title=f"Number {number:02}", to="facebook")
    moments = random.Random(7)
    for _ in range(6):
        workers.append(place.start("worker"))
        sent = len(box.graph.public_posts())
        until(lambda sent=sent: len(box.graph.public_posts()) > sent or not place.inside("inbox"))  # type: ignore[misc]
        threading.Event().wait(moments.uniform(0.0, 0.05))
        end(workers[-1])

    workers.append(place.start("worker"))
    until(lambda: place.inside("inbox") == [] and all(map(is_over, place.posts().values())))
    there = {(post.message or "").split("\n")[0] for post in box.graph.public_posts()}
    for name, post in place.posts().items():
        # Killed while it was sent a second time as well: then a person is asked, who finds that it is not there.
        if post.state == "unconfirmed":
            assert post.title not in there
            assert place.cli("requeue", name).code == 0
    until(lambda: set(place.states().values()) == {"published"})

    titles = sorted((post.message or "").split("\n")[0] for post in box.graph.public_posts())
    assert titles == [f"Number {number:02}" for number in range(30)]
    assert place.inside("accepted") == [f"letter{number:02}.md" for number in range(30)]
    assert place.inside("rejected") == []


def is_over(post: Post) -> bool:
    return post.state == "published" or (post.state == "unconfirmed" and post.look_at is None)


STOPS_AFTER_QUEUEING = """
import os
from outreach.bootstrap import build, settings_from_environment
from outreach.doors.inbox import Inbox

house = build(settings_from_environment())

class Stops(Inbox):
    def _move(self, file, folder):
        os._exit(7)

inbox = Stops(house.settings.OUTREACH_QUEUE, house.desk)
inbox.prepare()
inbox.sweep()
"""


def test_a_service_that_stops_between_queueing_and_moving_queues_the_letter_once(place: Place, box: Sandbox) -> None:
    place.drop()
    for _ in range(2):
        stopped = subprocess.run(
            [sys.executable, "-c", STOPS_AFTER_QUEUEING], env=place.environment(), cwd=place.folder, check=False
        )
        assert stopped.returncode == 7
        assert place.inside("inbox") == ["letter.md"]
    place.run("worker", "--once")
    assert (place.inside("inbox"), place.inside("accepted"), place.inside("rejected")) == ([], ["letter.md"], [])
    assert (len(box.graph.public_posts()), len(box.mail.distributed())) == (1, 1)

"""A worker that listens: a list's copy is seen as soon as it comes; where nothing can be heard, when it is looked for."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from outreach.bootstrap import House
from outreach.chores import replies_of
from outreach.doors.worker import Worker
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import Store
from outreach.watch.ears import Ear
from tests.channels.servers import RawServer
from tests.doors.place import Place, until
from tests.doors.workers import once, working
from tests.mail.imap_server import PASSWORD, USER, ImapServer, leading_to
from tests.work.clocks import StillClock

PROMPT_S = 2.0
SELDOM = {"SMTP_HOST": "0.0.0.0", "OUTREACH_ALLOW_INSECURE": "true"}  # the same sandbox, as if it were no such thing
MAILBOX = {"IMAP_HOST": "127.0.0.1", "IMAP_SECURITY": "none", "IMAP_USERNAME": USER, "IMAP_PASSWORD": PASSWORD}


@pytest.fixture
def reading(place: Place, mailbox: ImapServer) -> Place:
    """An install that reads a mailbox every 30 seconds."""
    place.settings |= SELDOM | MAILBOX | {"IMAP_PORT": str(mailbox.port)}
    return place


def send(place: Place) -> None:
    assert place.cli("add", place.letter(to="listserv")).code == 0
    until(lambda: place.states() == {"1/listserv": "published"})


def send_once(place: Place) -> None:
    assert place.cli("add", place.letter(to="listserv")).code == 0
    assert once(place) == 1


def is_seen(place: Place) -> bool:
    history = place.json("show", "1/listserv")["posts"][0]["history"]
    return "distributed" in [entry.get("what", entry["kind"]) for entry in history]


def idles(server: RawServer) -> int:
    """How often somebody began to listen."""
    return server.received.count(b" IDLE\r\n")


@contextmanager
def a_mailbox_behind(place: Place, mailbox: ImapServer, *, hiding: bytes = b"\0") -> Iterator[RawServer]:
    with RawServer(leading_to(mailbox.port, hiding=hiding)) as between:
        place.settings["IMAP_PORT"] = str(between.port)
        yield between


def test_the_mailbox_is_read_every_thirty_seconds_while_a_mail_is_young(reading: Place) -> None:
    house = reading.house()
    assert [errand.every_s for errand in house.new_worker()[1].errands if errand.name == "mailbox"] == [30]
    house.close()


def test_a_copy_is_seen_within_two_seconds_of_its_arrival(reading: Place, box: Sandbox, mailbox: ImapServer) -> None:
    with a_mailbox_behind(reading, mailbox) as between, working(reading):
        send(reading)
        until(lambda: idles(between) == 1)
        assert not is_seen(reading)
        mailbox.put(box.mail.mailbox(box.member)[0])
        until(lambda: is_seen(reading), within_s=PROMPT_S)
        until(lambda: b"DONE\r\n" in between.received)  # nobody waits for anything any more
    with mailbox.opened() as opened:
        assert [mail.flags for mail in opened.fetch(mark_seen=False)] == [()]


def test_a_copy_that_comes_before_its_mail_is_on_record_is_seen_as_soon_as_it_is(reading: Place, box: Sandbox) -> None:
    reading.settings |= {"IMAP_PORT": str(box.imap_port), "IMAP_USERNAME": box.member}
    reading.settings["IMAP_PASSWORD"] = box.mailbox_password
    with working(reading) as worker:
        assert not worker.wait(6.5)  # by then it has looked, and looks again in half a minute only
        box.mail.fail("DOT", "hang", delay_s=2.0, keep=True)
        assert reading.cli("add", reading.letter(to="listserv")).code == 0
        until(lambda: len(box.mail.mailbox(box.member)) == 1)
        assert reading.states() == {"1/listserv": "publishing"}
        until(lambda: is_seen(reading), within_s=2.0 + PROMPT_S)
    assert reading.states() == {"1/listserv": "published"}


def test_without_the_offer_the_copy_is_found_all_the_same(place: Place, box: Sandbox, mailbox: ImapServer) -> None:
    place.settings |= MAILBOX  # a sandbox is looked into every two seconds
    with a_mailbox_behind(place, mailbox, hiding=b" IDLE") as between, working(place):
        send(place)
        mailbox.put(box.mail.mailbox(box.member)[0])
        until(lambda: is_seen(place))
        until(lambda: between.received.count(b" CAPABILITY\r\n") > between.received.count(b" LOGIN "))
    assert idles(between) == 0


def test_a_connection_that_drops_is_made_anew(reading: Place, box: Sandbox, mailbox: ImapServer) -> None:
    with a_mailbox_behind(reading, mailbox) as between, working(reading):
        send(reading)
        until(lambda: idles(between) == 1)
        for visit in between.visits:
            with contextlib.suppress(OSError):
                visit.connection.shutdown(socket.SHUT_RDWR)
        mailbox.put(box.mail.mailbox(box.member)[0])
        until(lambda: is_seen(reading), within_s=10)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_worker_that_listens_stops_within_two_seconds(reading: Place, mailbox: ImapServer, hangs: bool) -> None:
    with RawServer() as mute, a_mailbox_behind(reading, mailbox) as between:
        if hangs:
            reading.settings["IMAP_PORT"] = str(mute.port)
        house = reading.house()
        worker = Worker(house)
        worker.start()
        send(reading)
        until(lambda: len(mute.visits) > 1 or idles(between) == 1)
        began = time.monotonic()
        worker.stop()
        assert time.monotonic() - began < PROMPT_S
        house.close()


def test_what_is_expected_is_looked_for_however_lately_that_was_done(
    reading: Place, box: Sandbox, mailbox: ImapServer
) -> None:
    send_once(reading)
    still = StillClock()
    still.tick((datetime.now(UTC) - still.now()).total_seconds() + 600)  # when it is looked into seldom
    house = House(read_settings(reading.settings), still)
    replies = replies_of(house)
    assert replies.round() == 0
    mailbox.put(box.mail.mailbox(box.member)[0])
    still.tick(60)
    assert replies.round() == 0
    for number, _ in replies.mailboxes():
        replies.expect(number)
    assert replies.round() == 1
    house.close()


# One ear


class Hearing:
    """An ear that listens in a thread."""

    def __init__(self, store: Store, ear: Ear) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=ear.listen, args=(self._stop,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PROMPT_S)
        assert not self._thread.is_alive()


@contextmanager
def an_ear(place: Place) -> Iterator[threading.Event]:
    """Let the ear of an install listen; give what it sets when it tells."""
    house, told = place.house(), threading.Event()
    [errand] = [errand for errand in house.new_worker()[1].errands if errand.name == "mailbox"]
    [ear] = errand.ears
    assert isinstance(ear, Ear)
    ear.tell = told.set
    hearing = Hearing(house.store, ear)
    try:
        yield told
    finally:
        hearing.end()
        house.close()


def test_nobody_listens_while_no_mail_is_young(reading: Place, mailbox: ImapServer) -> None:
    with a_mailbox_behind(reading, mailbox) as between, an_ear(reading) as told:
        assert not told.wait(2.5)
        assert between.visits == []


def test_a_mail_that_was_seen_is_listened_for_no_more(reading: Place, box: Sandbox, mailbox: ImapServer) -> None:
    send_once(reading)
    mailbox.put(box.mail.mailbox(box.member)[0])
    assert once(reading) == 0
    assert is_seen(reading)
    with a_mailbox_behind(reading, mailbox) as between, an_ear(reading) as told:
        assert not told.wait(2.5)
        assert between.visits == []


def test_what_could_not_be_heard_is_told_once_and_tried_less_and_less(
    reading: Place, caplog: pytest.LogCaptureFixture
) -> None:
    send_once(reading)
    with RawServer(lambda visit: None) as broken, caplog.at_level("INFO"):
        reading.settings["IMAP_PORT"] = str(broken.port)
        caplog.clear()
        with an_ear(reading):
            until(lambda: len(broken.visits) == 2)
            count = len(caplog.messages)
            assert not threading.Event().wait(2.5)
            assert len(broken.visits) == 2  # one second, then two, then four
        assert next(line for line in caplog.messages if "listening" in line) == (
            f"listening to the mailbox {USER}@127.0.0.1 ended: it could not be reached or broke off"
        )
        assert count <= 2
    assert PASSWORD not in caplog.text

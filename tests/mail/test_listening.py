"""Listening to a mailbox: new mail is heard at once, nothing is changed, and it ends in time whatever the server does."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from outreach.mail.imap_mailbox import Account, Trouble
from outreach.mail.listening import Listened, listen
from outreach.sandbox import Sandbox
from tests.channels.servers import RawServer, Visit, a_closed_port
from tests.mail.imap_server import ANSWERS, HEAD, PASSWORD, ImapServer, a_server_that_says, an_account, leading_to
from tests.mail.test_mailbox import forms
from tests.sandbox.clients import a_mail, submit

PROMPT_S = 2.0
WITH_IDLE = b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\n"


class Listener:
    """Listens in a thread; `news` holds one entry for each time it was told, the first for the beginning."""

    def __init__(self, account: Account, longest_s: float) -> None:
        self.news: queue.Queue[float] = queue.Queue()
        self.ended: Listened | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(account, longest_s), daemon=True)
        self._thread.start()

    def _listen(self, account: Account, longest_s: float) -> None:
        self.ended = listen(
            account,
            lambda: self.news.put(time.monotonic()),
            goes_on=lambda: not self._over.is_set(),
            longest_s=longest_s,
        )

    def is_told(self, within_s: float = PROMPT_S) -> bool:
        """Wait to be told once more."""
        try:
            self.news.get(timeout=within_s)
        except queue.Empty:
            return False
        return True

    def wait(self) -> Listened:
        """Wait until it ended by itself."""
        self._thread.join(5)
        assert self.ended is not None
        return self.ended

    def end(self) -> Listened:
        """Let it end."""
        self._over.set()
        return self.wait()


@contextmanager
def listening(account: Account, *, longest_s: float = 60.0) -> Iterator[Listener]:
    listener = Listener(account, longest_s)
    try:
        yield listener
    finally:
        listener.end()


def said(server: RawServer) -> list[bytes]:
    """The verbs that a visitor said."""
    lines = server.received.splitlines()
    return [line.split()[1 if b" " in line else 0] for line in lines]


def test_new_mail_is_heard_at_once(mailbox: ImapServer) -> None:
    mailbox.put(HEAD)
    with listening(mailbox.account(), longest_s=60) as listener:
        assert listener.is_told()
        assert not listener.is_told(0.7)
        mailbox.put(HEAD)
        assert listener.is_told()
        mailbox.put(HEAD)
        assert listener.is_told()
        assert listener.end().trouble is None


def test_nothing_is_marked_moved_or_read(mailbox: ImapServer) -> None:
    mailbox.put(HEAD + b"body")
    with RawServer(leading_to(mailbox.port)) as between:
        with listening(mailbox.account(port=between.port)) as listener:
            assert listener.is_told()
            mailbox.put(HEAD + b"body")
            assert listener.is_told()
        assert said(between) == [b"CAPABILITY", b"LOGIN", b"CAPABILITY", b"EXAMINE", b"IDLE", b"DONE", b"LOGOUT"]
    with mailbox.opened() as box:
        assert [mail.flags for mail in box.fetch(mark_seen=False)] == [(), ()]


def test_the_first_folder_is_listened_to(mailbox: ImapServer) -> None:
    mailbox.put(HEAD, "Lists")
    with listening(mailbox.account(folders=("Lists", "INBOX"))) as listener:
        assert listener.is_told()
        mailbox.put(HEAD)
        assert not listener.is_told(0.7)
        mailbox.put(HEAD, "Lists")
        assert listener.is_told()


def test_the_mailbox_of_the_sandbox_can_be_listened_to() -> None:
    with Sandbox() as box:
        account = an_account(box.imap_port, username=box.member, password=box.mailbox_password)
        with listening(account) as listener:
            assert listener.is_told()
            submit(box)
            assert listener.is_told()
            assert not listener.is_told(0.7)
            assert listener.end().trouble is None
            submit(box, a_mail(box, Message_ID="<two@example.org>"))
        with listening(account) as again:
            assert again.is_told()
            submit(box, a_mail(box, Message_ID="<three@example.org>"))
            assert again.is_told()


def test_a_server_that_does_not_offer_it_is_left_alone() -> None:
    with a_server_that_says() as server:
        ended = listen(an_account(server.port), pytest.fail, goes_on=lambda: True)
    assert (ended.is_offered, ended.trouble) == (False, None)
    assert b"EXAMINE" not in server.received


@pytest.mark.parametrize("answer", [b"TAG BAD what\r\n", b"TAG NO not now\r\n", b"* 3 EXISTS\r\nTAG NO no\r\n"])
def test_a_server_that_refuses_after_all_is_left_alone(answer: bytes) -> None:
    with a_server_that_says(capability=WITH_IDLE, idle=answer) as server:
        ended = listen(an_account(server.port), pytest.fail, goes_on=lambda: True)
    assert (ended.is_offered, ended.trouble) == (False, None)


def test_what_came_before_anybody_listened_is_told_of_at_the_beginning(mailbox: ImapServer) -> None:
    mailbox.put(HEAD)
    with listening(mailbox.account()) as listener:
        assert listener.is_told()


def test_one_connection_is_not_held_for_longer_than_it_may(mailbox: ImapServer) -> None:
    with listening(mailbox.account(), longest_s=0.3) as listener:
        ended = listener.wait()
    assert ended.trouble is None
    assert ended.lasted_s < PROMPT_S


# Servers that no mailbox is


def a_server_that_idles(then: bytes | None, *, hangs_up: bool = False) -> RawServer:
    """An IMAP server that says something in the middle of IDLE; None: nothing, not even to DONE."""

    def act(visit: Visit) -> None:
        answers = ANSWERS | {"capability": WITH_IDLE}
        visit.say(b"* OK ready\r\n")
        while line := visit.read():
            tag, _, rest = line.partition(b" ")
            verb = rest.split()[0].decode().lower() if rest.split() else ""
            if verb == "idle":
                visit.say(b"+ idling\r\n" + (then or b""))
                if hangs_up:
                    return
            elif verb:
                visit.say((answers.get(verb) or b"") + tag + b" OK done\r\n")
            elif then is not None:
                visit.say(b"idle1 OK done\r\n")

    return RawServer(act)


ENDS = {
    "says goodbye": (b"* BYE later\r\n", "it says that it does not serve now"),
    "ends it": (b"idle1 OK done\r\n", "it waits for new mail no longer"),
    "breaks off": (b"* 4 EXI", "it could not be reached or broke off"),
    "hangs up": (b"", "it could not be reached or broke off"),
}


@pytest.mark.parametrize(("last", "why"), ENDS.values(), ids=ENDS.keys())
def test_a_connection_that_ends_in_the_middle_is_told(last: bytes, why: str) -> None:
    with a_server_that_idles(last, hangs_up=True) as server, listening(an_account(server.port)) as listener:
        ended = listener.wait()
    assert ended.trouble is not None
    assert ended.trouble.why == why
    assert listener.news.qsize() == 1


def test_news_in_pieces_and_among_other_things_is_heard(mailbox: ImapServer) -> None:
    talk = b"* OK Still here\r\n* 3 RECENT\r\n* 2 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"
    with a_server_that_idles(talk) as server, listening(an_account(server.port)) as listener:
        assert listener.is_told()
        assert not listener.is_told(0.8)
        [visit] = server.visits
        visit.say(b"* 3 EX")
        assert not listener.is_told(0.8)
        visit.say(b"ISTS\r\n")
        assert listener.is_told()


def test_news_without_end_is_told_of_now_and_then() -> None:
    with a_server_that_idles(b"* 9 EXISTS\r\n" * 5_000) as server, listening(an_account(server.port)) as listener:
        assert listener.is_told()
        listener.is_told(0.8)
        assert not listener.is_told(0.2)


def test_a_flood_ends_it() -> None:
    with a_server_that_idles(b"* 9 EXISTS\r\n" * 500_000) as server, listening(an_account(server.port)) as listener:
        ended = listener.wait()
    assert ended.trouble == Trouble(
        "it could not be reached or broke off", "Check IMAP_HOST, IMAP_PORT and IMAP_SECURITY."
    )
    assert listener.news.qsize() < 1000  # of 500,000


@pytest.mark.parametrize("idles", [True, False])
def test_it_ends_within_two_seconds_of_being_told_to(idles: bool, mailbox: ImapServer) -> None:
    """Whether the server answers DONE or never says anything any more."""
    with a_server_that_idles(None) as mute:
        account = mailbox.account() if idles else an_account(mute.port)
        with listening(account) as listener:
            assert listener.is_told()
            began = time.monotonic()
            listener.end()
            assert time.monotonic() - began < PROMPT_S


def test_trouble_is_told_without_the_password(mailbox: ImapServer, caplog: pytest.LogCaptureFixture) -> None:
    for form in forms():
        for verb in ("login", "capability", "examine", "idle", "greeting"):
            for words in (f"TAG NO {form}\r\n", f"* BYE {form}\r\n", f"{form}\r\n"):
                answers = {"capability": WITH_IDLE} | {verb: words.encode()}
                with a_server_that_says(**answers) as server:
                    account = an_account(server.port, timeout_s=0.1)
                    shown = repr(listen(account, lambda: None, goes_on=lambda: False)) + caplog.text
                assert [form for form in forms() if form in shown] == []


def test_a_wrong_password_a_missing_folder_and_no_server_at_all_are_told(mailbox: ImapServer) -> None:
    def why(**changes: object) -> str:
        ended = listen(mailbox.account(**changes), pytest.fail, goes_on=lambda: True)
        assert ended.trouble is not None
        return ended.trouble.why

    assert why(password="wrong") == "the log-in was refused"
    assert why(folders=("Nowhere",)) == "it has no folder 'Nowhere'"
    assert why(port=a_closed_port()) == "the connection was refused"
    assert PASSWORD not in repr(mailbox.account())

"""Each step of the dialogue with a submission server, and every way it can end."""

import contextlib
import re
import select
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from outreach.mail.submission import Mail, Server, rehearse, submit
from outreach.model import HELD_UP, Outcome, Published, Refused, Unauthorized, Unavailable, Unconfirmed
from outreach.sandbox import Sandbox
from tests.channels.servers import RawServer, Visit, a_closed_port

MESSAGE = b"From: coordinator@example.org\r\nTo: tmm-sig@lists.example.org\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
STEPS = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def a_server(port: int, *, timeout_s: float = 5.0, final_dot_timeout_s: float = 5.0, **login: Any) -> Server:
    return Server("127.0.0.1", port, "none", timeout_s=timeout_s, final_dot_timeout_s=final_dot_timeout_s, **login)


def hand_over(server: Server, message: bytes = MESSAGE, *, to: str = "tmm-sig@lists.example.org") -> Outcome:
    return submit(server, Mail("coordinator@example.org", to, message, "<1@x>"))


def outcome_at(box: Sandbox, step: str, how: str, **fault: bool) -> Outcome:
    box.mail.fail(step, how, times=None, **fault)
    return hand_over(a_server(box.smtp_port))


def test_a_message_is_handed_over_once_to_the_list_alone(box: Sandbox) -> None:
    outcome = hand_over(a_server(box.smtp_port))
    assert outcome == Published(message_id="<1@x>", evidence={"smtp_code": 250, "smtp_text": "2.0.0 Taken"})
    [submission] = box.mail.journal
    assert (submission.mail_from, submission.rcpt_to) == ("coordinator@example.org", (box.list_address,))


# Answers that are clear


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", ["421", "450", "451", "452", "454"])
def test_a_passing_refusal_anywhere_is_worth_another_try(box: Sandbox, step: str, code: str) -> None:
    outcome = outcome_at(box, step, code)
    assert isinstance(outcome, Unavailable)
    assert code in outcome.reason or step == "EHLO"  # after that one, HELO is tried
    assert box.mail.distributed() == []


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("CONNECT", Unavailable),
        ("EHLO", Unavailable),
        ("MAIL", Refused),
        ("RCPT", Refused),
        ("DATA", Refused),
        ("DOT", Refused),
    ],
)
@pytest.mark.parametrize("code", ["550", "552", "554"])
def test_a_lasting_refusal_of_the_mail_is_final_and_one_of_us_is_not(
    box: Sandbox, step: str, code: str, expected: type
) -> None:
    outcome = outcome_at(box, step, f"{code} 5.7.1 Not today")
    assert isinstance(outcome, expected)
    assert isinstance(outcome, Unavailable | Refused)
    assert f"{code} 5.7.1 Not today" in outcome.reason
    assert box.mail.distributed() == []


def test_an_address_that_nobody_has_is_refused(box: Sandbox) -> None:
    outcome = hand_over(a_server(box.smtp_port), to="nobody@lists.example.org")
    assert isinstance(outcome, Refused)
    assert "nobody@lists.example.org" in outcome.reason


# Ends


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
def test_a_drop_before_the_final_dot_is_worth_another_try(box: Sandbox, step: str, how: str) -> None:
    assert isinstance(outcome_at(box, step, how), Unavailable)
    assert box.mail.journal == []


def test_a_drop_in_the_middle_of_the_body_is_worth_another_try(box: Sandbox) -> None:
    assert isinstance(outcome_at(box, "BODY", "close-mid"), Unavailable)


def test_a_drop_in_the_middle_of_a_long_body_is_worth_another_try(box: Sandbox) -> None:
    box.mail.fail("BODY", "close-mid")
    assert isinstance(hand_over(a_server(box.smtp_port), MESSAGE + b"x" * 70 + b"\r\n" * 500_000), Unavailable)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_drop_after_the_final_dot_is_in_doubt(box: Sandbox, how: str, keep: bool) -> None:
    assert isinstance(outcome_at(box, "DOT", how, keep=keep), Unconfirmed)
    assert len(box.mail.distributed()) == keep


@pytest.mark.parametrize("keep", [True, False])
def test_silence_after_the_final_dot_is_in_doubt_when_its_own_time_is_over(box: Sandbox, keep: bool) -> None:
    box.mail.fail("DOT", "hang", keep=keep)
    began = time.monotonic()
    outcome = hand_over(a_server(box.smtp_port, final_dot_timeout_s=0.3))
    assert isinstance(outcome, Unconfirmed)
    assert "no answer came in time" in outcome.reason
    assert 0.3 <= time.monotonic() - began < 2


def test_a_slow_answer_to_the_final_dot_is_waited_for(box: Sandbox) -> None:
    box.mail.fail("DOT", "ok", delay_s=0.6)
    assert isinstance(hand_over(a_server(box.smtp_port, timeout_s=0.3, final_dot_timeout_s=5)), Published)


def test_the_final_dot_is_waited_for_ten_minutes_unless_told_otherwise() -> None:
    assert Server("mail.example.org", 587, "starttls").final_dot_timeout_s == 600


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_silence_before_the_final_dot_is_worth_another_try(box: Sandbox, step: str) -> None:
    box.mail.fail(step, "hang")
    began = time.monotonic()
    outcome = hand_over(a_server(box.smtp_port, timeout_s=0.3))
    assert isinstance(outcome, Unavailable)
    assert "no answer came in time" in outcome.reason
    assert time.monotonic() - began < 2


def test_no_server_is_worth_another_try() -> None:
    assert isinstance(hand_over(a_server(a_closed_port())), Unavailable)
    nowhere = Server("smtp.example.invalid", 25, "none", timeout_s=5)
    assert isinstance(hand_over(nowhere), Unavailable)


# Servers that no sandbox is


@contextlib.contextmanager
def scripted(act: Callable[[Visit], None], timeout_s: float = 0.5) -> Iterator[tuple[RawServer, Server]]:
    with RawServer(act) as raw:
        yield raw, a_server(raw.port, timeout_s=timeout_s, final_dot_timeout_s=timeout_s)


def talk(visit: Visit, *, end: bytes, before_the_dot: bytes = b"") -> None:
    """Be a decent server up to the body, then say `before_the_dot` at once, and `end` after the final dot."""
    visit.say(b"220 x\r\n")
    for verb, reply in (
        (b"ehlo", b"250 x\r\n"),
        (b"mail", b"250 ok\r\n"),
        (b"rcpt", b"250 ok\r\n"),
        (b"data", b"354 go\r\n"),
    ):
        while not re.search(rb"(?im)^" + verb + rb".*\r\n", visit.received):
            if not visit.read():
                return
        visit.say(reply + (before_the_dot if verb == b"data" else b""))
    visit.read_until(b"\r\n.\r\n")
    visit.say(end)
    visit.read()


ENDS: dict[str, tuple[bytes, type]] = {
    "plain": (b"250 ok\r\n", Published),
    "several lines": (b"250-one\r\n250 two\r\n", Published),
    "another good code": (b"251 ok\r\n", Published),
    "no line end": (b"250 ok", Unconfirmed),
    "not finished": (b"250-one\r\n", Unconfirmed),
    "nothing": (b"", Unconfirmed),
    "half a code": (b"25", Unconfirmed),
    "no code": (b"OK\r\n", Unconfirmed),
    "an odd code": (b"354 more\r\n", Unconfirmed),
    "a code of no class": (b"650 what\r\n", Unconfirmed),
    "one class too low": (b"150 what\r\n", Unconfirmed),
    "html": (b"<html>\r\n", Unconfirmed),
    "a line without end": (b"250 " + b"x" * 20_000 + b"\r\n", Unconfirmed),
    "lines without end": (b"250-x\r\n" * 5_000, Unconfirmed),
    "bytes that are no text": (b"250 \xff\xfe\0\x1b[31m\r\n", Published),
    "421 at last": (b"421 4.3.2 going down\r\n", Unavailable),
}


@pytest.mark.parametrize(("end", "expected"), ENDS.values(), ids=ENDS.keys())
def test_an_answer_to_the_final_dot_counts_only_when_it_is_one(end: bytes, expected: type) -> None:
    with scripted(lambda visit: talk(visit, end=end)) as (raw, server):
        outcome = hand_over(server)
        assert isinstance(outcome, expected)
        assert len(raw.visits) == 1
        assert all(c.isprintable() for c in str(outcome.evidence.get("smtp_text", "")))


EARLY: dict[str, tuple[bytes, type]] = {
    "refuses": (b"554 5.7.1 no\r\n", Refused),
    "cannot now": (b"451 4.3.0 disk full\r\n", Unavailable),
    "asks twice": (b"354 go\r\n", Unavailable),
    "accepts what it has not got": (b"250 ok\r\n", Unconfirmed),
    "is unclear": (b"what\r\n", Unavailable),
}


@pytest.mark.parametrize(("said", "expected"), EARLY.values(), ids=EARLY.keys())
def test_a_server_that_speaks_before_the_end_gets_no_final_dot(said: bytes, expected: type) -> None:
    with scripted(lambda visit: talk(visit, end=b"250 ok\r\n", before_the_dot=said)) as (raw, server):
        assert isinstance(hand_over(server), expected)
        assert b"\r\n.\r\n" not in raw.received


STARTS: dict[str, bytes] = {
    "html": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing": b"",
    "no line end": b"220 x",
    "lines without end": b"220-x\r\n" * 5_000,
    "a line without end": b"220 " + b"x" * 20_000,
    "a good code that is not a greeting": b"250 ok\r\n",
    "zeroes": b"\0" * 100 + b"\r\n",
}


@pytest.mark.parametrize("said", STARTS.values(), ids=STARTS.keys())
def test_a_greeting_that_is_none_is_worth_another_try(said: bytes) -> None:
    with scripted(lambda visit: visit.say(said)) as (raw, server):
        assert isinstance(hand_over(server), Unavailable)
        assert len(raw.visits) == 1


def test_a_server_that_says_a_little_for_ever_is_left() -> None:
    def act(visit: Visit) -> None:
        visit.connection.settimeout(0.02)
        for _ in range(300):
            visit.say(b"220-x\r\n")
            with contextlib.suppress(TimeoutError):
                visit.read()

    with scripted(act, timeout_s=0.3) as (_, server):
        began = time.monotonic()
        assert isinstance(hand_over(server), Unavailable)
        assert time.monotonic() - began < 2


def test_a_server_that_floods_us_is_left() -> None:
    def act(visit: Visit) -> None:
        for _ in range(10_000):
            visit.say(b"220-x\r\n" * 10_000)

    with scripted(act, timeout_s=5) as (_, server):
        began = time.monotonic()
        assert isinstance(hand_over(server), Unavailable)
        assert time.monotonic() - began < 2


def test_a_server_that_does_not_read_is_left() -> None:
    def act(visit: Visit) -> None:
        visit.say(b"220 x\r\n")
        for reply in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            visit.read()
            visit.say(reply)
        gone = select.poll()
        gone.register(visit.connection, select.POLLRDHUP)
        gone.poll(3000)

    with scripted(act, timeout_s=0.3) as (_, server):
        began = time.monotonic()
        assert isinstance(hand_over(server, MESSAGE + b"x" * 10_000_000), Unavailable)
        assert time.monotonic() - began < 2


# The bytes


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n",
        b"..\r\n...\r\n",
        b"a\r\n.\r\nb\r\n",
        b".From\r\nFrom here\r\n",
        b"x" * 990 + b"\r\n",
        b"blanks at the end   \r\n\t\r\n",
        b"\r\n\r\n\r\n",
        "Zoë 漢字\r\n".encode(),
        b"no end",
        b"",
        b"ends with a dot.",
        b"\r\n.",
    ],
)
def test_the_bytes_that_arrive_are_the_bytes_that_were_sent(box: Sandbox, body: bytes) -> None:
    message = MESSAGE + body
    assert isinstance(hand_over(a_server(box.smtp_port), message), Published)
    [mail] = box.mail.distributed()
    assert mail.raw == (message if message.endswith(b"\r\n") else message + b"\r\n")


def test_a_first_line_that_begins_with_a_dot_is_doubled_too() -> None:
    with scripted(lambda visit: talk(visit, end=b"250 ok\r\n")) as (raw, server):
        assert isinstance(hand_over(server, b".x: y\r\n\r\n"), Published)
        assert b"DATA\r\n..x: y\r\n\r\n.\r\n" in raw.received


def test_what_we_call_ourselves_tells_nothing_of_this_machine() -> None:
    with scripted(lambda visit: talk(visit, end=b"250 ok\r\n")) as (raw, server):
        hand_over(server)
        assert raw.received.startswith(b"ehlo [127.0.0.1]\r\nmail FROM:<coordinator@example.org>")


@pytest.mark.parametrize("address", ["a@b>\r\nRCPT TO:<c@d", "zoë@example.org", "a\nb@example.org", "", "x", "a b@c"])
def test_an_address_cannot_add_to_the_dialogue(address: str) -> None:
    with scripted(lambda visit: talk(visit, end=b"250 ok\r\n")) as (raw, server):
        outcome = submit(server, Mail("c@example.org", address, MESSAGE, "<1@x>"))
        assert isinstance(outcome, Refused)
        assert raw.visits == []


def test_a_message_whose_time_is_over_is_left_without_its_end_and_is_none(box: Sandbox) -> None:
    late = Mail("coordinator@example.org", box.list_address, MESSAGE, "<1@x>", may_send=lambda: False)
    assert submit(a_server(box.smtp_port), late) == HELD_UP
    assert (box.mail.journal, box.mail.distributed()) == ([], [])


# Without sending


def test_a_rehearsal_goes_as_far_as_the_sender(box: Sandbox) -> None:
    assert isinstance(rehearse(a_server(box.smtp_port), sender="coordinator@example.org"), Published)
    assert box.mail.journal == []


@pytest.mark.parametrize(("step", "expected"), [("CONNECT", Unavailable), ("EHLO", Unavailable), ("MAIL", Refused)])
def test_a_rehearsal_tells_what_is_wrong(box: Sandbox, step: str, expected: type) -> None:
    box.mail.fail(step, "550", times=None)
    assert isinstance(rehearse(a_server(box.smtp_port), sender="coordinator@example.org"), expected)


def test_a_log_in_that_no_server_asks_for_is_told(box: Sandbox) -> None:
    outcome = hand_over(a_server(box.smtp_port, username="coordinator", password="secret"))
    assert isinstance(outcome, Unauthorized)
    assert "offers no log-in" in outcome.reason

"""Encryption and log-in: never without a certificate that is trusted, never twice, and nothing shows the password."""

import base64
import contextlib
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from outreach.mail.submission import Mail, Server, rehearse, submit
from outreach.model import Outcome, Published, Refused, Unauthorized, Unavailable
from outreach.sandbox import Sandbox
from tests.channels.servers import CERTIFICATE, RawServer, Visit, tls_server

PASSWORD = "correct horse battery"
LOGIN: dict[str, Any] = {"username": "coordinator", "password": PASSWORD}
MESSAGE = b"From: coordinator@example.org\r\nTo: tmm-sig@lists.example.org\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"


def hand_over(server: Server) -> Outcome:
    return submit(server, Mail("coordinator@example.org", "tmm-sig@lists.example.org", MESSAGE, "<1@x>"))


@contextlib.contextmanager
def a_box(*, tls: bool = True, log_in: bool = True) -> Iterator[Sandbox]:
    credentials = ("coordinator", PASSWORD) if log_in else None
    with Sandbox(smtp_credentials=credentials, smtp_tls=tls_server() if tls else None) as box:
        yield box


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def secure(port: int, **login: Any) -> Server:
    return Server("localhost", port, "starttls", timeout_s=5, final_dot_timeout_s=5, **login)


@pytest.mark.usefixtures("trusted")
def test_a_message_leaves_over_starttls_after_the_log_in() -> None:
    with a_box() as box:
        assert isinstance(hand_over(secure(box.smtp_port, **LOGIN)), Published)
        assert isinstance(rehearse(secure(box.smtp_port, **LOGIN), sender="coordinator@example.org"), Published)
        assert [mail.raw for mail in box.mail.distributed()] == [MESSAGE]


def test_a_certificate_of_nobody_is_refused_before_the_log_in() -> None:
    with a_box() as box:
        outcome = hand_over(secure(box.smtp_port, **LOGIN))
        assert isinstance(outcome, Unavailable)
        assert "TLS" in outcome.reason
        assert box.mail.journal == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused() -> None:
    with a_box() as box:
        outcome = hand_over(Server("127.1", box.smtp_port, "starttls", **LOGIN, timeout_s=5))
        assert isinstance(outcome, Unavailable)
        assert "TLS" in outcome.reason


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("how", ["454", "501", "close", "reset"])
def test_encryption_that_fails_is_never_done_without(how: str) -> None:
    with a_box() as box:
        box.mail.fail("STARTTLS", how)
        assert isinstance(hand_over(secure(box.smtp_port, **LOGIN)), Unavailable)
        assert box.mail.journal == []


def test_a_server_without_encryption_does_not_get_the_password() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="PLAIN")) as server:
        outcome = hand_over(secure(server.port, **LOGIN))
        assert isinstance(outcome, Unavailable)
        assert "STARTTLS" in outcome.reason
        assert b"auth" not in server.received.lower()


@pytest.mark.usefixtures("trusted")
def test_what_was_said_before_the_encryption_counts_for_nothing() -> None:
    def act(visit: Visit) -> None:
        visit.say(b"220 x\r\n")
        visit.read_until(b"\r\n")
        visit.say(b"250-x\r\n250 STARTTLS\r\n")
        visit.read_until(b"STARTTLS\r\n")
        visit.say(b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n")
        visit.connection = tls_server().wrap_socket(visit.connection, server_side=True)
        visit.read()

    with RawServer(act) as server:
        assert isinstance(hand_over(secure(server.port, **LOGIN)), Unavailable)


# TLS from the first byte


def dialogue(visit: Visit, *, auth: str = "", said: bytes = b"235 welcome\r\n", end: bytes = b"250 ok\r\n") -> None:
    """Be a submission server that takes everything but, perhaps, the log-in."""
    visit.say(b"220 x\r\n")
    rules = {b"EHLO": b"250-x\r\n250 AUTH " + auth.encode() + b"\r\n" if auth else b"250 x\r\n", b"AUTH": said}
    while piece := visit.read():
        verb = piece[:4].upper()
        if piece.endswith(b"\r\n.\r\n"):
            visit.say(end)
        elif verb == b"DATA":
            visit.say(b"354 go\r\n")
            visit.read_until(b"\r\n.\r\n")
            visit.say(end)
        else:
            visit.say(rules.get(verb, b"250 ok\r\n"))


def over_tls(port: int, **login: Any) -> Server:
    return Server("localhost", port, "tls", timeout_s=5, final_dot_timeout_s=5, **login)


@pytest.mark.usefixtures("trusted")
def test_a_message_leaves_over_tls() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="PLAIN LOGIN"), tls=True) as server:
        assert isinstance(hand_over(over_tls(server.port, **LOGIN)), Published)
        assert server.received.count(b"AUTH PLAIN ") == 1


def test_over_tls_a_certificate_of_nobody_is_refused_too() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="PLAIN"), tls=True) as server:
        outcome = hand_over(over_tls(server.port, **LOGIN))
        assert isinstance(outcome, Unavailable)
        assert "TLS" in outcome.reason
        assert server.received == b""


def test_a_server_that_does_not_speak_tls_hears_no_word() -> None:
    with RawServer(lambda visit: visit.say(b"220 x\r\n")) as server:
        assert isinstance(hand_over(over_tls(server.port, **LOGIN)), Unavailable)
        assert b"EHLO" not in server.received.upper()


@pytest.mark.usefixtures("trusted")
def test_over_tls_a_drop_after_the_final_dot_is_in_doubt_and_one_before_is_not() -> None:
    for end, name in ((b"", "Unconfirmed"), (b"250 ok\r\n", "Published")):
        with RawServer(lambda visit, end=end: cut_after_the_dot(visit, end), tls=True) as server:  # type: ignore[misc]
            assert type(hand_over(over_tls(server.port))).__name__ == name
    with RawServer(lambda visit: cut_after_the_dot(visit, None), tls=True) as server:
        assert isinstance(hand_over(over_tls(server.port)), Unavailable)


def cut_after_the_dot(visit: Visit, end: bytes | None) -> None:
    """Take a mail and say `end` to it; None hangs up with the 354, in one packet, so that nothing comes between."""
    visit.say(b"220 x\r\n")
    for reply in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        visit.read()
        if end is None and reply.startswith(b"354"):
            visit.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        visit.say(reply)
    if end is not None:
        visit.read_until(b"\r\n.\r\n")
        visit.say(end)


# The log-in


def test_no_log_in_is_tried_without_a_user_name() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="PLAIN LOGIN")) as server:
        assert isinstance(
            hand_over(Server("127.0.0.1", server.port, "none", password=PASSWORD, timeout_s=5)), Published
        )
        assert b"AUTH" not in server.received


def test_a_server_that_wants_a_log_in_and_gets_none_refuses_the_sender() -> None:
    with a_box(tls=False) as box:
        outcome = hand_over(Server("127.0.0.1", box.smtp_port, "none", timeout_s=5))
        assert isinstance(outcome, Refused)
        assert "530 5.7.0 Authentication required" in outcome.reason


@pytest.mark.parametrize(
    ("how", "expected"),
    [("535", Unauthorized), ("534", Unauthorized), ("504", Unauthorized), ("454", Unavailable), ("421", Unavailable),
     ("close", Unavailable), ("reset", Unavailable)],
)  # fmt: skip
def test_a_log_in_that_is_refused_pauses_the_channel_and_trouble_does_not(how: str, expected: type) -> None:
    with a_box(tls=False) as box:
        box.mail.fail("AUTH", how)
        assert isinstance(hand_over(Server("127.0.0.1", box.smtp_port, "none", **LOGIN, timeout_s=5)), expected)


@pytest.mark.parametrize("offered", ["PLAIN LOGIN", "LOGIN PLAIN", "LOGIN", "CRAM-MD5 PLAIN LOGIN", "PLAIN"])
def test_a_wrong_password_is_tried_once(offered: str) -> None:
    with RawServer(lambda visit: dialogue(visit, auth=offered, said=b"535 5.7.8 no\r\n")) as server:
        assert isinstance(hand_over(Server("127.0.0.1", server.port, "none", **LOGIN, timeout_s=5)), Unauthorized)
        assert len(re.findall(rb"(?i)^AUTH ", server.received, re.MULTILINE)) == 1
        assert len(server.visits) == 1


def test_a_way_to_log_in_that_is_not_known_is_told() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="GSSAPI NTLM")) as server:
        outcome = hand_over(Server("127.0.0.1", server.port, "none", **LOGIN, timeout_s=5))
        assert isinstance(outcome, Unauthorized)
        assert "SMTP_USERNAME" in outcome.reason


def test_a_password_that_cannot_be_sent_is_told_without_it() -> None:
    with RawServer(lambda visit: dialogue(visit, auth="PLAIN")) as server:
        outcome = hand_over(Server("127.0.0.1", server.port, "none", username="c", password="pässword", timeout_s=5))
        assert isinstance(outcome, Unauthorized)
        assert "pässword" not in outcome.reason


CHALLENGES = [b"334 !!!\r\n", b"334 " + b"A" * 401 + b"\r\n", b"334 \r\n", b"999\r\n", b"what\r\n", b"250 ok\r\n"]


@pytest.mark.parametrize("said", CHALLENGES)
def test_a_log_in_that_goes_wrong_in_other_ways_is_worth_another_try(said: bytes) -> None:
    def act(visit: Visit) -> None:
        visit.say(b"220 x\r\n")
        visit.read()
        visit.say(b"250-x\r\n250 AUTH PLAIN LOGIN\r\n")
        while visit.read():
            visit.say(said)

    with RawServer(act) as server:
        assert isinstance(hand_over(Server("127.0.0.1", server.port, "none", **LOGIN, timeout_s=5)), Unavailable)


# The password


def forms() -> list[str]:
    plain = base64.b64encode(b"\0coordinator\0" + PASSWORD.encode()).decode()
    return [PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), plain]


SAID: list[Callable[[str], bytes]] = [
    lambda form: f"535 5.7.8 wrong: {form}\r\n".encode(),
    lambda form: f"454 later: {form}\r\n".encode(),
    lambda form: f"500 unrecognized command: AUTH PLAIN {form}\r\n".encode(),
    lambda form: f"{form}\r\n".encode(),
]


@pytest.mark.parametrize("say", SAID)
def test_a_password_that_the_server_echoes_goes_nowhere(
    say: Callable[[str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    for form in forms():
        for where in ("auth", "end"):
            replies = {"said": say(form)} if where == "auth" else {"end": say(form)}
            with RawServer(lambda visit, replies=replies: dialogue(visit, auth="PLAIN", **replies)) as server:  # type: ignore[misc]
                at = Server("127.0.0.1", server.port, "none", **LOGIN, timeout_s=5, final_dot_timeout_s=5)
                shown = repr(hand_over(at)) + repr(at) + caplog.text
                assert [form for form in forms() if form in shown] == []

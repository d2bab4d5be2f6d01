"""A look into a mailbox: it finds, changes nothing, ends in time whatever the server does, and never tells the password."""

import base64
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.mail.imap_mailbox import Look, Trouble, look_for, rehearse
from tests.channels.servers import CERTIFICATE, RawServer, Visit, a_closed_port, tls_server
from tests.mail.imap_server import (
    ANSWERS,
    HEAD,
    PASSWORD,
    ImapServer,
    a_server_that_says,
    an_account,
    dialogue,
    leading_to,
)

ID = "<1@x>"
QUICK_S = 0.15
_NO_LOG_IN = Look(trouble=Trouble("the log-in was refused", "Check IMAP_USERNAME and IMAP_PASSWORD."))


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def trouble_of(look: Look) -> str:
    assert look.trouble is not None, look
    return look.trouble.why


# Finding


def test_a_mail_is_found_by_its_id_with_its_place_and_its_time(mailbox: ImapServer) -> None:
    at = datetime(2026, 12, 1, 9, 0, 30, tzinfo=UTC) + timedelta(hours=5)
    mailbox.put(HEAD.replace(b"<1@x>", b"<2@x>") + b"another")
    mailbox.put(HEAD + b"body", at=at)
    look = look_for(mailbox.account(), ID)
    [copy] = look.copies
    assert (copy.folder, copy.received_at, copy.head) == ("INBOX", at, HEAD)
    assert copy.uid.isdecimal()
    assert copy.uid_validity.isdecimal()
    assert (look.folders, look.missing, look.trouble) == (("INBOX",), (), None)


def test_every_folder_that_is_named_is_looked_through(mailbox: ImapServer) -> None:
    for folder in ("Junk", "Liste für alle", 'Say "hi"', "Elsewhere"):
        mailbox.put(HEAD, folder)
    look = look_for(mailbox.account(folders=("INBOX", "Liste für alle", 'Say "hi"', "Junk")), ID)
    assert [copy.folder for copy in look.copies] == ["Liste für alle", 'Say "hi"', "Junk"]


def test_a_folder_that_is_not_there_is_told_and_keeps_no_other_from_answering(mailbox: ImapServer) -> None:
    mailbox.put(HEAD, "Junk")
    look = look_for(mailbox.account(folders=("Spam", "Junk")), ID)
    assert (look.folders, look.missing, look.trouble) == (("Junk",), ("Spam",), None)
    assert len(look.copies) == 1


def test_nothing_is_marked_moved_or_deleted(mailbox: ImapServer) -> None:
    mailbox.put(HEAD + b"body")
    with RawServer(leading_to(mailbox.port)) as between:
        assert look_for(mailbox.account(port=between.port), ID).copies
    verbs = [line.split(b" ", 1)[1] for line in between.received.splitlines()]
    assert [verb.split()[0] for verb in verbs] == [b"CAPABILITY", b"LOGIN", b"EXAMINE", b"UID", b"UID", b"LOGOUT"]
    assert b"BODY.PEEK[" in verbs[4]
    with mailbox.opened() as box:
        [mail] = box.fetch(mark_seen=False)
        assert mail.flags == ()


def test_a_head_of_any_size_is_read_to_a_limit(mailbox: ImapServer) -> None:
    mailbox.put(HEAD[:-2] + b"X-Long: " + b"x" * 300_000 + b"\r\n\r\nbody")
    [copy] = look_for(mailbox.account(), ID).copies
    assert len(copy.head) == 65_536


@pytest.mark.parametrize(
    "rest",
    [b"Subject: caf\xe9 \xff\xfe\r\n\r\n\xff", b"Content-Type: text/plain; charset=klingon\r\n\r\n\xe9", b"\r\n\r\n" + b"\0" * 9,
     b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n", b": no name\r\n not a head\r\n\r\nx", b"To: =?utf-8?b?!!?=\r\n\r\n"],
)  # fmt: skip
def test_a_broken_mail_is_found_like_any_other(mailbox: ImapServer, rest: bytes) -> None:
    mailbox.put(HEAD[:-2] + rest)
    assert len(look_for(mailbox.account(), ID).copies) == 1


def test_of_very_many_mails_the_newest_are_read() -> None:
    with a_server_that_says(search=b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(1, 5001)) + b"\r\n") as server:
        look = look_for(an_account(server.port), ID)
    assert [copy.uid for copy in look.copies] == [str(uid) for uid in range(4981, 5001)]


def test_where_the_server_says_the_time_last_it_is_read_too() -> None:
    last = b'* 1 FETCH (BODY[HEADER]<0> {%d}\r\n%s UID 4 INTERNALDATE " 1-Dec-2026 09:00:00 -0500")\r\n' % (
        len(HEAD),
        HEAD,
    )
    with a_server_that_says(fetch=last) as server:
        [copy] = look_for(an_account(server.port), ID).copies
    assert copy.received_at == datetime(2026, 12, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize("said", [b"yesterday", b"31-Feb-2026 09:00:00 +0000", b"01-Jan-0001 00:00:00 +2359", b"\xff"])
def test_a_time_that_is_none_is_left_out(said: bytes) -> None:
    answer = b'* 1 FETCH (UID 4 INTERNALDATE "%s" BODY[HEADER]<0> {%d}\r\n%s)\r\n' % (said, len(HEAD), HEAD)
    with a_server_that_says(fetch=answer) as server:
        [copy] = look_for(an_account(server.port), ID).copies
    assert copy.received_at is None


def test_a_connection_that_breaks_keeps_what_was_found_before(mailbox: ImapServer) -> None:
    mailbox.put(HEAD)
    with RawServer(leading_to(mailbox.port, most_lines=5)) as between:
        look = look_for(mailbox.account(port=between.port, folders=("INBOX", "Junk")), ID)
    assert (len(look.copies), look.folders) == (1, ("INBOX",))
    assert trouble_of(look) == "it could not be reached or broke off"


# Log-in


def test_a_wrong_password_is_tried_once_and_told(mailbox: ImapServer) -> None:
    with RawServer(leading_to(mailbox.port)) as between:
        assert look_for(mailbox.account(port=between.port, password="wrong"), ID) == _NO_LOG_IN
    assert between.received.upper().count(b" LOGIN ") == 1
    assert len(between.visits) == 1


@pytest.mark.parametrize("password", ['{5} "quoted" % and \\', "pässwörd"])
def test_a_password_of_any_characters_opens_the_mailbox(password: str) -> None:
    with ImapServer(password) as server:
        assert rehearse(server.account()) == Look(folders=("INBOX",))


@pytest.mark.parametrize("password", ["a\r\nX1 DELETE INBOX", "a\nb", "a\0b", "a\rb"])
def test_a_password_cannot_add_a_command(password: str) -> None:
    with a_server_that_says() as server:
        assert (
            trouble_of(rehearse(an_account(server.port, password=password)))
            == "the log-in holds characters that cannot be sent"
        )
    assert b"LOGIN" not in server.received


def test_a_server_without_plain_log_in_gets_the_other_kind() -> None:
    with a_server_that_says(
        capability=b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\n", authenticate=b"TAG NO no\r\n"
    ) as server:
        assert rehearse(an_account(server.port)) == _NO_LOG_IN
    assert b" AUTHENTICATE PLAIN\r\n" in server.received
    assert b" LOGIN " not in server.received


@pytest.mark.parametrize("code", [b"UNAVAILABLE", b"INUSE", b"LIMIT", b"SERVERBUG"])
def test_a_server_that_cannot_check_the_log_in_is_no_wrong_password(code: bytes) -> None:
    with a_server_that_says(login=b"TAG NO [" + code + b"] later\r\n") as server:
        assert trouble_of(rehearse(an_account(server.port))) == "the mail server cannot check the log-in now"


def forms() -> list[str]:
    plain = base64.b64encode(b"\0coordinator@example.org\0" + PASSWORD.encode()).decode()
    return [PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), plain]


@pytest.mark.parametrize("verb", ["login", "examine", "search", "fetch", "capability", "greeting"])
def test_a_password_that_the_server_echoes_goes_nowhere(verb: str, caplog: pytest.LogCaptureFixture) -> None:
    for form in forms():
        for said in (f"TAG NO {form}\r\n", f"* BYE {form}\r\n", f"{form}\r\n", f"TAG BAD {form}\r\n"):
            with a_server_that_says(**{verb: said.encode()}) as server:
                at = an_account(server.port, timeout_s=QUICK_S)
                shown = repr(look_for(at, ID)) + repr(at) + caplog.text
            assert [form for form in forms() if form in shown] == []


# Encryption


@pytest.mark.usefixtures("trusted")
def test_a_mailbox_is_read_over_tls(mailbox: ImapServer) -> None:
    mailbox.put(HEAD)
    with RawServer(leading_to(mailbox.port), tls=True) as between:
        look = look_for(mailbox.account(port=between.port, host="localhost", security="tls"), ID)
    assert len(look.copies) == 1


@pytest.mark.usefixtures("trusted")
def test_a_mailbox_is_read_over_starttls() -> None:
    with a_server_that_says() as server:
        assert look_for(an_account(server.port, host="localhost", security="starttls"), ID).copies
    assert server.received.index(b"STARTTLS") < server.received.index(b"LOGIN")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_nobody_is_refused_before_the_log_in(security: str) -> None:
    with RawServer(dialogue, tls=security == "tls") as server:
        look = look_for(an_account(server.port, host="localhost", security=security), ID)
    assert trouble_of(look) == "no secure connection could be made (TLS)"
    assert b"LOGIN" not in server.received


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_another_name_is_refused(security: str) -> None:
    with RawServer(dialogue, tls=security == "tls") as server:
        look = look_for(an_account(server.port, host="127.1", security=security), ID)
    assert trouble_of(look) == "no secure connection could be made (TLS)"
    assert b"LOGIN" not in server.received


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "said",
    [{"capability": b"* CAPABILITY IMAP4rev1\r\n"}, {"starttls": b"TAG NO no\r\n"}, {"starttls": b"TAG BAD no\r\n"},
     {"greeting": b"* PREAUTH ready\r\n"}],
)  # fmt: skip
def test_encryption_that_fails_is_never_done_without(said: dict[str, bytes]) -> None:
    with a_server_that_says(**said) as server:
        assert look_for(an_account(server.port, host="localhost", security="starttls"), ID).trouble
    assert b"LOGIN" not in server.received


def test_a_server_that_offers_no_encryption_is_told_so() -> None:
    with a_server_that_says(capability=b"* CAPABILITY IMAP4rev1\r\n") as server:
        look = rehearse(an_account(server.port, security="starttls"))
    assert look.trouble == Trouble("it does not offer what is asked of it (STARTTLS)", "Check IMAP_SECURITY.")


@pytest.mark.usefixtures("trusted")
def test_what_was_said_before_the_encryption_counts_for_nothing() -> None:
    def act(visit: Visit) -> None:
        visit.say(b"* OK ready\r\n")
        visit.read()
        tag = visit.received.split()[0]
        visit.say(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
        visit.read_until(b"STARTTLS\r\n")
        following = tag[:-1] + b"2"
        visit.say(tag[:-1] + b"1 OK go\r\n* CAPABILITY IMAP4rev1\r\n" + following + b" OK done\r\n")
        visit.connection = tls_server().wrap_socket(visit.connection, server_side=True)
        visit.linger()

    with RawServer(act) as server:
        look = look_for(an_account(server.port, host="localhost", security="starttls", timeout_s=QUICK_S), ID)
    assert trouble_of(look) == "no answer came in time"
    assert b"LOGIN" not in server.received


# Servers that are none


def bounded(port: int, **changes: object) -> Look:
    """Look, and see that it ends in the time of two answers."""
    begun = time.monotonic()
    look = look_for(an_account(port, timeout_s=QUICK_S, **changes), ID)
    assert time.monotonic() - begun < 2 * QUICK_S + 1.5
    return look


VERBS = sorted(set(ANSWERS) - {"starttls", "logout"})


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_falls_silent_is_left(verb: str) -> None:
    with a_server_that_says(**{verb: None}) as server:
        assert trouble_of(bounded(server.port)) == "no answer came in time"
    assert b"LOGOUT" not in server.received


def test_silence_at_the_goodbye_costs_nothing_that_was_found() -> None:
    with RawServer(lambda visit: dialogue(visit, logout=None)) as server:
        assert len(look_for(an_account(server.port, timeout_s=QUICK_S), ID).copies) == 1


def dripping(visit: Visit, start: bytes, drop: bytes) -> None:
    pause = threading.Event()
    visit.say(start)
    while True:
        visit.say(drop)
        pause.wait(0.02)


@pytest.mark.parametrize("drop", [b"x", b"* 1 EXISTS\r\n", b"* OK still here\r\n"])
@pytest.mark.parametrize("start", [b"", b"* OK ready\r\n", b"* OK ready\r\n* LIST {5000}\r\n"])
def test_a_server_that_drips_is_left_too(start: bytes, drop: bytes) -> None:
    with RawServer(lambda visit: dripping(visit, start, drop)) as server:
        assert bounded(server.port).trouble


def test_a_silent_tls_handshake_is_left() -> None:
    with RawServer() as server:
        assert trouble_of(bounded(server.port, security="tls")) == "no answer came in time"


def test_a_server_that_does_not_serve_now_is_told_so() -> None:
    with a_server_that_says(greeting=b"* BYE too many connections\r\n") as server:
        assert trouble_of(bounded(server.port)) == "it says that it does not serve now"


def flooding(visit: Visit, start: bytes, piece: bytes) -> None:
    visit.say(start)
    while True:
        visit.say(piece)


@pytest.mark.parametrize("piece", [b"x" * 4096, b"* 1 EXISTS\r\n" * 400, b"* SEARCH 1 2 3\r\n" * 400])
def test_a_flood_is_not_taken_in(piece: bytes) -> None:
    with RawServer(lambda visit: flooding(visit, b"* OK ready\r\n", piece)) as server:
        look = look_for(an_account(server.port, timeout_s=10), ID)
    assert trouble_of(look) == "it could not be reached or broke off"


@pytest.mark.parametrize("size", [b"99999999999999", b"4000001", b"9" * 5000])
def test_a_mail_that_claims_any_size_is_not_taken_in(size: bytes) -> None:
    with a_server_that_says(fetch=b"* 1 FETCH (UID 4 BODY[HEADER]<0> {" + size + b"}\r\n") as server:
        look = bounded(server.port)
    assert look.trouble
    assert look.copies == ()


def test_nobody_there_is_told() -> None:
    assert trouble_of(bounded(a_closed_port())) == "the connection was refused"
    assert trouble_of(bounded(993, host="fe80::1%nowhere")) == "there is no server of this name"


GARBAGE = [
    b"", b"\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example.org ESMTP\r\n", b"\0\xff\r\n", b"* \r\n", b"*\r\n",
    b"+ \r\n", b"* OK\r\n", b"TAG\r\n", b"TAG OK\r\n", b"TAG WHAT x\r\n", b"X9 OK done\r\n", b"* SEARCH \xff\xfe\r\nTAG OK x\r\n",
    b"* SEARCH one two\r\nTAG OK x\r\n", b"* SEARCH {3}\r\nabc\r\nTAG OK x\r\n", b"* OK [UIDVALIDITY {3}\r\nabc] x\r\nTAG OK x\r\n",
    b"* OK [UIDVALIDITY \xff] x\r\nTAG OK x\r\n", b"* 1 FETCH {3}\r\nabc\r\nTAG OK x\r\n", b"* 1 FETCH\r\nTAG OK x\r\n",
    b"* 1 FETCH ()\r\nTAG OK x\r\n", b"* CAPABILITY\r\nTAG OK x\r\n", b"* CAPABILITY \xff\r\nTAG OK x\r\n", b"* BYE \xff\r\n",
    b"TAG NO x\r\n", b"TAG BAD x\r\n", b"* OK [READ-ONLY] x\r\nTAG OK [READ-ONLY] x\r\n",
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_no_answer_raises(verb: str) -> None:
    for said in GARBAGE:
        with a_server_that_says(**{verb: said}) as server:
            look_for(an_account(server.port, timeout_s=0.02), ID)


@settings(max_examples=60, deadline=None)
@given(verb=st.sampled_from(VERBS), said=st.binary(max_size=60), is_tagged=st.booleans())
def test_no_bytes_raise(verb: str, said: bytes, is_tagged: bool) -> None:
    answer = b"* " + said + b"\r\n" + (b"TAG OK x\r\n" if is_tagged else b"")
    with a_server_that_says(**{verb: answer}) as server:
        look_for(an_account(server.port, timeout_s=0.02), ID)

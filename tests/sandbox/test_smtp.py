"""The SMTP dialogue: admission, encryption, and every way it can go wrong."""

import smtplib
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from outreach.sandbox import Sandbox

from .clients import PATIENCE_S, a_mail, submit, talk

VERBS = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"]


def connected(box: Sandbox) -> smtplib.SMTP:
    return smtplib.SMTP(box.smtp_host, box.smtp_port, timeout=PATIENCE_S)


def secured(tls: ssl.SSLContext | None = None) -> Sandbox:
    return Sandbox(smtp_credentials=("coordinator", "secret"), smtp_tls=tls)


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
def test_a_name_and_password_open_the_door(method: str) -> None:
    with secured() as box, connected(box) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = "coordinator", "secret"
        assert smtp.auth(method[5:].upper(), getattr(smtp, method)) == (235, b"2.7.0 Authentication successful")
        assert smtp.sendmail(box.member, [box.list_address], a_mail(box)) == {}


def test_a_wrong_password_does_not() -> None:
    with secured() as box, connected(box) as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.login("coordinator", "wrong")
    assert refused.value.smtp_code == 535


def test_without_authentication_there_is_no_mail() -> None:
    with secured() as box, pytest.raises(smtplib.SMTPSenderRefused) as refused:
        submit(box)
    assert refused.value.smtp_code == 530


def test_no_authentication_is_offered_where_none_is_needed(box: Sandbox) -> None:
    with connected(box) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        assert not smtp.has_extn("starttls")
        assert smtp.docmd("AUTH PLAIN x")[0] == 504
        assert smtp.docmd("STARTTLS")[0] == 502


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "cert.pem"),
    ]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return folder


def test_a_dialogue_can_be_encrypted(certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    client = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with secured(server) as box, connected(box) as smtp:
        smtp.starttls(context=client)
        smtp.login("coordinator", "secret")
        smtp.sendmail(box.member, [box.list_address], a_mail(box))
        assert len(box.mail.distributed()) == 1


def test_encryption_can_be_refused_or_cut(certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Sandbox(smtp_tls=server) as box:
        box.mail.fail("STARTTLS", "454")
        box.mail.fail("STARTTLS", "close")
        with connected(box) as smtp, pytest.raises(smtplib.SMTPResponseException):
            smtp.starttls()
        with pytest.raises(smtplib.SMTPServerDisconnected), connected(box) as smtp:
            smtp.starttls()


@pytest.mark.parametrize("code", ["451", "550"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_refused(box: Sandbox, verb: str, code: str) -> None:
    box.mail.fail(verb, code, times=None)
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refused:
        submit(box)
    assert code in str(refused.value)
    assert box.mail.distributed() == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_refusal_with_421_ends_the_connection(box: Sandbox, verb: str) -> None:
    box.mail.fail(verb, "421 4.3.2 Going down")
    with pytest.raises((smtplib.SMTPException, ConnectionError)):
        submit(box)
    opened = (
        "EHLO x",
        f"MAIL FROM:<{box.member}>",
        f"RCPT TO:<{box.list_address}>",
        "DATA",
        "Subject: x\r\n\r\n.",
        "NOOP",
    )
    box.mail.fail(verb, "421 4.3.2 Going down")
    received = talk(box.smtp_port, "\r\n".join([*opened, ""]).encode())
    assert received.splitlines()[-1] == b"421 4.3.2 Going down"


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("verb", [*VERBS, "BODY"])
def test_every_verb_can_end_the_connection(box: Sandbox, verb: str, how: str) -> None:
    box.mail.fail(verb, how)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        submit(box)
    assert box.mail.distributed() == []
    submit(box)
    assert len(box.mail.distributed()) == 1


@pytest.mark.parametrize("how", ["451", "550", "close"])
def test_authentication_can_go_wrong(how: str) -> None:
    with secured() as box:
        box.mail.fail("AUTH", how, times=2)
        with pytest.raises(smtplib.SMTPException), connected(box) as smtp:
            smtp.login("coordinator", "secret")


def test_a_connection_can_end_in_the_middle_of_the_body(box: Sandbox) -> None:
    box.mail.fail("BODY", "close-mid")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        submit(box)
    assert (box.mail.distributed(), box.mail.journal) == ([], [])


def test_a_mail_can_be_lost_after_its_final_dot(box: Sandbox) -> None:
    box.mail.fail("DOT", "close")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        submit(box)
    assert box.mail.distributed() == []
    assert [(line.outcome, line.reply) for line in box.mail.journal] == [("dropped", "")]


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_mail_can_be_distributed_although_nobody_says_so(box: Sandbox, how: str) -> None:
    box.mail.fail("DOT", how, keep=True)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        submit(box)
    assert len(box.mail.distributed()) == 1
    assert [(line.outcome, line.reply) for line in box.mail.journal] == [("distributed", "")]


def test_a_mail_can_be_distributed_although_it_is_refused(box: Sandbox) -> None:
    box.mail.fail(".", "451", keep=True)
    with pytest.raises(smtplib.SMTPDataError):
        submit(box)
    assert len(box.mail.distributed()) == 1


def test_a_mail_can_vanish_although_it_is_taken(box: Sandbox) -> None:
    box.mail.fail("DOT", "250 2.0.0 Of course")
    submit(box)
    assert (box.mail.distributed(), box.mail.journal[0].outcome) == ([], "dropped")


@pytest.mark.parametrize("keep", [True, False])
def test_a_hanging_answer_ends_when_released(box: Sandbox, keep: bool) -> None:
    box.mail.fail("DOT", "hang", keep=keep, delay_s=60)
    errors: list[BaseException] = []

    def client() -> None:
        with pytest.raises(smtplib.SMTPServerDisconnected) as lost:
            submit(box)
        errors.append(lost.value)

    thread = threading.Thread(target=client)
    thread.start()
    while thread.is_alive():
        box.release()
        thread.join(0.01)
    assert len(errors) == 1
    assert len(box.mail.distributed()) == int(keep)


def test_an_answer_can_be_late(box: Sandbox) -> None:
    box.mail.fail("DOT", "ok", delay_s=0.01)
    submit(box)
    assert len(box.mail.distributed()) == 1


def test_a_fault_waits_its_turn(box: Sandbox) -> None:
    box.mail.fail("RCPT", "451", after=1)
    submit(box)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(box)
    submit(box)
    assert len(box.mail.distributed()) == 2


@pytest.mark.parametrize(
    ("verb", "how", "keep"),
    [
        ("TALK", "close", False),
        ("DOT", "explode", False),
        ("DOT", "999", False),
        ("DATA", "close", True),
        ("DOT", "close-mid", False),
        ("BODY", "451", False),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(box: Sandbox, verb: str, how: str, keep: bool) -> None:
    with pytest.raises(ValueError):
        box.mail.fail(verb, how, keep=keep)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["NONSENSE"], "500"),
        (["MAIL FROM:<a@example.org>"], "503"),
        (["EHLO x", "RCPT TO:<a@example.org>"], "503"),
        (["EHLO x", "DATA"], "503"),
        (["EHLO x", "MAIL a@example.org"], "501"),
        (["EHLO x", "MAIL FROM:<a@example.org> SIZE=99999999"], "552"),
        (["EHLO x", "MAIL FROM:<a@example.org>", "MAIL FROM:<a@example.org>"], "503"),
        (["HELO x", "NOOP"], "250"),
        (["RSET"], "250"),
        (["VRFY someone"], "252"),
    ],
)
def test_commands_out_of_turn_are_answered_as_smtp_wants(box: Sandbox, lines: list[str], code: str) -> None:
    received = talk(box.smtp_port, "".join(f"{line}\r\n" for line in [*lines, "QUIT"]).encode()).decode()
    answers = [line for line in received.splitlines() if line[3:4] == " "]
    assert answers[-2].startswith(code)
    assert answers[-1].startswith("221")

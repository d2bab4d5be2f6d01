"""Handing one message to a submission server, each step of the dialogue by itself.

Everything up to the final dot may be tried again; an error between the final dot and its answer leaves open whether
the server kept the message, and so does silence there (RFC 5321 asks to wait ten minutes for it).
"""

import contextlib
import select
import smtplib
import ssl
from dataclasses import dataclass, field
from typing import Literal

from outreach.model import Outcome, Published, Refused, Unauthorized, Unavailable, Unconfirmed

FINAL_DOT_TIMEOUT_S = 600.0
_LAST_LOOK_S = 0.05


@dataclass(frozen=True)
class Server:
    """A submission server. No log-in is tried without a user name. Its `repr` shows no password."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 30.0
    final_dot_timeout_s: float = FINAL_DOT_TIMEOUT_S


class _Ended(Exception):
    """The dialogue ended early; the outcome says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def submit(server: Server, *, sender: str, recipient: str, message: bytes, message_id: str) -> Outcome:
    """Hand over one message for one recipient. Never tries twice; never raises for what the server does."""
    try:
        connection = _greeted(server)
        try:
            _envelope(connection, sender, recipient)
            return _data(connection, server, message, message_id)
        finally:
            _goodbye(connection)
    except _Ended as ended:
        return ended.outcome
    except (OSError, smtplib.SMTPException, UnicodeError) as trouble:
        return Unavailable(f"The mail server {server.host} could not be used: {_words(trouble)}.")


def rehearse(server: Server, *, sender: str) -> Outcome:
    """Go as far as naming the sender, and leave: finds out whether log-in and address are accepted."""
    try:
        connection = _greeted(server)
        try:
            _expect(connection.mail(sender), 250, f"the sender {sender}")
            return Published(message_id="")
        finally:
            _goodbye(connection)
    except _Ended as ended:
        return ended.outcome
    except (OSError, smtplib.SMTPException, UnicodeError) as trouble:
        return Unavailable(f"The mail server {server.host} could not be used: {_words(trouble)}.")


def _greeted(server: Server) -> smtplib.SMTP:
    connection = _connected(server)
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo_or_helo_if_needed()
        if server.username:
            _log_in(connection, server)
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(server: Server) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)


def _log_in(connection: smtplib.SMTP, server: Server) -> None:
    try:
        connection.login(server.username, server.password)
    except smtplib.SMTPNotSupportedError:
        reason = f"The mail server {server.host} offers no log-in, but SMTP_USERNAME is set."
        raise _Ended(Unauthorized(reason)) from None
    except smtplib.SMTPAuthenticationError as refused:
        code, said = refused.smtp_code, _decoded(refused.smtp_error)
        evidence = {"smtp_code": code}
        if 400 <= code < 500:
            raise _Ended(
                Unavailable(f"The mail server cannot check the log-in now ({code} {said}).", None, evidence)
            ) from None
        reason = f"The mail server refused the log-in ({code} {said}). Check SMTP_USERNAME and SMTP_PASSWORD."
        raise _Ended(Unauthorized(reason, evidence)) from None


def _envelope(connection: smtplib.SMTP, sender: str, recipient: str) -> None:
    _expect(connection.mail(sender), 250, f"the sender {sender}")
    _expect(connection.rcpt(recipient), 250, f"the list's address {recipient}")


def _expect(reply: tuple[int, bytes], wanted: int, what: str) -> None:
    code, said = reply
    if code == wanted or (wanted == 250 and code == 251):
        return
    sentence = f"The mail server did not accept {what} ({code} {_decoded(said)})."
    evidence = {"smtp_code": code, "smtp_text": _decoded(said)}
    raise _Ended(Refused(sentence, evidence) if 500 <= code < 600 else Unavailable(sentence, None, evidence))


def _data(connection: smtplib.SMTP, server: Server, message: bytes, message_id: str) -> Outcome:
    _expect(connection.docmd("DATA"), 354, "the message")
    connection.send(_with_doubled_dots(message))
    # Whatever the server says or does before the final dot, it has not got the message: look once more.
    if _has_spoken(connection):
        return _interrupted(connection)
    try:
        connection.send(b".\r\n")
        assert connection.sock is not None
        connection.sock.settimeout(server.final_dot_timeout_s)
        code, said = connection.getreply()
    except (OSError, smtplib.SMTPException) as trouble:
        return Unconfirmed(f"The mail server took the whole message, then {_words(trouble)}; the mail may be out.")
    return _answered(code, _decoded(said), message_id)


def _answered(code: int, said: str, message_id: str) -> Outcome:
    evidence = {"smtp_code": code, "smtp_text": said}
    if 200 <= code < 300:
        return Published(message_id=message_id, evidence=evidence)
    sentence = f"The mail server did not accept the message ({code} {said})."
    if 400 <= code < 500:
        return Unavailable(sentence, None, evidence)
    if 500 <= code < 600:
        return Refused(sentence, evidence)
    return Unconfirmed(
        f"The mail server gave an answer that means nothing ({code} {said}); the mail may be out.", evidence
    )


def _has_spoken(connection: smtplib.SMTP) -> bool:
    assert connection.sock is not None
    ready, _, _ = select.select([connection.sock], [], [], _LAST_LOOK_S)
    return bool(ready)


def _interrupted(connection: smtplib.SMTP) -> Outcome:
    try:
        code, said = connection.getreply()
    except (OSError, smtplib.SMTPException) as trouble:
        return Unavailable(f"The mail server broke off before the message was whole: {_words(trouble)}.")
    finally:
        connection.close()
    _expect((code, said), 354, "the message")
    return Unavailable("The mail server spoke out of turn before the message was whole.")


def _with_doubled_dots(message: bytes) -> bytes:
    """Prepare CRLF lines for DATA: a line that begins with a dot gets a second one, and the last line ends."""
    ended = message if message.endswith(b"\r\n") else message + b"\r\n"
    doubled = ended.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _goodbye(connection: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        if connection.sock is not None:
            connection.sock.settimeout(2.0)
            connection.quit()
    connection.close()


def _words(trouble: Exception) -> str:
    """Say what happened without quoting what an exception may hold of the dialogue."""
    match trouble:
        case smtplib.SMTPServerDisconnected():
            return "it broke off"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return f"it answered {code} {_decoded(said)}"
        case smtplib.SMTPNotSupportedError():
            return "it does not offer what is asked of it (STARTTLS)"
        case ssl.SSLError():
            return "no secure connection could be made (TLS)"
        case TimeoutError():
            return "no answer came in time"
        case ConnectionRefusedError():
            return "the connection was refused"
        case OSError():
            return "it could not be reached or broke off"
        case _:
            return "the dialogue failed"


def _decoded(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]

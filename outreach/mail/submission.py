"""Handing one message to a submission server, each step of the dialogue by itself.

Everything up to the final dot may be tried again; an error between the final dot and its answer leaves open whether
the server kept the message, and so does silence there (RFC 5321 asks to wait ten minutes for it).
"""

import base64
import contextlib
import io
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from outreach.channels._deadline import Reader, steady_s
from outreach.mail.signing import CannotSign, Signer
from outreach.model import HELD_UP, Outcome, Published, Refused, Unauthorized, Unavailable, Unconfirmed
from outreach.settings import Settings

FINAL_DOT_TIMEOUT_S = 600.0
_LAST_LOOK_S = 0.05
_GOODBYE_S = 2.0
_MOST_LINES = 200
_MOST_CHARS = 300
_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")  # smtplib would read another address out of one with odd characters
_HERE = (
    "[127.0.0.1]"  # what mail programs say: the machine's own name is nobody's business, and asking for it takes time
)


@dataclass(frozen=True)
class Server:
    """A submission server. No log-in is tried without a user name. Its `repr` shows no password.

    `timeout_s` is for each answer to be whole; the one to the final dot has a time of its own.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 30.0
    final_dot_timeout_s: float = FINAL_DOT_TIMEOUT_S
    signer: Signer | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build it from the `SMTP_*` and `DKIM_*` settings. Raises `BadInput` for a key that cannot be used."""
        return cls(
            host=settings.SMTP_HOST,
            port=settings.smtp_port,
            security=settings.SMTP_SECURITY,
            username=settings.SMTP_USERNAME,
            password=settings.SMTP_PASSWORD.get_secret_value(),
            timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
            signer=Signer.from_settings(settings),
        )

    def cleaned(self, said: bytes | str) -> str:
        """Make one line of what the server said, without the password in any form in which it was told it."""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        name, password = self.username.encode(), self.password.encode()
        forms = [base64.b64encode(form).decode() for form in (b"\0" + name + b"\0" + password, password)]
        for secret in (*forms, self.password):
            text = text.replace(secret, "…") if secret else text
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MOST_CHARS]


class _Ended(Exception):
    """The dialogue ended early; the outcome says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Mail:
    """One message for one recipient. `may_send` is asked right before the final dot; a no leaves the message unsent."""

    sender: str
    recipient: str
    message: bytes
    message_id: str
    may_send: Callable[[], bool] = lambda: True


def submit(server: Server, mail: Mail) -> Outcome:
    """Hand over one message, signed where a signer is set up. Never tries twice; never raises for what the server does."""
    for address in (mail.sender, mail.recipient):
        if not _ADDRESS.fullmatch(address):
            return Refused(f"Mail cannot be sent from or to {address!r}: check LISTSERV_SENDER and LISTSERV_ADDRESS.")
    try:
        leaving = replace(mail, message=server.signer.signed(mail.message)) if server.signer else mail
    except CannotSign as trouble:
        return Refused(f"The mail could not be signed ({trouble}): check the DKIM_* settings.")

    def talk(dialogue: "_Dialogue") -> Outcome:
        dialogue.name_sender(mail.sender)
        dialogue.name_recipient(mail.recipient)
        return dialogue.hand_over(leaving)

    return _with_dialogue(server, talk)


def rehearse(server: Server, *, sender: str) -> Outcome:
    """Go as far as naming the sender, and leave: finds out whether log-in and address are accepted."""

    def talk(dialogue: "_Dialogue") -> Outcome:
        dialogue.name_sender(sender)
        return Published(message_id="")

    return _with_dialogue(server, talk)


def _with_dialogue(server: Server, talk: "Callable[[_Dialogue], Outcome]") -> Outcome:
    dialogue = _Dialogue(server)
    try:
        dialogue.begin()
        return talk(dialogue)
    except _Ended as ended:
        return ended.outcome
    except (OSError, smtplib.SMTPException, ValueError) as trouble:
        return Unavailable(f"The mail server {server.host} could not be used: {_words(trouble, server)}.")
    finally:
        dialogue.end()


class _Client(smtplib.SMTP):
    """Reads answers under a deadline each, and only so many lines of one."""

    def __init__(self, server: Server, **more: Any) -> None:
        self.wait_s = server.timeout_s
        super().__init__(server.host, server.port, local_hostname=_HERE, timeout=server.timeout_s, **more)

    def send(self, s: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.wait_s)
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Lines(Reader(self.sock, 0.0))
        if isinstance(self.file, _Lines):
            self.file.begin(self.wait_s)
        return super().getreply()

    def has_spoken(self, within_s: float) -> bool:
        """Tell whether the server says something, or hangs up, without having been asked."""
        if not isinstance(self.file, _Lines):
            return True
        self.file.begin(within_s)
        try:
            self.file.peek()
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


class _SecureClient(_Client, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""

    def __init__(self, server: Server) -> None:
        # Without a context of ours smtplib checks no certificate.
        super().__init__(server, context=ssl.create_default_context())


class _Lines(io.BufferedReader):
    """The lines of one answer after the other."""

    raw: Reader

    def begin(self, wait_s: float) -> None:
        """Give the next answer so much time."""
        self.raw.until_s = steady_s() + wait_s
        self._lines_left = _MOST_LINES

    def readline(self, *args: Any) -> bytes:
        self._lines_left -= 1
        if self._lines_left < 0:
            raise OSError("the answer has too many lines")
        return super().readline(*args)


class _Dialogue:
    """One dialogue with a server, from the greeting to the goodbye."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: _Client | None = None

    @property
    def _at_work(self) -> _Client:
        assert self._client is not None
        return self._client

    def begin(self) -> None:
        """Connect, make it secure, log in."""
        client = self._client = (_SecureClient if self._server.security == "tls" else _Client)(self._server)
        client.ehlo_or_helo_if_needed()
        if self._server.security == "starttls":
            client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
        if self._server.username:
            self._log_in(client)

    def _log_in(self, client: _Client) -> None:
        """Try one way once: each further one would count as another wrong password."""
        client.user, client.password = self._server.username, self._server.password
        ways = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login, "CRAM-MD5": client.auth_cram_md5}
        offered = str(client.esmtp_features.get("auth", "")).upper().split()
        way = next((way for way in ways if way in offered), None)
        if way is None:
            raise _Ended(
                Unauthorized(f"The mail server {self._server.host} offers no log-in, but SMTP_USERNAME is set.")
            )
        try:
            client.auth(way, ways[way])  # type: ignore[arg-type]
        except UnicodeError:
            reason = "SMTP_USERNAME or SMTP_PASSWORD holds characters that the log-in cannot carry."
            raise _Ended(Unauthorized(reason)) from None
        except smtplib.SMTPAuthenticationError as refused:
            raise _Ended(self._not_let_in(refused)) from None

    def _not_let_in(self, refused: smtplib.SMTPAuthenticationError) -> Outcome:
        code, said = refused.smtp_code, self._server.cleaned(refused.smtp_error)
        evidence = {"smtp_code": code}
        if 500 <= code < 600:
            reason = f"The mail server refused the log-in ({code} {said}). Check SMTP_USERNAME and SMTP_PASSWORD."
            return Unauthorized(reason, evidence)
        return Unavailable(f"The mail server cannot check the log-in now ({code} {said}).", None, evidence)

    def name_sender(self, sender: str) -> None:
        """Open the envelope."""
        self._expect(self._at_work.mail(sender), (250, 251), f"the sender {sender}")

    def name_recipient(self, recipient: str) -> None:
        """Address the envelope."""
        self._expect(self._at_work.rcpt(recipient), (250, 251), f"the address {recipient}")

    def _expect(self, reply: tuple[int, bytes], wanted: tuple[int, ...], what: str) -> None:
        code, said = reply[0], self._server.cleaned(reply[1])
        if code in wanted:
            return
        sentence = f"The mail server did not accept {what} ({code} {said})."
        evidence = {"smtp_code": code, "smtp_text": said}
        raise _Ended(Refused(sentence, evidence) if 500 <= code < 600 else Unavailable(sentence, None, evidence))

    def hand_over(self, mail: Mail) -> Outcome:
        """Send the message, then its end, and hear what became of it."""
        client = self._at_work
        self._expect(client.docmd("DATA"), (354,), "the message")
        client.send(_with_doubled_dots(mail.message))
        # Whatever the server says or does before the final dot, it has not got the message: look once more.
        if client.has_spoken(_LAST_LOOK_S):
            return self._interrupted(client)
        if not mail.may_send():
            client.close()  # a message without its end is none
            return HELD_UP
        try:
            client.send(b".\r\n")
            client.wait_s = self._server.final_dot_timeout_s
            code, said = client.getreply()
        except (OSError, smtplib.SMTPException) as trouble:
            words = _words(trouble, self._server)
            return Unconfirmed(f"The mail server took the whole message, then {words}; the mail may be out.")
        finally:
            client.wait_s = self._server.timeout_s
        return _answered(code, self._server.cleaned(said), mail.message_id)

    def _interrupted(self, client: _Client) -> Outcome:
        try:
            reply = client.getreply()
        except (OSError, smtplib.SMTPException) as trouble:
            words = _words(trouble, self._server)
            return Unavailable(f"The mail server broke off before the message was whole: {words}.")
        finally:
            client.close()
        if 200 <= reply[0] < 300:
            return Unconfirmed("The mail server accepted the message before it was whole; the mail may be out.")
        self._expect(reply, (354,), "the message")
        return Unavailable("The mail server spoke out of turn before the message was whole.")

    def end(self) -> None:
        """Say goodbye where somebody may be listening."""
        if self._client is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
            if self._client.sock is not None:
                self._client.wait_s = _GOODBYE_S
                self._client.quit()
        self._client.close()


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


def _with_doubled_dots(message: bytes) -> bytes:
    """Prepare CRLF lines for DATA: a line that begins with a dot gets a second one, and the last line ends."""
    ended = message if message.endswith(b"\r\n") else message + b"\r\n"
    doubled = ended.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _words(trouble: Exception, server: Server) -> str:
    """Say what happened without quoting what an exception may hold of the dialogue."""
    match trouble:
        case smtplib.SMTPServerDisconnected():
            # smtplib makes one of a time-out, too.
            return "no answer came in time" if isinstance(trouble.__context__, TimeoutError) else "it broke off"
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return f"it answered {code} {server.cleaned(said)}"
        case smtplib.SMTPNotSupportedError():
            return "it does not offer what is asked of it (STARTTLS)"
        case ssl.SSLError():
            return "no secure connection could be made (TLS)"
        case TimeoutError():
            return "no answer came in time"
        case ConnectionRefusedError():
            return "the connection was refused"
        case ValueError():
            return "an address, or what it answered, cannot be used"
        case OSError():
            return "it could not be reached or broke off"
        case _:
            return "the dialogue failed"

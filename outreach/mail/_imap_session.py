"""One visit to a mailbox over IMAP, from the greeting to the goodbye: log in, open folders read-only, leave.

What went wrong is told in words of ours, since an answer may quote the password.
"""

import contextlib
import imaplib
import socket
import ssl
from dataclasses import dataclass, field

from imap_tools import BaseMailBox, ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from outreach.mail._imap import BoundedClient
from outreach.settings import Security

_ANSWERS = 2.0  # a whole look takes at most so many times what one answer may
_GOODBYE_S = 1.0
_NOT_NOW = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})  # RFC 5530: no word about the password
# Besides what the two libraries mean to raise, what they stumble over when an answer has another shape.
TROUBLE = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True)
class Account:
    """A mailbox and the folders of it to look into. Its `repr` shows no password. `timeout_s` is for one answer."""

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    folders: tuple[str, ...] = ("INBOX",)
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a mailbox could not be read, or not to its end: a part of a sentence; and what to do about it."""

    why: str
    next_step: str


class Ended(Exception):
    """The visit ended early; the trouble says why."""

    def __init__(self, why: str, next_step: str) -> None:
        super().__init__()
        self.trouble = Trouble(why, next_step)


class Session:
    """One visit to a mailbox, from the greeting to the goodbye."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._box: _Box | None = None

    @property
    def box(self) -> "_Box":
        """The library's mailbox, once the visit has begun."""
        assert self._box is not None
        return self._box

    def begin(self) -> None:
        """Connect, make it secure, log in."""
        box = self._box = _Box(self._account)
        if self._account.security == "starttls":
            if "STARTTLS" not in box.client.capabilities:
                raise Ended("it does not offer what is asked of it (STARTTLS)", "Check IMAP_SECURITY.")
            box.client.starttls(ssl.create_default_context())
        self._log_in(box)

    def _log_in(self, box: "_Box") -> None:
        """Try one way once: each further one would count as another wrong password."""
        name, password = self._account.username, self._account.password
        if not (name + password).isprintable():
            raise Ended("the log-in holds characters that cannot be sent", _CHECK_LOG_IN)
        is_simple = (name + password).isascii() and "LOGINDISABLED" not in box.client.capabilities
        try:
            (box.login if is_simple else box.login_utf8)(name, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, MailboxLoginError):
            if _NOT_NOW & box.client.untagged_responses.keys():
                raise Ended("the mail server cannot check the log-in now", "Try again later.") from None
            raise Ended("the log-in was refused", _CHECK_LOG_IN) from None

    def opens(self, folder: str) -> bool:
        """Open a folder without the right to change it (EXAMINE); False when the server has none of this name."""
        try:
            self.box.folder.set(folder, readonly=True)
        except MailboxFolderSelectError:
            return False
        return True

    def end(self, *, politely: bool) -> None:
        """Hang up, saying goodbye where somebody may be listening."""
        if self._box is None:
            return
        client = self._box.client
        if politely:
            with contextlib.suppress(*TROUBLE):
                client.allow(_GOODBYE_S)
                client.logout()
        client.shutdown()


_CHECK_LOG_IN = "Check IMAP_USERNAME and IMAP_PASSWORD."


class _Box(BaseMailBox):
    """The library's mailbox on a client that ends in time."""

    client: BoundedClient

    def __init__(self, account: Account) -> None:
        self._account = account
        super().__init__()

    def _get_mailbox_client(self) -> BoundedClient:
        of = self._account
        return BoundedClient(of.host, of.port, is_tls=of.security == "tls", within_s=_ANSWERS * of.timeout_s)


def in_words(trouble: Exception) -> str:
    """Say what happened without quoting what an exception may hold of the dialogue."""
    hidden = trouble.__context__ if isinstance(trouble, imaplib.IMAP4.abort) else None
    match hidden if isinstance(hidden, OSError) else trouble:
        case ssl.SSLError():
            return "no secure connection could be made (TLS)"
        case TimeoutError():
            return "no answer came in time"
        case ConnectionRefusedError():
            return "the connection was refused"
        case socket.gaierror():
            return "there is no server of this name"
        case imaplib.IMAP4.error(args=(bytes() as greeting, *_)) if greeting.upper().startswith(b"* BYE"):
            return "it says that it does not serve now"
        case OSError() | imaplib.IMAP4.abort():
            return "it could not be reached or broke off"
        case _:
            return "it answered what no mailbox does"

"""Looking into a mailbox over IMAP: folders are opened read-only, and nothing is marked, moved or deleted.

The server and the mails are untrusted: a look ends at its deadline and after so many bytes, whatever is said, and what
went wrong is told in words of ours, since an answer may quote the password.
"""

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from imap_tools import AND, BaseMailBox, H, ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from outreach.mail._imap import BoundedClient
from outreach.mail.sightings import Copy
from outreach.settings import Security

_ANSWERS = 2.0  # a whole look takes at most so many times what one answer may
_GOODBYE_S = 1.0
_HEAD_BYTES = 65_536
_MOST_COPIES = 20
_HEAD = f"(UID INTERNALDATE BODY.PEEK[HEADER]<0.{_HEAD_BYTES}>)"
_MOST_NEW = 12
_MAIL_BYTES = 300_000
_WHOLE = f"(UID INTERNALDATE BODY.PEEK[]<0.{_MAIL_BYTES}>)"
_RECEIVED = re.compile(rb'INTERNALDATE "([^"]{1,40})"')
_NOT_NOW = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})  # RFC 5530: no word about the password
# Besides what the two libraries mean to raise, what they stumble over when an answer has another shape.
_TROUBLE = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, LookupError, TypeError, AttributeError)


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


@dataclass(frozen=True, slots=True)
class Look:
    """What one look gave. `folders` were looked through; `missing` are not there; `trouble` ended it early."""

    copies: tuple[Copy, ...] = ()
    folders: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    trouble: Trouble | None = None


def look_for(account: Account, message_id: str) -> Look:
    """Give the mails whose Message-ID may be this one; the search of a server is not exact. Never raises."""
    return _visit(account, lambda session, folder: session.copies(folder, message_id))


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder was read: mails with a higher uid are new, as long as the server has not numbered them anew."""

    uid_validity: str
    uid: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail as it lies in a folder, from its beginning on, perhaps not to its end."""

    folder: str
    uid: int
    uid_validity: str
    received_at: datetime | None
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewMail:
    """What is new in a mailbox, oldest first in each folder. `places` are how far it was read now, by folder."""

    mails: tuple[Arrived, ...]
    places: Mapping[str, Place]
    missing: tuple[str, ...] = ()
    trouble: Trouble | None = None
    has_more: bool = False


def read_new(account: Account, places: Mapping[str, Place], *, since: datetime) -> NewMail:
    """Give the mails that came after `places`; of a folder that was not read before, those of `since`'s day and later.

    So many at most and of each so much; what finds no room is given the next time. Never raises, and never marks a mail.
    """
    mails: list[Arrived] = []
    read: dict[str, Place] = {}
    has_more = False

    def into(session: "_Session", folder: str) -> list[Copy]:
        nonlocal has_more
        found, place, is_cut = session.new_mails(folder, places.get(folder), since, room=_MOST_NEW - len(mails))
        mails.extend(found)
        read[folder] = place
        has_more = has_more or is_cut
        return []

    look = _visit(account, into)
    return NewMail(tuple(mails), {**places, **read}, look.missing, look.trouble, has_more)


def rehearse(account: Account) -> Look:
    """Log in and open each folder: finds out whether a look would work. Never raises."""
    return _visit(account, lambda _session, _folder: [])


def _visit(account: Account, read: "Callable[[_Session, str], list[Copy]]") -> Look:
    copies: list[Copy] = []
    folders, missing, trouble = [], [], None
    session = _Session(account)
    try:
        session.begin()
        for folder in account.folders:
            if session.opens(folder):
                copies += read(session, folder)
                folders.append(folder)
            else:
                missing.append(folder)
    except _Ended as ended:
        trouble = ended.trouble
    except _TROUBLE as met:
        trouble = Trouble(_words(met), "Check IMAP_HOST, IMAP_PORT and IMAP_SECURITY.")
    finally:
        session.end(politely=trouble is None)
    return Look(tuple(copies), tuple(folders), tuple(missing), trouble)


class _Ended(Exception):
    """The visit ended early; the trouble says why."""

    def __init__(self, why: str, next_step: str) -> None:
        super().__init__()
        self.trouble = Trouble(why, next_step)


class _Session:
    """One visit to a mailbox, from the greeting to the goodbye."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._box: _Box | None = None

    @property
    def _at_work(self) -> "_Box":
        assert self._box is not None
        return self._box

    def begin(self) -> None:
        """Connect, make it secure, log in."""
        box = self._box = _Box(self._account)
        if self._account.security == "starttls":
            if "STARTTLS" not in box.client.capabilities:
                raise _Ended("it does not offer what is asked of it (STARTTLS)", "Check IMAP_SECURITY.")
            box.client.starttls(ssl.create_default_context())
        self._log_in(box)

    def _log_in(self, box: "_Box") -> None:
        """Try one way once: each further one would count as another wrong password."""
        name, password = self._account.username, self._account.password
        if not (name + password).isprintable():
            raise _Ended("the log-in holds characters that cannot be sent", _CHECK_LOG_IN)
        is_simple = (name + password).isascii() and "LOGINDISABLED" not in box.client.capabilities
        try:
            (box.login if is_simple else box.login_utf8)(name, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, MailboxLoginError):
            if _NOT_NOW & box.client.untagged_responses.keys():
                raise _Ended("the mail server cannot check the log-in now", "Try again later.") from None
            raise _Ended("the log-in was refused", _CHECK_LOG_IN) from None

    def opens(self, folder: str) -> bool:
        """Open a folder without the right to change it (EXAMINE); False when the server has none of this name."""
        try:
            self._at_work.folder.set(folder, readonly=True)
        except MailboxFolderSelectError:
            return False
        return True

    def copies(self, folder: str, message_id: str) -> list[Copy]:
        """Give the mails of the open folder that the server finds under a Message-ID, the newest of very many."""
        box = self._at_work
        validity = b"".join(part for part in box.client.response("UIDVALIDITY")[1] if part)
        uids = box.uids(AND(header=H("Message-ID", message_id)), charset=None)
        found = [self._copy(folder, uid, validity.decode()[:20]) for uid in uids[-_MOST_COPIES:] if uid.isdecimal()]
        return [copy for copy in found if copy]

    def new_mails(
        self, folder: str, place: Place | None, since: datetime, *, room: int
    ) -> tuple[list[Arrived], Place, bool]:
        """Give the new mails of the open folder, how far it is read with them, and whether there are more."""
        box = self._at_work
        validity = b"".join(part for part in box.client.response("UIDVALIDITY")[1] if part).decode()[:20]
        if place is None or place.uid_validity != validity:
            # Searched for by the day before, too: a server counts days in a zone of its own.
            asked, last = f"SINCE {(since - timedelta(days=1)):%d-%b-%Y}", 0
        else:
            asked, last = f"UID {place.uid + 1}:*", place.uid  # "*" is the last one, even if that is not new
        uids = sorted({int(uid) for uid in box.uids(asked, charset=None) if uid.isdecimal() and int(uid) > last})
        found: list[Arrived] = []
        for uid in uids[: max(0, room)]:
            _, answer = box.client.uid("FETCH", str(uid), _WHOLE)
            raws = [part[1] for part in answer if isinstance(part, tuple)]
            around = b" ".join(part[0] if isinstance(part, tuple) else part or b"" for part in answer)
            if raws:  # none where it was deleted meanwhile
                found.append(Arrived(folder, uid, validity, _received_at(around), raws[0]))
            last = uid
        return found, Place(validity, last), len(uids) > room

    def _copy(self, folder: str, uid: str, validity: str) -> Copy | None:
        _, answer = self._at_work.client.uid("FETCH", uid, _HEAD)
        heads = [part[1] for part in answer if isinstance(part, tuple)]
        around = b" ".join(part[0] if isinstance(part, tuple) else part or b"" for part in answer)
        return Copy(folder, uid, validity, _received_at(around), heads[0]) if heads else None

    def end(self, *, politely: bool) -> None:
        """Hang up, saying goodbye where somebody may be listening."""
        if self._box is None:
            return
        client = self._box.client
        if politely:
            with contextlib.suppress(*_TROUBLE):
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


def _received_at(around: bytes) -> datetime | None:
    """Read when a mail came, before or behind its headers, as the server likes it."""
    found = _RECEIVED.search(around)
    try:
        said = found[1].decode("ascii").strip() if found else ""
        return datetime.strptime(said, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(trouble: Exception) -> str:
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

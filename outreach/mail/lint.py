"""Reading a stored message as a list server will: what in it would keep it from the list's members."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses

from outreach import markup
from outreach.model import Problem

_AGAIN = "Cancel the post and add its letter again."
# List servers drop, hold or refuse what carries these, or take them for their own.
_REFUSED = ("Precedence", "X-Loop", "Cc", "Bcc", "Disposition-Notification-To")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings of today say of every message: who sends it, to which list, and how long it may be."""

    sender: str
    recipient: str
    max_bytes: int


def check_message(message: str | None, message_id: str | None, *, wanted: Wanted) -> list[Problem]:
    """Name everything that is wrong with a stored message; a settings change since it was stored shows here, too."""
    try:
        raw = (message or "").encode("ascii")
        read = message_from_bytes(raw, policy=SMTP)
        assert isinstance(read, EmailMessage)
        return [*_size(raw, wanted), *_people(read, wanted), *_fields(read, message_id), *_text(read)]
    except (UnicodeError, MessageError, ValueError, LookupError, AttributeError, TypeError):
        return [Problem("The stored mail cannot be read.", _AGAIN)]


def _size(raw: bytes, wanted: Wanted) -> Iterator[Problem]:
    if len(raw) > wanted.max_bytes:
        yield Problem(
            f"The mail has {len(raw) / 1024:.1f} KB; the list takes {wanted.max_bytes / 1024:g} KB (LISTSERV_SIZE_KB).",
            "Shorten the letter, or link to the long part, and add it again.",
        )


def _people(read: EmailMessage, wanted: Wanted) -> Iterator[Problem]:
    to, sender = _addresses(read, "To"), _addresses(read, "From")
    if to != [wanted.recipient.lower()]:
        yield Problem(
            f"The stored mail is written to {_named(to)}, but LISTSERV_ADDRESS is {wanted.recipient}.", _AGAIN
        )
    if sender != [wanted.sender.lower()]:
        yield Problem(f"The stored mail is from {_named(sender)}, but LISTSERV_SENDER is {wanted.sender}.", _AGAIN)


def _addresses(read: EmailMessage, field: str) -> list[str]:
    return [address.lower() for _, address in getaddresses([str(value) for value in read.get_all(field, [])])]


def _named(addresses: list[str]) -> str:
    return " and ".join(addresses) or "nobody"


def _fields(read: EmailMessage, message_id: str | None) -> Iterator[Problem]:
    if not str(read.get("Subject", "")).strip():
        yield Problem("The stored mail has no subject, so the list server may hold it.", _AGAIN)
    if message_id is None or str(read.get("Message-ID", "")).strip() != message_id:
        yield Problem("The stored mail has another Message-ID than the one that is looked for.", _AGAIN)
    for name, value in read.items():
        is_automatic = name.lower() == "auto-submitted" and str(value).strip().lower() != "no"
        if is_automatic or name.lower().startswith("list-") or name.title() in _REFUSED:
            yield Problem(f"The stored mail has a field {name}, for which a list server may drop it.", _AGAIN)


def _text(read: EmailMessage) -> Iterator[Problem]:
    plain = read.get_body(("plain",))
    if plain is None:
        yield Problem("The stored mail has no plain text, so the list server may refuse it.", _AGAIN)
        return
    line = markup.command_line(str(read.get("Subject", "")), plain.get_content())
    if line is not None:
        yield Problem(
            f"A list server may read this line of the mail as a command and not send it: {line!r}.",
            "Put more words on the line, or move it further down, and add the letter again.",
        )

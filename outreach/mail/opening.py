"""Opening a message as a reader's mail program does: its subject, who it is from, its plain text, and its HTML alone."""

import base64
import re
from dataclasses import dataclass
from email import message_from_string
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import SMTP

_CID = re.compile(r"""(src=["'])cid:([^"'>\s]+)(["'])""")
_END_OF_HEAD = re.compile(r"\r?\n\r?\n")
_UNREADABLE = (MessageError, ValueError, LookupError, AttributeError, TypeError)
_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as it is read. `html` has its pictures inside; it is what the message holds, and to be shown in a cage."""

    subject: str
    sender: str
    recipient: str
    message_id: str
    text: str
    html: str
    size: int
    pictures: int


def subject_of(message: str) -> str | None:
    """Read the subject alone, whatever the rest is, which can be megabytes; None where it cannot be read."""
    head = _END_OF_HEAD.split(message, maxsplit=1)[0]
    try:
        return _in_one_line(message_from_string(head, policy=SMTP), "Subject")
    except _UNREADABLE:
        return None


def opened(message: str) -> Opened | None:
    """Open a message; None for one that cannot be read."""
    try:
        read = message_from_string(message, policy=SMTP)
        assert isinstance(read, EmailMessage)
        pictures = _pictures(read)
        fields = [_in_one_line(read, name) for name in ("Subject", "From", "To", "Message-ID")]
        subject, sender, recipient, message_id = fields
        html = _with_pictures(_body(read, "html"), pictures)
    except _UNREADABLE:
        return None
    size = len(message.encode("utf-8", "surrogatepass"))
    return Opened(subject, sender, recipient, message_id, _body(read, "plain"), html, size, len(pictures))


def _in_one_line(read: Message, name: str) -> str:
    return " ".join(str(read.get(name, "")).split())


def _body(read: EmailMessage, kind: str) -> str:
    part = read.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _pictures(read: EmailMessage) -> dict[str, str]:
    """Give the pictures inside as `data:` addresses, by the reference that the HTML uses."""
    found = {}
    for part in read.walk():
        kind, place = part.get_content_type(), str(part.get("Content-ID", "")).strip().strip("<>")
        data = part.get_payload(decode=True) if kind in _SHOWN and place else None
        if isinstance(data, bytes):
            found[place] = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return found


def _with_pictures(html: str, pictures: dict[str, str]) -> str:
    return _CID.sub(lambda found: f"{found[1]}{pictures.get(found[2], '')}{found[3]}", html)

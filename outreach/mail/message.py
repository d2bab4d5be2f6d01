"""Building the message of a list post: the same bytes whenever it is built, but for its `Date`.

What stands in it, and what must not (`Auto-Submitted`, `Precedence`, `List-*`), follows from how list servers treat a
post: several drop in silence what looks automatic.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class InlinePicture:
    """A picture inside the message. `place` is the reference that the HTML part uses; `alt` None is decorative."""

    place: str
    file: str
    subtype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message is made of. `sender` may carry a display name; `identity` is hexadecimal and belongs to it alone."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    identity: str
    date: datetime
    pictures: Sequence[InlinePicture] = ()


def message_id(identity: str, domain: str) -> str:
    """Give the Message-ID of a post: fixed before the first attempt and the same on every retry."""
    return f"<{identity}@{domain}>"


def build(parts: Parts, *, domain: str) -> bytes:
    """Build a whole message in ASCII with CRLF line ends: multipart/alternative, the plain text first."""
    message = EmailMessage(policy=_POLICY)
    message["Date"] = format_datetime(parts.date)
    message["From"] = parts.sender
    message["To"] = parts.recipient
    message["Subject"] = parts.subject
    message["Message-ID"] = message_id(parts.identity, domain)
    message.set_content(parts.text, cte=_encoding(parts.text))
    message.add_alternative(parts.html, subtype="html", cte=_encoding(parts.html))
    _add_pictures(message, parts)
    _fix_boundaries(message, parts.identity)
    return message.as_bytes()


def _encoding(text: str) -> str:
    is_simple = text.isascii() and all(len(line) <= 900 for line in text.splitlines())
    return "7bit" if is_simple else "quoted-printable"


def _add_pictures(message: EmailMessage, parts: Parts) -> None:
    html = message.get_payload()[1]  # type: ignore[index]
    for picture in parts.pictures:
        html.add_related(  # type: ignore[union-attr]
            picture.data,
            "image",
            picture.subtype,
            cid=f"<{picture.place}>",
            filename=picture.file,
            disposition="inline",
        )


def _fix_boundaries(message: EmailMessage, identity: str) -> None:
    multiparts = [part for part in message.walk() if part.is_multipart()]
    for place, part in enumerate(multiparts):
        part.set_boundary(f"=_{identity[:24]}_{place}")


_DATE_LINE = re.compile(rb"(?im)\ADate:[^\r\n]*\r\n|(?<=\r\n)Date:[^\r\n]*\r\n")


def with_date(message: bytes, at: datetime) -> bytes:
    """Give the message with its `Date` set to an instant; every other byte stays."""
    header, blank, body = message.partition(b"\r\n\r\n")
    line = f"Date: {format_datetime(at)}\r\n".encode("ascii")
    return _DATE_LINE.sub(line, header + b"\r\n", count=1) + blank[2:] + body

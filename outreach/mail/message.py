"""Building the message of a list post: the same bytes whenever it is built, but for its `Date`.

What stands in it, and what must not (`Auto-Submitted`, `Precedence`, `List-*`), follows from how list servers treat a
post: several drop in silence what looks automatic.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, quote

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class InlinePicture:
    """A picture inside the message. `place` is the reference that the HTML part uses."""

    place: str
    file: str
    subtype: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message is made of. `sender_name` may be empty; `identity` is hexadecimal and belongs to it alone.
    `references` are the Message-IDs that it stands below, that which it answers the last.
    """

    sender: str
    sender_name: str
    recipient: str
    subject: str
    text: str
    html: str
    identity: str
    date: datetime
    pictures: Sequence[InlinePicture] = ()
    references: Sequence[str] = ()
    calendar: str | None = None


def message_id(identity: str, domain: str) -> str:
    """Give the Message-ID of a post: fixed before the first attempt and the same on every retry."""
    return f"<{identity}@{domain}>"


def build(parts: Parts, *, domain: str) -> bytes:
    """Build a whole message in ASCII with CRLF line ends: multipart/alternative, the plain text first."""
    message = EmailMessage(policy=_POLICY)
    message.set_content(parts.text, cte=_encoding(parts.text))
    message.add_alternative(parts.html, subtype="html", cte=_encoding(parts.html))
    _add_pictures(message, parts)
    if parts.calendar is not None:
        message.add_attachment(
            parts.calendar, subtype="calendar", params={"method": "PUBLISH"}, filename="event.ics", cte="base64"
        )
    _fix_boundaries(message, parts.identity)
    return _head(parts, domain).encode("ascii") + message.as_bytes()


def build_plain(parts: Parts, *, domain: str) -> bytes:
    """Build a message of plain text alone, as the commands of list servers want it."""
    message = EmailMessage(policy=_POLICY)
    message.set_content(parts.text, cte=_encoding(parts.text))
    return _head(parts, domain).encode("ascii") + message.as_bytes()


def _head(parts: Parts, domain: str) -> str:
    fields = {
        "Date": format_datetime(parts.date),
        "From": _mailbox(parts.sender_name, parts.sender),
        "To": f"<{parts.recipient}>",  # SpamAssassin counts a point against one picture and no brackets
        "Subject": _in_words(parts.subject),
        "Message-ID": message_id(parts.identity, domain),
    }
    if parts.references:
        fields |= {"In-Reply-To": parts.references[-1], "References": "\r\n ".join(parts.references[-_MOST_ABOVE:])}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())


_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_LINE = 66  # with the longest name of a field in front, a line stays under 78
_LONGEST_WORD = 900
_WORD_BYTES = 39
_MOST_ABOVE = 20


def _mailbox(name: str, address: str) -> str:
    if not name:
        return address
    fold = " " if len(name) + len(address) < _LINE else "\r\n "
    if not _is_plain(name):
        return f"{_encoded(name)}{fold}<{address}>"
    is_bare = re.fullmatch("[A-Za-z0-9 ]+", name) is not None
    shown = name if is_bare else f'"{quote(name)}"'
    return f"{shown}{fold}<{address}>"


def _in_words(text: str) -> str:
    """Write a text so that it is read exactly as it was: the standard library loses blanks of some when it folds them."""
    return _folded(text) if _is_plain(text) else _encoded(text)


def _folded(text: str) -> str:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _LINE:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _is_plain(text: str) -> bool:
    has_short_words = max(map(len, text.split(" "))) <= _LONGEST_WORD
    return has_short_words and "=?" not in text and _PLAIN.fullmatch(text) is not None


def _encoded(text: str) -> str:
    """Write encoded words (RFC 2047), one a line; blanks between two of them mean nothing, so none gets lost."""
    words, word = [], b""
    for character in text:
        added = character.encode()
        if len(word) + len(added) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += added
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in [*words, word])


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

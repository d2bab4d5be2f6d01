"""A mail from a mailbox, taken apart as far as it can be: untrusted, perhaps broken, perhaps made to do harm. Never raises."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32
from functools import cached_property
from html import unescape

from outreach.mail.sightings import read_head

MOST_BYTES = 2_000_000
"""Of a longer mail only the beginning is read."""

_MOST_PARTS = 200
_DEEPEST = 30
_MOST_TEXT = 200_000
_LONGEST_HEADER = 5_000
_PARSER = BytesParser(policy=compat32)  # the newer policy raises for some headers that are broken
_HEADS = ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
_ENCLOSED = ("message/rfc822", "message/global")
_STATUS = ("message/delivery-status", "message/global-delivery-status")
_BLOCK_END = re.compile(r"(?i)<(br|/p|/div|/tr|/h\d|/li)\b[^<>]{0,200}>")
_ID = re.compile(r"<[^<>\s]{3,900}>")


@dataclass(frozen=True)
class Mail:
    """A mail in parts: its head, its own words, the heads of mails inside it, and what reports in it say, field by field."""

    head: Message
    words: str = ""
    inside: tuple[Message, ...] = ()
    statuses: tuple[Message, ...] = ()
    receipts: tuple[Message, ...] = ()
    is_report: bool = False
    bodies: tuple[str, ...] = field(default=(), repr=False)
    """The texts of the mails inside it, as far as they have any."""

    @cached_property
    def subject(self) -> str:
        """Its subject in plain letters, on one line."""
        return plain(header(self.head, "Subject"))

    @cached_property
    def message_ids(self) -> frozenset[str]:
        """Its own Message-IDs; more than one where it is broken."""
        return ids_of(self.head)


def open_mail(raw: bytes) -> Mail:
    """Take a mail apart."""
    raw = raw[:MOST_BYTES]
    try:
        parsed = _PARSER.parsebytes(raw)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Mail(read_head(raw))
    words: list[str] = []
    inside: list[Message] = []
    bodies: list[str] = []
    statuses: list[Message] = []
    receipts: list[Message] = []
    is_report = False
    for part in _parts(parsed):
        kind = _kind(part)
        is_report = is_report or kind == "multipart/report"
        if kind in _ENCLOSED:
            enclosed = part.get_payload()
            first = enclosed[0] if isinstance(enclosed, list) and enclosed else None
            if isinstance(first, Message):
                inside.append(first)
                bodies.append(_text_of(first))
        elif kind in _HEADS:
            inside.append(_head_in(part))
        elif kind in _STATUS:
            statuses += _blocks(part)
        elif kind == "message/disposition-notification":
            receipts += _blocks(part) or [_HEAD_PARSER.parsestr(_decoded(part))]
        elif kind.startswith("text/") and "attachment" not in str(part.get("Content-Disposition", "")).lower():
            words.append(_shown(part))
    own = "\n".join(words)[:_MOST_TEXT]
    return Mail(
        parsed, own, tuple(inside), tuple(statuses), tuple(receipts), is_report or bool(statuses), tuple(bodies)
    )


def text_in(raw: bytes) -> str:
    """Give the text of a file that is one, or a mail that was saved."""
    if _A_MAIL.match(raw[:2000]):
        return open_mail(raw).words
    for charset in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "cp1252"):
        try:
            return raw.decode(charset)
        except ValueError:
            continue
    return raw.decode("latin-1")


_A_MAIL = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]{1,76}:[^\n]*\n(?:[ \t][^\n]*\n)*){3}", re.ASCII)
_HEAD_PARSER = HeaderParser(policy=compat32)


def _parts(mail: Message) -> Iterator[Message]:
    """Give its parts in their order, not those of mails inside it; so many at most, and so deep."""
    waiting: list[tuple[Message, int]] = [(mail, 0)]
    given = 0
    while waiting and given < _MOST_PARTS:
        part, depth = waiting.pop()
        given += 1
        yield part
        payload = part.get_payload()
        if _kind(part).startswith("multipart/") and isinstance(payload, list) and depth < _DEEPEST:
            waiting += [(below, depth + 1) for below in reversed(payload) if isinstance(below, Message)]


def _head_in(part: Message) -> Message:
    """Read a head that is all there is of a mail; the parser has read it already where its type is one of messages."""
    payload = part.get_payload()
    first = payload[0] if isinstance(payload, list) and payload else None
    return first if isinstance(first, Message) else _HEAD_PARSER.parsestr(_decoded(part))


def _kind(part: Message) -> str:
    try:
        return part.get_content_type()
    except (ValueError, TypeError, AttributeError, LookupError):
        return "text/plain"


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    return [_HEAD_PARSER.parsestr(block) for block in re.split(r"\r?\n\r?\n", _decoded(part)) if block.strip()]


def _text_of(mail: Message) -> str:
    plain_parts = [part for part in _parts(mail) if _kind(part) == "text/plain"]
    shown = plain_parts or [part for part in _parts(mail) if _kind(part) == "text/html"]
    return "\n".join(_shown(part) for part in shown)[:_MOST_TEXT]


def body_of(mail: Mail) -> str:
    """Give the text that a reader of this mail sees."""
    return _text_of(mail.head)


def _shown(part: Message) -> str:
    text = _decoded(part)
    if _kind(part) != "text/html":
        return text
    import nh3  # start-up time: few notices are HTML

    # A library takes the tags away in one pass; patterns of one's own can be made to go over a text again and again.
    return unescape(
        nh3.clean(_BLOCK_END.sub("\n", text[:_MOST_TEXT]), tags=set(), clean_content_tags={"script", "style"})
    )


def _decoded(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, TypeError, AttributeError, LookupError):
        payload = None
    if not isinstance(payload, bytes):
        raw = part.get_payload()
        return raw if isinstance(raw, str) else ""
    payload = payload[:MOST_BYTES]
    named = part.get_param("charset")
    for charset in (named if isinstance(named, str) and _is_usual(named) else "utf-8", "utf-8"):
        try:
            return payload.decode(charset.strip("\"' "))
        except (ValueError, LookupError):
            continue
    return payload.decode("latin-1")


def _is_usual(charset: str) -> bool:
    """Tell whether a charset is one of letters: some of Python's codecs are programs, and slow ones."""
    return bool(re.fullmatch(r"(?i)(utf-?(8|16|32)(-?[lb]e)?|us-ascii|ascii|iso-?8859-?\d+|latin-?\d|windows-\d+|cp\d+|koi8-[ru]|"
                             r"euc-(jp|kr)|iso-2022-(jp|kr)|shift_jis|gb2312|gbk|gb18030|big5)", charset.strip("\"' ")))  # fmt: skip


def header(head: Message, name: str) -> str:
    """Give a header in plain letters, folded lines joined; empty when it is not there."""
    try:
        return in_letters(str(head.get(name, ""))[:_LONGEST_HEADER])
    except (ValueError, LookupError, TypeError, AttributeError, MessageError):
        return ""


def in_letters(value: str) -> str:
    """Give a value of a header with its encoded words in plain letters."""
    try:
        pieces = decode_header(value)
    except (ValueError, MessageError):
        return value
    read = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            read.append(piece)
            continue
        try:
            read.append(piece.decode(charset if charset and _is_usual(charset) else "utf-8"))
        except (ValueError, LookupError):
            read.append(piece.decode("latin-1"))
    return "".join(read)


def plain(text: str) -> str:
    """Give a text on one line, with one space where there were more."""
    return " ".join(text.split())


def ids_of(head: Message) -> frozenset[str]:
    """Give the Message-IDs a head carries as its own."""
    values = [str(value) for value in head.get_all("Message-ID", [])]
    return frozenset(found for value in values for found in _ID.findall(value))

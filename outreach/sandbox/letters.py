"""Raw mails as bytes: reading their headers, adding some, leaving the body untouched."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import getaddresses, parseaddr

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_PARSER = BytesHeaderParser(policy=default)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was submitted. `list` is the address it is meant for."""

    list: str
    message_id: str
    subject: str
    raw: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Heads:
    """The headers that list servers look at; addresses in lower case."""

    sender: str
    recipients: frozenset[str]
    subject: str
    message_id: str
    list_posts: tuple[str, ...]
    wants_no_notice: bool


def read_heads(raw: bytes) -> Heads:
    """Read the headers of a mail, however broken it is."""
    message = _PARSER.parsebytes(raw)
    recipients = getaddresses([str(value) for name in ("To", "Cc") for value in message.get_all(name, [])])
    automatic = str(message.get("Auto-Submitted", "no")).strip().lower()
    return Heads(
        sender=parseaddr(str(message.get("From", "")))[1].lower(),
        recipients=frozenset(address.lower() for _, address in recipients if address),
        subject=str(message.get("Subject", "")).strip(),
        message_id=str(message.get("Message-ID", "")).strip(),
        list_posts=tuple(str(value).lower() for value in message.get_all("List-Post", [])),
        wants_no_notice=automatic != "no" or str(message.get("X-Ack", "")).strip().lower() == "no",
    )


def header_text(raw: bytes, name: str) -> str:
    """Return one header decoded, empty when absent."""
    return str(_PARSER.parsebytes(raw).get(name, ""))


def body_bytes(raw: bytes) -> bytes:
    """Return what follows the first empty line."""
    end = _END_OF_HEADERS.search(raw)
    return raw[end.end() :] if end else b""


def body_digest(raw: bytes) -> str:
    """Return a checksum of the body alone."""
    return hashlib.sha256(body_bytes(raw)).hexdigest()


def plain_text(raw: bytes) -> str:
    """Return the text part a person reads, or an empty string."""
    message = message_from_bytes(raw, policy=default)
    part = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def with_list_marks(raw: bytes, *, prefix: str, marks: dict[str, str]) -> bytes:
    """Return a copy as members get it: subject prefixed, marks added, every other byte as it was."""
    end = _END_OF_HEADERS.search(raw)
    heads, rest = (raw[: end.start()], raw[end.start() :]) if end else (raw.rstrip(b"\r\n"), b"\r\n\r\n")
    added = "".join(f"\r\n{name}: {value}" for name, value in marks.items()).encode()
    return _prefixed(heads, prefix.encode()) + added + rest


def _prefixed(heads: bytes, prefix: bytes) -> bytes:
    subject = re.search(rb"^subject:[ \t]*", heads, re.IGNORECASE | re.MULTILINE)
    if subject is None:
        return heads + b"\r\nSubject: " + prefix + b"(no subject)"
    if prefix.strip() in heads[subject.end() :].split(b"\n", 1)[0]:
        return heads
    return heads[: subject.end()] + prefix + heads[subject.end() :]

"""What a mail in a mailbox says about a post: pure rules over its headers, which are untrusted input."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from enum import StrEnum
from urllib.parse import unquote, urlsplit

# The older policy: the newer one parses each header and raises for some that are broken.
_PARSER = BytesHeaderParser(policy=compat32)
_NAMES_THE_LIST = ("List-Post", "X-BeenThere", "X-Loop", "Mailing-List")
_COMES_FROM_THE_LIST = ("Return-Path", "Sender")
_SENT_TO = ("Delivered-To", "X-Original-To", "Envelope-To")
# The addresses a list server sends from: the list's own, with a role, or with the recipient's address inside (VERP).
_ROLES = re.compile(r"(-(bounces?|owner|request|admin|errors|return))?([+*=].*)?", re.DOTALL)
_BETWEEN_ADDRESSES = re.compile(r"[\s<>(),;:?\"]+")
_LONGEST_ADDRESS = 2000
_AT_LAST = datetime.max.replace(tzinfo=UTC)


class Sighting(StrEnum):
    """What one mail proves about one post."""

    DISTRIBUTED = "distributed"
    OWN_COPY = "own-copy"
    UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail as it lies in a folder: where, since when, and its raw headers, perhaps not all of them."""

    folder: str
    uid: str
    uid_validity: str
    received_at: datetime | None
    head: bytes


@dataclass(frozen=True, slots=True)
class ListMail:
    """What a mail has to carry to be a list's copy of our post: our Message-ID and a mark of the list."""

    message_id: str
    list_address: str


def read_head(raw: bytes) -> Message:
    """Read the headers of a mail, however broken; what follows them is left alone."""
    return _PARSER.parsebytes(raw)


def what_it_proves(head: Message, wanted: ListMail) -> Sighting:
    """Judge one mail. The id alone proves nothing: the copy in the Sent folder carries it, too, and so may a forged mail."""
    if wanted.message_id not in (value.strip() for value in _values(head, "Message-ID")):
        return Sighting.UNRELATED
    return Sighting.DISTRIBUTED if list_marks(head, wanted.list_address) else Sighting.OWN_COPY


def list_marks(head: Message, list_address: str) -> tuple[str, ...]:
    """Name the headers that show that a mail came through the list."""
    address = list_address.lower()
    local, _, host = address.rpartition("@")
    marks = ["List-Id"] if any(f"<{local}.{host}>" in value.lower() for value in _values(head, "List-Id")) else []
    marks += [name for name in _NAMES_THE_LIST if address in _addresses(head, name)]
    marks += [
        name for name in _COMES_FROM_THE_LIST if any(is_address_of(a, local, host) for a in _addresses(head, name))
    ]
    return tuple(marks)


def is_address_of(address: str, local: str, host: str) -> bool:
    """Tell whether an address is that of a list, `local` at `host`, or one of its roles."""
    name, _, at = address.rpartition("@")
    name = name.removeprefix("owner-")
    return at == host and name.startswith(local) and bool(_ROLES.fullmatch(name[len(local) :]))


def different(copies: Iterable[Copy]) -> list[Copy]:
    """Leave out what is one mail seen twice, and give the rest, oldest first: more than one means that it went out so often.

    One mail may show in several folders, and two addresses that read one mailbox get a copy each.
    """
    of_each = [_each_once(group) for group in _grouped(copies, lambda copy: _recipient(copy.head))]
    of_one = max(of_each, key=lambda group: len(group), default=[])
    return sorted(of_one, key=lambda copy: copy.received_at or _AT_LAST)


def _each_once(copies: list[Copy]) -> list[Copy]:
    """Take a mail from that folder alone which has most of it: a folder does not show one mail twice."""
    mails = [_grouped(mail, lambda copy: copy.folder) for mail in _grouped(copies, lambda copy: copy.head)]
    return [copy for folders in mails for copy in max(folders, key=lambda group: len(group))]


def _grouped(copies: Iterable[Copy], by: Callable[[Copy], object]) -> list[list[Copy]]:
    groups: dict[object, list[Copy]] = {}
    for copy in copies:
        groups.setdefault(by(copy), []).append(copy)
    return list(groups.values())


def _recipient(head: bytes) -> str:
    parsed = read_head(head)
    return next((value.strip().lower() for name in _SENT_TO for value in _values(parsed, name)), "")


def archive_address(head: Message) -> str | None:
    """Give the address under which the list keeps the mail, where it says a usable one."""
    for value in _values(head, "Archived-At"):
        address = value.strip().removeprefix("<").removesuffix(">").strip()
        if _is_web_address(address):
            return address
    return None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
    return is_named and len(text) <= _LONGEST_ADDRESS and text.isascii() and text.isprintable() and " " not in text


def _values(head: Message, name: str) -> Iterator[str]:
    return (str(value) for value in head.get_all(name, []))


def _addresses(head: Message, name: str) -> set[str]:
    words = (word for value in _values(head, name) for word in _BETWEEN_ADDRESSES.split(unquote(value).lower()))
    return {word for word in words if "@" in word}

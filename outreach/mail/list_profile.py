"""What a list's copy of a mail shows of the list: its server, its marks, its prefix, and what it changed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from outreach.mail.meaning import Sent
from outreach.mail.opened import header, plain
from outreach.mail.sightings import list_marks, read_head

_SERVERS: tuple[tuple[str, Callable[[Message], str | None]], ...] = (
    ("Mailman", lambda head: header(head, "X-Mailman-Version") or None),
    ("Sympa", lambda head: "" if head.get("X-Sequence") and head.get("X-Loop") else None),
    ("Google Groups", lambda head: "" if head.get("X-Google-Group-Id") else None),
    ("Groups.io", lambda head: "" if "groups.io" in header(head, "List-Id") else None),
    ("LISTSERV", lambda head: _of_listserv(head)),
    ("mlmmj", lambda head: "" if "+unsubscribe@" in header(head, "List-Unsubscribe") else None),
)
_RELEASE = re.compile(r"LISTSERV[^;]{0,40}release (\d{1,3}\.\d{1,3}[a-z]?)", re.IGNORECASE)
_LIMITS = (
    re.compile(r"larger than the (\d{1,7}(?:\.\d{1,3})?) ?(KB?|MB?) maximum size", re.IGNORECASE),
    re.compile(
        r"maximum (?:allowed )?(?:message )?size(?: of)? \(?(\d{1,9}(?:\.\d{1,3})?) ?(KB?|MB?|bytes)\b", re.IGNORECASE
    ),
)
_IN_KB = {"B": 1 / 1024, "K": 1, "M": 1024}
_LEAST_KB, _MOST_KB = 1, 1_048_576
_PREFIX = re.compile(r"^\s*(\[[^\[\]]{1,60}\])\s*(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one copy showed. `server` may be empty: some lists leave no sign of it. `after_s` is how long it was on its way."""

    server: str = ""
    marks: tuple[str, ...] = ()
    prefix: str = ""
    is_from_rewritten: bool = False
    is_id_kept: bool = True
    after_s: int | None = None


def shown_by(raw: bytes, sent: Sent, sender: str, *, after_s: int | None = None) -> Profile:
    """Read it from the head of a copy. `sender` is the address that the mail was sent from."""
    head = read_head(raw)
    found = _PREFIX.match(plain(header(head, "Subject")))
    has_prefix = found is not None and plain(found[2]).casefold() == plain(sent.subject).casefold()
    return Profile(
        server=_server(head),
        marks=list_marks(head, sent.list_address),
        prefix=found[1] if found and has_prefix else "",
        is_from_rewritten=sender.lower() not in header(head, "From").lower(),
        is_id_kept=sent.message_id in header(head, "Message-ID"),
        after_s=after_s,
    )


def limit_named_in(text: str) -> float | None:
    """Give the longest mail, in KB, that a list names when it refuses or holds one; None where it names none.

    The words are those of Mailman, Sympa, mlmmj and LISTSERV, whose answers give their own limit and not what the mail had.
    """
    joined = " ".join(text.split())[:20_000]
    for found in filter(None, (limit.search(joined) for limit in _LIMITS)):
        most_kb = float(found[1]) * _IN_KB[found[2][0].upper()]
        if _LEAST_KB <= most_kb <= _MOST_KB:
            return most_kb
    return None


def _server(head: Message) -> str:
    for name, sign in _SERVERS:
        version = sign(head)
        if version is not None:
            return plain(f"{name} {version}")[:60]
    return ""


def _of_listserv(head: Message) -> str | None:
    for value in head.get_all("Received", [])[:20]:
        text = str(value)[:500]
        if "LISTSERV" in text.upper():
            found = _RELEASE.search(text)
            return found[1] if found else ""
    return None

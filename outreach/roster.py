"""Rosters: who is on a list, as a list server, a table or a person writes it down; read, laid out, never guessed."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from outreach.model import BadInput

MOST_MEMBERS = 100_000
MOST_NAME = 200
NOT_A_MEMBER = "Send from a member's address (LISTSERV_SENDER), or import the list's members anew."
"""What to do about a concern about the sender."""

_MOST_ADDRESS = 254


class MemberStatus(StrEnum):
    """How somebody is on a list. All but the moderated may post at once; one without mail gets nothing from it."""

    MEMBER = "member"
    DIGEST = "digest"
    NO_MAIL = "no-mail"
    MODERATED = "moderated"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on a list: the address in lower case, and no more than is needed to tell them from others."""

    address: str
    name: str = ""
    status: MemberStatus = MemberStatus.MEMBER


@dataclass(frozen=True, slots=True)
class Roster:
    """The members, each address once, in the order given; `notes` say in sentences what was left out and why."""

    members: tuple[Member, ...]
    notes: tuple[str, ...] = ()


# In one place and with one `@`, so that no part of it can be matched in many ways.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]{2,}")
_HEADS = {
    "address": "address",
    "email": "address",
    "e-mail": "address",
    "email address": "address",
    "e-mail address": "address",
    "mail": "address",
    "name": "name",
    "full name": "name",
    "display name": "name",
    "status": "status",
    "delivery": "status",
}
_STATUSES = {
    "": MemberStatus.MEMBER,
    "member": MemberStatus.MEMBER,
    "regular": MemberStatus.MEMBER,
    "mail": MemberStatus.MEMBER,
    "digest": MemberStatus.DIGEST,
    "digests": MemberStatus.DIGEST,
    "no-mail": MemberStatus.NO_MAIL,
    "nomail": MemberStatus.NO_MAIL,
    "no mail": MemberStatus.NO_MAIL,
    "moderated": MemberStatus.MODERATED,
    "review": MemberStatus.MODERATED,
}
_CONCEALED = re.compile(r'"?concealed"?[^:\n]{0,60}:\s*([1-9]\d{0,6})', re.IGNORECASE)


def read_roster(text: str, *, list_address: str = "") -> Roster:
    """Read a table with a line of headings (address, name, status), or any text with one address on each line.

    The second is how LISTSERV and Sympa answer REVIEW; lines that begin with `*` are theirs. The list's own addresses are
    no members. Raises `BadInput` with the line where one cannot be read; then nothing of it counts.
    """
    text = text.removeprefix("\ufeff").replace("\x00", "")
    lines = text.splitlines()
    rows = _table(lines)
    found = list(_of_table(rows) if rows is not None else _of_lines(lines, list_address))
    if len(found) > MOST_MEMBERS:
        raise BadInput(f"There are more than {MOST_MEMBERS:,} members.", next_step="Import one list at a time.")
    if not found:
        step = "Give a table with a column “address”, or what the list server answered to REVIEW."
        raise BadInput("No member was found in it.", where="line 1", next_step=step)
    once = {member.address: member for member in reversed(found)}
    members = tuple(once[member.address] for member in found if once.get(member.address) is member)
    return Roster(members, tuple(_notes(text, len(found) - len(members))))


def _notes(text: str, doubled: int) -> Iterator[str]:
    if doubled:
        yield f"{doubled} lines named somebody who was named before."
    concealed = _CONCEALED.search(text)
    if concealed:
        yield f"{concealed[1]} members are concealed, so the list server did not name them."


def _table(lines: Sequence[str]) -> list[tuple[int, dict[str, str]]] | None:
    """Give the rows of a table by its headings, each with the number of its line; None where there are no headings."""
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    between = next((sign for sign in ("\t", ";", ",") if sign in lines[first]), ",")
    heads = [_HEADS.get(cell.strip().strip('"').lower(), "") for cell in lines[first].split(between)]
    if "address" not in heads:
        return None
    reader = csv.reader(lines[first + 1 :], delimiter=between)
    try:
        every = [(first + 1 + reader.line_num, cells) for cells in reader]
    except csv.Error:
        where = f"line {first + 1 + reader.line_num}"
        raise BadInput("The table cannot be read from here on.", where=where, next_step="Save it as CSV.") from None
    return [(number, dict(zip(heads, cells, strict=False))) for number, cells in every if any(map(str.strip, cells))]


def _of_table(rows: Iterable[tuple[int, dict[str, str]]]) -> Iterator[Member]:
    for number, row in rows:
        address = _unmarked(row.get("address", "").strip())
        if not is_address(address):
            step = "Write it such as name@example.org, or take the line out."
            raise BadInput(f"{address!r} is no e-mail address.", where=f"line {number}", next_step=step)
        said = row.get("status", "").strip().lower()
        status = _STATUSES.get(said)
        if status is None:
            step = f"Write {', '.join(MemberStatus)}, or nothing."
            raise BadInput(f"{said!r} is no status of a member.", where=f"line {number}", next_step=step)
        yield Member(address.lower(), tidy_name(row.get("name", "")), status)


def _of_lines(lines: Sequence[str], list_address: str) -> Iterator[Member]:
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("*"):
            continue
        found = _ADDRESS.findall(line[:1000])
        if len(found) > 1:
            step = "Put each on a line of its own, or give a table with headings."
            raise BadInput("There are several addresses on one line.", where=f"line {number}", next_step=step)
        if found and is_address(found[0]) and not is_of_list(found[0].lower(), list_address):
            yield Member(found[0].lower(), tidy_name(line.replace(found[0], " ", 1)))


def is_of_list(address: str, list_address: str) -> bool:
    """Tell whether an address in lower case is no person's but a list's: its own, its owner's, or its server's."""
    local, _, host = list_address.lower().partition("@")
    name, _, at = address.partition("@")
    is_own = name == local or name.startswith((f"{local}-", f"{local}+")) or name.endswith(f"owner-{local}")
    return bool(host) and at == host and (is_own or name in ("listserv", "sympa", "mailman"))


def concern_about(sender: Member | None, *, count: int) -> str | None:
    """Say in a sentence why a list of so many known members may not take a mail from somebody; None where it may."""
    if not count:
        return None
    if sender is None:
        return (
            "The address that the mail comes from is not among the list's members, so the list may hold or refuse it."
        )
    if sender.status is MemberStatus.MODERATED:
        return "The list holds each mail of its sender for a moderator."
    return None


def is_address(text: str) -> bool:
    """Tell whether a text is one address as lists take them."""
    return len(text) <= _MOST_ADDRESS and text.isascii() and bool(_ADDRESS.fullmatch(text)) and ".." not in text


def tidy_name(text: str) -> str:
    """Give a name on one line, without what stands around it in mails and tables."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.strip(" \t,;<>()\"'").split())[:MOST_NAME].strip()


def as_csv(members: Iterable[Member]) -> str:
    """Lay members out as a table that `read_roster` reads back.

    What a spreadsheet would take for a formula is marked as a text.
    """
    out = _Lines()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("address", "name", "status"))
    table.writerows((_harmless(member.address), _harmless(member.name), member.status) for member in members)
    return "".join(out.written)


class _Lines:
    """What a writer of tables writes to."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        """Keep a line."""
        self.written.append(line)


_SIGNS = ("=", "+", "-", "@")


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip("'")[:1] in _SIGNS else text


def _unmarked(text: str) -> str:
    return text[1:] if text.startswith("'") and text.lstrip("'")[:1] in _SIGNS else text

"""Looking into a mailbox over IMAP: folders are opened read-only, and nothing is marked, moved or deleted.

The server and the mails are untrusted: a look ends at its deadline and after so many bytes, whatever is said, and what
went wrong is told in words of ours, since an answer may quote the password.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from imap_tools import AND, H

from outreach.mail._imap_session import TROUBLE, Account, Ended, Session, Trouble, in_words
from outreach.mail.sightings import Copy

__all__ = ["Account", "Arrived", "Look", "NewMail", "Place", "Trouble", "look_for", "read_new", "rehearse"]

_HEAD_BYTES = 65_536
_MOST_COPIES = 20
_HEAD = f"(UID INTERNALDATE BODY.PEEK[HEADER]<0.{_HEAD_BYTES}>)"
_MOST_NEW = 12
_MAIL_BYTES = 300_000
_WHOLE = f"(UID INTERNALDATE BODY.PEEK[]<0.{_MAIL_BYTES}>)"
_RECEIVED = re.compile(rb'INTERNALDATE "([^"]{1,40})"')


@dataclass(frozen=True, slots=True)
class Look:
    """What one look gave. `folders` were looked through; `missing` are not there; `trouble` ended it early."""

    copies: tuple[Copy, ...] = ()
    folders: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    trouble: Trouble | None = None


def look_for(account: Account, message_id: str) -> Look:
    """Give the mails whose Message-ID may be this one; the search of a server is not exact. Never raises."""
    return _visit(account, lambda session, folder: _copies(session, folder, message_id))


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

    def into(session: Session, folder: str) -> list[Copy]:
        nonlocal has_more
        found, place, is_cut = _new_mails(session, folder, places.get(folder), since, room=_MOST_NEW - len(mails))
        mails.extend(found)
        read[folder] = place
        has_more = has_more or is_cut
        return []

    look = _visit(account, into)
    return NewMail(tuple(mails), {**places, **read}, look.missing, look.trouble, has_more)


def rehearse(account: Account) -> Look:
    """Log in and open each folder: finds out whether a look would work. Never raises."""
    return _visit(account, lambda _session, _folder: [])


def _visit(account: Account, read: Callable[[Session, str], list[Copy]]) -> Look:
    copies: list[Copy] = []
    folders, missing, trouble = [], [], None
    session = Session(account)
    try:
        session.begin()
        for folder in account.folders:
            if session.opens(folder):
                copies += read(session, folder)
                folders.append(folder)
            else:
                missing.append(folder)
    except Ended as ended:
        trouble = ended.trouble
    except TROUBLE as met:
        trouble = Trouble(in_words(met), "Check IMAP_HOST, IMAP_PORT and IMAP_SECURITY.")
    finally:
        session.end(politely=trouble is None)
    return Look(tuple(copies), tuple(folders), tuple(missing), trouble)


def _copies(session: Session, folder: str, message_id: str) -> list[Copy]:
    """Give the mails of the open folder that the server finds under a Message-ID, the newest of very many."""
    box = session.box
    validity = _validity(session)
    uids = box.uids(AND(header=H("Message-ID", message_id)), charset=None)
    found = [_copy(session, folder, uid, validity) for uid in uids[-_MOST_COPIES:] if uid.isdecimal()]
    return [copy for copy in found if copy]


def _new_mails(
    session: Session, folder: str, place: Place | None, since: datetime, *, room: int
) -> tuple[list[Arrived], Place, bool]:
    """Give the new mails of the open folder, how far it is read with them, and whether there are more."""
    box = session.box
    validity = _validity(session)
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


def _copy(session: Session, folder: str, uid: str, validity: str) -> Copy | None:
    _, answer = session.box.client.uid("FETCH", uid, _HEAD)
    heads = [part[1] for part in answer if isinstance(part, tuple)]
    around = b" ".join(part[0] if isinstance(part, tuple) else part or b"" for part in answer)
    return Copy(folder, uid, validity, _received_at(around), heads[0]) if heads else None


def _validity(session: Session) -> str:
    return b"".join(part for part in session.box.client.response("UIDVALIDITY")[1] if part).decode()[:20]


def _received_at(around: bytes) -> datetime | None:
    """Read when a mail came, before or behind its headers, as the server likes it."""
    found = _RECEIVED.search(around)
    try:
        said = found[1].decode("ascii").strip() if found else ""
        return datetime.strptime(said, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None

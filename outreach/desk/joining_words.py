"""The mails to who asks to join or to leave a list. Pure: they say what is asked, what it takes, and how to stop it."""

from datetime import datetime

from outreach.alarms import Note
from outreach.joining import RequestKind
from outreach.store.channels import CommunityRow
from outreach.when import show

_DOES = {RequestKind.JOIN: "join", RequestKind.LEAVE: "leave"}


def consent(kind: RequestKind, *, list_address: str, community: CommunityRow, link: str, until: datetime) -> Note:
    """Ask the owner of an address whether it was they who asked."""
    body = (
        f"Somebody, hopefully you, asked to {_DOES[kind]} the list {list_address} of {community.name} with this address.\n\n"
        f"Open this to confirm it:\n\n{link}\n\n"
        f"It opens until {show(until, community.time_zone)}. A coordinator then looks at it, and you are told.\n\n"
        "If it was not you, do nothing: without the link nothing happens, and the request is forgotten.\n"
    )
    return Note(f"Please confirm: {_DOES[kind]} {list_address}", body)


def done(kind: RequestKind, list_address: str, community: str) -> Note:
    """Tell somebody that they are on the list now, or on it no more."""
    if kind is RequestKind.JOIN:
        body = f"You are on the list {list_address} of {community} now, as you asked.\n\nThe list's own mails say how to leave it.\n"
        return Note(f"You are on {list_address} now", body)
    body = f"You are on the list {list_address} of {community} no more, as you asked.\n"
    return Note(f"You have left {list_address}", body)


def declined(kind: RequestKind, list_address: str, why: str) -> Note:
    """Tell somebody that a coordinator said no."""
    said = f"\n\nThe reason: {why}" if why else ""
    body = f"Your request to {_DOES[kind]} the list {list_address} was declined by a coordinator.{said}\n"
    return Note(f"Your request about {list_address}", body)

"""Mails that bring one person a link: what they say, and handing them over."""

from datetime import datetime

from outreach.access.inviting import LASTS
from outreach.alarms import Note
from outreach.bootstrap import House
from outreach.model import BadInput
from outreach.when import show


def mail_invitation(house: House, address: str, link: str, *, by: str) -> str | None:
    """Mail an invitation. Gives None when it is on its way, else why not, in a sentence."""
    community = house.settings.OUTREACH_COMMUNITY
    opening = f"{by} invites you to the announcements of {community}."
    body = f"{opening}\n\nOpen this to make your account:\n\n{link}\n\n{_until(house, 'invitation')}"
    return _mail(house, address, Note(f"Your invitation to {community}", f"{body}\n"))


def mail_reset(house: House, address: str, link: str) -> str | None:
    """Mail a link for a new password. Gives None when it is on its way, else why not, in a sentence."""
    community = house.settings.OUTREACH_COMMUNITY
    opening = f"Somebody, hopefully you, asked for a new password at {community}."
    body = f"{opening}\n\nOpen this to choose one:\n\n{link}\n\n{_until(house, 'reset')}"
    return _mail(house, address, Note(f"A new password for {community}", f"{body}\n"))


def can_mail(house: House) -> bool:
    """Tell whether a mail server is set up."""
    return house.route_to("nobody@example.org") is not None


def ends_at(house: House, kind: str) -> datetime:
    """Say until when a link of this kind that is made now can be opened."""
    return house.clock.now() + LASTS[kind]


def _until(house: House, kind: str) -> str:
    until = show(ends_at(house, kind), house.settings.OUTREACH_TIME_ZONE)
    return f"It opens once, until {until}. If you do not expect this, ignore it: nothing happens without you."


def _mail(house: House, address: str, note: Note) -> str | None:
    route = house.route_to(address)
    if route is None:
        return "No mail server is set up."
    try:
        return route.tell(note)
    except BadInput as bad:
        return bad.message

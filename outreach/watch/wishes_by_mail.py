"""Listening: mails that speak of no post may ask to join or to leave a list, or answer a command about somebody.

A mail is untrusted. A wish in it makes one mail to the address it claims to come from, with a link to confirm; nothing else.
"""

import hashlib
import logging

from outreach.channels import HasMailbox
from outreach.desk.requesting import Membership, Wanted
from outreach.joining import CameBy
from outreach.mail.opened import open_mail
from outreach.mail.wishing import answer_about, wish_in
from outreach.model import BadInput

log = logging.getLogger(__name__)


class Listening:
    """Hears what mails to the sender say of members. `takes_wishes`: whether people may ask by mail."""

    def __init__(self, membership: Membership, *, takes_wishes: bool) -> None:
        self._membership = membership
        self._takes_wishes = takes_wishes

    def hear(self, channel_id: int, raw: bytes) -> None:
        """Take in one mail. Never raises for what is in it."""
        target = next((each for each in self._membership.lists.values() if each.id == channel_id), None)
        channel: object = target.channel if target else None
        if target is None or not isinstance(channel, HasMailbox):
            return
        mail = open_mail(raw)
        for request in self._membership.accepted_on(channel_id):
            told = answer_about(mail, request.kind, address=request.address, list_address=channel.list_address)
            if told is not None:
                self._membership.heard(request, is_done=told[0], words=told[1])
                return
        wish = wish_in(mail, channel.list_address) if self._takes_wishes else None
        if wish is None or wish.address == channel.sender_address.lower():
            return
        key = hashlib.sha256(raw).hexdigest()
        wanted = Wanted(wish.kind, target.name, wish.address, wish.name, wish.words, CameBy.MAIL, key)
        try:
            self._membership.ask(wanted)
        except BadInput as bad:
            log.warning("somebody asked by mail to %s the list: %s", wish.kind, bad.message)

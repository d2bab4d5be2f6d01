"""Ears: while a list mail is young, its mailbox is listened to, so that its copy is seen as soon as it comes.

What is heard only makes the mailbox be read. Where nothing can be heard, it is read now and then all the same.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.mail.imap_mailbox import Account
from outreach.mail.listening import LONGEST_S, Listened, listen
from outreach.model import State
from outreach.store import ChangeWatch, Store, arrivals
from outreach.watch.replies import Replies

log = logging.getLogger(__name__)

LISTENED_FOR = timedelta(minutes=30)
"""So long after its latest try a mail that nobody saw come through is listened for."""

_LOOK_S = 1.0
_MOST_PAUSE_S = 600.0
_GOOD_AFTER_S = 60.0  # a connection that lasted so long was none that failed

Awaited = frozenset[tuple[int, State]]


@dataclass
class Ear:
    """Listens to one mailbox. Has a connection of its own, and marks nothing there."""

    store: Store
    channel_id: int
    account: Account
    now: Callable[[], datetime]
    tell: Callable[[], object]
    longest_s: float = LONGEST_S

    def listen(self, stop: threading.Event) -> None:
        """Listen whenever a mail is awaited, until told to stop."""
        pause_s = _LOOK_S
        with self.store.watch() as changes:
            awaited = self._awaited()
            while not stop.wait(pause_s):
                if not awaited:
                    pause_s = _LOOK_S
                    awaited = self._awaited() if changes.has_changed() else awaited
                if awaited:
                    ended = self._listen_for(awaited, stop, changes)
                    pause_s = self._pause_after(ended, pause_s)
                    awaited = self._awaited()

    def _awaited(self) -> Awaited:
        """Give the mails whose copies may come any moment, those that are being sent among them."""
        with self.store.read() as tx:
            tried = arrivals.tried_since(tx, self.channel_id, self.now() - LISTENED_FOR)
            seen = arrivals.sighted(tx, [post.id for post in tried])
        return frozenset(
            (post.id, post.state)
            for post in tried
            if post.state is State.PUBLISHING or arrivals.is_open(post, seen.get(post.id, ()))
        )

    def _listen_for(self, awaited: Awaited, stop: threading.Event, changes: ChangeWatch) -> Listened:
        known = awaited

        def goes_on() -> bool:
            nonlocal known
            if not stop.is_set() and changes.has_changed():
                before, known = known, self._awaited()
                if known - before:
                    self.tell()  # its copy may have come while it was still being sent
            return bool(known) and not stop.is_set()

        return listen(self.account, self.tell, goes_on=goes_on, longest_s=self.longest_s)

    def _pause_after(self, ended: Listened, before_s: float) -> float:
        """Say how long not to try again: longer after each failure in a row, and long where nothing is offered."""
        where = f"{self.account.username}@{self.account.host}"
        if not ended.is_offered:
            log.info("the mailbox %s cannot be listened to (IDLE is not offered): it is read now and then", where)
            return _MOST_PAUSE_S
        if ended.trouble is None:
            return _LOOK_S
        log.info("listening to the mailbox %s ended: %s", where, ended.trouble.why)
        return _LOOK_S if ended.lasted_s >= _GOOD_AFTER_S else min(2 * before_s, _MOST_PAUSE_S)


def ears_for(
    replies: Replies, *, store: Store, now: Callable[[], datetime], call: Callable[[], object]
) -> tuple[Ear, ...]:
    """Make an ear for each mailbox; what one hears makes the next round read it, and `call` brings that round about."""

    def told_of(channel_id: int) -> Callable[[], None]:
        def tell() -> None:
            replies.expect(channel_id)
            call()

        return tell

    return tuple(Ear(store, number, account, now, told_of(number)) for number, account in replies.mailboxes())

"""Calendar files behind the links in list mails: the event of a mail as it stands now, through corrections and retractions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from outreach.channels import HasMailbox
from outreach.desk.looking import Looking
from outreach.happening import event_of
from outreach.letter import parse
from outreach.mail import calendar_entry
from outreach.mail.message import message_id
from outreach.model import Event, FollowKind, Post, State
from outreach.store import announcements, follows, posts
from outreach.store.engine import Transaction

_OUT = frozenset({State.PUBLISHED, State.HELD, State.RETRACTED})
_MOST = 50


@dataclass(frozen=True, slots=True)
class _Stand:
    """An event as one announcement of a thread leaves it."""

    event: Event
    title: str
    post: Post
    changes: int
    is_over: bool = False


class Calendars(Looking):
    """Gives to everybody who has a mail's own link what the mail told; of what is not out it gives nothing."""

    def calendar_file(self, key: str) -> str | None:
        """Write the file of the mail with this identity; None where nothing of it is out, or it tells of no event."""
        ids = [
            message_id(key, target.channel.sender_address.rpartition("@")[2])
            for target in self._targets.values()
            if isinstance(target.channel, HasMailbox)
        ]
        with self._store.read() as tx:
            post = posts.by_message_id(tx, ids)
            if post is None or post.community != self._community.id or post.state not in _OUT:
                return None
            message = posts.content(tx, post).message or ""
            above = follows.references(message, None)
            first = self._stand(tx, post, len(above))
            found = self._latest(tx, first) if first else None
        if found is None:
            return None
        root = calendar_entry.of_mail(post.message_id or "", above)
        named = replace(root, sequence=found.changes)
        status = "CANCELLED" if found.is_over else "CONFIRMED"
        return calendar_entry.written(found.event, named, title=found.title, at=found.post.due_at, status=status)

    def _stand(self, tx: Transaction, post: Post, changes: int) -> _Stand | None:
        about = announcements.get(tx, post.announcement)
        letter = parse(str(about["letter"])) if about else None
        event = event_of(letter, self._community.time_zone, now=self._now()) if letter else None
        return _Stand(event, post.title.removeprefix("Correction: "), post, changes) if event else None

    def _latest(self, tx: Transaction, stand: _Stand) -> _Stand:
        """Follow what corrects or retracts it, as far as that is out on the same channel."""
        for _ in range(_MOST):
            followed = next(self._followers(tx, stand), None)
            if followed is None:
                return stand
            stand = followed
            if stand.is_over:
                return stand
        return stand

    def _followers(self, tx: Transaction, stand: _Stand) -> Iterator[_Stand]:
        for number, kind in reversed(follows.of(tx, stand.post.announcement)):
            out = [p for p in posts.of_announcement(tx, number) if p.channel_id == stand.post.channel_id]
            for post in [p for p in out if p.state in _OUT]:
                changes = stand.changes + 1
                if kind is FollowKind.RETRACTION:
                    yield replace(stand, post=post, changes=changes, is_over=True)
                else:
                    yield self._stand(tx, post, changes) or replace(stand, post=post, changes=changes)

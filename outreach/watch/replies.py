"""What became of list mails: the sender's mailbox is read, and what came there moves the posts it speaks of.

A mail is untrusted. What carries our Message-ID, which nobody can guess, outweighs what only names our subject or the list;
that a post came through, once seen, is never taken back by a mail. No mail is ever marked, moved, answered or followed.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from outreach.channels import Channel, HasMailbox
from outreach.lifecycle import IllegalMove
from outreach.mail.answering import answer_to
from outreach.mail.imap_mailbox import Account, Arrived, Place, read_new
from outreach.mail.list_profile import limit_named_in, shown_by
from outreach.mail.meaning import Meaning, Sent, Verdict
from outreach.mail.opened import body_of, open_mail
from outreach.mail.recognising import meaning
from outreach.model import Move, Post, Published, State
from outreach.store import Store, Transaction, arrivals, history, moves, posts, safety
from outreach.store.arrivals import Sighted
from outreach.store.moves import Change

log = logging.getLogger(__name__)

REMEMBERED_FOR = timedelta(days=30)
OFTEN_FOR = timedelta(minutes=5)
"""So long after a try the mailbox is looked into at each round; later only at some."""

SELDOM = timedelta(minutes=5)
_MOST_VISITS = 20
_CAME_THROUGH = (Verdict.DISTRIBUTED, Verdict.ACKNOWLEDGED, Verdict.MEMBER_BOUNCE)
_WAITS = (Verdict.HELD, Verdict.NEEDS_CONFIRM, Verdict.MODERATE)
_DID_NOT = (Verdict.REJECTED, Verdict.BOUNCED)
_MAY_NAME_A_LIMIT = (Verdict.HELD, *_DID_NOT)
_WORTH_TELLING = (*_CAME_THROUGH, *_WAITS, *_DID_NOT, Verdict.DELAYED, Verdict.THROTTLED)
_WHY = {
    Verdict.HELD: "It waits for a moderator of the list.",
    Verdict.NEEDS_CONFIRM: "The list asks for a confirmation: answer its mail.",
    Verdict.MODERATE: "It waits for a moderator of the list, who was asked at this very address.",
    Verdict.REJECTED: "The list did not take it.",
    Verdict.BOUNCED: "It could not be delivered to the list.",
}
_RESTS_ON = {
    "id": "by its Message-ID",
    "content": "by its text",
    "subject": "by its subject alone, which anybody could name",
    "list": "by the name of the list alone, as the only post that is open there",
}


@dataclass(frozen=True)
class _Known:
    """A post that a mail may speak of, and what was seen of it."""

    post: Post
    sent: Sent
    seen: Sequence[Sighted]


class Replies:
    """Reads the mailbox of each list. Its channels are its own: nobody else uses them at the same time."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        listen: Callable[[int, bytes], object] | None = None,
    ) -> None:
        """Take what it reads with. `listen` is given each mail that speaks of no post, with the number of its channel."""
        self._store = store
        self._listen = listen
        self._lists = {number: channel for number, channel in channels.items() if isinstance(channel, HasMailbox)}
        self._now = now
        self._looked_at: dict[int, datetime] = {}

    def round(self) -> int:
        """Read what is new where it is time to; give how many mails said something about a post."""
        return sum(self._read(number, channel) for number, channel in self._lists.items() if self._is_time(number))

    def expect(self, channel_id: int) -> None:
        """Look at a channel's mailboxes in the next round, however lately that was done. Any thread may call it."""
        self._looked_at.pop(channel_id, None)

    def mailboxes(self) -> list[tuple[int, Account]]:
        """Give every mailbox that is read, each with the number of its channel."""
        return [(number, account) for number, channel in self._lists.items() for account in channel.mailboxes()]

    def _is_time(self, channel_id: int) -> bool:
        now, looked_at = self._now(), self._looked_at.get(channel_id)
        if looked_at is None or now - looked_at >= SELDOM:
            return True
        with self._store.read() as tx:
            return bool(arrivals.tried_since(tx, channel_id, now - OFTEN_FOR))

    def _read(self, channel_id: int, channel: HasMailbox) -> int:
        told = 0
        self._looked_at[channel_id] = self._now()
        for account in channel.mailboxes():
            for _ in range(_MOST_VISITS):
                count, has_more = self._visit(channel_id, channel, account)
                told += count
                if not has_more:
                    break
        return told

    def _visit(self, channel_id: int, channel: HasMailbox, account: Account) -> tuple[int, bool]:
        now, key = self._now(), f"read mailbox {account.username}@{account.host}"
        with self._store.read() as tx:
            places = _read_places(safety.remembered(tx, key))
            tried = arrivals.tried_since(tx, channel_id, now - REMEMBERED_FOR)
        if not tried and not places and self._listen is None:
            return 0, False  # nobody waits for a word, and what is there now is older than whatever comes
        oldest = min((post.planned_at for post in tried), default=now)
        found = read_new(account, places, since=min(oldest, now) - timedelta(days=1))
        if found.trouble:
            log.warning("the mailbox %s could not be read: %s", account.username, found.trouble.why)
        told, left = 0, list(found.mails)
        while left:
            count = self._take_in(channel_id, channel, account, left[0])
            if count is None:
                break  # its post is being sent this very moment: this mail and those after it are read once more
            told += count
            left.pop(0)
        reached = dict(found.places)
        for mail in reversed(left):
            reached[mail.folder] = Place(mail.uid_validity, mail.uid - 1)
        if reached != places:
            with self._store.write() as tx:
                safety.remember(tx, key, _written(reached))
        return told, found.has_more and found.trouble is None and not left

    def _take_in(self, channel_id: int, channel: HasMailbox, account: Account, mail: Arrived) -> int | None:
        """Conclude from one mail; give how many posts it spoke of, None where it has to be read once more."""
        for is_last in (False, False, True):  # somebody may decide about the post between looking and writing
            known = self._known(channel_id, channel, self._now() - REMEMBERED_FOR)
            means = meaning(mail.raw, [each.sent for each in known])
            of = next((each for each in known if each.sent.post == means.post), None)
            if of is None or means.verdict not in _WORTH_TELLING:
                if self._listen is not None and of is None:
                    self._listen(channel_id, mail.raw)
                return 0
            if of.post.state is State.PUBLISHING:
                return None
            evidence = _evidence(means, account, mail)
            try:
                with self._store.write() as tx:
                    seen = arrivals.sighted(tx, [of.post.id]).get(of.post.id, ())
                    if any(_is_same(each.evidence, evidence) for each in seen):
                        return 0  # it lies in two folders, was numbered anew, or was found by somebody else
                    if is_last:
                        history.see(tx, of.post.id, at=self._now(), kind=str(means.verdict), evidence=evidence)
                    else:
                        self._conclude(tx, replace(of, seen=seen), means, mail, evidence)
                self._confirm_by_itself(channel, of.post, means)
                return 1
            except IllegalMove:
                log.info("%s: somebody decided meanwhile", of.post.name)
        return 0

    def _confirm_by_itself(self, channel: HasMailbox, post: Post, means: Meaning) -> None:
        """Answer the list's question whether a post is ours, where a person said that this may be done, and once.

        There is an answer only to a question from the list's own server that encloses our very post.
        """
        if means.verdict is not Verdict.NEEDS_CONFIRM:
            return
        with self._store.write() as tx:
            kept = arrivals.answer_of(tx, post.id) if arrivals.habits_of(tx, post.channel_id).confirms else None
            if kept is None:
                return
            arrivals.forget_answer(tx, post.id)
            history.happened_to(tx, post, "confirmed by itself", now=self._now())
        outcome = channel.answer(*kept)
        if isinstance(outcome, Published):
            return
        with self._store.write() as tx:  # a person can press the button
            arrivals.keep_answer(tx, post.id, *kept)
            history.happened_to(tx, post, "let through failed", now=self._now(), note=outcome.reason)

    def sent(self, *, since: datetime) -> list[Sent]:
        """Give the mails that were tried since an instant, as what comes back may speak of them."""
        return [each.sent for number, channel in self._lists.items() for each in self._known(number, channel, since)]

    def _known(self, channel_id: int, channel: HasMailbox, since: datetime) -> list[_Known]:
        with self._store.read() as tx:
            tried = arrivals.tried_since(tx, channel_id, since)
            seen = arrivals.sighted(tx, [post.id for post in tried])
            return [_known_of(tx, channel, post, seen.get(post.id, [])) for post in tried]

    def _conclude(
        self, tx: Transaction, of: _Known, means: Meaning, mail: Arrived, evidence: Mapping[str, Any]
    ) -> None:
        post, now = of.post, self._now()
        kind = str(means.verdict)
        if means.verdict is Verdict.DISTRIBUTED and _is_second(of.seen, evidence["mailbox"], mail):
            kind = history.TWICE
            evidence = {**evidence, "remote_ids": [of.sent.message_id] * 2}
            log.error("%s: the list distributed it twice", post.name)
        began = arrivals.sent_at(tx, post)
        came = min(mail.received_at or now, now)
        if began is not None and means.verdict in _CAME_THROUGH:
            evidence = {**evidence, "after_s": max(0, round((came - began).total_seconds()))}
        history.see(tx, post.id, at=now, kind=kind, evidence=evidence)
        answer = answer_to(open_mail(mail.raw), means, of.sent)
        if answer is not None:
            arrivals.keep_answer(tx, post.id, answer.to, answer.subject, answer.words)
        named_kb = limit_named_in(body_of(open_mail(mail.raw))) if means.verdict in _MAY_NAME_A_LIMIT else None
        if named_kb is not None:
            arrivals.keep_limit(tx, post.channel_id, named_kb)
        if means.verdict is Verdict.DISTRIBUTED:
            self._learn(tx, of, mail, evidence.get("after_s"))
        if means.verdict in _CAME_THROUGH:
            self._came_through(tx, post, now)
        elif arrivals.is_seen(of.seen):
            return  # it came through: what a later mail says changes nothing of that
        elif means.verdict in _WAITS:
            self._waits(tx, post, _reason(means), now)
        elif means.verdict in _DID_NOT:
            self._did_not(tx, post, _reason(means), now)

    def _learn(self, tx: Transaction, of: _Known, mail: Arrived, after_s: Any) -> None:
        channel = self._lists.get(of.post.channel_id)
        if channel is not None:
            found = shown_by(mail.raw, of.sent, channel.sender_address, after_s=after_s)
            arrivals.keep_profile(tx, of.post.channel_id, {**asdict(found), "at": self._now().isoformat()})

    def _came_through(self, tx: Transaction, post: Post, now: datetime) -> None:
        note = "the list distributed it"
        if post.state is State.HELD:
            moves.apply(tx, [Change(post.id, post.attempt, Move.RELEASE, now, note, values={"reason": None})])
        elif post.state is State.UNCONFIRMED:
            values = {"reason": None, "remote_id": post.message_id}
            moves.apply(tx, [Change(post.id, post.attempt, Move.CONFIRM, now, note, values=values)])
        elif post.state is State.QUEUED:
            arrivals.hold_back(tx, post, now=now, note="The list has distributed it already, so it is not sent again.")

    def _waits(self, tx: Transaction, post: Post, reason: str, now: datetime) -> None:
        if post.state is State.UNCONFIRMED:
            values = {"reason": None, "remote_id": post.message_id}
            moves.apply(tx, [Change(post.id, post.attempt, Move.CONFIRM, now, "the list has it", values=values)])
            post = replace(post, state=State.PUBLISHED)
        if post.state is State.PUBLISHED:
            moves.apply(tx, [Change(post.id, post.attempt, Move.HOLD, now, reason, values={"reason": reason})])

    def _did_not(self, tx: Transaction, post: Post, reason: str, now: datetime) -> None:
        if post.state in (State.PUBLISHED, State.HELD, State.UNCONFIRMED):
            moves.apply(tx, [Change(post.id, post.attempt, Move.REFUSE, now, reason, values={"reason": reason})])


def _known_of(tx: Transaction, channel: HasMailbox, post: Post, seen: Sequence[Sighted]) -> _Known:
    content = posts.content(tx, post)
    is_open = arrivals.is_open(post, seen)
    sent = Sent(post.name, content.message_id or "", channel.list_address, post.title, content.text, is_open)
    return _Known(replace(post, message_id=post.message_id or content.message_id), sent, seen)


def _evidence(means: Meaning, account: Account, mail: Arrived) -> dict[str, Any]:
    return {
        "why": means.reason,
        "rule": means.rule,
        "rests on": _RESTS_ON.get(means.basis, means.basis),
        "basis": means.basis,
        "mailbox": account.username,
        "folder": mail.folder,
        "uid": mail.uid,
        "uid_validity": mail.uid_validity,
        "mail_sha256": hashlib.sha256(mail.raw).hexdigest(),
    }


def _is_same(known: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    place = ("mailbox", "folder", "uid_validity", "uid")
    return known.get("mail_sha256") == new["mail_sha256"] or all(str(known.get(n)) == str(new[n]) for n in place)


def _is_second(seen: Sequence[Sighted], mailbox: object, mail: Arrived) -> bool:
    """Tell whether the same folder held a copy from the list before: another folder may hold the same mail once more."""
    place = (mailbox, mail.folder, mail.uid_validity)
    return any(
        each.kind == str(Verdict.DISTRIBUTED)
        and each.evidence.get("basis") == "id"
        and tuple(map(each.evidence.get, ("mailbox", "folder", "uid_validity"))) == place
        and each.evidence.get("uid") != mail.uid
        for each in seen
    )


def _reason(means: Meaning) -> str:
    said = f" It says: {means.reason}" if means.reason else ""
    return f"{_WHY[means.verdict]}{said} (Known {_RESTS_ON.get(means.basis, means.basis)}.)"


def _read_places(text: str | None) -> dict[str, Place]:
    return {folder: Place(*place) for folder, place in json.loads(text).items()} if text else {}


def _written(places: Mapping[str, Place]) -> str:
    return json.dumps({folder: [place.uid_validity, place.uid] for folder, place in places.items()})

"""Webhooks: programs are told what happens. What is owed is written down first and sent afterwards, until it is taken.

At least once, since an answer can get lost; each telling has an id, by which a second one is known.
"""

import json
import logging
import secrets as randomness
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from outreach import contract
from outreach.alarms.knocking import Knock, Knocker, check_url, signature
from outreach.lifecycle import status
from outreach.model import BadInput, Move
from outreach.store import Store, Transaction, announcements, channels, people, posts, webhooks
from outreach.store.webhooks import Happened, Owed, Standing, WebhookRow
from outreach.vault import Vault

log = logging.getLogger(__name__)

KINDS = ("published", "failed", "needs-a-person")
KIND_OF: dict[str, str] = {
    str(Move.PUBLISH): "published",
    str(Move.CONFIRM): "published",
    str(Move.RELEASE): "published",
    str(Move.FAIL): "failed",
    str(Move.REFUSE): "failed",
    str(Move.HOLD): "needs-a-person",
    str(Move.MISS): "needs-a-person",
    str(Move.DOUBT): "needs-a-person",
    "pause channel": "needs-a-person",
    "safe mode on": "needs-a-person",
}
"""What each kind of event is to a webhook. A doubt is told only once nobody looks any more, a pause only if it has no end."""

WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 30, 60, 120, 240, 360, 360, 360))
"""How long after each try in vain the next one comes; after the last, a good day later, the delivery is given up."""

ENDS_AFTER = timedelta(days=7)
KEPT_FOR = timedelta(days=30)
_AT_ONCE = 500
_PER_ROUND = 50
_HELD_FOR = timedelta(minutes=1)
_PURPOSE = "webhook secret"
_NOTHING = {"community": None, "post": None, "announcement": None, "channel": None, "why": None}


class Webhooks:
    """The webhooks of one community for people, and the round in which those of all are told."""

    def __init__(
        self, *, store: Store, vault: Vault, knocker: Knocker, community_id: int, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._vault = vault
        self._knocker = knocker
        self._community_id = community_id
        self._now = now

    # What people do

    def all(self) -> list[tuple[WebhookRow, Standing]]:
        """Give the webhooks of the community with how their deliveries stand, newest first."""
        with self._store.read() as tx:
            found = webhooks.of_community(tx, self._community_id)
            return [(row, webhooks.standing(tx, row)) for row in found]

    def get(self, number: int) -> tuple[WebhookRow, Standing]:
        """Give one of them. Raises `BadInput` where there is none."""
        with self._store.read() as tx:
            row = webhooks.one(tx, self._community_id, number)
            if row is None:
                raise BadInput("There is no such webhook.", next_step="Look at the list again.")
            return row, webhooks.standing(tx, row)

    def add(self, url: str, kinds: Sequence[str], *, person: str, person_id: int) -> tuple[int, str]:
        """Begin one, from now on; give its number and the secret that signs, which is shown once. Raises `BadInput`."""
        address = check_url(url.strip(), is_sandbox=self._knocker.is_sandbox)
        wanted = [kind for kind in KINDS if kind in kinds]
        if not wanted or len(wanted) != len(set(kinds)):
            raise BadInput(
                "It is not said what is to be told.", where="kinds", next_step=f"Choose of: {', '.join(KINDS)}."
            )
        secret = f"whsec_{randomness.token_urlsafe(32)}"
        sealed, now = self._vault.encrypt(_PURPOSE, secret), self._now()
        with self._store.write() as tx:
            if any(row.url == address and not row.ended_at for row in webhooks.of_community(tx, self._community_id)):
                raise BadInput("This address is told already.", next_step="End that webhook first.")
            number = webhooks.add(tx, self._community_id, address, secret=sealed, kinds=wanted, by=person_id, now=now)
            people.tell(tx, "add webhook", person=person, note=_host(address), now=now)
        return number, secret

    def end(self, number: int, *, person: str) -> None:
        """Tell it nothing any more. Raises `BadInput` for one that is not there; one that ended stays so."""
        row, _ = self.get(number)
        with self._store.write() as tx:
            if webhooks.end(tx, number, "A person ended it.", self._now()):
                people.tell(tx, "end webhook", person=person, note=_host(row.url), now=self._now())

    def test(self, number: int) -> Knock:
        """Send it something that tells of nothing, now. Raises `BadInput` for one that is not there or has ended."""
        row, _ = self.get(number)
        if row.ended_at is not None:
            raise BadInput("This webhook has ended.", next_step="Add the address again.")
        now = self._now()
        mark = -int(now.timestamp() * 1e6) - randomness.randbelow(1000)
        body = _text(f"test{mark}", "test", now, _NOTHING)
        with self._store.write() as tx:
            owed = webhooks.add_test(tx, row, mark, body, now=now, until=now + _HELD_FOR)
        answer = self._knock(row, owed)
        with self._store.write() as tx:
            webhooks.note(tx, owed, status=answer.status, trouble=answer.said(), next_at=None, now=self._now())
        return answer

    # The round

    def round(self) -> None:
        """Write down what is owed, and deliver what is due. Any number of workers may do it at a time."""
        with self._store.read() as tx:
            alive = webhooks.alive(tx)
        for hook in alive:
            self._collect(hook)
        if alive and self._deliver({hook.id: hook for hook in alive}):
            with self._store.write() as tx:
                webhooks.forget(tx, self._now() - KEPT_FOR)

    def _collect(self, hook: WebhookRow) -> None:
        kinds = [kind for kind, of in KIND_OF.items() if of in hook.kinds and kind != Move.DOUBT]
        after, is_whole = hook.after_event, False
        while not is_whole:
            now = self._now()
            with self._store.read() as tx:
                found = webhooks.untold(tx, hook, kinds, after=after, most=_AT_ONCE)
                is_whole = len(found) < _AT_ONCE
                doubted = self._doubted(tx, hook) if is_whole else []
                told = [(event.id, told) for event in (*found, *doubted) if (told := self._told(tx, hook, event))]
                place = webhooks.place_to_move_to(tx, hook, now) if is_whole else None
            after = found[-1].id if found else after
            if told or place is not None:
                self._write_down(hook, told, place, now)

    @staticmethod
    def _doubted(tx: Transaction, hook: WebhookRow) -> list[Happened]:
        return webhooks.left_in_doubt(tx, hook, most=_AT_ONCE) if KIND_OF[Move.DOUBT] in hook.kinds else []

    def _write_down(self, hook: WebhookRow, told: Sequence[tuple[int, str]], place: int | None, now: datetime) -> None:
        with self._store.write() as tx:
            for event_id, body in told:
                webhooks.owe(tx, hook, event_id, body, now)
            if place is not None:
                webhooks.move_on(tx, hook, place)

    def _told(self, tx: Transaction, hook: WebhookRow, event: Happened) -> str | None:
        """Say what a webhook is told of an event; None for what nobody has to be told of."""
        community = channels.community(tx, hook.community_id).name
        about: dict[str, Any] = {"community": community, "post": None, "announcement": None, "channel": None}
        if event.post_id is not None:
            about |= self._of_post(tx, hook, event.post_id)
        elif event.person is not None:
            return None  # who did it knows it
        elif event.channel_id is not None:
            about["channel"] = webhooks.paused_for_a_person(tx, hook.community_id, event.channel_id)
        is_of_all = event.post_id is None and event.channel_id is None
        if not (is_of_all or about["post"] or about["channel"]):
            return None
        return _text(str(event.id), KIND_OF[event.kind], event.at, about | {"why": event.note})

    @staticmethod
    def _of_post(tx: Transaction, hook: WebhookRow, post_id: int) -> dict[str, Any]:
        post = posts.one(tx, post_id)
        about = announcements.get(tx, post.announcement) if post else None
        if post is None or about is None or post.community != hook.community_id:
            return {}
        states = [one.state for one in posts.of_announcement(tx, post.announcement)]
        shown = {"id": post.announcement, "title": about["title"], "status": status(states)}
        return {"post": contract.post(post), "announcement": shown, "channel": post.channel}

    def _deliver(self, hooks: dict[int, WebhookRow]) -> int:
        with self._store.read() as tx:
            due = webhooks.due(tx, self._now(), most=_PER_ROUND)
        silent: set[int] = set()
        for owed in due:
            hook = hooks.get(owed.webhook_id)
            if hook is None or hook.id in silent:
                continue  # one that does not answer keeps the others waiting once in a round, not for each delivery
            if not self._deliver_one(hook, owed):
                silent.add(hook.id)
        return len(due)

    def _deliver_one(self, hook: WebhookRow, owed: Owed) -> bool:
        with self._store.write() as tx:
            if not webhooks.take(tx, owed, until=self._now() + _HELD_FOR):
                return True  # another worker has it
        answer = self._knock(hook, owed)
        now = self._now()
        wait = WAITS[owed.tries] if owed.tries < len(WAITS) else None
        next_at = now + wait if wait and not answer.is_taken else None
        with self._store.write() as tx:
            webhooks.note(tx, owed, status=answer.status, trouble=answer.said(), next_at=next_at, now=now)
            reason = self._why_over(tx, hook, answer, now)
            if reason is not None and webhooks.end(tx, hook.id, reason, now):
                people.tell(tx, "end webhook", person=None, note=f"{_host(hook.url)}: {reason}", now=now)
                log.warning("the webhook at %s was ended: %s", _host(hook.url), reason)
        return answer.is_taken

    @staticmethod
    def _why_over(tx: Transaction, hook: WebhookRow, answer: Knock, now: datetime) -> str | None:
        if answer.is_over:
            return "It answered 410: it wants nothing any more."
        since = None if answer.is_taken else webhooks.failing_since(tx, hook)
        if since is not None and now - since >= ENDS_AFTER:
            return f"Nothing was taken for a week; at last: {answer.said()}."
        return None

    def _knock(self, hook: WebhookRow, owed: Owed) -> Knock:
        body, now = owed.body.encode(), self._now()
        try:
            secret = self._vault.decrypt(_PURPOSE, hook.secret)
        except BadInput as bad:
            return Knock(None, bad.message)
        headers = {
            "Content-Type": "application/json",
            "Outreach-Signature": signature(secret, body, now),
            "Outreach-Id": json.loads(owed.body)["id"],
        }
        return self._knocker.knock(hook.url, body, headers)


def _text(number: str, kind: str, at: datetime, about: dict[str, Any]) -> str:
    told = {"id": number, "kind": kind, "at": contract.instant(at)} | about
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def _host(url: str) -> str:
    """Name an address without what may be secret in it."""
    return url.split("/")[2]

"""After a restore: posts that were due meanwhile may be public, so their channels are asked and people are told."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import assert_never

from outreach.channels import Channel
from outreach.lifecycle import IllegalMove
from outreach.model import Absent, Attempt, Candidate, CannotTell, Finding, Found, Move, Post, State
from outreach.store import Store, aftermath, claims, history, moves, posts
from outreach.store.moves import Change, Ending

log = logging.getLogger(__name__)

AT_ONCE = 20
MOST_ASKS = 4


class Afterwards:
    """Asks for posts that a restore missed. Its channels are its own: nobody else uses them at the same time."""

    def __init__(self, *, store: Store, channels: Mapping[int, Channel], now: Callable[[], datetime]) -> None:
        self._store = store
        self._channels = dict(channels)
        self._now = now

    def round(self) -> None:
        """Ask for some of them once. A post that is found was published, and becomes so here, too."""
        with self._store.read() as tx:
            wanted = aftermath.to_ask(tx, AT_ONCE)
        for post, _ in wanted:
            # Counted first: an ask that never ends, or a fault of ours in it, is not repeated for ever.
            with self._store.write() as tx:
                asks = aftermath.count_an_ask(tx, post)
            if asks is not None:
                self._conclude(post, asks, self._ask(post, asks))

    def _ask(self, post: Post, asks: int) -> Finding | None:
        channel = self._channels.get(post.channel_id)
        if post.state is not State.MISSED:
            return None  # somebody decided meanwhile
        if asks > MOST_ASKS:
            return CannotTell("the service itself failed while asking")
        if channel is None:
            return CannotTell("the channel is not set up any more")
        with self._store.read() as tx:
            content = posts.content(tx, post)
        since = min(post.planned_at, post.due_at)
        return channel.find(Attempt(post, post.attempt, since, since, content))

    def _conclude(self, post: Post, asks: int, finding: Finding | None) -> None:
        match finding:
            case None:
                self._settle(post)
            case Found(candidates) if ours := self._not_of_others(post, candidates):
                self._found(post, ours)
            case Found() | Absent():
                # Once more later: a list may be a little behind.
                if asks > 1:
                    self._settle(post, aftermath.NOT_THERE, {"why": "the channel's list does not have it"})
            case CannotTell(reason):
                if asks >= MOST_ASKS:
                    self._settle(post, aftermath.CANNOT_TELL, {"why": reason})
            case _ as unknown:
                assert_never(unknown)

    def _not_of_others(self, post: Post, candidates: tuple[Candidate, ...]) -> list[Candidate]:
        with self._store.read() as tx:
            return posts.not_of_others(tx, post, candidates)

    def _found(self, post: Post, ours: list[Candidate]) -> None:
        """It went out while this database was not in use, so it is published; all at once, so that nobody sends it."""
        oldest, now = ours[0], self._now()
        evidence = {"remote_id": oldest.remote_id, "url": oldest.url, "why": "it went out after the backup was made"}
        values = {"remote_id": oldest.remote_id, "url": oldest.url, "reason": None}
        note = f"found on the channel as {oldest.remote_id}: it went out after the backup was made"
        try:
            with self._store.write() as tx:
                moves.apply(tx, [Change(post.id, post.attempt, Move.REQUEUE, now, note)])
                number = claims.take(tx, post, worker="the restore", now=now)
                moves.end_attempts(tx, [Ending(post.id, number, now, "published", evidence=evidence)])
                moves.apply(tx, [Change(post.id, number, Move.PUBLISH, now, note, values=values)])
                aftermath.settle(tx, post, at=now, kind=aftermath.FOUND, evidence=evidence)
                copies = [each.remote_id for each in ours]
                history.see_copies(tx, post.id, at=now, remote_ids=copies, url=oldest.url)
        except IllegalMove:
            log.info("%s: somebody decided meanwhile, or its channel is busy", post.name)
            return
        log.warning("%s: %s", post.name, note)

    def _settle(self, post: Post, kind: str = "", evidence: dict[str, str | None] | None = None) -> None:
        with self._store.write() as tx:
            aftermath.settle(tx, post, at=self._now(), kind=kind, evidence=evidence)

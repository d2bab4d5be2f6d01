"""What the service checks: workers that are gone, posts whose time is over, posts that may be out or not."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta

from outreach.channels import Channel
from outreach.lifecycle import IllegalMove
from outreach.model import Move, Post
from outreach.publisher import Pace, doubt_values
from outreach.store import (
    ChangeWatch,
    Store,
    Transaction,
    channels,
    claims,
    health,
    home,
    moves,
    posts,
    waiting,
    workers,
)
from outreach.store.claims import InFlight
from outreach.store.moves import Change, Ending
from outreach.watch.doubts import Doubts
from outreach.watch.errands import Errand
from outreach.watch.links import Links
from outreach.watch.wallclock import WallClock
from outreach.watch.zones import Zones

__all__ = ["Watch"]

log = logging.getLogger(__name__)

_FORGET_AFTER = timedelta(days=7)


class Watch:
    """The chores of one worker. Its channels are its own: nobody else uses them at the same time."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        elapsed_s: Callable[[], float],
        worker: str,
        pace: Pace,
    ) -> None:
        self._store = store
        self._now = now
        self._worker = worker
        self._pace = pace
        self._opened = ExitStack()
        self._changes: ChangeWatch | None = None
        self._next_chore_at: datetime | None = None
        self.wall = WallClock(store=store, channels=channels, now=now, elapsed_s=elapsed_s)
        self.doubts = Doubts(store=store, channels=channels, now=now, elapsed_s=elapsed_s, pace=pace, wall=self.wall)
        self.zones = Zones(store=store, now=now)
        self.errands: tuple[Errand, ...] = ()
        self.links = Links(store=store, channels=channels, elapsed_s=elapsed_s, now=now)

    def beat(self) -> None:
        """Say that this worker lives, and forget those long gone."""
        now = self._now()
        with self._store.write() as tx:
            workers.beat(tx, self._worker, now)
            workers.forget_the_gone(tx, older_than=now - _FORGET_AFTER)
            self._pace.limits.tell_of_full_channels(tx, now)
            count = home.beat(tx)
        home.mark(self._store.file, count)
        self.wall.check()

    def leave(self) -> None:
        """Say that this worker has ended."""
        self._opened.close()
        with self._store.write() as tx:
            workers.leave(tx, self._worker)
            count = home.beat(tx)
        home.mark(self._store.file, count)

    def is_time(self) -> bool:
        """Tell whether a round would find anything to do. Cheap: it looks again only after somebody wrote something."""
        if self._changes is None:
            self._changes = self._opened.enter_context(self._store.watch())
            self._next_chore_at = self._next_chore()
        elif self._changes.has_changed():
            self._next_chore_at = self._next_chore()
        return self._next_chore_at is not None and self._next_chore_at <= self._now()

    def _next_chore(self) -> datetime | None:
        with self._store.read() as tx:
            return health.next_chore(tx)

    def round(self) -> None:
        """Do everything whose time has come, once."""
        for _, chore in self.chores():
            chore()

    def chores(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Give what a round is made of, by name and in its order, for who wants one's fault to keep none of the others."""
        return ("rescue", self.rescue), ("miss", self.miss), ("resume", self.resume), ("look", self.doubts.look)

    # Workers that are gone

    def rescue(self) -> int:
        """Take posts from workers that are gone or lost their lease: whether they were sent is not known."""
        now = self._now()
        with self._store.read() as tx:
            taken = [each for each in claims.in_flight(tx) if self._is_abandoned(each, now)]
        return sum(self._rescue_one(each, now) for each in taken)

    def _is_abandoned(self, post: InFlight, now: datetime) -> bool:
        if post.worker != self._worker and workers.is_gone(post.worker):
            return True
        return post.lease_until < now and not self.wall.is_in_doubt()

    def _rescue_one(self, post: InFlight, now: datetime) -> bool:
        gone = "is gone" if workers.is_gone(post.worker) else "gave no sign in time"
        reason = f"The worker that was sending it {gone}; the post may be out."
        values = doubt_values(reason, at=now, since=post.since, look_after_s=self._pace.look_after_s)
        try:
            with self._store.write() as tx:
                moves.apply(tx, [Change(post.post_id, post.attempt, Move.DOUBT, now, reason, values=values)])
                lost = Ending(post.post_id, post.attempt, now, "unconfirmed", reason, {posts.WORKER_LOST: True})
                moves.end_attempts(tx, [lost])
        except IllegalMove:
            return False  # its own worker, or another, was faster
        log.warning("post %d: %s", post.post_id, reason)
        return True

    # Posts whose time is over, channels whose pause is over

    def miss(self) -> int:
        """Give up posts whose grace is over, and what came due unapproved: they never go out late by themselves.

        An approval is asked for before the due time. What nobody looked at by then would otherwise go out hours late, in
        the minute somebody approves it; so it rests, and whoever approves it then decides by itself whether it is sent.
        """
        if self.wall.is_in_doubt():
            return 0  # whose time is over is not known
        now = self._now()
        with self._store.read() as tx:
            over = {post.id: post for post in (*posts.past_their_grace(tx, now), *waiting.over(tx, now))}
        return sum(self._miss_one(post, now) for post in over.values())

    def _miss_one(self, post: Post, now: datetime) -> bool:
        """Look once more where nobody can approve or edit it: what was read may be true no more."""
        try:
            with self._store.write() as tx:
                waiting.keep_from_changing(tx, post.announcement)
                current = posts.one(tx, post.id)
                if current is None or not (current.miss_at <= now or _is_over(tx, current, now)):
                    return False
                if not current.approved:
                    waiting.give_up(tx, current, now)
                    return True
                reason = _why_missed(current)
                moves.apply(
                    tx, [Change(current.id, current.attempt, Move.MISS, now, reason, values={"reason": reason})]
                )
        except IllegalMove:
            return False
        return True

    def resume(self) -> None:
        """Open the channels that were paused until an instant now past."""
        if self.wall.is_in_doubt():
            return  # whether it is past is not known
        with self._store.read() as tx:
            is_time = channels.is_a_pause_over(tx, self._now())
        if is_time:
            with self._store.write() as tx:
                channels.resume_those_whose_time_is_over(tx, self._now())


def _is_over(tx: Transaction, post: Post, now: datetime) -> bool:
    return any(other.id == post.id for other in waiting.over(tx, now, number=post.announcement))


def _why_missed(post: Post) -> str:
    if post.paused:
        return "It was paused until its time was over."
    earlier = f" Before that: {post.reason}" if post.reason else ""
    return f"Its time was over before it could be sent.{earlier}"

"""What the service checks: workers that are gone, posts whose time is over, posts that may be out or not."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import assert_never

from outreach.channels import Channel, HasLinks
from outreach.lifecycle import IllegalMove, may_absolve, next_look
from outreach.model import Absent, Attempt, Candidate, CannotTell, Finding, Found, Move, Outcome, Post, Published
from outreach.publisher import Pace, doubt_values
from outreach.store import (
    ChangeWatch,
    Store,
    StoreTrouble,
    channels,
    claims,
    explained,
    health,
    history,
    moves,
    posts,
    workers,
)
from outreach.store.moves import Change, Ending

log = logging.getLogger(__name__)

LINKS_BUDGET_S = 0.3
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
        self._channels = dict(channels)
        self._now = now
        self._elapsed_s = elapsed_s
        self._worker = worker
        self._pace = pace
        self._opened = ExitStack()
        self._changes: ChangeWatch | None = None
        self._next_chore_at: datetime | None = None
        self._without_link: deque[Post] = deque(maxlen=100_000)

    def beat(self) -> None:
        """Say that this worker lives, and forget those long gone."""
        now = self._now()
        with self._store.write() as tx:
            workers.beat(tx, self._worker, now)
            workers.forget_the_gone(tx, older_than=now - _FORGET_AFTER)

    def leave(self) -> None:
        """Say that this worker has ended."""
        self._opened.close()
        with self._store.write() as tx:
            workers.leave(tx, self._worker)

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
        return ("rescue", self.rescue), ("miss", self.miss), ("resume", self.resume), ("look", self.look)

    # Workers that are gone

    def rescue(self) -> int:
        """Take posts from workers that are gone or lost their lease: whether they were sent is not known."""
        now = self._now()
        with self._store.read() as tx:
            taken = [
                (post_id, attempt, worker)
                for post_id, attempt, worker, lease_until in claims.in_flight(tx)
                if lease_until < now or (worker != self._worker and workers.is_gone(worker))
            ]
        return sum(self._rescue_one(post_id, attempt, worker, now) for post_id, attempt, worker in taken)

    def _rescue_one(self, post_id: int, attempt: int, worker: str, now: datetime) -> bool:
        gone = "is gone" if workers.is_gone(worker) else "gave no sign in time"
        reason = f"The worker that was sending it {gone}; the post may be out."
        values = doubt_values(reason, at=now, look_after_s=self._pace.look_after_s)
        try:
            with self._store.write() as tx:
                moves.apply(tx, [Change(post_id, attempt, Move.DOUBT, now, reason, values=values)])
                moves.end_attempts(tx, [Ending(post_id, attempt, now, "unconfirmed", reason)])
        except IllegalMove:
            return False  # its own worker, or another, was faster
        log.warning("post %d: %s", post_id, reason)
        return True

    # Posts whose time is over, channels whose pause is over

    def miss(self) -> int:
        """Give up posts whose grace is over: they never go out late by themselves."""
        now = self._now()
        with self._store.read() as tx:
            over = posts.past_their_grace(tx, now)
        missed = 0
        for post in over:
            reason = _why_missed(post)
            try:
                with self._store.write() as tx:
                    moves.apply(tx, [Change(post.id, post.attempt, Move.MISS, now, reason, values={"reason": reason})])
                missed += 1
            except IllegalMove:
                continue
        return missed

    def resume(self) -> None:
        """Open the channels that were paused until an instant now past."""
        with self._store.read() as tx:
            is_time = channels.is_a_pause_over(tx, self._now())
        if is_time:
            with self._store.write() as tx:
                channels.resume_those_whose_time_is_over(tx, self._now())

    # Posts that may be out or not

    def look(self) -> int:
        """Ask the channels for unconfirmed posts whose time to be looked for has come."""
        with self._store.read() as tx:
            wanted = posts.to_be_looked_for(tx, self._now())
        for post in wanted:
            self._look_for(post)
        return len(wanted)

    def _look_for(self, post: Post) -> None:
        channel = self._channels.get(post.channel_id)
        finding = self._ask(channel, post) if channel else CannotTell("the channel is not set up any more")
        try:
            self._conclude(post, finding)
        except IllegalMove:
            log.info("%s: somebody decided meanwhile", post.name)
        except StoreTrouble as trouble:  # it keeps no other post from being looked for
            log.error("%s: %s It is looked for again.", post.name, explained(trouble).message)

    def _ask(self, channel: Channel, post: Post) -> Finding:
        with self._store.read() as tx:
            content = posts.content(tx, post)
            started = posts.first_doubt(tx, post) or post.doubted_at or self._now()
        try:
            return channel.find(Attempt(post, post.attempt, started, started, content))
        except Exception as trouble:  # the named place around one channel call: a fault of ours loses no post
            log.exception("%s: the channel failed", post.name)
            return CannotTell(f"the service itself failed while asking ({type(trouble).__name__})")

    def _conclude(self, post: Post, finding: Finding) -> None:
        match finding:
            case Found(candidates):
                self._confirm_or_wait(post, candidates)
            case Absent():
                self._absolve_or_wait(post)
            case CannotTell(reason):
                self._wait(post, is_clean=False, what="could not tell", why=reason)
            case _ as unknown:
                assert_never(unknown)

    def _confirm_or_wait(self, post: Post, candidates: tuple[Candidate, ...]) -> None:
        with self._store.read() as tx:
            owned = posts.owned_remote_ids(tx, post.channel_id, [c.remote_id for c in candidates])
        ours = [c for c in candidates if c.remote_id not in owned]
        if not ours:
            self._absolve_or_wait(post)
            return
        oldest = ours[0]
        note = f"found on the channel as {oldest.remote_id}"
        if len(ours) > 1:
            note = f"published more than once: {', '.join(c.remote_id for c in ours)}; the oldest is taken"
            log.error("%s: %s", post.name, note)
        now = self._now()
        values = {"remote_id": oldest.remote_id, "url": oldest.url, "reason": None if len(ours) == 1 else note}
        with self._store.write() as tx:
            moves.apply(tx, [Change(post.id, post.attempt, Move.CONFIRM, now, note, values=values)])
            evidence = {"remote_ids": [c.remote_id for c in ours], "url": oldest.url}
            history.see(tx, post.id, at=now, kind="found", seen_by="the service", evidence=evidence)

    def _absolve_or_wait(self, post: Post) -> None:
        looks, clean = post.looks + 1, post.clean_looks + 1
        now = self._now()
        is_absent = may_absolve(looks=looks, clean_looks=clean, look_after_s=self._pace.look_after_s)
        if not is_absent or now >= post.miss_at:
            self._wait(post, is_clean=True, what="not there", why="the channel's list does not have it")
            return
        note = f"not on the channel after {looks} looks; it is sent again"
        values = {"due_at": now, "reason": note, "looks": 0, "clean_looks": 0}
        with self._store.write() as tx:
            history.see(tx, post.id, at=now, kind="not there", seen_by="the service", evidence={"looks": looks})
            moves.apply(tx, [Change(post.id, post.attempt, Move.ABSOLVE, now, note, values=values)])

    def _wait(self, post: Post, *, is_clean: bool, what: str, why: str) -> None:
        now = self._now()
        looks = post.looks + 1
        look_at = next_look(looks, doubted_at=post.doubted_at or now, look_after_s=self._pace.look_after_s)
        with self._store.write() as tx:
            history.see(tx, post.id, at=now, kind=what, seen_by="the service", evidence={"look": looks, "why": why})
            history.plan_look(tx, post.id, look_at=look_at, looks=looks, clean_looks=post.clean_looks + is_clean)
        if look_at is None:
            log.warning("%s: a person has to decide: outreach show %s", post.name, post.name)

    # Links to what went out

    def published(self, post: Post, outcome: Outcome) -> None:
        """Remember a post that went out and whose public address is still to be asked for."""
        if isinstance(outcome, Published) and outcome.remote_id and not outcome.url:
            self._without_link.append(post)

    def recall_links(self) -> None:
        """Remember those of earlier runs, as far as they are recent."""
        with self._store.read() as tx:
            self._without_link.extend(posts.recent_without_link(tx))

    def fetch_links(self, budget_s: float = LINKS_BUDGET_S) -> None:
        """Ask for public addresses while the budget lasts. No answer changes nothing but that the address is not known."""
        until_s = self._elapsed_s() + budget_s
        while self._without_link and self._elapsed_s() < until_s:
            post = self._without_link.popleft()
            channel = self._channels.get(post.channel_id)
            with self._store.read() as tx:
                fresh = posts.one(tx, post.id)
            if fresh is None or fresh.remote_id is None or fresh.url:
                continue
            url = _link_of(channel, fresh.remote_id)
            if url:
                with self._store.write() as tx:
                    history.set_url(tx, post.id, url)


def _link_of(channel: object, remote_id: str) -> str | None:
    return channel.link_to(remote_id) if isinstance(channel, HasLinks) else None


def _why_missed(post: Post) -> str:
    if not post.approved:
        return "Nobody approved it in time."
    if post.paused:
        return "It was paused until its time was over."
    earlier = f" Before that: {post.reason}" if post.reason else ""
    return f"Its time was over before it could be sent.{earlier}"

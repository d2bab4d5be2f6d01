"""Posts that may be out or not: the channel is asked, and what it says decides; what nobody can tell, a person does."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from outreach.channels import Channel, HasUsage
from outreach.lifecycle import IllegalMove, may_absolve, next_look
from outreach.model import Absent, Attempt, Candidate, CannotTell, Finding, Found, Move, Post, State
from outreach.publisher import Pace
from outreach.store import Store, StoreTrouble, channels, explained, heard, history, moves, posts, usage
from outreach.store.moves import Change
from outreach.store.posts import Tries
from outreach.watch.wallclock import WallClock

log = logging.getLogger(__name__)

MOST_WORKERS_LOST = 2
WHILE_PAUSED = timedelta(minutes=5)
BUDGET_S = 20.0


class Doubts:
    """Looks for unconfirmed posts. Its channels are its own: nobody else uses them at the same time."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        elapsed_s: Callable[[], float],
        pace: Pace,
        wall: WallClock,
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._now = now
        self._elapsed_s = elapsed_s
        self._pace = pace
        self._wall = wall

    def look(self) -> int:
        """Ask the channels for unconfirmed posts whose time to be looked for has come; give how many were looked for.

        What the time of one round does not suffice for is left to the next.
        """
        if self._wall.is_in_doubt():
            return 0  # how long ago it was sent is not known
        with self._store.read() as tx:
            wanted = posts.to_be_looked_for(tx, self._now())
        until_s, looked = self._elapsed_s() + BUDGET_S, 0
        for post in wanted:
            if self._elapsed_s() >= until_s:
                break  # the other chores wait for this one
            self._look_for(post)
            looked += 1
        return looked

    def _look_for(self, post: Post) -> None:
        channel = self._channels.get(post.channel_id)
        finding = self._ask(channel, post) if channel else CannotTell("the channel is not set up any more")
        try:
            self._keep_usage(post.channel_id, channel)
            self._conclude(post, finding)
        except IllegalMove:
            log.info("%s: somebody decided meanwhile", post.name)
        except StoreTrouble as trouble:  # it keeps no other post from being looked for
            log.error("%s: %s It is looked for again.", post.name, explained(trouble).message)

    def _keep_usage(self, channel_id: int, channel: object) -> None:
        seen = channel.usage() if isinstance(channel, HasUsage) else None
        if seen is not None:
            with self._store.write() as tx:
                usage.keep(tx, channel_id, seen)

    def _ask(self, channel: Channel, post: Post) -> Finding:
        with self._store.read() as tx:
            content = posts.content(tx, post)
        started = post.doubtful_since or post.doubted_at or self._now()
        try:
            return channel.find(Attempt(post, post.attempt, started, started, content))
        except Exception as trouble:  # the named place around one channel call: a fault of ours loses no post
            log.exception("%s: the channel failed", post.name)
            return CannotTell(f"the service itself failed while asking ({type(trouble).__name__})")

    def _conclude(self, post: Post, finding: Finding) -> None:
        match finding:
            case Found():
                self._confirm_or_wait(post, finding)
            case Absent():
                self._absolve_or_wait(post)
            case CannotTell() if self._is_postponed(post):
                log.info("%s: its channel is paused and cannot be asked; asked again later", post.name)
            case CannotTell(reason):
                self._wait(post, is_clean=False, what="could not tell", why=reason)
            case _ as unknown:
                assert_never(unknown)

    def _confirm_or_wait(self, post: Post, finding: Found) -> None:
        with self._store.read() as tx:
            ours = posts.not_of_others(tx, post, finding.candidates)
        if ours:
            self._confirm(post, ours, finding.evidence)
        elif post.message_id:  # no two mails have one Message-ID, so this is nothing to conclude from
            self._wait(post, is_clean=False, what="could not tell", why="what is there belongs to another post")
        else:
            self._absolve_or_wait(post)

    def _confirm(self, post: Post, ours: Sequence[Candidate], proof: Mapping[str, Any]) -> None:
        oldest = ours[0]
        note = f"found on the channel as {oldest.remote_id}"
        if len(ours) > 1:
            names = ", ".join(dict.fromkeys(c.remote_id for c in ours))
            note = f"published more than once ({len(ours)} times): {names}; the oldest is taken"
            log.error("%s: %s", post.name, note)
        now = self._now()
        values = {"remote_id": oldest.remote_id, "url": oldest.url, "reason": None if len(ours) == 1 else note}
        with self._store.write() as tx:
            moves.apply(tx, [Change(post.id, post.attempt, Move.CONFIRM, now, note, values=values)])
            evidence = {"remote_ids": [c.remote_id for c in ours], "url": oldest.url, **proof}
            kind = "found" if len(ours) == 1 else history.TWICE
            history.see(tx, post.id, at=now, kind=kind, evidence=evidence)

    def _absolve_or_wait(self, post: Post) -> None:
        """It is not there. That counts only at the end of the window, and leads to what the last answer allows."""
        looks = post.looks + 1
        is_absent = may_absolve(looks=looks, clean_looks=post.clean_looks + 1, look_after_s=self._pace.look_after_s)
        with self._store.read() as tx:
            tries = posts.tries(tx, post)
            if heard.is_told(tx, post.id):  # the Page itself said that it is there: no list outweighs that
                tries = replace(tries, outcome=None, is_known_there=True)
        if is_absent and tries.outcome == "refused":
            self._close(post, Move.REFUSE, post.reason or "The channel refused it.", looks)
        elif is_absent and not self._objection(post, tries):
            self._close(post, Move.ABSOLVE, f"not on the channel after {looks} looks; it is sent again", looks)
        else:
            why = self._objection(post, tries) or "the channel's list does not have it"
            self._wait(post, is_clean=True, what="not there", why=why)

    def _objection(self, post: Post, tries: Tries) -> str:
        """Say why a post that is not there must not be sent again by itself; empty when nothing speaks against it."""
        if tries.is_known_there:
            return "the channel says that it has it"
        if tries.workers_lost >= MOST_WORKERS_LOST:
            return f"{tries.workers_lost} workers ended while sending it; it may be what ends them"
        return "its grace is over" if self._now() >= post.miss_at else ""

    def _close(self, post: Post, move: Move, note: str, looks: int) -> None:
        now = self._now()
        values: dict[str, Any] = {"reason": note, "looks": 0, "clean_looks": 0}
        if move is Move.ABSOLVE:
            values["due_at"] = now
        with self._store.write() as tx:
            history.see(tx, post.id, at=now, kind="not there", evidence={"looks": looks})
            own = frozenset({State.UNCONFIRMED})  # a person who confirmed it meanwhile knows better
            moves.apply(tx, [Change(post.id, post.attempt, move, now, note, values=values, only_from=own)])

    def _is_postponed(self, post: Post) -> bool:
        """Look again later, uncounted, where the channel is paused: without a good token or under a limit nothing is learnt."""
        with self._store.write() as tx:
            if channels.paused_by_the_service(tx, post.channel_id) is None:
                return False
            look_at = self._now() + WHILE_PAUSED  # not only at its end: a person may resume it before
            history.plan_look(tx, post, look_at=look_at, looks=post.looks, clean_looks=post.clean_looks)
        return True

    def _wait(self, post: Post, *, is_clean: bool, what: str, why: str) -> None:
        now = self._now()
        looks = post.looks + 1
        look_at = next_look(looks, doubted_at=post.doubted_at or now, look_after_s=self._pace.look_after_s)
        with self._store.write() as tx:
            history.see(tx, post.id, at=now, kind=what, evidence={"look": looks, "why": why})
            history.plan_look(tx, post, look_at=look_at, looks=looks, clean_looks=post.clean_looks + is_clean)
        if look_at is None:
            log.warning("%s: a person has to decide: outreach show %s", post.name, post.name)

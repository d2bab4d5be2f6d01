"""Posts given to a channel's own scheduler, so that they go out even if this machine sleeps.

The order is that of publishing: the intent is committed, then the post is given, then what came of it is committed. From the
intent on no worker takes the post, until it is certain that the channel does not have it. What may not stay there any more is
taken back; what was due there is looked for, and only its absence gives it back to the queue.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from outreach.channels import Channel
from outreach.channels._page_posts import is_the_same
from outreach.channels._planner import HasPlanner, Plan, Planner, Standing
from outreach.lifecycle import IllegalMove, judge
from outreach.model import (
    Absent,
    Attempt,
    Candidate,
    CannotTell,
    Found,
    Move,
    Post,
    Published,
    Refused,
    Unconfirmed,
)
from outreach.results import doubt_values
from outreach.store import Store, Transaction, arrivals, channels, claims, handovers, history, moves, posts, safety
from outreach.store.handovers import Handover
from outreach.store.moves import Change, Ending

log = logging.getLogger(__name__)

LEAST_AHEAD = timedelta(minutes=20)
NOT_GIVEN_BACK = timedelta(minutes=3)
"""So long before the due time nothing is taken back: what is just going out would be deleted."""
GIVING_TAKES = timedelta(minutes=5)
DOUBTED_FOR = timedelta(minutes=15)
BETWEEN_LOOKS = timedelta(minutes=5)
OUT_BY = timedelta(minutes=30)
RECONCILED_EACH = timedelta(hours=24)
AFTER_A_NO = timedelta(hours=1)
AFTER_TAKING_BACK = timedelta(minutes=2)
_LOOKS = 2
_AT_ONCE = 20
_SOON = timedelta(seconds=30)
_WORKER = "the channel's own scheduler"


class HandingOver:
    """The round of any number of workers. Its channels are its own: nobody else uses them at the same time."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        look_after_s: tuple[int, ...] = (30, 120, 300, 900),
    ) -> None:
        self._store = store
        self._look_after_s = look_after_s
        self._channels: dict[int, Any] = {n: each for n, each in channels.items() if isinstance(each, HasPlanner)}
        self._now = now

    def round(self) -> int:
        """See to what is handed over, then hand over what may be; give how many posts were given."""
        with self._store.read() as tx:
            open_ = handovers.open_ones(tx, self._channels)
            stopped = safety.current(tx) is not None
            rows = {row.id: row for row in channels.every(tx)}
        listed: dict[int, Sequence[Plan] | CannotTell] = {}
        for of, post in open_:
            row = rows[post.channel_id]
            is_closed = row.state == "paused" and row.paused_by is None
            if not is_closed:  # without a good token nothing is learnt
                by_person = row.state == "paused"
                self._see_to(of, post, listed, may_stay=not stopped and not by_person)
        return sum(self._give(post) for post in self._to_give())

    # Giving

    def _to_give(self) -> list[Post]:
        now, found = self._now(), []
        for number, channel in self._channels.items():
            if channel.hands_over > LEAST_AHEAD:
                with self._store.read() as tx:
                    until = now + channel.hands_over
                    found += handovers.to_give(tx, [number], since=now + LEAST_AHEAD, until=until, now=now)
        return [post for post in found if not post.due_at.microsecond][:_AT_ONCE]

    def _give(self, post: Post) -> bool:
        with self._store.write() as tx:
            content = posts.content(tx, post)
            may = (
                not content.does and content.extras.video is None and content.is_what_was_approved(post.content_sha256)
            )
            if not may or not handovers.begin(tx, post, now=self._now()):
                return False
        now = self._now()
        attempt = Attempt(post, post.attempt, now, now, content, may_send=lambda: self._may_go_on(post))
        return self._note(post, self._asked_to_take(attempt))

    def _asked_to_take(self, attempt: Attempt) -> Any:
        try:
            return self._planner(attempt.post).give(attempt, attempt.post.due_at)
        except Exception as trouble:  # the named place around one channel call: a fault of ours loses no post
            log.exception("%s: the channel failed", attempt.post.name)
            return Unconfirmed(f"the service itself failed while handing it over ({type(trouble).__name__})")

    def _may_go_on(self, post: Post) -> bool:
        with self._store.read() as tx:
            return post.due_at - self._now() > NOT_GIVEN_BACK and handovers.may_go_on(tx, post.id)

    def _note(self, post: Post, outcome: Any) -> bool:
        now = self._now()
        with self._store.write() as tx:
            match outcome:
                case Published(remote_id=str(remote_id)):
                    self._set_given(tx, post, remote_id)
                    return True
                case Published() | Unconfirmed():
                    handovers.set_doubtful(tx, post.id)
                    history.happened_to(tx, post, "hand-over in doubt", now=now, note=getattr(outcome, "reason", None))
                case _:
                    pause = judge(post, outcome, now).pause
                    if pause is not None:
                        channels.pause(tx, post.channel_id, pause, now=now)
                    again_at = None if isinstance(outcome, Refused) else now + AFTER_A_NO
                    handovers.refuse(tx, post.id, again_at=again_at)
                    history.happened_to(tx, post, "not handed over", now=now, note=outcome.reason)
        log.warning("%s: not handed over: %s", post.name, getattr(outcome, "reason", "no id"))
        return False

    def _set_given(self, tx: Transaction, post: Post, remote_id: str) -> None:
        note = "Facebook has it and publishes it at its time, even if this machine is off."
        if handovers.set_given(tx, post.id, remote_id, note=note):
            history.happened_to(tx, post, "handed over", now=self._now(), note=f"as {remote_id}")

    # Seeing to what is with the channel, or may be

    def _see_to(self, of: Handover, post: Post, listed: dict[int, Any], *, may_stay: bool) -> None:
        now = self._now()
        is_time = of.looked_at is None or now - of.looked_at >= BETWEEN_LOOKS
        try:
            if of.state == "giving":
                if now - of.at > GIVING_TAKES:
                    self._note(post, Unconfirmed("the worker that handed it over is gone"))
            elif of.state == "doubtful":
                if is_time:
                    self._find_out(of, post, self._listed(post, listed))
            elif now >= of.due_at + _SOON:
                self._after_its_time(of, post)
            elif not (may_stay and self._may_stay(of, post)):
                self.take_back(post)
            elif of.looked_at is None or now - of.looked_at >= RECONCILED_EACH:
                self._reconcile(of, post, self._listed(post, listed))
        except IllegalMove:
            log.info("%s: its channel is busy, or somebody was faster; looked at again", post.name)

    def _listed(self, post: Post, listed: dict[int, Any]) -> Any:
        if post.channel_id not in listed:
            listed[post.channel_id] = self._planner(post).plans()
        return listed[post.channel_id]

    def _may_stay(self, of: Handover, post: Post) -> bool:
        is_same = (post.content_sha256, post.due_at) == (of.content_sha256, of.due_at)
        return bool(is_same and post.approved and not post.paused and self._channels[post.channel_id].hands_over)

    def _find_out(self, of: Handover, post: Post, plans: Sequence[Plan] | CannotTell) -> None:
        """It may be there or not: it is once it is seen, and is not after two whole lists without it."""
        if isinstance(plans, CannotTell):
            return self._looked(post, is_clean=False)
        ours = self._ours(of, post, plans)
        if ours:
            for more in ours[1:]:
                self._planner(post).take_back(more.remote_id)
            with self._store.write() as tx:
                self._set_given(tx, post, ours[0].remote_id)
            return None
        # What goes out leaves that list before it is in the other: asked in this order, it is in one of them.
        return self._look_in_public(of, post)

    def _ours(self, of: Handover, post: Post, plans: Sequence[Plan]) -> list[Plan]:
        with self._store.read() as tx:
            text = posts.content(tx, post).text
        return [
            plan
            for plan in plans
            if is_the_same(plan.text, text) and (plan.at is None or abs(plan.at - of.due_at) < timedelta(minutes=1))
        ]

    def _look_in_public(self, of: Handover, post: Post) -> None:
        finding = self._in_public(of, post)
        match finding:
            case Candidate():
                self._is_out(post, finding)
            case Absent():
                settled_at = max(of.at, of.due_at if self._now() >= of.due_at else of.at) + DOUBTED_FOR
                if of.looks + 1 >= _LOOKS and self._now() >= settled_at:
                    self._gave_back(post, "not there after all; it is published from here")
                else:
                    self._looked(post, is_clean=True)
            case CannotTell() if self._now() >= of.due_at + OUT_BY:
                self._doubt(of, post)
            case CannotTell():
                self._looked(post, is_clean=False)
            case _ as unknown:
                assert_never(unknown)

    def _doubt(self, of: Handover, post: Post) -> None:
        """Nobody can tell, and its time is past: it is looked for as any post in doubt, and then a person decides."""
        now, reason = self._now(), "It may have been published by Facebook's own scheduler; the post may be out."
        values = doubt_values(reason, at=now, since=min(of.at, of.due_at), look_after_s=self._look_after_s)
        with self._store.write() as tx:
            number = claims.take(tx, post, worker=_WORKER, now=now)
            handovers.end(tx, post.id)
            moves.end_attempts(tx, [Ending(post.id, number, now, "unconfirmed", reason)])
            moves.apply(tx, [Change(post.id, number, Move.DOUBT, now, reason, values=values)])

    def _in_public(self, of: Handover, post: Post) -> Candidate | Absent | CannotTell:
        with self._store.read() as tx:
            content = posts.content(tx, post)
        began = min(of.at, of.due_at)
        finding = self._channels[post.channel_id].find(Attempt(post, post.attempt, began, began, content))
        if isinstance(finding, Found):
            with self._store.read() as tx:
                ours = posts.not_of_others(tx, post, finding.candidates)
            return ours[0] if ours else Absent()
        return finding if isinstance(finding, Absent | CannotTell) else CannotTell("no answer")

    def _looked(self, post: Post, *, is_clean: bool) -> None:
        with self._store.write() as tx:
            handovers.count_a_look(tx, post.id, now=self._now(), is_clean=is_clean)

    def _reconcile(self, of: Handover, post: Post, plans: Sequence[Plan] | CannotTell) -> None:
        """Once a day: whether it waits there as it was given."""
        if isinstance(plans, CannotTell):
            return self._looked(post, is_clean=False)
        known = next((plan for plan in plans if plan.remote_id == of.remote_id), None)
        return self._conclude(of, post, known or self._planner(post).standing(of.remote_id or ""))

    def _after_its_time(self, of: Handover, post: Post) -> None:
        standing = self._planner(post).standing(of.remote_id or "")
        if isinstance(standing, Plan) and self._now() >= of.due_at + OUT_BY:
            standing = self._planner(post).take_back(of.remote_id or "")
            if isinstance(standing, Absent):
                return self._gave_back(post, "Facebook did not publish it in time; it is published from here")
        return self._conclude(of, post, standing)

    def _conclude(self, of: Handover, post: Post, standing: Standing) -> None:
        match standing:
            case Found(candidates):
                self._is_out(post, candidates[0])
            case Plan() if self._now() < of.due_at and not self._is_as_given(of, post, standing):
                self.take_back(post, "it was changed at Facebook")
            case Absent():
                self._is_gone(of, post)
            case Plan() | CannotTell():
                self._looked(post, is_clean=False)
            case _ as unknown:
                assert_never(unknown)

    def _is_as_given(self, of: Handover, post: Post, plan: Plan) -> bool:
        return bool(self._ours(of, post, [plan]))

    def _is_gone(self, of: Handover, post: Post) -> None:
        """Somebody took it out there, or published it under another id: a person decides, once it is in no list."""
        found = self._in_public(of, post) if self._now() >= of.due_at else Absent()
        if isinstance(found, Candidate):
            self._is_out(post, found)
        elif isinstance(found, CannotTell) or of.looks + 1 < _LOOKS:
            self._looked(post, is_clean=isinstance(found, Absent))
        else:
            note = (
                "Facebook does not have it any more: somebody took it out there. Resume it to let it go out from here."
            )
            with self._store.write() as tx:
                handovers.end(tx, post.id)
                arrivals.hold_back(tx, post, now=self._now(), note=note)
            log.warning("%s: %s", post.name, note)

    def _is_out(self, post: Post, found: Candidate) -> None:
        """It was published there; written down all at once, so that nobody sends it."""
        now, note = self._now(), "Facebook's own scheduler published it"
        evidence = {"remote_id": found.remote_id, "url": found.url, "why": note}
        values = {"remote_id": found.remote_id, "url": found.url, "reason": None}
        with self._store.write() as tx:
            number = claims.take(tx, post, worker=_WORKER, now=now)
            handovers.end(tx, post.id)
            moves.end_attempts(tx, [Ending(post.id, number, now, "published", evidence=evidence)])
            moves.apply(tx, [Change(post.id, number, Move.PUBLISH, now, note, values=values)])
        log.info("%s: %s", post.name, note)

    def _gave_back(self, post: Post, why: str, *, again_at: datetime | None = None) -> None:
        now = self._now()
        with self._store.write() as tx:
            handovers.end(tx, post.id)
            if again_at is not None:
                handovers.wait(tx, post, now=now, again_at=again_at)
            history.happened_to(tx, post, "taken back", now=now, note=why)

    # Taking back, for who decides something about a post

    def take_back(self, post: Post, why: str = "it may not stay there") -> str | None:
        """Take a post back, so that it can be changed or cancelled here; give why that could not be done, None where it was.

        Raises nothing for what the other side answers.
        """
        with self._store.read() as tx:
            of = handovers.of(tx, post.id)
        if of is None:
            return None
        if post.channel_id not in self._channels:
            return "its channel is not set up any more"
        if of.remote_id is None:
            return "it is just being given to Facebook, or may be there; that is known within minutes"
        if self._now() >= of.due_at - NOT_GIVEN_BACK:
            return "it goes out there this very minute"
        standing = self._planner(post).take_back(of.remote_id)
        match standing:
            case Absent():
                self._gave_back(post, why, again_at=self._now() + AFTER_TAKING_BACK)
                return None
            case Found():
                return "it is out already"
            case Plan():
                return "Facebook did not give it back"
            case CannotTell(reason):
                return reason
            case _ as unknown:
                assert_never(unknown)

    def _planner(self, post: Post) -> Planner:
        planner: Planner = self._channels[post.channel_id].planner()
        return planner

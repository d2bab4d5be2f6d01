"""What the service does: claim what is due, publish each once, judge the answer, record it.

The order never changes: the intent is committed, then the post is sent, then the outcome is committed. Speed comes from
grouping: what is recorded of some posts and the claims of the next share one transaction, and so one sync of the disk.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from outreach import guard
from outreach.channels import Channel, HasUsage
from outreach.guard import ClockGuard
from outreach.lifecycle import IllegalMove
from outreach.model import HELD_UP, Attempt, Found, Move, Outcome, Published, Refused, Unconfirmed
from outreach.results import Pace, Result, doubt_values, record
from outreach.store import NOT_STORABLE, Store, StoreTrouble, claims, clockmarks, explained, posts, safety, workers

__all__ = ["Clock", "Pace", "Publisher", "doubt_values"]

log = logging.getLogger(__name__)

POLL_S = 0.25
QUIET_S = 0.005
TOGETHER_S = 0.0005
TROUBLE_PAUSE_S = 1.0
_NOT_ALL_AT_ONCE: tuple[type[Exception], ...] = (IllegalMove, *NOT_STORABLE)
MOST_SENDERS = 32


class Clock(Protocol):
    """Time, handed over. `elapsed_s` never jumps and counts on while the machine sleeps."""

    def now(self) -> datetime:
        """Give the instant."""

    def elapsed_s(self) -> float:
        """Give seconds since some moment."""


class Publisher:
    """Publishes what is due on its channels, one post at a time on each, all channels at once.

    Any number of them may work on one database, in any number of processes.
    """

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        clock: Clock,
        worker: str,
        pace: Pace,
        on_result: Callable[[Result], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._clock = clock
        self._worker = worker
        self._pace = pace
        self._on_result = on_result
        self._inbox: SimpleQueue[Result | None] = SimpleQueue()
        self._in_flight: dict[int, Attempt] = {}
        self._unrecorded: list[Result] = []
        self._send_until_s: dict[int, float] = {}
        self._extended_at_s = clock.elapsed_s()
        self._guard = ClockGuard(clock.now(), clock.elapsed_s())
        self.obstacle: str | None = None
        self._trouble: Exception | None = None
        self._trouble_since_s = 0.0
        self._outbox: SimpleQueue[Attempt | None] = SimpleQueue()
        self._senders = [
            threading.Thread(target=self._send_all, name=f"sender-{n}", daemon=True)
            for n in range(min(max(len(self._channels), 1), MOST_SENDERS))
        ]
        for sender in self._senders:
            sender.start()

    def wake(self) -> None:
        """Make it look at once: something may be due. May be called from any thread."""
        self._inbox.put(None)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish what is in flight within its time-out."""
        with self._store.watch() as watch:
            while not stop.is_set():
                results = self._wait_for_work(watch, stop)
                self._turn(results, claiming=not stop.is_set())
        self._finish([])

    def drain(self, stop: threading.Event | None = None) -> int:
        """Publish everything that is due now, and end when nothing is left to claim; give how many attempts it made.

        Once `stop` is set nothing more is claimed, and what is in flight is finished within its time-out.

        Raises `StoreTrouble` when the database cannot be written for as long as a stop may take: what was sent by then
        is in doubt, and is found so at the next start.
        """
        made = 0
        results: list[Result] = []
        while True:
            if stop is not None and stop.is_set():
                self._finish(results)
                return made
            made += self._turn(results, claiming=True)
            is_long = self._clock.elapsed_s() - self._trouble_since_s > self._pace.stop_s
            if self._trouble and (is_long or not (self._in_flight or isinstance(self._trouble, _NOT_ALL_AT_ONCE))):
                raise self._trouble
            if not self._in_flight and not self._trouble:
                return made
            results = (
                self._gathered(self._clock.elapsed_s() + self._pace.lease.total_seconds() / 3)
                if self._in_flight and not self._unrecorded
                else []
            )

    @property
    def trouble_since_s(self) -> float | None:
        """Since when nothing can be recorded, as `elapsed_s` of the clock; None when all is well. From any thread."""
        return self._trouble_since_s if self._trouble or self.obstacle else None

    def close(self) -> None:
        """Let the senders go without waiting for any that hang."""
        for _ in self._senders:
            self._outbox.put(None)

    # Waiting

    def _wait_for_work(self, watch: Any, stop: threading.Event) -> list[Result]:
        """Sleep until an answer came, something fell due, or another process may have queued something."""
        results = self._gathered(self._clock.elapsed_s() + (QUIET_S if self._in_flight else 0.0))
        if results or self._unrecorded:
            return results
        due = self._next_due()
        while not results and not stop.is_set() and not self._must_extend():
            wait_s = POLL_S if due is None else min(POLL_S, (due - self._clock.now()).total_seconds())
            if wait_s <= 0:
                return []
            woken, results = self._woken(wait_s)
            if woken or watch.has_changed():
                due = self._next_due()
        return results

    def _next_due(self) -> datetime | None:
        try:
            with self._store.read() as tx:
                return claims.next_due(
                    tx, channels=self._channels.keys() - self._in_flight.keys(), now=self._clock.now()
                )
        except StoreTrouble as trouble:
            log.error("%s", explained(trouble).message)
            return self._clock.now() + timedelta(seconds=TROUBLE_PAUSE_S)

    def _woken(self, wait_s: float) -> tuple[bool, list[Result]]:
        try:
            first = self._inbox.get(timeout=wait_s)
        except Empty:
            return False, []
        return True, self._and_what_else_came(first)

    def _gathered(self, until_s: float) -> list[Result]:
        try:
            first = self._inbox.get(timeout=max(0.0, until_s - self._clock.elapsed_s()))
        except Empty:
            return []
        return self._and_what_else_came(first)

    def _and_what_else_came(self, first: Result | None) -> list[Result]:
        """Take along what comes in the next moment: answers that share a commit share its sync of the disk.

        The more is in flight, the longer the moment, up to some milliseconds; it is over when nothing is left to come.
        """
        came = [first]
        expected = len(self._in_flight)
        until_s = self._clock.elapsed_s() + TOGETHER_S * expected
        while len(came) < expected:
            try:
                came.append(self._inbox.get(timeout=max(0.0, until_s - self._clock.elapsed_s())))
            except Empty:
                break
        return [result for result in came if result is not None]

    # One turn: record what came back, claim what is due, send it

    def _turn(self, results: list[Result], *, claiming: bool) -> int:
        began_s = self._clock.elapsed_s()
        claiming = claiming and self._may_claim()
        results = self._unrecorded + results
        self._unrecorded = []
        try:
            claimed = self._commit(results, claiming)
        except _NOT_ALL_AT_ONCE as trouble:
            if not results:
                self._keep_for_later([], trouble)
                return 0
            self._settle(self._recorded_one_by_one(results))
            return self._turn([], claiming=claiming)
        except StoreTrouble as trouble:
            self._keep_for_later(results, trouble)
            return 0
        self._trouble = None
        self._settle(results)
        if not self._in_flight:
            self._extended_at_s = began_s
        for attempt in claimed:
            self._in_flight[attempt.post.channel_id] = attempt
            self._send_until_s[attempt.post.id] = began_s + self._half_a_lease_s
            self._outbox.put(replace(attempt, may_send=partial(self._may_send, attempt)))
        return len(claimed)

    def _commit(self, results: list[Result], claiming: bool) -> list[Attempt]:
        now, began_s = self._clock.now(), self._clock.elapsed_s()
        busy = set(self._in_flight) - {result.attempt.post.channel_id for result in results}
        free = [channel_id for channel_id in self._channels if channel_id not in busy]
        extends, kept = self._must_extend(), False
        claimed: list[Attempt] = []
        with self._store.write() as tx:
            record(tx, results, self._pace)
            if extends:
                kept = claims.extend_leases(tx, self._going_on(busy), now + self._pace.lease)
            if claiming and not self._has_jumped(tx, now, began_s):
                claimed = self._claim(tx, free, now, most=MOST_SENDERS - len(busy))
        if claiming and self._guard.jump(now, began_s) is not None:
            self._guard.accept(now, began_s)  # it is on record by now
        if extends:
            self._extended_at_s = began_s
        if kept:
            self._send_until_s |= {post_id: began_s + self._half_a_lease_s for post_id, _ in self._going_on(busy)}
        return claimed

    def _may_claim(self) -> bool:
        """Tell whether what would be sent could be recorded; where it could not, say so and wait a moment."""
        before, self.obstacle = self.obstacle, self._store.obstacle()
        if self.obstacle is None:
            return True
        if before is None and self._trouble is None:
            self._trouble_since_s = self._clock.elapsed_s()
        log.error("%s", self.obstacle)
        threading.Event().wait(TROUBLE_PAUSE_S)
        return False

    def _claim(self, tx: Any, free: Sequence[int], now: datetime, *, most: int) -> list[Attempt]:
        claimed = claims.claim(tx, worker=self._worker, channels=free, now=now, lease=self._pace.lease, most=most)
        self._pace.limits.after_claims(tx, claimed, now)
        return claimed

    def _has_jumped(self, tx: Any, now: datetime, steady_s: float) -> bool:
        """Tell whether the wall clock just jumped; then nothing goes out until that is understood."""
        ahead = self._guard.jump(now, steady_s)
        if ahead is None or clockmarks.is_accepted(tx, now, steady_s):
            return False
        log.error("%s", guard.sentence(ahead))
        safety.enter(tx, safety.Cause.CLOCK, guard.sentence(ahead), now=now, host=workers.host())
        return True

    def _recorded_one_by_one(self, results: list[Result]) -> list[Result]:
        """One of them cannot be recorded as it is: find out which, and let it hold up no other."""
        return [done for result in results if (done := self._recorded(result)) is not None]

    def _recorded(self, result: Result) -> Result | None:
        name, number = result.attempt.post.name, result.attempt.number
        try:
            with self._store.write() as tx:
                record(tx, [result], self._pace)
        except IllegalMove:
            log.error("%s: the answer to attempt %d came too late and was not recorded", name, number)
        except NOT_STORABLE as trouble:
            log.error("%s: the answer to attempt %d cannot be stored: %s", name, number, type(trouble).__name__)
            doubt = Unconfirmed("The channel's answer could not be recorded; the post may be out.")
            return result if result.outcome == doubt else self._recorded(replace(result, outcome=doubt))
        except StoreTrouble as trouble:
            self._keep_for_later([result], trouble)
            return None
        return result

    def _keep_for_later(self, results: list[Result], trouble: Exception) -> None:
        """The commit may or may not have happened: nothing new is claimed before these answers are safe."""
        said = explained(trouble).message if isinstance(trouble, StoreTrouble) else type(trouble).__name__
        log.error("%s %d answers wait to be recorded.", said, len(results))
        self._unrecorded += results
        if self._trouble is None:
            self._trouble_since_s = self._clock.elapsed_s()
        self._trouble = trouble
        threading.Event().wait(TROUBLE_PAUSE_S)

    def _settle(self, results: list[Result]) -> None:
        for result in results:
            post = result.attempt.post
            self._in_flight.pop(post.channel_id, None)
            self._send_until_s.pop(post.id, None)
            verdict = result.verdict
            is_good = verdict.move is Move.PUBLISH
            log.log(logging.INFO if is_good else logging.WARNING, "%s: %s", post.name, verdict.reason or "published")
            self._on_result(result)

    # Leases

    def _must_extend(self) -> bool:
        """Tell whether a third of the lease has gone by while something is in flight."""
        return (
            bool(self._in_flight)
            and self._clock.elapsed_s() - self._extended_at_s > self._pace.lease.total_seconds() / 3
        )

    def _going_on(self, channel_ids: set[int]) -> list[tuple[int, int]]:
        return [(self._in_flight[each].post.id, self._in_flight[each].number) for each in channel_ids]

    @property
    def _half_a_lease_s(self) -> float:
        return self._pace.lease.total_seconds() / 2

    def _may_send(self, attempt: Attempt) -> bool:
        """Tell whether half of the lease and some of the grace are left, and nobody stopped it since it was claimed.

        A worker that was held up for longer may have been given up. What cannot be asked is not sent.
        """
        if not self._has_time(attempt):
            return False
        try:
            with self._store.read() as tx:
                return claims.may_go_on(tx, attempt.post.id, attempt.number)
        except StoreTrouble as trouble:
            log.error("%s: not sent now. %s", attempt.post.name, explained(trouble).message)
            return False

    def _has_time(self, attempt: Attempt) -> bool:
        until_s = self._send_until_s.get(attempt.post.id)
        return until_s is not None and self._clock.elapsed_s() <= until_s and self._clock.now() < attempt.post.miss_at

    # Sending

    def _send_all(self) -> None:
        """Send one after the other, until told to go. Daemon threads: one that hangs does not keep the process."""
        while (attempt := self._outbox.get()) is not None:
            outcome = self._outcome(attempt)
            channel: object = self._channels[attempt.post.channel_id]
            usage = channel.usage() if isinstance(channel, HasUsage) else None
            self._inbox.put(Result(attempt, outcome, self._clock.now(), usage))

    def _outcome(self, attempt: Attempt) -> Outcome:
        if not attempt.content.is_what_was_approved(attempt.post.content_sha256):
            return Refused("What is stored is not what was approved; it was not sent.")
        if not self._has_time(attempt):
            return HELD_UP  # the channel asks the rest at its first byte
        channel = self._channels[attempt.post.channel_id]
        try:
            return (self._found_there(channel, attempt) if attempt.number > 1 else None) or channel.publish(attempt)
        except Exception as trouble:  # the named place around one channel call: a fault of ours loses no post
            log.exception("%s: the channel failed", attempt.post.name)
            return Unconfirmed(
                f"The service itself failed while sending ({type(trouble).__name__}); the post may be out."
            )

    def _found_there(self, channel: Channel, attempt: Attempt) -> Published | None:
        """Ask before sending again, whatever the earlier tries were told: an answer may have lied, a person be mistaken.

        Only what is positively there keeps the post from being sent: its absence was settled before it was queued again.
        """
        with self._store.read() as tx:
            earliest = posts.first_try(tx, attempt.post) or attempt.started_at
        finding = channel.find(replace(attempt, first_started_at=earliest))
        if not isinstance(finding, Found):
            return None
        with self._store.read() as tx:
            ours = posts.not_of_others(tx, attempt.post, finding.candidates)
        if not ours:
            return None
        log.warning("%s: an earlier try is out as %s", attempt.post.name, ours[0].remote_id)
        evidence = {"found": "an earlier try is out; nothing was sent now", "remote_ids": [c.remote_id for c in ours]}
        return Published(remote_id=ours[0].remote_id, url=ours[0].url, evidence=evidence)

    # Stopping

    def _finish(self, results: list[Result]) -> None:
        """Wait for what is in flight; what does not end in time is unconfirmed, not lost."""
        deadline_s = self._clock.elapsed_s() + self._pace.stop_s
        self._turn(results, claiming=False)
        while (self._in_flight or self._unrecorded) and self._clock.elapsed_s() < deadline_s:
            self._turn(self._gathered(min(deadline_s, self._clock.elapsed_s() + 1.0)), claiming=False)
        reason = "The worker was stopped before the answer came; the post may be out."
        late = [Result(attempt, Unconfirmed(reason), self._clock.now()) for attempt in self._in_flight.values()]
        self._turn(late, claiming=False)
        self.close()

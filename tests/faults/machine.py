"""The store and `judge` as a state machine, beside a remote that keeps the truth: hypothesis chooses what happens next."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from outreach.lifecycle import IllegalMove, is_legal, judge
from outreach.model import (
    Absent,
    Attempt,
    Blocked,
    Candidate,
    CannotTell,
    Finding,
    Found,
    Move,
    Outcome,
    Post,
    Published,
    Refused,
    State,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)  # fmt: skip
from outreach.publisher import Pace, doubt_values
from outreach.store import Store, channels, health, moves, open_store, posts
from outreach.watch import Watch
from tests.builders import LEASE, SettableClock, an_announcement, claimed, column
from tests.hands.stand_ins import Scripted

PACE = Pace(lease=LEASE, look_after_s=(30, 120))
ON = ("facebook", "facebook-2")
ENDS = ("accept", "accept and lose", "lose", "hang", "reject", "not reached", "dead token", "blocked")


class Remote:
    """The outside world: what is public, and what is still on its way there."""

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.public: dict[int, list[Candidate]] = {}
        self.on_their_way: list[int] = []
        self.can_be_asked = True
        self._serial = 0

    def take(self, post_id: int) -> str:
        """Make a post public."""
        self._serial += 1
        remote_id = f"1_{self._serial}"
        self.public.setdefault(post_id, []).append(Candidate(remote_id, None, self._clock.now()))
        return remote_id

    def let_arrive(self) -> None:
        """What hung is worked on at last, before anybody looks."""
        while self.on_their_way:
            self.take(self.on_their_way.pop())

    def copies(self, post_id: int) -> int:
        """Count the public copies of a post."""
        return len(self.public.get(post_id, ()))


class Asked(Scripted):
    """The channel as far as the watch uses it: it can be asked."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(publish=_nothing_is_published)
        self._remote = remote

    def find(self, attempt: Attempt) -> Finding:
        self._remote.let_arrive()
        if not self._remote.can_be_asked:
            return CannotTell("it does not answer")
        there = self._remote.public.get(attempt.post.id)
        return Found(tuple(there)) if there else Absent()


def _nothing_is_published(attempt: Attempt) -> Outcome:
    raise AssertionError("a watch publishes nothing")


class LifeOfPosts(RuleBasedStateMachine):
    """Posts are queued, claimed, sent and lost, workers die and come back late, clocks jump, people decide."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.store: Store = open_store(url)
        self.clock = SettableClock()
        self.remote = Remote(self.clock)
        self.in_hand: list[tuple[Attempt, float]] = []
        self.to_record: list[tuple[Attempt, Outcome]] = []
        self.requeued: Counter[int] = Counter()
        self.has_jumped = False

    def teardown(self) -> None:
        self.store.close()

    def _watch(self) -> Watch:
        ids = column(self.store, "SELECT id FROM channels")
        mine = {number: Asked(self.remote) for number in ids}
        return Watch(
            store=self.store, channels=mine, now=self.clock.now, elapsed_s=self.clock.elapsed_s,
            worker="another", pace=PACE,
        )  # fmt: skip

    def _posts(self, *states: State) -> list[Post]:
        with self.store.read() as tx:
            return posts.in_states(tx, states or tuple(State))

    # What happens

    @initialize()
    def begin(self) -> None:
        an_announcement(self.store, on=ON, due_at=self.clock.now())

    @rule(minutes=st.sampled_from([0, 0, 1, 60]))
    def enqueue(self, minutes: int) -> None:
        an_announcement(self.store, on=ON[:1], due_at=self.clock.now() + timedelta(minutes=minutes))

    @rule(seconds=st.sampled_from([1, 31, 100, 121, 1800]))
    def time_passes(self, seconds: int) -> None:
        self.remote.let_arrive()
        self.clock.tick(seconds)

    @precondition(lambda self: not self.has_jumped)
    @rule(seconds=st.sampled_from([-3600, -60, 60, 3600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.has_jumped = True
        self.clock.set_to(self.clock.now() + timedelta(seconds=seconds))

    @rule()
    def claim(self) -> None:
        for attempt in claimed(self.store, worker="elsewhere|boot|1|1|0", now=self.clock.now()):
            self.in_hand.append((attempt, self.clock.elapsed_s()))

    @precondition(lambda self: self.in_hand)
    @rule(end=st.sampled_from(ENDS))
    def deliver(self, end: str) -> None:
        attempt, since_s = self.in_hand.pop(0)
        if self.clock.elapsed_s() - since_s > LEASE.total_seconds() / 2:
            end = "held up"
        self.to_record.append((attempt, self._outcome(attempt.post.id, end)))

    def _outcome(self, post_id: int, end: str) -> Outcome:
        match end:
            case "accept":
                return Published(remote_id=self.remote.take(post_id))
            case "accept and lose":
                self.remote.take(post_id)
            case "hang":
                self.remote.on_their_way.append(post_id)
            case "reject":
                return Refused("It does not like it.")
            case "not reached" | "held up":
                return Unavailable("It could not be reached.")
            case "dead token":
                return Unauthorized("The token ended.")
            case "blocked":
                return Blocked("Not now.", self.clock.now() + timedelta(minutes=5))
        return Unconfirmed("No answer came.")

    @precondition(lambda self: self.to_record)
    @rule()
    def record(self) -> None:
        """Write down how an attempt ended; whoever comes too late is refused and changes nothing."""
        attempt, outcome = self.to_record.pop(0)
        before = self._posts()
        try:
            self._write_down(attempt, outcome)
        except IllegalMove:
            assert self._posts() == before
        else:
            was = next(post for post in before if post.id == attempt.post.id)
            assert (was.state, was.attempt) == (State.PUBLISHING, attempt.number)

    def _write_down(self, attempt: Attempt, outcome: Outcome) -> None:
        verdict, now = judge(attempt.post, outcome, self.clock.now()), self.clock.now()
        values: dict[str, Any] = {"reason": verdict.reason}
        if verdict.move is Move.PUBLISH:
            values["remote_id"] = verdict.remote_id
        if verdict.move is Move.DEFER:
            values["due_at"] = verdict.due_at
        if verdict.move is Move.DOUBT:
            since = attempt.first_started_at
            values = doubt_values(verdict.reason or "", at=now, since=since, look_after_s=PACE.look_after_s)
        name = type(outcome).__name__.lower()
        with self.store.write() as tx:
            moves.apply(tx, [moves.Change(attempt.post.id, attempt.number, verdict.move, now, values=values)])
            moves.end_attempts(tx, [moves.Ending(attempt.post.id, attempt.number, now, name, verdict.reason)])
            if verdict.pause:
                channels.pause(tx, attempt.post.channel_id, verdict.pause, now=now)

    @rule(end=st.sampled_from(ENDS), then=st.sampled_from(["it writes that down", "it dies", "it stands still"]))
    def work(self, end: str, then: str) -> None:
        """The whole way in one step, so that what follows it is met often."""
        self.claim()
        while self.in_hand:
            self.deliver(end)
        if then == "it dies":
            self.the_worker_dies()
        while self.to_record and then == "it writes that down":
            self.record()

    @rule(late=st.sampled_from(ENDS), end=st.sampled_from(ENDS))
    def one_comes_back_when_another_is_at_it(self, late: str, end: str) -> None:
        """A worker that stood still has its answer, whatever it is, when the next attempt is under way."""
        self.claim()
        while self.in_hand:
            self.deliver(late)
        answers, self.to_record = self.to_record, []
        self.another_worker_takes_over(3)
        self.claim()
        self.to_record = answers
        while self.to_record:
            self.record()
        while self.in_hand:
            self.deliver(end)

    @rule(rounds=st.sampled_from([1, 3]))
    def another_worker_takes_over(self, rounds: int) -> None:
        """Each round comes when every lease, and every wait for the next look, is over."""
        for _ in range(rounds):
            self.time_passes(121)
            self.the_watch_goes_round()

    @precondition(lambda self: self.in_hand or self.to_record)
    @rule()
    def the_worker_dies(self) -> None:
        self.in_hand.clear()
        self.to_record.clear()

    @rule()
    def the_watch_goes_round(self) -> None:
        self._watch().round()

    @rule(answers=st.booleans())
    def the_remote_can_be_asked_or_not(self, answers: bool) -> None:
        self.remote.can_be_asked = answers

    # People

    def _decide(self, move: Move, post: Post, **values: Any) -> None:
        with self.store.write() as tx:
            moves.apply(tx, [moves.Change(post.id, post.attempt, move, self.clock.now(), person="me", values=values)])

    def _one(self, data: st.DataObject, may: Callable[[Post], bool]) -> Post | None:
        found = [post for post in self._posts() if may(post)]
        return data.draw(st.sampled_from(found)) if found else None

    @rule(data=st.data())
    def a_person_confirms_what_is_there(self, data: st.DataObject) -> None:
        post = self._one(data, lambda p: is_legal(Move.CONFIRM, p.state) and self.remote.copies(p.id) > 0)
        if post:
            self._decide(Move.CONFIRM, post, url="https://example.org/post")

    @rule(data=st.data())
    def a_person_requeues(self, data: st.DataObject) -> None:
        post = self._one(data, lambda p: is_legal(Move.REQUEUE, p.state))
        if post:
            now = self.clock.now()
            self.requeued[post.id] += 1
            self._decide(Move.REQUEUE, post, due_at=now, miss_at=now + timedelta(hours=6), looks=0, clean_looks=0)

    @rule(data=st.data())
    def a_person_cancels(self, data: st.DataObject) -> None:
        post = self._one(data, lambda p: is_legal(Move.CANCEL, p.state))
        if post:
            self._decide(Move.CANCEL, post)

    @rule()
    def a_person_resumes_the_channels(self) -> None:
        with self.store.write() as tx:
            for row in channels.of_community(tx, 1):
                channels.resume(tx, row.id, now=self.clock.now())

    # What has to be so, whatever happened

    @invariant()
    def nothing_is_out_twice(self) -> None:
        for post in self._posts():
            assert self.remote.copies(post.id) <= 1 + self.requeued[post.id], post.name

    @invariant()
    def every_state_is_true(self) -> None:
        for post in self._posts():
            copies = self.remote.copies(post.id)
            if post.state is State.PUBLISHED:
                assert copies, post.name
            if post.state in (State.FAILED, State.MISSED, State.CANCELLED) and not self.requeued[post.id]:
                assert not copies, f"{post.name} is {post.state}"
            if post.state in (State.FAILED, State.MISSED, State.UNCONFIRMED):
                assert post.reason, post.name

    @invariant()
    def one_attempt_is_in_flight_on_a_channel(self) -> None:
        flying = [post.channel_id for post in self._posts(State.PUBLISHING)]
        assert len(flying) == len(set(flying))

    @invariant()
    def the_store_keeps_its_promises(self) -> None:
        with self.store.read() as tx:
            assert health.broken_promises(tx) == []
        counted = "SELECT p.id FROM posts p WHERE p.attempt <> (SELECT count(*) FROM attempts a WHERE a.post_id = p.id)"
        assert column(self.store, counted) == []

    @invariant()
    def no_two_posts_claim_one_id(self) -> None:
        ids = [post.remote_id for post in self._posts() if post.remote_id]
        assert len(ids) == len(set(ids))

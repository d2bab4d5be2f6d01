"""Whatever happens to posts, in whatever order: hypothesis plays workers, crashes, answers, looks, people and the clock.

The real store, `Publisher` and `Watch` run; the outside world is a list of what arrived there, and that is the truth.
"""

import itertools
import platform
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from outreach.lifecycle import MOVES, IllegalMove, is_legal
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
)
from outreach.publisher import Pace
from outreach.store import Transaction, announcements, channels, health, moves, open_store, posts, workers
from outreach.watch import Watch
from tests.builders import LEASE, SettableClock, a_channel, an_announcement, claimed
from tests.hands.stand_ins import Scripted, a_publisher

CHANNELS = ("facebook", "listserv")
ANSWER = st.sampled_from(
    ("accepts", "refuses", "unavailable", "unauthorized", "blocked", "loses it", "takes it in silence", "breaks")
)
PACE = Pace(lease=LEASE, look_after_s=(30, 120))
NOT_OUT = (State.QUEUED, State.FAILED, State.MISSED, State.CANCELLED)


class LifeOfPosts(RuleBasedStateMachine):
    """Rules are what can happen; the invariant is what is promised."""

    folder: ClassVar[Path]
    migrated: ClassVar[Path]
    serials: ClassVar[Iterator[int]] = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        file = self.folder / f"{next(self.serials)}.db"
        shutil.copyfile(self.migrated, file)
        self.store = open_store(f"sqlite:///{file}")
        self.clock = SettableClock()
        self.arrived: list[tuple[int, str]] = []  # the truth: (post id, id on the channel)
        self.sent_again_by_a_person: Counter[int] = Counter()
        self.taken_on_word: set[int] = set()
        self.wrong: list[str] = []
        self.slow: list[Attempt] = []
        self.workers = 0
        self.answers = 0

    @initialize(approval=st.sampled_from(["off", "required"]), can_tell=st.sampled_from([True, True, False]))
    def begin(self, approval: str, can_tell: bool) -> None:
        self.can_tell = can_tell
        self.ids = {name: a_channel(self.store, name, approval=approval).id for name in CHANNELS}
        for _ in range(2):
            self.somebody_queues(CHANNELS, 0, True)

    # The outside world

    def arrive(self, attempt: Attempt) -> str:
        post, now = attempt.post, self.clock.now()
        if not (post.due_at <= now < post.miss_at and post.approved and not post.paused):
            self.wrong.append(f"{post} was sent at {now}")
        remote_id = f"r{len(self.arrived)}"
        self.arrived.append((post.id, remote_id))
        return remote_id

    def answer(self, what: str, attempt: Attempt) -> Outcome:
        self.answers += 1
        match what:
            case _ if self.answers > 200:
                return Refused("Enough: it comes again and again.")
            case "accepts":
                return Published(self.arrive(attempt))
            case "refuses":
                return Refused("Too long.")
            case "unavailable":
                return Unavailable("No connection.", 60)
            case "unauthorized":
                return Unauthorized("The token ended.")
            case "blocked":
                return Blocked("Too many.", self.clock.now() + timedelta(minutes=10))
            case "takes it in silence":
                self.arrive(attempt)
                return Unconfirmed("No answer came.")
            case "breaks":
                self.arrive(attempt)
                raise ConnectionError
            case _:
                return Unconfirmed("No answer came.")

    def find(self, attempt: Attempt) -> Finding:
        if not self.can_tell:
            return CannotTell("No answer.")
        seen = tuple(Candidate(r, None, None) for post_id, r in self.arrived if post_id == attempt.post.id)
        return Found(seen) if seen else Absent()

    # What can happen

    @rule(
        on=st.sampled_from([("facebook",), ("listserv",), CHANNELS]),
        wait_s=st.sampled_from([0, 60, 3600]),
        approved=st.booleans(),
    )
    def somebody_queues(self, on: tuple[str, ...], wait_s: int, approved: bool) -> None:
        found = an_announcement(self.store, on=on, due_at=self.clock.now() + timedelta(seconds=wait_s))
        if approved:
            self.approve(found[0])

    @rule(facebook=ANSWER, listserv=ANSWER)
    def a_worker_empties_the_queue(self, facebook: str, listserv: str) -> None:
        answers = {"facebook": facebook, "listserv": listserv}
        scripted = {
            self.ids[name]: Scripted(lambda attempt, what=what: self.answer(what, attempt))  # type: ignore[misc]
            for name, what in answers.items()
        }
        publisher = a_publisher(self.store, scripted, clock=self.clock, worker=self.new_worker(), pace=PACE)
        publisher.drain()
        publisher.close()

    @rule(reached=st.booleans())
    def a_worker_is_killed_while_sending(self, reached: bool) -> None:
        for attempt in self.take(f"{platform.node()}|an earlier boot|1|1|0"):
            if reached:
                self.arrive(attempt)

    @rule(reached=st.booleans())
    def a_worker_elsewhere_sends_and_is_heard_of_no_more(self, reached: bool) -> None:
        for attempt in self.take("elsewhere|boot|1|1|0"):
            self.slow.append(attempt)
            if reached:
                self.arrive(attempt)

    @rule()
    def the_worker_elsewhere_comes_back(self) -> None:
        for attempt in self.slow:
            post = self.post(attempt.post.id)
            is_its_own = post.state is State.PUBLISHING and post.attempt == attempt.number
            reached = [r for post_id, r in self.arrived if post_id == post.id]
            move = Move.PUBLISH if reached else Move.FAIL
            values = {"remote_id": reached[-1]} if reached else {"reason": "Too long."}
            self.try_to(move, post, attempt.number, values, is_possible=is_its_own, ends="published")
        self.slow.clear()

    @rule(seconds=st.sampled_from([0, 31, 121, 601, 6 * 3600, -300]))
    def time_passes_and_the_watch_makes_its_round(self, seconds: int) -> None:
        if seconds < 0:
            self.clock.set_to(self.clock.now() + timedelta(seconds=seconds))
        else:
            self.clock.tick(seconds)
        scripted = {i: Scripted(find=self.find) for i in self.ids.values()}
        Watch(
            store=self.store,
            channels=scripted,
            now=self.clock.now,
            elapsed_s=self.clock.elapsed_s,
            worker=self.new_worker(),
            pace=PACE,
        ).round()

    @rule(
        which=st.integers(0, 100),
        what=st.sampled_from(["cancel", "requeue", "confirm", "pause", "resume", "approve", "resume channels"]),
    )
    def a_person_decides(self, which: int, what: str) -> None:
        everything = self.all_posts()
        post = everything[which % len(everything)]
        match what:
            case "cancel" | "requeue" | "confirm":
                self.decide(Move(what), post)
            case "approve":
                self.approve(post)
            case "resume channels":
                with self.store.write() as tx:
                    for channel_id in self.ids.values():
                        channels.resume(tx, channel_id, now=self.clock.now())
            case _ if post.state is State.QUEUED:
                with self.store.write() as tx:
                    announcements.set_paused(
                        tx, [post], what == "pause", now=self.clock.now(), person="ann@example.org"
                    )

    def approve(self, post: Post) -> None:
        with self.store.write() as tx:
            announcements.approve(tx, post.announcement, 1, person="bob@example.org", now=self.clock.now())

    def decide(self, move: Move, post: Post) -> None:
        now = self.clock.now()
        values: dict[str, object] = {}
        if move is Move.REQUEUE:
            values = {"due_at": now, "miss_at": now + timedelta(hours=6), "looks": 0, "clean_looks": 0}
        if move is Move.CONFIRM:
            values = {"url": "https://example.org"}
        done = self.try_to(move, post, post.attempt, values, is_possible=is_legal(move, post.state))
        if done and move is Move.CONFIRM:
            self.taken_on_word.add(post.id)
        if done and move is Move.REQUEUE and post.state is State.UNCONFIRMED:
            self.sent_again_by_a_person[post.id] += 1

    # What is promised

    @invariant()
    def every_promise_is_kept(self) -> None:
        with self.store.read() as tx:
            found = posts.in_states(tx, list(State))
            told = history_of_all(tx)
            assert health.broken_promises(tx) == []
        assert self.wrong == []
        self.nothing_went_out_twice(found)
        in_flight = Counter(post.channel_id for post in found if post.state is State.PUBLISHING)
        assert set(in_flight.values()) <= {1}
        for post in found:
            if post.state is State.PUBLISHED and post.id not in self.taken_on_word:
                assert (post.id, post.remote_id) in self.arrived
            told[post.id].agrees_with(post)

    def nothing_went_out_twice(self, found: list[Post]) -> None:
        times = Counter(post_id for post_id, _ in self.arrived)
        for post in found:
            allowed = self.sent_again_by_a_person[post.id] + (post.state not in NOT_OUT)
            assert times[post.id] <= allowed, f"{post.name} is {post.state} and went out {times[post.id]} times"

    def teardown(self) -> None:
        """Let the world be kind from now on: then every post comes to an end that tells the truth."""
        try:
            if hasattr(self, "ids"):
                self.let_everything_end()
        finally:
            self.store.close()

    def let_everything_end(self) -> None:
        self.a_person_mends_the_channels()
        for wait_s in (0, 121, 31, 121, 1800, 7 * 3600, 121, 121):
            self.time_passes_and_the_watch_makes_its_round(wait_s)
            self.a_worker_empties_the_queue("accepts", "accepts")
        self.every_promise_is_kept()
        undecided = [p.name for p in self.all_posts() if p.state in (State.QUEUED, State.PUBLISHING)]
        forgotten = [p.name for p in self.all_posts() if p.look_at is not None]
        assert (undecided, forgotten) == ([], [])

    # Small things

    def a_person_mends_the_channels(self) -> None:
        with self.store.write() as tx:
            for channel_id in self.ids.values():
                channels.resume(tx, channel_id, now=self.clock.now(), person="ann@example.org")

    def new_worker(self) -> str:
        self.workers += 1
        return workers.this_worker(self.workers)

    def take(self, worker: str) -> list[Attempt]:
        return claimed(self.store, worker=worker, now=self.clock.now(), most=1)

    def post(self, post_id: int) -> Post:
        with self.store.read() as tx:
            found = posts.one(tx, post_id)
        assert found is not None
        return found

    def all_posts(self) -> list[Post]:
        with self.store.read() as tx:
            return posts.in_states(tx, list(State))

    def try_to(
        self,
        move: Move,
        post: Post,
        attempt: int,
        values: Mapping[str, object],
        *,
        is_possible: bool,
        ends: str | None = None,
    ) -> bool:
        now = self.clock.now()
        try:
            with self.store.write() as tx:
                if ends:
                    moves.end_attempts(tx, [moves.Ending(post.id, attempt, now, ends)])
                moves.apply(tx, [moves.Change(post.id, attempt, move, now, values=values)])
        except IllegalMove:
            assert not is_possible
            return False
        assert is_possible
        return True


@dataclass
class Told:
    """What the history has of one post: its moves in order, and the numbers of its attempts, ended and open."""

    moves: list[Move]
    ended: list[int]
    open: list[int]

    def agrees_with(self, post: Post) -> None:
        """A claim is told by its attempt; all else by events. Followed from the start, they lead to the state."""
        assert self.ended + self.open == list(range(1, post.attempt + 1))
        assert self.open == ([post.attempt] if post.state is State.PUBLISHING else [])
        state = State.QUEUED
        for move in self.moves:
            starts, end = MOVES[move]
            if State.PUBLISHING in starts and state is State.QUEUED:
                state = State.PUBLISHING
            assert state in starts
            state = end
        assert (State.PUBLISHING if self.open else state) is post.state


def history_of_all(tx: Transaction) -> dict[int, Told]:
    told: dict[int, Told] = defaultdict(lambda: Told([], [], []))
    for post_id, number, ended_at in tx.execute(
        text("SELECT post_id, number, ended_at FROM attempts ORDER BY post_id, number")
    ):
        (told[post_id].open if ended_at is None else told[post_id].ended).append(number)
    for post_id, kind in tx.execute(text("SELECT post_id, kind FROM events WHERE post_id IS NOT NULL ORDER BY id")):
        if kind in set(Move):
            told[post_id].moves.append(Move(kind))
    return told


@pytest.mark.timeout(600)  # a failure is made as short as it can be, which takes its time
def test_whatever_happens_nothing_goes_out_twice_and_nothing_is_lost(tmp_path: Path, migrated_file: Path) -> None:
    class Here(LifeOfPosts):
        folder = tmp_path
        migrated = migrated_file

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )

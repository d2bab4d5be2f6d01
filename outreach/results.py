"""What attempts came to, and how that is recorded: the attempt's end, the post's move, what the channel has to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from outreach.channels import GOES_ON, Usage
from outreach.lifecycle import Verdict, judge, next_look
from outreach.model import Attempt, Move, Outcome, Published, Unavailable, Unconfirmed
from outreach.store import Transaction, channels, history, moves, usage
from outreach.store.limits import Limits
from outreach.store.moves import Change, Ending
from outreach.store.posts import KNOWN_THERE


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the publisher is. `stop_s` bounds the wait for what is in flight when it has to stop."""

    lease: timedelta = timedelta(seconds=120)
    look_after_s: tuple[int, ...] = (30, 120, 300, 900)
    stop_s: float = 35.0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Result:
    """How one attempt ended, when, and how much of the channel's limit was used then, where it says so."""

    attempt: Attempt
    outcome: Outcome
    at: datetime
    usage: Usage | None = None

    @cached_property
    def verdict(self) -> Verdict:
        """What it means, judged once."""
        return judge(self.attempt.post, self.outcome, self.at)


def record(tx: Transaction, results: Sequence[Result], pace: Pace) -> None:
    """Write down all of them or, by `IllegalMove`, none: a worker that comes back late has nothing to say any more."""
    moves.end_attempts(tx, [_ending(result) for result in results])
    moves.apply(tx, [_change(result, pace) for result in results])
    for result in results:
        if result.verdict.pause is not None:
            channels.pause(tx, result.attempt.post.channel_id, result.verdict.pause, now=result.at)
    for result in results:
        if isinstance(result.outcome, Published):
            copies = result.outcome.evidence.get("remote_ids", ())
            post_id, url = result.attempt.post.id, result.verdict.url
            history.see_copies(tx, post_id, at=result.at, remote_ids=copies, url=url)
    for result in results:
        if result.usage is not None:
            usage.keep(tx, result.attempt.post.channel_id, result.usage)
    failed = [result for result in results if result.verdict.move is not Move.PUBLISH and not _goes_on(result)]
    if failed:
        pace.limits.after_failures(tx, (r.attempt.post.channel_id for r in failed), failed[-1].at)


def _goes_on(result: Result) -> bool:
    """Tell whether nothing failed: the channel is still busy with what it was given, and is asked again."""
    return isinstance(result.outcome, Unavailable) and bool(result.outcome.evidence.get(GOES_ON))


def _change(result: Result, pace: Pace) -> Change:
    post, verdict = result.attempt.post, result.verdict
    values = _values(result, pace)
    return Change(post.id, result.attempt.number, verdict.move, result.at, verdict.reason, values=values)


def _values(result: Result, pace: Pace) -> dict[str, Any]:
    verdict = result.verdict
    match verdict.move:
        case Move.PUBLISH:
            ids = {"remote_id": verdict.remote_id, "url": verdict.url, "reason": None}
            return ids | ({"message_id": verdict.message_id} if verdict.message_id else {})
        case Move.DEFER:
            return {"reason": verdict.reason, "due_at": verdict.due_at}
        case Move.DOUBT:
            since, looks = result.attempt.first_started_at, pace.look_after_s
            return doubt_values(verdict.reason or "", at=result.at, since=since, look_after_s=looks)
        case _:
            return {"reason": verdict.reason}


def doubt_values(reason: str, *, at: datetime, since: datetime, look_after_s: tuple[int, ...]) -> dict[str, Any]:
    """Lay out what a post in doubt is given: the reason, when it is looked for first, and since when it may be out."""
    look_at = next_look(0, doubted_at=at, look_after_s=look_after_s)
    looks = {"look_at": look_at, "looks": 0, "clean_looks": 0}
    return {"reason": reason, "doubted_at": at, "doubtful_since": since, **looks}


def _ending(result: Result) -> Ending:
    outcome = result.outcome
    return Ending(
        post_id=result.attempt.post.id,
        number=result.attempt.number,
        at=result.at,
        outcome=type(outcome).__name__.lower(),
        reason=getattr(outcome, "reason", None),
        evidence=_evidence(outcome),
    )


def _evidence(outcome: Outcome) -> Mapping[str, Any]:
    is_known_there = isinstance(outcome, Unconfirmed) and outcome.is_known_there
    return {**outcome.evidence, KNOWN_THERE: True} if is_known_there else outcome.evidence

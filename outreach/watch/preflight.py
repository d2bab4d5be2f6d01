"""Pre-flight: before a post is due, everything it needs is found out without publishing anything, and stands on the post."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

from outreach import when
from outreach.channels import Channel, ChecksContent, Expires, HasMailbox, HasUsage, Usage
from outreach.list_habits import TOO_LONG, concern_about_size
from outreach.model import Content, Post, Problem, State
from outreach.roster import NOT_A_MEMBER
from outreach.store import Store, arrivals, channels, checks, members, posts, safety, usage
from outreach.store.channels import ChannelRow
from outreach.store.checks import Check, Coming

log = logging.getLogger(__name__)

STAGES = (timedelta(hours=24), timedelta(hours=1), timedelta(minutes=10))
DAILY = timedelta(hours=24)
AGAIN = timedelta(minutes=15)
BUDGET_S = 45.0

# How problems begin that the house itself knows of: as soon as they come or go, the post is looked at again.
_UNAPPROVED = "Nobody has approved it yet."
_PAUSED = "It is paused."
_CHANNEL_PAUSED = "Its channel is paused:"
_SAFE_MODE = "Nothing goes out now:"
_OWN = (_UNAPPROVED, _PAUSED, _CHANNEL_PAUSED, _SAFE_MODE)


class Preflight:
    """Looks at posts 24 h, 1 h and 10 min before they are due, and at those with a problem each 15 min. Its channels are its own: nobody else uses them then."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        now: Callable[[], datetime],
        elapsed_s: Callable[[], float],
        budget_s: float = BUDGET_S,
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._now = now
        self._elapsed_s = elapsed_s
        self._budget_s = budget_s

    def round(self) -> int:
        """Look at what has come to a stage since the last look, nearest first; give how many posts were looked at.

        What the time of one round does not suffice for is left to the next.
        """
        until_s = self._elapsed_s() + self._budget_s
        look = self._new_look()
        look.ask_daily()
        now = self._now()
        with self._store.read() as tx:
            coming = checks.coming(tx, now + STAGES[0], after=now)
        wanted = [each.post for each in coming if is_wanted(each, now=now, own=look.own_problems(each.post))]
        looked_at = 0
        for post in wanted:
            if self._elapsed_s() >= until_s:
                break
            looked_at += look.at(post) is not None
        return looked_at

    def of_the_next_day(self) -> list[tuple[Post, Check]]:
        """Look now at every queued post that is due within 24 h, or overdue."""
        with self._store.read() as tx:
            coming = checks.coming(tx, self._now() + STAGES[0])
        return self._looked_at([each.post for each in coming])

    def of_posts(self, found: Collection[Post]) -> list[tuple[Post, Check]]:
        """Look now at those of these posts that are queued, whenever they are due."""
        return self._looked_at([post for post in found if post.state is State.QUEUED])

    def of_channel(self, name: str) -> Check:
        """Ask one channel now, and keep what it says."""
        look = self._new_look()
        return look.channel(next(row for row in look.rows.values() if row.name == name))

    def _looked_at(self, wanted: Collection[Post]) -> list[tuple[Post, Check]]:
        look = self._new_look()
        return [(post, found) for post in wanted if (found := look.at(post))]

    def _new_look(self) -> "_Look":
        return _Look(self._store, self._channels, self._now)


class _Look:
    """One round: each channel is asked at most once in it."""

    def __init__(self, store: Store, built: Mapping[int, Channel], now: Callable[[], datetime]) -> None:
        self._store = store
        self._built = built
        self._now = now
        self._asked: dict[int, Check] = {}
        with store.read() as tx:
            self.rows = {row.id: row for row in channels.every(tx)}
            self._safe_mode = safety.current(tx)

    def ask_daily(self) -> None:
        """Ask every channel that nobody asked for a day."""
        now = self._now()
        for row in self.rows.values():
            if row.id not in self._built:
                continue
            with self._store.read() as tx:
                kept = checks.of_channel(tx, row.name)
            if kept is None or not now - DAILY < kept.at <= now:
                self.channel(row)

    def channel(self, row: ChannelRow) -> Check:
        """Ask a channel what would keep any post from going out now, once, and keep what it says."""
        if row.id in self._asked:
            return self._asked[row.id]
        channel = self._built.get(row.id)
        if channel is None:
            return Check(self._now(), (Problem(f"The channel {row.name} is not set up any more.", _SET_UP),))
        spared = self._spared(row)
        if spared is not None:
            self._asked[row.id] = spared
            return spared
        problems = _asked(f"the channel {row.name}", channel.check)
        found = self._asked[row.id] = Check(self._now(), tuple(problems))
        ends, seen = _runs_out(channel), _used(channel)
        with self._store.write() as tx:
            checks.keep_of_channel(tx, row.name, found)
            if seen is not None:
                usage.keep(tx, row.id, seen)
            if ends or not problems:  # a channel that did not answer says nothing of what it said before
                checks.keep_expiry(tx, row.name, min(ends.values(), default=None))
        return found

    def _spared(self, row: ChannelRow) -> Check | None:
        """Give what the latest check found in place of asking, where the channel's limit is nearly used up."""
        now = self._now()
        with self._store.read() as tx:
            full = usage.nearly_full(tx, row.id, now)
            kept = checks.of_channel(tx, row.name) if full else None
        if full is None:
            return None
        seen, until = full
        told = f"{row.name} is not asked before {when.show(until, 'UTC')}: {seen.percent} % of its limit is used."
        known = kept.problems if kept else ()
        return Check(kept.at if kept else now, (*known, Problem(told, _GOES_OUT, is_warning=True)))

    def at(self, post: Post) -> Check | None:
        """Look at one post and keep what is found; None where it was sent, taken back or changed meanwhile."""
        row = self.rows.get(post.channel_id)
        if row is None:
            return None  # its channel is newer than this round
        of_channel = self.channel(row).problems
        problems = (
            *self.own_problems(post),
            *of_channel,
            *self._of_access(post),
            *self._of_content(post),
            *self._of_members(post),
        )
        found = Check(self._now(), problems)
        with self._store.write() as tx:
            is_kept = checks.keep(tx, post, found)
        if not is_kept:
            return None
        for problem in problems:
            log.log(logging.INFO if problem.is_warning else logging.WARNING, "%s: %s", post.name, problem.sentence())
        return found

    def own_problems(self, post: Post) -> tuple[Problem, ...]:
        """Name what the house itself holds a post back for."""
        return tuple(self._own_problems(post))

    def _own_problems(self, post: Post) -> Iterator[Problem]:
        row = self.rows.get(post.channel_id)
        if not post.approved:
            yield Problem(_UNAPPROVED, f"Approve it with: outreach approve {post.announcement}")
        if post.paused:
            yield Problem(_PAUSED, f"Let it go on with: outreach resume {post.name}")
        if row is not None and row.state == "paused":
            is_over_by_then = row.until is not None and row.until <= post.due_at
            step = f"Let it go on with: outreach channels resume {row.name}"
            yield Problem(f"{_CHANNEL_PAUSED} {row.reason}", step, is_warning=is_over_by_then)
        if self._safe_mode is not None:
            yield Problem(f"{_SAFE_MODE} {self._safe_mode.reason}")

    def _of_access(self, post: Post) -> Iterator[Problem]:
        channel = self._built.get(post.channel_id)
        for what, at in _runs_out(channel).items():
            if self._now() < at <= post.due_at:
                told = f"{what[:1].upper()}{what[1:]} runs out on {when.show(at, post.time_zone)}, before it is due."
                yield Problem(told, f"Renew it before then; see: outreach channels check {post.channel}")

    def _of_members(self, post: Post) -> Iterator[Problem]:
        channel: object = self._built.get(post.channel_id)
        if isinstance(channel, HasMailbox):
            with self._store.read() as tx:
                told = members.concern(tx, post.channel_id, channel.sender_address)
                size = len(posts.content(tx, post).message or "")
                habits, found_kb = arrivals.habits_of(tx, post.channel_id), arrivals.limit_of(tx, post.channel_id)
            too_long = concern_about_size(habits, size, found_kb=found_kb)
            if too_long is not None:
                yield Problem(too_long, TOO_LONG, is_warning=habits.size_kb is None)
            if told is not None:
                yield Problem(told, NOT_A_MEMBER, is_warning=True)

    def _of_content(self, post: Post) -> list[Problem]:
        with self._store.read() as tx:
            content = posts.content(tx, post)
        if not content.is_what_was_approved(post.content_sha256):
            told = "What is stored for it is not what was queued, so it will not be sent."
            return [Problem(told, "Cancel it and add its letter again.")]
        return _asked(post.name, lambda: _checked(self._built.get(post.channel_id), content))


_GOES_OUT = "Nothing is to be done: what is due goes out all the same."
_SET_UP = "Set it up again (see .env.example), or cancel its posts."


def _asked(what: str, ask: Callable[[], list[Problem]]) -> list[Problem]:
    try:
        return ask()
    except Exception as trouble:  # the named place around one channel call: a fault of ours hides no other problem
        log.exception("the check of %s failed", what)
        told = f"The service itself failed while checking {what} ({type(trouble).__name__})."
        return [Problem(told, "See the log of the worker.")]


def _checked(channel: object, content: Content) -> list[Problem]:
    return channel.check_content(content) if isinstance(channel, ChecksContent) else []


def _runs_out(channel: object) -> Mapping[str, datetime]:
    return channel.expires() if isinstance(channel, Expires) else {}


def _used(channel: object) -> Usage | None:
    return channel.usage() if isinstance(channel, HasUsage) else None


def is_wanted(coming: Coming, *, now: datetime, own: tuple[Problem, ...]) -> bool:
    """Tell whether a post due soon has to be looked at: not yet done, older than its stage, changed since, or a problem
    that may have been mended meanwhile.

    `own` is what the house itself holds it back for now.
    """
    check = coming.check
    if check is None or check.at < stage_begin(coming.post.due_at, now=now):
        return True
    if any(not problem.is_warning for problem in check.problems) and not now - AGAIN < check.at <= now:
        return True
    if coming.revised_at is not None and coming.revised_at > check.at:
        return True
    return own != tuple(problem for problem in check.problems if problem.message.startswith(_OWN))


def stage_begin(due_at: datetime, *, now: datetime) -> datetime:
    """Give the instant at which the stage began that a post due at an instant is in now, or will be in first."""
    begun = [due_at - stage for stage in STAGES if due_at - stage <= now]
    return begun[-1] if begun else due_at - STAGES[0]

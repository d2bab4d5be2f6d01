"""What is wrong now, found out from the store and the clock alone: one alarm for each post or channel it befalls."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from outreach.model import BadInput, Post, State
from outreach.store import (
    Store,
    Transaction,
    arrivals,
    channels,
    checks,
    connections,
    first_comments,
    joinings,
    safety,
    troubles,
    weekly,
    workers,
)
from outreach.store.channels import ChannelRow
from outreach.store.first_comments import FirstComment
from outreach.store.joinings import Request
from outreach.trouble import Alarm, AlarmKind, stage
from outreach.when import show

REMEMBERED_FOR = timedelta(days=14)
SILENT_AFTER = timedelta(minutes=2)
_A_MOMENT = timedelta(minutes=5)
_ASKED_WITHIN = timedelta(days=2)
_PAGE = "facebook_page"
LEAST_FREE_BYTES = 50_000_000
PREFLIGHT_STAGES: Mapping[str, timedelta] = {
    "24 h": timedelta(hours=24),
    "1 h": timedelta(hours=1),
    "10 min": timedelta(minutes=10),
}
EXPIRY_STAGES: Mapping[str, timedelta] = {
    "21 days": timedelta(days=21),
    "7 days": timedelta(days=7),
    "1 day": timedelta(days=1),
}


class Alarms:
    """Looks for everything a person has to be told of. Changes nothing and asks nobody but the store."""

    def __init__(
        self,
        *,
        store: Store,
        now: Callable[[], datetime],
        free_bytes: Callable[[], int | None],
        zone: str,
        unseen_after: timedelta | None = None,
    ) -> None:
        """Take what it asks. `unseen_after`: a list's copy is to be seen by then; None where no mailbox is read."""
        self._store = store
        self._now = now
        self._free_bytes = free_bytes
        self._zone = zone
        self._unseen_after = unseen_after

    def look(self) -> list[Alarm]:
        """Give every alarm that is true now, those of the whole install first."""
        now = self._now()
        with self._store.read() as tx:
            every = channels.every(tx)
            return [
                *self._of_the_install(tx, now),
                *self._of_channels(tx, every, now),
                *self._of_posts(tx, now),
            ]

    def beside_the_states(self, community_id: int, *, most: int) -> list[tuple[Alarm, Post | None]]:
        """Give the alarms of the install, and those of one community's channels and posts that no state of a post shows:
        at most `most` of each kind, each with the post it is about.
        """
        now = self._now()
        with self._store.read() as tx:
            own = channels.of_community(tx, community_id)
            of_posts = [
                *((post, _twice(post, ids)) for post, ids in troubles.seen_twice(tx, now - REMEMBERED_FOR, most=most)),
                *((post, _unseen(post)) for post in self._never_seen(tx, now)[:most]),
                *((post, _overdue(post)) for post in troubles.overdue(tx, now, most=most)),
                *((post, _with_problems(post, found, now)) for post, found in self._problems(tx, now, most)),
            ]
            alarms = [*self._of_the_install(tx, now), *self._of_channels(tx, own, now)]
            return [
                *((alarm, None) for alarm in alarms),
                *((alarm, post) for post, alarm in of_posts if post.community == community_id),
            ]

    @staticmethod
    def _problems(tx: Transaction, now: datetime, most: int) -> list[tuple[Post, list[tuple[str, str]]]]:
        return troubles.with_problems(tx, now + PREFLIGHT_STAGES["24 h"], most=most)

    # The install

    def _of_the_install(self, tx: Transaction, now: datetime) -> Iterator[Alarm]:
        mode = safety.current(tx)
        if mode is not None:
            since = show(mode.since, self._zone)
            message = f"Safe mode is on since {since}, so nothing goes out. {mode.reason}"
            yield Alarm(AlarmKind.SAFE_MODE, mode.since.isoformat(), message, "See how things stand: outreach doctor")
        yield from self._silent(tx, now)
        yield from self._weekly(tx, now)
        free = self._free_bytes()
        if free is not None and free < LEAST_FREE_BYTES:
            message = (
                "The disk of the queue folder has less than 50 MB left; below that answers of channels may be lost."
            )
            yield Alarm(AlarmKind.DISK, "", message, "Free some space, then see: outreach doctor")
        said = safety.remembered(tx, safety.BACKUP_TROUBLE)
        if said:
            yield Alarm(AlarmKind.BACKUP, "", f"The backup did not work: {said}", "Make one now: outreach backup FILE")

    def _weekly(self, tx: Transaction, now: datetime) -> Iterator[Alarm]:
        for number, title, due_at in weekly.not_queued(tx, since=now - REMEMBERED_FOR, made_before=now - _A_MOMENT):
            message = f"The weekly mail for {show(due_at, self._zone)}, “{title}”, is draft {number} and not queued."
            step = f"Read it through on the page, /write/{number}, and queue it, or discard it there"
            yield Alarm(AlarmKind.WEEKLY, str(number), message, step)

    def _silent(self, tx: Transaction, now: datetime) -> Iterator[Alarm]:
        beats = workers.last_beats(tx)
        if beats and now - beats[0][1] <= SILENT_AFTER:
            return
        if troubles.is_anything_due(tx, now + timedelta(hours=1)):
            seen = f"since {show(beats[0][1], self._zone)}" if beats else "at all"
            message = f"No worker gave a sign {seen}, and posts are due within the hour."
            yield Alarm(AlarmKind.SILENT, "", message, "Start one: outreach worker")

    # Channels

    def _of_channels(self, tx: Transaction, every: list[ChannelRow], now: datetime) -> Iterator[Alarm]:
        for channel in every:
            is_waiting = channel.until is None or channel.until > now
            if channel.state == "paused" and channel.paused_by is None and is_waiting:
                yield self._paused(channel)
            for request in joinings.waiting_on(tx, channel.id):
                yield self._asked(request)
            ends = checks.expiry(tx, channel.name)
            if ends:
                yield from self._expiry(tx, channel, ends, now)
            if channel.kind == _PAGE and channel.paused_by is None:
                yield from self._unused(tx, channel, now)

    def _asked(self, request: Request) -> Alarm:
        """Without a name or an address: what is told of trouble is kept, and a person's data is not to be."""
        since = show(request.confirmed_at or request.made_at, self._zone)
        message = (
            f"Somebody wants to {request.kind} the list {request.channel}, confirmed on {since}, and waits for you."
        )
        step = f"Look at it: outreach requests, then: outreach requests accept {request.id}"
        return Alarm(AlarmKind.ASKED, str(request.id), message, step)

    def _paused(self, channel: ChannelRow) -> Alarm:
        until = f"until {show(channel.until, self._zone)}" if channel.until else "until a person resumes it"
        message = f"The channel {channel.name} is paused {until}: {channel.reason}"
        step = f"When it is put right: outreach channels check {channel.name}, outreach channels resume {channel.name}"
        return Alarm(AlarmKind.PAUSED, str(channel.id), message, step)

    def _unused(self, tx: Transaction, channel: ChannelRow, now: datetime) -> Iterator[Alarm]:
        """Tell that Facebook takes back the permission to publish, unless what is planned uses it before then."""
        since, checked = connections.unused_since(tx, channel.id), checks.of_channel(tx, channel.name)
        if since is None or checked is None or now - checked.at > _ASKED_WITHIN:
            return  # it was never used, or is not set up any more
        lapses = since + connections.UNUSED_FOR
        reached = stage(lapses - now, EXPIRY_STAGES)
        if reached is None or (now < lapses and troubles.is_planned_before(tx, channel.id, lapses)):
            return
        message = (
            f"Nothing was published on {channel.name} since {show(since, self._zone)}. Facebook takes back a permission"
            f" that nobody used for 90 days, which {'was' if lapses <= now else 'is'} on {show(lapses, self._zone)}."
        )
        again = _renewed(tx, channel)
        step = again if lapses <= now else f"Publish something on it before then, or {again[:1].lower()}{again[1:]}"
        yield Alarm(AlarmKind.UNUSED, str(channel.id), message, step, reached)

    def _expiry(self, tx: Transaction, channel: ChannelRow, ends: datetime, now: datetime) -> Iterator[Alarm]:
        reached = stage(ends - now, EXPIRY_STAGES)
        if reached is not None:
            does = "ended" if ends <= now else "ends"
            message = f"The access to the channel {channel.name} {does} on {show(ends, self._zone)}."
            yield Alarm(AlarmKind.EXPIRY, str(channel.id), message, _renewed(tx, channel), reached)

    # Posts

    def _of_posts(self, tx: Transaction, now: datetime) -> Iterator[Alarm]:
        since = now - REMEMBERED_FOR
        yield from (_twice(post, ids) for post, ids in troubles.seen_twice(tx, since))
        yield from map(_at_a_bad_rest, troubles.at_a_bad_rest(tx, since))
        yield from map(_in_doubt, troubles.left_in_doubt(tx, now))
        yield from map(_held, troubles.held(tx))
        yield from map(_unseen, self._never_seen(tx, now))
        yield from map(_overdue, troubles.overdue(tx, now))
        yield from (_comment(*each) for each in first_comments.in_trouble(tx, since))
        for post, problems in troubles.with_problems(tx, now + PREFLIGHT_STAGES["24 h"]):
            yield _with_problems(post, problems, now)

    def _never_seen(self, tx: Transaction, now: datetime) -> list[Post]:
        """Give the list mails that are not seen in time, on lists whose copies are seen, or that are new here.

        A mailbox that never shows one's own copies would cry at every mail.
        """
        if self._unseen_after is None:
            return []
        lists = [channel.id for channel in channels.every(tx) if channel.kind == "listserv"]
        return [post for number in lists for post in self._never_seen_on(tx, number, self._unseen_after, now)]

    @staticmethod
    def _never_seen_on(tx: Transaction, channel_id: int, otherwise: timedelta, now: datetime) -> list[Post]:
        habits = arrivals.habits_of(tx, channel_id)
        if habits.own_copy is False:
            return []
        until = now - habits.unseen_after(otherwise)
        found = arrivals.unseen(tx, [channel_id], since=now - REMEMBERED_FOR, until=until)
        return found if found and (habits.own_copy or arrivals.shows_copies(tx, channel_id, now)) else []


def _renewed(tx: Transaction, channel: ChannelRow) -> str:
    """Say how access is renewed: where it came from."""
    if connections.of_channel(tx, channel.id) is not None:
        return f"Connect its Page again: outreach channels connect {channel.name}"
    return f"Renew its token, put it into the settings, then: outreach channels check {channel.name}"


def _named(post: Post) -> str:
    """Say which post, where and when, in the words every alarm of a post begins with."""
    try:
        planned = show(post.planned_at, post.time_zone)
    except BadInput:  # a zone that this machine does not know silences no alarm
        planned = show(post.planned_at, "UTC")
    return f"{post.name} “{post.title}” on {post.channel}, planned for {planned},"


def _overdue(post: Post) -> Alarm:
    why = f" The latest try: {post.reason}" if post.reason else ""
    if post.state is State.PUBLISHING:
        why = " It is being sent, and no answer has come; it may be out."
    message = f"{_named(post)} is overdue and not out yet.{why}"
    return Alarm(
        AlarmKind.OVERDUE, str(post.id), message, "See whether a worker runs and what holds it: outreach doctor"
    )


def _at_a_bad_rest(post: Post) -> Alarm:
    step = f"Send it after all: outreach requeue {post.name}, or let it be: outreach cancel {post.name}"
    if post.state is State.MISSED:
        return Alarm(AlarmKind.MISSED, str(post.id), f"{_named(post)} was missed. {post.reason}", step)
    return Alarm(AlarmKind.FAILED, str(post.id), f"{_named(post)} failed. {post.reason}", step)


def _in_doubt(post: Post) -> Alarm:
    looks = "nobody looks any more" if post.look_at is None else "an hour of looking did not tell"
    message = f"{_named(post)} may be out or not, and {looks}: a person has to decide. {post.reason}"
    step = (
        f"Look whether it is there. It is: outreach confirm {post.name} --url ADDRESS."
        f" It is not: outreach requeue {post.name}"
    )
    return Alarm(AlarmKind.UNCONFIRMED, str(post.id), message, step)


def _held(post: Post) -> Alarm:
    message = f"{_named(post)} is held by the list. {post.reason or ''}".strip()
    step = "Ask the list's moderator to let it through; when it comes through, this is over by itself"
    return Alarm(AlarmKind.HELD, str(post.id), message, step)


def _unseen(post: Post) -> Alarm:
    message = f"{_named(post)} was taken by the mail server and was not seen on the list in time; this proves nothing."
    step = (
        "Look in the list's archive, or ask another member."
        f" It is there: outreach confirm {post.name}. It is not: ask the list's owner"
    )
    return Alarm(AlarmKind.UNSEEN, str(post.id), message, step)


def _comment(post: Post, comment: FirstComment) -> Alarm:
    what = "failed" if comment.state == "failed" else "may be there or not, and nobody looks any more"
    message = f"The first comment of {_named(post)} {what}. The post itself is out. {comment.reason}"
    step = f"Look at the post. The comment is there: outreach comment {post.name} --there. It is not: outreach comment {post.name} --again"
    return Alarm(AlarmKind.COMMENT, str(post.id), message, step)


def _twice(post: Post, ids: tuple[str, ...]) -> Alarm:
    message = f"{_named(post)} went out more than once. Its copies: {', '.join(ids)}."
    step = f"Delete all but one there, then see: outreach show {post.name}"
    return Alarm(AlarmKind.TWICE, str(post.id), message, step, ",".join(sorted(ids)))


def _with_problems(post: Post, problems: list[tuple[str, str]], now: datetime) -> Alarm:
    found = " ".join(message for message, _ in problems)
    steps = " ".join(dict.fromkeys(step for _, step in problems if step))
    return Alarm(
        AlarmKind.PREFLIGHT,
        str(post.id),
        f"{_named(post)} would not go out as things stand: {found}",
        steps or f"See more: outreach channels check {post.channel}",
        stage(post.due_at - now, PREFLIGHT_STAGES) or "24 h",
    )

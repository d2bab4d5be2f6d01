"""The weekly digest: how things stand, also when nothing happened, so that quiet can be told from dead."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from outreach.alarms import Note, Route
from outreach.alarms.words import MOST_LISTED
from outreach.model import Post
from outreach.store import Store, channels, checks, safety, seals, troubles, week
from outreach.store.alarms import take_turn
from outreach.store.channels import ChannelRow
from outreach.store.seals import Seal
from outreach.watch.alarms import REMEMBERED_FOR
from outreach.when import show, wall_time_to_utc

log = logging.getLogger(__name__)

BACK = timedelta(days=7)
AHEAD = timedelta(days=14)
_HOUR = time(8)
_BETWEEN_TRIES = timedelta(minutes=10)
_ON_THE_DAY = timedelta(hours=24)
_CLOSING = (
    "This mail comes once a week, on Monday, also when nothing happened.\n"
    "When it does not come, see whether the worker runs: outreach doctor\n"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told in a digest. `ends` are the instants at which the access to channels ends, by their names.

    `seal` is the latest seal of the history: with each digest a copy of its hash lies where nobody of the install reaches.
    """

    community: str
    zone: str
    at: datetime
    channels: Sequence[ChannelRow]
    went_out: Sequence[Post]
    planned: Sequence[Post]
    waiting: Sequence[Post]
    ends: Sequence[tuple[str, datetime]]
    safe_mode: str | None = None
    seal: Seal | None = None


def digest_note(standing: Standing) -> Note:
    """Put it into words. Pure."""
    paused = [channel for channel in standing.channels if channel.state == "paused"]
    lines = [
        f"{standing.community}, as of {show(standing.at, standing.zone)}",
        *([f"\nSafe mode is on, so nothing goes out: {standing.safe_mode}"] if standing.safe_mode else []),
        *_section("Went out in the last 7 days", _by_channel(standing)),
        *_section("Planned for the next 14 days", [_planned(post) for post in standing.planned]),
        *_section("Waits for a person", [_waiting(post) for post in standing.waiting]),
        *_section("Access that ends", [f"{name}: {show(at, standing.zone)}" for name, at in standing.ends]),
        *_section("Paused channels", [f"{channel.name}: {channel.reason}" for channel in paused]),
        *_sealed(standing.seal, standing.zone),
    ]
    wrong = _wrong(standing, len(paused))
    subject = f"[outreach] {standing.community}: the week: {', '.join(wrong) or 'all is well'}"
    return Note(subject, "\n".join(lines) + "\n\n" + _CLOSING, is_good=not wrong)


def _wrong(standing: Standing, paused: int) -> list[str]:
    return [
        *(["safe mode is on"] if standing.safe_mode else []),
        *([f"{len(standing.waiting)} wait for a person"] if standing.waiting else []),
        *([f"{paused} paused"] if paused else []),
    ]


def _section(title: str, entries: Sequence[str]) -> Iterator[str]:
    yield f"\n{title}: {len(entries) or 'nothing'}"
    yield from (f"- {entry}" for entry in entries[:MOST_LISTED])
    if len(entries) > MOST_LISTED:
        yield f"- and {len(entries) - MOST_LISTED} more: outreach queue, outreach history"


def _sealed(seal: Seal | None, zone: str) -> Iterator[str]:
    if seal is not None:
        yield f"\nThe history is sealed up to {show(seal.at, zone)}; keep this mail, then it can be proved by:"
        yield f"outreach verify-history --expect {seal.sha256}"


def _by_channel(standing: Standing) -> list[str]:
    names = [channel.name for channel in standing.channels]
    ordered = sorted(standing.went_out, key=lambda post: names.index(post.channel) if post.channel in names else 0)
    return [f"{_line(post)}{_where(post)}" for post in ordered]


def _line(post: Post) -> str:
    return f"{post.channel}: {post.title}, {show(post.planned_at, post.time_zone)}"


def _where(post: Post) -> str:
    taken = f"the mail server took it as {post.message_id}" if post.message_id else ""
    known = post.url or taken
    return f"\n  {known}" if known else ""


def _planned(post: Post) -> str:
    held_back = " (paused)" if post.paused else "" if post.approved else " (waits for an approval)"
    return f"{post.channel}: {post.title}, {show(post.due_at, post.time_zone)}{held_back}"


def _waiting(post: Post) -> str:
    return f"{_line(post)}: {post.state}. See: outreach show {post.name}"


def latest_monday(now: datetime, zone: str) -> datetime:
    """Give the latest Monday, eight o'clock in a zone, that is not after `now`."""
    day = now.astimezone(UTC).date()
    monday = day - timedelta(days=day.weekday())
    all_near = [
        wall_time_to_utc(datetime.combine(monday + timedelta(days=days), _HOUR), zone)[0].astimezone(UTC)
        for days in (-7, 0, 7)
    ]
    return max(at for at in all_near if at <= now)


class Digest:
    """Sends it once a week to each alert address."""

    def __init__(
        self, *, store: Store, routes: Sequence[Route], now: Callable[[], datetime], community: str, zone: str
    ) -> None:
        self._store = store
        self._routes = routes
        self._now = now
        self._community = community
        self._zone = zone

    def round(self) -> None:
        """Send what is not sent for this week. A new install waits for its first Monday."""
        now = self._now()
        monday = latest_monday(now, self._zone)
        wanted = monday.date().isoformat()
        for route in self._routes:
            key = f"week told by {route.name}"
            with self._store.read() as tx:
                told = safety.remembered(tx, key)
            if (told is None and now - monday >= _ON_THE_DAY) or (told != wanted and self._is_taken(route, now)):
                self._remember(key, wanted)

    def _is_taken(self, route: Route, now: datetime) -> bool:
        with self._store.write() as tx:
            if not take_turn(tx, f"the week, {route.name}", now=now, pause=_BETWEEN_TRIES):
                return False
        reason = route.tell(digest_note(self.standing()))
        if reason is not None:
            log.warning("%s: the digest was not taken, it is tried again: %s", route.name, reason)
        return reason is None

    def _remember(self, key: str, value: str) -> None:
        with self._store.write() as tx:
            safety.remember(tx, key, value)

    def standing(self) -> Standing:
        """Look how things stand."""
        now = self._now()
        with self._store.read() as tx:
            every = channels.every(tx)
            known = [(row.name, checks.expiry(tx, row.name)) for row in every]
            mode = safety.current(tx)
            waiting = [
                *troubles.left_in_doubt(tx, now),
                *week.held(tx),
                *troubles.at_a_bad_rest(tx, now - REMEMBERED_FOR),
            ]
            return Standing(
                community=self._community,
                zone=self._zone,
                at=now,
                channels=every,
                went_out=week.went_out(tx, now - BACK),
                planned=week.planned(tx, now + AHEAD),
                waiting=waiting,
                ends=[(name, at) for name, at in known if at],
                safe_mode=mode.reason if mode else None,
                seal=seals.latest(tx),
            )

"""Telling what is wrong: alarms are raised and ended, logged at once, and told by every route until each took them.

A cause is told again after an hour at the earliest; an end is told once, and only where its beginning was.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from outreach.alarms import Note, Route
from outreach.alarms.words import alarm_note
from outreach.model import Post
from outreach.store import Store, Transaction, alarms, arrivals, posts
from outreach.store.alarms import AlarmRow, Owed
from outreach.trouble import OF_POSTS, WARNINGS, Alarm, AlarmKind, about, subject

log = logging.getLogger(__name__)

BETWEEN_MAILS = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(hours=24)
_STAYS = {AlarmKind.MISSED: "missed", AlarmKind.FAILED: "failed"}


class Telling:
    """The round of alarms. Any number of workers may do it on one database: each alarm is told once by each route."""

    def __init__(
        self,
        *,
        store: Store,
        routes: Sequence[Route],
        look: Callable[[], list[Alarm]],
        now: Callable[[], datetime],
        community: str,
    ) -> None:
        self._store = store
        self._routes = routes
        self._look = look
        self._now = now
        self._community = community

    def round(self) -> None:
        """Find out what is wrong, write it down, log it, tell it."""
        self._settle()
        self._announce()
        for route in self._routes:
            self._tell(route)

    # Raising and ending

    def _settle(self) -> None:
        began = self._now()
        current = self._look()
        with self._store.read() as tx:
            if not alarms.is_news(tx, current):
                return
        now = self._now()
        still = {about(alarm.cause) for alarm in current}
        with self._store.write() as tx:
            if alarms.is_newest_look(tx, began, now=now):
                over = alarms.settle(tx, current, now=now)
                alarms.mark_end_told(tx, [row for row in over if about(row.cause) in still or _fades(tx, row)], now)

    # Announcing: the log at once, and for each route what it is to tell

    def _announce(self) -> None:
        now = self._now()
        with self._store.read() as tx:
            is_needed = alarms.untold(tx, now) or alarms.over_and_untold(tx)
            if not is_needed and all(alarms.owed(tx, route.name) is not None for route in self._routes):
                return
        with self._store.write() as tx:
            new = alarms.mark_told(tx, alarms.untold(tx, now), now)
            over = alarms.mark_end_told(tx, alarms.over_and_untold(tx), now)
            for route in self._routes:
                self._entrust(tx, route, new, over)
        for row in new:
            log.log(logging.WARNING if row.kind in WARNINGS else logging.ERROR, "%s %s", row.message, row.next_step)
        for row in over:
            log.info("Over: %s", row.message)

    def _entrust(self, tx: Transaction, route: Route, new: list[AlarmRow], over: list[AlarmRow]) -> None:
        before = alarms.owed(tx, route.name, to_change=True)
        if before is None:  # a route that is new begins with all that is wrong
            known = [row.id for row in alarms.open_ones(tx) if row.told_at is not None]
            alarms.owe(tx, route.name, Owed(tuple(known)))
            return
        ends = [row.id for row in over if row.id not in before.alarms]
        alarms.owe(tx, route.name, Owed(before.alarms + tuple(row.id for row in new), before.ends + tuple(ends)))

    # Telling

    def _tell(self, route: Route) -> None:
        now = self._now()
        with self._store.read() as tx:
            if not alarms.owed(tx, route.name):
                return
        with self._store.write() as tx:
            if not alarms.take_turn(tx, route.name, now=now, pause=BETWEEN_MAILS):
                return
            new, over = self._still_to_be_told(tx, route, now)
            note = self._note(tx, new, over)
        reason = route.tell(note) if new or over else None
        if reason is not None:
            log.warning("%s: not taken, it is tried again: %s", route.name, reason)
            return
        with self._store.write() as tx:
            left = alarms.owed(tx, route.name, to_change=True) or Owed()
            alarms.owe(tx, route.name, _without(left, new + over))

    def _still_to_be_told(self, tx: Transaction, route: Route, now: datetime) -> tuple[list[AlarmRow], list[AlarmRow]]:
        """Give what is owed by the route; what is over before it was told, or a day old, is dropped."""
        owed = alarms.owed(tx, route.name, to_change=True) or Owed()
        rows = {row.id: row for row in alarms.of_ids(tx, owed.alarms + owed.ends)}
        too_old = now - GIVE_UP_AFTER
        new = [
            row for i in owed.alarms if (row := rows.get(i)) and row.ended_at is None and _after(row.told_at, too_old)
        ]
        lost = [row for i in owed.alarms if (row := rows.get(i)) and not _after(row.told_at, too_old)]
        if lost:
            log.error("%s: given up after a day: %d alarms were not told this way", route.name, len(lost))
        over = [row for i in owed.ends if (row := rows.get(i)) and _after(row.end_told_at, too_old)]
        alarms.owe(tx, route.name, Owed(tuple(row.id for row in new), tuple(row.id for row in over)))
        true_again = {row.cause for row in alarms.open_ones(tx)}
        return new, [row for row in over if row.cause not in true_again]

    def _note(self, tx: Transaction, new: list[AlarmRow], over: list[AlarmRow]) -> Note:
        return alarm_note(new, [(row.kind, _in_short(tx, row)) for row in over], community=self._community)


def _after(at: datetime | None, bound: datetime) -> bool:
    return at is not None and at > bound


def _without(left: Owed, told: list[AlarmRow]) -> Owed:
    ids = {row.id for row in told}
    return Owed(tuple(i for i in left.alarms if i not in ids), tuple(i for i in left.ends if i not in ids))


def _post_of(tx: Transaction, row: AlarmRow) -> Post | None:
    return posts.one(tx, int(subject(row.cause))) if row.kind in OF_POSTS else None


def _fades(tx: Transaction, row: AlarmRow) -> bool:
    """Tell whether an alarm only became too old: what it says is as true as before, so that no end is to be told."""
    if row.kind is AlarmKind.TWICE:
        return True
    post = _post_of(tx, row)
    if row.kind is AlarmKind.UNSEEN and post is not None:
        return not arrivals.is_seen(arrivals.sighted(tx, [post.id]).get(post.id, ()))
    return row.kind in _STAYS and post is not None and post.state == _STAYS[row.kind]


def _in_short(tx: Transaction, row: AlarmRow) -> str:
    """Say what an alarm that is over was about, and for a post how it stands now."""
    post = _post_of(tx, row)
    return f"{post.name} is {post.state} now" if post else row.message.rstrip(".")

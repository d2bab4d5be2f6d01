"""Asking how far posts reached: a few at a time, never for a channel that is paused, and quiet about what fails."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from outreach.channels import Channel, Learns
from outreach.reach import Learnt
from outreach.store import Store, reached
from outreach.store.reached import Due

MOST_AT_ONCE = 5
TAKEN_FOR = timedelta(minutes=15)
AFTER_A_FAILURE = timedelta(minutes=10)
_A_DAY = timedelta(days=1)


class Figures:
    """Keeps the figures of published posts up to date. Its channels are its own: nobody else uses them at the same time."""

    def __init__(self, *, store: Store, channels: Mapping[int, Channel], now: Callable[[], datetime]) -> None:
        self._store = store
        self._channels = {number: c for number, c in channels.items() if isinstance(c, Learns)}
        self._now = now

    def round(self) -> int:
        """Ask about what is due on each channel, a few posts at most; give how many were asked about."""
        return sum(self._of_channel(number, channel) for number, channel in self._channels.items())

    def _of_channel(self, number: int, channel: Learns) -> int:
        now = self._now()
        with self._store.read() as tx:
            how = reached.standing(tx, number)
            is_resting = reached.is_resting(tx, number, now)
            is_any_new = reached.is_any_new(tx, number, now)
        if is_resting or (how.rest_until is not None and now < how.rest_until):
            return 0
        if is_any_new:
            with self._store.write() as tx:
                reached.enrol(tx, number, now)
        with self._store.read() as tx:
            due = reached.due(tx, number, now, most=MOST_AT_ONCE)
        asked = 0
        for post in due:
            learnt = self._of_post(channel, post)
            asked += learnt is not None
            if learnt is not None and not self._goes_on(number, learnt):
                return asked
        if due and (how.page_at is None or now - how.page_at >= _A_DAY):
            self._of_page(number, channel)
        return asked

    def _of_post(self, channel: Learns, post: Due) -> Learnt | None:
        with self._store.write() as tx:
            if not post.is_there:
                reached.let_go(tx, post.post_id)
                return None
            if not reached.take(tx, post, self._now() + TAKEN_FOR):
                return None  # another worker asks
        learnt = channel.learn(post.remote_id)
        with self._store.write() as tx:
            if learnt.is_read:
                reached.keep(tx, post, learnt, self._now())
            else:
                reached.put_off(tx, post, self._now())
        return learnt

    def _of_page(self, number: int, channel: Learns) -> None:
        learnt = channel.learn_of_all()
        now = self._now()
        with self._store.write() as tx:
            reached.keep_of_channel(tx, number, learnt.values, now)
            reached.stand(tx, number, replace(reached.standing(tx, number), page_at=now))
        self._goes_on(number, learnt)

    def _goes_on(self, number: int, learnt: Learnt) -> bool:
        """Keep what could not be read, and say whether to ask for more now."""
        now = self._now()
        rest_until = learnt.rest_until or (None if learnt.is_read else now + AFTER_A_FAILURE)
        with self._store.read() as tx:
            before = reached.standing(tx, number)
        if (learnt.note, rest_until) != (before.note, before.rest_until):
            at = before.at if learnt.note == before.note else now
            with self._store.write() as tx:
                reached.stand(tx, number, replace(before, note=learnt.note, at=at, rest_until=rest_until))
        return rest_until is None

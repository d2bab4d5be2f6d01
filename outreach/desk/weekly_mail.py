"""The weekly mail: drafts wait for it, are put together a day before it goes out, and go to the lists as one, once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outreach.desk.collating import Collating, Item
from outreach.desk.writing import NOWHERE
from outreach.letter import parse
from outreach.model import BadInput, Letter
from outreach.store import drafts, posts, weekly
from outreach.weekly import MADE_BEFORE, Weekly
from outreach.when import day_of, show_day

log = logging.getLogger(__name__)

_MOST = 30
_SOURCE = "the weekly mail"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that waits for the weekly mail. `lacks` says why it cannot go with it yet; empty where it can."""

    number: int
    since: datetime
    lacks: str = ""


class WeeklyMail(Collating):
    """What waits for the weekly mail, and what each of it lacks."""

    def mark_weekly(self, number: int, *, person: str | None = None) -> None:
        """Let a draft wait for the weekly mail. Raises `BadInput` for what is no draft."""
        if self.latest(number).is_discarded or self.find(str(number)):
            step = "Only a draft can wait for the weekly mail."
            raise BadInput(f"Announcement {number} is no draft.", where="drafts", next_step=step)
        with self._store.write() as tx:
            weekly.mark(tx, number, person=person, now=self._now())

    def unmark_weekly(self, number: int) -> None:
        """Let it wait no more; it stays a draft."""
        self.latest(number)
        with self._store.write() as tx:
            weekly.unmark(tx, number)

    def waiting_for_weekly(self) -> list[Waiting]:
        """Give what waits, in the order in which it will stand in the mail."""
        with self._store.read() as tx:
            found = weekly.marked(tx, self._community.id)
        return [Waiting(number, since, self._lack(number)) for number, since in found]

    def _lack(self, number: int) -> str:
        try:
            self._item(number)
        except BadInput as bad:
            return bad.message
        return ""


class WeeklyRound(WeeklyMail):
    """What is put together is queued like any announcement: where approval is asked for, it waits for that."""

    def make(self, when: Weekly, *, grace: timedelta) -> int | None:
        """Put together and queue the mail whose time has come near; give its number, None where there is nothing to do.

        Of a mail that was due while the machine was off, within `grace`, the items go out now. Done again after a crash
        it goes on where it stopped: an instant has one mail.
        """
        due_at = self._due(when, grace)
        if due_at is None:
            return None
        with self._store.read() as tx:
            number = weekly.mail_for(tx, self._community.id, due_at)
        return self._queue(number or self._put_together(due_at), when, due_at)

    def _due(self, when: Weekly, grace: timedelta) -> datetime | None:
        now, zone = self._now(), self._community.time_zone
        coming = when.next_due(now, zone)
        before = when.due_before(coming, zone)
        with self._store.read() as tx:
            in_time = [at for _, at in weekly.marked(tx, self._community.id) if at <= before]
            known = weekly.mail_for(tx, self._community.id, before)
        if now - before <= grace and (in_time or known):
            return before
        return coming if coming - now <= MADE_BEFORE else None

    def _put_together(self, due_at: datetime) -> int | None:
        items = self._complete(due_at)
        if not items:
            return None
        day = show_day(day_of(due_at, self._community.time_zone))
        title = items[0].title if len(items) == 1 else f"News of {self._community.name}, {day}"
        new = self._new_draft(self._whole(items, title), None, f"{_SOURCE} of {_numbers(items)}")
        with self._store.write() as tx:
            number = drafts.begin(tx, new, self._now())
            self._take(tx, items, None)
            if not weekly.note_mail(tx, self._community.id, due_at, number):
                raise BadInput("Another worker put this mail together.", next_step="Look at it on the page.")
        return number

    def _complete(self, due_at: datetime) -> list[Item]:
        """Give what can go with it: what is unfinished, or would be one picture too many, waits for the next."""
        items: list[Item] = []
        for each in self.waiting_for_weekly():
            if each.lacks or each.since > due_at or len(items) == _MOST:
                continue
            item = self._item(each.number)
            try:
                self._whole([*items, item], "")
            except BadInput:
                continue
            items.append(item)
        return items

    def _queue(self, number: int | None, when: Weekly, due_at: datetime) -> int | None:
        if number is None:
            return None
        was = self.latest(number)
        with self._store.read() as tx:
            if was.is_discarded or posts.of_announcement(tx, number):
                return None
        letter = self._timed(parse(was.letter, is_draft=True), when, due_at)
        return self.add(letter, folder=NOWHERE, source=_SOURCE, of_draft=number).announcement

    def _timed(self, letter: Letter, when: Weekly, due_at: datetime) -> Letter:
        if due_at < self._now():
            return replace(letter, at="now")
        return replace(letter, at=when.wall_time(due_at, self._community.time_zone), zone=self._community.time_zone)


def _numbers(items: Sequence[Item]) -> str:
    return ", ".join(str(item.was.announcement) for item in items)

"""Planning: what is planned when, the days that announcements speak of, and moving a post to another time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from outreach import letter as letters
from outreach.desk.queueing import Added, Place
from outreach.desk.writing import Writing
from outreach.fields import dates_in
from outreach.model import BadInput, Letter, Post, State
from outreach.store import agenda, drafts
from outreach.store.agenda import Day
from outreach.when import midnight

_MOST_READ = 300


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A day that an announcement speaks of, such as a deadline: `what` is the name of its field."""

    day: date
    what: str
    announcement: int
    title: str


class Planning(Writing):
    """The calendar of a community."""

    def due_between(self, start: datetime, end: datetime, *, limit: int) -> list[Post]:
        """Give the posts due from `start` on and before `end`, next due first, at most `limit`; without the cancelled ones."""
        with self._store.read() as tx:
            return agenda.between(tx, self._community.id, start, end, limit=limit)

    def planned(self, days: Sequence[date], zone: str, *, most: int) -> list[Day]:
        """Give what is due on each of some days that follow each other in a zone, the first of each: without the cancelled."""
        bounds = [midnight(day, zone) for day in (*days, days[-1] + timedelta(days=1))]
        with self._store.read() as tx:
            return agenda.by_day(tx, self._community.id, bounds, most=most)

    def bases(self, numbers: Sequence[int]) -> dict[int, str]:
        """Give, by announcement, the key of its text as it is now: who moves it names that."""
        with self._store.read() as tx:
            return {number: was.key for number, was in drafts.latest_of(tx, self._community.id, numbers).items()}

    def named_days(self, shown: Sequence[Post], first: date, last: date) -> list[NamedDay]:
        """Give the days from `first` to `last` that these announcements, or those that go out next, speak of."""
        with self._store.read() as tx:
            coming = agenda.open_announcements(tx, self._community.id, limit=_MOST_READ)
            numbers = list(dict.fromkeys([*(post.announcement for post in shown), *coming]))[:_MOST_READ]
            known = drafts.latest_of(tx, self._community.id, numbers, saying="template")
        found = [named for n in numbers if n in known for named in self._days_of(n, known[n].letter)]
        return sorted((named for named in found if first <= named.day <= last), key=lambda named: named.day)

    def _days_of(self, number: int, text: str) -> list[NamedDay]:
        letter = _read(text)
        template = self._composer.template_of(letter) if letter else None
        if letter is None or template is None:
            return []
        title = letter.title or self._composer.title(letter)
        days = dates_in(template.fields, letter.fields)
        return [NamedDay(day, name.replace("_", " "), number, title) for name, day in days.items()]

    def move_to(self, name: str, wall_time: str, *, base: str, person: str | None = None) -> Added:
        """Give the queued posts of a name, such as `12` or `12/facebook`, another wall time, in the zone of the announcement.

        It is an edit: a new revision that voids an approval. Raises `BadInput`; then nothing was changed.
        """
        number = name.partition("/")[0]
        was = self.latest(int(number) if number.isascii() and number.isdecimal() else 0)
        letter = letters.parse(was.letter)
        found = self.find(name)
        moving = [post.channel for post in found if post.state is State.QUEUED]
        if not moving:
            raise BadInput(f"Nothing of {name} is queued.", next_step="Look at how it stands now.")
        others = [post for post in self.find(number) if post.channel not in moving and post.state is State.QUEUED]
        changed = _moved(letter, moving, others, wall_time)
        return self.edit(Place(was.announcement, base), changed, folder=self._composer.media, person=person)


@lru_cache(_MOST_READ)
def _read(text: str) -> Letter | None:
    """Read a letter once: the calendar asks for the same ones again and again."""
    try:
        return letters.parse(text)
    except BadInput:
        return None


def _moved(letter: Letter, moving: Sequence[str], others: Sequence[Post], wall_time: str) -> Letter:
    """Write the new time for all at once where all move, else for the channels that do; the others keep theirs."""
    if not others:
        kept = tuple((channel, at) for channel, at in letter.times if channel not in moving)
        return replace(letter, at=wall_time, times=kept)
    times = {post.channel: post.wall_time for post in others} | dict.fromkeys(moving, wall_time)
    return replace(letter, times=tuple((dict(letter.times) | times).items()))

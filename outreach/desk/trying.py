"""Trying a list: one test announcement to everybody on it, by which one sees that mails come through and what is made of them."""

from typing import Any

from outreach.desk.queueing import Queueing
from outreach.list_habits import ListHabits
from outreach.model import BadInput, Letter
from outreach.store import arrivals, channels
from outreach.when import show

_TEST = (
    "This mail tests that our announcements reach the list. You need not do anything.\n\n"
    "The coordinators see by it that mails come through, how long they take, and what the list makes of them.\n"
)


class Trying(Queueing):
    """What is known of lists, and how to learn it."""

    def what_lists_show(self) -> dict[str, dict[str, Any]]:
        """Give what the latest copy showed of each list, by the channel's name; lists that showed none are left out."""
        with self._store.read() as tx:
            rows = channels.of_community(tx, self._community.id)
            shown = {row.name: arrivals.profile_of(tx, row.id) for row in rows}
        return {name: found for name, found in shown.items() if found}

    def limits_named(self) -> dict[str, float]:
        """Give the longest mail, in KB, that each list named in an answer; lists that named none are left out."""
        with self._store.read() as tx:
            rows = channels.of_community(tx, self._community.id)
            found = {row.name: arrivals.limit_of(tx, row.id) for row in rows}
        return {name: most_kb for name, most_kb in found.items() if most_kb}

    def habits(self, name: str) -> ListHabits:
        """Give what people have said of a list. Raises `BadInput` for a channel that is none."""
        with self._store.read() as tx:
            return arrivals.habits_of(tx, self._a_list(tx, name))

    def set_habits(self, name: str, habits: ListHabits, *, person: str | None = None) -> None:
        """Keep what somebody says of a list: it outweighs what is learnt and what the settings say. Raises `BadInput`."""
        with self._store.write() as tx:
            arrivals.keep_habits(tx, self._a_list(tx, name), habits, now=self._now(), person=person)

    def _a_list(self, tx: Any, name: str) -> int:
        row = channels.by_name(tx, self._community.id, name)
        if row.kind != "listserv":
            raise BadInput(f"{name} is no list.", next_step="Name a list, such as listserv.")
        return row.id

    def send_a_test(self, name: str, *, person: str | None = None) -> int:
        """Queue one test announcement for a list, due now; give its number. Everybody on the list gets it.

        Raises `BadInput` for a channel that is no list: a Page has a test that publishes nothing.
        """
        with self._store.read() as tx:
            row = channels.by_name(tx, self._community.id, name)
        if row.kind != "listserv":
            step = f"Test it without publishing: outreach channels check {name}"
            raise BadInput(f"{name} is no list, on which one could see a test.", next_step=step)
        at = show(self._now(), self._community.time_zone)
        letter = Letter(title=f"A test of our announcements, {at}", body=_TEST, to=(name,), at="now")
        return self.add(letter, folder=self._composer.media, person=person, source="a test of the list").announcement

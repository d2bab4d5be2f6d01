"""Looking back: everything that was attempted or came to rest, found again, counted, and given out whole."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from outreach.desk.looking import Looking
from outreach.model import Post
from outreach.store import StoreTrouble, Transaction, explained, months, past, search
from outreach.store.months import Choices, Numbers
from outreach.store.posts import HistoryFilter
from outreach.store.search import Gone, Page

log = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_FOR_A_LOOK = 200
_MOST_KEPT = 20


@dataclass(frozen=True, slots=True)
class Look:
    """One look into the history. `is_whole`: nothing is missing that happened until now."""

    page: Page
    is_whole: bool


class LookingBack(Looking):
    """What one can see of the past of a community. Changes nothing of it."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._remembered: dict[str, tuple[str, Any]] = {}

    def history(self, wanted: HistoryFilter) -> list[Post]:
        """Give the posts that were attempted or came to rest, newest first: in the order of their planned times."""
        return [gone.post for gone in self.every_gone(wanted)]

    def every_gone(self, wanted: HistoryFilter) -> Iterator[Gone]:
        """Give the same with who wrote and approved them, a part at a time: however many they are.

        Raises `StoreTrouble` rather than give less than there is.
        """
        past.catch_up(self._store, with_in_flight=True)
        return search.each(self._store, self._community.id, wanted)

    def look_back(self, wanted: HistoryFilter, *, below: int | None = None, above: int | None = None) -> Look:
        """Give a page of it, from the newest, or next below or above a place."""
        is_whole = self._catch_up()
        with self._store.read() as tx:
            return Look(search.page(tx, self._community.id, wanted, below=below, above=above), is_whole)

    def numbers(self, first: int, last: int) -> tuple[Numbers, bool]:
        """Give the figures of the months from one to another, such as 202612, and whether they are of everything."""
        is_whole = self._catch_up()
        found = self._kept(f"{first}-{last}", lambda tx: months.numbers(tx, self._community.id, first=first, last=last))
        return found, is_whole

    def choices(self) -> Choices:
        """Give what the history can be narrowed to."""
        known = self._kept("choices", lambda tx: months.choices(tx, self._community.id))
        with self._store.read() as tx:
            return replace(known, people=months.people_of(tx, self._community.id))

    def _kept(self, name: str, find: Callable[[Transaction], T]) -> T:
        """Give what was found before, as long as the history is the same."""
        with self._store.read() as tx:
            version = past.standing(tx).version
            known: tuple[str, T] | None = self._remembered.get(name)
            if known is None or known[0] != version:
                known = (version, find(tx))
                if len(self._remembered) >= _MOST_KEPT:
                    self._remembered.clear()
                self._remembered[name] = known
            return known[1]

    def _catch_up(self) -> bool:
        try:
            return past.catch_up(self._store, most=_MOST_FOR_A_LOOK, with_in_flight=True)
        except StoreTrouble as trouble:  # a disk that is full keeps nobody from reading
            log.error("the history could not be brought up to date: %s", explained(trouble).message)
            return False

"""What the routes of the API share: the house, the gate, requests that are carried out once, and things by their numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Response

from outreach.bootstrap import House
from outreach.desk import Desk, Preview
from outreach.doors import shapes
from outreach.doors.api import told
from outreach.doors.api.asking import Gate
from outreach.doors.api.cursors import Cursors
from outreach.doors.api.once import Call, Done, Once, Work, posts
from outreach.doors.api.problems import Problem
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store.drafts import Version
from outreach.vault import Vault

Number = Annotated[int, PathParameter(ge=1, le=10**12, examples=[12])]
Name = Annotated[
    str, PathParameter(min_length=1, max_length=100, pattern=r"^[^/\x00-\x1f\x7f]+$", examples=["facebook"])
]


@dataclass(frozen=True)
class Api:
    """Everything a route has in hand. `address` gives the whole address of a page from its path."""

    house: House
    gate: Gate
    once: Once
    cursors: Cursors
    vault: Vault
    address: Callable[[str], str]

    @property
    def desk(self) -> Desk:
        """The desk that every door leads to."""
        return self.house.desk

    def posts(self, verb: Verb, *scopes: str) -> Callable[..., Call]:
        """Make the dependency of a POST: a request of somebody who may do it, to be carried out once."""
        return posts(self.gate, verb, *scopes)

    def do(self, call: Call, work: Work, *, status: int = 200, done: Done | None = None) -> Response:
        """Carry a request out once."""
        return self.once.answer(call, work, status=status, done=done)

    def latest(self, number: int) -> Version:
        """Give what an announcement of this community says now. Raises `Problem` where there is none."""
        try:
            return self.desk.latest(number)
        except BadInput as bad:
            raise Problem("not-there", bad.message, "number", bad.next_step) from None

    def channel(self, name: str) -> None:
        """Raise `Problem` for a channel that this community does not have."""
        known = [row.name for row in self.desk.channels()]
        if name not in known:
            step = f"The channels are: {', '.join(known) or 'none yet'}."
            raise Problem("not-there", f"There is no channel called {name!r}.", "name", step)

    def previews(self, of: Iterable[Preview]) -> told.Previews:
        """Lay out previews."""
        return told.Previews.of({"previews": [shapes.preview(one) for one in of]})

    def check_revision(self, number: int, revision: int) -> None:
        """Raise `Problem` unless this is the latest revision of an announcement of this community."""
        version = self.latest(number)
        if version.revision != revision:
            raise self._changed(f"Revision {revision} is not the latest any more.", version)

    def check_base(self, number: int, base: str) -> None:
        """Raise `Problem` unless this is what an announcement of this community says now."""
        version = self.latest(number)
        if version.key != base:
            raise self._changed("The text was changed since it was read.", version)

    @staticmethod
    def _changed(said: str, version: Version) -> Problem:
        theirs = {"revision": version.revision, "base": version.key, "letter": version.letter}
        step = f"Look at revision {version.revision} first."
        return Problem("changed-meanwhile", said, None, step, more={"theirs": theirs})

"""Rosters: who is on a list, as far as somebody imported it. Personal data: shown to who decides on members, and erasable."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.alarms import Note
from outreach.channels import HasMailbox, HasMembers
from outreach.compose import Target
from outreach.joining import ListFacts
from outreach.model import BadInput
from outreach.roster import Member, Roster, as_csv, read_roster
from outreach.store import Store, arrivals, joinings, members
from outreach.store.channels import CommunityRow
from outreach.store.joinings import Request
from outreach.store.members import Known

_LIST_SERVERS = ("listserv", "mailman", "sympa", "mlmmj")


@dataclass(frozen=True)
class Around:
    """What deciding on members needs: ways to people, and the address of the page that a consent link opens.

    `tell` gives None when a mail is on its way, else why not in a sentence.
    """

    store: Store
    community: CommunityRow
    targets: Sequence[Target]
    now: Callable[[], datetime]
    tell: Callable[[str, Note], str | None]
    link: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a roster: what is known of the whole, None where none was imported, and some members by address."""

    known: Known | None
    members: Sequence[Member]
    has_more: bool


class Rostering:
    """What is known of who is on each list."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._store = around.store
        self._now = around.now

    @property
    def lists(self) -> Mapping[str, Target]:
        """The channels that have members, by name."""
        return {target.name: target for target in self._around.targets if isinstance(target.channel, HasMailbox)}

    def _list(self, name: str) -> Target:
        found = self.lists.get(name)
        if found is None:
            known = ", ".join(self.lists) or "none yet"
            raise BadInput(f"There is no list called {name!r}.", where="channel", next_step=f"The lists are: {known}.")
        return found

    def facts(self, name: str) -> ListFacts:
        """Say what is known of a list: what the settings say, and else what its latest copy showed. Raises `BadInput`."""
        target = self._list(name)
        channel: object = target.channel
        told = channel.facts() if isinstance(channel, HasMembers) else ListFacts(_address(channel), "other")
        if told.runs_on != "auto":
            return told
        with self._store.read() as tx:
            shown = str((arrivals.profile_of(tx, target.id) or {}).get("server", "")).lower()
        runs_on = next((kind for kind in _LIST_SERVERS if shown.startswith(kind)), "other")
        return ListFacts(told.address, runs_on, told.owner, told.is_ours, told.has_rest)

    def can_ask_server(self, name: str) -> bool:
        """Tell whether the list's server can be asked for its members at once."""
        return self.facts(name).has_rest

    # Who is on it

    def roster(self, name: str, *, after: str = "", part: str = "") -> Shown:
        """Give a page of a roster. Raises `BadInput`."""
        target = self._list(name)
        with self._store.read() as tx:
            found = members.page(tx, target.id, after=after, part=part.strip(), most=members.A_PAGE + 1)
            return Shown(members.known(tx, target.id), found[: members.A_PAGE], len(found) > members.A_PAGE)

    def is_known(self, request: Request) -> bool | None:
        """Tell whether who asks is on the roster; None where none was imported."""
        with self._store.read() as tx:
            if members.known(tx, request.channel_id) is None:
                return None
            return members.one(tx, request.channel_id, request.address) is not None

    def import_roster(self, name: str, text: str, *, source: str, person: str | None = None) -> Roster:
        """Take a table, or what a list server answered to REVIEW, in place of what was known. Raises `BadInput`."""
        target = self._list(name)
        found = read_roster(text, list_address=_address(target.channel))
        self._take(target, found, source, person)
        return found

    def import_from_server(self, name: str, *, person: str | None = None) -> Roster:
        """Ask the list's server and take its answer in place of what was known. Raises `BadInput`."""
        target = self._list(name)
        channel: object = target.channel
        if not isinstance(channel, HasMembers) or not self.can_ask_server(name):
            step = "Set MAILMAN_URL, or import a file: outreach members import"
            raise BadInput(f"The server of {name} cannot be asked for its members.", next_step=step)
        found = channel.members()
        self._take(target, found, "asked of Mailman", person)
        return found

    def _take(self, target: Target, roster: Roster, source: str, person: str | None) -> None:
        with self._store.write() as tx:
            members.replace(tx, target.id, roster, source=source, now=self._now(), person=person)

    def export_roster(self, name: str) -> str:
        """Give the whole roster as a table that can be imported again. Raises `BadInput`."""
        target = self._list(name)
        with self._store.read() as tx:
            return as_csv(members.page(tx, target.id, most=None))

    def forget_roster(self, name: str, *, person: str | None = None) -> None:
        """Erase the whole roster of a list here; the list itself is not touched. Raises `BadInput`."""
        target = self._list(name)
        with self._store.write() as tx:
            members.forget_roster(tx, target.id, now=self._now(), person=person)

    def erase(self, address: str, *, person: str | None = None) -> int:
        """Forget all that is kept of an address: its membership on every roster, and its requests; give how many those were.

        The history keeps the numbers of requests and nothing of whom they were. Raises `BadInput` where nothing is kept.
        """
        wanted = address.strip().lower()
        community = self._around.community.id
        with self._store.write() as tx:
            count = members.erase(tx, community, wanted)
            own = joinings.of_address(tx, community, wanted) if wanted else []
            for request in own:
                joinings.erase(tx, request, now=self._now(), person=person)
        if not count + len(own):
            raise BadInput("Nothing is kept of this address.", where="address", next_step="Check how it is written.")
        return count + len(own)


def _address(channel: object) -> str:
    return channel.list_address if isinstance(channel, HasMailbox) else ""

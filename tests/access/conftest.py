"""A served page whose clock stands still, and people who live there with real passwords."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from outreach.access import Operator
from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store.people import PersonRow
from tests.doors.place import settings_for
from tests.web.visitors import Guest
from tests.work.clocks import StillClock

PASSWORD = "rivers under seven bridges"
OTHER = "a lamp beside green water"


@dataclass
class Town:
    """An install that is served, and everything around it."""

    house: House
    clock: StillClock
    box: Sandbox
    address: str

    def resident(
        self, email: str = "ann@example.org", *roles: Role, name: str = "Ann", password: str = PASSWORD
    ) -> PersonRow:
        """Let somebody live here; admin and coordinator where nothing is said."""
        access = self.house.access
        key = access.invite(email, roles or (Role.ADMIN, Role.COORDINATOR), by=Operator())
        return access.join(key, name=name, password=password)

    def guest(self) -> Guest:
        """Somebody with a browser of their own."""
        return Guest(self.address)

    def at_log_in(self, email: str, password: str = PASSWORD, *, guest: Guest | None = None) -> requests.Response:
        """Try to log in; give the first answer, wherever it leads."""
        guest = guest or self.guest()
        guest.get("/log-in")
        return guest.post("/log-in", email=email, password=password, follow=False)

    def inside(self, email: str = "ann@example.org", password: str = PASSWORD) -> Guest:
        """Somebody who has logged in."""
        guest = self.guest()
        answer = self.at_log_in(email, password, guest=guest)
        assert answer.status_code == 303, answer.text
        guest.get("/account")
        return guest

    def mails_to(self, address: str) -> list[str]:
        """What somebody got by mail."""
        return [raw.decode() for raw in self.box.mail.mailbox(address)]


Build = Callable[..., Town]


@pytest.fixture
def build_town(tmp_path: Path, migrated_file: Path) -> Iterator[Build]:
    """Build a town: `build_town(mail=False, OUTREACH_BASE_URL=…)`."""
    with Sandbox() as box:
        servers: list[AbstractContextManager[str]] = []
        houses: list[House] = []

        def build(*, mail: bool = True, database: str = "", community: str = "TMM SIG", **settings: str) -> Town:
            folder = tmp_path / f"queue-{len(houses)}"
            folder.mkdir()
            (folder / "outreach.db").write_bytes(migrated_file.read_bytes())
            given = settings_for(box) if mail else {}
            given |= {"OUTREACH_QUEUE": str(folder), "OUTREACH_DATABASE_URL": database, "OUTREACH_COMMUNITY": community}
            clock = StillClock()
            house = House(read_settings(given | settings), clock)
            server = served(create(house))
            houses.append(house)
            servers.append(server)
            return Town(house, clock, box, server.__enter__())

        yield build
        for server in servers:
            server.__exit__(None, None, None)
        for house in houses:
            house.close()


@pytest.fixture
def town(build_town: Build) -> Town:
    """An install with a mail server, on plain http."""
    return build_town()


def link_in(text: str) -> str:
    """Give the path of the link in a mail or on a page."""
    found = re.search(r"/links/[\w-]+", text)
    assert found is not None, text
    return found[0]

"""A served install on its sandbox with a clock that stands still, and programs with tokens of its people."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from outreach.access import Visitor
from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import people
from tests.doors.place import Place
from tests.tokens_left import without_tokens
from tests.web.visitors import EVERYTHING
from tests.work.clocks import StillClock

SCOPES = ("read", "write", "approve", "set up")
LETTER: dict[str, Any] = {"title": "Colloquium", "body": "Please come to room 7.", "at": "2026-12-02 09:00"}
_keys = itertools.count(1)


class Program:
    """A program with a token. Each POST gets a key of its own unless it names one."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        headers = self.headers | more.pop("headers", {})
        answer = requests.request(
            method, f"{self.address}/api/v1{path}", json=json, headers=headers, timeout=30, **more
        )
        without_tokens(answer.text)
        return answer

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.ask("GET", path, params=params)

    def post(self, path: str, json: Any = None, *, key: str | None = None) -> requests.Response:
        return self.ask("POST", path, json, headers={"Idempotency-Key": key or f"key-{next(_keys)}"})

    def put(self, path: str, json: Any) -> requests.Response:
        return self.ask("PUT", path, json)

    def delete(self, path: str) -> requests.Response:
        return self.ask("DELETE", path)


def visitor(house: House, email: str, roles: frozenset[Role] = EVERYTHING) -> Visitor:
    """A person with these roles."""
    with house.store.write() as tx:
        return Visitor(people.welcome(tx, house.community.id, email, roles, now=house.clock.now()))


Programs = Callable[..., Program]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Place:
    made = Place(tmp_path, box, database=migrated_file)
    made.json("init")
    return made


@pytest.fixture
def still() -> StillClock:
    return StillClock()


@pytest.fixture
def house(place: Place, still: StillClock) -> Iterator[House]:
    made = House(read_settings(place.settings), still)
    _ = made.desk
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def program(house: House, address: str) -> Programs:
    """Give a program of a person: `program("ann@example.org", roles=…, scopes=…)`."""

    def made(
        email: str = "ann@example.org", *, roles: frozenset[Role] = EVERYTHING, scopes: tuple[str, ...] = SCOPES
    ) -> Program:
        return Program(address, house.access.new_token(visitor(house, email, roles), name="a test", scopes=scopes))

    return made


@pytest.fixture
def ann(program: Programs) -> Program:
    """Somebody who may everything."""
    return program()


@pytest.fixture
def ben(program: Programs) -> Program:
    """Another."""
    return program("ben@example.org")

"""A sandbox over real sockets, an install that mails its alarms there, and its house with a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.alarms.world import World
from tests.doors.place import Place
from tests.work.clocks import StillClock


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Place:
    """An install with both channels and an alert address."""
    return Place(tmp_path, box, database=migrated_file, OUTREACH_ALERT_EMAIL=box.alert_address)


@pytest.fixture
def world(place: Place, box: Sandbox) -> Iterator[World]:
    """An install with an alert address."""
    clock = StillClock()
    house = House(read_settings(place.settings), clock)
    _ = house.desk
    yield World(house, box, place, clock)
    house.close()

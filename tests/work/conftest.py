"""A sandbox over real sockets, an install set up for it, and its house with a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.doors.place import Place
from tests.work.clocks import StillClock


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Place:
    """An install with both channels."""
    return Place(tmp_path, box, database=migrated_file)


@pytest.fixture
def still() -> StillClock:
    """A clock that stands still until the test moves it."""
    return StillClock()


@pytest.fixture
def house(place: Place, still: StillClock) -> Iterator[House]:
    made = House(read_settings(place.settings), still)
    _ = made.desk  # writes community and channels down
    yield made
    made.close()

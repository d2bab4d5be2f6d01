"""A sandbox over real sockets, and an install set up for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.sandbox import Sandbox
from tests.doors.place import Place


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Place:
    """An install with both channels."""
    return Place(tmp_path, box, database=migrated_file)


@pytest.fixture
def bare(tmp_path: Path) -> Place:
    """A folder in which nothing is set up."""
    return Place(tmp_path, None)

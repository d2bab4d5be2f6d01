"""One stage for all fault tests of a pytest worker: the process that forks workers is loaded once."""

from collections.abc import Iterator

import pytest

from tests.faults.cases import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()

"""A running sandbox whose clock stands still."""

from collections.abc import Iterator

import pytest

from outreach.sandbox import Clock, Sandbox

from .builders import NOON


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOON)) as running:
        yield running

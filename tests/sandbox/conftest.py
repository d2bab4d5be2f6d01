"""A running sandbox whose clock stands still, and a client for it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from outreach.sandbox import Clock, Sandbox

from .clients import Caller

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOON)) as running:
        yield running


@pytest.fixture
def call(box: Sandbox) -> Iterator[Caller]:
    caller = Caller(box)
    yield caller
    caller.session.close()

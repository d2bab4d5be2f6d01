"""The key to a Page that a person connected: kept outside the settings, and asked for anew at every use."""

from collections.abc import Callable
from dataclasses import dataclass, field

from outreach.model import Problem

WHERE = "Open Channels and press: Connect a Page."
NOT_CONNECTED = Problem("No Page is connected yet.", WHERE)


@dataclass(frozen=True, slots=True)
class PageKey:
    """A connected Page and its token. With a `trouble` there is no token; a passing one is over by itself."""

    page_id: str
    token: str = field(default="", repr=False)
    trouble: Problem | None = None
    is_passing: bool = False


Keys = Callable[[], PageKey | None]
"""Gives the key of the connected Page as it is now; None where none was connected."""


def no_key() -> PageKey | None:
    """Nothing was connected."""
    return None

"""The routes by which trouble is told to a person: mail, and with the extra `more-channels` whatever Apprise reaches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outreach.alarms.by_apprise import apprise_routes
from outreach.alarms.by_mail import mail_routes, route_to
from outreach.alarms.words import Note
from outreach.settings import Settings

__all__ = ["Note", "Route", "Routes", "route_to", "routes_of"]


class Route(Protocol):
    """One way to one receiver. What it returns, logs and shows in its `repr` holds no secret."""

    @property
    def name(self) -> str:
        """Name it, the same in every process."""

    def tell(self, note: Note) -> str | None:
        """Try once; None when it was taken, else why not in a plain sentence. Never raises for what the other side does."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Every route of an install; `by_mail` are those that take longer texts."""

    by_mail: tuple[Route, ...] = ()
    others: tuple[Route, ...] = ()

    @property
    def all(self) -> tuple[Route, ...]:
        """Each of them."""
        return self.by_mail + self.others


def routes_of(settings: Settings, now: Callable[[], datetime]) -> Routes:
    """Build the routes that the settings name. Raises `BadInput` for an Apprise URL that cannot be used."""
    return Routes(mail_routes(settings, now), apprise_routes(settings))

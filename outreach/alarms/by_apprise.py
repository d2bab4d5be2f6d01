"""Telling through Apprise, which reaches many services by a URL each. It says ok or not ok, and the URLs are secrets."""

import logging
import re
from dataclasses import dataclass, field
from typing import Any

from outreach.alarms.words import Note
from outreach.channels._http import unlogged
from outreach.model import BadInput
from outreach.settings import Settings

_WHERE = "OUTREACH_ALERT_URLS"
_BETWEEN = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")  # a comma inside a URL stays


@dataclass(frozen=True)
class AppriseRoute:
    """The way to one service."""

    number: int
    schema: str
    timeout_s: float
    service: Any = field(repr=False)

    @property
    def name(self) -> str:
        """Name its place in the setting and its kind."""
        return f"Apprise URL {self.number} ({self.schema})"

    def tell(self, note: Note) -> str | None:
        """Hand the text over."""
        try:
            with unlogged():
                taken = bool(self.service.notify(title=note.subject, body=note.body, timeout=self.timeout_s))
        except (OSError, ValueError, TypeError) as trouble:
            return f"The service could not be used ({type(trouble).__name__})."
        return None if taken else "The service did not take it."


def apprise_routes(settings: Settings) -> tuple[AppriseRoute, ...]:
    """Build a route for each URL. Raises `BadInput`, which quotes none of them, for one that Apprise does not know."""
    urls = [url for url in _BETWEEN.split(settings.OUTREACH_ALERT_URLS.get_secret_value()) if url]
    return tuple(_route(place, url, settings.OUTREACH_HTTP_TIMEOUT_S) for place, url in enumerate(urls, 1))


def _route(place: int, url: str, timeout_s: float) -> AppriseRoute:
    try:
        import apprise  # an extra, and start-up time: only those who use it pay for it
    except ImportError:
        raise BadInput(
            "Apprise is not installed.",
            where=_WHERE,
            next_step="Install it with: pip install 'outreach[more-channels]'",
        ) from None
    _silence()
    service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True))
    with unlogged():
        is_known = bool(service.add(url))
    if not is_known:
        raise BadInput(
            f"Apprise cannot use URL number {place}.", where=_WHERE, next_step="Check it against the Apprise manual."
        )
    return AppriseRoute(place, url.partition("://")[0].lower(), timeout_s, service)


def _silence() -> None:
    """Let nothing out that Apprise logs: it may quote a URL."""
    log = logging.getLogger("apprise")
    log.handlers[:] = [logging.NullHandler()]
    log.propagate = False

"""Telling a monitor that all is well: one GET of a secret address. Where it is told nothing, the monitor is to alarm."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from outreach.channels._http import Answer, Http, unlogged
from outreach.settings import Settings


@dataclass(frozen=True)
class Ping:
    """The way to one monitor. The whole path is a secret: who knows it can speak for this install."""

    http: Http
    path: str = field(repr=False)

    def send(self) -> str | None:
        """Ask once; None when it was taken, else why not, without the address."""
        with unlogged():
            reply = self.http.get(self.path, {})
        if not isinstance(reply, Answer):
            return reply.reason
        return None if 200 <= reply.status < 300 else f"it answered {reply.status}"


def ping_of(settings: Settings) -> Ping | None:
    """Build it, or give None when the settings name no monitor."""
    url = settings.OUTREACH_PING_URL.get_secret_value()
    if not url:
        return None
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Ping(Http(f"{parts.scheme}://{parts.netloc}", token=None, timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S), path)

"""Asking Facebook to read the page behind a link anew, so that the card of the post shows it as it is now.

Nothing depends on it: it has a short time of its own, is tried once, and whatever comes of it is forgotten. Within an hour each
process asks once for a link.
"""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outreach.channels._http import Http

if TYPE_CHECKING:
    from outreach.channels.facebook_page import Access

TIMEOUT_S = 3.0
ONCE_IN = timedelta(hours=1)
_MOST_KEPT = 1_000
_asked: dict[tuple[str, str], datetime] = {}
_lock = threading.Lock()


def warm(access: "Access", link: str | None, proof: Mapping[str, str], *, now: datetime) -> bool:
    """Ask for it once, within `TIMEOUT_S`; tell whether it was asked. Never raises for what comes of it."""
    if not link or not _is_time(access.url, link, now):
        return False
    timeout_s = min(TIMEOUT_S, access.timeout_s)
    with Http(f"{access.url}/{access.version}", token=access.token, timeout_s=timeout_s) as http:
        http.post("/", {"id": link, "scrape": "true", **proof})
    return True


def _is_time(url: str, link: str, now: datetime) -> bool:
    """Tell whether nobody in this process asked within the hour, and note that it is asked now."""
    with _lock:
        before = _asked.get((url, link))
        if before is not None and timedelta(0) <= now - before < ONCE_IN:
            return False
        if len(_asked) >= _MOST_KEPT:
            _asked.clear()
        _asked[url, link] = now
        return True

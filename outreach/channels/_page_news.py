"""What a Page's webhook tells: whether it comes from Facebook, and what of it is about our Page's posts.

The signature is over the bytes as they came, so they are hashed before anything is read of them. Shapes vary: the whole may
stand in an array, `published` is a number, a bool or a text, and one body may hold many changes.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from outreach.channels._graph_answers import instant_in
from outreach.reach import News, NewsKind

HEADER = "x-hub-signature-256"
_MOST_CHANGES = 500
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_ID = re.compile(r"[0-9]{1,40}(_[0-9]{1,40})?")
_RESPONSES = {"comment", "reaction", "like", "share"}
_NOT_YET = {0, "0", "false", "False"}


def is_genuine(body: bytes, headers: Mapping[str, str], app_secret: str) -> bool:
    """Tell whether whoever sent the body holds the app's secret. The older signature, by SHA-1, does not count."""
    given = _SIGNATURE.fullmatch(headers.get(HEADER, "").strip().lower())
    if not app_secret or given is None:
        return False
    wanted = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, given[1])


def read(body: bytes, page_id: str) -> list[News]:
    """Give what is told of this Page's posts, in its order; what cannot be read tells nothing."""
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = (_news(value, page_id) for value in _changes(whole, page_id))
    return [news for news in found if news is not None]


def _changes(whole: Any, page_id: str) -> Iterator[Mapping[str, Any]]:
    left = _MOST_CHANGES
    for event in whole if isinstance(whole, list) else [whole]:
        for entry in _listed(event, "entry") if _text(event, "object") == "page" else ():
            for change in _listed(entry, "changes") if _text(entry, "id") == page_id else ():
                value = change.get("value") if isinstance(change, dict) and change.get("field") == "feed" else None
                if isinstance(value, dict) and left > 0:
                    left -= 1
                    yield value


def _news(value: Mapping[str, Any], page_id: str) -> News | None:
    post_id, item, verb = _text(value, "post_id"), _text(value, "item"), _text(value, "verb")
    if not _ID.fullmatch(post_id):
        return None
    at = _instant(value.get("created_time"))
    if item in _RESPONSES:
        return News(NewsKind.RESPONSE, post_id, "", at)
    author = value.get("from")
    is_ours = not isinstance(author, dict) or _text(author, "id") in ("", page_id)
    if verb != "add" or not is_ours or _is_unpublished(value.get("published", 1)):
        return None
    return News(NewsKind.POST, post_id, _text(value, "message"), at)


def _is_unpublished(published: Any) -> bool:
    return isinstance(published, bool | int | float | str) and published in _NOT_YET


def _listed(of: Any, name: str) -> list[Any]:
    value = of.get(name) if isinstance(of, dict) else None
    return value if isinstance(value, list) else []


def _text(of: Any, name: str) -> str:
    value = of.get(name) if isinstance(of, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _instant(told: Any) -> datetime | None:
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return instant_in(told)

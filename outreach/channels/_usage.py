"""How much of Facebook's limits is used, as the headers of its answers tell it.

As recorded: `X-Business-Use-Case-Usage: {"PAGEID": [{"type": "pages", "call_count": PERCENT, "total_cputime": PERCENT,
"total_time": PERCENT, "estimated_time_to_regain_access": MINUTES}]}` for a Page's token, and `X-App-Usage: {"call_count":
PERCENT, "total_cputime": PERCENT, "total_time": PERCENT}` for a person's or an app's.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from outreach.channels import Usage

_SHARES = ("call_count", "total_cputime", "total_time")
_MOST_PERCENT = 1_000
_MOST_MINUTES = 7 * 24 * 60


def usage_of(headers: Mapping[str, str], page_id: str, *, at: datetime) -> Usage | None:
    """Read how much is used: what is said of the Page, else what is said of the app; None where nothing is understood."""
    entries = _of_page(headers.get("x-business-use-case-usage"), page_id) or _of_app(headers.get("x-app-usage"))
    figures = {name: _most(entries, name, _MOST_PERCENT) for name in _SHARES}
    if all(figure is None for figure in figures.values()):
        return None
    regain_min = _most(entries, "estimated_time_to_regain_access", _MOST_MINUTES) or 0
    calls, cpu, total = (figures[name] or 0 for name in _SHARES)
    return Usage(at, calls, cpu, total, regain_min)


def _of_page(header: str | None, page_id: str) -> Sequence[Mapping[str, Any]]:
    found = _read(header).get(page_id)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _of_app(header: str | None) -> Sequence[Mapping[str, Any]]:
    return [_read(header)]


def _read(header: str | None) -> Mapping[str, Any]:
    try:
        value = json.loads(header or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _most(entries: Sequence[Mapping[str, Any]], name: str, most: int) -> int | None:
    """Give the largest of them as a whole number, rounded up: 99.5 % is as good as full."""
    told = [entry.get(name) for entry in entries]
    numbers = [n for n in told if isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < math.inf]
    return max((math.ceil(min(number, most)) for number in numbers), default=None)

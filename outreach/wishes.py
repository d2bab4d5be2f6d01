"""What a community wishes of its page: quiet hours, its country, how far apart posts should be."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import time
from typing import Any

from outreach.model import BadInput

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_COUNTRY = re.compile(r"[A-Z]{2}")
_MOST_APART_MIN = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Wishes:
    """Wall times in the community's zone; `country` is an ISO code or empty; `apart_min` counts minutes. They only warn."""

    quiet_from: str = "21:00"
    quiet_to: str = "07:00"
    country: str = "US"
    apart_min: int = 120

    def is_quiet(self, at: time) -> bool:
        """Tell whether a time of day, to the minute, lies in the quiet hours; two equal times leave none."""
        begins, ends = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_to)
        return begins <= at < ends if begins <= ends else at >= begins or at < ends

    def laid_out(self) -> dict[str, Any]:
        """Give them as JSON."""
        return asdict(self)


def read_wishes(given: Mapping[str, Any]) -> Wishes:
    """Read what was stored or typed; what is not given is as in a new community. Raises `BadInput` naming the field."""
    was = Wishes()
    quiet_from, quiet_to = (_time(given, name, getattr(was, name)) for name in ("quiet_from", "quiet_to"))
    country = str(given.get("country", was.country)).strip().upper()
    if country and not _COUNTRY.fullmatch(country):
        raise BadInput(
            "A country is two letters.", where="country", next_step="Write it such as US, or leave it empty."
        )
    return Wishes(quiet_from, quiet_to, country, _minutes(given.get("apart_min", was.apart_min)))


def _time(given: Mapping[str, Any], name: str, default: str) -> str:
    text = str(given.get(name, default)).strip()
    if not _TIME.fullmatch(text):
        raise BadInput("A time of day is needed.", where=name, next_step="Write it such as 21:00.")
    return text


def _minutes(given: Any) -> int:
    text = str(given).strip()
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= _MOST_APART_MIN and len(text) <= 6):
        raise BadInput("Whole minutes are needed.", where="apart_min", next_step="Write a number up to 10080.")
    return int(text)

"""Telling from the Page's own list of posts whether one of them is ours.

A wrong "absent" publishes twice and a wrong "found" loses a post, so whatever is in doubt ends as "cannot tell".
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from outreach.channels._graph_answers import id_in, instant_in, next_cursor, redacted
from outreach.channels._http import Answer, Reply
from outreach.model import Absent, Candidate, CannotTell, Finding, Found

# What was posted up to this long before the attempt counts as ours: answers take their time, headers have whole seconds.
_SKEW = timedelta(minutes=2)
# The same text this long before may be ours if the clock here was moved meanwhile, so it has to be looked at.
_GREY = timedelta(minutes=90)
# Clocks further apart than this, or a list this stale, prove nothing.
_MOST_APART = timedelta(minutes=15)
_NONSENSE = timedelta(days=1)


def is_the_same(one: str, other: str) -> bool:
    """Compare two texts as Facebook may give one back."""
    return _normal(one) == _normal(other)


class Search:
    """Reads the list page by page, newest first. `after` is the place where the next page begins."""

    def __init__(self, text: str, *, started_at: datetime, secrets: tuple[str, ...]) -> None:
        self.after = ""
        self._strict, self._loose = _normal(text), _letters(text)
        self._started_at = started_at
        self._secrets = secrets
        self._window: _Window | None = None
        self._candidates: list[Candidate] = []
        self._doubts: list[str] = []
        self._seen_any = False

    def read(self, reply: Reply, *, now: datetime) -> Finding | None:
        """Read one page; None when the next one is needed. `now` is the clock here when it came."""
        page = _page_of(reply)
        if isinstance(page, CannotTell):
            return self.conclusion(page.reason)
        self._window = self._window or _Window.of(page.date, started_at=self._started_at, now=now)
        for item in page.items:
            self._weigh(item, self._window)
        if page.is_last or self._window.is_before(page.items):
            return self.conclusion()
        if not page.after or page.after == self.after:
            return self.conclusion("the list of the Page's posts goes on, but does not say where")
        self.after = page.after
        return None

    def conclusion(self, trouble: str = "") -> Finding:
        """Say what is known: what was found stays found, whatever happened after."""
        if self._candidates:
            return Found(tuple(sorted(self._candidates, key=_age)))
        doubts = [*self._doubts, trouble, "" if self._seen_any else "the list of the Page's posts is empty"]
        doubts.append(self._window.doubt if self._window else "")
        first = next(filter(None, doubts), "")
        return CannotTell(first) if first else Absent()

    def _weigh(self, item: Any, window: "_Window") -> None:
        self._seen_any = True
        text = item.get("message", "") if isinstance(item, dict) else None
        if not isinstance(text, str):
            self._doubts.append("an entry in the list of the Page's posts cannot be read")
        elif self._is_like_ours(text):
            self._weigh_one_like_ours(item, window)

    def _is_like_ours(self, text: str) -> bool:
        return _normal(text) == self._strict or (self._loose != "" and _letters(text) == self._loose)

    def _weigh_one_like_ours(self, item: Mapping[str, Any], window: "_Window") -> None:
        created, remote_id = created_at(item), id_in(item)
        name = remote_id or "without a number"
        if created is None or remote_id is None:
            self._doubts.append(f"a post with this text is there ({name}), but its time or number cannot be read")
        elif created < window.since:
            if created >= window.grey_since:
                self._doubts.append(f"a post with this text is there ({name}), from shortly before; is it this one?")
        elif _normal(item["message"]) == self._strict:
            self._candidates.append(Candidate(remote_id, _link(item, self._secrets), created))
        else:
            self._doubts.append(f"a post that reads almost the same is there ({name}); is it this one?")


@dataclass(frozen=True, slots=True)
class _Window:
    """When ours can have appeared, by Facebook's clock. `doubt` says why absence would prove nothing."""

    since: datetime
    grey_since: datetime
    doubt: str

    @classmethod
    def of(cls, date: datetime | None, *, started_at: datetime, now: datetime) -> "_Window":
        """Move the start of the attempt into Facebook's clock; `date` is what that showed when the clock here was `now`."""
        ahead = date - now if date is not None else timedelta()
        doubt = ""
        if date is None:
            doubt = "Facebook's answer does not say what time it is there"
        elif abs(ahead) > _MOST_APART:
            doubt = "the clock here and Facebook's are far apart"
        elif started_at > now:
            doubt = "the clock here went back since the post was sent"
        since = started_at - _SKEW + (ahead if abs(ahead) < _NONSENSE else timedelta())
        return cls(since, since - _GREY, doubt)

    def is_before(self, items: list[Any]) -> bool:
        """Tell whether a page is in order and all of it too old to matter: one entry may be pinned or dated back."""
        dates = [created_at(item) if isinstance(item, dict) else None for item in items]
        times = [date for date in dates if date is not None]
        is_in_order = times == sorted(times, reverse=True)
        return bool(items) and len(times) == len(items) and is_in_order and times[0] < self.grey_since


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[Any]
    is_last: bool
    after: str
    date: datetime | None


def _page_of(reply: Reply) -> _Page | CannotTell:
    if not isinstance(reply, Answer) or reply.status != 200:
        return CannotTell("the list of the Page's posts could not be read")
    body = reply.json()
    if not isinstance(body, dict) or "error" in body or not isinstance(body.get("data"), list):
        return CannotTell("the list of the Page's posts could not be understood")
    after = next_cursor(body)
    return _Page(body["data"], after == "", after or "", reply.date())


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _letters(text: str) -> str:
    """Keep what nobody changes in passing: letters and digits, not blanks, line ends, marks or letter case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def created_at(item: Mapping[str, Any]) -> datetime | None:
    """Read when a post appeared."""
    return instant_in(item.get("created_time"))


def _link(item: Mapping[str, Any], secrets: tuple[str, ...]) -> str | None:
    link = item.get("permalink_url")
    return redacted(link, secrets) if isinstance(link, str) else None


def _age(candidate: Candidate) -> tuple[datetime, str]:
    return (candidate.created_at or datetime.max.replace(tzinfo=UTC), candidate.remote_id)

"""How far a post reached: the words for what is counted, when it is asked for again, and what a handful of numbers tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

REACHED, VIEWS, REACTIONS, COMMENTS, SHARES, CLICKS = "reached", "views", "reactions", "comments", "shares", "clicks"
OF_POSTS = (REACHED, VIEWS, REACTIONS, COMMENTS, SHARES, CLICKS)
"""What is counted of a post, most telling first. A part of one is written behind it, as in `reactions/like`."""

FOLLOWERS, VISITS, ENGAGEMENTS, JOINED, LEFT = "followers", "visits", "engagements", "new followers", "lost followers"
OF_PAGES = (FOLLOWERS, REACHED, VIEWS, VISITS, ENGAGEMENTS, JOINED, LEFT)

_SAID = {
    REACHED: ("person reached", "people reached"),
    VIEWS: ("view", "views"),
    REACTIONS: ("reaction", "reactions"),
    COMMENTS: ("comment", "comments"),
    SHARES: ("share", "shares"),
    CLICKS: ("click", "clicks"),
}

FEWEST_POSTS = 5
"""Fewer posts than this tell nothing of a template, a day or an hour."""


@dataclass(frozen=True, slots=True)
class Remark:
    """The latest comment below a post: when it was written, its beginning, and where it is; all but the time may lack."""

    at: datetime
    text: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a channel told of a post or of itself. `note` says in a sentence what could not be read, and why.

    `is_read`: something was told at all. Until `rest_until` nothing more is to be asked, of whatever.
    """

    values: Mapping[str, int] = field(default_factory=dict)
    remark: Remark | None = None
    note: str = ""
    is_read: bool = False
    rest_until: datetime | None = None


class NewsKind(StrEnum):
    """What a channel tells of by itself: a post that appeared, or what people did with one."""

    POST = "post"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class News:
    """One thing that a channel told by itself, of the post `remote_id`; a post's text may be empty."""

    kind: NewsKind
    remote_id: str
    text: str
    at: datetime | None


# When it is asked for

_STEPS = (
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(days=28), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
FOLLOWED_FOR = _STEPS[-1][0]
FIRST_AFTER = timedelta(minutes=10)


def _step(age: timedelta) -> timedelta | None:
    return next((step for until, step in _STEPS if age < until), None)


def next_ask(published_at: datetime, now: datetime) -> datetime | None:
    """Say when to ask again: each hour for two days, each day for four weeks, each week until 90 days are over; then never."""
    step = _step(max(now - published_at, timedelta()))
    return now + step if step else None


def slot_of(published_at: datetime, at: datetime) -> datetime:
    """Give the beginning of the hour, day or week of a post's life in which an instant lies: one number is kept of each."""
    age = max(at - published_at, timedelta())
    step = _step(age) or _STEPS[-1][1]
    return published_at + age // step * step


# What it tells


def in_words(values: Mapping[str, int]) -> str:
    """Say the figures of a post in one phrase, those that are zero left out: "120 people reached, 8 reactions"."""
    told = [f"{values[name]:,} {_SAID[name][values[name] != 1]}" for name in OF_POSTS if values.get(name)]
    if not told:
        return "nobody reacted so far" if any(name in values for name in OF_POSTS) else ""
    return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of some posts: the value in their middle, and all of them together."""

    posts: int
    median: float
    total: int

    @property
    def is_enough(self) -> bool:
        """Tell whether so many posts stand behind it that it tells something."""
        return self.posts >= FEWEST_POSTS


def summed_up(values: Iterable[tuple[str, int]]) -> dict[str, Summary]:
    """Sum values up by their group, the highest median first; groups of too few posts come last."""
    found: dict[str, list[int]] = {}
    for group, value in values:
        found.setdefault(group, []).append(value)
    whole = {group: Summary(len(all_), float(median(all_)), sum(all_)) for group, all_ in found.items()}
    return dict(sorted(whole.items(), key=lambda each: (not each[1].is_enough, -each[1].median, each[0])))

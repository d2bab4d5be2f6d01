"""How a post's figures grew, as a small line that a template draws, a sentence for who does not see it, and a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.desk import Desk, Story
from outreach.model import Post
from outreach.reach import OF_PAGES, OF_POSTS, in_words
from outreach.store.reached import Reach
from outreach.when import show

WIDTH, HEIGHT = 320, 64
_MARGIN = 4
_MOST_ROWS = 30
_NAMED = {"reached": "People reached"}
_PLACES = {"listserv": "the list", "facebook_page": "the Page"}

Points = Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Growth:
    """A line: `points` as SVG writes them; `rows` are the latest values, newest first."""

    name: str
    said: str
    points: str
    rows: Points


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of an announcement shows of one post's reach."""

    reach: Reach
    said: str
    parts: str
    growth: Growth | None


def of_story(desk: Desk, story: Story) -> dict[int, Shown]:
    """Give what is known of the posts of an announcement."""
    found = desk.reach_of([told.post.id for told in story.posts])
    return {
        told.post.id: _of_post(desk, told.post, found[told.post.id]) for told in story.posts if told.post.id in found
    }


def of_channel(desk: Desk, name: str) -> Growth | None:
    """Draw the most telling figure of a channel itself that was read on two days at least."""
    found = desk.growth_of_channel(name, OF_PAGES)
    drawn = (growth(measure, found.get(measure, []), from_zero=False) for measure in OF_PAGES)
    return next((each for each in drawn if each is not None), None)


def in_a_line(posts: Sequence[Post], reach: Mapping[int, Reach], seen_after: Mapping[int, int | None]) -> str:
    """Say in one line what came of an announcement on all its channels; empty where nothing is known."""
    seen = [f"seen on {_place(p)} {_after(seen_after[p.id])}".strip() for p in posts if p.id in seen_after]
    said = [_told(post, reach[post.id]) for post in posts if post.id in reach and post.id not in seen_after]
    line = " · ".join(filter(None, (*seen, *said)))
    return line[:1].upper() + line[1:]


def _told(post: Post, reach: Reach) -> str:
    words = in_words(reach.values)
    return f"{words} on {_place(post)} (as of {show(reach.asked_at, post.time_zone)})" if words else ""


def _place(post: Post) -> str:
    return _PLACES.get(post.kind, post.channel)


def _after(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"after {seconds} s" if seconds < 120 else f"after {seconds // 60} min"


def _of_post(desk: Desk, post: Post, reach: Reach) -> Shown:
    measure = next((name for name in OF_POSTS if reach.values.get(name)), None)
    points = desk.growth_of(post.id, [measure]).get(measure, []) if measure else []
    parts = {name.partition("/")[2]: n for name, n in reach.values.items() if name.startswith("reactions/") and n}
    said = ", ".join(f"{count:,} {name}" for name, count in sorted(parts.items(), key=lambda each: -each[1]))
    return Shown(reach, in_words(reach.values), said, growth(measure, points) if measure else None)


def growth(measure: str, points: Points, *, from_zero: bool = True) -> Growth | None:
    """Draw the values of a measure over time; None for fewer than two, which show no growth.

    Without `from_zero` the line lies between the lowest and the highest value, for what changes by a little of much.
    """
    if len(points) < 2:
        return None
    name = _NAMED.get(measure, measure.capitalize())
    first, last = points[0], points[-1]
    said = f"{name} {'grew' if last[1] >= first[1] else 'fell'} from {first[1]:,} to {last[1]:,}."
    floor = 0 if from_zero else min(value for _, value in points)
    return Growth(name, said, _line(points, floor), tuple(reversed(points[-_MOST_ROWS:])))


def _line(points: Points, floor: int) -> str:
    start, span = points[0][0], (points[-1][0] - points[0][0]).total_seconds() or 1.0
    top = (max(value for _, value in points) - floor) or 1
    wide, high = WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN
    placed = (
        (_MARGIN + wide * (at - start).total_seconds() / span, HEIGHT - _MARGIN - high * (value - floor) / top)
        for at, value in points
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)

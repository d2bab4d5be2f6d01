"""What is known of how far posts reached: of some posts, of one over time, and summed up by template, day and hour."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from outreach.channels import HearsNews, Learns
from outreach.desk.looking import Looking
from outreach.model import BadInput, Post
from outreach.reach import REACHED, REACTIONS, Summary, summed_up
from outreach.store import arrivals, heard, reached
from outreach.store.reached import Reach, Standing
from outreach.store.search import Gone
from outreach.when import local

FREELY = "written freely"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Telling:
    """What reaches people: `measure` is what was counted, of so many `posts`; groups in the order of their medians."""

    measure: str
    posts: int
    by_template: Mapping[str, Summary]
    by_day: Mapping[str, Summary]
    by_hour: Mapping[str, Summary]

    def tables(self) -> tuple[tuple[str, Mapping[str, Summary]], ...]:
        """Give the three tables by what they are of."""
        return ("template", self.by_template), ("weekday", self.by_day), ("hour", self.by_hour)


class Reaching(Looking):
    """What one can see of figures. Changes nothing, and asks no channel."""

    def reach_of(self, ids: Collection[int]) -> dict[int, Reach]:
        """Give what is known of these posts; those of which nothing is are left out."""
        with self._store.read() as tx:
            return reached.of_posts(tx, ids)

    def growth_of(self, post_id: int, measures: Collection[str]) -> dict[str, list[tuple[datetime, int]]]:
        """Give how these measures of a post grew."""
        with self._store.read() as tx:
            return reached.series(tx, post_id, measures)

    def growth_of_channel(self, name: str, measures: Collection[str]) -> dict[str, list[tuple[datetime, int]]]:
        """Give how these measures of a channel itself changed. Raises `BadInput` for one that is not set up."""
        with self._store.read() as tx:
            return reached.series_of_channel(tx, self.target(name).id, measures)

    def seen_after(self, ids: Collection[int]) -> dict[int, int | None]:
        """Give after how many seconds each of these posts was first seen on its list, None where that is not known."""
        with self._store.read() as tx:
            found = arrivals.sighted(tx, ids)
        seen = {post_id: [each for each in what if each.kind == "distributed"] for post_id, what in found.items()}
        return {post_id: _after_s(what[0].evidence) for post_id, what in seen.items() if what}

    def figures_stand(self, name: str) -> Standing | None:
        """Say how the figures of a channel stand; None for one that tells none."""
        target = self._targets.get(name)
        channel: object = target.channel if target else None
        if target is None or not isinstance(channel, Learns):
            return None
        with self._store.read() as tx:
            return reached.standing(tx, target.id)

    def follow(self, name: str, channel: object, *, person: str | None) -> tuple[str, ...]:
        """Let a channel tell by itself what happens on it; give what it tells of. `channel` is one of the caller's own.

        Raises `BadInput` for one that does not, or that does not take it.
        """
        target = self.target(name)
        if not isinstance(channel, HearsNews):
            raise BadInput(f"{name} does not tell anything by itself.", next_step="Only a Facebook Page does.")
        fields = channel.follow()
        with self._store.write() as tx:
            heard.note_following(tx, target.id, fields, now=self._now(), person=person or "a person")
        return fields

    def with_reach(self, rows: Iterable[Gone]) -> Iterator[tuple[Gone, Reach | None]]:
        """Give each post of the history with what is known of its reach, a part at a time."""
        left = iter(rows)
        while some := list(islice(left, _AT_ONCE)):
            found = self.reach_of([row.post.id for row in some])
            yield from ((row, found.get(row.post.id)) for row in some)

    def what_reaches(self, rows: Iterable[Gone], zone: str) -> Telling | None:
        """Sum up by template, weekday and hour of the zone; None where nothing was learnt of any of these posts.

        People reached where Facebook told of any, else reactions: never the two mixed.
        """
        known = [(row, reach) for row, reach in self.with_reach(rows) if reach is not None]
        measure = REACHED if any(REACHED in reach.values for _, reach in known) else REACTIONS
        counted = [(row, reach.values[measure]) for row, reach in known if measure in reach.values]
        if not counted:
            return None
        return Telling(
            measure,
            len(counted),
            summed_up((row.template or FREELY, value) for row, value in counted),
            summed_up((_DAYS[_went_out(row.post, zone).weekday()], value) for row, value in counted),
            summed_up((f"{_went_out(row.post, zone):%H}:00", value) for row, value in counted),
        )


def _went_out(post: Post, zone: str) -> datetime:
    return local(post.planned_at, zone)


def _after_s(evidence: Mapping[str, Any]) -> int | None:
    after = evidence.get("after_s")
    return after if isinstance(after, int) else None

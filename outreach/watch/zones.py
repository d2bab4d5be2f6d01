"""Time zones whose rules changed between queueing and due time: what is due is computed anew from wall time and zone."""

import json
import logging
from collections.abc import Callable
from datetime import datetime

from outreach import when
from outreach.model import BadInput
from outreach.store import Store, posts, safety

log = logging.getLogger(__name__)

KEY = "zones"
_AT_A_TIME = 500


class Zones:
    """Compares the rules that this machine has of each zone in use with those it had, and moves what they moved."""

    def __init__(self, *, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def settle(self) -> int:
        """At a start: move the queued posts of zones whose rules changed since they were last looked at; give how many.

        Cheap however much is queued: of a zone that was never looked at there is nothing to compare with.
        """
        with self._store.read() as tx:
            kept = json.loads(safety.remembered(tx, KEY) or "{}")
        return self._compare(kept, list(kept))

    def check(self) -> int:
        """The same for every zone in use, which takes a look at all that is queued."""
        with self._store.read() as tx:
            kept = json.loads(safety.remembered(tx, KEY) or "{}")
            used = posts.zones_of_queued(tx)
        return self._compare(kept, used)

    def _compare(self, kept: dict[str, str], zones: list[str]) -> int:
        now = self._now()
        rules = {zone: print_ for zone in zones if (print_ := _fingerprint(zone, now) or kept.get(zone))}
        moved = sum(self._move(zone, now) for zone, print_ in rules.items() if kept.get(zone, print_) != print_)
        if rules != kept:
            with self._store.write() as tx:
                safety.remember(tx, KEY, json.dumps(rules))
        return moved

    def _move(self, zone: str, now: datetime) -> int:
        moved, after = 0, 0
        while True:
            with self._store.write() as tx:
                found = posts.queued_in_zone(tx, zone, after=after, limit=_AT_A_TIME)
                changed = [(post, due) for post in found if (due := when.changed_due(post)) is not None]
                for post, due in changed:
                    posts.move_due(tx, post, due, now=now, note=_note(post.planned_at, due, zone))
            moved += len(changed)
            if not found:
                log.warning("the rules of %s changed: %d posts have another due time now", zone, moved)
                return moved
            after = found[-1].id


def _fingerprint(zone: str, now: datetime) -> str | None:
    try:
        return when.fingerprint(zone, now=now)
    except BadInput as bad:  # of a zone that this machine does not know nothing is moved; the others are looked at
        log.error("%s", bad.message)
        return None


def _note(before: datetime, after: datetime, zone: str) -> str:
    return f"The rules of {zone} changed: {when.show(before, 'UTC')} became {when.show(after, 'UTC')}."

"""Sealing: every minute what is at rest of the history gets its seal, a bounded part at a time and never on the way of a post."""

import logging
from collections.abc import Callable
from datetime import datetime

from outreach.store import Store, seals

log = logging.getLogger(__name__)

MOST_SEALS = 5


class Sealing:
    """Makes the seals. Any number of workers may: the second of two finds the seal made."""

    def __init__(self, *, store: Store, now: Callable[[], datetime], most_at_once: int = seals.MOST_AT_ONCE) -> None:
        self._store = store
        self._now = now
        self._most_at_once = most_at_once

    def round(self) -> int:
        """Seal what is older than two minutes and at rest; give how many seals were made. The rest is left to the next round."""
        upto = seals.settled(self._store, self._now())
        made = 0
        while upto is not None and made < MOST_SEALS:
            seal = seals.seal_some(self._store, upto, self._now(), most=self._most_at_once)
            if seal is None:
                break
            log.info("seal %d covers %d entries: %s", seal.id, seal.entries, seal.sha256)
            made += 1
        return made

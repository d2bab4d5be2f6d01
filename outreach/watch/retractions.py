"""Retractions: once one went out on a channel, the post that it retracts says so."""

from collections.abc import Callable
from datetime import datetime

from outreach.lifecycle import IllegalMove
from outreach.model import Move
from outreach.store import Store, follows, moves
from outreach.store.moves import Change


class Retractions:
    """The round of any number of workers: the move is refused to all but one."""

    def __init__(self, *, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def round(self) -> int:
        """Retract what has a retraction that is out; give how many posts that were."""
        with self._store.read() as tx:
            found = follows.to_be_retracted(tx)
        done = 0
        for post in found:
            try:
                with self._store.write() as tx:
                    note = "its retraction went out"
                    moves.apply(tx, [Change(post.id, post.attempt, Move.RETRACT, self._now(), note)])
                done += 1
            except IllegalMove:
                continue  # another worker, or a person, was faster
        return done

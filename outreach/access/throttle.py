"""The throttle: wrong tries are counted by account and by where they come from, before it is known whether they are wrong."""

from collections.abc import Callable
from datetime import datetime, timedelta

from outreach.model import BadInput
from outreach.store import Store, doorkeys, people

COUNTED_FOR = timedelta(minutes=15)
MOST_OF_ACCOUNT = 5
MOST_OF_ADDRESS = 20
_KEPT_FOR = timedelta(days=2)


class TooManyTries(BadInput):
    """Log-ins are throttled until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("There were too many wrong tries.", next_step="Wait a few minutes, or ask for a new password.")
        self.until = until


class Throttle:
    """Counts tries. Each is written down before it is looked at, so that a hundred at once are not one."""

    def __init__(self, store: Store, community_id: int, now: Callable[[], datetime]) -> None:
        self._store = store
        self._community_id = community_id
        self._now = now

    def note(self, who: str, address: str, *, most: int = MOST_OF_ACCOUNT) -> int:
        """Write a try down and give its number. Raises `TooManyTries`, which counts as none.

        `address` is empty where nobody knows it.
        """
        now = self._now()
        with self._store.write() as tx:
            people.one_at_a_time(tx, self._community_id)
            doorkeys.forget_log_ins(tx, now - _KEPT_FOR)
            since = now - COUNTED_FOR
            counted = [(doorkeys.failures(tx, since=since, who=who), most)]
            if address:
                counted.append((doorkeys.failures(tx, since=since, address=address), MOST_OF_ADDRESS))
            for failed, limit in counted:
                if len(failed) >= limit:
                    raise TooManyTries(failed[-limit] + COUNTED_FOR)
            return doorkeys.note_log_in(tx, who, address, now=now)

    def take_back(self, number: int) -> None:
        """Let a try count no more: it was right."""
        with self._store.write() as tx:
            doorkeys.take_back(tx, number)

    def forgive(self, who: str) -> None:
        """Let the tries of an account count no more: somebody has shown that it is theirs."""
        with self._store.write() as tx:
            doorkeys.forgive(tx, [who])

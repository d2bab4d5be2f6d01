"""How late posts went out, counted in this process for `/metrics`."""

import threading
from datetime import datetime

from outreach.model import Outcome, Post, Published

BOUNDS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 10800.0, 21600.0)


class Lateness:
    """Counts of posts by how many seconds after their planned time they were out. Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def note(self, post: Post, outcome: Outcome, *, at: datetime) -> None:
        """Count a post that was published at an instant; anything else does not count."""
        if not isinstance(outcome, Published):
            return
        late_s = max(0.0, (at - post.planned_at).total_seconds())
        place = sum(late_s > bound for bound in BOUNDS_S)
        with self._lock:
            self._counts[place] += 1
            self._sum_s += late_s

    def counted(self) -> tuple[list[tuple[str, float]], float]:
        """Give for each bound in seconds how many were no later than that, the last being all; and the sum of seconds."""
        with self._lock:
            counts, sum_s = list(self._counts), self._sum_s
        names = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
        return [(name, float(sum(counts[: place + 1]))) for place, name in enumerate(names)], sum_s

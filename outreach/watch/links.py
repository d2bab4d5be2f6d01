"""Public addresses of what went out: asked for after the ids are safe on disk."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from outreach.channels import Channel, HasLinks
from outreach.model import Outcome, Post, Published
from outreach.store import Store, history, posts, usage

BUDGET_S = 0.3


class Links:
    """Remembers what has no address yet and asks for it while there is time."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[int, Channel],
        elapsed_s: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._store = store
        self._channels = dict(channels)
        self._elapsed_s = elapsed_s
        self._without_link: deque[Post] = deque(maxlen=100_000)

    def note(self, post: Post, outcome: Outcome) -> None:
        """Remember a post that went out and whose public address is still to be asked for."""
        if isinstance(outcome, Published) and outcome.remote_id and not outcome.url:
            self._without_link.append(post)

    def recall(self) -> None:
        """Remember those of earlier runs, as far as they are recent."""
        with self._store.read() as tx:
            self._without_link.extend(posts.recent_without_link(tx))

    def fetch(self, budget_s: float = BUDGET_S) -> None:
        """Ask for public addresses while the budget lasts. No answer changes nothing but that the address is not known.

        Where the channel's limit is nearly used up, they wait.
        """
        waiting: list[Post] = []
        until_s = self._elapsed_s() + budget_s
        while self._without_link and self._elapsed_s() < until_s:
            post = self._without_link.popleft()
            channel = self._channels.get(post.channel_id)
            with self._store.read() as tx:
                fresh = posts.one(tx, post.id)
                is_spared = usage.nearly_full(tx, post.channel_id, self._now()) is not None
            if is_spared:
                waiting.append(post)
                continue
            if fresh is None or fresh.remote_id is None or fresh.url:
                continue
            url = _link_of(channel, fresh.remote_id)
            if url:
                with self._store.write() as tx:
                    history.set_url(tx, post.id, url)
        self._without_link.extend(waiting)


def _link_of(channel: object, remote_id: str) -> str | None:
    return channel.link_to(remote_id) if isinstance(channel, HasLinks) else None

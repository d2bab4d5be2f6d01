"""Working on what a channel told by itself: it makes a post in doubt be looked for at once, and is never believed alone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from outreach.channels import Channel, HearsNews
from outreach.model import Post
from outreach.reach import News, NewsKind
from outreach.store import Store, Transaction, heard, posts
from outreach.store.heard import Heard

LET_IT_ANSWER = timedelta(minutes=10)
SKEW = timedelta(minutes=15)


class PageNews:
    """Reads what webhooks brought. Asks nobody: what is to be asked, other chores ask."""

    def __init__(self, *, store: Store, channels: Mapping[int, Channel], now: Callable[[], datetime]) -> None:
        self._store = store
        self._channels = {number: c for number, c in channels.items() if isinstance(c, HearsNews)}
        self._now = now

    def round(self) -> int:
        """Work on what came; give how many bodies that were."""
        with self._store.read() as tx:
            waiting = heard.waiting(tx)
        worked = sum(self._work_on(what) for what in waiting)
        if worked:
            with self._store.write() as tx:
                heard.forget_old(tx, self._now())
        return worked

    def _work_on(self, what: Heard) -> bool:
        channel, now = self._channels.get(what.channel_id), self._now()
        news = channel.news(what.body.encode()) if channel else []
        with self._store.write() as tx:
            is_early = now - what.at < LET_IT_ANSWER and heard.is_sending(tx, what.channel_id)
            if is_early and any(each.kind is NewsKind.POST for each in news):
                return False  # its own answer is on the way, and says more
            if channel is not None:
                self._conclude(tx, what.channel_id, channel, news)
            heard.done(tx, what, now)
        return True

    def _conclude(self, tx: Transaction, number: int, channel: HearsNews, news: Sequence[News]) -> None:
        known = heard.known_as(tx, number, [each.remote_id for each in news])
        told = [each for each in news if each.kind is NewsKind.POST]
        for each in told:
            if each.remote_id in known:
                self._see(tx, known[each.remote_id], each)
        unknown = [each for each in told if each.remote_id not in known]
        doubts = heard.in_doubt(tx, number) if unknown else []
        for each in unknown:
            for post in doubts:
                if self._may_be(tx, channel, post, each):
                    self._see(tx, post.id, each)
                    heard.look_soon(tx, post, self._now())
        responses = {
            known[each.remote_id] for each in news if each.kind is NewsKind.RESPONSE and each.remote_id in known
        }
        heard.ask_for_figures(tx, sorted(responses), self._now())

    def _may_be(self, tx: Transaction, channel: HearsNews, post: Post, news: News) -> bool:
        started = post.doubtful_since or post.doubted_at
        if news.at is not None and started is not None and news.at < started - SKEW:
            return False
        return channel.is_news_of(news, posts.content(tx, post))

    def _see(self, tx: Transaction, post_id: int, news: News) -> None:
        evidence = {"remote_id": news.remote_id, "appeared": news.at.isoformat() if news.at else None}
        heard.tell(tx, post_id, now=self._now(), evidence=evidence)

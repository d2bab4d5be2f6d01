"""What came of posts on a Page, and what Facebook tells of it by itself: a part of the channel."""

from collections.abc import Mapping
from typing import Any

from outreach.channels import _page_changes as changes
from outreach.channels import _page_news as page_news
from outreach.channels._graph_answers import GraphError
from outreach.channels._http import Answer, Reply
from outreach.channels._page_access import Access
from outreach.channels._page_figures import PageFigures
from outreach.channels._page_following import PageFollowing
from outreach.channels._page_posts import is_the_same
from outreach.model import BadInput, Content, Problem
from outreach.reach import Learnt, News


class PageLearning:
    """Asks nobody but the Page that is connected now."""

    _access: Access
    _figures: PageFigures

    def _reopen(self) -> tuple[Problem | None, object]:
        raise NotImplementedError

    def _get(self, path: str, **params: str) -> Reply:
        raise NotImplementedError

    def _post(self, edge: str, form: Mapping[str, str], **how: Any) -> Reply:
        raise NotImplementedError

    def _error(self, answer: Answer) -> GraphError:
        raise NotImplementedError

    def learn(self, remote_id: str) -> Learnt:
        """Ask for counts, and for who saw it where Facebook says so."""
        self._reopen()
        return self._figures.of_post(changes.root_of(remote_id))

    def learn_of_all(self) -> Learnt:
        """Ask for the Page's followers and its latest day."""
        self._reopen()
        return self._figures.of_page()

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell it by the app's secret."""
        return page_news.is_genuine(body, headers, self._access.app_secret)

    def news(self, body: bytes) -> list[News]:
        """Read it."""
        self._reopen()
        return page_news.read(body, self._access.page_id)

    def is_news_of(self, news: News, content: Content) -> bool:
        """Compare the texts, as far as Facebook gives one back."""
        return not content.does and bool(news.text.strip()) and is_the_same(news.text, content.text)

    def follow(self) -> tuple[str, ...]:
        """Add posts to what the Page's webhook tells of. Raises `BadInput`, also where no Page is connected."""
        wrong, _ = self._reopen()
        if wrong is not None:
            raise BadInput(wrong.message, next_step=wrong.next_step)
        ids = (self._access.page_id, self._access.app_id)
        return PageFollowing(ids, get=self._get, post=self._post, error=self._error).follow()

"""The shelf of the previews: what a browser was just shown and may ask for once more, and what was read of links."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from outreach.channels import cards, links
from outreach.channels.cards import Card
from outreach.desk import Preview
from outreach.doors.web.kept import Kept
from outreach.model import Content, Problem

PREVIEW_S = 2 * 60 * 60
LINKS_S = 10 * 60
_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found behind the links of a content: troubles, and the card of the one beside its text."""

    problems: tuple[Problem, ...]
    card: Card | None


class Shelf:
    """Kept by a process for all its visitors: a preview is asked for by a key that nobody can guess."""

    def __init__(self, *, is_sandbox: bool, deadline_s: float = links.DEADLINE_S) -> None:
        self._is_sandbox = is_sandbox
        self._deadline_s = deadline_s
        self._previews: Kept[Preview] = Kept(most=1000, most_bytes=24_000_000, age_s=PREVIEW_S)
        self._looks: Kept[Looked] = Kept(most=200, most_bytes=16_000_000, age_s=LINKS_S)
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)

    def put(self, key: str, preview: Preview, *, now_s: float) -> None:
        """Keep a preview."""
        content = preview.content
        self._previews.put(key, preview, size=2 * len(content.message or "") + len(content.text), now_s=now_s)

    def get(self, key: str, *, now_s: float) -> Preview | None:
        """Give a preview that is still kept."""
        return self._previews.get(key, now_s=now_s)

    def looked(self, content: Content, *, now_s: float) -> Looked | None:
        """Give what was found behind the links of a content some minutes ago at most. Asks nobody."""
        return self._looks.get(_key_of(content), now_s=now_s)

    def look(self, content: Content, *, now_s: float) -> Looked | None:
        """Ask the links of a content, unless that was just done; None while too many others are asking."""
        if known := self.looked(content, now_s=now_s):
            return known
        if not self._at_once.acquire(blocking=False):
            return None
        try:
            found = self._ask(content)
        finally:
            self._at_once.release()
        size = len(found.card.picture or b"") if found.card else 0
        self._looks.put(_key_of(content), found, size=size + 2000, now_s=now_s)
        return found

    def _ask(self, content: Content) -> Looked:
        problems = tuple(links.check_links(content, is_sandbox=self._is_sandbox, deadline_s=self._deadline_s))
        if content.link is None or content.message is not None:
            return Looked(problems, None)
        card = cards.fetch_card(content.link, is_sandbox=self._is_sandbox, deadline_s=self._deadline_s)
        if isinstance(card, Problem):
            told = () if any(p.message == card.message for p in problems) else (card,)
            return Looked((*problems, *told), None)
        return Looked(problems, card)


def _key_of(content: Content) -> str:
    asked: Sequence[str] = links.links_of(content)
    beside = content.link if content.message is None else ""
    return "\n".join((beside or "", *asked))

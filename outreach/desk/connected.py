"""How a Page's connection stands: who made it, what of it runs out when, and whether the public sees what is published."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from outreach.channels._graph_versions import end_of
from outreach.desk.running import Overtaken
from outreach.model import BadInput
from outreach.settings import Settings
from outreach.store import Transaction, connections
from outreach.store.connections import ConnectionRow, Seen
from outreach.store.schema_connections import ANSWERS

WARN_UNUSED = timedelta(days=60)
STEPS = (timedelta(days=1), timedelta(days=7), timedelta(days=21))


@dataclass(frozen=True, slots=True)
class Question:
    """A published post that somebody who is not logged in should see, and what was answered so far."""

    announcement: int
    title: str
    permalink: str
    answer: Seen | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands. `page_id` is empty where there is no Page; `row` None: the Page is that of the settings.

    `unused_since` is when a permission to publish was last used or given; `overruled` a Page of the settings that is not used.
    """

    page_id: str
    row: ConnectionRow | None
    obstacle: BadInput | None
    overruled: str
    unused_since: datetime | None
    version: str
    version_ends: date | None
    question: Question | None

    @property
    def lapses_at(self) -> datetime | None:
        """Say when Facebook takes back a permission that is not used until then."""
        return self.unused_since + connections.UNUSED_FOR if self.unused_since else None

    def is_nearly_unused(self, now: datetime) -> bool:
        """Tell whether that is a thing to think of."""
        return self.unused_since is not None and now - self.unused_since >= WARN_UNUSED

    def is_ending(self, now: datetime) -> bool:
        """Tell whether the access to data runs out soon."""
        at = self.row.data_access_expires_at if self.row else None
        return at is not None and at - now <= STEPS[-1]


def standing_of(tx: Transaction, channel_id: int, settings: Settings, *, obstacle: BadInput | None = None) -> Standing:
    """Look how the connection of a channel stands. Asks nobody but the store."""
    row = connections.of_channel(tx, channel_id)
    of_settings = settings.FACEBOOK_PAGE_ID
    page_id = row.page_id if row else of_settings
    return Standing(
        page_id=page_id,
        row=row,
        obstacle=obstacle,
        overruled=of_settings if row and of_settings not in ("", row.page_id) else "",
        unused_since=connections.unused_since(tx, channel_id),
        version=settings.FACEBOOK_GRAPH_VERSION,
        version_ends=end_of(settings.FACEBOOK_GRAPH_VERSION),
        question=_question(tx, channel_id, page_id, settings.FACEBOOK_APP_ID) if page_id else None,
    )


def _question(tx: Transaction, channel_id: int, page_id: str, app_id: str) -> Question | None:
    answer = connections.seen(tx, channel_id, page_id, app_id)
    post = connections.latest_public(tx, channel_id, page_id)
    if post is None or not post.url:
        return None
    return Question(post.announcement, post.title, post.url, answer)


def say_seen(tx: Transaction, channel_id: int, settings: Settings, found: Seen) -> str:
    """Keep what somebody saw in a private window; give the Page's permalink it is about.

    Raises `BadInput`, among it `Overtaken`: another post is the latest by now than the one they looked for.
    """
    if found.answer not in ANSWERS:
        raise BadInput("Say yes, no or not yet.", where="answer", next_step="Open the post in a private window first.")
    standing = standing_of(tx, channel_id, settings)
    if standing.question is None:
        step = "Publish a post first."
        raise BadInput("No post of this Page is out whose address is known.", where="answer", next_step=step)
    if standing.question.permalink != found.permalink:
        raise Overtaken("What went out last on the Page")
    connections.keep_seen(tx, (channel_id, standing.page_id, settings.FACEBOOK_APP_ID), found)
    return found.permalink

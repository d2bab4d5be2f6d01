"""Watching: what a page that stands open shows of the queue and of one announcement, and whether anything changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from outreach import lifecycle
from outreach.desk.letting_through import may_decide
from outreach.desk.looking import Looking
from outreach.model import BadInput, Content, Post
from outreach.store import (
    announcements,
    channels,
    checks,
    drafts,
    history,
    posts,
    pulse,
    reviews,
    safety,
    upcoming,
)
from outreach.store.checks import Check
from outreach.store.drafts import Version
from outreach.store.first_comments import FirstComment
from outreach.store.lanes import Mark
from outreach.store.reviews import Comment
from outreach.store.safety import SafeMode
from outreach.store.upcoming import Page

A_PAGE = 50
MOST_OPEN = 50
A_PAGE_OF_BAD_RESTS = 20
LATEST = 10
SOON = timedelta(days=2)
"""So long before its time a post that nobody approved needs a person."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What the queue of a community shows: posts in doubt or held, at a bad rest, unapproved though soon due; those in
    flight, those that go out next, and the last that went out.
    """

    channels: Sequence[channels.ChannelRow]
    safe_mode: SafeMode | None
    open_questions: Sequence[Post]
    bad_rests: Page
    unapproved: Sequence[Post]
    in_flight: Sequence[Post]
    queued: Page
    went_out: Sequence[Post]
    checks: dict[int, Check]


@dataclass(frozen=True, slots=True)
class Told:
    """One post and everything that happened to it; `contents` are what it sends and what its tries sent, by hash.

    `where_to_look` names the place on the channel, and its address where there is one. `can_be_let_through`,
    `can_be_turned_down`: the list asked at our own address what to do with it, or is told by REST.
    """

    post: Post
    history: Sequence[dict[str, Any]]
    contents: dict[str, Content]
    check: Check | None
    if_sent_again: str | None
    where_to_look: tuple[str, str | None]
    can_be_let_through: bool = False
    can_be_turned_down: bool = False
    comment: FirstComment | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """An announcement from its first draft on: its revisions, what happened to it as a whole, what was said, its posts."""

    about: dict[str, Any]
    versions: Sequence[Version]
    happened: Sequence[dict[str, Any]]
    comments: Sequence[Comment]
    posts: Sequence[Told]
    channels: Sequence[channels.ChannelRow]
    safe_mode: SafeMode | None


class Watching(Looking):
    """What people watch. Changes nothing, and never reads more than a page of what there is."""

    def upcoming(
        self, *, channel: str | None = None, after: Mark | None = None, before: Mark | None = None
    ) -> Upcoming:
        """Give a page of the queue, that of one channel if one is named: `after` a place in what goes out next,
        `before` one in what came to a bad rest. Raises `BadInput` for a channel that is not there.
        """
        until = self._now() + SOON
        with self._store.read() as tx:
            rows = channels.of_community(tx, self._community.id)
            ids = [row.id for row in rows if channel in (None, row.name)]
            if channel is not None and not ids:
                raise BadInput(f"There is no channel called {channel!r}.", next_step="Look at the whole queue.")
            queued = upcoming.queued(tx, ids, after=after, limit=A_PAGE)
            asks = upcoming.requires_approval(tx, self._community.id)
            unapproved = upcoming.unapproved(tx, ids, until=until, limit=MOST_OPEN) if asks else []
            return Upcoming(
                channels=rows,
                safe_mode=safety.current(tx),
                open_questions=upcoming.open_questions(tx, ids, limit=MOST_OPEN),
                bad_rests=upcoming.at_a_bad_rest(tx, ids, before=before, limit=A_PAGE_OF_BAD_RESTS),
                unapproved=unapproved,
                in_flight=upcoming.in_flight(tx, ids),
                queued=queued,
                went_out=upcoming.went_out(tx, ids, limit=LATEST),
                checks=checks.of_queued(tx, [post.id for post in (*queued.posts, *unapproved)]),
            )

    def story(self, number: int) -> Story:
        """Give an announcement with everything that happened to it. Raises `BadInput` where this community has none."""
        found = self.find(str(number))
        commented = self.first_comments(found)
        with self._store.read() as tx:
            about = announcements.get(tx, number) or {}
            looked_at = checks.of_queued(tx, [post.id for post in found])
            told = [
                Told(
                    post,
                    history.of_post(tx, post.id),
                    posts.contents_of(tx, post),
                    looked_at.get(post.id),
                    self.if_sent_again(post),
                    self.where_to_look(post),
                    *may_decide(tx, post, self._channel_of(post)),
                    comment=commented.get(post.id),
                )
                for post in posts.of_announcement(tx, number)
            ]
            about["status"] = lifecycle.status(each.post.state for each in told)
            return Story(
                about=about,
                versions=drafts.versions(tx, number),
                happened=history.of_announcement(tx, number),
                comments=reviews.comments_on(tx, number),
                posts=told,
                channels=channels.of_community(tx, self._community.id),
                safe_mode=safety.current(tx),
            )

    # Whether anything changed

    def pulse(self) -> str:
        """Name the state of everything: another text means that something changed, or that a minute is over."""
        with self._store.read() as tx:
            return self._named(pulse.of_all(tx))

    def pulse_of(self, number: int) -> str:
        """Name the state of one announcement in the same way. Raises `BadInput` where this community has none."""
        with self._store.read() as tx:
            found = pulse.of_announcement(tx, self._community.id, number)
        if found is None:
            raise BadInput(f"There is no announcement {number}.", next_step="Look for it in the queue.")
        return self._named(found)

    def _named(self, found: object) -> str:
        """With the minute in it: what is overdue, or soon, or today, changes without anybody writing it down."""
        return hashlib.sha256(repr((found, _minute(self._now()))).encode("utf-8", "replace")).hexdigest()[:16]


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60

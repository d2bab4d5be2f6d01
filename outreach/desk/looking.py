"""Looking: posts found by their names, what is queued, what went out, and what one post sends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outreach import lifecycle, pictures
from outreach.channels import HasMailbox, SaysWhatARepeatDoes, SaysWhereToLook
from outreach.channels._repeats import BY_HABIT
from outreach.compose import Composer, Target
from outreach.list_habits import concern_about_size
from outreach.model import BadInput, Content, Post, State
from outreach.store import (
    Store,
    announcements,
    arrivals,
    channels,
    checks,
    first_comments,
    history,
    members,
    posts,
    safety,
    waiting,
)
from outreach.store.checks import Check
from outreach.store.first_comments import FirstComment
from outreach.wishes import Wishes, read_wishes

_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Preview:
    """What one post would send, and the request or message itself as it would be at an instant."""

    channel: str
    content: Content
    described: dict[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What an action did: the posts as they are now, and what could not be done."""

    posts: tuple[Post, ...]
    notes: tuple[str, ...] = ()


class Looking:
    """What one can see of a community. Changes nothing."""

    def __init__(
        self,
        *,
        store: Store,
        composer: Composer,
        community: channels.CommunityRow,
        targets: Sequence[Target],
        now: Callable[[], datetime],
        on_queued: Callable[[], None] = lambda: None,
        bring_back: Callable[[Post], str | None] = lambda _post: "it cannot be asked",
    ) -> None:
        """Take what it looks with. `bring_back` takes a post out of the channel's own scheduler, or says why it cannot."""
        self._store = store
        self._composer = composer
        self._community = community
        self._targets = {target.name: target for target in targets}
        self._now = now
        self.on_queued = on_queued
        self._bring_back = bring_back

    def find(self, name: str) -> list[Post]:
        """Give the posts that a name such as `12`, `12/facebook` or `12/facebook/2` means."""
        number, channel, occurrence = read_name(name)
        with self._store.read() as tx:
            found = posts.of_announcement(tx, number, channel, occurrence)
            about = announcements.get(tx, number)
            known = about is not None and about["community_id"] == self._community.id
        if not known:
            raise BadInput(
                f"There is no announcement {number}.", next_step="See them with: outreach queue, outreach history"
            )
        if not found and channel:
            raise BadInput(
                f"Announcement {number} has no post {name}.", next_step=f"See it with: outreach show {number}"
            )
        return found

    def _brought_back(self, found: Sequence[Post]) -> None:
        """Take back what a channel's own scheduler has, before anything is decided about it. Raises `BadInput` where it stays."""
        for post in found:
            why = self._bring_back(post) if post.handed_over else None
            if why is not None:
                raise BadInput(
                    f"{post.name} is with Facebook's own scheduler, and {why}. Nothing was changed.",
                    next_step="Try again in some minutes. Where it has to be at once, delete it at Facebook by hand.",
                )

    def show(self, name: str) -> tuple[dict[str, Any], list[tuple[Post, list[dict[str, Any]]]]]:
        """Give an announcement, and its posts each with everything that happened to it."""
        found = self.find(name)
        number, _, _ = read_name(name)
        with self._store.read() as tx:
            about = announcements.get(tx, number) or {}
            about["status"] = lifecycle.status(p.state for p in posts.of_announcement(tx, number))
            return about, [(post, history.of_post(tx, post.id)) for post in found]

    def first_comments(self, found: Sequence[Post]) -> dict[int, FirstComment]:
        """Give how the first comments of these posts stand, by the post's id; those that get none are left out."""
        with self._store.read() as tx:
            return first_comments.of_posts(tx, [post.id for post in found])

    def original_of(self, sha256: str) -> str:
        """Name the file that a picture was made of, as the media folder keeps it, and its size; empty where it was fit as it came."""
        file = pictures.original_of(self._composer.media, sha256)
        return f"{file.name} ({file.stat().st_size / 1e6:.1f} MB)" if file else ""

    def if_sent_again(self, post: Post) -> str | None:
        """Say what would come of sending a post in doubt once more; None for any other post, or when nobody knows."""
        target = self._targets.get(post.channel) if post.state is State.UNCONFIRMED else None
        if target is None:
            return None
        with self._store.read() as tx:
            habit = arrivals.habits_of(tx, target.id).dedupe
        if habit:
            return BY_HABIT[habit]
        channel: object = target.channel
        return channel.if_sent_again() if isinstance(channel, SaysWhatARepeatDoes) else None

    def _channel_of(self, post: Post) -> object:
        target = self._targets.get(post.channel)
        return target.channel if target else None

    def where_to_look(self, post: Post) -> tuple[str, str | None]:
        """Say where a person can look for a post, to go on after "look", and the address of that place if it has one."""
        target = self._targets.get(post.channel)
        channel = target.channel if target else None
        return channel.where_to_look() if isinstance(channel, SaysWhereToLook) else ("on the channel itself", None)

    def came_from(self, number: int) -> str | None:
        """Give the source that was noted when the announcement was queued."""
        with self._store.read() as tx:
            return announcements.source(tx, number)

    def queue(self) -> list[Post]:
        """Give the posts that are not at rest or need a person, next due first."""
        with self._store.read() as tx:
            return posts.in_states(tx, lifecycle.OPEN, community=self._community.id)

    def preview(self, name: str, *, channel: str | None = None) -> list[Preview]:
        """Show exactly what queued posts send, from what is stored."""
        found = self.find(name)
        if not found:
            raise BadInput(
                f"Announcement {name} is a draft: nothing of it is queued.",
                next_step="Preview the letter itself: outreach preview LETTER.md",
            )
        with self._store.read() as tx:
            stored = [(post, posts.content(tx, post)) for post in found if channel in (None, post.channel)]
        if not stored:
            raise BadInput(f"{name} has no post on {channel}.", next_step=f"Look at it with: outreach show {name}")
        return [shown(self.target(post.channel), content, post.due_at) for post, content in stored]

    def channels(self) -> list[channels.ChannelRow]:
        """Give the channels and how they stand."""
        with self._store.read() as tx:
            return channels.of_community(tx, self._community.id)

    def checks(self) -> dict[int, Check]:
        """Give what the latest look found at each queued post that was looked at, by the post's id."""
        with self._store.read() as tx:
            return checks.standing(tx)

    def check_of_channel(self, name: str) -> Check | None:
        """Give what the latest check of a channel found, without asking anew."""
        with self._store.read() as tx:
            return checks.of_channel(tx, name)

    def wishes(self) -> Wishes:
        """Give what the community wishes of its page."""
        with self._store.read() as tx:
            return read_wishes(channels.wishes(tx, self._community.id))

    def asks_for_approval(self) -> bool:
        """Tell whether nothing goes out that nobody but its author has seen."""
        with self._store.read() as tx:
            return waiting.is_asked_for(tx, self._community.id)

    def safe_mode(self) -> safety.SafeMode | None:
        """Give the safe mode that is on, if one is: nothing goes out then."""
        with self._store.read() as tx:
            return safety.current(tx)

    def target(self, name: str) -> Target:
        """Give the channel of this name itself. Raises `BadInput` for one that is not set up."""
        return self._chosen((name,))[0]

    def concern_about_sender(self, target: Target) -> str | None:
        """Say in a sentence why a list may not take what we send, as far as its roster tells; None where it may."""
        channel: object = target.channel
        if not isinstance(channel, HasMailbox):
            return None
        with self._store.read() as tx:
            return members.concern(tx, target.id, channel.sender_address)

    def concern_about_size(self, target: Target, message: str | None) -> str | None:
        """Say in a sentence that a mail is longer than its list takes, as far as that is known; None where it is not."""
        with self._store.read() as tx:
            found_kb = arrivals.limit_of(tx, target.id)
            return concern_about_size(arrivals.habits_of(tx, target.id), len(message or ""), found_kb=found_kb)

    def _chosen(self, names: Sequence[str]) -> list[Target]:
        """Give the channels of these names, or all of them when there are no names."""
        if not self._targets:
            raise BadInput("No channel is set up.", next_step=HOW_TO_SET_UP)
        for name in names:
            if name not in self._targets:
                known = ", ".join(self._targets)
                raise BadInput(
                    f"There is no channel called {name!r}.", where="to", next_step=f"The channels are: {known}."
                )
        return [self._targets[name] for name in dict.fromkeys(names or self._targets)]


HOW_TO_SET_UP = "Set FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN, or LISTSERV_ADDRESS, LISTSERV_SENDER and SMTP_HOST."


def shown(target: Target, content: Content, at: datetime) -> Preview:
    """Lay out what the channel would send at an instant."""
    return Preview(target.name, content, dict(target.channel.describe(content, at=at)), at)


def read_name(name: str) -> tuple[int, str | None, int | None]:
    """Read `12`, `12/facebook` or `12/facebook/2`. Raises `BadInput` for what names nothing."""
    number, *rest = name.strip().split("/")
    if not _is_number(number) or len(rest) > 2 or "" in rest:
        raise BadInput(f"{name!r} names no announcement.", next_step="Write a number such as 12, or 12/facebook.")
    if len(rest) == 2 and not _is_number(rest[1]):
        raise BadInput(f"{name!r} names no post.", next_step="Write it such as 12/facebook/2.")
    return int(number), rest[0] if rest else None, int(rest[1]) if len(rest) == 2 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS

"""The contract of a channel, and the discovery of every kind there is.

A new channel is one file here (or an entry point `outreach.channels` of another distribution) with one class that keeps
`Channel`. The suite in `tests/channels/test_contract.py` runs over everything that `kinds()` finds.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

from outreach.channels._page_key import Keys, no_key
from outreach.joining import ListFacts, RequestKind
from outreach.model import Attempt, Content, Finding, Outcome, Problem, Wording
from outreach.reach import Learnt, News
from outreach.roster import Roster
from outreach.settings import Settings

if TYPE_CHECKING:
    from outreach.mail.imap_mailbox import Account  # start-up time


GOES_ON = "goes_on"
"""In the evidence of `Unavailable`: nothing failed, what was begun goes on at the next try."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel takes. `picture_formats` are names as Pillow gives them; empty: no pictures at all. `max_video_bytes` 0: no video.

    `titles_must_differ`: two open posts may not share a title, since the other side's answers name nothing else.
    """

    max_chars: int
    max_pictures: int = 0
    max_picture_bytes: int = 0
    picture_formats: frozenset[str] = frozenset()
    titles_must_differ: bool = False
    max_video_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """Something uploaded unseen for a post: `key` tells what of and where to, `remote_id` what the channel calls it."""

    key: str
    remote_id: str
    at: datetime


class Uploads(Protocol):
    """Keeps what was uploaded unseen for a post, through crashes as far as that goes. Never raises."""

    def of(self, post_id: int) -> Mapping[int, Upload]:
        """Give them by their place in the post."""

    def keep(self, post_id: int, place: int, upload: Upload) -> None:
        """Keep one in place of an earlier one."""

    def forget(self, post_id: int) -> None:
        """Let go of all of a post."""


class NoUploads:
    """Keeps nothing: each try uploads afresh."""

    def of(self, post_id: int) -> Mapping[int, Upload]:
        """There are none."""
        return {}

    def keep(self, post_id: int, place: int, upload: Upload) -> None:
        """Let it go."""

    def forget(self, post_id: int) -> None:
        """There is nothing to let go of."""


NEARLY_FULL = 90
"""Percent of a limit from which on nothing is asked but what a post in doubt needs."""

_REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the other side's limit was used at an instant, in percent; above 100 it lets nothing through."""

    at: datetime
    call_count: int
    total_cputime: int
    total_time: int
    regain_min: int = 0

    @property
    def percent(self) -> int:
        """The one that is nearest to its limit: it is the one that counts."""
        return max(self.call_count, self.total_cputime, self.total_time)

    @property
    def rests_until(self) -> datetime | None:
        """Until when to read nothing that can wait: None while there is room."""
        return self.at + max(timedelta(minutes=self.regain_min), _REST) if self.percent >= NEARLY_FULL else None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel may use besides its settings: the folder that keeps pictures, the clock, what it uploaded before.

    `page_key` gives the Page that a person connected, as it is now.
    """

    media: Path
    now: Callable[[], datetime]
    uploads: Uploads = field(default_factory=NoUploads)
    page_key: Keys = no_key


@runtime_checkable
class Channel(Protocol):
    """A place posts can go. Built once, used by one thread at a time.

    Nothing that a channel returns, raises, logs or shows in its `repr` holds a token or a password.
    """

    kind: ClassVar[str]
    usual_name: ClassVar[str]
    limits: Limits

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        """Build it, or give None when the settings do not mention it."""

    def render(self, wording: Wording) -> Content:
        """Make exactly what will leave. Deterministic: the same wording gives the same bytes, whenever it is asked.

        Raises `BadInput` for what the channel would not take: too long, too large, not allowed.
        """

    def check(self) -> list[Problem]:
        """Find out, without publishing anything, what would keep a post from going out now."""

    def publish(self, attempt: Attempt) -> Outcome:
        """Try once. Never retries, never sleeps, never raises for what the other side answers or fails to answer.

        Right before the step that makes the post public `attempt.may_send()` is asked; a no is answered with `HELD_UP`.
        Anything that may have reached the public without a proof that it did not is `Unconfirmed`.
        """

    def find(self, attempt: Attempt) -> Finding:
        """Ask the channel whether the post is there, looking back to `attempt.first_started_at`. Changes nothing."""

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        """Lay out the very request or message that `publish` would send at an instant, without any secret."""


@runtime_checkable
class HasLinks(Protocol):
    """A channel on which a post has a page of its own, known only after it was published."""

    def link_to(self, remote_id: str) -> str | None:
        """Ask for the public address of a post; None when there is no answer. Failure means nothing for the post."""


@runtime_checkable
class ChecksContent(Protocol):
    """A channel that can look at one post before it is due, besides at itself."""

    def check_content(self, content: Content) -> list[Problem]:
        """Find out, without publishing anything, what of this very post is wrong now. Never raises for what it finds."""


@runtime_checkable
class Lints(Protocol):
    """A channel that can say what is wrong with one post by looking at it alone."""

    def lint(self, content: Content) -> list[Problem]:
        """Find what of this very post is wrong now, as far as that can be told at once. Asks nobody."""


@runtime_checkable
class Expires(Protocol):
    """A channel whose access runs out."""

    def expires(self) -> Mapping[str, datetime]:
        """Say what runs out when, such as "the token", as far as the latest `check` learnt it. Asks nobody."""


@runtime_checkable
class HasUsage(Protocol):
    """A channel whose other side says how much of its limit is used."""

    def usage(self) -> Usage | None:
        """Say it, as far as the latest answer told. Asks nobody."""


@runtime_checkable
class HasClock(Protocol):
    """A channel whose other side tells the time."""

    def server_time(self) -> datetime | None:
        """Ask what time it is there, to the second; None when there is no answer. Changes nothing."""


@runtime_checkable
class SaysWhatARepeatDoes(Protocol):
    """A channel that knows what the public gets when a post that is out already is sent once more."""

    def if_sent_again(self) -> str:
        """Say it in a plain sentence, for who has to decide about a post in doubt. Asks nobody."""


@runtime_checkable
class SaysWhereToLook(Protocol):
    """A channel on which a person can look for a post."""

    def where_to_look(self) -> tuple[str, str | None]:
        """Say where, to go on after "look", and the address of that place where there is one. Asks nobody."""


@runtime_checkable
class Learns(Protocol):
    """A channel that can tell how many people a post reached. Reads only; asks nothing where a limit is nearly used up."""

    def learn(self, remote_id: str) -> Learnt:
        """Ask what came of a post. Never raises for what the other side answers; failure means nothing for the post."""

    def learn_of_all(self) -> Learnt:
        """Ask how the channel itself does, such as how many follow it. Never raises either."""


@runtime_checkable
class HearsNews(Protocol):
    """A channel that tells by itself what happens on it, by requests that it signs."""

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether a request comes from the channel. Asks nobody; compares in constant time."""

    def news(self, body: bytes) -> Sequence[News]:
        """Read what a body tells of this channel's posts; nothing where it makes no sense. Never raises."""

    def is_news_of(self, news: News, content: Content) -> bool:
        """Tell whether what appeared says what a post was to say."""

    def follow(self) -> tuple[str, ...]:
        """Let it tell from now on, and give all it tells of. Raises `BadInput` where it does not take that."""


@runtime_checkable
class HasMailbox(Protocol):
    """A channel whose fate is told by mail: mailboxes to which its answers come."""

    @property
    def list_address(self) -> str:
        """Give the address to which one mails."""

    @property
    def sender_address(self) -> str:
        """Give the address from which one mails."""

    def mailboxes(self) -> "Sequence[Account]":
        """Give the mailboxes to look into; none where none is set up."""

    def answer(self, to: str, subject: str, words: str) -> Outcome:
        """Mail an answer to the list server, from the address that the list knows. Never raises for what comes of it."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to be made under a post of ours. `may_send` is asked right before its first byte leaves."""

    remote_id: str
    text: str
    number: int
    may_send: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)


@runtime_checkable
class Comments(Protocol):
    """A channel under whose posts we may comment. What comes of a comment says nothing of its post."""

    def comment(self, wanted: Comment) -> Outcome:
        """Try once, as `Channel.publish` does: what may have arrived is `Unconfirmed`."""

    def find_comment(self, wanted: Comment) -> Finding:
        """Ask whether the comment is there. `Absent` only where all comments of the post were read."""


@runtime_checkable
class HasMembers(Protocol):
    """A list of which the settings tell how its members are changed."""

    def facts(self) -> ListFacts:
        """Say what the settings tell of the list; `runs_on` is "auto" where they leave it open."""

    def members(self) -> Roster:
        """Ask the list's server who is on it. Raises `BadInput` where it cannot be asked."""

    def change_members(self, kind: RequestKind, address: str, name: str) -> Outcome:
        """Put somebody on the list, or take them off, by the server's own interface. Repeating it does no harm."""

    def decide(self, message_id: str, action: str) -> Outcome:
        """Let a post through that the list holds (`accept`), or refuse it (`reject`), by the server's own interface."""


@cache
def kinds() -> dict[str, type[Channel]]:
    """Give every kind of channel by its name: the files of this folder, then those of other distributions."""
    found: dict[str, type[Channel]] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found |= _classes_of(importlib.import_module(f"{__name__}.{module.name}"))
    for entry in entry_points(group="outreach.channels"):
        cls = entry.load()
        found[cls.kind] = cls
    return found


def _classes_of(module: object) -> dict[str, type[Channel]]:
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    ours = [c for c in classes if c.__module__ == module.__name__ and hasattr(c, "kind") and hasattr(c, "publish")]  # type: ignore[attr-defined]
    return {cls.kind: cls for cls in ours}

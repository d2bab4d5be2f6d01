"""The nouns of the house: frozen values that every floor passes around. Every datetime in them is aware."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from outreach.extras import NO_EXTRAS as NO_EXTRAS
from outreach.extras import Extras as Extras
from outreach.occasions import Event as Event
from outreach.occasions import Follow as Follow
from outreach.occasions import FollowKind as FollowKind

FieldValue: TypeAlias = str | tuple[str, ...]
FOR_PAGES = ("first_comment", "video", "video_title", "captions", "page_place", "targeting")


class BadInput(Exception):
    """What a person gave cannot be used. Nothing was changed.

    `message` says what is wrong, `where` the place (file, line, field), `next_step` what to do about it.
    """

    def __init__(self, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        """All three in one line, as a log or a `.why.txt` shows them."""
        place = f"{self.where}: " if self.where else ""
        step = f" {self.next_step}" if self.next_step else ""
        return f"{place}{self.message}{step}"


class State(StrEnum):
    """Where a post stands. The only moves between them are in `lifecycle.MOVES`."""

    QUEUED = "queued"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    UNCONFIRMED = "unconfirmed"
    HELD = "held"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"
    RETRACTED = "retracted"


class Move(StrEnum):
    """What can happen to a post. Each has one row in `lifecycle.MOVES`."""

    CLAIM = "claim"
    PUBLISH = "publish"
    DEFER = "defer"
    FAIL = "fail"
    DOUBT = "doubt"
    CONFIRM = "confirm"
    ABSOLVE = "absolve"
    HOLD = "hold"
    RELEASE = "release"
    REFUSE = "refuse"
    MISS = "miss"
    CANCEL = "cancel"
    REQUEUE = "requeue"
    RETRACT = "retract"


class NoticeKind(StrEnum):
    """What a person is told by mail about an approval."""

    ASKS = "asks"
    DAY_BEFORE = "a day before"
    HOURS_BEFORE = "hours before"
    CHANGES = "changes"
    APPROVED = "approved"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a letter names it. `alt` is None for a decorative picture; it is never empty."""

    file: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """An announcement as its author wrote it: nothing resolved yet, times and zones as written.

    `to` is empty for "every channel of the community". `at` may be the word `now`. `fields` keeps the order of the
    file; values are text or, for a list, a tuple of texts. `not_after` is the latest wall time at which it may go out,
    `grace` how late, such as `2 hours`. `times` pairs the name of a channel with a time of its own, beside `at`.
    `corrects`, `retracts`: the number of an announcement that is out. `starts`, `ends`, `place`: of the event it tells of.
    For Pages alone: `first_comment` (Markdown), `video` and its `captions` (files), `page_place`, `targeting` (countries).
    """

    title: str = ""
    body: str = ""
    template: str | None = None
    to: tuple[str, ...] = ()
    at: str | None = None
    zone: str | None = None
    not_after: str | None = None
    grace: str | None = None
    link: str | None = None
    pictures: tuple[Picture, ...] = ()
    fields: tuple[tuple[str, FieldValue], ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    corrects: str | None = None
    retracts: str | None = None
    starts: str | None = None
    ends: str | None = None
    place: str | None = None
    first_comment: str | None = None
    video: str | None = None
    video_title: str | None = None
    captions: str | None = None
    page_place: str | None = None
    targeting: tuple[str, ...] = ()

    def at_on(self, channel: str) -> str | None:
        """Give the time as written for a channel: its own, or that of all."""
        return dict(self.times).get(channel) or self.at

    def said(self) -> str:
        """SHA-256 of what the letter says, whenever and wherever it is to go out: two equal ones say the same."""
        pictures = [[p.file, p.alt] for p in self.pictures]
        said: list[Any] = [self.title, self.body, self.template, self.link, pictures, [[k, v] for k, v in self.fields]]
        said += [[self.corrects, self.retracts]] if self.corrects or self.retracts else []
        said += [[self.starts, self.ends, self.place]] if self.starts else []
        extras = {name: given for name in FOR_PAGES if (given := getattr(self, name))}
        said += [extras] if extras else []
        return sha256_of_json(said)

    def key(self) -> str:
        """SHA-256 of the whole letter, places and times included: two equal ones are the same letter added twice."""
        told: list[Any] = [self.said(), list(self.to), self.at, self.zone, self.not_after]
        told += [self.grace] if self.grace else []
        told += [{"times": dict(self.times)}] if self.times else []
        return sha256_of_json(told)


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture as it will leave: `sha256` of its bytes, `path` where the queue folder keeps them (not part of the hash)."""

    file: str
    alt: str | None
    sha256: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What one post is to say on one channel, before it takes that channel's form: `body` is Markdown, nothing in it is
    left to fill. `identity` is unguessable, stays the same however often the post is rendered, and belongs to it alone.
    """

    title: str
    body: str
    link: str | None
    pictures: tuple[SentPicture, ...]
    identity: str
    due_at: datetime
    follow: Follow | None = None
    event: Event | None = None
    extras: Extras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class Content:
    """Exactly what one post will send. For a Page: text, link, pictures. For a list: `message`, a whole RFC 5322
    message in ASCII with CRLF line ends, whose `Date` alone is replaced when it leaves (a signature may be set on top of it).

    `does` is empty for a new post; else the post `on` of the Page is given this text (`edit`) or taken away (`delete`).
    """

    kind: str
    text: str
    link: str | None = None
    pictures: tuple[SentPicture, ...] = ()
    message: str | None = None
    message_id: str | None = None
    does: str = ""
    on: str | None = None
    extras: Extras = NO_EXTRAS

    def sha256(self) -> str:
        """The hash that an approval binds and that is compared before sending (the contract defines it)."""
        if self.message is not None:
            return hashlib.sha256(without_date(self.message.encode("ascii"))).hexdigest()
        pictures = [{"alt": p.alt, "sha256": p.sha256} for p in self.pictures]
        said = {"link": self.link, "message": self.text, "pictures": pictures} | self.extras.said()
        return sha256_of_json(said | ({"does": self.does, "on": self.on} if self.does else {}))

    def is_what_was_approved(self, sha256: str) -> bool:
        """Compare the hashes; what cannot even be hashed was never approved."""
        try:
            return self.sha256() == sha256
        except (BadInput, UnicodeError):
            return False


@dataclass(frozen=True, slots=True)
class Post:
    """One announcement on one channel at one due time.

    `due_at` is when it may next be tried; `planned_at` what the coordinator chose; `miss_at` when its grace is over.
    `attempt` counts the tries and is the fence: whoever speaks for the post names it. `doubtful_since` is the start of the
    earliest try that may have arrived and was never found nor disowned by a person. `handed_over`: the channel's own scheduler
    has it, or may have it.
    """

    id: int
    announcement: int
    community: int
    channel_id: int
    channel: str
    kind: str
    title: str
    occurrence: int
    state: State
    attempt: int
    due_at: datetime
    planned_at: datetime
    miss_at: datetime
    wall_time: str
    time_zone: str
    approved: bool
    paused: bool
    content_sha256: str
    remote_id: str | None = None
    url: str | None = None
    message_id: str | None = None
    reason: str | None = None
    doubted_at: datetime | None = None
    look_at: datetime | None = None
    looks: int = 0
    clean_looks: int = 0
    doubtful_since: datetime | None = None
    handed_over: bool = False

    @property
    def name(self) -> str:
        """`12/facebook`, and `12/facebook/2` for the second of a series."""
        return post_name(self.announcement, self.channel, self.occurrence)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one post, recorded before its first byte leaves.

    `started_at` is the instant of the intent; `first_started_at` that of the earliest attempt that may have reached the
    channel, from which a search for the post has to begin. `may_send` is to be asked right before the step that makes it
    public: once it says no, another worker may be speaking for the post, and nothing may be sent any more.
    """

    post: Post
    number: int
    started_at: datetime
    first_started_at: datetime
    content: Content
    may_send: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)


# What a channel answered: a closed union, matched with `assert_never`.


@dataclass(frozen=True, slots=True)
class Published:
    """The channel accepted it. At least one of the ids is set. `rest_until`: the channel asks for nothing more until then."""

    remote_id: str | None = None
    url: str | None = None
    message_id: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not sent, and no try will help: a person has to change something."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Certainly not sent, and worth another try. `retry_after_s` is the channel's own wish in seconds, or None."""

    reason: str
    retry_after_s: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """Certainly not sent: the channel does not let us in. Every post on it would meet the same."""

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Certainly not sent: the channel restricts us `until` an instant, or until a person acts when that is None."""

    reason: str
    until: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """It may be out there. Never to be sent again before the channel was asked; `is_known_there`: nor by itself after
    that, since the channel itself says that it has it already.
    """

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_known_there: bool = False


Outcome: TypeAlias = Published | Refused | Unavailable | Unauthorized | Blocked | Unconfirmed


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that would keep a post from going out, in a plain sentence, and what to do about it.

    A warning would not, or not yet.
    """

    message: str
    next_step: str = ""
    is_warning: bool = field(default=False, kw_only=True)

    def sentence(self) -> str:
        """All of it in one line."""
        return f"{'Warning: ' if self.is_warning else ''}{self.message} {self.next_step}".strip()


HELD_UP = Unavailable("The worker was held up before it could send.")
"""What a channel answers when `may_send` says no."""


# What a channel says when asked whether a post is there.


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something on the channel that looks like the post."""

    remote_id: str
    url: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """Seen on the channel, oldest first; more than one means it went out more than once.

    Copies of one mail share a `remote_id`. `evidence` says where it was seen, as far as the candidates do not.
    """

    candidates: tuple[Candidate, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Absent:
    """The channel answered, its list reached back before the attempt, and the post is not in it."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Asked in vain: no answer, an empty list, no way to ask. Never a reason to send again."""

    reason: str


Finding: TypeAlias = Found | Absent | CannotTell


def post_name(announcement: int, channel: str, occurrence: int = 1) -> str:
    """Name a post as people do: `12/facebook`, `12/facebook/2`."""
    return f"{announcement}/{channel}" if occurrence == 1 else f"{announcement}/{channel}/{occurrence}"


def sha256_of_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Hash the UTF-8 of compact JSON with sorted keys and no ASCII escapes. Lone surrogates are a `BadInput`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    try:
        return hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        raise BadInput(
            "The text holds half a character (a lone surrogate).", next_step="Type the odd character again."
        ) from None


_DATE_FIELD = re.compile(rb"(?im)^Date:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n")


def without_date(message: bytes) -> bytes:
    """Take the `Date` field out of a message's header block; the body is left alone."""
    header, blank, body = message.partition(b"\r\n\r\n")
    return _DATE_FIELD.sub(b"", header + b"\r\n", count=1) + blank[2:] + body

"""What a preview shows of one channel: a post as the Page will have it, or a mail as readers will open it, laid out for a page."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from outreach import markup
from outreach.advice import Advice, fold
from outreach.channels.cards import Card, host_of
from outreach.desk import Preview
from outreach.mail.opening import Opened, opened
from outreach.model import BadInput, Content, Post, Problem, SentPicture

RAW_START = 4000


class Piece(NamedTuple):
    """A part of a text: `kind` is empty, or says that the channel makes a link of it."""

    kind: str
    text: str


class Photo(NamedTuple):
    """A picture as a preview shows it; `alt` None: decorative."""

    address: str
    file: str
    alt: str | None


class Size(NamedTuple):
    """How much of what a channel takes is used. `shown` says it in words."""

    used: int
    most: int
    shown: str

    @property
    def is_too_much(self) -> bool:
        """Tell whether it is more than the channel takes."""
        return self.used > self.most

    @property
    def share(self) -> int:
        """In percent, at most 100."""
        return min(100, round(100 * self.used / self.most)) if self.most else 0


@dataclass(frozen=True, slots=True)
class Links:
    """What is known of the links: `count` of them, whether they were looked at, and what was found."""

    count: int
    is_looked_at: bool = False
    problems: tuple[Problem, ...] = ()
    card: Card | None = None
    card_picture: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One channel's preview. Without `content` it cannot be shown, and `bad` says why."""

    name: str
    kind: str
    zone: str
    content: Content | None = None
    bad: BadInput | None = None
    sha256: str = ""
    due_at: datetime | None = None
    post: Post | None = None
    advice: tuple[Advice, ...] = ()
    problems: tuple[Problem, ...] = ()
    stand_ins: tuple[str, ...] = ()
    head: tuple[Piece, ...] = ()
    tail: tuple[Piece, ...] = ()
    photos: tuple[Photo, ...] = ()
    mail: Opened | None = None
    size: Size | None = None
    raw: str = ""
    html_at: str = ""
    raw_at: str = ""
    links_at: str = ""
    links: Links = field(default_factory=lambda: Links(0))

    @property
    def is_mail(self) -> bool:
        """Tell whether it is a mail."""
        return self.mail is not None

    @property
    def host(self) -> str:
        """Name the host of the link beside the text."""
        return host_of(self.content.link or "") if self.content else ""

    @property
    def raw_is_whole(self) -> bool:
        """Tell whether `raw` is all of it."""
        return len(self.raw) <= RAW_START

    @property
    def raw_start(self) -> str:
        """Give the beginning of the raw bytes."""
        return self.raw[:RAW_START]


def pieces(content: Content) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Part the text of a post where the Page folds it; together the pieces are the text, character by character."""
    at = fold(content.text)
    return tuple(_pieces(content.text[:at])), tuple(_pieces(content.text[at:]))


_LINKED = re.compile(r"(?P<link>https?://[^\s<>]+)|(?<![\w&/#])(?P<tag>#\w*[^\W\d_]\w*)")


def _pieces(text: str) -> Iterator[Piece]:
    done = 0
    for found in _LINKED.finditer(text):
        address = found["link"]
        end = found.start() + len((markup.addresses(address) or (address,))[0]) if address else found.end()
        if found.start() > done:
            yield Piece("", text[done : found.start()])
        yield Piece("link" if address else "tag", text[found.start() : end])
        done = end
    if done < len(text):
        yield Piece("", text[done:])


def photos(pictures: tuple[SentPicture, ...]) -> tuple[Photo, ...]:
    """Say where the browser finds the pictures of a post."""
    return tuple(Photo(f"/media/{quote(Path(p.path or p.file).name)}", p.file, p.alt) for p in pictures)


def size_of(content: Content, *, most: int) -> Size:
    """Say how much of a channel's limit a content takes."""
    if content.message is not None:
        used = len(content.message.encode("utf-8", "surrogatepass"))
        return Size(used, most, f"{used / 1024:.1f} KB of {most / 1024:g} KB")
    used = markup.facebook_length(content.text)
    return Size(used, most, f"{used:,} of {most:,} characters")


def mail_of(content: Content) -> Opened | None:
    """Open a mail; None for what is none."""
    return opened(content.message) if content.message is not None else None


def raw_of(preview: Preview) -> str:
    """Give what leaves: the whole message, or the requests in their order, as text."""
    message = preview.described.get("message")
    if isinstance(message, str):
        return message
    return json.dumps(preview.described, ensure_ascii=False, indent=2) + "\n"

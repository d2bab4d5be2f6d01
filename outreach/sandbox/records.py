"""What the sandbox keeps about Pages, and what it shows to tests."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """A Page with a token that may publish on it."""

    id: str
    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublicPost:
    """A post that the public can see. `pictures` are pairs of alternative text and SHA-256 of the file,
    `video` the SHA-256 of its file."""

    id: str
    message: str | None
    link: str | None
    pictures: tuple[tuple[str | None, str], ...]
    created_at: datetime
    permalink_url: str
    video: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One Graph request. `wrote` says whether it changed anything, whatever the client was told."""

    at: datetime
    method: str
    path: str
    params: dict[str, Any]
    token_kind: str | None
    op: str
    status: int | None
    outcome: str
    wrote: bool
    post_id: str | None


class PostState(StrEnum):
    """Where a post stands."""

    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    SCHEDULED = "scheduled"


@dataclass
class Post:
    """One post; `rank` grows in the order of publication and decides the order of lists."""

    id: str
    page_id: str
    message: str | None
    link: str | None
    photo_ids: tuple[str, ...]
    state: PostState
    created_at: datetime
    updated_at: datetime
    rank: int
    due_at: datetime | None = None
    is_hidden: bool = False
    is_for_roles_only: bool = False
    comment_ids: list[str] = field(default_factory=list)
    video_id: str | None = None


@dataclass
class Photo:
    """One uploaded picture; without `post_id` it is staged and lives 24 hours."""

    id: str
    page_id: str
    content: bytes
    mime: str
    caption: str | None
    alt: str | None
    sha256: str
    created_at: datetime
    rank: int
    is_temporary: bool = False
    post_id: str | None = None


@dataclass
class Comment:
    """One comment under a post, written as the Page."""

    id: str
    post_id: str
    message: str
    created_at: datetime
    rank: int


@dataclass
class User:
    """The person (role account) who granted the tokens."""

    id: str
    name: str

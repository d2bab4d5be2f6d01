"""One Graph call on its way in: version, path, operation; and what came of it."""

import re
from dataclasses import dataclass
from typing import Any

from .bodies import Params
from .error_table import GraphError
from .tokens import Token

OLDEST, NEWEST = 21, 26
OLDEST_VERSION = f"v{OLDEST}.0"
_VERSION = re.compile(r"v(\d{1,2})\.\d")
_SHARED_EDGES = {"feed", "photos", "comments"}
_FIXED_GETS = {"me", "debug_token"}


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted call. `segments` is the path without its version."""

    method: str
    version: str
    segments: tuple[str, ...]
    params: Params
    token: Token
    op: str


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a call: the JSON to answer, whether anything changed, and the post concerned."""

    body: Any
    wrote: bool = False
    post_id: str | None = None


def split_version(path: str) -> tuple[str, tuple[str, ...]]:
    """Return the version that serves a path, and the rest of it.

    Expired versions are served by the oldest one alive, as Facebook does. Raises `GraphError` 2500 for an unknown one.
    """
    segments = tuple(segment for segment in path.split("/") if segment)
    if not segments or not segments[0].startswith("v"):
        return OLDEST_VERSION, segments
    match = _VERSION.fullmatch(segments[0])
    if match is None or not 1 <= int(match[1]) <= NEWEST:
        raise GraphError(2500, f"Unknown path components: /{segments[0]}")
    return (segments[0] if int(match[1]) >= OLDEST else OLDEST_VERSION), segments[1:]


def name_op(method: str, segments: tuple[str, ...]) -> str:
    """Return the name by which faults and the journal call this operation.

    Writes: `feed`, `photos`, `comments`, `edit`, `delete`, `subscribed_apps`, `unsubscribe`, `scrape`, `videos`,
    `captions`. Reads: `read` (one object), `read_ids`, `read_feed`, `read_photos`, `read_comments`, `published_posts`,
    `posts`, `scheduled_posts`, `accounts`, `me`, `debug_token`, `insights`, `subscribed_apps`.
    """
    if not segments:
        return "scrape" if method == "POST" else "read_ids"
    if method == "DELETE":
        return "unsubscribe" if segments[1:] == ("subscribed_apps",) else "delete"
    if len(segments) == 1:
        return _name_node_op(method, segments[0])
    edge = "/".join(segments[1:])
    return f"read_{edge}" if method == "GET" and edge in _SHARED_EDGES else edge


def _name_node_op(method: str, node: str) -> str:
    if method == "POST":
        return "edit"
    return node if node in _FIXED_GETS else "read"

"""Lists in pages: limits, opaque cursors, and a `next` address that contains the token as the real one does."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .error_table import GraphError

DEFAULT_LIMIT, MAX_LIMIT = 25, 100


class Ranked(Protocol):
    """Something with a place in a list."""

    rank: int


R = TypeVar("R", bound=Ranked)


def cut_page(items: Sequence[R], arguments: Mapping[str, Any], *, is_newest_first: bool = True) -> tuple[list[R], bool]:
    """Return the items of one page, and whether more follow. Raises `GraphError` for a bad limit or cursor."""
    limit = read_limit(arguments.get("limit"))
    ordered = sorted(items, key=lambda item: item.rank, reverse=is_newest_first)
    after, before = arguments.get("after"), arguments.get("before")
    if after and _hollows_before(str(after)) is None:
        mark = _read_cursor(str(after))
        ordered = [item for item in ordered if (item.rank < mark) == is_newest_first and item.rank != mark]
    elif before:
        mark = _read_cursor(str(before))
        ordered = [item for item in ordered if (item.rank > mark) == is_newest_first and item.rank != mark][
            -limit or None :
        ]
    return ordered[:limit], len(ordered) > limit


def list_body(ranked: list[tuple[int, Any]], *, next_url: str | None, has_more: bool) -> dict[str, Any]:
    """Return `data` and `paging`; `next` only where more follows, no `paging` for an empty list."""
    body: dict[str, Any] = {"data": [value for _, value in ranked]}
    if ranked:
        body["paging"] = {"cursors": {"before": cursor(ranked[0][0]), "after": cursor(ranked[-1][0])}}
        if has_more and next_url is not None:
            body["paging"]["next"] = next_url
    return body


def cursor(rank: int) -> str:
    """Return the opaque text for a place in a list."""
    return base64.b64encode(f"place:{rank}".encode()).decode()


def hollow_page(arguments: Mapping[str, Any], *, most: int) -> str | None:
    """Return the cursor behind an empty page that goes on; `None` when it is the turn of a page that holds something."""
    after = arguments.get("after")
    before = _hollows_before(str(after)) if after else 0
    if before is None or before >= most:
        return None
    return base64.b64encode(f"hollow:{before + 1}".encode()).decode()


def _hollows_before(text: str) -> int | None:
    """Return how many empty pages led to a cursor; `None` for one that stands for a place."""
    try:
        word, _, count = base64.b64decode(text, validate=True).decode().partition(":")
        return int(count) if word == "hollow" else None
    except ValueError:
        return None


def read_limit(value: Any) -> int:
    """Return a limit of 0 to 100, 25 by default; raises `GraphError` 100 for anything else."""
    if value is None or value == "":
        return DEFAULT_LIMIT
    if not str(value).isdigit():
        raise GraphError(100, "(#100) Param limit must be a non-negative integer")
    if int(value) > MAX_LIMIT:
        raise GraphError(100, f"(#100) Param limit must not exceed {MAX_LIMIT}")
    return int(value)


def _read_cursor(text: str) -> int:
    try:
        word, _, rank = base64.b64decode(text, validate=True).decode().partition(":")
        if word == "place":
            return int(rank)
    except ValueError:
        pass
    raise GraphError(100, "(#100) Invalid cursors values for the paging of this edge")

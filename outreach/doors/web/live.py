"""Live without reload: what an open page asks every few seconds, and that costs next to nothing while nothing changes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fastapi import Request, Response

from outreach.model import Post, State

SOON_S, OFTEN_S, SELDOM_S = 60, 3, 15
SEEN_WITHIN = timedelta(minutes=5)
"""So soon after it was sent a list's copy is usually seen."""


def is_known(request: Request, pulse: str) -> bool:
    """Tell whether the page that asks shows this state already."""
    return request.query_params.get("seen") == pulse


def nothing_new() -> Response:
    """Answer that the page is up to date."""
    return Response(status_code=204)


def every_s(posts: Iterable[Post], now: datetime) -> int:
    """Say how often to ask: often while something is on its way or about to be, or waits for a word of its list."""
    soon = now + timedelta(seconds=SOON_S)
    moves = (State.PUBLISHING, State.QUEUED)
    looked_for = State.UNCONFIRMED
    for post in posts:
        is_new_mail = post.state is State.PUBLISHED and post.message_id is not None and now - post.due_at < SEEN_WITHIN
        if post.state is State.HELD or is_new_mail:
            return OFTEN_S
        if post.state is looked_for and post.look_at is not None and post.look_at <= soon:
            return OFTEN_S
        if post.state in moves and not post.paused and post.due_at <= soon:
            return OFTEN_S
    return SELDOM_S

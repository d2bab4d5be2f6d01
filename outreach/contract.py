"""The JSON of a post and of an instant, as every door and every webhook gives them out."""

from datetime import UTC, datetime
from typing import Any

from outreach.model import Post, State

POST_KEYS = (
    "id",
    "announcement",
    "title",
    "channel",
    "state",
    "due_at",
    "wall_time",
    "time_zone",
    "approved",
    "attempts",
    "remote_id",
    "url",
    "message_id",
    "reason",
    "content_sha256",
)


def instant(at: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def post(of: Post) -> dict[str, Any]:
    """Lay out a post."""
    return {
        "id": of.name,
        "announcement": of.announcement,
        "title": of.title,
        "channel": of.channel,
        "state": str(of.state),
        "due_at": instant(of.due_at),
        "wall_time": of.wall_time,
        "time_zone": of.time_zone,
        "approved": bool(of.approved),
        "attempts": of.attempt,
        "remote_id": of.remote_id,
        "url": of.url,
        "message_id": of.message_id,
        "reason": of.reason or ("paused by a person" if of.paused and of.state is State.QUEUED else None),
        "content_sha256": of.content_sha256,
    }

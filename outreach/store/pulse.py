"""Whether something changed, asked cheaply and often by every page that stands open. The answer is only ever compared."""

from typing import Any

from sqlalchemy import text

from outreach.store.engine import Transaction

# A claim is told by the post in flight, everything else by the history or by a sighting.
_OF_ALL = text(
    "SELECT (SELECT max(id) FROM events), (SELECT max(id) FROM sightings),"
    " (SELECT coalesce(sum(id + attempt), 0) FROM posts WHERE state = 'publishing')"
)
_OF_POSTS = text(
    "SELECT p.id, p.state, p.attempt, p.paused, p.due_at, p.look_at, p.url, p.content_sha256, c.state, c.until,"
    " (SELECT max(e.id) FROM events e WHERE e.post_id = p.id),"
    " (SELECT max(s.id) FROM sightings s WHERE s.post_id = p.id)"
    " FROM posts p JOIN channels c ON c.id = p.channel_id WHERE p.announcement_id = :number ORDER BY p.id"
)
_OF_ANNOUNCEMENT = text(
    "SELECT a.community_id, a.revision, a.approved_revision, a.discarded_at,"
    " (SELECT max(e.id) FROM events e WHERE e.announcement_id = a.id),"
    " (SELECT r.at FROM revisions r WHERE r.announcement_id = a.id AND r.revision = a.revision),"
    " (SELECT m.value FROM meta m WHERE m.key = 'safe mode')"
    " FROM announcements a WHERE a.id = :number"
)


def of_all(tx: Transaction) -> tuple[Any, ...]:
    """Sum up what was last written anywhere; equal means that no post, channel or announcement changed."""
    return tuple(tx.execute(_OF_ALL).one())


def of_announcement(tx: Transaction, community_id: int, number: int) -> list[tuple[Any, ...]] | None:
    """Sum up how an announcement and its posts stand; None for one that the community does not have."""
    about = tx.execute(_OF_ANNOUNCEMENT, {"number": number}).first()
    if about is None or about[0] != community_id:
        return None
    return [tuple(about), *(tuple(row) for row in tx.execute(_OF_POSTS, {"number": number}))]

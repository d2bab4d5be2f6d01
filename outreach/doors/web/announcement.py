"""The page of one announcement: what became of it on each channel."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors.shapes import happened, seen
from outreach.doors.web.frame import NotThere, Site
from outreach.model import BadInput, Post
from outreach.roles import Verb


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    desk = site.house.desk

    @router.get("/announcements/{number}")
    def announcement(
        request: Request, number: int, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]
    ) -> Response:
        try:
            about, found = desk.show(str(number))
            previews = {p.channel: p.content for p in desk.preview(str(number))} if found else {}
        except BadInput as bad:
            raise NotThere(bad.message, next_step="Look for it in the queue or in the history.") from None
        shown = [(post, [_told(post, entry) for entry in told], previews.get(post.channel)) for post, told in found]
        repeats = {post.id: desk.if_sent_again(post) for post, _ in found}
        return site.draw(
            request, "announcement.html", visitor, about=about, posts=shown, checks=desk.checks(), repeats=repeats
        )

    return router


def _told(post: Post, entry: dict[str, Any]) -> tuple[datetime, str, str, str]:
    """One line of a timeline: when, the zone it is shown in, what, and the details."""
    if entry["kind"] == "attempt":
        what = f"attempt {entry['attempt']}: {entry.get('outcome', 'going on')}"
        return entry["at"], post.time_zone, what, "; ".join(filter(None, (entry.get("note"), entry.get("approval"))))
    if entry["kind"] == "sighting":
        what, details = seen(entry)
        return entry["at"], post.time_zone, what, str(entry["evidence"].get("why", "")) or details
    by = f" by {entry['person']}" if entry.get("person") else ""
    return entry["at"], post.time_zone, f"{happened(entry['kind'])}{by}", entry.get("note", "")

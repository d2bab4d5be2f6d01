"""The calendar as iCalendar: a feed for each person, at an address of its own that can be ended; the event of a list mail."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.model import Post, State
from outreach.roles import Verb

if TYPE_CHECKING:
    from icalendar import Event

NAME = "Calendar feed"
BACK, AHEAD = timedelta(days=90), timedelta(days=400)
MOST = 2000
_KEY = re.compile(r"outreach_[A-Za-z0-9_-]{20,100}")
_EVENT = re.compile(r"[0-9a-f]{40}")
_STATUS = {
    State.QUEUED: "TENTATIVE",
    State.RETRACTED: "CANCELLED",
    State.FAILED: "CANCELLED",
    State.MISSED: "CANCELLED",
}


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/calendar/subscribe")
    def subscribe(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        return site.draw(request, "subscribe.html", visitor, feed=_feed_of(site, visitor), address="")

    @router.post("/calendar/subscribe")
    def new_feed(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.LOOK))]) -> Response:
        _end(site, form.visitor)
        key = site.access.new_token(form.visitor, name=NAME, scopes=["calendar"], days=None)
        address = site.address(request, f"/calendar/feed/{key}.ics")
        return site.draw(request, "subscribe.html", form.visitor, feed=_feed_of(site, form.visitor), address=address)

    @router.post("/calendar/unsubscribe")
    def end_feed(form: Annotated[Posted, Depends(site.posts(Verb.LOOK))]) -> Response:
        _end(site, form.visitor)
        return site.go("/calendar/subscribe", notice="The address opens nothing any more.")

    @router.get("/calendar/feed/{file}")
    def feed(request: Request, file: str) -> Response:
        key = file.removesuffix(".ics")
        visitor = site.access.visitor_by_token(key) if _KEY.fullmatch(key) else None
        if visitor is None or "calendar" not in (visitor.scopes or ()) or not visitor.may(Verb.LOOK):
            raise NotThere("This calendar is not there any more.", next_step="Make a new address on the calendar page.")
        return Response(_written(site, request), media_type="text/calendar; charset=utf-8")

    @router.get("/events/{file}")
    def event(file: str) -> Response:
        key = file.removesuffix(".ics")
        written = site.house.desk.calendar_file(key) if _EVENT.fullmatch(key) else None
        if written is None:
            raise NotThere("There is no such event.", next_step="Open the link as it stands in the mail.")
        return Response(written, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "no-cache"})

    return router


def _feed_of(site: Site, visitor: Visitor) -> object | None:
    alive = [row for row in site.access.tokens(visitor) if list(row.scopes) == ["calendar"] and not row.revoked_at]
    return alive[0] if alive else None


def _end(site: Site, visitor: Visitor) -> None:
    for row in site.access.tokens(visitor):
        if list(row.scopes) == ["calendar"] and row.revoked_at is None:
            site.access.revoke_token(visitor, row.id)


def _written(site: Site, request: Request) -> bytes:
    from icalendar import Calendar  # start-up time

    house = site.house
    now = house.clock.now()
    written = Calendar()
    written.add("prodid", "-//outreach//calendar//EN")
    written.add("version", "2.0")
    written.add("x-wr-calname", f"{house.settings.OUTREACH_COMMUNITY}: announcements")
    for post in house.desk.due_between(now - BACK, now + AHEAD, limit=MOST):
        written.add_component(_event(site, request, post))
    return bytes(written.to_ical())


def _event(site: Site, request: Request, post: Post) -> "Event":
    from icalendar import Event  # start-up time

    about = site.address(request, f"/announcements/{post.announcement}")
    event = Event()
    event.add("uid", f"post-{post.id}@outreach")
    event.add("dtstamp", site.house.clock.now())
    event.add("dtstart", post.planned_at)
    event.add("dtend", post.planned_at + timedelta(minutes=15))
    event.add("summary", f"{post.title} ({post.channel}, {post.state})")
    event.add("description", f"{post.name}: {post.state}. {post.wall_time} {post.time_zone}\n{about}")
    event.add("url", about)
    event.add("status", _STATUS.get(post.state, "CONFIRMED"))
    event.add("transp", "TRANSPARENT")
    return event

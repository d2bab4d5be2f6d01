"""The queue: what goes out next and what needs a person, first."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors.web.frame import Site
from outreach.lifecycle import NEEDS_A_PERSON
from outreach.roles import Verb
from outreach.store.posts import HistoryFilter
from outreach.trouble import AlarmKind

_MOST_ALARMS = 20


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    house = site.house

    @router.get("/")
    def start(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        queue, gone = house.desk.queue(), [row.post for row in house.desk.look_back(HistoryFilter()).page.rows]
        shown = {
            "waiting": [post for post in queue if post.state not in NEEDS_A_PERSON],
            "people": [post for post in queue if post.state in NEEDS_A_PERSON],
            "gone": [post for post in gone if post.id not in {q.id for q in queue}],
            "now": house.clock.now(),
            "channels": house.desk.channels(),
            "checks": house.desk.checks(),
            "alarms": [alarm for alarm in house.alarms.look() if alarm.kind is not AlarmKind.SAFE_MODE],
            "most_alarms": _MOST_ALARMS,
            "safe_mode": house.desk.safe_mode(),
        }
        return site.draw(request, "overview.html", visitor, **shown)

    @router.get("/more")
    def more(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        return site.draw(request, "more.html", visitor)

    return router

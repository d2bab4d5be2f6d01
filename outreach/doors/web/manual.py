"""The manual of the API: its specification, and a page that shows it, without anything from another host.

Its viewer keeps to the policy of every page: no inline script, no inline style.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from outreach.access import Visitor
from outreach.doors.api.asking import Bearer
from outreach.doors.api.problems import Problem, answer
from outreach.doors.web.frame import Site
from outreach.roles import Verb


def routes(site: Site, programs: Callable[[], FastAPI]) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/docs")
    def manual(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        return site.draw(request, "manual.html", visitor)

    # It stands before the API itself: unlike that, it may be read with a session of the page as well.
    @router.get("/api/v1/openapi.json")
    def specification(request: Request, bearer: Bearer) -> Response:
        by_token = site.access.visitor_by_token(bearer.credentials) if bearer else None
        if by_token is None and site.visitor(request) is None:
            step = "Log in, or send a token: Authorization: Bearer outreach_…"
            challenge = {"WWW-Authenticate": 'Bearer realm="outreach"'}
            stranger = Problem("no-token", "Only who is known may read this.", None, step, headers=challenge)
            return answer(stranger, request)
        return JSONResponse(programs().openapi())

    return router

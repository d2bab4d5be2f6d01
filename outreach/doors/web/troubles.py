"""What went wrong, as a page: a plain sentence and the next step, never a traceback, never what others may not see."""

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from outreach.doors.web.frame import LogInFirst, NotAllowed, NotThere, Site
from outreach.model import BadInput
from outreach.store import StoreTrouble, explained

_SENTENCES = {
    404: ("There is no such page.", "Go back to where you came from, or to the start."),
    405: ("This page cannot be used in this way.", "Go back and try it from the page itself."),
    413: ("This is too large.", "Make it smaller and try again."),
}


def add(app: FastAPI, site: Site) -> None:
    """Answer everything that routes raise."""

    @app.exception_handler(LogInFirst)
    def log_in_first(request: Request, wish: LogInFirst) -> Response:
        to = f"/log-in?to={quote(wish.to)}" if wish.to != "/" else "/log-in"
        if request.headers.get("HX-Request"):
            return Response(status_code=401, headers={"HX-Redirect": "/log-in"})
        return site.go(to)

    @app.exception_handler(NotAllowed)
    def not_allowed(request: Request, wish: NotAllowed) -> Response:
        step = "Ask an admin of the community if you should be able to."
        bad = BadInput(f"You may not {wish.verb}.", next_step=step)
        return _page(request, site, bad, 403)

    @app.exception_handler(BadInput)
    def bad_input(request: Request, bad: BadInput) -> Response:
        return _page(request, site, bad, 404 if isinstance(bad, NotThere) else 422)

    @app.exception_handler(StoreTrouble)
    def store_trouble(request: Request, trouble: StoreTrouble) -> Response:
        return _plain(request, site, explained(trouble), 503)

    @app.exception_handler(RequestValidationError)
    def not_readable(request: Request, trouble: RequestValidationError) -> Response:
        first = trouble.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        is_path = first["loc"][:1] == ("path",)
        if is_path:
            message, step = _SENTENCES[404]
            return _page(request, site, BadInput(message, next_step=step), 404)
        return _page(request, site, BadInput("This cannot be read.", where=where), 422)

    @app.exception_handler(HTTPException)
    def refused(request: Request, trouble: HTTPException) -> Response:
        message, step = _SENTENCES.get(trouble.status_code, ("This cannot be answered.", "Go back and try again."))
        return _page(request, site, BadInput(message, next_step=step), trouble.status_code)


def _page(request: Request, site: Site, bad: BadInput, status: int) -> Response:
    if request.headers.get("HX-Request"):
        return site.draw(request, "_trouble.html", None, bad=bad, status_code=status)
    return site.draw(request, "trouble.html", site.visitor(request), bad=bad, status_code=status)


def _plain(request: Request, site: Site, bad: BadInput, status: int) -> Response:
    """Without asking the database who is there: it is what is in trouble."""
    name = "_trouble.html" if request.headers.get("HX-Request") else "trouble.html"
    return site.draw(request, name, None, bad=bad, status_code=status)

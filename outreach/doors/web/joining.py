"""Asking to join or to leave a list: the one page here that strangers use, and the link by which they confirm it.

Whoever asks gets the same answer, whether they are on the list or not; what a program fills in by itself is thrown away.
"""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from outreach.access import TooManyTries
from outreach.desk.requesting import Wanted, read_address
from outreach.doors.web.entry import address_of, draw_for_nobody, form_of_nobody
from outreach.doors.web.frame import Form, NotThere, Site
from outreach.doors.web.wire import read_form
from outreach.joining import CameBy, RequestKind
from outreach.model import BadInput

_PAGE = "join.html"
_TRAP = "website"  # nobody sees this field; programs that fill in forms do
_MOST_WORDS = 500


def routes(site: Site) -> APIRouter:
    """Make the routes, which answer without a session."""
    router = APIRouter()
    _add_form(router, site)
    _add_link(router, site)
    return router


def _add_form(router: APIRouter, site: Site) -> None:
    @router.get("/join")
    def join_page(request: Request, leave: str = "") -> Response:
        _check_that_it_is_open(site)
        return _draw(site, request, kind=RequestKind.LEAVE if leave else RequestKind.JOIN)

    @router.post("/join")
    def join(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        _check_that_it_is_open(site)
        form = form_of_nobody(site, request, fields)
        kind = RequestKind.LEAVE if form.text("kind") == RequestKind.LEAVE else RequestKind.JOIN
        typed = {name: form.text(name).strip()[:_MOST_WORDS] for name in ("address", "name", "words")}
        shown = {"kind": kind, "channel": form.text("channel"), **typed}
        try:
            if not form.text(_TRAP):
                _ask(site, request, form, kind, typed)
        except TooManyTries:
            step = "Try again in a quarter of an hour, or write to the coordinators."
            bad = BadInput("There were many requests just now.", next_step=step)
            return _draw(site, request, bad=bad, status_code=429, **shown)
        except BadInput as bad:
            return _draw(site, request, bad=bad, status_code=422, **shown)
        return _draw(site, request, is_done=True, **shown)


def _ask(site: Site, request: Request, form: Form, kind: RequestKind, typed: dict[str, str]) -> None:
    address = read_address(typed["address"])
    site.access.note_wish(address, address=address_of(site, request))
    names = list(site.house.membership.lists)
    channel = form.text("channel") if form.text("channel") in names else names[0]
    site.house.membership.ask(Wanted(kind, channel, address, typed["name"], typed["words"], CameBy.FORM))


def _add_link(router: APIRouter, site: Site) -> None:
    @router.get("/joining/{key}")
    def look(request: Request, key: str) -> Response:
        return _draw_link(site, request, key)

    @router.post("/joining/{key}")
    def confirm(request: Request, key: str, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form_of_nobody(site, request, fields)
        with suppress(BadInput):  # the page says so
            site.house.membership.confirm(key)
        return _draw_link(site, request, key)


def _draw_link(site: Site, request: Request, key: str) -> Response:
    """A mail scanner opens links, too: only the button on the page confirms."""
    try:
        found = site.house.membership.look_at(key)
    except BadInput as over:
        return draw_for_nobody(site, request, "link-over.html", bad=over, status_code=410)
    facts = site.house.membership.facts(found.channel)
    return draw_for_nobody(site, request, "joining.html", asked=found, key=key, list_address=facts.address)


def _draw(site: Site, request: Request, **shown: object) -> Response:
    lists = {name: site.house.membership.facts(name).address for name in site.house.membership.lists}
    return draw_for_nobody(site, request, _PAGE, lists=lists, most_words=_MOST_WORDS, **shown)


def _check_that_it_is_open(site: Site) -> None:
    if site.house.settings.LISTSERV_JOINING not in ("form", "both") or not site.house.membership.lists:
        raise NotThere("Nobody can ask to join here.", next_step="Write to the coordinators of the list.")

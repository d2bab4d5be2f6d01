"""A forgotten password: whoever asks gets the same answer in the same time, whether there is such a person or not."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTask
from starlette.datastructures import FormData

from outreach.doors import mailing
from outreach.doors.web.entry import address_of, draw_for_nobody, form_of_nobody, status_of
from outreach.doors.web.frame import Site
from outreach.doors.web.wire import read_form
from outreach.model import BadInput
from outreach.store import StoreTrouble

log = logging.getLogger(__name__)
_PAGE = "forgotten.html"


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/log-in/forgotten")
    def forgotten_page(request: Request) -> Response:
        return draw_for_nobody(site, request, _PAGE, can_mail=mailing.can_mail(site.house))

    @router.post("/log-in/forgotten")
    def forgotten(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Response:
        form = form_of_nobody(site, request, fields)
        shown = {"can_mail": mailing.can_mail(site.house), "email": form.text("email").strip()}
        if not shown["can_mail"]:
            return draw_for_nobody(site, request, _PAGE, **shown)
        try:
            email = site.access.note_reset_wish(form.text("email"), address=address_of(site, request))
        except BadInput as bad:
            return draw_for_nobody(site, request, _PAGE, bad=bad, status_code=status_of(bad), **shown)
        response = draw_for_nobody(site, request, _PAGE, is_done=True, **shown)
        # Whether there is such a person shows only after the answer is out.
        response.background = BackgroundTask(_mail, site, email, _base(site, request))
        return response

    return router


def _mail(site: Site, email: str, base: str) -> None:
    try:
        key = site.access.reset_link(email, by=None)
    except StoreTrouble:
        log.warning("a reset link could not be made: the database cannot be used")
        return
    if key is None:
        return
    trouble = mailing.mail_reset(site.house, email, f"{base}/links/{key}")
    if trouble:
        log.warning("a mail with a reset link was not taken: %s", trouble)


def _base(site: Site, request: Request) -> str:
    """Give the address that goes into the mail: never one that the visitor could name, who is a stranger."""
    settings = site.house.settings
    if "OUTREACH_BASE_URL" in settings.model_fields_set:
        return settings.OUTREACH_BASE_URL
    host, port = request.scope["server"]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"

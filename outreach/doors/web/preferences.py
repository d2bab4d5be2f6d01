"""Settings: what the community wishes, whether it asks for approval, and everything that the install was told from outside."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach import __version__
from outreach.access import Visitor
from outreach.doors.web import given
from outreach.doors.web.frame import Posted, Site
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store import backup
from outreach.wishes import read_wishes

_WISHES = ("quiet_from", "quiet_to", "country", "apart_min")
_GROUPS = (
    ("The service", "OUTREACH_"),
    ("The Page", "FACEBOOK_"),
    ("The listserv", "LISTSERV_"),
    ("Mailman", "MAILMAN_"),
    ("Sending mail", "SMTP_"),
    ("Signing mail", "DKIM_"),
    ("Reading mail", "IMAP_"),
    ("Reading mail of a second member", "WATCHER_"),
)


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    desk = site.house.desk

    @router.get("/settings")
    def settings(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.SET_UP))]) -> Response:
        return _page(request, site, visitor)

    @router.post("/settings/wishes")
    def wishes(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.SET_UP))]) -> Response:
        typed = {name: form.text(name)[:80] for name in _WISHES}
        try:
            desk.set_wishes(read_wishes(typed), person=form.visitor.email)
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, wishes=typed, status_code=422)
        return site.go("/settings", notice="Kept. Who writes is warned by it from now on.")

    @router.post("/settings/approval")
    def approval(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.SET_UP))]) -> Response:
        wanted = form.text("approval")
        try:
            if wanted not in ("required", "off"):
                raise BadInput("Neither was chosen.", where="approval", next_step="Choose one of the two.")
            if site.house.settings.OUTREACH_APPROVAL:
                raise BadInput(
                    "That is said by OUTREACH_APPROVAL, so it cannot be changed here.",
                    where="approval",
                    next_step="Take OUTREACH_APPROVAL out of the settings and start outreach again.",
                )
        except BadInput as bad:
            return _page(request, site, form.visitor, bad=bad, status_code=422)
        desk.ask_for_approval(wanted == "required", person=form.visitor.email)
        said = (
            "From now on nothing goes out unapproved." if wanted == "required" else "Posts go out without an approval."
        )
        return site.go("/settings", notice=said)

    return router


def _page(request: Request, site: Site, visitor: Visitor, **shown: Any) -> Response:
    house = site.house
    with house.store.read() as tx:
        known = backup.known(tx)
    shown.setdefault("wishes", house.desk.wishes().laid_out())
    more = {
        "asks": house.desk.asks_for_approval(),
        "is_given": bool(house.settings.OUTREACH_APPROVAL),
        "groups": [(name, given.lines(house.settings, house.secrets_since, (prefix,))) for name, prefix in _GROUPS],
        "backup": known,
        "kept": house.settings.OUTREACH_BACKUPS_KEPT,
        "database": "SQLite, a file in the queue folder" if house.store.is_sqlite else "PostgreSQL",
        "version": __version__,
    }
    return site.draw(request, "settings.html", visitor, **more, **shown)

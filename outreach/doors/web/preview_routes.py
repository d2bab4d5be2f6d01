"""The routes of the previews: what is stored of an announcement, and what was just shown of one that is not."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.channels import links as linked
from outreach.desk import Preview
from outreach.doors.web import lookalike
from outreach.doors.web.frame import NotThere, Number, Site
from outreach.doors.web.lookalike import Links
from outreach.doors.web.shelf import Looked
from outreach.model import BadInput
from outreach.roles import Verb

CAGE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
"""The policy of what a mail holds: it is shown, and can do nothing."""

_IN_A_CAGE = {
    "Content-Security-Policy": CAGE,
    "Cross-Origin-Opener-Policy": "unsafe-none",  # a browser refuses to open what is in a sandbox with any other
}

Stored = Callable[[Site, int], dict[str, Any]]


def routes(site: Site, of_stored: Stored) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_stored(router, site, of_stored)
    _add_just_shown(router, site)
    _add_links(router, site)
    return router


def _add_stored(router: APIRouter, site: Site, of_stored: Stored) -> None:
    desk = site.house.desk
    may_look = Depends(site.may(Verb.LOOK))

    @router.get("/announcements/{number}/preview")
    def preview(request: Request, number: Number, visitor: Annotated[Visitor, may_look]) -> Response:
        try:
            found = of_stored(site, number)
            about, _ = desk.show(str(number))
        except BadInput as bad:
            raise NotThere(bad.message, next_step="Look for it in the queue or in the history.") from None
        return site.draw(request, "preview.html", visitor, about=about, check_now=True, **found)

    @router.get("/announcements/{number}/{channel}/raw", dependencies=[may_look])
    def raw(number: Number, channel: str, occurrence: int = 1) -> Response:
        return _raw(_stored(site, number, channel, occurrence), f"{number}-{channel}")

    @router.get("/announcements/{number}/{channel}/html", dependencies=[may_look])
    def html(number: Number, channel: str, occurrence: int = 1) -> Response:
        return _html(_stored(site, number, channel, occurrence))


def _add_just_shown(router: APIRouter, site: Site) -> None:
    may_look = Depends(site.may(Verb.LOOK))

    @router.get("/previews/{key}/raw", dependencies=[may_look])
    def raw_of_preview(key: str) -> Response:
        preview = _just_shown(site, key)
        return _raw(preview, f"preview-{preview.channel}")

    @router.get("/previews/{key}/html", dependencies=[may_look])
    def html_of_preview(key: str) -> Response:
        return _html(_just_shown(site, key))


def _add_links(router: APIRouter, site: Site) -> None:
    may_look = Depends(site.may(Verb.LOOK))

    @router.get("/previews/{key}/links")
    def links(request: Request, key: str, visitor: Annotated[Visitor, may_look]) -> Response:
        """Ask the links, because a person wishes it: the key is on no other site's page, so none can ask in their name."""
        preview = _just_shown(site, key)
        found = site.shelf.look(preview.content, now_s=site.house.clock.elapsed_s())
        is_swap = bool(request.headers.get("HX-Request"))
        name = "_preview_links.html" if is_swap else "preview-links.html"
        shown = {"look": _look_of(preview, key, found), "is_busy": found is None, "is_swap": is_swap}
        return site.draw(request, name, visitor, **shown)

    @router.get("/previews/{key}/card.jpg", dependencies=[may_look])
    def card_picture(key: str) -> Response:
        preview = _just_shown(site, key)
        found = site.shelf.looked(preview.content, now_s=site.house.clock.elapsed_s())
        if found is None or found.card is None or found.card.picture is None:
            raise NotThere("There is no such picture.", next_step="Check the links again.")
        return Response(found.card.picture, media_type="image/jpeg", headers={"Content-Security-Policy": CAGE})


def _look_of(preview: Preview, key: str, found: Looked | None) -> lookalike.Look:
    count = len(linked.links_of(preview.content))
    picture = f"/previews/{key}/card.jpg" if found and found.card and found.card.picture else ""
    known = Links(count, True, found.problems, found.card, picture) if found else Links(count)
    return lookalike.Look(
        preview.channel,
        preview.content.kind,
        "UTC",
        content=preview.content,
        mail=lookalike.mail_of(preview.content),
        links_at=f"/previews/{key}/links",
        links=known,
    )


def _stored(site: Site, number: int, channel: str, occurrence: int) -> Preview:
    name = f"{number}/{channel}" if occurrence == 1 else f"{number}/{channel}/{occurrence}"
    try:
        return site.house.desk.preview(name)[0]
    except BadInput as bad:
        raise NotThere(bad.message, next_step="Look for it in the queue or in the history.") from None


def _just_shown(site: Site, key: str) -> Preview:
    preview = site.shelf.get(key, now_s=site.house.clock.elapsed_s())
    if preview is None:
        raise NotThere("This preview is over.", next_step="Go back and look at the announcement again.")
    return preview


def _raw(preview: Preview, name: str) -> Response:
    """As plain text that no browser takes for anything else."""
    file = quote(f"{name}.txt", safe="")
    headers = _IN_A_CAGE | {"Content-Disposition": f"inline; filename*=UTF-8''{file}"}
    body = lookalike.raw_of(preview).encode("utf-8", "replace")
    return Response(body, media_type="text/plain; charset=utf-8", headers=headers)


def _html(preview: Preview) -> Response:
    mail = lookalike.mail_of(preview.content)
    if mail is None or not mail.html:
        raise NotThere("This has no HTML part.", next_step="Look at its text.")
    return Response(mail.html.encode("utf-8", "replace"), media_type="text/html; charset=utf-8", headers=_IN_A_CAGE)

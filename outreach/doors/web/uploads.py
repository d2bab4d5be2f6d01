"""Pictures from browsers, and back to them: taken in without what they tell of their place, shown to who is logged in."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from outreach import footage
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.doors.web.letter_form import TypedPicture
from outreach.doors.web.sheet import NEW, Sheet
from outreach.model import BadInput
from outreach.roles import Verb

_NAME = re.compile(r"[0-9a-f]{64}\.(?P<kind>jpg|png|gif|bmp|tiff|mp4|mov)", re.ASCII)
_MIME = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp", "tiff": "image/tiff"}
_MIME |= {"mp4": "video/mp4", "mov": "video/quicktime"}
_CAPTIONS = re.compile(r"[0-9a-f]{64}\.srt", re.ASCII)


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router, sheet = APIRouter(), Sheet(site)

    @router.post("/write/pictures")
    def take(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        taken, troubles = [], []
        for name, data in form.files("upload"):
            try:
                taken.append(TypedPicture(site.house.desk.take_picture(data, name=name[:80])))
            except BadInput as bad:
                troubles.append(bad)
        status = 422 if troubles and not taken else 200
        writer = sheet.writer(request, form, form.text("number") or NEW)
        about = {"pictures": taken, "troubles": troubles, "writer": writer, "status_code": status}
        return site.draw(request, "_write_pictures.html", form.visitor, **about)

    @router.get("/media/{name}", dependencies=[Depends(site.may(Verb.READ))])
    def picture(name: str) -> Response:
        found = _NAME.fullmatch(name)
        file = site.house.media / name
        if found is None or not file.is_file():
            raise NotThere("There is no such picture.")
        headers = {
            "Content-Disposition": f'inline; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return FileResponse(file, media_type=_MIME[found["kind"]], headers=headers)

    @router.get("/media/{name}/track", dependencies=[Depends(site.may(Verb.READ))])
    def captions(name: str) -> Response:
        file = site.house.media / name
        if _CAPTIONS.fullmatch(name) is None or not file.is_file():
            raise NotThere("There are no such captions.")
        return Response(footage.as_web_captions(footage.read_captions(file)), media_type="text/vtt")

    return router

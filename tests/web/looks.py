"""A page for tests that shows the previews of any letter, as the form beside which they stand will."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.frame import Site
from outreach.doors.web.lookalike import Look
from outreach.doors.web.previews import looked
from outreach.letter import parse
from outreach.model import Letter


class Bench:
    """The app of a house, and two more addresses: `/try` shows the previews of `letter`, `/media/…` gives pictures."""

    def __init__(self, house: House) -> None:
        self.letter = Letter()
        self.of: int | None = None
        self.app: FastAPI = create(house)
        self.site: Site = self.app.state.site
        self.app.get("/try")(self._try)
        if not any(getattr(route, "path", "").startswith("/media/") for route in self.app.routes):
            self.app.get("/media/{name}")(self._media)

    def _try(self, request: Request) -> Response:
        about = {"title": "A letter", "id": 0, "revision": 1}
        visitor = self.site.visitor(request)
        name = "_previews.html" if request.headers.get("HX-Request") else "preview.html"
        return self.site.draw(request, name, visitor, about=about, **looked(self.site, self.letter, of=self.of))

    def _media(self, name: str) -> Response:
        return FileResponse(self.site.house.media / Path(name).name)

    def previews(self, letter: Letter | str, *, of: int | None = None) -> dict[str, Any]:
        """Give what the previews of a letter show."""
        found: dict[str, Any] = looked(self.site, parse(letter) if isinstance(letter, str) else letter, of=of)
        return dict(found["previews"])

    def looks(self, letter: Letter | str, *, of: int | None = None) -> dict[str, Look]:
        """Give the preview of each channel."""
        return {look.name: look for look in self.previews(letter, of=of)["looks"]}

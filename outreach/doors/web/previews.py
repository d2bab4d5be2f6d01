"""Stands in for the previews until they are there."""

from typing import Any

from outreach.desk import NOWHERE
from outreach.doors.web.frame import Site
from outreach.model import BadInput, Letter


def looked(site: Site, letter: Letter, *, of: int | None = None) -> dict[str, Any]:  # noqa: ARG001 - a stand-in
    """Give what `_previews.html` shows."""
    try:
        return {"previews": site.house.desk.preview_letter(letter, folder=NOWHERE)}
    except BadInput as bad:
        return {"previews": [], "trouble": bad}

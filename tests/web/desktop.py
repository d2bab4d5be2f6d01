"""A served install on its sandbox, with a still clock and two people at it; and the form of a page, as a browser sends it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.settings import read_settings
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

TEMPLATES = Path(__file__).parents[2] / "queue" / "templates"

Fields = dict[str, Any]


@dataclass
class Desktop:
    """A served install, its clock, and two people who are logged in to it."""

    house: House
    clock: StillClock
    address: str
    ann: Guest
    ben: Guest


# Nothing is sent from the page itself: nobody has to be there to take it.
SETTINGS = {
    "FACEBOOK_GRAPH_URL": "http://127.0.0.1:9",
    "FACEBOOK_PAGE_ID": "1001",
    "FACEBOOK_PAGE_TOKEN": "a-token-of-a-page",
    "LISTSERV_ADDRESS": "tmm@lists.example.org",
    "LISTSERV_SENDER": "TMM SIG <chairs@example.org>",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_PORT": "9",
    "SMTP_SECURITY": "none",
    "OUTREACH_WEEKLY_MAIL": "Friday 09:00",
}


@contextmanager
def a_desktop(folder: Path, database: Path, **settings: str) -> Iterator[Desktop]:
    """Serve an install with both channels and the shipped templates."""
    clock, place = StillClock(), Place(folder, None, database=database)
    shutil.copytree(TEMPLATES, place.queue / "templates")
    house = House(read_settings(place.settings | SETTINGS | settings), clock)
    with served(create(house)) as address:
        yield Desktop(house, clock, address, member(house, address), member(house, address, "ben@example.org"))
    house.close()


class _Forms(HTMLParser):
    """Collects what each form of a page would send, without the value of any button."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Fields] = {}
        self._form: Fields = {}
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self._form = self.forms.setdefault(given.get("id") or given.get("action") or "", {})
        elif tag == "textarea":
            self._area = name
            self._form.setdefault(name, []).append("")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._form[self._select] = [value]
        elif tag == "input" and name and _is_sent(given):
            self._form.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            kept = self._form[self._area]
            kept[-1] += data.removeprefix("\n") if not kept[-1] else data


def _is_sent(given: dict[str, str | None]) -> bool:
    if given.get("type") == "file" or "disabled" in given or given.get("name") == "form_token":
        return False  # the token is the visitor's own, and so `Guest` sends it
    return given.get("type") not in ("checkbox", "radio") or "checked" in given


def form_in(page: str, name: str = "sheet") -> Fields:
    """Give what the form of this id, or this action, would send."""
    forms = _Forms()
    forms.feed(page)
    return forms.forms[name]

"""A person at Facebook's dialog, without a browser: ticks boxes, presses a button, and goes where it leads."""

from collections.abc import Iterable
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests

from outreach.bootstrap import House
from outreach.desk.connecting import Who
from outreach.sandbox import Sandbox
from tests.doors.place import Place

KEY = "a key of this install that is long enough"
ANN = Who("ann@example.org", "the session of ann")


def appointed(place: Place, box: Sandbox, **more: str) -> Place:
    """Give an install that has an app and a key, and no Page by its settings."""
    place.settings |= {
        "FACEBOOK_PAGE_ID": "",
        "FACEBOOK_PAGE_TOKEN": "",
        "FACEBOOK_APP_ID": box.app_id,
        "FACEBOOK_APP_SECRET": box.app_secret,
        "OUTREACH_SECRET_KEY": KEY,
        "OUTREACH_BASE_URL": "http://127.0.0.1:8000",
    }
    place.settings |= more
    box.graph.rules.redirect_uris = {place.settings["OUTREACH_BASE_URL"] + "/connect/answer"}
    return place


def led_back(dialog: str, *, pages: Iterable[str], without: Iterable[str] = (), do: str = "continue") -> str:
    """Tick the Pages and every permission but some, press a button; give the address that this leads to."""
    asked = dict(parse_qsl(urlsplit(dialog).query))
    scopes = [scope for scope in asked["scope"].split(",") if scope not in without]
    form = [("page", page) for page in pages] + [("scope", scope) for scope in scopes] + [("do", do)]
    answer = requests.post(dialog, data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def told(address: str) -> dict[str, str]:
    """What the address says that Facebook leads back to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def logged_in(house: House, who: Who = ANN, *, pages: Iterable[str], without: Iterable[str] = ()) -> int:
    """Go through the dialog; give the number under which a Page is chosen."""
    said = told(led_back(house.connecting.begin(who), pages=pages, without=without))
    return house.connecting.answer(who, state=said["state"], code=said["code"])

"""Visitors of the page: a browser without a screen that keeps cookies, sends forms and follows where they lead."""

import re
import secrets
from datetime import timedelta
from html import unescape
from typing import Any

import requests

from outreach.bootstrap import House
from outreach.roles import Role
from outreach.store import doorkeys, people
from outreach.store.doorkeys import SessionRow
from outreach.vault import fingerprint
from tests.tokens_left import without_tokens

EVERYTHING = frozenset(Role)


class Guest:
    """Somebody at the page, logged in or not. `post` sends the form token of the page seen last."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.web = requests.Session()
        self.seen = ""

    def get(self, path: str = "/", **more: Any) -> requests.Response:
        """Open a page."""
        answer = self.web.get(self.address + path, timeout=30, **more)
        self.seen = without_tokens(answer.text)
        return answer

    def post(self, path: str, *, files: Any = None, follow: Any = True, **fields: Any) -> requests.Response:
        """Send a form, as a browser does from a page of the same site."""
        fields.setdefault("form_token", self.form_token())
        headers = {"Origin": self.address, "Sec-Fetch-Site": "same-origin"}
        answer = self.web.post(
            self.address + path, data=fields, files=files, headers=headers, timeout=30, allow_redirects=follow
        )
        self.seen = without_tokens(answer.text)
        return answer

    def form_token(self) -> str:
        """Give the token of the page seen last, or open one that has one."""
        found = re.search(r'name="form_token" value="([^"]*)"', self.seen)
        if found is None:
            self.get("/more")
            found = re.search(r'name="form_token" value="([^"]*)"', self.seen)
        return unescape(found[1]) if found else ""


def member(house: House, address: str, email: str = "ann@example.org", *, roles: frozenset[Role] = EVERYTHING) -> Guest:
    """Somebody who is logged in; without the tenth of a second that a password takes."""
    guest, key, now = Guest(address), secrets.token_urlsafe(32), house.clock.now()
    with house.store.write() as tx:
        person = people.welcome(tx, house.community.id, email, roles, now=now)
        row = SessionRow(fingerprint(key), person.id, now, now, now + timedelta(days=1), "a test", True)
        doorkeys.begin_session(tx, row)
    guest.web.cookies.set("outreach", key)
    return guest

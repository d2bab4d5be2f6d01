"""Every route of the app, walked: what a stranger gets, what each role gets, what every page says to the browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from fastapi.routing import APIRoute

from outreach.doors.web import create
from outreach.roles import MAY, Role, Verb
from outreach.store.schema import metadata
from tests.access.conftest import PASSWORD, Build, Town
from tests.web.visitors import Guest, member

OPEN = {
    "/log-in",
    "/log-in/code",
    "/log-in/forgotten",
    "/links/{key}",
    "/join",
    "/joining/{key}",
    "/events/{file}",
    "/healthz",
    "/hooks/facebook",
}
BY_TOKEN = ("/calendar/feed/", "/api/", "/metrics", "/docs", "/openapi", "/feeds")
"""What a program opens; their own tests say how."""


@dataclass(frozen=True)
class Way:
    """A method at an address, and the one verb that it names."""

    method: str
    path: str
    verb: Verb | None

    @property
    def address(self) -> str:
        return re.sub(r"\{[^}]*\}", "1", self.path)


def ways(app: Any) -> Iterator[Way]:
    """Give every route of an app, those of the parts it was put together from included."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Way(method, route.path, _verb(route.dependant))
        elif hasattr(route, "original_router"):
            yield from ways(route.original_router)


def _verb(dependant: Any) -> Verb | None:
    named = (getattr(inner.call, "verb", None) or _verb(inner) for inner in dependant.dependencies)
    return next((verb for verb in named if verb is not None), None)


def all_ways(town: Town) -> list[Way]:
    found = list(ways(create(town.house)))
    assert len(found) > 25  # the walk goes everywhere
    return found


def pages(town: Town) -> list[Way]:
    """What is opened by a session."""
    return [way for way in all_ways(town) if way.path not in OPEN and not way.path.startswith(BY_TOKEN)]


def asked(town: Town, way: Way, guest: Guest, **form: str) -> requests.Response:
    headers = {"Origin": town.address, "Sec-Fetch-Site": "same-origin"}
    return guest.web.request(
        way.method, town.address + way.address, data=form or None, headers=headers, timeout=30, allow_redirects=False
    )


def test_every_page_names_its_verb(town: Town) -> None:
    without = {way.path for way in pages(town) if way.verb is None}
    assert without == set()


def test_a_stranger_is_led_to_the_log_in_from_everywhere(town: Town) -> None:
    for way in pages(town):
        answer = asked(town, way, town.guest())
        told = (way, answer.status_code, answer.headers.get("location", "").partition("?")[0], answer.text)
        assert told == (way, 303, "/log-in", "")


def test_what_programs_open_tells_a_stranger_nothing(town: Town) -> None:
    answers = {way.path: asked(town, way, town.guest()) for way in all_ways(town) if way.path.startswith("/metrics")}
    assert {path: answer.status_code for path, answer in answers.items()} == {"/metrics": 401}
    assert "outreach_" not in answers["/metrics"].text.replace("outreach_…", "")


def test_a_stranger_learns_from_the_health_only_whether_it_is_good(town: Town) -> None:
    assert set(town.guest().get("/healthz").json()) == {"ok"}


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/static/..%2f..%2fframe.py", "/static/%2e%2e/frame.py"]
)
def test_nothing_lies_about(town: Town, path: str) -> None:
    answer = requests.get(town.address + path, timeout=30)
    assert "def routes" not in answer.text
    assert path.startswith("/docs") or answer.status_code in (401, 404)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_refused_what_it_may_not_do(town: Town, role: Role) -> None:
    guest = member(town.house, town.address, roles=frozenset({role}))
    token = guest.form_token()
    forbidden = [way for way in pages(town) if way.verb and role not in MAY[way.verb]]
    answers = {way: asked(town, way, guest, form_token=token).status_code for way in forbidden}
    assert answers == dict.fromkeys(forbidden, 403)


def test_a_reviewer_sees_neither_queue_nor_people(town: Town) -> None:
    guest = member(town.house, town.address, roles=frozenset({Role.REVIEWER}))
    forbidden = {way.path for way in pages(town) if way.verb not in (Verb.READ, Verb.AUDIT)}
    assert {"/people", "/people/{number}", "/people/invitations"} <= forbidden
    assert "/people" not in guest.get("/more").text


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775807", "9223372036854775808", "9" * 30, "1e3", "%D9%A3"])
def test_no_number_in_an_address_brings_a_page_down(town: Town, number: str) -> None:
    guest = member(town.house, town.address)
    paths = [way for way in pages(town) if "{number}" in way.path]
    assert len(paths) > 30
    for way in paths:
        path = re.sub(r"\{[^}]*\}", "call-for-abstracts", way.path.replace("{number}", number))
        answer = guest.get(path) if way.method == "GET" else guest.post(path, follow=False)
        assert answer.status_code < 500, (way, number)


def test_every_form_needs_the_token_of_its_page(town: Town) -> None:
    guest = member(town.house, town.address)
    posts = [way for way in pages(town) if way.method != "GET"]
    answers = {way: asked(town, way, guest, form_token="forged") for way in posts}
    assert {way for way, answer in answers.items() if answer.status_code != 422} == set()
    assert {way for way, answer in answers.items() if "The form is too old." not in answer.text} == set()


def test_every_page_forbids_scripts_and_styles_that_are_not_files_of_ours(town: Town) -> None:
    guest = member(town.house, town.address)
    seen = [("/log-in", town.guest()), ("/links/1", town.guest()), ("/log-in/forgotten", town.guest())]
    seen += [(way.address, guest) for way in pages(town) if way.method == "GET"] + [("/nowhere", guest)]
    for path, visitor in seen:
        answer = visitor.web.get(town.address + path, timeout=30)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe-eval" not in policy, path
        assert "unsafe-inline" not in policy or ("sandbox" in policy and "script-src" not in policy), path
        if "text/html" in answer.headers["content-type"] and "sandbox" not in policy:
            assert re.findall(r"<script(?![^>]*\ssrc=)|<style|<[^>]*\sstyle=|<[^>]*\son\w+=", answer.text) == [], path


def test_no_page_holds_a_hash_a_key_or_a_secret(build_town: Build) -> None:
    town = build_town(OUTREACH_SECRET_KEY="the secret of the install", IMAP_HOST="127.0.0.1", IMAP_SECURITY="none",
                      IMAP_USERNAME="ann", IMAP_PASSWORD="the mailbox password")  # fmt: skip
    town.resident()
    guest = town.inside()
    access = town.house.access
    visitor = access.visitor(guest.web.cookies["outreach"])
    assert visitor is not None
    token = access.new_token(visitor, name="a script", scopes=["read"])
    link = access.invite("ben@example.org", [Role.REVIEWER], by=visitor)
    secrets = [PASSWORD, "$argon2", token, link, guest.web.cookies["outreach"], *_kept_hashes(town)]
    secrets += ["the secret of the install", "the mailbox password", town.box.page_token, town.box.app_secret]

    for way in pages(town):
        if way.method == "GET":
            answer = guest.web.get(town.address + way.address, timeout=30)
            assert [secret for secret in secrets if secret in answer.text] == [], way


def _kept_hashes(town: Town) -> list[str]:
    with town.house.store.read() as tx:
        tables = [metadata.tables[name] for name in ("sessions", "links", "tokens")]
        return [row.sha256 for table in tables for row in tx.execute(table.select())]


def test_a_token_is_kept_as_a_hash_alone(town: Town) -> None:
    town.resident()
    access = town.house.access
    visitor = access.visitor(access.log_in("ann@example.org", PASSWORD, address=""))
    assert visitor is not None
    token = access.new_token(visitor, name="a script", scopes=["read"])
    with town.house.store.read() as tx:
        everything = [repr(row) for table in metadata.sorted_tables for row in tx.execute(table.select())]
    assert [row for row in everything if token in row or token.removeprefix("outreach_") in row] == []


def test_a_token_without_the_scope_to_read_sees_no_figures(town: Town) -> None:
    guest = member(town.house, town.address)
    visitor = town.house.access.visitor(guest.web.cookies["outreach"])
    assert visitor is not None
    statuses = []
    for scope in ("calendar", "read"):
        token = town.house.access.new_token(visitor, name="a script", scopes=[scope])
        headers = {"Authorization": f"Bearer {token}"}
        statuses.append(requests.get(f"{town.address}/metrics", headers=headers, timeout=30).status_code)
    assert statuses == [401, 200]

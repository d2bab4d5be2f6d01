"""Token, app secret and proof: seen by Facebook in the header and the form, and by nobody else anywhere."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from outreach.channels.facebook_page import FacebookPage
from outreach.model import Content
from outreach.sandbox import Sandbox

from .builders import NOON, SECRET, TOKEN, a_page, a_picture, a_wording, an_attempt, the_page
from .servers import RawServer, answering, http

PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
OTHER = "EAAG" + "anotherTokenOfAnotherPage" * 3
SECRETS = (TOKEN, SECRET, PROOF, OTHER)


def leaks(*things: object) -> list[str]:
    text = "\n".join(repr(thing) + str(thing) for thing in things)
    forms = [form for secret in SECRETS for form in (secret, quote(secret), base64.b64encode(secret.encode()).decode())]
    return [form for form in forms if form in text]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="urllib3"):
        yield caplog


def everything(page: FacebookPage, media: Path) -> list[object]:
    """Use a Page in every way there is, and give all that came of it."""
    content = Content("facebook_page", "Poster session")
    attempt = an_attempt(content)
    illustrated = an_attempt(Content("facebook_page", "x", None, (a_picture(media),)))
    return [
        page.publish(attempt),
        page.publish(illustrated),
        page.find(attempt),
        page.link_to("1_2"),
        page.check(),
        page.describe(illustrated.content, at=NOON),
        page,
        page.__dict__,
    ]


ECHOES = {
    "error": http(
        json.dumps(
            {
                "error": {
                    "code": 190,
                    "message": f"Error validating {TOKEN} access_token={OTHER}&appsecret_proof={PROOF} of {SECRET} {OTHER}",
                    "error_user_msg": "",
                    "fbtrace_id": f"A{TOKEN}",
                }
            }
        ).encode(),
        status="400 Bad Request",
        headers=f"x-fb-trace-id: {TOKEN}\r\nfacebook-api-version: {TOKEN}\r\n",
    ),
    "user message": http(
        json.dumps({"error": {"code": 100, "error_user_msg": f"{TOKEN} {PROOF} {SECRET} {OTHER}"}}).encode(),
        status="400 Bad Request",
    ),
    "trace in a header": http(b"{}", status="400 Bad Request", headers=f"x-fb-trace-id: {TOKEN}{PROOF}\r\n"),
    "good": http(
        json.dumps(
            {
                "id": "1234567890",
                "permalink_url": f"https://facebook.com/?access_token={OTHER}&t={TOKEN}",
                "data": [
                    {
                        "id": "1_2",
                        "message": "Poster session",
                        "created_time": "2026-11-24T12:00:00+0000",
                        "permalink_url": f"https://facebook.com/?access_token={OTHER}&t={TOKEN}",
                    }
                ],
                "paging": {"next": f"https://graph.facebook.com/?access_token={TOKEN}", "cursors": {"after": "x"}},
            }
        ).encode(),
        headers=f"facebook-api-version: {TOKEN}\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n",
    ),
    "html": http(f"<html>{TOKEN}</html>".encode(), status="502 Bad Gateway"),
    "redirect": http(b"", status="302 Found", headers=f"Location: /?access_token={TOKEN}\r\n"),
    "nothing": b"",
}


@pytest.mark.parametrize("raw", ECHOES.values(), ids=ECHOES.keys())
def test_what_facebook_echoes_goes_nowhere(tmp_path: Path, logged: pytest.LogCaptureFixture, raw: bytes) -> None:
    with RawServer(answering(raw)) as server:
        page = a_page(server.url, tmp_path)
        assert leaks(*everything(page, tmp_path), logged.text, *(r.__dict__ for r in logged.records)) == []


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}”"])
def test_a_token_that_cannot_be_sent_goes_nowhere(tmp_path: Path, logged: pytest.LogCaptureFixture, token: str) -> None:
    page = a_page("http://127.0.0.1:1", tmp_path, FACEBOOK_PAGE_TOKEN=f"x{token}x")
    assert leaks(*everything(page, tmp_path), logged.text) == []


def test_the_token_is_in_the_header_and_nowhere_else(box: Sandbox, tmp_path: Path) -> None:
    with RawServer(answering(http(b'{"id":"1_2"}'))) as server:
        everything(a_page(server.url, tmp_path), tmp_path)
        for visit in server.visits:
            assert visit.received.count(TOKEN.encode()) == 1
            assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in visit.received
            assert SECRET.encode() not in visit.received
            assert b"access_token" not in visit.received


def test_paging_goes_on_without_the_address_that_holds_the_token(
    box: Sandbox, logged: pytest.LogCaptureFixture
) -> None:
    page = the_page(box)
    contents = [page.render(a_wording(title=f"Post {number}")) for number in range(60)]
    for content in contents:
        page.publish(an_attempt(content))
    page.find(an_attempt(Content("facebook_page", "not there"), first_started_at=NOON.replace(year=2020)))
    lists = [entry for entry in box.graph.journal if entry.op == "published_posts"]
    assert [bool(entry.params.get("after")) for entry in lists] == [False, True, True]
    assert all(set(entry.params) <= {"fields", "limit", "after"} for entry in lists)
    assert box.page_token not in logged.text
    assert box.app_secret not in logged.text
    assert "appsecret_proof=…" in logged.text

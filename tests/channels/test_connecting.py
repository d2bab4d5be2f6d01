"""Connecting a Page survives whatever Facebook answers: each end is a value with a next step, and shows no secret."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from outreach.channels._connecting import App, Found, Login
from outreach.channels._offers import Offer, merged, offers_in, problems_of
from outreach.channels._token_facts import TokenFacts, Wanted
from outreach.model import Problem
from tests.builders import NOW

TOKEN = "EAA" + "t" * 60
SECRET = "the secret of the app"
Say = Callable[..., None]


class Facebook:
    """Answers each path with what a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.says: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[tuple[str, str]] = []
        facebook = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                self.answer(path, query)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.answer(self.path, self.rfile.read(length).decode())

            def answer(self, path: str, params: str) -> None:
                facebook.asked.append((path.partition("/v26.0")[2], params))
                queue = facebook.says.get(path.partition("/v26.0")[2], [(404, b"{}")])
                status, body = queue.pop(0) if len(queue) > 1 else queue[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Keep still."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(self, path: str, *answers: Any, status: int = 200) -> None:
        bodies = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in answers]
        self.says[path] = [(status, body) for body in bodies]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def facebook() -> Iterator[Facebook]:
    made = Facebook()
    yield made
    made.close()


@pytest.fixture
def login(facebook: Facebook) -> Login:
    return Login(App(facebook.url, "v26.0", "42", SECRET, 2.0))


ODD = [
    b"",
    b"<html>Sorry, something went wrong</html>",
    b'{"access_token": "EA',
    b"[]",
    b"null",
    b'{"access_token": 7}',
    b'{"access_token": ""}',
    b'{"access_token": "a\\nb"}',
    b'{"error": "no"}',
    b'{"error": {"code": "x"}}',
    b"\xff\xfe",
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", ODD)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_an_odd_answer_to_an_exchange_is_a_problem_with_a_next_step(
    facebook: Facebook, login: Login, body: bytes, status: int
) -> None:
    facebook.say("/oauth/access_token", body, status=status)
    for found in (login.token_for("a code", redirect_uri="http://127.0.0.1/x"), login.lengthened(TOKEN)):
        assert isinstance(found, Problem)
        assert found.next_step


@pytest.mark.parametrize("body", [each for each in ODD if b"access_token" not in each])
def test_an_odd_list_of_pages_is_a_problem(facebook: Facebook, login: Login, body: bytes) -> None:
    facebook.say("/me", {"id": "7", "name": "Ann"})
    facebook.say("/me/permissions", body)
    facebook.say("/me/accounts", body)
    found = login.found(TOKEN)
    assert isinstance(found, Problem)
    assert found.next_step


def test_a_token_without_a_word_on_how_long_it_lives_is_taken(facebook: Facebook, login: Login) -> None:
    facebook.say("/oauth/access_token", {"access_token": "short"}, {"access_token": "long", "token_type": "bearer"})
    assert login.token_for("a code", redirect_uri="http://127.0.0.1/x") == "long"
    assert [path for path, _ in facebook.asked] == ["/oauth/access_token"] * 2
    assert "fb_exchange_token=short" in facebook.asked[1][1]


def test_no_answer_at_all_is_a_problem() -> None:
    found = Login(App("http://127.0.0.1:1", "v26.0", "42", SECRET, 1.0)).lengthened(TOKEN)
    assert isinstance(found, Problem)
    assert "could not be reached" in found.message


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": 100, "error_subcode": 36007}, "took too long"),
        ({"code": 100, "error_subcode": 36008}, "another address"),
        ({"code": 100, "error_subcode": 36009}, "used already"),
        ({"code": 1, "message": "Error validating client secret."}, "does not know the app"),
        ({"code": 101, "message": "Error validating application."}, "does not know the app"),
        ({"code": 190, "error_subcode": 463, "message": "Session has expired"}, "does not accept the log-in"),
        ({"code": 4, "message": "(#4) Application request limit reached"}, "lets nothing through"),
        ({"code": 2, "message": f"oops {TOKEN} {SECRET}"}, "refused"),
    ],
)
def test_each_refusal_is_said_in_our_words(facebook: Facebook, login: Login, error: dict[str, Any], said: str) -> None:
    facebook.say("/oauth/access_token", {"error": error}, status=400)
    found = login.lengthened(TOKEN)
    assert isinstance(found, Problem)
    assert said in found.message
    assert "the post may be out" not in found.message
    assert TOKEN not in found.sentence()
    assert SECRET not in found.sentence()


def test_a_long_list_is_read_by_its_cursors_and_its_next_address_is_never_followed(
    facebook: Facebook, login: Login
) -> None:
    facebook.say("/me", {"id": "7", "name": "Ann"})
    facebook.say("/me/permissions", {"data": []})
    elsewhere = f"{facebook.url}/elsewhere?access_token={TOKEN}"
    facebook.say(
        "/me/accounts",
        {"data": [{"id": "1", "name": "One"}], "paging": {"cursors": {"after": "abc"}, "next": elsewhere}},
        {"data": [], "paging": {"cursors": {"after": "def"}, "next": elsewhere}},
        {"data": [{"id": "2", "name": "Two"}], "paging": {"cursors": {"after": "ghi"}}},
    )
    found = login.found(TOKEN)
    assert isinstance(found, Found)
    assert [offer.id for offer in found.offers] == ["1", "2"]
    assert not [params for _, params in facebook.asked if TOKEN in params]
    assert "/elsewhere" not in [path for path, _ in facebook.asked]


def test_a_list_that_leads_in_a_circle_ends(facebook: Facebook, login: Login) -> None:
    facebook.say("/me", {"id": "7"})
    facebook.say("/me/permissions", {"data": []})
    facebook.say("/me/accounts", {"data": [{"id": "1"}], "paging": {"cursors": {"after": "a"}, "next": "x"}})
    found = login.found(TOKEN)
    assert isinstance(found, Found)
    assert len(facebook.asked) < 10
    assert [offer.id for offer in found.offers] == ["1"]


def test_a_portfolio_that_does_not_answer_leaves_the_other_pages(facebook: Facebook, login: Login) -> None:
    facebook.say("/me", {"id": "7"})
    facebook.say("/me/permissions", {"data": [{"permission": "business_management", "status": "granted"}]})
    facebook.say("/me/accounts", {"data": [{"id": "1", "access_token": "x"}]})
    facebook.say("/me/businesses", b"<html>", status=500)
    found = login.found(TOKEN)
    assert isinstance(found, Found)
    assert [offer.id for offer in found.offers] == ["1"]
    assert [note.is_warning for note in found.notes] == [True]


def test_a_page_that_a_portfolio_lists_without_its_token_is_asked_itself(facebook: Facebook, login: Login) -> None:
    facebook.say("/me", {"id": "7"})
    facebook.say("/me/permissions", {"data": [{"permission": "business_management", "status": "granted"}]})
    facebook.say("/me/accounts", {"data": []})
    facebook.say("/me/businesses", {"data": [{"id": "9"}]})
    facebook.say("/9/owned_pages", {"data": [{"id": "1", "name": "One"}]})
    facebook.say("/9/client_pages", {"data": []})
    facebook.say("/1", {"id": "1", "name": "One", "access_token": "of one", "tasks": ["CREATE_CONTENT"]})
    found = login.found(TOKEN)
    assert isinstance(found, Found)
    assert [(offer.id, offer.token) for offer in found.offers] == [("1", "of one")]


def test_a_page_that_two_lists_have_is_offered_once_with_its_token() -> None:
    assert merged([Offer("1", "One"), Offer("1", "One", "token"), Offer("2", "Two")]) == [
        Offer("1", "One", "token"),
        Offer("2", "Two"),
    ]


def test_what_is_no_page_is_left_out_and_a_name_cannot_hold_a_token() -> None:
    rows = [None, 7, {"id": 8}, {"id": "1_2"}, {"id": "3", "name": f"x {TOKEN}\x00", "access_token": 9, "tasks": "y"}]
    assert list(offers_in(rows)) == [Offer("3", "x …", "", None)]


def test_nothing_that_is_shown_holds_a_secret(login: Login) -> None:
    shown = repr(App("http://x", "v26.0", "42", SECRET)) + repr(Offer("1", "One", TOKEN))
    assert SECRET not in shown
    assert TOKEN not in shown
    assert SECRET not in login.dialog(redirect_uri="http://x/y", state="s", scopes=["a"])


# The acceptance test

GOOD: dict[str, Any] = {
    "app_id": "42",
    "type": "PAGE",
    "is_valid": True,
    "expires_at": 0,
    "profile_id": "1",
    "scopes": ["pages_manage_posts", "pages_read_engagement", "pages_show_list"],
}


@pytest.mark.parametrize(
    ("change", "tasks", "said"),
    [
        ({}, ["CREATE_CONTENT"], []),
        ({}, None, []),
        ({"type": "USER"}, None, ["not the token of a Page"]),
        ({"profile_id": "2"}, None, ["token of another Page (2)"]),
        ({"app_id": "43"}, None, ["made with another app (43)"]),
        ({"expires_at": int(NOW.timestamp()) + 3600}, None, ["made from a short-lived log-in"]),
        ({"scopes": ["pages_read_engagement"]}, None, ["pages_manage_posts was not given"]),
        ({"is_valid": False, "error": {"code": 190, "subcode": 492}}, None, ["no role on it now"]),
        ({}, ["ANALYZE"], ["may not create content"]),
        (
            {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["2"]}]},
            None,
            ["given for other Pages, not for this one"],
        ),
        (
            {"scopes": [], "expires_at": 1},
            ["ANALYZE"],
            ["pages_manage_posts", "pages_read_engagement", "ran out on", "may not create content"],
        ),
    ],
)
def test_a_token_is_accepted_only_when_everything_is_right(
    change: dict[str, Any], tasks: list[str] | None, said: list[str]
) -> None:
    facts = TokenFacts.read({"data": GOOD | change}, page_id="1")
    assert facts is not None
    offer = Offer("1", "One", "token", frozenset(tasks) if tasks is not None else None)
    problems = problems_of(offer, facts, Wanted("1", "42"), now=NOW)
    assert len(problems) == len(said)
    for problem, part in zip(problems, said, strict=True):
        assert part in problem.message
        assert problem.next_step
        assert not problem.is_warning

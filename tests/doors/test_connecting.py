"""`outreach channels connect`: a token comes in without being shown, and only a good one is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outreach.doors.cli import app
from outreach.sandbox import Sandbox
from outreach.sandbox.oauth import LONG, SHORT
from outreach.sandbox.tokens import Grant, Kind
from tests.connecting import appointed
from tests.doors.place import Answer, Place, end, until


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(pages=2) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path, box: Sandbox) -> Place:
    return appointed(Place(tmp_path, box, database=migrated_file), box)


def a_token(box: Sandbox, *, lives: Any = SHORT, pages: frozenset[str] | None = None) -> str:
    book, now = box.graph.tokens, box.graph.clock.now()
    scopes = ("pages_show_list", "pages_read_engagement", "pages_manage_posts")
    text = book.issue(Kind.USER, now=now, user_id=box.graph.world.user.id, scopes=scopes, lives=lives)
    book.bind(text, Grant(scopes, (), pages, now))
    return text


def connect(place: Place, token: str, *words: str) -> Answer:
    given = ["channels", "connect", "facebook", *words]
    result = CliRunner().invoke(app, given, env=place.settings, input=token, prog_name="outreach")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert token.strip() == "" or token.strip() not in result.output
    return Answer(result.exit_code, result.stdout, result.stderr)


def test_a_persons_short_token_is_exchanged_first_and_the_page_is_said(place: Place, box: Sandbox) -> None:
    answer = connect(place, a_token(box), "--page", box.page_id, "--json", "--as", "ann@example.org")
    assert answer.code == 0, answer
    assert answer.json == {
        "channel": "facebook",
        "page": {"id": box.page_id, "name": "TMM SIG"},
        "waiting": [],
        "paused_by": None,
        "problems": [],
    }
    box.graph.clock.advance(7200)  # a Page token of the short one would be dead by now
    place.json("add", place.letter(to="[facebook]"))
    assert place.cli("worker", "--once").code == 0
    assert len(box.graph.public_posts(box.page_id)) == 1


def test_a_worker_of_another_process_takes_the_page_at_once(place: Place, box: Sandbox) -> None:
    worker = place.start("worker")
    try:
        place.json("add", place.letter(to="[facebook]"))
        until(lambda: place.json("channels")[0]["state"] == "paused")
        answer = connect(place, box.page_token, "--json")
        assert answer.json["waiting"] == ["1/facebook"]
        until(lambda: place.states() == {"1/facebook": "published"})
        assert len(box.graph.public_posts(box.page_id)) == 1
    finally:
        end(worker)
    assert box.page_token not in place.log


def test_where_several_pages_are_opened_it_names_them(place: Place, box: Sandbox) -> None:
    answer = connect(place, a_token(box), "--json")
    assert answer.code == 1
    assert answer.error["where"] == "--page"
    assert all(page.id in answer.error["next"] for page in box.pages)


def test_a_page_that_the_token_does_not_open_is_refused_with_those_that_it_does(place: Place, box: Sandbox) -> None:
    answer = connect(place, a_token(box), "--page", "4711", "--json")
    assert (answer.code, answer.error["where"]) == (1, "--page")
    assert answer.error["message"] == "The token does not open this Page."
    assert all(page.id in answer.error["next"] for page in box.pages)


def test_a_page_that_is_not_connected_cannot_be_followed(place: Place, box: Sandbox) -> None:
    answer = place.cli("channels", "follow", "facebook", "--json")
    assert (answer.code, answer.error["message"]) == (1, "No Page is connected yet.")
    assert "Connect a Page" in answer.error["next"]
    assert box.graph.journal == []


def test_a_token_that_opens_one_page_needs_no_choice(place: Place, box: Sandbox) -> None:
    box.graph.rules.portfolio = {box.pages[1].id: "owned_pages"}
    answer = connect(place, a_token(box) + "\n")
    assert answer.code == 0
    assert f"TMM SIG ({box.page_id}) is connected." in answer.out


def test_a_page_token_is_taken_as_it_is(place: Place, box: Sandbox) -> None:
    assert connect(place, box.page_token).code == 0


def test_a_token_of_a_system_user_opens_its_pages(place: Place, box: Sandbox) -> None:
    book = box.graph.tokens
    token = book.issue(Kind.SYSTEM, now=box.graph.clock.now(), user_id=box.graph.world.user.id)
    assert connect(place, token, "--page", box.page_id).code == 0


def test_another_page_wants_a_word(place: Place, box: Sandbox) -> None:
    assert connect(place, box.page_token).code == 0
    refused = connect(place, box.pages[1].token, "--json")
    assert (refused.code, refused.error["where"]) == (1, "--another")
    assert connect(place, box.pages[1].token, "--another").code == 0


@pytest.mark.parametrize("given", ["", "   \n", "two words", "x" * 4001, "naïve"])
def test_what_is_no_token_is_refused_before_anybody_is_asked(place: Place, box: Sandbox, given: str) -> None:
    answer = connect(place, given, "--json")
    assert (answer.code, answer.error["where"]) == (1, "standard input")
    assert box.graph.journal == []


@pytest.mark.parametrize("kind", ["garbage", "dead", "ended"])
def test_a_token_that_is_not_good_is_refused_with_a_next_step(place: Place, box: Sandbox, kind: str) -> None:
    token = {"garbage": "EAA" + "x" * 60}.get(kind) or a_token(box, lives=LONG)
    if kind == "dead":
        box.graph.tokens.kill(token, 458)
    if kind == "ended":
        box.graph.clock.advance(61 * 86400)
    answer = connect(place, token, "--page", box.page_id, "--json")
    assert answer.code == 1
    assert answer.error["next"]
    assert place.json("channels")[0]["state"] == "ready"


def test_a_list_is_no_page(place: Place) -> None:
    result = CliRunner().invoke(app, ["channels", "connect", "listserv", "--json"], env=place.settings, input="x")
    assert result.exit_code == 1
    assert "listserv is no Page" in result.stdout


@pytest.mark.parametrize("gone", ["OUTREACH_SECRET_KEY", "FACEBOOK_APP_ID"])
def test_without_a_key_or_an_app_it_says_what_to_set(place: Place, gone: str) -> None:
    place.settings[gone] = ""
    answer = connect(place, "EAAx", "--json")
    assert (answer.code, answer.error["where"]) == (1, gone)


@pytest.mark.parametrize("subcode", [458, 459, 460, 463, 464, 467, 492])
def test_every_death_of_a_connected_token_leads_to_connecting_again(place: Place, box: Sandbox, subcode: int) -> None:
    assert connect(place, box.page_token).code == 0
    box.graph.tokens.kill(box.page_token, subcode)
    (page,) = [row for row in _checked(place) if row["name"] == "facebook"]
    assert "Press" in " ".join(page["problems"]) or "press: Connect a Page" in " ".join(page["problems"])
    assert "FACEBOOK_PAGE_TOKEN" not in " ".join(page["problems"])


def _checked(place: Place) -> Any:
    return place.cli("channels", "check", "--json").json

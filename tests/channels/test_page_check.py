"""The check of a Page: what is wrong with its token is told before a post meets it, with what to do, by reads alone."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outreach.channels import Expires, HasClock
from outreach.channels._token_facts import TokenFacts, Wanted
from outreach.channels.facebook_page import FacebookPage
from outreach.model import Problem
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.tokens import Kind

from .builders import NOON, SECRET, TOKEN, a_page, the_page
from .servers import RawServer, Visit, http


def checked(box: Sandbox, **settings: Any) -> list[Problem]:
    """The Page of a sandbox with the app's number, its clock agreeing."""
    return page_of(box, **settings).check()


def page_of(box: Sandbox, **settings: Any) -> FacebookPage:
    return the_page(box, now=box.graph.clock.now, FACEBOOK_APP_ID=box.app_id, **settings)


def only(problems: list[Problem]) -> str:
    [problem] = problems
    assert problem.next_step
    return problem.message


def test_a_right_token_has_no_problems_and_is_only_read(box: Sandbox) -> None:
    assert checked(box) == []
    assert [(e.method, e.op, e.wrote) for e in box.graph.journal] == [
        ("GET", "me", False),
        ("GET", "debug_token", False),
        ("GET", "read", False),
    ]


def test_an_app_that_requires_proofs_gets_them(box: Sandbox) -> None:
    box.graph.rules.require_proof = True
    assert checked(box) == []


@pytest.mark.parametrize("number", ["the app's", ""])
@pytest.mark.parametrize(
    ("subcode", "words"),
    [
        (458, "removed the app"),
        (459, "log in on facebook.com"),
        (460, "changed their password"),
        (463, "has expired"),
        (464, "confirm their account"),
        (467, "not valid any more"),
        (492, "no role on it"),
    ],
)
def test_a_dead_token_says_what_it_died_of(box: Sandbox, subcode: int, words: str, number: str) -> None:
    box.graph.tokens.kill(box.page_token, subcode)
    found = checked(box) if number else the_page(box).check()
    assert words in only(found)


def test_the_token_of_a_person_is_told_as_one(box: Sandbox) -> None:
    assert "of kind USER" in only(checked(box, FACEBOOK_PAGE_TOKEN=box.user_token))
    assert "does not belong to this Page" in only(the_page(box, FACEBOOK_PAGE_TOKEN=box.user_token).check())


def test_the_token_of_another_page_is_told_as_one() -> None:
    with Sandbox(clock=Clock(NOON), pages=2) as box:
        token = box.pages[1].token
        assert f"another Page ({box.pages[1].id})" in only(checked(box, FACEBOOK_PAGE_TOKEN=token))
        assert "does not belong to this Page" in only(the_page(box, FACEBOOK_PAGE_TOKEN=token).check())


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        (("pages_manage_posts",), "lacks the permission pages_manage_posts for"),
        (("pages_read_engagement",), "lacks the permission pages_read_engagement for"),
        (
            ("pages_read_engagement", "pages_manage_posts"),
            "lacks the permissions pages_manage_posts and pages_read_engagement",
        ),
    ],
)
def test_missing_permissions_are_named(box: Sandbox, taken: tuple[str, ...], words: str) -> None:
    box.graph.tokens.narrow(box.page_token, *taken)
    assert words in only(checked(box))


@pytest.mark.parametrize("settings", [{}, {"FACEBOOK_APP_SECRET": ""}])
def test_a_role_that_may_not_create_content_is_told(box: Sandbox, settings: dict[str, str]) -> None:
    box.graph.rules.tasks = ("ANALYZE", "MODERATE")
    assert "may not create content" in only(checked(box, **settings))


def test_tasks_that_cannot_be_read_say_nothing(box: Sandbox) -> None:
    box.graph.fail_with("10", "read")
    assert checked(box) == []


def test_a_token_made_from_a_short_lived_one_says_when_it_runs_out(box: Sandbox) -> None:
    lives = timedelta(hours=1)
    short = box.graph.tokens.issue(Kind.PAGE, now=NOON, user_id="1", page_id=box.page_id, lives=lives)
    page = page_of(box, FACEBOOK_PAGE_TOKEN=short)
    [problem] = page.check()
    assert problem.message == "The token runs out on Tue 24 Nov 2026, 13:00 UTC: it was made from a short-lived one."
    assert "long-lived" in problem.next_step
    assert isinstance(page, Expires)
    assert page.expires()["the token"] == NOON + lives


def test_the_end_of_the_access_to_data_is_told_three_weeks_before(box: Sandbox) -> None:
    box.graph.clock.advance(timedelta(days=69).total_seconds() - 1)
    assert checked(box) == []
    box.graph.clock.advance(2)
    [warning] = checked(box)
    assert warning.is_warning
    assert warning.message.startswith("The app's access to the Page's data runs out in 20 days, on Mon 22 Feb 2027")
    box.graph.clock.advance(timedelta(days=21).total_seconds())
    [problem] = checked(box)
    assert not problem.is_warning
    assert "ran out on Mon 22 Feb 2027" in problem.message


def test_what_runs_out_is_known_after_a_check(box: Sandbox) -> None:
    page = page_of(box)
    assert page.expires() == {}
    page.check()
    assert page.expires() == {"the access to data": NOON + timedelta(days=90)}


@pytest.mark.parametrize("how", ["500-2", "html-502", "empty-200", "success-200", "truncated", "close", "redirect"])
def test_an_answer_about_the_token_that_tells_nothing_is_never_taken_for_good(box: Sandbox, how: str) -> None:
    details: dict[str, Any] = {"location": "http://127.0.0.1:1/"} if how == "redirect" else {}
    box.graph.fail("debug_token", how, **details)
    assert "could not be asked about the token" in only(checked(box))


def test_a_wrong_number_of_the_app_is_told(box: Sandbox) -> None:
    [problem] = the_page(box, FACEBOOK_APP_ID="1").check()
    assert "could not be asked" in problem.message
    assert "FACEBOOK_APP_ID" in problem.next_step


@pytest.mark.parametrize("how", ["500-2", "html-502", "success-200", "empty-200"])
def test_a_passing_error_is_not_blamed_on_the_token(box: Sandbox, how: str) -> None:
    box.graph.fail("me", how)
    assert "could not be asked" in only(checked(box))


def test_a_limit_that_is_reached_is_not_blamed_on_the_token(box: Sandbox) -> None:
    box.graph.fail_with("4", "me")
    assert "lets nothing through now" in only(checked(box))


def test_another_version_is_a_warning(box: Sandbox) -> None:
    [problem] = checked(box, FACEBOOK_GRAPH_VERSION="v19.0")
    assert problem.is_warning
    assert "answers with version v21.0, not v19.0" in problem.message


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (timedelta(minutes=11), "11 minutes ahead of Facebook's"),
        (timedelta(minutes=-61), "61 minutes behind Facebook's"),
        (timedelta(minutes=10), ""),
    ],
)
def test_a_clock_that_is_wrong_is_told(box: Sandbox, apart: timedelta, words: str) -> None:
    found = the_page(box, now=lambda: NOON + apart).check()
    assert [words in problem.message for problem in found] == ([True] if words else [])


# The time over there


def test_facebook_tells_the_time(box: Sandbox) -> None:
    page = the_page(box)
    assert isinstance(page, HasClock)
    assert page.server_time() == NOON
    box.graph.tokens.kill(box.page_token, 460)
    box.graph.clock.advance(5)
    assert page.server_time() == NOON + timedelta(seconds=5)
    box.graph.fail("me", "close")
    assert page.server_time() is None


# The facts, as they may come

GOOD: dict[str, Any] = {
    "app_id": "77",
    "type": "PAGE",
    "is_valid": True,
    "profile_id": "1234567890",
    "expires_at": 0,
    "data_access_expires_at": 0,
    "scopes": ["pages_manage_posts", "pages_read_engagement"],
    "granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["1234567890"]}],
}


def judged(**changes: Any) -> list[Problem]:
    data = {key: value for key, value in (GOOD | changes).items() if value != "left out"}
    facts = TokenFacts.read({"data": data}, page_id="1234567890")
    assert facts is not None
    return facts.problems(Wanted("1234567890", "77"), now=NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"granular_scopes": [{"scope": "pages_manage_posts"}]},
        {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": []}]},
        {"granular_scopes": [None, 5, {"scope": 7}, {"scope": "x", "target_ids": 4}]},
        {"granular_scopes": "left out", "profile_id": "left out", "expires_at": "left out", "app_id": "left out"},
        {"expires_at": None, "data_access_expires_at": "left out", "type": "left out"},
        {"scopes": "left out", "granular_scopes": [{"scope": s} for s in GOOD["scopes"]]},
        {"app_id": 77, "profile_id": 1234567890, "expires_at": "0", "type": "page"},
        {"data_access_expires_at": 10**30},
    ],
)
def test_facts_that_are_missing_say_nothing_against_a_token(changes: dict[str, Any]) -> None:
    assert judged(**changes) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"app_id": "78"}, "made with another app (78)"),
        ({"type": "SYSTEM_USER"}, "of kind SYSTEM_USER"),
        ({"profile_id": "5"}, "another Page (5)"),
        ({"scopes": []}, "lacks the permissions"),
        (
            {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["5"]}]},
            "lacks the permission pages_manage_posts for this Page",
        ),
        ({"expires_at": int((NOON + timedelta(hours=2)).timestamp())}, "runs out on Tue 24 Nov 2026, 14:00 UTC"),
        ({"is_valid": False, "error": {"code": 190, "subcode": 460}}, "changed their password"),
        ({"is_valid": False, "error": {"message": TOKEN}}, "does not accept the token"),
        ({"is_valid": False}, "does not accept the token"),
        ({"scopes": "left out", "granular_scopes": "left out"}, "does not say which permissions"),
    ],
)
def test_what_is_wrong_with_a_token_is_told(changes: dict[str, Any], words: str) -> None:
    [problem] = judged(**changes)
    assert words in problem.message
    assert problem.next_step
    assert TOKEN not in problem.sentence()


@pytest.mark.parametrize("body", [None, [], {}, {"data": []}, {"data": {}}, {"data": {"is_valid": "yes"}}])
def test_what_is_no_answer_about_a_token_is_not_understood(body: Any) -> None:
    assert TokenFacts.read(body, page_id="1") is None


# What never shows


def answering_in_turn(*bodies: dict[str, Any]) -> Callable[[Visit], None]:
    left = list(bodies)

    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(json.dumps(left.pop(0) if left else {}).encode()))

    return act


def test_neither_token_nor_secret_shows_though_the_token_is_asked_about(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    error = {"code": 190, "message": f"{TOKEN} of 77|{SECRET} input_token={TOKEN}"}
    bodies = ({"id": "1234567890"}, {"data": GOOD | {"is_valid": False, "type": TOKEN, "error": error}})
    with RawServer(answering_in_turn(*bodies)) as server:
        page = a_page(server.url, FACEBOOK_APP_ID="77")
        told = [page.check(), page, page.__dict__, page.expires()]
        asked = [visit.received for visit in server.visits]
    assert [b"input_token=" + TOKEN.encode() in each for each in asked] == [False, True, False]
    assert b"Authorization: Bearer 77|" + SECRET.encode() in asked[1]
    assert [word for word in (TOKEN, SECRET) if word in repr(told) + caplog.text] == []
    assert "input_token=…" in caplog.text


def test_a_lost_answer_about_the_token_shows_no_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")

    def act(visit: Visit) -> None:
        visit.read_request()
        if b"/me?" in visit.received:
            visit.say(http(b'{"id":"1234567890"}'))
        else:
            visit.reset()

    with RawServer(act) as server:
        told = a_page(server.url, FACEBOOK_APP_ID="77").check()
    assert [word for word in (TOKEN, SECRET) if word in repr(told) + caplog.text] == []
    assert "could not be asked" in only(told)


def test_an_instant_is_read_as_utc() -> None:
    facts = TokenFacts.read({"data": GOOD | {"expires_at": 1}}, page_id="1")
    assert facts is not None
    assert facts.runs_out() == {"the token": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)}

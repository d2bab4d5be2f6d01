"""Tokens: how they are sent, what they may, how they die, and the proof."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from outreach.sandbox import Sandbox
from outreach.sandbox.tokens import Kind

from .clients import Caller, error_of


@pytest.mark.parametrize("scheme", ["Bearer", "OAuth", "bearer"])
def test_the_token_may_stand_in_the_authorization_header(box: Sandbox, call: Caller, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {box.page_token}"}
    assert call.session.post(call.url(f"{box.page_id}/feed"), data={"message": "x"}, headers=headers, timeout=30).ok


def test_no_token_is_refused(box: Sandbox, call: Caller) -> None:
    answer = call.session.post(call.url(f"{box.page_id}/feed"), data={"message": "x"}, timeout=30)
    assert error_of(answer) == (400, 104, None)


def test_garbage_is_refused_and_the_header_says_why(box: Sandbox, call: Caller) -> None:
    answer = call.feed(message="x", token="garbage")
    assert answer.json()["error"]["message"] == "Invalid OAuth access token - Cannot parse access token"
    assert error_of(answer) == (400, 190, None)
    assert answer.headers["WWW-Authenticate"].startswith('OAuth "Facebook Platform" "invalid_token"')


@pytest.mark.parametrize("subcode", [458, 459, 460, 463, 464, 467, 492])
def test_a_token_dies_of_a_subcode(box: Sandbox, call: Caller, subcode: int) -> None:
    box.graph.tokens.kill(box.page_token, subcode)
    assert error_of(call.feed(message="x")) == (400, 190, subcode)
    assert box.graph.public_posts() == []


def test_a_short_token_expires_by_the_sandbox_clock(box: Sandbox, call: Caller) -> None:
    now = box.graph.clock.now()
    short = box.graph.tokens.issue(Kind.PAGE, now=now, user_id="1", page_id=box.page_id, lives=timedelta(hours=1))
    assert call.feed(message="x", token=short).ok
    box.graph.clock.advance(3600)
    assert error_of(call.feed(message="x", token=short)) == (400, 190, 463)


def test_a_person_cannot_post_as_the_page(box: Sandbox, call: Caller) -> None:
    answer = call.feed(message="x", token=box.user_token)
    assert answer.json()["error"]["message"] == "(#200) Unpublished posts must be posted to a page as the page itself."


def test_an_app_cannot_post(box: Sandbox, call: Caller) -> None:
    assert error_of(call.feed(message="x", token=box.app_token)) == (400, 190, 2069032)


def test_a_token_of_another_page_cannot_post_here() -> None:
    with Sandbox(pages=2) as box:
        assert error_of(Caller(box).feed(message="x", token=box.pages[1].token)) == (400, 200, None)
        assert box.graph.public_posts() == []


def test_a_token_of_another_page_cannot_touch_a_post_here() -> None:
    with Sandbox(pages=2) as box:
        call = Caller(box)
        post_id = call.publish("mine")
        assert error_of(call.post(f"{post_id}/comments", token=box.pages[1].token, message="x")) == (400, 200, None)
        assert error_of(call.post(post_id, token=box.pages[1].token, message="changed")) == (400, 200, None)
        assert box.graph.public_posts()[0].message == "mine"


@pytest.mark.parametrize("scope", ["pages_manage_posts", "pages_read_engagement"])
def test_posting_needs_both_permissions(box: Sandbox, call: Caller, scope: str) -> None:
    box.graph.tokens.narrow(box.page_token, scope)
    assert error_of(call.feed(message="x")) == (400, 200, None)


def test_commenting_needs_its_own_permission(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("x")
    box.graph.tokens.narrow(box.page_token, "pages_manage_engagement")
    assert error_of(call.post(f"{post_id}/comments", message="y")) == (400, 200, None)


@pytest.mark.parametrize(
    ("edge", "scope"), [("published_posts", "pages_read_engagement"), ("feed", "pages_read_user_content")]
)
def test_reading_needs_its_own_permission(box: Sandbox, call: Caller, edge: str, scope: str) -> None:
    box.graph.tokens.narrow(box.page_token, scope)
    assert error_of(call.get(f"{box.page_id}/{edge}")) == (400, 10, None)


def test_a_role_without_create_content_cannot_post(box: Sandbox, call: Caller) -> None:
    box.graph.rules.tasks = ("ANALYZE",)
    assert error_of(call.feed(message="x")) == (400, 200, None)
    assert call.get(box.page_id, fields="tasks").json()["tasks"] == ["ANALYZE"]


def proof(box: Sandbox, token: str) -> str:
    return hmac.new(box.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def test_a_right_proof_is_welcome_and_a_wrong_one_is_not(box: Sandbox, call: Caller) -> None:
    assert call.feed(message="x", appsecret_proof=proof(box, box.page_token)).ok
    answer = call.feed(message="x", appsecret_proof=proof(box, "other"))
    assert answer.json()["error"]["message"] == "Invalid appsecret_proof provided in the API argument"


def test_a_proof_can_be_required(box: Sandbox, call: Caller) -> None:
    box.graph.rules.require_proof = True
    assert "require an appsecret_proof" in call.feed(message="x").json()["error"]["message"]
    assert call.feed(message="x", appsecret_proof=proof(box, box.page_token)).ok


def test_me_is_whom_the_token_speaks_for(box: Sandbox, call: Caller) -> None:
    assert call.get("me", fields="id,name").json() == {"id": box.page_id, "name": "TMM SIG"}
    assert call.get("me", token=box.user_token).json()["name"] == "TMM SIG Coordinator"
    assert error_of(call.get("me", token=box.app_token)) == (400, 2500, None)


def test_a_person_gets_the_page_token_from_the_page(box: Sandbox, call: Caller) -> None:
    answer = call.get(box.page_id, token=box.user_token, fields="id,name,tasks,access_token").json()
    assert answer["access_token"] == box.page_token
    assert "CREATE_CONTENT" in answer["tasks"]
    assert "access_token" not in call.get(box.page_id, token=box.app_token, fields="access_token").json()


def test_a_person_lists_the_pages(box: Sandbox, call: Caller) -> None:
    (page,) = call.get("me/accounts", token=box.user_token).json()["data"]
    assert (page["id"], page["name"], page["access_token"]) == (box.page_id, "TMM SIG", box.page_token)


def test_debug_token_tells_a_page_token(box: Sandbox, call: Caller) -> None:
    facts = call.get("debug_token", token=box.app_token, input_token=box.page_token).json()["data"]
    assert (facts["type"], facts["is_valid"], facts["expires_at"]) == ("PAGE", True, 0)
    assert (facts["app_id"], facts["profile_id"]) == (box.app_id, box.page_id)
    assert {"pages_manage_posts", "pages_read_engagement"} <= set(facts["scopes"])
    assert facts["data_access_expires_at"] - facts["issued_at"] == 90 * 24 * 3600


def test_debug_token_explains_a_dead_token(box: Sandbox, call: Caller) -> None:
    box.graph.tokens.kill(box.page_token, 460)
    facts = call.get("debug_token", token=box.app_token, input_token=box.page_token).json()["data"]
    assert (facts["is_valid"], facts["error"]["code"], facts["error"]["subcode"]) == (False, 190, 460)


def test_debug_token_does_not_know_garbage(box: Sandbox, call: Caller) -> None:
    facts = call.get("debug_token", token=box.app_token, input_token="garbage").json()["data"]
    assert facts["is_valid"] is False


def test_tokens_and_proofs_never_reach_the_journal(box: Sandbox, call: Caller) -> None:
    call.feed(message="x", appsecret_proof=proof(box, box.page_token))
    call.get("debug_token", token=box.app_token, input_token=box.page_token)
    call.get(box.page_id, access_token=box.page_token)
    written = repr(box.graph.journal)
    for secret in (box.page_token, box.app_token, box.app_secret, proof(box, box.page_token)):
        assert secret not in written


def test_the_journal_names_the_kind_of_token(box: Sandbox, call: Caller) -> None:
    call.get("me")
    call.get("me", token=box.user_token)
    call.get("me", token="garbage")
    assert [entry.token_kind for entry in box.graph.journal] == ["PAGE", "USER", None]

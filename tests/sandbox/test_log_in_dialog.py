"""The sandbox's log-in for apps: the dialog, codes, tokens and what a person ticked."""

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from outreach.sandbox import Sandbox
from outreach.sandbox.tokens import Kind

BACK = "http://127.0.0.1:8000/connect/answer"
SCOPES = "pages_show_list,pages_read_engagement,pages_manage_posts"


@pytest.fixture
def box() -> Any:
    with Sandbox(pages=2) as made:
        made.graph.rules.redirect_uris = {BACK}
        yield made


def dialog(box: Sandbox, **more: str) -> str:
    given = {"client_id": box.app_id, "redirect_uri": BACK, "state": "s t&te", "scope": SCOPES, "response_type": "code"}
    return f"{box.graph_url}/v26.0/dialog/oauth?{urlencode(given | more)}"


def consent(box: Sandbox, *, pages: list[str], scopes: str = SCOPES, do: str = "continue") -> dict[str, str]:
    """Press a button of the dialog; give what the address it leads to says."""
    form = [("page", page) for page in pages] + [("scope", scope) for scope in scopes.split(",")] + [("do", do)]
    answer = requests.post(dialog(box), data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(BACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def exchange(box: Sandbox, **params: str) -> requests.Response:
    given = {"client_id": box.app_id, "client_secret": box.app_secret, **params}
    return requests.post(f"{box.graph_url}/v26.0/oauth/access_token", data=given, timeout=30)


def short_token(box: Sandbox, **ticked: Any) -> str:
    code = consent(box, **ticked)["code"]
    return str(exchange(box, redirect_uri=BACK, code=code).json()["access_token"])


def long_token(box: Sandbox, **ticked: Any) -> str:
    given = exchange(box, grant_type="fb_exchange_token", fb_exchange_token=short_token(box, **ticked))
    return str(given.json()["access_token"])


def read(box: Sandbox, path: str, token: str, **params: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{box.graph_url}/v26.0{path}", params=params, headers=headers, timeout=30).json()


def facts(box: Sandbox, token: str) -> Any:
    return read(box, "/debug_token", box.app_token, input_token=token)["data"]


def test_the_dialog_shows_who_asks_for_what_and_every_page(box: Sandbox) -> None:
    page = requests.get(dialog(box), timeout=30)
    assert page.status_code == 200
    assert set(re.findall(r'name="page" value="(\d+)"', page.text)) == {each.id for each in box.pages}
    assert re.findall(r'name="scope" value="(\w+)"', page.text) == SCOPES.split(",")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"redirect_uri": BACK + "/"}, "URL blocked"),
        ({"scope": SCOPES + ",publish_to_groups"}, "Invalid Scopes: publish_to_groups"),
        ({"client_id": "1"}, "Invalid App ID"),
    ],
)
def test_a_dialog_that_is_asked_for_wrongly_leads_nowhere(box: Sandbox, wrong: dict[str, str], said: str) -> None:
    for answer in (
        requests.get(dialog(box, **wrong), timeout=30),
        requests.post(dialog(box, **wrong), data={"do": "continue"}, allow_redirects=False, timeout=30),
    ):
        assert answer.status_code == 400
        assert said in answer.text


def test_cancel_says_that_the_person_denied(box: Sandbox) -> None:
    told = consent(box, pages=[], do="cancel")
    assert (told["error"], told["error_reason"], told["state"]) == ("access_denied", "user_denied", "s t&te")
    assert "code" not in told


def test_a_code_opens_once_for_its_own_address_and_not_for_long(box: Sandbox) -> None:
    told = consent(box, pages=[box.page_id])
    assert told["state"] == "s t&te"
    elsewhere = exchange(box, redirect_uri=BACK + "2", code=told["code"]).json()["error"]
    assert (elsewhere["code"], elsewhere["error_subcode"]) == (100, 36008)
    assert exchange(box, redirect_uri=BACK, code=told["code"]).json()["expires_in"] == 3600
    assert exchange(box, redirect_uri=BACK, code=told["code"]).json()["error"]["error_subcode"] == 36009
    late = consent(box, pages=[box.page_id])["code"]
    box.graph.clock.advance(601)
    assert exchange(box, redirect_uri=BACK, code=late).json()["error"]["error_subcode"] == 36007


def test_only_who_knows_the_secret_gets_a_token(box: Sandbox) -> None:
    code = consent(box, pages=[box.page_id])["code"]
    answer = exchange(box, redirect_uri=BACK, code=code, client_secret="x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1)
    own = exchange(box, grant_type="client_credentials").json()["access_token"]
    assert facts(box, own)["type"] == "APP"


def test_a_page_token_of_a_short_token_ends_with_it_and_one_of_a_long_token_never(box: Sandbox) -> None:
    ends = {}
    for name, parent in (
        ("short", short_token(box, pages=[box.page_id])),
        ("long", long_token(box, pages=[box.page_id])),
    ):
        listed = read(box, "/me/accounts", parent, fields="id,access_token")["data"]
        found = facts(box, listed[0]["access_token"])
        assert (found["type"], found["profile_id"]) == ("PAGE", box.page_id)
        ends[name] = found["expires_at"] - facts(box, parent)["issued_at"]
    assert 0 < ends["short"] <= 3600
    assert ends["long"] < 0  # 0 stands for never


def test_a_short_token_that_ended_is_not_exchanged(box: Sandbox) -> None:
    token = short_token(box, pages=[box.page_id])
    box.graph.clock.advance(3601)
    error = exchange(box, grant_type="fb_exchange_token", fb_exchange_token=token).json()["error"]
    assert (error["code"], error["error_subcode"]) == (190, 463)


def test_a_rule_leaves_out_how_long_a_token_lives(box: Sandbox) -> None:
    box.graph.rules.omit_expires_in = True
    token = short_token(box, pages=[box.page_id])
    answer = exchange(box, grant_type="fb_exchange_token", fb_exchange_token=token).json()
    assert set(answer) == {"access_token", "token_type"}


def test_what_was_not_ticked_is_declined_and_its_page_has_no_token(box: Sandbox) -> None:
    token = long_token(box, pages=[box.page_id], scopes="pages_show_list,pages_read_engagement")
    listed = {each["id"]: each for each in read(box, "/me/accounts", token)["data"]}
    assert "access_token" in listed[box.page_id]
    assert "access_token" not in listed[box.pages[1].id]
    said = {each["permission"]: each["status"] for each in read(box, "/me/permissions", token)["data"]}
    assert said == {
        "pages_show_list": "granted",
        "pages_read_engagement": "granted",
        "public_profile": "granted",
        "pages_manage_posts": "declined",
    }
    assert facts(box, token)["granular_scopes"][0] == {"scope": "pages_show_list", "target_ids": [box.page_id]}


def test_the_list_of_pages_comes_in_parts(box: Sandbox) -> None:
    token = long_token(box, pages=[page.id for page in box.pages])
    first = read(box, "/me/accounts", token, limit="1")
    assert token in first["paging"]["next"]
    second = read(box, "/me/accounts", token, limit="1", after=first["paging"]["cursors"]["after"])
    assert [each["id"] for each in first["data"] + second["data"]] == [page.id for page in box.pages]
    assert "next" not in second["paging"]


def test_a_page_of_a_portfolio_is_listed_there_alone(box: Sandbox) -> None:
    box.graph.rules.portfolio = {box.page_id: "owned_pages"}
    scopes = SCOPES + ",business_management"
    code = consent_with(box, scopes)
    token = exchange(box, redirect_uri=BACK, code=code).json()["access_token"]
    assert [each["id"] for each in read(box, "/me/accounts", token)["data"]] == [box.pages[1].id]
    (business,) = read(box, "/me/businesses", token)["data"]
    assert [each["id"] for each in read(box, f"/{business['id']}/owned_pages", token)["data"]] == [box.page_id]
    assert read(box, f"/{business['id']}/client_pages", token)["data"] == []


def consent_with(box: Sandbox, scopes: str) -> str:
    form = [("page", page.id) for page in box.pages] + [("scope", scope) for scope in scopes.split(",")]
    answer = requests.post(
        dialog(box, scope=scopes), data=[*form, ("do", "continue")], allow_redirects=False, timeout=10
    )
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_a_dead_user_token_takes_its_page_tokens_with_it(box: Sandbox) -> None:
    parent = long_token(box, pages=[box.page_id])
    child = read(box, "/me/accounts", parent)["data"][0]["access_token"]
    box.graph.tokens.kill(parent, 460)
    found = facts(box, child)
    assert (found["is_valid"], found["error"]["subcode"]) == (False, 460)


def test_the_clock_of_data_access_runs_from_the_consent(box: Sandbox) -> None:
    parent = long_token(box, pages=[box.page_id])
    box.graph.clock.advance(86400)
    child = read(box, "/me/accounts", parent)["data"][0]["access_token"]
    assert facts(box, child)["data_access_expires_at"] == facts(box, parent)["data_access_expires_at"]


def test_a_timed_proof_is_good_for_five_minutes(box: Sandbox) -> None:
    def asked(made_at: int) -> Any:
        said = f"{box.page_token}|{made_at}"
        proof = hmac.new(box.app_secret.encode(), said.encode(), hashlib.sha256).hexdigest()
        return read(box, "/me", box.page_token, appsecret_proof=proof, appsecret_time=str(made_at))

    now = int(box.graph.clock.now().timestamp())
    assert asked(now - 200)["id"] == box.page_id
    assert asked(now - 400)["error"]["code"] == 100


def test_a_system_user_lists_pages_and_its_token_never_ends(box: Sandbox) -> None:
    now = box.graph.clock.now()
    token = box.graph.tokens.issue(Kind.SYSTEM, now=now, user_id=box.graph.world.user.id)
    assert [each["id"] for each in read(box, "/me/accounts", token)["data"]] == [page.id for page in box.pages]
    assert facts(box, token)["expires_at"] == 0


def test_the_journal_keeps_no_code_and_no_token(box: Sandbox) -> None:
    code = consent(box, pages=[box.page_id])["code"]
    token = exchange(box, redirect_uri=BACK, code=code).json()["access_token"]
    exchange(box, grant_type="fb_exchange_token", fb_exchange_token=token)
    kept = repr(box.graph.journal)
    assert "access_token" in kept
    assert not any(secret in kept for secret in (code, token, box.app_secret))

"""A second client written by others, for the real Graph API: it works against the sandbox, which its session leads to."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import facebook
import pytest
import requests
from requests.adapters import HTTPAdapter

from outreach.sandbox import Sandbox
from outreach.sandbox.tokens import Kind

from .clients import PNG, media
from .conftest import NOON


class _ToSandbox(HTTPAdapter):
    """Sends what is meant for Facebook to a sandbox."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__()
        self._where = box.graph_url

    def send(self, request: requests.PreparedRequest, *more: Any, **named: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://graph.facebook.com", self._where)
        return super().send(request, *more, **named)


def an_api(box: Sandbox, token: str) -> facebook.GraphAPI:
    session = requests.Session()
    session.mount("https://graph.facebook.com", _ToSandbox(box))
    return facebook.GraphAPI(access_token=token, version="3.1", timeout=30, session=session)


@pytest.fixture
def api(box: Sandbox) -> Iterator[facebook.GraphAPI]:
    made = an_api(box, box.page_token)
    yield made
    made.session.close()


def test_it_posts_and_reads_back(box: Sandbox, api: facebook.GraphAPI) -> None:
    post_id = api.put_object(box.page_id, "feed", message="Grüße / ☀", link="https://example.org/a")["id"]
    read = api.get_object(post_id, fields="message,created_time,permalink_url")
    assert (read["message"], read["id"]) == ("Grüße / ☀", post_id)
    assert [post.link for post in box.graph.public_posts()] == ["https://example.org/a"]


def test_it_uploads_a_picture_and_posts_staged_ones(box: Sandbox, api: facebook.GraphAPI) -> None:
    shown = api.put_photo(BytesIO(PNG), album_path=f"{box.page_id}/photos", caption="Look", alt_text_custom="A poster")
    assert shown["post_id"].startswith(f"{box.page_id}_")
    staged = api.put_photo(BytesIO(PNG), album_path=f"{box.page_id}/photos", published="false")["id"]
    api.put_object(box.page_id, "feed", message="Two", attached_media=media(staged))
    assert [(p.message, len(p.pictures)) for p in box.graph.public_posts()] == [("Look", 1), ("Two", 1)]


def test_it_comments_and_deletes(box: Sandbox, api: facebook.GraphAPI) -> None:
    post_id = api.put_object(box.page_id, "feed", message="x")["id"]
    comment_id = api.put_comment(post_id, "First")["id"]
    assert [c["id"] for c in api.get_connections(post_id, "comments")["data"]] == [comment_id]
    assert api.delete_object(post_id) == {"success": True}
    with pytest.raises(facebook.GraphAPIError, match="does not exist"):
        api.delete_object(post_id)


def test_it_walks_a_list_to_its_end_over_empty_pages_too(box: Sandbox, api: facebook.GraphAPI) -> None:
    ids = [api.put_object(box.page_id, "feed", message=str(n))["id"] for n in range(7)]
    box.graph.rules.hollow_pages = 2
    walked = api.get_all_connections(box.page_id, "published_posts", limit=3, fields="id")
    assert [entry["id"] for entry in walked] == ids[::-1]


def test_it_reads_several_objects_at_once(box: Sandbox, api: facebook.GraphAPI) -> None:
    ids = [api.put_object(box.page_id, "feed", message=str(n))["id"] for n in range(2)]
    read = api.get_objects(ids, fields="message")
    assert {each["message"] for each in read.values()} == {"0", "1"}


def test_it_lists_the_pages_of_a_person(box: Sandbox) -> None:
    api = an_api(box, box.user_token)
    (page,) = api.get_connections("me", "accounts")["data"]
    assert (page["id"], page["access_token"]) == (box.page_id, box.page_token)
    api.session.close()


def test_it_extends_a_short_token_of_a_person(box: Sandbox) -> None:
    short = box.graph.tokens.issue(Kind.USER, now=NOON, user_id=box.graph.world.user.id, lives=timedelta(hours=1))
    api = an_api(box, short)
    extended = api.extend_access_token(box.app_id, box.app_secret)
    assert (extended["token_type"], extended["expires_in"] > 5_000_000) == ("bearer", True)
    facts = api.debug_access_token(extended["access_token"], box.app_id, box.app_secret)["data"]
    assert (facts["type"], facts["is_valid"]) == ("USER", True)
    api.session.close()


def test_it_inspects_a_token(box: Sandbox, api: facebook.GraphAPI) -> None:
    facts = api.debug_access_token(box.page_token, box.app_id, box.app_secret)["data"]
    assert (facts["type"], facts["is_valid"], facts["profile_id"]) == ("PAGE", True, box.page_id)


def test_it_is_told_the_version_that_served_it(api: facebook.GraphAPI) -> None:
    assert api.get_version() == "21.0"


@pytest.mark.parametrize("name", ["190_463", "100", "368_1390008", "506", "80001", "4"])
def test_errors_come_as_its_own_exception_with_their_code(box: Sandbox, api: facebook.GraphAPI, name: str) -> None:
    box.graph.fail_with(name)
    with pytest.raises(facebook.GraphAPIError) as refused:
        api.put_object(box.page_id, "feed", message="x")
    inner = refused.value.result["error"]
    assert refused.value.code == int(name.partition("_")[0])
    assert str(inner.get("error_subcode", "")) == name.partition("_")[2]
    assert refused.value.message == inner["message"]


def test_it_sends_the_proof_as_a_parameter(box: Sandbox, api: facebook.GraphAPI) -> None:
    box.graph.rules.require_proof = True
    with pytest.raises(facebook.GraphAPIError, match="appsecret_proof"):
        api.put_object(box.page_id, "feed", message="x")
    proof = hmac.new(box.app_secret.encode(), box.page_token.encode(), hashlib.sha256).hexdigest()
    assert api.put_object(box.page_id, "feed", message="x", appsecret_proof=proof)["id"]


def test_a_token_of_a_person_is_refused_as_facebook_does(box: Sandbox) -> None:
    token = box.graph.tokens.issue(Kind.USER, now=box.graph.clock.now(), user_id=box.graph.world.user.id)
    api = an_api(box, token)
    with pytest.raises(facebook.GraphAPIError, match="as the page itself"):
        api.put_object(box.page_id, "feed", message="x")
    api.session.close()


def test_what_it_reads_is_what_it_was_sent_in_any_writing(box: Sandbox, api: facebook.GraphAPI) -> None:
    text = json.loads('"\\u0645\\u0631\\u062d\\u0628\\u0627 / \\ud83c\\udf1e"')
    post_id = api.put_object(box.page_id, "feed", message=text)["id"]
    assert api.get_object(post_id)["message"] == text

"""A client written by others, for the real Graph API, works against the sandbox unchanged."""

from collections.abc import Iterator
from datetime import timedelta

import pyfacebook
import pytest

from outreach.sandbox import Sandbox
from outreach.sandbox.tokens import Kind

from .clients import PNG
from .conftest import NOON


@pytest.fixture
def client(box: Sandbox) -> Iterator[pyfacebook.GraphAPI]:
    api = pyfacebook.GraphAPI(
        access_token=box.page_token, app_secret=box.app_secret, version="v24.0", base_url=f"{box.graph_url}/"
    )
    yield api
    api.session.close()


def test_it_publishes_and_reads_a_post_with_proof(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    box.graph.rules.require_proof = True
    post_id = client.post_object(box.page_id, connection="feed", data={"message": "Grüße"})["id"]
    assert client.get_object(post_id, fields="message,permalink_url")["message"] == "Grüße"
    assert box.graph.public_posts()[0].id == post_id


def test_it_walks_a_list_by_the_next_addresses(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    ids = [client.post_object(box.page_id, connection="feed", data={"message": str(n)})["id"] for n in range(7)]
    listed = client.get_full_connections(box.page_id, "published_posts", count=None, limit=3, fields="id")
    assert [entry["id"] for entry in listed["data"]] == ids[::-1]


def test_it_reads_several_objects_at_once(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    ids = [client.post_object(box.page_id, connection="feed", data={"message": str(n)})["id"] for n in range(2)]
    assert set(client.get_objects(",".join(ids), fields="message")) == set(ids)


def test_it_uploads_a_picture(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    client.post_object(box.page_id, connection="photos", data={"caption": "Look"}, files={"source": ("a.png", PNG)})
    assert box.graph.public_posts()[0].message == "Look"


def test_it_deletes_a_post(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    post_id = client.post_object(box.page_id, connection="feed", data={"message": "x"})["id"]
    assert client.delete_object(post_id) == {"success": True}
    assert box.graph.public_posts() == []


def test_it_understands_errors_and_usage(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    box.graph.fail_with("190_460")
    with pytest.raises(pyfacebook.FacebookError) as refused:
        client.post_object(box.page_id, connection="feed", data={"message": "x"})
    assert (refused.value.code, refused.value.error_subcode) == (190, 460)


def test_it_inspects_a_token(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    facts = client.debug_token(input_token=box.page_token, access_token=box.app_token)
    assert facts["data"]["profile_id"] == box.page_id


def test_it_comments(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    post_id = client.post_object(box.page_id, connection="feed", data={"message": "x"})["id"]
    comment = client.post_object(post_id, connection="comments", data={"message": "First"})["id"]
    listed = client.get_connection(post_id, connection="comments", fields="id,message")
    assert [entry["id"] for entry in listed["data"]] == [comment]


def test_it_walks_over_empty_pages(box: Sandbox, client: pyfacebook.GraphAPI) -> None:
    ids = [client.post_object(box.page_id, connection="feed", data={"message": str(n)})["id"] for n in range(5)]
    box.graph.rules.hollow_pages = 2
    listed = client.get_full_connections(box.page_id, "published_posts", count=None, limit=3, fields="id")
    assert [entry["id"] for entry in listed["data"]] == ids[::-1]


@pytest.mark.parametrize("name", ["100", "190", "190_492", "10", "200", "4", "80001", "368_1404006", "1366046", "803"])
def test_errors_come_as_its_own_exception(box: Sandbox, client: pyfacebook.GraphAPI, name: str) -> None:
    box.graph.fail_with(name)
    with pytest.raises(pyfacebook.FacebookError) as refused:
        client.post_object(box.page_id, connection="feed", data={"message": "x"})
    assert f"{refused.value.code}_{getattr(refused.value, 'error_subcode', None)}".removesuffix("_None") == name


def test_it_exchanges_a_short_token_of_a_person_for_a_long_one(box: Sandbox) -> None:
    short = box.graph.tokens.issue(Kind.USER, now=NOON, user_id=box.graph.world.user.id, lives=timedelta(hours=1))
    api = pyfacebook.GraphAPI(
        app_id=box.app_id, app_secret=box.app_secret, access_token=short, version="v24.0", base_url=f"{box.graph_url}/"
    )
    api.access_token_url = f"{box.graph_url}/oauth/access_token"  # the one address that it does not make of its base
    assert api.exchange_long_lived_user_access_token()["access_token"] != short
    api.session.close()

"""Subscriptions, and the sender of webhooks: verification, signatures over the very bytes, repeats, order, this machine only."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from outreach.sandbox import Sandbox
from outreach.sandbox.audience import engage
from tests.channels.servers import RawServer, Visit, answering, http

from .clients import Caller, error_of
from .test_control import control, shown


@pytest.fixture
def taking() -> Iterator[RawServer]:
    """A server that answers each challenge and takes each event."""

    def act(visit: Visit) -> None:
        visit.read_request()
        asked = parse_qs(urlsplit(visit.received.split(b" ")[1].decode()).query)
        visit.say(http(asked.get("hub.challenge", ["EVENT_RECEIVED"])[0].encode()))

    with RawServer(act) as server:
        yield server


def body_of(visit: Visit) -> bytes:
    return visit.received.partition(b"\r\n\r\n")[2]


def test_a_subscription_replaces_the_one_before(box: Sandbox, call: Caller) -> None:
    where = f"{box.page_id}/subscribed_apps"
    assert call.get(where).json() == {"data": []}
    assert call.post(where, subscribed_fields="feed,mention").json() == {"success": True}
    assert call.post(where, subscribed_fields="name").json() == {"success": True}

    [app] = call.get(where).json()["data"]
    assert (app["id"], app["subscribed_fields"]) == (box.app_id, ["name"])


def test_a_subscription_ends(box: Sandbox, call: Caller) -> None:
    where = f"{box.page_id}/subscribed_apps"
    call.post(where, subscribed_fields="feed")
    assert call.delete(where).json() == {"success": True}
    assert call.get(where).json() == {"data": []}


def test_a_subscription_needs_fields_that_exist_and_a_permission(box: Sandbox, call: Caller) -> None:
    where = f"{box.page_id}/subscribed_apps"
    assert error_of(call.post(where))[1] == 100
    assert error_of(call.post(where, subscribed_fields="colours"))[1] == 100
    box.graph.tokens.narrow(box.page_token, "pages_manage_metadata")
    assert error_of(call.post(where, subscribed_fields="feed"))[1] == 200


def test_an_address_is_verified_by_its_challenge(box: Sandbox, taking: RawServer) -> None:
    assert box.webhooks.verify(f"{taking.url}/hook", "a word") is True
    with RawServer(answering(http(b"no", status="403 Forbidden"))) as deaf:
        assert box.webhooks.verify(f"{deaf.url}/hook", "a word") is False


def test_both_signatures_are_over_the_escaped_bytes(box: Sandbox, call: Caller, taking: RawServer) -> None:
    post = call.publish("Jahrestagung in Köln: https://example.org/")
    box.webhooks.send(f"{taking.url}/hook", box.webhooks.body([box.webhooks.event(post)]))

    [visit] = taking.visits
    body, head = body_of(visit), visit.received.decode("latin-1")
    assert b"K\\u00f6ln: https:\\/\\/example.org\\/" in body
    for header, way in (("X-Hub-Signature-256: sha256=", hashlib.sha256), ("X-Hub-Signature: sha1=", hashlib.sha1)):
        assert header + hmac.new(box.app_secret.encode(), body, way).hexdigest() in head
    [entry] = json.loads(body)["entry"]
    [change] = entry["changes"]
    assert (entry["id"], change["field"], change["value"]["post_id"]) == (box.page_id, "feed", post)


def test_a_comment_names_its_post_and_who_wrote_it(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    engage(box.graph.world, post, comments=["When?"], by="A student")
    value = box.webhooks.event(next(iter(box.graph.world.audience.visitors)))["value"]
    assert (value["item"], value["post_id"], value["from"]["name"]) == ("comment", post, "A student")


def test_it_repeats_itself_and_tries_again_and_turns_the_order_round(box: Sandbox, call: Caller) -> None:
    first, second = call.publish("first"), call.publish("second")
    seen: list[str] = []

    def act(visit: Visit) -> None:
        visit.read_request()
        seen.append(json.loads(body_of(visit))["entry"][0]["changes"][0]["value"]["post_id"])
        visit.say(http(b"", status="500 Oops" if len(seen) == 1 else "200 OK"))

    with RawServer(act) as server:
        asked = {"url": f"{server.url}/hook", "nodes": [first, second], "times": 2, "reverse": True}
        assert control(box, "webhook", **asked).ok
    assert seen == [second, second, second, first, first]
    assert [line["status"] for line in shown(box, "webhooks")] == [500, 200, 200, 200, 200]


def test_nothing_is_sent_beyond_this_machine(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        box.webhooks.send("http://example.org/hook", b"{}")
    assert control(box, "webhook", url="http://192.0.2.1/hook", verify_token="x").status_code == 400

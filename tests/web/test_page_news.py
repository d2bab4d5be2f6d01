"""The address to which Facebook tells: the challenge, signatures over the very bytes, and everything forged, huge or odd."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.model import BadInput
from outreach.roles import Role
from outreach.sandbox import Clock, Sandbox
from outreach.settings import read_settings
from tests.builders import NOW, column
from tests.doors.place import Place
from tests.sandbox.clients import Caller
from tests.web.visitors import member
from tests.work.clocks import StillClock

WORD = "a-word-of-our-own"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOW)) as running:
        yield running


@pytest.fixture
def house(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    place = Place(tmp_path, box, database=migrated_file)
    made = House(read_settings(place.settings | {"FACEBOOK_WEBHOOK_VERIFY_TOKEN": WORD}), StillClock())
    _ = made.desk
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def hook(address: str) -> str:
    return f"{address}/hooks/facebook"


def kept(house: House) -> list[str]:
    return column(house.store, "SELECT body FROM hook_events ORDER BY id")


def an_event(box: Sandbox, text: str = "Jahrestagung in Köln: https://example.org/") -> bytes:
    return box.webhooks.body([box.webhooks.event(Caller(box).publish(text))])


def test_the_challenge_is_answered_bare(box: Sandbox, hook: str) -> None:
    assert box.webhooks.verify(hook, WORD) is True


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"hub.verify_token": "another"}, 403),
        ({"hub.verify_token": ""}, 403),
        ({"hub.verify_token": "é"}, 403),
        ({"hub.mode": "unsubscribe"}, 403),
        ({"hub.mode": ""}, 403),
        ({"hub.challenge": ""}, 403),
        ({"hub.challenge": "<script>alert(1)</script>"}, 403),
        ({"hub.challenge": "1" * 201}, 403),
        ({}, 200),
    ],
)
def test_only_who_knows_the_word_is_answered(hook: str, changes: dict[str, str], status: int) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "123", "hub.verify_token": WORD} | changes
    answer = requests.get(hook, params=asked, timeout=30)
    assert (answer.status_code, WORD in answer.text) == (status, False)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_signed_event_is_kept_as_it_came(box: Sandbox, house: House, hook: str) -> None:
    body = an_event(box)
    assert box.webhooks.send(hook, body) == [200]
    assert kept(house) == [body.decode()]
    assert rb"K\u00f6ln: https:\/\/" in body


def test_a_repeat_is_taken_and_kept_once(box: Sandbox, house: House, hook: str) -> None:
    assert box.webhooks.send(hook, an_event(box), times=3) == [200, 200, 200]
    assert len(kept(house)) == 1


def test_what_is_forged_is_turned_away(box: Sandbox, house: House, hook: str) -> None:
    body = an_event(box)
    good = box.webhooks.signatures(body)
    forged: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body, {"X-Hub-Signature": good["X-Hub-Signature"]}),
        (body, box.webhooks.signatures(body, secret="another")),
        (body + b"\n", good),
        (json.dumps(json.loads(body)).encode(), good),  # the same, written otherwise
        (body, {"X-Hub-Signature-256": "sha256=" + "0" * 64}),
    ]
    assert [box.webhooks.send(hook, raw, headers=headers) for raw, headers in forged] == [[403]] * len(forged)
    assert kept(house) == []


def test_what_is_huge_is_turned_away(box: Sandbox, house: House, hook: str) -> None:
    assert box.webhooks.send(hook, b" " * 256_001) == [413]
    body = b" " * 2_000_000
    assert requests.post(hook, data=body, headers=box.webhooks.signatures(body), timeout=30).status_code == 413
    assert kept(house) == []


@pytest.mark.parametrize("raw", [b"{}", b"[", b"null", b"\x00", b"[" * 50_000, b'{"a":"\\u0000"}'])
def test_what_is_signed_and_odd_is_taken_and_makes_nothing(box: Sandbox, house: House, hook: str, raw: bytes) -> None:
    assert box.webhooks.send(hook, raw) == [200]
    [errand] = [each for each in house.errands("a worker") if each.name == "page news"]
    assert errand.do() == 1
    assert kept(house) == [""]
    assert column(house.store, "SELECT id FROM sightings") == []


def test_bytes_that_are_no_text_are_refused(box: Sandbox, house: House, hook: str) -> None:
    assert box.webhooks.send(hook, b"\xff\xfe") == [400]


def test_no_browser_of_another_site_gets_in(box: Sandbox, hook: str, house: House) -> None:
    body = an_event(box)
    headers = box.webhooks.signatures(body) | {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "cross-site"}
    assert box.webhooks.send(hook, body, headers=headers) == [403]


def test_a_body_that_does_not_end_keeps_nobody_waiting(box: Sandbox, house: House, address: str, hook: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /hooks/facebook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
        assert box.webhooks.send(hook, an_event(box)) == [200]
    assert len(kept(house)) == 1


def test_without_the_setting_there_is_nothing(tmp_path: Path, migrated_file: Path, box: Sandbox) -> None:
    place = Place(tmp_path, box, database=migrated_file)
    house = House(read_settings(place.settings), StillClock())
    with served(create(house)) as address:
        hook = f"{address}/hooks/facebook"
        asked = {"hub.mode": "subscribe", "hub.challenge": "123", "hub.verify_token": ""}
        assert requests.get(hook, params=asked, timeout=30).status_code == 404
        assert box.webhooks.send(hook, an_event(box)) == [404]
    assert [each for each in house.errands("a worker") if each.name == "page news"] == []
    house.close()


def test_the_setting_needs_the_apps_secret(box: Sandbox, tmp_path: Path) -> None:
    given: dict[str, Any] = Place(tmp_path, box).settings | {"FACEBOOK_WEBHOOK_VERIFY_TOKEN": WORD}
    with pytest.raises(BadInput, match="nobody can tell who sends to the webhook"):
        read_settings(given | {"FACEBOOK_APP_SECRET": ""})


# The channel's page


def test_a_button_lets_facebook_tell(box: Sandbox, house: House, address: str) -> None:
    ann = member(house, address)
    page = ann.get("/channels").text
    assert "/hooks/facebook</code>" in page
    assert WORD not in page
    assert ann.post("/channels/facebook/follow").status_code == 200
    assert box.graph.world.subscribed[box.page_id] == ("feed",)
    assert column(house.store, "SELECT note FROM events WHERE kind = 'follow channel'") == ["feed"]


def test_what_keeps_facebook_from_telling_is_said(box: Sandbox, house: House, address: str) -> None:
    box.graph.tokens.narrow(box.page_token, "pages_manage_metadata")
    page = member(house, address).post("/channels/facebook/follow").text
    assert "pages_manage_metadata" in page
    assert (
        "does not tell anything by itself"
        in member(house, address, "ben@example.org").post("/channels/listserv/follow").text
    )


def test_who_may_only_read_has_no_button(house: House, address: str) -> None:
    guest = member(house, address, "cleo@example.org", roles=frozenset({Role.APPROVER}))
    assert "Let Facebook tell us" not in guest.get("/channels").text
    assert guest.post("/channels/facebook/follow").status_code == 403

"""What a Page's webhook says, of every shape; who may say it; and asking Facebook to say it, without losing what else it says."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from outreach.channels import HearsNews
from outreach.channels._page_news import read
from outreach.model import BadInput
from outreach.reach import News, NewsKind
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.audience import engage
from tests.builders import a_content
from tests.channels.builders import NOON, SECRET, a_page, the_page
from tests.channels.servers import RawServer, answering, http
from tests.sandbox.clients import Caller

PAGE = "1234567890"
VALUE = {
    "item": "status", "verb": "add", "post_id": f"{PAGE}_7", "from": {"id": PAGE, "name": "TMM SIG"},
    "message": "Poster session", "created_time": 1_795_000_000, "published": 1,
}  # fmt: skip


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOON)) as running:
        yield running


def body(*values: Any, wrapped: bool = False, entry: Mapping[str, Any] | None = None) -> bytes:
    told = {"id": PAGE, "time": 1, "changes": [{"field": "feed", "value": value} for value in values]}
    whole = {"object": "page", "entry": [told | dict(entry or {})]}
    return json.dumps([whole] if wrapped else whole).encode()


def test_what_the_sandbox_sends_is_read(box: Sandbox) -> None:
    post = Caller(box).publish("Jahrestagung in Köln: https://example.org/")
    raw = box.webhooks.body([box.webhooks.event(post)])
    page = the_page(box)
    assert isinstance(page, HearsNews)
    assert page.is_genuine(raw, {name.lower(): value for name, value in box.webhooks.signatures(raw).items()})
    assert page.news(raw) == [News(NewsKind.POST, post, "Jahrestagung in Köln: https://example.org/", NOON)]


def test_a_comment_is_a_response_to_its_post_without_its_words(box: Sandbox) -> None:
    post = Caller(box).publish("Poster session")
    engage(box.graph.world, post, comments=["When?"])
    raw = box.webhooks.body([box.webhooks.event(next(iter(box.graph.world.comments)))])
    assert the_page(box).news(raw) == [News(NewsKind.RESPONSE, post, "", NOON)]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("published", [1, True, "1", "true", None, 1.0])
def test_the_whole_may_stand_in_an_array_and_published_is_a_number_or_a_bool(wrapped: bool, published: object) -> None:
    [news] = read(body(VALUE | {"published": published}, wrapped=wrapped), PAGE)
    assert news == News(NewsKind.POST, f"{PAGE}_7", "Poster session", datetime.fromtimestamp(1_795_000_000, UTC))


@pytest.mark.parametrize(
    "changes",
    [
        {"published": 0},
        {"published": False},
        {"published": "0"},
        {"verb": "edit"},
        {"verb": "remove"},
        {"from": {"id": "99", "name": "A visitor"}},
        {"post_id": "not an id"},
        {"post_id": ["1_2"]},
        {"post_id": None},
        {"verb": None},
    ],
)
def test_what_is_no_post_of_ours_is_no_news(changes: dict[str, Any]) -> None:
    assert read(body(VALUE | changes), PAGE) == []


def test_a_batch_is_read_in_its_order_and_a_bad_part_spoils_no_other() -> None:
    values = [VALUE, None, "text", VALUE | {"post_id": 3}, {"item": "reaction", "verb": "add", "post_id": f"{PAGE}_9"}]
    assert [news.remote_id for news in read(body(*values), PAGE)] == [f"{PAGE}_7", "3", f"{PAGE}_9"]


def test_what_is_told_of_another_page_is_nobodys() -> None:
    assert read(body(VALUE, entry={"id": "99"}), PAGE) == []
    assert len(read(body(VALUE, entry={"id": int(PAGE)}), PAGE)) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"null", b"[]", b"3", b'"page"', b"[[[]]]", b'{"object":"page"}', b'{"object":"page","entry":{}}',
        b'{"object":"user","entry":[{"id":"1234567890"}]}', b'{"object":"page","entry":[3,{"id":"1234567890","changes":3}]}',
        b'{"object":"page","entry":[{"id":"1234567890","changes":[{"field":"feed"},{"field":"name","value":{}}]}]}',
        b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_makes_no_sense_tells_nothing(raw: bytes) -> None:
    assert read(raw, PAGE) == []


@pytest.mark.parametrize("at", ["soon", 10**30, -(10**30), True, [], "2026-13-01", float("inf")])
def test_a_time_that_makes_no_sense_is_none(at: object) -> None:
    raw = body(VALUE | {"created_time": at})
    assert [news.at for news in read(raw, PAGE)] == [None]


def test_a_body_of_thousands_is_read_to_a_point() -> None:
    assert len(read(body(*[VALUE] * 2000), PAGE)) == 500


def test_only_who_holds_the_apps_secret_is_genuine(box: Sandbox) -> None:
    raw, page = body(VALUE), a_page("http://127.0.0.1:1")
    good = {name.lower(): value for name, value in box.webhooks.signatures(raw, secret=SECRET).items()}
    sha1, sha256 = good["x-hub-signature"], good["x-hub-signature-256"]
    assert page.is_genuine(raw, good)
    assert page.is_genuine(raw, {"x-hub-signature-256": sha256})
    assert not page.is_genuine(raw + b" ", good)
    assert not page.is_genuine(raw, {"x-hub-signature": sha1})  # SHA-1 alone does not do
    for odd in ("", "sha256=", sha256[7:], sha256[:-1], f"{sha256}0", f"sha1={sha256[7:]}", f"{sha256},{sha256}", "é"):
        assert not page.is_genuine(raw, {"x-hub-signature-256": odd})
    other = box.webhooks.signatures(raw, secret="another")["X-Hub-Signature-256"]
    assert not page.is_genuine(raw, {"x-hub-signature-256": other})


def test_without_a_secret_nobody_is_genuine(box: Sandbox) -> None:
    raw = body(VALUE)
    empty = box.webhooks.signatures(raw, secret=" ")["X-Hub-Signature-256"]
    assert not a_page("http://127.0.0.1:1", FACEBOOK_APP_SECRET="").is_genuine(raw, {"x-hub-signature-256": empty})


def test_news_are_of_a_post_when_they_say_what_it_was_to_say() -> None:
    page, content = a_page("http://127.0.0.1:1"), a_content(text="Café\n\nJoin us.")
    news = News(NewsKind.POST, "1_2", "Cafe\u0301\r\n\r\nJoin us. ", None)
    assert page.is_news_of(news, content)
    assert not page.is_news_of(News(NewsKind.POST, "1_2", "Join us.", None), content)
    assert not page.is_news_of(News(NewsKind.POST, "1_2", "", None), a_content(text=""))
    assert not page.is_news_of(news, a_content(text="Café\n\nJoin us.", does="edit", on="1_2"))


# Asking for it


def test_following_keeps_what_else_is_told(box: Sandbox) -> None:
    Caller(box).post(f"{box.page_id}/subscribed_apps", subscribed_fields="mention,name")
    page = the_page(box, FACEBOOK_APP_ID=box.app_id)
    assert page.follow() == ("mention", "name", "feed")
    assert box.graph.world.subscribed[box.page_id] == ("mention", "name", "feed")


def test_following_twice_writes_once(box: Sandbox) -> None:
    page = the_page(box)
    assert (page.follow(), page.follow()) == (("feed",), ("feed",))
    assert sum(entry.wrote for entry in box.graph.journal) == 1


def test_success_may_be_a_text(box: Sandbox) -> None:
    box.graph.rules.success_is_text = True
    assert the_page(box).follow() == ("feed",)


def test_a_list_that_cannot_be_read_is_not_replaced(box: Sandbox) -> None:
    box.graph.fail("subscribed_apps", "500-2", times=1, method="GET")
    with pytest.raises(BadInput, match="Facebook did not take it"):
        the_page(box).follow()
    assert [entry.method for entry in box.graph.journal] == ["GET"]


def test_without_the_permission_the_next_step_names_it(box: Sandbox) -> None:
    box.graph.tokens.narrow(box.page_token, "pages_manage_metadata")
    with pytest.raises(BadInput) as bad:
        the_page(box).follow()
    assert "pages_manage_metadata" in bad.value.next_step


def test_another_apps_list_is_not_taken_for_ours() -> None:
    apps = [{"id": "1", "subscribed_fields": ["name"]}, {"id": "2", "subscribed_fields": ["mention"]}]
    with (
        RawServer(answering(http(json.dumps({"data": apps}).encode()))) as server,
        pytest.raises(BadInput, match="Several apps follow"),
    ):
        a_page(server.url).follow()


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"success":false}', b'{"data":{}}'])
def test_an_answer_that_does_not_say_so_is_no_success(answer: bytes) -> None:
    with RawServer(answering(http(answer))) as server, pytest.raises(BadInput):
        a_page(server.url).follow()

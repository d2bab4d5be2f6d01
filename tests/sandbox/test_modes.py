"""Development mode, and lists whose pages are empty though they go on."""

import requests

from outreach.sandbox import Sandbox

from .clients import Caller


def test_in_development_mode_all_is_answered_as_ever_and_the_public_sees_nothing(box: Sandbox, call: Caller) -> None:
    box.graph.rules.development_mode = True
    post_id = call.publish("For role users only")
    read = call.get(post_id, fields="is_published,permalink_url").json()
    assert read["is_published"] is True
    assert call.ids() == [post_id]
    assert requests.get(read["permalink_url"], timeout=30).status_code == 404
    assert "For role users only" not in requests.get(box.page_url, timeout=30).text
    assert box.graph.public_posts() == []


def test_what_was_posted_in_development_mode_stays_unseen_when_the_app_is_live(box: Sandbox, call: Caller) -> None:
    box.graph.rules.development_mode = True
    call.publish("before")
    box.graph.rules.development_mode = False
    call.publish("after")
    assert [post.message for post in box.graph.public_posts()] == ["after"]


def test_hollow_pages_come_first_and_their_next_leads_on(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(str(n)) for n in range(3)]
    box.graph.rules.hollow_pages = 2
    pages = []
    url = call.url(f"{box.page_id}/published_posts?fields=id&limit=2&access_token={box.page_token}")
    while url:
        body = requests.get(url, timeout=30).json()
        pages.append([entry["id"] for entry in body["data"]])
        url = body["paging"].get("next")
        assert url is None or box.page_token in url
    assert pages == [[], [], ids[:0:-1], ids[:1]]


def test_a_cursor_that_is_none_is_refused_with_hollow_pages_too(box: Sandbox, call: Caller) -> None:
    box.graph.rules.hollow_pages = 2
    assert call.get(f"{box.page_id}/published_posts", after="nonsense").status_code == 400


def test_tokens_die_and_pages_are_blocked_over_the_control_interface(box: Sandbox, call: Caller) -> None:
    def do(name: str, **arguments: object) -> int:
        return requests.post(f"{box.graph_url}/_sandbox/{name}", json=arguments, timeout=30).status_code

    assert do("block", page_id=box.page_id, seconds=60) == 200
    assert call.feed(message="x").json()["error"]["code"] == 368
    assert do("advance", seconds=61) == 200
    assert do("narrow", token=box.page_token, without=["pages_manage_posts"]) == 200
    assert call.feed(message="x").json()["error"]["code"] == 200
    assert do("kill", token=box.page_token, subcode=460) == 200
    assert call.feed(message="x").json()["error"]["error_subcode"] == 460
    assert do("kill", token=box.page_token, subcode=1) == 400

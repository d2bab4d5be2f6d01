"""Reads: fields, expansion, lists in pages, several objects, lag."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from outreach.sandbox import Sandbox

from .clients import PNG, Caller, error_of, media


def test_a_post_shows_little_unless_asked(call: Caller) -> None:
    post_id = call.publish("hello")
    assert call.get(post_id).json() == {"created_time": "2026-11-24T12:00:00+0000", "message": "hello", "id": post_id}


def test_wished_fields_come_with_the_id_and_empty_ones_are_left_out(call: Caller) -> None:
    post_id = call.publish("hello")
    assert call.get(post_id, fields="message,story,shares,is_hidden").json() == {
        "id": post_id,
        "message": "hello",
        "is_hidden": False,
    }


@pytest.mark.parametrize("path", ["{post}", "{page}/published_posts"])
def test_an_unknown_field_is_refused_by_name(box: Sandbox, call: Caller, path: str) -> None:
    answer = call.get(path.format(post=call.publish("hello"), page=box.page_id), fields="id,colour")
    assert error_of(answer) == (400, 100, None)
    assert answer.json()["error"]["message"] == "(#100) Tried accessing nonexisting field (colour) on node type (Post)"


@pytest.mark.strays
def test_an_unknown_edge_is_refused_like_a_field(box: Sandbox, call: Caller) -> None:
    answer = call.get(f"{box.page_id}/sandwiches")
    assert (
        answer.json()["error"]["message"] == "(#100) Tried accessing nonexisting field (sandwiches) on node type (Page)"
    )


@pytest.mark.parametrize("fields", ["id,", "{id}", "from{id", "id)", "from{}"])
def test_a_syntax_error_in_fields_is_refused(call: Caller, fields: str) -> None:
    assert error_of(call.get(call.publish("hello"), fields=fields)) == (400, 2500, None)


def test_a_field_is_expanded(box: Sandbox, call: Caller) -> None:
    answer = call.get(call.publish("hello"), fields="from{name}").json()
    assert answer["from"] == {"name": "TMM SIG"}


def test_counts_come_without_entries(call: Caller) -> None:
    post_id = call.publish("hello")
    call.post(f"{post_id}/comments", message="first")
    fields = "shares,reactions.limit(0).summary(total_count),comments.limit(0).summary(true)"
    answer = call.get(post_id, fields=fields).json()
    assert answer["comments"] == {
        "data": [],
        "summary": {"order": "chronological", "total_count": 1, "can_comment": True},
    }
    assert answer["reactions"]["summary"]["total_count"] == 0
    assert "shares" not in answer


def test_comments_are_expanded_with_wishes_of_their_own(call: Caller) -> None:
    post_id = call.publish("hello")
    call.post(f"{post_id}/comments", message="first")
    (comment,) = call.get(post_id, fields="comments{message}").json()["comments"]["data"]
    assert set(comment) == {"id", "message"}


def test_a_link_is_an_attachment(box: Sandbox, call: Caller) -> None:
    box.graph.rules.link_cards["https://example.org/talk"] = ("The talk", "On Tuesday")
    post_id = call.publish("hello", link="https://example.org/talk")
    (attachment,) = call.get(post_id, fields="attachments{media_type,title,description,target}").json()["attachments"][
        "data"
    ]
    assert attachment["media_type"] == "link"
    assert (attachment["title"], attachment["description"]) == ("The talk", "On Tuesday")
    assert attachment["target"] == {"url": "https://example.org/talk"}


def test_a_picture_is_an_attachment_that_names_the_photo(call: Caller) -> None:
    photo_id = call.stage()
    post_id = call.publish("hello", attached_media=media(photo_id))
    (attachment,) = call.get(post_id, fields="attachments{media_type,target}").json()["attachments"]["data"]
    assert (attachment["media_type"], attachment["target"]["id"]) == ("photo", photo_id)


def test_several_pictures_are_an_album(call: Caller) -> None:
    post_id = call.publish("hello", attached_media=media(call.stage(), call.stage()))
    (attachment,) = call.get(post_id, fields="attachments{media_type,subattachments{media_type}}").json()[
        "attachments"
    ]["data"]
    assert attachment["media_type"] == "album"
    assert attachment["subattachments"] == {"data": [{"media_type": "photo"}, {"media_type": "photo"}]}


def test_a_plain_post_has_no_attachments_and_wrong_fields_of_them_are_refused(call: Caller) -> None:
    post_id = call.publish("hello")
    assert call.get(post_id, fields="attachments{media_type}").json() == {"id": post_id}
    assert error_of(call.get(post_id, fields="attachments{colour}")) == (400, 100, None)


def test_the_picture_is_served_as_it_was_uploaded(call: Caller) -> None:
    images = call.get(call.stage(), fields="images").json()["images"]
    answer = call.session.get(images[0]["source"], timeout=30)
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")


def test_lists_are_walked_page_by_page_newest_first(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(f"post {n}") for n in range(7)]
    seen, after = [], None
    for _ in range(4):
        body = call.get(f"{box.page_id}/published_posts", limit=3, **({"after": after} if after else {})).json()
        seen.append([entry["id"] for entry in body["data"]])
        if "next" not in body["paging"]:
            break
        after = body["paging"]["cursors"]["after"]
    assert seen == [ids[6:3:-1], ids[3:0:-1], ids[:1]]


def test_the_next_address_works_and_contains_the_token(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(f"post {n}") for n in range(3)]
    address = call.get(f"{box.page_id}/published_posts", limit=2, fields="id").json()["paging"]["next"]
    assert parse_qs(urlsplit(address).query)["access_token"] == [box.page_token]
    assert [entry["id"] for entry in call.session.get(address, timeout=30).json()["data"]] == ids[:1]


def test_a_list_can_be_walked_backwards(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(f"post {n}") for n in range(5)]
    last = call.get(f"{box.page_id}/published_posts", limit=3, after=cursor_of(call, box, 2)).json()
    before = call.get(f"{box.page_id}/published_posts", limit=2, before=last["paging"]["cursors"]["before"]).json()
    assert [entry["id"] for entry in last["data"]] == [ids[2], ids[1], ids[0]]
    assert [entry["id"] for entry in before["data"]] == [ids[4], ids[3]]


def cursor_of(call: Caller, box: Sandbox, count: int) -> str:
    return str(call.get(f"{box.page_id}/published_posts", limit=count).json()["paging"]["cursors"]["after"])


def test_a_cursor_survives_the_deletion_of_its_post(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(f"post {n}") for n in range(3)]
    after = cursor_of(call, box, 1)
    call.delete(ids[2])
    assert call.ids(after=after) == [ids[1], ids[0]]


def test_cursors_are_base64(box: Sandbox, call: Caller) -> None:
    call.publish("hello")
    assert base64.b64decode(cursor_of(call, box, 1), validate=True)


@pytest.mark.parametrize(
    "params", [{"limit": 101}, {"limit": "many"}, {"limit": -1}, {"after": "nonsense"}, {"after": "bm8="}]
)
@pytest.mark.strays
def test_a_bad_limit_or_cursor_is_refused(box: Sandbox, call: Caller, params: dict[str, str]) -> None:
    assert error_of(call.get(f"{box.page_id}/feed", **params)) == (400, 100, None)


def test_an_empty_list_has_no_paging(box: Sandbox, call: Caller) -> None:
    assert call.get(f"{box.page_id}/published_posts").json() == {"data": []}


@pytest.mark.parametrize("edge", ["feed", "posts", "published_posts"])
def test_all_three_lists_show_public_posts_only(call: Caller, edge: str) -> None:
    shown = call.publish("shown")
    call.publish("hidden", published="false")
    assert call.ids(edge) == [shown]


def test_several_objects_are_read_by_ids(call: Caller) -> None:
    first, second = call.publish("one"), call.publish("two")
    answer = call.get("", ids=f"{first},{second}", fields="message").json()
    assert answer == {first: {"message": "one", "id": first}, second: {"message": "two", "id": second}}


def test_an_object_that_is_not_there_is_missing(call: Caller) -> None:
    answer = call.get("123_456")
    assert error_of(answer) == (400, 100, 33)
    assert answer.json()["error"]["type"] == "GraphMethodException"


def test_a_lagging_facebook_hides_new_posts_from_reads_not_from_the_public(box: Sandbox, call: Caller) -> None:
    box.graph.rules.lag_s = 30
    post_id = call.publish("fresh")
    assert call.ids() == []
    assert error_of(call.get(post_id)) == (400, 100, 33)
    assert len(box.graph.public_posts()) == 1
    box.graph.clock.advance(30)
    assert call.ids() == [post_id]
    assert call.get(post_id).ok


def test_reading_writes_nothing(box: Sandbox, call: Caller) -> None:
    call.get(call.publish("hello"))
    assert [entry.wrote for entry in box.graph.journal] == [True, False]

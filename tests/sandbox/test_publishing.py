"""Posts, links, edits, deletions and comments."""

import json
from datetime import UTC, datetime

import pytest

from outreach.sandbox import Sandbox

from .clients import Caller, error_of


def test_a_post_becomes_public_and_the_answer_names_it(box: Sandbox, call: Caller) -> None:
    answer = call.feed(message="Tuesday 14:00 UTC", link="https://example.org/talk")
    (post,) = box.graph.public_posts()
    assert answer.json() == {"id": post.id}
    assert (post.message, post.link, post.pictures) == ("Tuesday 14:00 UTC", "https://example.org/talk", ())
    assert post.created_at == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert post.permalink_url == f"{box.page_url}/posts/{post.id.split('_')[1]}"


def test_truth_is_told_oldest_first(box: Sandbox, call: Caller) -> None:
    for message in ("one", "two", "three"):
        call.publish(message)
    assert [post.message for post in box.graph.public_posts()] == ["one", "two", "three"]


def test_ids_are_digits_that_a_float_cannot_hold(box: Sandbox, call: Caller) -> None:
    page_id, number = call.publish("hello").split("_")
    assert page_id == box.page_id
    assert page_id.isdigit()
    assert number.isdigit()
    assert str(int(float(page_id))) != page_id
    assert str(int(float(number))) != number


def test_a_post_without_anything_to_say_is_refused(box: Sandbox, call: Caller) -> None:
    assert error_of(call.feed()) == (400, 100, None)
    assert box.graph.public_posts() == []


def test_a_text_beyond_the_limit_is_refused(call: Caller) -> None:
    assert call.feed(message="a" * 63_206).ok
    answer = call.feed(message="a" * 63_207)
    assert "Name parameter too long" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("not a link", 1500),
        ("ftp://example.org/x", 1500),
        ("https://www.facebook.com/x", 1609008),
        ("https://dead.example.org/", 1609005),
    ],
)
@pytest.mark.strays
def test_a_link_nobody_can_follow_is_refused(box: Sandbox, call: Caller, link: str, code: int) -> None:
    box.graph.rules.dead_links.add("https://dead.example.org/")
    assert error_of(call.feed(message="look", link=link)) == (400, code, None)


@pytest.mark.parametrize("word", ["false", "0", "False", "no", "off"])
@pytest.mark.strays
def test_published_can_be_denied_in_every_spelling(box: Sandbox, call: Caller, word: str) -> None:
    assert call.feed(message="hidden", published=word).ok
    assert box.graph.public_posts() == []


@pytest.mark.parametrize("word", ["true", "1", "TRUE", "yes"])
@pytest.mark.strays
def test_published_can_be_affirmed_in_every_spelling(box: Sandbox, call: Caller, word: str) -> None:
    assert call.feed(message="shown", published=word).ok
    assert len(box.graph.public_posts()) == 1


@pytest.mark.strays
def test_a_word_that_is_no_boolean_is_refused(call: Caller) -> None:
    assert error_of(call.feed(message="hm", published="perhaps")) == (400, 100, None)


def test_json_with_the_boolean_as_text_is_understood(box: Sandbox, call: Caller) -> None:
    body = {"message": "hidden", "published": "false", "access_token": box.page_token}
    assert call.session.post(call.url(f"{box.page_id}/feed"), json=body, timeout=30).ok
    assert box.graph.public_posts() == []


def test_parameters_may_stand_in_the_address_of_a_post(box: Sandbox, call: Caller) -> None:
    params = {"message": "from the address", "access_token": box.page_token}
    assert call.session.post(call.url(f"{box.page_id}/feed"), params=params, timeout=30).ok
    assert box.graph.public_posts()[0].message == "from the address"


@pytest.mark.strays
def test_targeting_must_be_json(call: Caller) -> None:
    assert error_of(call.feed(message="x", targeting="{broken")) == (400, 100, None)
    assert call.feed(message="x", targeting=json.dumps({"geo_locations": {"countries": ["GB"]}})).ok


def test_broken_json_is_refused(box: Sandbox, call: Caller) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {box.page_token}"}
    answer = call.session.post(call.url(f"{box.page_id}/feed"), data="{", headers=headers, timeout=30)
    assert error_of(answer) == (400, 100, None)


def test_fields_on_a_post_are_answered_at_once(call: Caller) -> None:
    answer = call.feed(message="hello", fields="id,message,is_published").json()
    assert (answer["message"], answer["is_published"]) == ("hello", True)


def test_a_wrong_field_on_a_post_is_refused_after_the_write(box: Sandbox, call: Caller) -> None:
    assert error_of(call.feed(message="hello", fields="colour")) == (400, 100, None)
    assert len(box.graph.public_posts()) == 1
    assert box.graph.journal[-1].wrote


def test_an_edit_changes_the_text(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("Tuseday")
    assert call.post(post_id, message="Tuesday").json() == {"success": True}
    assert box.graph.public_posts()[0].message == "Tuesday"


def test_a_hidden_post_is_not_public(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("hello")
    call.post(post_id, is_hidden="true")
    assert box.graph.public_posts() == []


def test_an_unpublished_post_can_be_published_later(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("later", published="false")
    assert call.post(post_id, is_published="true").json() == {"success": True}
    assert [post.id for post in box.graph.public_posts()] == [post_id]


def test_editing_can_be_reserved_for_the_creating_app(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("mine")
    box.graph.rules.may_edit = False
    assert error_of(call.post(post_id, message="changed")) == (400, 200, None)
    assert box.graph.public_posts()[0].message == "mine"


def test_a_post_can_be_deleted_once(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("oops")
    assert call.delete(post_id).json() == {"success": True}
    assert error_of(call.delete(post_id)) == (400, 100, 33)
    assert box.graph.public_posts() == []


def test_a_post_can_be_deleted_by_method_override(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("oops")
    assert call.post(f"{post_id}?method=delete").json() == {"success": True}
    assert box.graph.public_posts() == []


def test_deletion_can_be_reserved_for_select_developers(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("stays")
    box.graph.rules.may_delete = False
    assert error_of(call.delete(post_id)) == (400, 200, None)
    assert len(box.graph.public_posts()) == 1


def test_a_comment_is_written_as_the_page(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("hello")
    comment_id = call.post(f"{post_id}/comments", message="The recording is online").json()["id"]
    (comment,) = call.get(f"{post_id}/comments").json()["data"]
    assert comment_id.startswith(post_id.split("_")[1] + "_")
    assert (comment["id"], comment["message"], comment["from"]["id"]) == (
        comment_id,
        "The recording is online",
        box.page_id,
    )


def test_an_empty_comment_is_refused(call: Caller) -> None:
    assert error_of(call.post(f"{call.publish('hello')}/comments")) == (400, 100, None)


@pytest.mark.parametrize("edge", ["published_posts", "scheduled_posts", "insights"])
@pytest.mark.strays
def test_lists_that_are_read_only_cannot_be_posted_to(box: Sandbox, call: Caller, edge: str) -> None:
    assert error_of(call.post(f"{box.page_id}/{edge}", message="x")) == (400, 100, 33)


@pytest.mark.parametrize(("rule", "expected"), [("506", (400, 506, None)), ("368_1404082", (400, 368, 1404082))])
def test_the_same_text_twice_in_a_row_can_be_refused(
    box: Sandbox, call: Caller, rule: str, expected: tuple[int, int, int]
) -> None:
    setattr(box.graph.rules, "duplicates", rule)  # noqa: B010  # the literal type is checked elsewhere
    call.publish("same")
    assert error_of(call.feed(message="same")) == expected
    assert call.feed(message="other").ok
    box.graph.clock.advance(3601)
    assert call.feed(message="other").ok


def test_posts_without_words_are_no_duplicates(box: Sandbox, call: Caller) -> None:
    box.graph.rules.duplicates = "506"
    assert call.feed(link="https://example.org/1").ok
    assert call.feed(link="https://example.org/2").ok


def test_duplicates_are_published_by_default(box: Sandbox, call: Caller) -> None:
    call.publish("same")
    call.publish("same")
    assert len(box.graph.public_posts()) == 2


def test_a_blocked_page_refuses_and_every_attempt_starts_the_block_anew(box: Sandbox, call: Caller) -> None:
    box.graph.block(box.page_id, 600)
    assert error_of(call.feed(message="x")) == (400, 368, 1390008)
    box.graph.clock.advance(599)
    assert error_of(call.feed(message="x")) == (400, 368, 1390008)
    box.graph.clock.advance(599)
    assert not call.feed(message="x").ok
    box.graph.clock.advance(601)
    assert call.feed(message="x").ok


def test_each_of_several_pages_has_its_own_posts() -> None:
    with Sandbox(pages=2) as box:
        first, second = box.pages
        Caller(box).post(f"{second.id}/feed", token=second.token, message="second only")
        assert box.graph.public_posts(first.id) == []
        assert [post.message for post in box.graph.public_posts(second.id)] == ["second only"]
        assert (first.name, second.name) == ("TMM SIG", "TMM SIG 2")

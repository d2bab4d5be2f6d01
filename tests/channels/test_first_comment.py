"""The first comment as the Page makes it and finds it: what is the same, whose it is, and what proves nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from outreach.channels import Comment
from outreach.channels.facebook_page import FacebookPage
from outreach.channels.listserv import Listserv
from outreach.extras import Extras
from outreach.model import Absent, BadInput, CannotTell, Content, Finding, Found, Problem, Published, SentPicture
from outreach.sandbox import Sandbox
from tests.channels.builders import a_list, a_wording, an_attempt, the_page


def a_post(box: Sandbox, page: FacebookPage) -> str:
    outcome = page.publish(an_attempt(page.render(a_wording())))
    assert isinstance(outcome, Published)
    return outcome.remote_id or ""


def made(page: FacebookPage, remote_id: str, text: str) -> None:
    assert isinstance(page.comment(Comment(remote_id, text, 1)), Published)


def test_it_is_plain_text_and_part_of_what_is_approved_only_where_there_is_one(box: Sandbox) -> None:
    page = the_page(box)
    bare = page.render(a_wording())
    content = page.render(a_wording(extras=Extras(first_comment="The *form*: [here](https://example.org/form)")))
    assert content.extras.first_comment == "The form: here (https://example.org/form)"
    assert bare.sha256() == Content("facebook_page", bare.text).sha256()
    assert content.sha256() != bare.sha256()
    assert replace(content, extras=Extras(first_comment="Another")).sha256() != content.sha256()


def test_the_hash_of_a_post_without_extras_is_what_it_always_was() -> None:
    content = Content("facebook_page", "Hello", "https://example.org", (SentPicture("a.jpg", "A", "0" * 64),))
    assert content.sha256() == "72bbec18fadc958ecb54d8b188ac040b28b5f515a79c381f3ee7365fda72a321"


def test_the_requests_of_a_preview_end_with_it(box: Sandbox) -> None:
    page = the_page(box)
    content = page.render(a_wording(extras=Extras(first_comment="The form")))
    requests: Any = page.describe(content, at=a_wording().due_at)["requests"]
    assert [each["url"].rpartition("/")[2] for each in requests] == ["feed", "comments"]
    assert requests[-1]["form"] == {"message": "The form"}


def test_a_list_gets_none() -> None:
    plain: Listserv = a_list(1)
    wording = a_wording()
    assert plain.render(replace(wording, extras=Extras(first_comment="The form"))) == plain.render(wording)


@pytest.mark.parametrize("text", ["x" * 8001, "Ask @[123] about it", "[it](javascript:alert)"])
def test_what_facebook_would_not_take_is_refused_with_its_place(box: Sandbox, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        the_page(box).render(a_wording(extras=Extras(first_comment=text)))
    assert refused.value.where == "first_comment"


def test_the_same_words_are_found_whatever_stands_around_them(box: Sandbox) -> None:
    page = the_page(box)
    remote_id = a_post(box, page)
    made(page, remote_id, "Another")
    assert page.find_comment(Comment(remote_id, "The form", 1)) == Absent()
    made(page, remote_id, "The form")
    finding = page.find_comment(Comment(remote_id, "  The form\r\n", 2))
    assert isinstance(finding, Found)
    assert len(finding.candidates) == 1


def test_all_comments_are_read_before_it_is_said_that_it_is_not_there(box: Sandbox) -> None:
    page = the_page(box)
    remote_id = a_post(box, page)
    for number in range(230):
        box.graph.world.add_comment(box.graph.world.posts[remote_id], f"Number {number}")
    assert page.find_comment(Comment(remote_id, "The form", 1)) == Absent()
    made(page, remote_id, "The form")
    assert isinstance(page.find_comment(Comment(remote_id, "The form", 1)), Found)


@pytest.mark.parametrize(
    "fail",
    [
        lambda box: box.graph.fail("read_comments", "500-2", times=None),
        lambda box: box.graph.fail("read_comments", "html-502", times=None),
        lambda box: box.graph.fail("read_comments", "truncated", times=None),
        lambda box: box.graph.fail("read_comments", "close", times=None),
        lambda box: box.graph.fail_with("200", "read_comments", times=None),
    ],
)
def test_a_list_that_cannot_be_read_proves_nothing(box: Sandbox, fail: Callable[[Sandbox], None]) -> None:
    page = the_page(box)
    remote_id = a_post(box, page)
    fail(box)
    finding: Finding = page.find_comment(Comment(remote_id, "The form", 1))
    assert isinstance(finding, CannotTell)


def test_a_token_without_the_permission_is_told_before_and_keeps_no_post_back(box: Sandbox) -> None:
    page = the_page(box, FACEBOOK_APP_ID=box.app_id)
    content = page.render(a_wording(extras=Extras(first_comment="The form")))
    page.check()
    assert page.check_content(content) == []
    box.graph.tokens.narrow(box.page_token, "pages_manage_engagement")
    page.check()
    [problem] = page.check_content(content)
    assert isinstance(problem, Problem)
    assert problem.is_warning
    assert "pages_manage_engagement" in problem.message
    assert page.check_content(page.render(a_wording())) == []

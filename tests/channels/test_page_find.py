"""Looking for a post on the Page: found, several, absent, or no way to tell. A wrong "absent" would post twice."""

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from outreach.channels.facebook_page import FacebookPage
from outreach.model import Absent, Attempt, CannotTell, Content, Found, Published
from outreach.sandbox import Sandbox

from .builders import NOON, a_page, a_wording, an_attempt, the_page

MINUTE = timedelta(minutes=1)


def content(text: str = "Poster session") -> Content:
    return Content("facebook_page", text)


def publish(page: FacebookPage, text: str = "Poster session") -> str:
    outcome = page.publish(an_attempt(content(text)))
    assert isinstance(outcome, Published)
    assert outcome.remote_id is not None
    return outcome.remote_id


def sought(started_at: datetime, text: str = "Poster session") -> Attempt:
    return an_attempt(content(text), started_at=started_at, first_started_at=started_at)


def found(*ids: str) -> tuple[str, ...]:
    return ids


def ids_in(finding: object) -> tuple[str, ...]:
    assert isinstance(finding, Found), finding
    return tuple(candidate.remote_id for candidate in finding.candidates)


def page_at(box: Sandbox, now: datetime, **settings: Any) -> FacebookPage:
    """The sandbox's Page, seen by a machine whose clock shows `now`."""
    values = {"FACEBOOK_PAGE_ID": box.page_id, "FACEBOOK_PAGE_TOKEN": box.page_token, "FACEBOOK_APP_SECRET": ""}
    return a_page(box.graph_url, now=lambda: now, **values | settings)


def test_a_post_whose_answer_was_lost_is_found(box: Sandbox) -> None:
    page = the_page(box)
    box.graph.fail("feed", "close")
    attempt = an_attempt(page.render(a_wording(body="Join *us*\r\n\r\n- one\r\n- two\r\n")))
    page.publish(attempt)
    [post] = box.graph.public_posts()
    finding = page.find(attempt)
    assert ids_in(finding) == found(post.id)
    assert isinstance(finding, Found)
    assert finding.candidates[0].url == post.permalink_url
    assert finding.candidates[0].created_at == NOON


def test_a_post_that_was_never_written_is_absent(box: Sandbox) -> None:
    page = the_page(box)
    publish(page, "Something else")
    box.graph.fail("feed", "close", write=False)
    page.publish(an_attempt(content()))
    assert page.find(an_attempt(content())) == Absent()


def test_two_of_them_are_both_told_oldest_first(box: Sandbox) -> None:
    page = the_page(box)
    first = publish(page)
    box.graph.clock.advance(40)
    second = publish(page)
    assert ids_in(the_page(box, FACEBOOK_PAGE_ID=box.page_id).find(sought(NOON))) == found(first, second)


def test_an_empty_list_says_nothing(box: Sandbox) -> None:
    assert the_page(box).find(an_attempt(content())) == CannotTell("the list of the Page's posts is empty")


def test_a_list_that_is_suddenly_empty_says_nothing(box: Sandbox) -> None:
    page = the_page(box)
    publish(page, "Something else")
    box.graph.fail("published_posts", "empty-list")
    assert isinstance(page.find(an_attempt(content())), CannotTell)


@pytest.mark.parametrize(
    "fault",
    ["failing-list", "500-2", "html-502", "empty-200", "success-200", "truncated", "close", "reset", "redirect"],
)
def test_a_list_that_cannot_be_had_says_nothing(box: Sandbox, fault: str) -> None:
    page = the_page(box)
    publish(page, "Something else")
    box.graph.fail("published_posts", fault)
    assert isinstance(page.find(an_attempt(content())), CannotTell)


def test_a_second_page_that_cannot_be_had_says_nothing_unless_the_first_held_it(box: Sandbox) -> None:
    page = the_page(box)
    for number in range(30):
        publish(page, f"Post {number}")
    box.graph.fail("published_posts", "500-2", after=1)
    assert isinstance(page.find(an_attempt(content())), CannotTell)
    mine = publish(page)
    box.graph.fail("published_posts", "500-2", after=1)
    assert ids_in(page.find(an_attempt(content()))) == found(mine)


def test_a_post_on_a_later_page_is_found(box: Sandbox) -> None:
    page = the_page(box)
    mine = publish(page)
    for number in range(60):
        publish(page, f"Post {number}")
    assert ids_in(page.find(an_attempt(content()))) == found(mine)


def test_the_list_is_read_back_to_the_attempt_and_not_for_ever(box: Sandbox) -> None:
    page = page_at(box, NOON + 10 * 60 * MINUTE)
    for number in range(80):
        publish(page, f"Post {number}")
    box.graph.clock.advance(10 * 3600)
    box.graph.journal.clear()
    assert page.find(sought(NOON + 10 * 60 * MINUTE)) == Absent()
    assert len(box.graph.journal) == 1


def test_a_list_that_does_not_reach_back_in_twenty_pages_says_nothing(box: Sandbox) -> None:
    page = the_page(box)
    box.graph.rules.max_message_chars = 10**6
    for number in range(501):
        box.graph.world.add_post(box.page_id, message=f"{number}", link=None, photo_ids=(), due_at=None, is_public=True)
    assert page.find(an_attempt(content())) == CannotTell("the list of the Page's posts is too long")
    mine = publish(page)
    assert ids_in(page.find(an_attempt(content()))) == found(mine)


def test_a_lagging_list_shows_it_later(box: Sandbox) -> None:
    page = the_page(box)
    publish(page, "Something else")
    mine = publish(page)
    box.graph.fail("published_posts", "lagging-list")
    assert page.find(an_attempt(content())) == Absent()  # why one look is never enough to send again
    assert ids_in(page.find(an_attempt(content()))) == found(mine)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Café", "Cafe\u0301"),
        ("a\nb\n\nc", "a\r\nb\r\n\r\nc"),
        ("a\nb", "a\rb"),
        ("a", "  a \n"),
        ("  a \n", "a"),
    ],
)
def test_what_facebook_may_do_to_a_text_is_seen_through(box: Sandbox, sent: str, shown: str) -> None:
    mine = publish(the_page(box), shown)
    assert ids_in(the_page(box).find(sought(NOON, sent))) == found(mine)


@pytest.mark.parametrize(
    "shown", ["Poster\u00a0session", "Poster  session", "POSTER SESSION.", "“Poster” session", "Postersession"]
)
def test_a_text_that_is_almost_the_same_is_for_a_person(box: Sandbox, shown: str) -> None:
    page = the_page(box)
    theirs = publish(page, shown)
    assert page.find(sought(NOON)) == CannotTell(
        f"a post that reads almost the same is there ({theirs}); is it this one?"
    )


@pytest.mark.parametrize("shown", ["Poster sessions", "The poster session", "Poster session 2", "…", ""])
def test_another_text_is_another_post(box: Sandbox, shown: str) -> None:
    page = the_page(box)
    page.publish(an_attempt(Content("facebook_page", shown, link=None if shown else "https://example.org/")))
    assert page.find(sought(NOON)) == Absent()


def test_texts_without_a_letter_are_not_all_the_same(box: Sandbox) -> None:
    page = the_page(box)
    publish(page, "🎉🎉")
    assert page.find(sought(NOON, "🎉")) == Absent()


# What was there before


def seen_later(box: Sandbox, minutes: float) -> object:
    """Publish the text, then look for an attempt of so many minutes later."""
    publish(the_page(box))
    box.graph.clock.advance(minutes * 60)
    later = NOON + minutes * MINUTE
    return page_at(box, later).find(sought(later))


def test_the_same_text_from_long_before_is_not_taken(box: Sandbox) -> None:
    assert seen_later(box, 93) == Absent()


@pytest.mark.parametrize("minutes", [3.5, 45, 91])
def test_the_same_text_from_shortly_before_is_for_a_person(box: Sandbox, minutes: float) -> None:
    finding = seen_later(box, minutes)
    assert isinstance(finding, CannotTell)
    assert "from shortly before" in finding.reason


def test_the_first_attempt_that_may_have_arrived_counts(box: Sandbox) -> None:
    mine = publish(the_page(box))
    box.graph.clock.advance(600)
    later = NOON + 10 * MINUTE
    attempt = an_attempt(content(), number=3, started_at=later, first_started_at=NOON)
    assert ids_in(page_at(box, later).find(attempt)) == found(mine)


# Clocks that disagree


@pytest.mark.parametrize("ahead", [-10, -5, 0, 5, 10])
def test_a_clock_here_that_is_wrong_is_seen_through_by_theirs(box: Sandbox, ahead: float) -> None:
    here = NOON + ahead * MINUTE
    page = page_at(box, here)
    publish(page, "Something else")
    assert page.find(sought(here)) == Absent()
    mine = publish(page)
    assert ids_in(page.find(sought(here))) == found(mine)


@pytest.mark.parametrize("ahead", [-10, 10])
def test_a_clock_that_was_put_right_between_attempt_and_look_never_makes_a_post_absent(
    box: Sandbox, ahead: float
) -> None:
    mine = publish(page_at(box, NOON + ahead * MINUTE))
    box.graph.clock.advance(12 * 60)
    finding = page_at(box, NOON + 12 * MINUTE).find(sought(NOON + ahead * MINUTE))
    assert isinstance(finding, CannotTell) or ids_in(finding) == found(mine)


def test_a_clock_that_went_back_says_nothing(box: Sandbox) -> None:
    page = page_at(box, NOON)
    publish(page, "Something else")
    assert page.find(sought(NOON + 3 * 60 * MINUTE)) == CannotTell("the clock here went back since the post was sent")


@pytest.mark.parametrize("ahead", [-16, 16, -300, 300, 60 * 24 * 400])
def test_clocks_far_apart_prove_no_absence_but_still_a_presence(box: Sandbox, ahead: float) -> None:
    here = NOON + ahead * MINUTE
    page = page_at(box, here)
    publish(page, "Something else")
    assert page.find(sought(here)) == CannotTell("the clock here and Facebook's are far apart")


@pytest.mark.parametrize(
    "date",
    [
        "",
        "today",
        "Tue, 24 Nov 2026 12:00:00 -0000",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Tue, 24 Nov 2026 12:00:00 +99999999999999",
        format_datetime(NOON - 60 * MINUTE, usegmt=True),
    ],
)
def test_without_a_date_to_go_by_nothing_is_absent(box: Sandbox, date: str) -> None:
    page = page_at(box, NOON)
    publish(page, "Something else")
    box.graph.fail("published_posts", "delay", seconds=0, headers={"Date": date})
    assert isinstance(page.find(sought(NOON)), CannotTell)


def test_without_a_date_what_is_there_is_still_found(box: Sandbox) -> None:
    page = page_at(box, NOON)
    mine = publish(page)
    box.graph.fail("published_posts", "delay", seconds=0, headers={"Date": ""})
    assert ids_in(page.find(sought(NOON))) == found(mine)

"""The card of a link is warmed before the post: once an hour, briefly, and never in the way of the post."""

import time
from datetime import timedelta

import pytest

from outreach.model import Published
from outreach.sandbox import Sandbox
from tests.channels.builders import NOON, a_wording, an_attempt, the_page

LINK = "https://example.org/abstracts"


def ops(box: Sandbox) -> list[str]:
    return [entry.op for entry in box.graph.journal]


def test_facebook_is_asked_to_read_the_page_right_before_the_post(box: Sandbox) -> None:
    page = the_page(box)
    assert isinstance(page.publish(an_attempt(page.render(a_wording(link=LINK)))), Published)
    assert ops(box) == ["scrape", "feed"]
    assert box.graph.journal[0].params == {"id": LINK, "scrape": "true"}
    assert not box.graph.journal[0].wrote


def test_it_is_asked_once_an_hour_whoever_asks(box: Sandbox) -> None:
    early = the_page(box)
    content = early.render(a_wording(link=LINK))
    early.check_content(content)
    the_page(box).publish(an_attempt(content))
    assert ops(box).count("scrape") == 1
    the_page(box, now=lambda: NOON + timedelta(minutes=61)).check_content(content)
    assert ops(box).count("scrape") == 2


def test_a_post_without_a_card_asks_nothing(box: Sandbox) -> None:
    page = the_page(box)
    page.publish(an_attempt(page.render(a_wording())))
    assert ops(box) == ["feed"]


@pytest.mark.parametrize("how", ["500-2", "close", "reset", "html-502", "empty-200", "truncated"])
def test_whatever_comes_of_it_the_post_goes_out_once_and_it_is_not_tried_again(box: Sandbox, how: str) -> None:
    page = the_page(box)
    box.graph.fail("scrape", how, times=None)
    assert isinstance(page.publish(an_attempt(page.render(a_wording(link=LINK)))), Published)
    assert ops(box) == ["scrape", "feed"]
    assert len(box.graph.public_posts()) == 1


def test_a_link_that_facebook_cannot_read_is_refused_by_the_post_itself_alone(box: Sandbox) -> None:
    box.graph.fail_with("190_463", "scrape")
    page = the_page(box)
    assert isinstance(page.publish(an_attempt(page.render(a_wording(link=LINK)))), Published)


def test_an_answer_that_never_comes_keeps_the_post_waiting_for_its_own_short_time_alone(box: Sandbox) -> None:
    page = the_page(box, FACEBOOK_GRAPH_VERSION="v25.0", OUTREACH_HTTP_TIMEOUT_S="1")
    box.graph.fail("scrape", "hang", seconds=30)
    began = time.monotonic()
    outcome = page.publish(an_attempt(page.render(a_wording(link=LINK))))
    box.release()
    assert isinstance(outcome, Published)
    assert time.monotonic() - began < 4


def test_where_and_who_is_in_the_form_only_where_asked_for(box: Sandbox) -> None:
    from outreach.extras import Extras

    page = the_page(box)
    page.publish(an_attempt(page.render(a_wording(extras=Extras(place="123", countries=("US", "CA"))))))
    page.publish(an_attempt(page.render(a_wording(title="Another"))))
    asked, plain = [entry.params for entry in box.graph.journal if entry.op == "feed"]
    assert (asked["place"], asked["targeting"]) == ("123", '{"geo_locations":{"countries":["US","CA"]}}')
    assert "place" not in plain
    assert "targeting" not in plain

"""What a Page tells of its posts: families with a fallback, small Pages, lacking permissions, odd values, limits, no secrets."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.channels import Learns
from outreach.channels._graph_metrics import METRICS, dead, families
from outreach.channels._page_figures import usage
from outreach.channels.facebook_page import FacebookPage
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.audience import engage
from tests.builders import SettableClock
from tests.channels.builders import NOON, TOKEN, a_page, the_page
from tests.channels.servers import RawServer, Visit, http
from tests.sandbox.clients import Caller


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOON)) as running:
        yield running


@pytest.fixture
def post(box: Sandbox) -> str:
    return Caller(box).publish("Poster session")


def asked_for(box: Sandbox) -> list[str]:
    """Every metric that was ever asked for, call by call."""
    return [str(entry.params.get("metric", "")) for entry in box.graph.journal if entry.op == "insights"]


def test_a_page_can_be_learnt_from() -> None:
    assert isinstance(a_page("http://127.0.0.1:1"), Learns)


def test_figures_and_counts_are_read_together(box: Sandbox, post: str) -> None:
    figures = {"post_total_media_view_unique": 120, "post_media_view": 180, "post_clicks": 7}
    engage(box.graph.world, post, reactions={"like": 6, "love": 2}, shares=3, comments=["When?"], figures=figures)

    learnt = the_page(box).learn(post)

    whole = {"reached": 120, "views": 180, "clicks": 7, "reactions": 8, "comments": 1, "shares": 3}
    assert learnt.values == whole | {"reactions/like": 6, "reactions/love": 2}
    assert (learnt.is_read, learnt.note) == (True, "")


def test_each_family_is_one_call(box: Sandbox, post: str) -> None:
    the_page(box).learn(post)
    assert asked_for(box) == [
        "post_total_media_view_unique,post_media_view",
        "post_reactions_by_type_total,post_clicks",
    ]


def test_a_metric_that_died_costs_only_itself_and_is_not_asked_for_again_that_day(box: Sandbox, post: str) -> None:
    engage(box.graph.world, post, figures={"post_media_view": 180})
    box.graph.rules.dead_metrics.add("post_total_media_view_unique")
    clock = SettableClock(NOON)
    page = the_page(box, now=clock.now)

    first = page.learn(post)
    calls = len(asked_for(box))
    second = page.learn(post)
    clock.tick(86_401)
    page.learn(post)

    assert (first.values["views"], "reached" in first.values, first.note) == (180, False, "")
    assert second.values == first.values
    assert asked_for(box)[calls] == "post_media_view"
    assert "post_total_media_view_unique,post_media_view" in asked_for(box)[calls + 2 :]


def test_no_dead_metric_is_ever_asked_for(box: Sandbox, post: str) -> None:
    page = the_page(box)
    box.graph.rules.dead_metrics |= {metric.name for metric in METRICS if not metric.died}  # every fallback is tried
    page.learn(post)
    page.learn_of_all()

    names = {name for call in asked_for(box) for name in call.split(",")}
    assert {name for name in names if dead(name)} == set()
    assert names == {metric.name for metric in METRICS if not metric.died}


@pytest.mark.parametrize(
    "name",
    ["post_impressions", "post_impressions_unique", "page_impressions_paid", "page_fans", "page_fans_city",
     "page_fan_adds", "page_fan_removes_unique", "page_engaged_users", "post_engaged_users", "page_posts_impressions"],
)  # fmt: skip
def test_the_table_knows_the_dead_and_a_living_replacement(name: str) -> None:
    row = dead(name)
    assert row is not None
    assert row.died >= "2024-03"
    assert row.instead in {metric.name for of in ("post", "page") for f in families(of).values() for metric in f}


def test_a_small_page_is_asked_for_its_followers_once_a_day_and_for_no_figure(box: Sandbox, post: str) -> None:
    box.graph.rules.followers = 99
    clock = SettableClock(NOON)
    page = the_page(box, now=clock.now)
    first = page.learn(post)
    page.learn(post)
    clock.tick(86_401)
    page.learn(post)

    assert asked_for(box) == []
    assert sum(entry.params.get("fields") == "followers_count" for entry in box.graph.journal) == 2
    assert first.values == {"shares": 0, "reactions": 0, "comments": 0}
    assert first.note.endswith("only for Pages with 100 followers. It has 99.")


def test_a_page_whose_refusal_says_that_it_is_small_is_not_asked_again(box: Sandbox, post: str) -> None:
    box.graph.fail_with("2874008", "insights", times=None)
    page = the_page(box)
    assert "100 followers" in page.learn(post).note
    assert page.learn(post).is_read
    assert len(asked_for(box)) == 1


@pytest.mark.parametrize("lacks", ["scope", "task"])
def test_without_the_permission_there_are_counts_and_a_sentence(box: Sandbox, post: str, lacks: str) -> None:
    if lacks == "scope":
        box.graph.tokens.narrow(box.page_token, "read_insights")
    else:
        box.graph.rules.tasks = ("CREATE_CONTENT",)
    engage(box.graph.world, post, reactions={"like": 2})
    page = the_page(box)
    learnt = page.learn(post)
    page.learn(post)

    assert learnt.values == {"shares": 0, "reactions": 2, "comments": 0}
    assert learnt.is_read
    assert "read_insights" in learnt.note
    assert len(asked_for(box)) == 1


def test_without_the_right_to_read_visitors_there_are_shares_and_figures(box: Sandbox, post: str) -> None:
    box.graph.rules.counts_need_user_content = True
    box.graph.tokens.narrow(box.page_token, "pages_read_user_content")
    engage(box.graph.world, post, shares=4, figures={"post_media_view": 9})
    learnt = the_page(box).learn(post)
    assert (learnt.values["shares"], learnt.values["views"], "comments" in learnt.values) == (4, 9, False)
    assert "pages_read_user_content" in learnt.note


def test_the_latest_comment_is_linked_with_its_time_and_a_short_text(box: Sandbox, post: str) -> None:
    engage(box.graph.world, post, comments=["first", "Is there\na  stream? " + "Please. " * 60])
    remark = the_page(box).learn(post).remark
    assert remark is not None
    assert remark.at == NOON
    assert remark.text.startswith("Is there a stream? Please.")
    assert len(remark.text) <= 140
    assert remark.url is not None
    assert "?comment_id=" in remark.url


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"paid": 20, "organic": 100}, {"views": 120, "views/paid": 20, "views/organic": 100}),
        ({}, {"views": 0}),
        (None, {}),
        (12.0, {"views": 12}),
        ({"odd": "text", "good": 3}, {"views": 3, "views/good": 3}),
        (-1, {}),
        (True, {}),
        ("12", {}),
        ([1, 2], {}),
    ],
)
def test_values_of_every_kind_are_read(box: Sandbox, post: str, value: Any, read: dict[str, int]) -> None:
    engage(box.graph.world, post, figures={"post_media_view": value})
    values = the_page(box).learn(post).values
    assert {name: number for name, number in values.items() if name.startswith("views")} == read


def test_the_page_itself_is_learnt_from(box: Sandbox) -> None:
    engage(box.graph.world, box.page_id, figures={"page_media_view": {"paid": 1, "organic": 9}, "page_views_total": 4})
    learnt = the_page(box).learn_of_all()
    assert learnt.values["followers"] == 1240
    assert (learnt.values["views"], learnt.values["visits"], learnt.values["reached"]) == (10, 4, 0)


def test_nothing_is_asked_from_eighty_percent_on(box: Sandbox, post: str) -> None:
    box.graph.rules.call_budget = 10
    clock = SettableClock(NOON)
    page = the_page(box, now=clock.now)
    told = [page.learn(post) for _ in range(4)]
    calls = len(box.graph.journal)
    page.learn(post)
    page.learn_of_all()

    assert len(box.graph.journal) == calls  # not one more
    assert calls <= 9
    assert told[-1].rest_until is not None
    assert told[-1].rest_until > NOON
    box.graph.rules.call_budget = 0
    clock.tick(3_601)
    assert page.learn(post).is_read


def test_from_the_very_answer_that_says_so_on_nothing_more_is_asked(box: Sandbox, post: str) -> None:
    box.graph.fail(
        "read", "delay", seconds=0, headers={"X-Business-Use-Case-Usage": f'{{"{box.page_id}":[{{"call_count":80}}]}}'}
    )
    before = len(box.graph.journal)
    learnt = the_page(box).learn(post)
    assert len(box.graph.journal) == before + 1
    assert (learnt.is_read, learnt.rest_until is not None) == (True, True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("190_463", "The token has expired."),
        ("80001", "Facebook's limit for the Page is reached."),
        ("2", "Facebook says: An unexpected error"),
        ("100_33", "Facebook says: Unsupported request."),
    ],
)
def test_a_refusal_becomes_one_sentence(box: Sandbox, post: str, name: str, says: str) -> None:
    box.graph.fail_with(name, "*")
    learnt = the_page(box).learn(post)
    assert (learnt.is_read, learnt.values) == (False, {})
    assert learnt.note.startswith(says)


@pytest.mark.parametrize("how", ["html-502", "empty-200", "truncated", "close", "reset", "hang"])
def test_no_answer_is_nothing_to_raise_about(box: Sandbox, post: str, how: str, tmp_path: Path) -> None:
    box.graph.fail("*", how, seconds=30, times=None)
    learnt = the_page(box, tmp_path, OUTREACH_HTTP_TIMEOUT_S="0.3").learn(post)
    assert (learnt.is_read, bool(learnt.note)) == (False, True)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"data": "text"},
        {"shares": 3, "reactions": [], "comments": {"data": [3], "summary": {"total_count": "x"}}},
        {"shares": {"count": -2}, "comments": {"data": [{"created_time": "yesterday"}], "summary": None}},
        {"comments": {"data": [{"created_time": "2026-11-24T12:00:00+0000", "message": 3, "permalink_url": 4}]}},
        {"data": [None, 3, {"name": "post_media_view", "values": {"value": 3}}, {"name": ["x"], "values": [[]]}]},
    ],
)
def test_odd_shapes_are_survived(body: Any) -> None:
    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(json.dumps(body).encode()))

    with RawServer(act) as server:
        learnt = a_page(server.url).learn("1234567890_1")
    assert learnt.values.get("shares", 0) == 0


def test_nothing_that_is_kept_holds_a_token(box: Sandbox, post: str) -> None:
    engage(box.graph.world, post, comments=[f"my token is {box.page_token} or {TOKEN}"])
    learnt = the_page(box).learn(post)
    whole = repr((learnt, the_page(box).learn_of_all()))
    assert learnt.remark is not None
    for secret in (box.page_token, TOKEN, box.app_secret, "access_token", "/insights?"):
        assert secret not in whole


@pytest.mark.parametrize(
    ("header", "used"),
    [
        (None, 0.0),
        ("no json", 0.0),
        ('{"12": 3}', 0.0),
        ('{"12": [{"call_count": 81, "total_time": 3}]}', 81.0),
        ('{"12": [{"call_count": 1}, {"total_cputime": 90.5}]}', 90.5),
        ('{"13": [{"call_count": 99}]}', 0.0),
        ('{"12": [{"call_count": NaN, "total_time": true}]}', 0.0),
    ],
)
def test_what_is_used_is_read_of_the_pages_own_entry(header: str | None, used: float) -> None:
    assert usage({} if header is None else {"x-business-use-case-usage": header}, "12")[0] == used


def test_the_apps_limit_counts_too_and_the_wait_is_in_minutes() -> None:
    headers = {
        "x-app-usage": '{"call_count": 85}',
        "x-business-use-case-usage": '{"12": [{"call_count": 3, "estimated_time_to_regain_access": 30}]}',
    }
    assert usage(headers, "12") == (85.0, timedelta(minutes=30))


def test_a_change_of_a_post_is_learnt_from_as_that_post(box: Sandbox, post: str) -> None:
    engage(box.graph.world, post, shares=2)
    page: FacebookPage = the_page(box)
    assert page.learn(f"{post}:edit:7").values["shares"] == 2

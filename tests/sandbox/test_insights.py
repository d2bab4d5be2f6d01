"""The sandbox's figures: their exact shape, metrics that died, Pages that are too small, permissions, and plain counts."""

from typing import Any

import pytest

from outreach.sandbox import Sandbox
from outreach.sandbox.audience import engage

from .clients import Caller, error_of
from .test_control import control


def insights(call: Caller, node: str, metric: str, **more: str) -> Any:
    return call.get(f"{node}/insights", metric=metric, **more)


def test_a_figure_of_a_post_has_the_exact_shape(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    engage(box.graph.world, post, figures={"post_media_view": 120})

    body = insights(call, post, "post_media_view").json()

    [entry] = body["data"]
    assert set(body) == {"data", "paging"}
    assert set(entry) == {"name", "period", "values", "title", "description", "id"}
    assert (entry["name"], entry["period"], entry["values"]) == ("post_media_view", "lifetime", [{"value": 120}])
    assert entry["id"] == f"{post}/insights/post_media_view/lifetime"
    assert box.page_token in body["paging"]["next"]  # as the real one has it


def test_a_day_of_a_page_ends_at_eight_in_the_morning(box: Sandbox, call: Caller) -> None:
    engage(box.graph.world, box.page_id, figures={"page_media_view": {"paid": 1, "organic": 9}})
    [entry] = insights(call, box.page_id, "page_media_view", period="day").json()["data"]
    assert entry["values"] == [
        {"value": {}, "end_time": "2026-11-23T08:00:00+0000"},
        {"value": {"paid": 1, "organic": 9}, "end_time": "2026-11-24T08:00:00+0000"},
    ]


@pytest.mark.parametrize("dead", ["post_impressions", "post_engaged_users", "post_impressions_unique", "nonsense"])
def test_one_dead_metric_fails_the_whole_call(call: Caller, dead: str) -> None:
    post = call.publish("Poster session")
    answer = insights(call, post, f"post_media_view,{dead}")
    assert error_of(answer) == (400, 100, None)
    assert answer.json()["error"]["message"] == "(#100) The value must be a valid insights metric"


def test_a_metric_may_die_by_a_rule(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    box.graph.rules.dead_metrics.add("post_media_view")
    assert error_of(insights(call, post, "post_media_view"))[1] == 100
    assert insights(call, post, "post_clicks").status_code == 200


def test_a_value_may_be_missing(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    engage(box.graph.world, post, figures={"post_clicks": None})
    assert [e["name"] for e in insights(call, post, "post_clicks,post_media_view").json()["data"]] == [
        "post_media_view"
    ]


def test_a_small_page_gets_nothing_or_a_refusal(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    box.graph.rules.followers = 99
    assert insights(call, post, "post_media_view").json() == {"data": []}
    box.graph.rules.small_pages = "2874008"
    assert error_of(insights(call, post, "post_media_view"))[1] == 2874008


def test_figures_need_the_permission_and_the_task(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    box.graph.rules.tasks = ("CREATE_CONTENT",)
    assert error_of(insights(call, post, "post_media_view"))[1] == 200
    box.graph.tokens.narrow(box.page_token, "read_insights")
    assert error_of(insights(call, post, "post_media_view"))[1] == 10


def test_no_metric_a_strange_period_and_a_long_time_are_refused(box: Sandbox, call: Caller) -> None:
    assert error_of(insights(call, box.page_id, ""))[1] == 3001
    assert error_of(insights(call, box.page_id, "page_media_view", period="hour"))[1] == 100
    long = {"since": "2026-01-01", "until": "2026-06-01"}
    assert error_of(insights(call, box.page_id, "page_media_view", **long))[1] == 100


COUNTS = "shares,reactions.limit(0).summary(total_count),comments.limit(0).summary(true)"


def test_counts_are_read_without_insights_and_shares_are_absent_when_nobody_shared(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    before = call.get(post, fields=COUNTS).json()
    assert control(box, "engage", node=post, reactions={"like": 3, "love": 1}, shares=2, comments=["When?"]).ok
    after = call.get(post, fields=COUNTS).json()

    assert "shares" not in before
    assert (before["reactions"]["summary"]["total_count"], before["comments"]["summary"]["total_count"]) == (0, 0)
    assert after["shares"] == {"count": 2}
    assert (after["reactions"]["summary"]["total_count"], after["comments"]["summary"]["total_count"]) == (4, 1)


def test_the_latest_comment_comes_first_when_asked_for(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    engage(box.graph.world, post, comments=["first", "latest"], by="A student")
    fields = "comments.order(reverse_chronological).limit(1).summary(true){message,from}"
    [comment] = call.get(post, fields=fields).json()["comments"]["data"]
    assert (comment["message"], comment["from"]["name"]) == ("latest", "A student")


def test_summaries_may_need_another_permission(box: Sandbox, call: Caller) -> None:
    post = call.publish("Poster session")
    box.graph.rules.counts_need_user_content = True
    box.graph.tokens.narrow(box.page_token, "pages_read_user_content")
    assert error_of(call.get(post, fields=COUNTS))[1] == 10
    assert call.get(post, fields="shares").ok


def test_engaging_with_nothing_says_so(box: Sandbox) -> None:
    answer = control(box, "engage", node="1_2", shares=1)
    assert (answer.status_code, answer.json()["error"]) == (400, "no post and no Page '1_2'")

"""How much of Facebook's limit is used: read from the headers, whatever they hold."""

from datetime import timedelta

import pytest

from outreach.channels import HasUsage, Usage
from outreach.channels._usage import usage_of
from outreach.sandbox import Sandbox

from .builders import NOON, a_wording, an_attempt, the_page

OF_PAGE = "x-business-use-case-usage"
OF_APP = "x-app-usage"
GOOD: dict[str, tuple[dict[str, str], tuple[int, int, int, int]]] = {
    "of a Page": (
        {OF_PAGE: '{"7":[{"type":"pages","call_count":3,"total_cputime":1,"total_time":2,"estimated_time_to_regain_access":0}]}'},
        (3, 1, 2, 0),
    ),
    "with a tier, as since 2024": (
        {OF_PAGE: '{"7":[{"type":"pages","call_count":1,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":0,"ads_api_access_tier":"development_access"}]}'},
        (1, 1, 1, 0),
    ),
    "of several Pages": ({OF_PAGE: '{"8":[{"call_count":99}],"7":[{"call_count":4,"total_time":9}]}'}, (4, 0, 9, 0)),
    "of several kinds": ({OF_PAGE: '{"7":[{"call_count":4},{"call_count":60,"estimated_time_to_regain_access":5}]}'}, (60, 0, 0, 5)),
    "of an app": ({OF_APP: '{"call_count":3,"total_cputime":0,"total_time":1}'}, (3, 0, 1, 0)),
    "of both": ({OF_PAGE: '{"7":[{"call_count":4}]}', OF_APP: '{"call_count":80}'}, (4, 0, 0, 0)),
    "of another Page and the app": ({OF_PAGE: '{"8":[{"call_count":4}]}', OF_APP: '{"call_count":80}'}, (80, 0, 0, 0)),
    "a fraction": ({OF_PAGE: '{"7":[{"call_count":89.2}]}'}, (90, 0, 0, 0)),
    "beyond all bounds": ({OF_PAGE: '{"7":[{"call_count":1e300,"estimated_time_to_regain_access":1e300}]}'}, (1000, 0, 0, 10080)),
    "half of it odd": ({OF_PAGE: '{"7":[7,null,{"call_count":"many","total_time":5}]}'}, (0, 0, 5, 0)),
}  # fmt: skip
ODD = [
    "", "{", "[]", "7", "null", '"x"', "{}", '{"7":7}', '{"7":null}', '{"7":[]}', '{"7":[7]}', '{"7":{"call_count":5}}',
    '{"7":[{"call_count":-1}]}', '{"7":[{"call_count":NaN}]}', '{"7":[{"call_count":Infinity}]}', "[" * 20_000,
    '{"7":[{"call_count":true}]}', '{"7":[{"call_count":"3"}]}', '{"7":[{"call_count":null}]}', '{"8":[{"call_count":9}]}',
]  # fmt: skip


@pytest.mark.parametrize(("headers", "expected"), GOOD.values(), ids=GOOD.keys())
def test_a_header_that_can_be_read_is_read(headers: dict[str, str], expected: tuple[int, int, int, int]) -> None:
    assert usage_of(headers, "7", at=NOON) == Usage(NOON, *expected)


@pytest.mark.parametrize("header", ODD)
@pytest.mark.parametrize("name", [OF_PAGE, OF_APP])
def test_a_header_that_cannot_be_read_says_nothing(name: str, header: str) -> None:
    assert usage_of({name: header}, "7", at=NOON) is None


def test_without_a_header_nothing_is_known() -> None:
    assert usage_of({}, "7", at=NOON) is None


def test_the_figure_nearest_to_its_limit_counts_and_decides_until_when_to_rest() -> None:
    assert Usage(NOON, 3, 89, 0, 5).rests_until is None
    assert Usage(NOON, 3, 90, 0, 5).rests_until == NOON + timedelta(hours=1)
    assert Usage(NOON, 3, 0, 100, 90).rests_until == NOON + timedelta(minutes=90)


def test_the_page_tells_what_its_latest_answer_said_a_refusal_too(box: Sandbox) -> None:
    page = the_page(box)
    assert isinstance(page, HasUsage)
    assert page.usage() is None
    box.graph.rules.call_budget = 10
    page.publish(an_attempt(page.render(a_wording())))
    assert page.usage() == Usage(NOON, 10, 10, 10, 0)
    box.graph.fail_with("190_463")
    page.publish(an_attempt(page.render(a_wording())))
    assert page.usage() == Usage(NOON, 10, 10, 10, 0)
    page.server_time()
    assert page.usage() == Usage(NOON, 20, 20, 20, 0)


def test_an_answer_that_says_nothing_leaves_what_was_known(box: Sandbox) -> None:
    page = the_page(box)
    box.graph.rules.call_budget = 10
    page.server_time()
    box.graph.fail("me", "delay", seconds=0, headers={"X-Business-Use-Case-Usage": "odd"})
    page.server_time()
    assert page.usage() == Usage(NOON, 10, 10, 10, 0)

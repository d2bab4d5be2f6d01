"""What each error of the Graph API means for the visible step, and that no error of the sandbox's is unknown."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from outreach.channels._graph_errors import ROWS, Meaning, look_up
from outreach.model import Blocked, Outcome, Refused, Unauthorized, Unavailable, Unconfirmed
from outreach.sandbox import Sandbox
from outreach.sandbox.error_table import ROWS as SANDBOX_ROWS

from .builders import NOON, a_wording, an_attempt, the_page

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = [4, 17, 32, 613, *range(80000, 80015)]

# Code, subcode, outcome: as Facebook's documents and the reports of other schedulers have it.
EXPECTED: list[tuple[int, int | None, type]] = [
    *((code, None, Unconfirmed) for code in (1, 2, 20, 506, 1366051, 1349125, 1363047, 1609010)),
    (20, 1772107, Unconfirmed),
    (368, 1404082, Unconfirmed),
    (1, 2853006, Unauthorized),
    *((code, None, Unauthorized) for code in (3, 5, 10, 12, 21, 33, 102, 104, 110, 190, 200, 203, 210, 220, 240, 283)),
    *((code, None, Unauthorized) for code in (299, 803, 1705, 2635, 3001)),
    (100, 33, Unauthorized),
    *((190, subcode, Unauthorized) for subcode in (458, 459, 460, 461, 463, 464, 467, 492, 2069032, 99)),
    *((200, subcode, Unauthorized) for subcode in (2069030, 2069031, 2069033, 1376025)),
    *((code, None, Refused) for code in (100, 324, 1366046, 1500, 2061006, 1609008)),
    *((100, subcode, Refused) for subcode in (1366046, 1609008, 12345)),
    (324, 2069019, Refused),
    *((368, subcode, Refused) for subcode in (1404102, 1346003)),
    *((code, None, Blocked) for code in (*LIMITS, 341, 368)),
    (4, 2207051, Blocked),
    *((368, subcode, Blocked) for subcode in (1390008, 1404006, 1404078, 4854002, 1404112, 77)),
    (1609005, None, Unavailable),
    (100, 1609005, Unavailable),
    # A subcode that says "posted already" outweighs a code that says no more than "something was wrong".
    (100, 1366051, Unconfirmed),
    # Unknown ones say nothing of the post.
    *((code, None, Unconfirmed) for code in (0, -1, 6, 7, 300, 505, 9999)),
    # Errors of reading figures: for a post they would mean nothing that is known.
    *((code, None, Unconfirmed) for code in (2874008, 2932001)),
    *((code, None, Unauthorized) for code in (101, 2500)),
    (3001, 1504028, Unauthorized),
    *((25, subcode, Blocked) for subcode in (None, 2207050)),
]


SAYS_IT_HAS_IT = {(506, None), (1366051, None), (368, 1404082), (100, 1366051)}


def outcome_of(box: Sandbox, **error: Any) -> Outcome:
    page = the_page(box)
    box.graph.fail("feed", "error", **error)
    return page.publish(an_attempt(page.render(a_wording())))


@pytest.fixture(scope="module")
def one_box() -> Any:
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("has_extras", [False, True], ids=["bare", "with everything"])
def test_every_error_means_what_it_should(one_box: Sandbox, has_extras: bool) -> None:
    extras: dict[str, Any] = {"fbtrace_id": False}
    if has_extras:
        extras = {"is_transient": True, "error_user_title": "T", "error_user_msg": "", "error_data": {"a": [1]}}
    page = the_page(one_box)
    attempt = an_attempt(page.render(a_wording()))
    wrong: list[object] = []
    for code, subcode, expected in EXPECTED:
        one_box.graph.fail("feed", "error", code=code, subcode=subcode, status=403 if code == 4 else 400, **extras)
        outcome = page.publish(attempt)
        if isinstance(outcome, Unconfirmed) and outcome.is_known_there != ((code, subcode) in SAYS_IT_HAS_IT):
            wrong.append((code, subcode, outcome))
        if type(outcome) is not expected or outcome.evidence.get("code") != code or not outcome.evidence["http_status"]:
            wrong.append((code, subcode, outcome))
    assert wrong == []


def test_every_row_of_ours_is_expected_above() -> None:
    listed = {(code, subcode) for code, subcode, _ in EXPECTED}
    forgotten = {(r.code, r.subcode) for r in ROWS if not 200 <= r.code < 300} - listed
    assert forgotten == set()


def test_a_server_error_is_in_doubt_whatever_its_body_says(one_box: Sandbox) -> None:
    for code in (100, 190, 4, 368, 1609005, 200):
        for status in (500, 502, 503, 504, 599):
            assert isinstance(outcome_of(one_box, code=code, status=status), Unconfirmed)


@pytest.mark.parametrize("name", [name for name, row in SANDBOX_ROWS.items() if row.status >= 500])
def test_the_sandboxes_own_server_errors_are_in_doubt(one_box: Sandbox, name: str) -> None:
    page = the_page(one_box)
    one_box.graph.fail_with(name)
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Unconfirmed)


def test_rows_are_found_by_their_numbers_only() -> None:
    assert len({(row.code, row.subcode, row.phrase) for row in ROWS}) == len(ROWS)
    assert look_up(None, 463).meaning is Meaning.AMBIGUOUS
    assert look_up(190, 4_630_000).meaning is Meaning.REAUTH
    assert look_up(555, 463).meaning is Meaning.AMBIGUOUS


def test_a_link_that_cannot_be_read_is_tried_once_more_then_refused(box: Sandbox) -> None:
    page = the_page(box)
    box.graph.rules.dead_links.add("https://example.org/dead")
    attempt = an_attempt(page.render(a_wording(link="https://example.org/dead")))
    first = page.publish(attempt)
    assert isinstance(first, Unavailable)
    assert first.retry_after_s == 60
    assert isinstance(page.publish(an_attempt(attempt.content, number=2)), Refused)
    assert box.graph.public_posts() == []


@pytest.mark.parametrize(
    "message",
    [
        "Invalid appsecret_proof provided in the API argument",
        "API calls from the server require an appsecret_proof argument",
    ],
)
@pytest.mark.parametrize("title", [{}, {"error_user_msg": "Something is wrong with the app."}])
def test_a_complaint_about_the_proof_pauses_the_channel(box: Sandbox, message: str, title: dict[str, str]) -> None:
    assert isinstance(outcome_of(box, code=100, message=message, **title), Unauthorized)


def until(box: Sandbox, headers: dict[str, str], code: int = 80001, **error: Any) -> datetime | None:
    outcome = outcome_of(box, code=code, headers=headers, **error)
    assert isinstance(outcome, Blocked)
    return outcome.until


def usage(page_id: str, minutes: Any) -> dict[str, str]:
    return {
        "X-Business-Use-Case-Usage": f'{{"{page_id}":[{{"type":"pages","estimated_time_to_regain_access":{minutes}}}]}}'
    }


def test_a_rate_limit_lasts_as_long_as_the_header_of_our_page_says(box: Sandbox) -> None:
    assert until(box, usage(box.page_id, 7)) == NOON + timedelta(minutes=7)
    assert until(box, usage(box.page_id, 7) | {"Retry-After": "600"}) == NOON + timedelta(minutes=10)
    assert until(box, {"Retry-After": "90"}) == NOON + timedelta(seconds=90)


def test_the_limit_of_another_page_does_not_stand_in_for_ours(box: Sandbox) -> None:
    header = (
        f'{{"1":[{{"estimated_time_to_regain_access":500}}],"{box.page_id}":[{{"estimated_time_to_regain_access":3}}]}}'
    )
    assert until(box, {"X-Business-Use-Case-Usage": header}) == NOON + timedelta(minutes=3)


@pytest.mark.parametrize("minutes", ["0", "-5", "NaN", "-Infinity", "Infinity", '"soon"', "null", "[]", "{}", "1e999"])
def test_a_header_that_makes_no_sense_leaves_the_usual_hour(box: Sandbox, minutes: str) -> None:
    assert until(box, usage(box.page_id, minutes)) == NOON + HOUR


@pytest.mark.parametrize(
    "header", ["", "{", "[]", "7", "null", '{"1":7}', '{"1":[7]}', '{"1":{"a":1}}', "[" * 20_000, '{"1":[{}]}']
)
def test_a_header_that_cannot_be_read_leaves_the_usual_hour(box: Sandbox, header: str) -> None:
    assert until(box, {"X-Business-Use-Case-Usage": header}) == NOON + HOUR


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 8},
        {"Retry-After": "9" * 400},
        {"X-Business-Use-Case-Usage": '{"1":[{"estimated_time_to_regain_access":1e300}]}'},
    ],
)
def test_no_header_blocks_the_page_for_years(box: Sandbox, headers: dict[str, str]) -> None:
    end = until(box, headers)
    assert end is not None
    assert end <= NOON + timedelta(days=7)


@pytest.mark.parametrize("after", ["-5", "soon", "1.5", "0", "٣"])
def test_a_retry_after_that_makes_no_sense_leaves_the_usual_hour(box: Sandbox, after: str) -> None:
    page = the_page(box)
    box.graph.fail("feed", "error", code=4, headers={"Retry-After": after} if after.isascii() else {})
    outcome = page.publish(an_attempt(page.render(a_wording())))
    assert isinstance(outcome, Blocked)
    assert outcome.until == NOON + HOUR


@pytest.mark.parametrize(
    ("subcode", "expected"),
    [
        (1390008, NOON + 3 * DAY),
        (1404112, NOON + 3 * DAY),
        (1404006, None),
        (1404078, None),
        (4854002, None),
        (None, NOON + DAY),
    ],
)
def test_a_block_ends_by_time_or_by_a_person(box: Sandbox, subcode: int | None, expected: datetime | None) -> None:
    assert until(box, {}, code=368, subcode=subcode) == expected


def test_the_budget_of_the_page_used_up_blocks_until_it_is_back(box: Sandbox) -> None:
    box.graph.rules.call_budget = 1
    page = the_page(box)
    outcome = page.publish(an_attempt(page.render(a_wording())))
    assert isinstance(outcome, Blocked)
    assert outcome.until == NOON + timedelta(minutes=1)


def test_the_reason_is_ours_and_quotes_facebook(box: Sandbox) -> None:
    outcome = outcome_of(box, code=190, subcode=463, message="Session has expired.")
    assert outcome == Unauthorized(
        "The token has expired. Connect the Page again with a new token. (Facebook: Session has expired.)",
        outcome.evidence,
    )
    assert {**outcome.evidence, "fbtrace_id": ""} == {"http_status": 400, "code": 190, "subcode": 463, "fbtrace_id": ""}

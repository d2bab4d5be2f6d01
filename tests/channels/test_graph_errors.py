"""Every row of the table of Facebook's errors, answered by the sandbox over real HTTP in each shape that was seen.

The class, the sentence and the next step are given here once more by the error's numbers, as Facebook's guides and the
reports of other schedulers have them, so that a slip in the table shows.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import outreach.sandbox
from outreach.channels._graph_errors import ROWS, Meaning, Row, look_up
from outreach.model import Blocked, Outcome, Published, Refused, Unauthorized, Unavailable, Unconfirmed
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.error_table import ROWS as SANDBOX_ROWS

from .builders import NOON, a_page, a_picture, a_wording, an_attempt, the_page
from .servers import RawServer, answering, http

OUTCOMES: dict[Meaning, type] = {
    Meaning.REJECTED: Refused,
    Meaning.RATE_LIMIT: Blocked,
    Meaning.LATER: Unavailable,
    Meaning.REAUTH: Unauthorized,
    Meaning.FORBIDDEN: Unauthorized,
    Meaning.CONFIG: Unauthorized,
    Meaning.BLOCKED: Blocked,
    Meaning.DUPLICATE: Unconfirmed,
    Meaning.AMBIGUOUS: Unconfirmed,
    Meaning.NO_DATA: Unconfirmed,
}
A, R, L, F, C, B, D, X, N, T = (
    Meaning.AMBIGUOUS, Meaning.REAUTH, Meaning.RATE_LIMIT, Meaning.FORBIDDEN, Meaning.CONFIG, Meaning.BLOCKED,
    Meaning.DUPLICATE, Meaning.REJECTED, Meaning.NO_DATA, Meaning.LATER,
)  # fmt: skip
BY_NAME: dict[str, Meaning] = {
    "1": A, "1_2853006": F, "2": A, "3": F, "5": C, "12": C, "2635": C, "20": A, "20_1772107": A, "2500": C,
    "2500_no_token": C, "1349125": A, "1363047": A, "1609010": A,
    "4": L, "4_2207051": L, "17": L, "32": L, "341": L, "613": L, **{str(code): L for code in range(80000, 80015)},
    "10": F, "25": B, "25_2207050": B, "200_as_page": C, "200_1376025": F, "200_2069030": C, "200_2069031": C,
    "200_2069033": C, **{str(code): F for code in range(200, 300)}, "210": C, "220": C, "240": C,
    "101": C, "102": R, "104": C, "190": R, "190_458": R, "190_459": R, "190_460": R, "190_461": R, "190_463": R, "190_464": R,
    "190_467": R, "190_492": F, "190_2069032": C, "190_impersonating": F, "190_garbled": R,
    "21": C, "33": C, "100_33": C, "803": C, "110": C, "1705": C,
    "100": X, "100_schedule": X, "100_too_long": X, "100_url": X, "100_metric": N, "100_field": C, "100_proof": C,
    "100_proof_missing": C, "1500": X, "2061006": X, "1609005": T, "1609008": X, "2874008": N, "2932001": N,
    "3001": C, "3001_1504028": C,
    "324": X, "324_2069019": X, "1366046": X, "100_1366046": X, "1366051": D,
    "368": B, "368_1390008": B, "368_1404006": B, "368_1404006_later": B, "368_1404078": B, "368_1404082": D,
    "368_1404102": X, "368_1346003": X, "368_1404112": B, "368_4854002": B, "506": D,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "bare": {"fbtrace_id": False},
    "with everything": {
        "is_transient": True,
        "error_user_title": "A title",
        "error_user_msg": "",
        "error_data": {"help_center_id": 0, "is_silent": False},
    },
    "with a text as data and a false hint": {"is_transient": False, "error_user_msg": "In people's words.", "error_data": "x"},
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOON)) as running:
        yield running


def answered(box: Sandbox, **error: Any) -> Outcome:
    """Publish one post while the sandbox answers with an error."""
    page = the_page(box)
    box.graph.fail("feed", "error", **error)
    return page.publish(an_attempt(page.render(a_wording())))


def reason_of(outcome: Outcome) -> str:
    """Give what people read."""
    assert not isinstance(outcome, Published)
    return outcome.reason


def row_of(name: str) -> Row:
    theirs = SANDBOX_ROWS[name]
    return look_up(theirs.code, theirs.subcode, theirs.message)


@pytest.mark.parametrize("shape", SHAPES, ids=SHAPES.keys())
@pytest.mark.parametrize("name", SANDBOX_ROWS)
def test_every_error_is_understood_in_every_shape(box: Sandbox, name: str, shape: str) -> None:
    theirs, row = SANDBOX_ROWS[name], row_of(name)
    status = 400 if theirs.status >= 500 else theirs.status
    numbers = {"code": theirs.code, "subcode": theirs.subcode, "message": theirs.message, "status": status}
    outcome = answered(box, **{**numbers, **SHAPES[shape]})
    assert row.meaning is BY_NAME[name]
    assert type(outcome) is OUTCOMES[row.meaning]
    assert reason_of(outcome).startswith(f"{row.sentence} {row.next_step} (Facebook: ")
    assert outcome.evidence["code"] == theirs.code
    assert outcome.evidence.get("subcode") == theirs.subcode


@pytest.mark.parametrize("name", [name for name, row in SANDBOX_ROWS.items() if row.subcode is not None])
def test_an_error_without_its_subcode_is_still_not_taken_for_an_unknown_one(box: Sandbox, name: str) -> None:
    theirs = SANDBOX_ROWS[name]
    outcome = answered(box, code=theirs.code, message="", status=400)
    assert reason_of(outcome) == look_up(theirs.code, None).reason
    assert "not known here" not in reason_of(outcome)


def test_the_two_tables_hold_the_same_errors() -> None:
    theirs = {(row.code, row.subcode) for row in SANDBOX_ROWS.values()}
    ours = {(row.code, row.subcode) for row in ROWS}
    assert (sorted(theirs - ours, key=str), sorted(ours - theirs, key=str)) == ([], [])
    assert set(BY_NAME) == set(SANDBOX_ROWS)


def test_every_row_of_ours_is_what_some_error_of_the_sandbox_is_taken_for() -> None:
    assert [row for row in ROWS if row not in {row_of(name) for name in SANDBOX_ROWS}] == []


def test_the_table_knows_every_code_that_the_sandbox_raises_anywhere() -> None:
    folder = Path(outreach.sandbox.__file__).parent
    calls = [
        n for file in folder.glob("*.py") for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)
    ]
    raised = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "GraphError"
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert {100, 104, 200, 2500} <= raised
    assert raised - {row.code for row in ROWS} == set()


def test_the_two_tables_agree_on_the_status_that_an_error_comes_with() -> None:
    wrong = [name for name, theirs in SANDBOX_ROWS.items() if (row_of(name).status or 400) != theirs.status]
    assert wrong == []


def test_every_row_says_what_is_wrong_and_what_to_do_in_sentences() -> None:
    wrong = [
        r for r in ROWS if not (r.sentence.endswith(".") and r.next_step.endswith(".") and r.next_step[0].isupper())
    ]
    assert wrong == []
    assert [row for row in ROWS if row.phrase != row.phrase.lower()] == []


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        (190, "… must be granted before impersonating a user’s page.", Meaning.FORBIDDEN),
        (190, "something else", Meaning.REAUTH),
        (200, "(#200) Unpublished posts must be posted to a page as the page itself.", Meaning.CONFIG),
        (200, "(#200) Requires pages_manage_posts", Meaning.FORBIDDEN),
        (100, "(#100) TRIED ACCESSING NONEXISTING FIELD (x)", Meaning.CONFIG),
    ],
)
def test_one_number_with_several_troubles_is_told_apart_by_its_message(
    code: int, message: str, meaning: Meaning
) -> None:
    assert look_up(code, None, message).meaning is meaning


def test_a_phrase_counts_only_where_the_message_has_it(box: Sandbox) -> None:
    phrase = "the phrase appsecret_proof, and nonexisting field, is nowhere in the message"
    outcome = answered(box, code=100, message="(#100) Invalid parameter", error_user_msg=phrase, error_data=phrase)
    assert isinstance(outcome, Refused)


@pytest.mark.parametrize("code", [0, -1, 6, 300, 505, 9999, 123_456_789])
def test_an_unknown_code_says_nothing_of_the_post(box: Sandbox, code: int) -> None:
    outcome = answered(box, code=code, subcode=99, message="Whatever")
    assert isinstance(outcome, Unconfirmed)
    assert not outcome.is_known_there


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}/{row.subcode}")
def test_the_numbers_may_come_as_texts(row: Row) -> None:
    subcode = "" if row.subcode is None else f',"error_subcode":"{row.subcode}"'
    body = f'{{"error":{{"message":"{row.phrase}","type":"OAuthException","code":"{row.code}"{subcode}}}}}'
    outcome = published_on(http(body.encode(), status="400 Bad Request"))
    assert type(outcome) is OUTCOMES[row.meaning]


OUTAGES: dict[str, bytes] = {
    "HTML": http(b"<!DOCTYPE html><title>Error</title><h1>Sorry, something went wrong.</h1>", status="503 Down"),
    "HTML, 400": http(b"<html>Sorry, something went wrong.</html>", status="400 Bad Request"),
    "HTML, 200": http(b"<html>Sorry, something went wrong.</html>"),
    "empty, 200": http(b""),
    "empty, 400": http(b"", status="400 Bad Request"),
    "empty, 500": http(b"", status="500 Down"),
    "half an error": http(b'{"error":{"message":"Session has exp', status="400 Bad Request"),
    "shorter than it says": b'HTTP/1.1 400 Bad Request\r\nContent-Length: 90\r\n\r\n{"error":{"code":190}}',
    "an error with status 200": http(b'{"error":{"message":"x","type":"OAuthException","code":190,"error_subcode":463}}'),
    "an error beside an id, 200": http(b'{"id":"1_2","error":{"message":"x","code":100}}'),
    "an error that is a text": http(b'{"error":"invalid_request"}', status="400 Bad Request"),
    "an error that is a list": http(b'{"error":[{"code":190}]}', status="400 Bad Request"),
    "a code that is true": http(b'{"error":{"code":true}}', status="400 Bad Request"),
    "a code that is a fraction": http(b'{"error":{"code":190.5}}', status="400 Bad Request"),
    "a code beyond all numbers": http(b'{"error":{"code":1e999}}', status="400 Bad Request"),
}  # fmt: skip


def published_on(raw: bytes) -> Outcome:
    with RawServer(answering(raw)) as server:
        page = a_page(server.url)
        return page.publish(an_attempt(page.render(a_wording())))


@pytest.mark.parametrize("raw", OUTAGES.values(), ids=OUTAGES.keys())
def test_an_answer_that_cannot_be_understood_leaves_the_post_in_doubt(raw: bytes) -> None:
    outcome = published_on(raw)
    assert isinstance(outcome, Unconfirmed)
    assert "may be out" in outcome.reason


def test_the_next_step_of_a_refused_token_is_that_of_its_error(box: Sandbox) -> None:
    for name in ("190_492", "190_impersonating", "190_463", "200_as_page", "368_1404006"):
        box.graph.fail_with(name, op="me")
        (problem,) = the_page(box).check()
        assert problem.next_step == row_of(name).next_step
        assert row_of(name).sentence in problem.message


STAGED: dict[Meaning, type] = OUTCOMES | {
    Meaning.DUPLICATE: Unavailable,
    Meaning.AMBIGUOUS: Unavailable,
    Meaning.NO_DATA: Unavailable,
}


def test_every_error_of_a_picture_keeps_the_post_from_going_out(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    content = page.render(a_wording(pictures=(a_picture(tmp_path),)))
    before, wrong = len(box.graph.public_posts()), []
    for name, theirs in SANDBOX_ROWS.items():
        box.graph.fail("photos", "error", code=theirs.code, subcode=theirs.subcode, message=theirs.message)
        outcome = page.publish(an_attempt(content))
        if type(outcome) is not STAGED[BY_NAME[name]]:
            wrong.append((name, outcome))
    assert wrong == []
    assert len(box.graph.public_posts()) == before


def test_every_error_of_a_check_is_one_problem_with_something_to_do(box: Sandbox) -> None:
    page, wrong = the_page(box), []
    for name in SANDBOX_ROWS:
        box.graph.fail_with(name, op="me")
        (problem,) = page.check()
        if not problem.next_step.endswith(".") or problem.is_warning or not problem.message:
            wrong.append((name, problem))
    assert wrong == []

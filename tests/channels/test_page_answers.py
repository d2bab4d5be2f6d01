"""Answers that no decent server gives: whatever comes back, nothing is raised and nothing is taken for unsent."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outreach.model import (
    Attempt,
    Blocked,
    Content,
    Outcome,
    Published,
    Refused,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)
from outreach.sandbox import Sandbox

from .builders import a_page, a_picture, a_wording, an_attempt, the_page
from .servers import RawServer, Visit, answering, http

DEEP = b"[" * 200_000
ATTEMPT = an_attempt(Content("facebook_page", "Poster session"))


def outcome_of(raw: bytes) -> Outcome:
    with RawServer(answering(raw)) as server:
        outcome = a_page(server.url).publish(ATTEMPT)
        assert len(server.visits) == 1
    return outcome


def error(**fields: Any) -> bytes:
    return http(json.dumps({"error": fields}).encode(), status="400 Bad Request")


IN_DOUBT: dict[str, bytes] = {
    "empty": http(b""),
    "no id": http(b'{"success":true}'),
    "id is a number": http(b'{"id":12}'),
    "id is null": http(b'{"id":null}'),
    "id is a list": http(b'{"id":["1_2"]}'),
    "id is empty": http(b'{"id":""}'),
    "id is words": http(b'{"id":"me"}'),
    "id with a line end": http(b'{"id":"1_2\\n"}'),
    "id in other digits": http('{"id":"١_٢"}'.encode()),
    "id without end": http(b'{"id":"' + b"1" * 1000 + b'"}'),
    "id beside an error": http(b'{"id":"1_2","error":{"code":190}}'),
    "error with status 200": http(b'{"error":{"code":190,"message":"x"}}'),
    "a list": http(b'[{"id":"1_2"}]'),
    "a text": http(b'"1_2"'),
    "html": http(b"<html>Sorry, something went wrong</html>"),
    "html outage": http(b"<html>Sorry</html>", status="502 Bad Gateway"),
    "html refusal": http(b"<html>No</html>", status="400 Bad Request"),
    "half a json": http(b'{"id":"1_'),
    "deep json": http(DEEP),
    "deep error": http(b'{"error":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, status="400 Bad Request"),
    "2 MB": http(b'{"id":"1_2","x":"' + b"y" * 2_000_000 + b'"}'),
    "no length, 2 MB": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2_000_000 + b'{"id":"1_2"}',
    "gzip bomb": http(gzip.compress(b" " * 200_000_000, 1), headers="Content-Encoding: gzip\r\n"),
    "not gzip": http(b'{"id":"1_2"}', headers="Content-Encoding: gzip\r\n"),
    "not utf-8": http(b'{"id":"\xff\xfe"}'),
    "shorter than said": b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id":"1_2"}',
    "broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "cut chunks": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nC\r\n{"id":"1_2"}\r\n',
    "nothing": b"",
    "half a status": b"HTTP/1.",
    "another protocol": b"220 smtp.example.org ESMTP\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    "status 0": http(b'{"id":"1_2"}', status="000 None"),
    "status 103": http(b'{"id":"1_2"}', status="103 Early Hints"),
    "status 304": http(b"", status="304 Not Modified"),
    "status 999": http(b'{"error":{"code":190}}', status="999 What"),
    "redirect": http(b'{"id":"1_2"}', status="302 Found", headers="Location: http://127.0.0.1:1/\r\n"),
    "redirect to nonsense": http(b"", status="302 Found", headers="Location: http://[::1/\r\n"),
    "error is a text": http(b'{"error":"no"}', status="400 Bad Request"),
    "error is a list": http(b'{"error":[190]}', status="400 Bad Request"),
    "no code": error(message="x"),
    "code is true": error(code=True),
    "code is huge": error(code=10**4000),
    "code is a huge text": error(code="9" * 5000),
    "code is a fraction": error(code=190.5),
    "code is infinite": http(b'{"error":{"code":Infinity}}', status="400 Bad Request"),
    "code is a list": error(code=[190]),
    "unknown code": error(code=4711, error_subcode="x"),
}


@pytest.mark.parametrize("raw", IN_DOUBT.values(), ids=IN_DOUBT.keys())
def test_an_answer_that_proves_nothing_is_in_doubt(raw: bytes) -> None:
    assert isinstance(outcome_of(raw), Unconfirmed)


@pytest.mark.parametrize("name", ["code is huge", "code is a huge text", "code is true", "code is a fraction"])
def test_a_code_that_is_none_is_not_noted_as_one(name: str) -> None:
    assert outcome_of(IN_DOUBT[name]).evidence == {"http_status": 400}


def test_a_message_that_is_no_text_is_not_quoted() -> None:
    outcome = outcome_of(error(code=100, message=["x"], error_user_msg={"a": 1}, fbtrace_id=[1]))
    reason = "Facebook does not accept a part of the post. Change the announcement and queue it again."
    assert outcome == Refused(reason, {"http_status": 400, "code": 100})


CLEAR: dict[str, tuple[bytes, type]] = {
    "numbers as texts": (error(code="190", error_subcode="463", message="x"), Unauthorized),
    "no message": (error(code=100), Refused),
    "status 401": (error(code=190).replace(b"400 Bad Request", b"401 Unauthorized"), Unauthorized),
    "status 429 alone": (http(b"slow down", status="429 Too Many Requests"), Blocked),
    "one digit": (http(b'{"id":"7"}'), Published),
    "id and more": (http(b'{"id":"1_2","post_supports_client_mutation_id":true}'), Published),
    "chunks": (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nC\r\n{"id":"1_2"}\r\n0\r\n\r\n', Published),
    "no length": (b'HTTP/1.1 200 OK\r\n\r\n{"id":"1_2"}', Published),
    "gzip": (http(gzip.compress(b'{"id":"1_2"}'), headers="Content-Encoding: gzip\r\n"), Published),
    "continue first": (b"HTTP/1.1 100 Continue\r\n\r\n" + http(b'{"id":"1_2"}'), Published),
}


@pytest.mark.parametrize(("raw", "expected"), CLEAR.values(), ids=CLEAR.keys())
def test_an_odd_answer_that_is_clear_is_understood(raw: bytes, expected: type) -> None:
    assert isinstance(outcome_of(raw), expected)


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "fault", ["500-1", "500-2", "close", "reset", "html-502", "empty-200", "success-200", "truncated", "redirect"]
)
def test_a_fault_after_the_first_byte_is_in_doubt_written_or_not(box: Sandbox, fault: str, write: bool) -> None:
    page = the_page(box)
    box.graph.fail("feed", fault, write=write)
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Unconfirmed)
    assert len(box.graph.public_posts()) == write
    assert len(box.graph.journal) == 1


def test_slow_and_packed_answers_are_answers(box: Sandbox) -> None:
    page = the_page(box)
    for fault in ("drip", "gzip"):
        box.graph.fail("feed", fault, seconds=0.001)
        assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Published)


def test_text_from_outside_can_be_stored_and_shown() -> None:
    outcome = outcome_of(error(code=100, message="half \ud83d\x00\x1b[31m\nred", fbtrace_id="A\ud800\x00"))
    assert isinstance(outcome, Refused)
    shown = json.dumps(outcome.evidence, ensure_ascii=False) + outcome.reason
    assert shown.encode()
    assert all(c.isprintable() for c in shown)


def test_a_long_story_is_cut_short() -> None:
    outcome = outcome_of(error(code=100, message="x" * 900_000))
    assert isinstance(outcome, Refused)
    assert len(outcome.reason) < 500


BAD_LISTS: list[Callable[[Visit], None]] = [answering(raw) for raw in IN_DOUBT.values()]


@pytest.mark.parametrize("act", BAD_LISTS, ids=IN_DOUBT.keys())
def test_reading_raises_nothing_either(act: Callable[[Visit], None]) -> None:
    attempt: Attempt = ATTEMPT
    with RawServer(act) as server:
        page = a_page(server.url)
        assert page.link_to("1_2") is None
        assert type(page.find(attempt)).__name__ == "CannotTell"
        assert len(page.check()) == 1


def test_a_picture_is_never_in_doubt_whatever_comes_back(tmp_path: Path) -> None:
    for raw in (IN_DOUBT["empty"], IN_DOUBT["redirect"], IN_DOUBT["html refusal"], IN_DOUBT["nothing"]):
        with RawServer(answering(raw)) as server:
            content = Content("facebook_page", "x", None, (a_picture(tmp_path),))
            assert isinstance(a_page(server.url, tmp_path).publish(an_attempt(content)), Unavailable)
            assert len(server.visits) == 1

"""What every HTTP answer looks like: versions, headers, escaping, usage."""

import json
import re
import socket

import pytest

from outreach.sandbox import Sandbox

from .clients import Caller, error_of, talk


@pytest.mark.parametrize(
    ("asked", "served"),
    [("v26.0", "v26.0"), ("v24.0", "v24.0"), ("v21.0", "v21.0"), ("v20.0", "v21.0"), ("v3.2", "v21.0"), ("", "v21.0")],
)
def test_an_expired_or_missing_version_is_served_by_the_oldest_alive(box: Sandbox, asked: str, served: str) -> None:
    answer = Caller(box, asked).feed(message="x")
    assert (answer.status_code, answer.headers["facebook-api-version"]) == (200, served)


@pytest.mark.parametrize("version", ["v99.0", "v24", "vx.0", "version"])
def test_an_unknown_version_is_refused(box: Sandbox, version: str) -> None:
    assert error_of(Caller(box, version).feed(message="x"))[:2] == (400, 2500)


def test_every_answer_has_facebooks_headers(call: Caller) -> None:
    headers = call.feed(message="x").headers
    assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert headers["Cache-Control"] == "private, no-cache, no-store, must-revalidate"
    assert headers["Pragma"] == "no-cache"
    assert headers["Expires"] == "Sat, 01 Jan 2000 00:00:00 GMT"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Date"] == "Tue, 24 Nov 2026 12:00:00 GMT"
    assert "Strict-Transport-Security" in headers
    assert all(headers[name] for name in ("x-fb-request-id", "x-fb-trace-id", "x-fb-rev", "x-fb-debug"))


def test_reads_have_an_etag_and_writes_have_none(call: Caller) -> None:
    post_id = call.publish("x")
    assert re.fullmatch(r'"[0-9a-f]{40}"', call.get(post_id).headers["ETag"])
    assert "ETag" not in call.feed(message="y").headers


def test_bodies_are_ascii_with_escaped_slashes(call: Caller) -> None:
    post_id = call.publish("Grüße: https://example.org/")
    body = call.get(post_id).content
    assert rb"Gr\u00fc\u00dfe: https:\/\/example.org\/" in body
    assert json.loads(body)["message"] == "Grüße: https://example.org/"


def test_errors_carry_a_trace_id(call: Caller) -> None:
    inner = call.feed().json()["error"]
    assert set(inner) == {"message", "type", "code", "fbtrace_id"}


def test_a_page_token_sees_the_usage_of_its_page(box: Sandbox, call: Caller) -> None:
    usage = json.loads(call.feed(message="x").headers["X-Business-Use-Case-Usage"])
    (entry,) = usage[box.page_id]
    assert set(entry) == {"type", "call_count", "total_cputime", "total_time", "estimated_time_to_regain_access"}
    assert entry["type"] == "pages"


def test_a_user_token_sees_the_usage_of_the_app(box: Sandbox, call: Caller) -> None:
    headers = call.get("me", token=box.user_token).headers
    assert set(json.loads(headers["X-App-Usage"])) == {"call_count", "total_cputime", "total_time"}
    assert "X-Business-Use-Case-Usage" not in headers


def test_usage_grows_to_a_limit_that_further_calls_raise(box: Sandbox, call: Caller) -> None:
    box.graph.rules.call_budget = 4
    answers = [call.feed(message=f"post {n}") for n in range(5)]
    usage = [json.loads(answer.headers["X-Business-Use-Case-Usage"])[box.page_id][0] for answer in answers]
    assert [entry["call_count"] for entry in usage] == [25, 50, 75, 100, 125]
    assert [answer.ok for answer in answers] == [True, True, True, False, False]
    assert error_of(answers[3]) == (400, 80001, None)
    assert usage[3]["estimated_time_to_regain_access"] < usage[4]["estimated_time_to_regain_access"]


def test_head_and_options_are_harmless(box: Sandbox, call: Caller) -> None:
    head = call.session.head(call.url(box.page_id), params={"access_token": box.page_token}, timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    assert call.session.options(call.url(f"{box.page_id}/feed"), timeout=30).ok
    assert box.graph.public_posts() == []


@pytest.mark.strays
def test_other_methods_are_refused(box: Sandbox, call: Caller) -> None:
    answer = call.session.put(call.url(box.page_id), params={"access_token": box.page_token}, timeout=30)
    assert error_of(answer) == (400, 100, 33)


def test_one_connection_serves_many_calls(box: Sandbox) -> None:
    one = f"GET /v25.0/me?access_token={box.page_token} HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    last = one.replace("Host: sandbox", "Host: sandbox\r\nConnection: close")
    received = talk(int(box.graph_url.rpartition(":")[2]), (one * 2 + last).encode())
    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_a_giant_body_is_not_read(box: Sandbox) -> None:
    payload = b"POST /v25.0/1/feed HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 99999999999\r\n\r\n"
    assert talk(int(box.graph_url.rpartition(":")[2]), payload).startswith(b"HTTP/1.1 413 ")


def test_half_a_request_is_none(box: Sandbox) -> None:
    form = f"message=half&access_token={box.page_token}".encode()
    head = (
        f"POST /v25.0/{box.page_id}/feed HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {len(form) + 9}\r\n\r\n".encode()
    )
    with socket.create_connection(("127.0.0.1", int(box.graph_url.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(head + form)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096) == b""
    assert (box.graph.public_posts(), box.graph.journal) == ([], [])

"""Every way an answer can go wrong on the Graph side, with the write done and not done."""

import contextlib
import json
import threading

import pytest
import requests

from outreach.sandbox import Sandbox
from outreach.sandbox.error_table import ROWS
from outreach.sandbox.mischief import HOWS

from .clients import Caller, error_of, talk


def raw_feed(box: Sandbox) -> bytes:
    body = f"message=hello&access_token={box.page_token}"
    head = f"POST /v25.0/{box.page_id}/feed HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {len(body)}\r\n"
    return (head + "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n" + body).encode()


def port_of(box: Sandbox) -> int:
    return int(box.graph_url.rpartition(":")[2])


BROKEN = [
    "500-1",
    "500-2",
    "close",
    "reset",
    "hang",
    "html-502",
    "empty-200",
    "success-200",
    "truncated",
    "drip",
    "delay",
    "gzip",
]


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("how", [*BROKEN, "redirect", "error"])
def test_the_truth_about_a_write_is_independent_of_its_answer(
    box: Sandbox, call: Caller, how: str, write: bool
) -> None:
    box.graph.fail("feed", how, write=write, seconds=0.0)
    with contextlib.suppress(requests.RequestException):
        call.feed(message="hello")
    assert len(box.graph.public_posts()) == int(write)
    assert box.graph.journal[0].wrote is write
    assert (box.graph.journal[0].post_id is not None) is write


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_comes_after_the_write_by_default(box: Sandbox, call: Caller, how: str) -> None:
    box.graph.fail("feed", f"write-{how}", seconds=0.0)
    with contextlib.suppress(requests.RequestException):
        call.feed(message="hello")
    assert len(box.graph.public_posts()) == 1


@pytest.mark.parametrize(("how", "code"), [("500-1", 1), ("500-2", 2)])
def test_a_server_error_is_five_hundred(box: Sandbox, call: Caller, how: str, code: int) -> None:
    box.graph.fail("feed", how)
    assert error_of(call.feed(message="x")) == (500, code, None)


def test_an_outage_page_is_html(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "html-502")
    answer = call.feed(message="x")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=UTF-8")
    assert "something went wrong" in answer.text


def test_an_answer_can_be_empty_or_without_an_id(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "empty-200")
    box.graph.fail("feed", "success-200")
    assert call.feed(message="x").content == b""
    assert call.feed(message="y").json() == {"success": True}


def test_a_closed_connection_says_nothing(box: Sandbox) -> None:
    box.graph.fail("feed", "close")
    assert talk(port_of(box), raw_feed(box)) == b""


def test_a_reset_connection_is_reset(box: Sandbox) -> None:
    box.graph.fail("feed", "reset")
    with pytest.raises(ConnectionResetError):
        talk(port_of(box), raw_feed(box))
    assert len(box.graph.public_posts()) == 1


def test_a_truncated_answer_promises_more_than_it_holds(box: Sandbox) -> None:
    box.graph.fail("feed", "truncated")
    head, _, body = talk(port_of(box), raw_feed(box)).partition(b"\r\n\r\n")
    assert f"Content-Length: {2 * len(body)}".encode() in head
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_a_drip_is_slow_but_whole(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "drip", seconds=0.001)
    assert call.feed(message="x").json()["id"] == box.graph.public_posts()[0].id


def test_a_hanging_answer_ends_when_released(box: Sandbox) -> None:
    box.graph.fail("feed", "hang", seconds=60)
    received: list[bytes] = []
    client = threading.Thread(target=lambda: received.append(talk(port_of(box), raw_feed(box))))
    client.start()
    while client.is_alive():
        box.release()
        client.join(0.01)
    assert received == [b""]
    assert len(box.graph.public_posts()) == 1


def test_a_client_may_give_up_on_a_hanging_answer(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "hang")
    with pytest.raises(requests.ReadTimeout):
        call.session.post(
            call.url(f"{box.page_id}/feed"), data={"message": "x", "access_token": box.page_token}, timeout=0.1
        )
    assert len(box.graph.public_posts()) == 1


def test_a_delayed_answer_is_good(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "delay", seconds=0.01)
    assert call.feed(message="x").ok


def test_a_gzip_answer_is_good(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "gzip")
    answer = call.feed(message="x")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json()["id"] == box.graph.public_posts()[0].id


def test_a_redirect_leads_elsewhere(box: Sandbox, call: Caller) -> None:
    box.graph.fail("read", "redirect", location="https://elsewhere.example.org/")
    answer = call.get(box.page_id)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.example.org/")


def test_an_error_is_shaped_as_told(box: Sandbox, call: Caller) -> None:
    box.graph.fail(
        "feed", "error", code=4, subcode=7, status=403, message="Enough", is_transient=False, error_user_msg="", fbtrace_id=False,
        headers={"X-App-Usage": '{"call_count":100}'},
    )  # fmt: skip
    answer = call.feed(message="x")
    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "message": "Enough",
            "type": "OAuthException",
            "code": 4,
            "error_subcode": 7,
            "is_transient": False,
            "error_user_msg": "",
        }
    }
    assert answer.headers["X-App-Usage"] == '{"call_count":100}'
    assert box.graph.public_posts() == []


@pytest.mark.parametrize("name", ROWS)
def test_every_known_error_is_answered_by_name(box: Sandbox, call: Caller, name: str) -> None:
    row = ROWS[name]
    box.graph.fail_with(name)
    answer = call.feed(message="x")
    assert error_of(answer) == (row.status, row.code, row.subcode)
    assert answer.json()["error"]["message"] == row.message
    assert answer.headers["WWW-Authenticate"].startswith('OAuth "Facebook Platform"')
    assert "X-Business-Use-Case-Usage" in answer.headers
    assert box.graph.journal[-1].token_kind == "PAGE"
    assert len(box.graph.public_posts()) == int(row.wrote)
    assert call.feed(message="y").ok


def test_a_clock_at_facebook_can_be_wrong(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "delay", seconds=0, headers={"date": "Tue, 24 Nov 2026 11:00:00 GMT"})
    assert call.feed(message="x").headers["Date"] == "Tue, 24 Nov 2026 11:00:00 GMT"


def test_a_comment_can_be_written_and_its_answer_refused(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("x")
    box.graph.fail_with("20_1772107", "comments")
    assert error_of(call.post(f"{post_id}/comments", message="y")) == (400, 20, 1772107)
    assert len(call.get(f"{post_id}/comments").json()["data"]) == 1


def test_a_list_can_be_empty_late_or_failing(box: Sandbox, call: Caller) -> None:
    ids = [call.publish(f"post {n}") for n in range(3)]
    box.graph.fail("published_posts", "empty-list")
    box.graph.fail("published_posts", "lagging-list", newest=2)
    box.graph.fail("published_posts", "failing-list", code=2, status=500)
    assert call.ids() == []
    assert call.ids() == ids[:1]
    assert error_of(call.get(f"{box.page_id}/published_posts")) == (500, 2, None)
    assert call.ids() == ids[::-1]


def test_a_fault_strikes_as_often_as_told_after_as_many_calls_as_told(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "error", times=2, after=1)
    assert [call.feed(message=str(n)).ok for n in range(5)] == [True, False, False, True, True]


def test_a_fault_without_a_count_strikes_until_reset(box: Sandbox, call: Caller) -> None:
    box.graph.fail("feed", "error", times=None)
    assert [call.feed(message="x").ok for _ in range(3)] == [False, False, False]
    box.reset()
    assert call.feed(message="x").ok


def test_a_fault_waits_for_its_operation(box: Sandbox, call: Caller) -> None:
    box.graph.fail("comments", "500-2")
    post_id = call.publish("x")
    assert call.get(f"{box.page_id}/feed").ok
    assert error_of(call.post(f"{post_id}/comments", message="y")) == (500, 2, None)


@pytest.mark.parametrize(
    ("op", "act"),
    [
        ("photos", lambda call, post_id: call.post(f"{call.box.page_id}/photos", files={"source": ("a", b"GIF8")})),
        ("edit", lambda call, post_id: call.post(post_id, message="y")),
        ("delete", lambda call, post_id: call.delete(post_id)),
        ("read", lambda call, post_id: call.get(post_id)),
        ("read_ids", lambda call, post_id: call.get("", ids=post_id)),
        ("read_feed", lambda call, post_id: call.get(f"{call.box.page_id}/feed")),
        ("scheduled_posts", lambda call, post_id: call.get(f"{call.box.page_id}/scheduled_posts")),
        ("me", lambda call, post_id: call.get("me")),
        ("debug_token", lambda call, post_id: call.get("debug_token")),
        ("*", lambda call, post_id: call.get("me")),
    ],
)  # fmt: skip
def test_every_operation_can_fail(box: Sandbox, call: Caller, op: str, act: object) -> None:
    assert callable(act)
    post_id = call.publish("x")
    box.graph.fail(op, "error", code=2, status=500)
    assert error_of(act(call, post_id)) == (500, 2, None)


def test_a_fault_can_wait_for_a_method_and_the_end_of_a_path(box: Sandbox, call: Caller) -> None:
    box.graph.fail("*", "error", method="GET", path=r"/\d+_\d+")
    post_id = call.publish("x")
    assert call.get(box.page_id).ok
    assert not call.get(post_id).ok


@pytest.mark.parametrize("wrong", [{"how": "explode"}, {"op": "fead"}])
def test_a_fault_nobody_knows_is_refused(box: Sandbox, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="known"):
        box.graph.fail(**wrong)  # type: ignore[arg-type]


def test_an_error_nobody_knows_is_refused(box: Sandbox) -> None:
    with pytest.raises(KeyError, match="190_463"):
        box.graph.fail_with("190_999")


def test_the_docstring_names_every_fault() -> None:
    text = Sandbox().graph.fail.__doc__ or ""
    assert [how for how in HOWS if f"`{how}`" not in text] == []


def test_the_journal_tells_what_the_client_was_told(box: Sandbox, call: Caller) -> None:
    call.publish("x")
    box.graph.fail("feed", "close")
    box.graph.fail_with("190_463")
    with pytest.raises(requests.ConnectionError):
        call.feed(message="y")
    call.feed(message="z")
    call.feed()
    assert [(entry.status, entry.outcome) for entry in box.graph.journal] == [
        (200, "answered"),
        (None, "closed without an answer (fault close)"),
        (400, "answered (fault error 190/463)"),
        (400, "error 100/-"),
    ]
    assert (box.graph.journal[0].method, box.graph.journal[0].op) == ("POST", "feed")
    assert box.graph.journal[0].path == f"/v25.0/{box.page_id}/feed"

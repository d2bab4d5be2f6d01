"""The sandbox as an object, as a process, and over its control interface."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
import requests

from outreach.sandbox import Sandbox

from .clients import Caller, a_mail, error_of, submit


def control(box: Sandbox, name: str, /, **arguments: Any) -> requests.Response:
    return requests.post(f"{box.graph_url}/_sandbox/{name}", json=arguments, timeout=30)


def shown(box: Sandbox, name: str) -> Any:
    return requests.get(f"{box.graph_url}/_sandbox/{name}".rstrip("/"), timeout=30).json()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", "", "10.0.0.1"])
def test_a_public_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        Sandbox(host=host)


def test_localhost_is_this_machine() -> None:
    with Sandbox(host="localhost") as box:
        assert box.graph_url.startswith("http://127.0.0.1:")


def test_a_stopped_sandbox_comes_back_at_the_same_addresses_with_its_posts() -> None:
    box = Sandbox()
    with box:
        Caller(box).publish("before")
        first = (box.graph_url, box.smtp_port)
    with pytest.raises(requests.ConnectionError):
        requests.get(box.page_url, timeout=30)
    with box:
        assert (box.graph_url, box.smtp_port) == first
        assert Caller(box).publish("after")
        assert [post.message for post in box.graph.public_posts()] == ["before", "after"]


def test_it_stops_quickly_although_clients_hang() -> None:
    box = Sandbox()
    with box:
        box.graph.fail("me", "hang", seconds=60)
        box.mail.fail("CONNECT", "hang", delay_s=60)
        port = int(box.graph_url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as web,
            socket.create_connection(("127.0.0.1", box.smtp_port)),
        ):
            web.sendall(f"GET /me?access_token={box.page_token} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            started_at = time.monotonic()
            box.stop()
            assert time.monotonic() - started_at < 2


def test_stopping_cuts_idle_connections() -> None:
    box = Sandbox()
    with box:
        web = socket.create_connection(("127.0.0.1", int(box.graph_url.rpartition(":")[2])), timeout=30)
        mail = socket.create_connection(("127.0.0.1", box.smtp_port), timeout=30)
        web.sendall(f"GET /me?access_token={box.page_token} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert web.recv(65536).startswith(b"HTTP/1.1 200")
        assert mail.recv(65536).startswith(b"220")
    with web, mail:
        assert (web.recv(1), mail.recv(1)) == (b"", b"")


def test_a_taken_mail_port_leaves_no_web_server_behind() -> None:
    with Sandbox() as first:
        second = Sandbox(smtp_port=first.smtp_port)
        with pytest.raises(OSError, match="in use"):
            second.start()
        second.stop()
        assert second.graph_url.endswith(":0")


def give_up(box: Sandbox) -> None:
    with pytest.raises(requests.ConnectionError):
        Caller(box).get("me")


def test_no_thread_of_a_stopped_sandbox_waits() -> None:
    box = Sandbox()
    with box:
        box.graph.fail("me", "hang", seconds=60)
        client = threading.Thread(target=give_up, args=(box,))
        client.start()
    client.join(5)
    assert not client.is_alive()


def test_reset_forgets_what_happened_and_keeps_who_is_there(box: Sandbox, call: Caller) -> None:
    call.publish("x")
    submit(box)
    box.graph.fail("feed", "close")
    box.mail.fail("MAIL", "451")
    box.reset()
    assert (box.graph.public_posts(), box.graph.journal, box.mail.distributed(), box.mail.journal) == ([], [], [], [])
    assert box.mail.mailbox(box.member) == []
    submit(box)
    assert call.publish("y")


def test_everything_needed_is_told(box: Sandbox) -> None:
    told = shown(box, "")
    assert told["not"] == "This is a sandbox, not Facebook."
    assert (told["graph_url"], told["smtp_port"]) == (box.graph_url, box.smtp_port)
    assert (told["page_id"], told["page_token"], told["app_secret"]) == (box.page_id, box.page_token, box.app_secret)
    assert (told["list_address"], told["member"]) == (box.list_address, box.member)


def test_posts_mails_and_journals_are_told(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("x")
    submit(box)
    assert [post["id"] for post in shown(box, "posts")[box.page_id]] == [post_id]
    assert [mail["message_id"] for mail in shown(box, "mails")[box.list_address]["distributed"]] == [
        "<one@example.org>"
    ]
    journal = shown(box, "journal")
    assert (journal["graph"][0]["op"], journal["graph"][0]["wrote"]) == ("feed", True)
    assert journal["mail"][0]["outcome"] == "distributed"
    assert box.page_token not in json.dumps(journal)


def test_faults_are_armed_from_outside(box: Sandbox, call: Caller) -> None:
    assert control(box, "fail", op="feed", how="write-500-2").json() == {"ok": True}
    assert control(box, "fail", name="190_463", op="feed").ok
    assert control(box, "fail", where="mail", verb="RCPT", how="550").ok
    assert error_of(call.feed(message="x")) == (500, 2, None)
    assert error_of(call.feed(message="x")) == (400, 190, 463)
    with pytest.raises(Exception, match="550"):
        submit(box)


@pytest.mark.parametrize(
    "wrong",
    [{"how": "explode"}, {"name": "none"}, {"where": "moon"}, {"colour": "red"}, {"where": "mail", "verb": "X"}],
)
def test_nonsense_is_refused_with_a_reason(box: Sandbox, wrong: dict[str, str]) -> None:
    answer = control(box, "fail", **wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_rules_time_and_moderation_are_changed_from_outside(box: Sandbox, call: Caller) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box)
    submit(box, a_mail(box, Subject="Second"))
    first, second = (held["id"] for held in shown(box, "mails")[box.list_address]["held"])
    assert control(box, "moderate", id=first, accept=True).ok
    assert control(box, "moderate", id=second, accept=False, reason="no").ok
    assert len(box.mail.distributed()) == 1
    before = box.graph.clock.now()
    assert control(box, "advance", seconds=60).ok
    assert (box.graph.clock.now() - before).total_seconds() == 60
    assert control(box, "rules", require_proof=True).ok
    assert not call.feed(message="x").ok
    assert control(box, "rules", colour="red").status_code == 400


def test_a_token_dies_from_outside(box: Sandbox, call: Caller) -> None:
    assert control(box, "kill", token=box.page_token, subcode=460).ok
    assert error_of(call.feed(message="x")) == (400, 190, 460)
    assert control(box, "kill", token="none", subcode=460).status_code == 400


def test_reset_and_release_work_from_outside(box: Sandbox, call: Caller) -> None:
    call.publish("x")
    assert control(box, "release").ok
    assert control(box, "reset").ok
    assert box.graph.public_posts() == []


@pytest.mark.parametrize(
    ("method", "name"), [("GET", "nothing"), ("POST", "nothing"), ("GET", "reset"), ("POST", "posts")]
)
def test_other_controls_do_not_exist(box: Sandbox, method: str, name: str) -> None:
    assert requests.request(method, f"{box.graph_url}/_sandbox/{name}", timeout=30).status_code == 404


def test_it_runs_alone_and_stops_at_a_signal() -> None:
    command = [sys.executable, "-m", "outreach.sandbox", "--json", "--pages", "2", "--lists", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            data = {"message": "x", "access_token": told["page_token"]}
            answer = requests.post(f"{told['graph_url']}/v25.0/{told['page_id']}/feed", data=data, timeout=30)
        finally:
            process.send_signal(signal.SIGTERM)
        _, warning = process.communicate(timeout=30)
    assert answer.ok
    assert (len(told["pages"]), len(told["lists"])) == (2, 2)
    assert (process.returncode, "This is a sandbox, not Facebook" in warning) == (0, True)

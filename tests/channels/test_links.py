"""Links of a post: asked whether they answer, as a stranger would, and never inside a private network."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from outreach.channels.links import MOST_LINKS, check_links, is_public, links_of
from outreach.model import Content, Problem
from outreach.sandbox import Sandbox

from .builders import SECRET, TOKEN, a_list, a_page, the_page
from .servers import Act, RawServer, Visit, a_closed_port, http


def linking(*links: str) -> Content:
    return Content("facebook_page", "Poster session\n\n" + "\n".join(links[1:]), links[0] if links else None)


def check(*links: str, is_sandbox: bool = True, **more: Any) -> list[Problem]:
    return check_links(linking(*links), is_sandbox=is_sandbox, **more)


def answers(status: str, headers: str = "") -> Act:
    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(b"", status=status, headers=headers))

    return act


def test_the_links_of_a_post_are_each_listed_once() -> None:
    text = "See https://example.org/a, (https://example.org/b_(c)) and <https://example.org/d#e>. mailto:a@example.org"
    assert links_of(Content("listserv", text, "https://example.org/a")) == (
        *("https://example.org/a", "https://example.org/b_(c)", "https://example.org/d"),
    )
    many = " ".join(f"https://example.org/{number}" for number in range(50))
    assert len(links_of(Content("listserv", many))) == MOST_LINKS


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "206 Partial Content", "304 Not Modified"])
def test_a_link_that_answers_is_asked_once_and_is_no_problem(status: str) -> None:
    with RawServer(answers(status)) as server:
        assert check(f"{server.url}/a?b=c#d") == []
        assert server.received.startswith(b"HEAD /a?b=c HTTP/1.1\r\n")
        assert len(server.visits) == 1


@pytest.mark.parametrize("status", [404, 410, 500, 503])
def test_a_link_that_leads_to_nothing_is_a_problem(status: int) -> None:
    with RawServer(answers(f"{status} x")) as server:
        [problem] = check(server.url)
        assert not problem.is_warning
        assert problem.next_step
        assert server.url in problem.message
        assert str(status) in problem.message
        assert [visit.received[:4] for visit in server.visits] == [b"HEAD", b"GET "]
        assert b"\r\nRange: bytes=0-1023\r\n" in server.visits[1].received


@pytest.mark.parametrize("status", [400, 401, 403, 405, 429, 451])
def test_a_link_that_answers_but_not_to_us_is_a_warning(status: int) -> None:
    with RawServer(answers(f"{status} x")) as server:
        [problem] = check(server.url)
        assert problem.is_warning
        assert f"answers, but not to us ({status})" in problem.message


@pytest.mark.parametrize("refusal", [b"405 No HEAD", b"404 No HEAD", b"501 No HEAD", b""])
def test_a_server_that_knows_no_head_is_asked_for_a_little_of_the_page(refusal: bytes) -> None:
    def act(visit: Visit) -> None:
        visit.read_request()
        if visit.received.startswith(b"GET "):
            visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n" + b"x" * 100_000)
        elif refusal:
            visit.say(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")

    with RawServer(act) as server:
        assert check(server.url) == []


@pytest.mark.parametrize("hops", [5, 6])
def test_redirects_are_followed_up_to_five_times(hops: int) -> None:
    def act(visit: Visit) -> None:
        visit.read_request()
        number = int(visit.received.split()[1].strip(b"/") or 0)
        visit.say(http(b"", status="302 Found", headers=f"Location: /{number + 1}\r\n") if number < hops else http(b""))

    with RawServer(act) as server:
        found = check(f"{server.url}/0")
        assert [problem.message.endswith("leads on more than 5 times.") for problem in found] == [True] * (hops - 5)
        assert len(server.visits) == 6


def test_a_redirect_to_a_page_that_is_gone_is_told_of_the_link_in_the_post() -> None:
    with RawServer(answers("404 x")) as gone, RawServer(answers("301 x", f"Location: {gone.url}/b\r\n")) as server:
        [problem] = check(f"{server.url}/a")
        assert problem.message == f"The link {server.url}/a leads to nothing (404)."


def test_a_link_to_a_server_without_a_valid_certificate_is_a_problem() -> None:
    with RawServer(answers("200 OK"), tls=True) as server:
        [problem] = check(server.url)
        assert "no secure connection could be made (TLS)" in problem.message
        assert server.received == b""


def test_a_link_to_a_closed_port_is_a_problem() -> None:
    [problem] = check(f"http://127.0.0.1:{a_closed_port()}/")
    assert not problem.is_warning
    assert "does not answer" in problem.message


def drip(visit: Visit) -> None:
    visit.read_request()
    for _ in range(100):
        visit.say(b"H")
        threading.Event().wait(0.05)


@pytest.mark.parametrize("act", [Visit.linger, Visit.reset, drip])
def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(act: Act) -> None:
    with RawServer(act) as server:
        began = time.monotonic()
        [problem] = check(server.url, deadline_s=0.5)
        assert "does not answer" in problem.message
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("link", ["http://[", "https://127.0.0.1:99999/", "http://127.0.0.1:0/"])
def test_what_is_no_address_is_a_problem_and_no_fault(link: str) -> None:
    [problem] = check(link)
    assert "no web address" in problem.message


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://[", "javascript:x"])
def test_a_redirect_to_what_is_no_web_address_is_not_followed(location: str) -> None:
    with RawServer(answers("302 x", f"Location: {location}\r\n")) as server:
        [problem] = check(server.url)
        assert "no web address" in problem.message


# Where nothing is asked


def test_nothing_but_this_machine_is_asked_in_a_sandbox() -> None:
    def never(host: str, port: int, within_s: float) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    assert check("https://example.org/", "http://10.0.0.1/", "http://8.8.8.8/", look_up=never) == []


def test_a_redirect_out_of_the_sandbox_is_not_followed() -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, within_s: float) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    for elsewhere in ("http://example.org/", "http://10.0.0.1/", "http://169.254.169.254/latest/"):
        with RawServer(answers("302 x", f"Location: {elsewhere}\r\n")) as server:
            assert check(server.url, look_up=look_up) == []
    assert asked == ["127.0.0.1"] * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
def test_this_machine_is_never_asked_outside_a_sandbox(host: str) -> None:
    with RawServer(answers("200 OK")) as server:
        [problem] = check(f"http://{host}:{server.port}/", is_sandbox=False)
        assert problem.is_warning
        assert "leads into a private network" in problem.message
        assert server.visits == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["10.1.2.3"], ["fe80::1%eth0"]])
def test_a_name_that_leads_into_a_private_network_is_not_asked(addresses: list[str]) -> None:
    with RawServer(answers("200 OK")) as server:
        link = f"http://www.example.org:{server.port}/"
        [problem] = check(link, is_sandbox=False, look_up=lambda *_: addresses)
        assert "leads into a private network" in problem.message
        assert server.visits == []


def test_it_connects_to_the_address_that_was_looked_at_and_names_the_host() -> None:
    with RawServer(answers("200 OK")) as server:
        link = f"http://www.localhost:{server.port}/a"  # nobody else is asked where that is
        assert check(link, look_up=lambda *_: ["127.0.0.1"]) == []
        assert f"\r\nHost: www.localhost:{server.port}\r\n".encode() in server.received


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("nonsense", False),
    ],
)
def test_what_is_public_and_what_is_not(address: str, expected: bool) -> None:
    assert is_public(address) is expected


# Names that nobody knows


def knowing(*known: str) -> Callable[[str, int, float], list[str]]:
    return lambda host, port, within_s: ["127.0.0.1"] if host in known else []


def test_a_host_that_cannot_be_found_is_one_problem_however_often_it_is_linked() -> None:
    [problem] = check(
        "http://a.localhost/1", "http://a.localhost/2", "http://a.localhost/3", look_up=knowing("b.localhost")
    )
    assert "http://a.localhost/1 leads to a host that cannot be found" in problem.message


def test_a_machine_without_a_network_gives_one_problem_and_asks_no_further() -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, within_s: float) -> list[str]:
        asked.append(host)
        return []

    links = [f"https://{number}.example.org/" for number in range(8)]
    [problem] = check(*links, is_sandbox=False, look_up=look_up)
    assert "this machine seems to have no network" in problem.message
    assert asked == ["0.example.org", "1.example.org"]


def test_hosts_that_cannot_be_found_are_named_where_another_answers() -> None:
    with RawServer(answers("200 OK")) as server:
        links = (server.url, "http://a.localhost/", "http://b.localhost/")
        assert [p.message.split()[2] for p in check(*links, look_up=knowing("127.0.0.1"))] == [*links[1:]]


# What a link is told of us


def test_a_link_is_told_nothing_of_us() -> None:
    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(b"", status="302 x", headers="Set-Cookie: a=b\r\nLocation: /again\r\n"))

    with RawServer(act) as server:
        page = a_page("http://127.0.0.1:1", FACEBOOK_APP_ID="77")
        page.check_content(linking(f"http://somebody:else@127.0.0.1:{server.port}/"))
        assert len(server.visits) == 6
        assert b"\r\nUser-Agent: outreach\r\n" in server.received
        for word in (TOKEN.encode(), SECRET.encode(), b"Cookie", b"Authorization", b"else", b"Referer"):
            assert word not in server.received


# Through the channels


def test_both_channels_ask_the_links_of_a_post(box: Sandbox) -> None:
    with RawServer(answers("404 x")) as server:
        content = linking(f"{server.url}/gone")
        [problem] = the_page(box).check_content(content)
        assert "leads to nothing (404)" in problem.message
        told = a_list(1, is_sandbox=True).check_content(content)
        assert problem in told


def test_a_real_page_and_a_real_list_ask_nothing_on_this_machine() -> None:
    with RawServer(answers("200 OK")) as server:
        content = linking(f"{server.url}/")
        page = a_page("https://graph.facebook.com")
        assert [p.is_warning for p in page.check_content(content)] == [True]
        assert [p.is_warning for p in a_list(1).check_content(content)][-1:] == [True]
        assert server.visits == []

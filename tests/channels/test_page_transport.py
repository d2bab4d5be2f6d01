"""The way to a Page: what counts as sent, how long it may take, and where the token never goes."""

import contextlib
import errno
import hashlib
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.channels._http import Answer, Http
from outreach.model import Content, Outcome, Published, SentPicture, Unavailable, Unconfirmed
from outreach.sandbox import Sandbox

from .builders import TOKEN, a_page, a_picture, a_wording, an_attempt, the_page
from .servers import CERTIFICATE, RawServer, Visit, a_closed_port, answering, http

ATTEMPT = an_attempt(Content("facebook_page", "Poster session"))
GOOD = http(b'{"id":"1_2"}')
SHORT: dict[str, Any] = {"OUTREACH_HTTP_TIMEOUT_S": "0.3"}


def publish(url: str, **settings: Any) -> Outcome:
    return a_page(url, **settings).publish(ATTEMPT)


# Nothing left


def test_a_refused_connection_sent_nothing() -> None:
    assert isinstance(publish(f"http://127.0.0.1:{a_closed_port()}"), Unavailable)


def test_a_name_nobody_has_sent_nothing() -> None:
    assert isinstance(publish("https://graph.facebook.invalid"), Unavailable)


@contextlib.contextmanager
def a_full_port() -> Iterator[int]:
    """A port that takes no further connection: its queue is full, and the next handshake gets no answer."""
    with contextlib.ExitStack() as open_ones, socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        for _ in range(8):
            waiting = open_ones.enter_context(socket.socket())
            waiting.setblocking(False)
            assert waiting.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
            select.select([], [waiting], [], 0.05)
        yield listener.getsockname()[1]


def test_a_connection_not_made_in_time_sent_nothing() -> None:
    with a_full_port() as port:
        outcome = publish(f"http://127.0.0.1:{port}", **SHORT)
    assert outcome == Unavailable("Facebook could not be reached: no connection could be made in time.")


def test_a_server_that_does_not_speak_tls_gets_no_request() -> None:
    with RawServer(lambda visit: visit.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        outcome = publish(f"https://127.0.0.1:{server.port}")
        assert outcome == Unavailable("Facebook could not be reached: no secure connection could be made (TLS).")
        assert b"POST" not in server.received


def test_a_certificate_of_nobody_gets_no_request() -> None:
    with RawServer(answering(GOOD), tls=True) as server:
        assert isinstance(publish(server.url), Unavailable)
        assert server.received == b""


def test_a_certificate_that_the_environment_trusts_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with RawServer(answering(GOOD), tls=True) as server:
        assert isinstance(publish(server.url), Published)


def test_a_lost_answer_over_tls_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with RawServer(Visit.read_request, tls=True) as server:
        assert isinstance(publish(server.url), Unconfirmed)


@pytest.mark.parametrize("token", ["EAAtoken\nwith a line end", "EAAtoken with “marks”"])
def test_a_token_that_no_header_can_carry_is_told_without_it(token: str) -> None:
    with RawServer(answering(GOOD)) as server:
        outcome = publish(server.url, FACEBOOK_PAGE_TOKEN=token)
        assert outcome == Unavailable(
            "Facebook could not be reached: the token or the text holds characters that cannot be sent."
        )
        assert server.received == b""


# Something may have left


def ends(*steps: Callable[[Visit], None]) -> Callable[[Visit], None]:
    """Do one thing after the other, then hang up."""

    def act(visit: Visit) -> None:
        for step in steps:
            step(visit)

    return act


def says(what: bytes) -> Callable[[Visit], None]:
    return lambda visit: visit.say(what)


ENDS: dict[str, Callable[[Visit], None]] = {
    "hangs up after a little": ends(lambda visit: visit.read_until(b"P")),
    "hangs up after the request": ends(Visit.read_request),
    "resets after the request": ends(Visit.read_request, Visit.reset),
    "says nothing": Visit.linger,
    "ends within the status": ends(Visit.read_request, says(b"HTTP/1.1 2")),
    "resets within the body": ends(Visit.read_request, says(GOOD[:-4]), Visit.reset),
}


@pytest.mark.parametrize("act", ENDS.values(), ids=ENDS.keys())
def test_an_end_after_the_connection_is_in_doubt(act: Callable[[Visit], None]) -> None:
    with RawServer(act) as server:
        assert isinstance(publish(server.url, **SHORT), Unconfirmed)
        assert len(server.visits) == 1


@pytest.mark.parametrize("act", [ends(), ends(Visit.reset)], ids=["hangs up", "resets"])
def test_an_end_that_may_have_come_before_the_first_byte_is_one_or_the_other(act: Callable[[Visit], None]) -> None:
    with RawServer(act) as server:
        assert isinstance(publish(server.url), Unavailable | Unconfirmed)
        assert len(server.visits) == 1


def test_a_connection_that_is_kept_but_was_dropped_is_made_anew(box: Sandbox) -> None:
    page = the_page(box)
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Published)
    box.stop()
    box.start()
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Published)


def test_a_server_that_is_gone_between_two_posts_sent_nothing(box: Sandbox) -> None:
    page = the_page(box)
    page.publish(an_attempt(page.render(a_wording())))
    box.stop()
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Unavailable)


def keeps_alive(visit: Visit) -> None:
    while visit.read():
        if visit.received.endswith(b"x=1"):
            visit.say(GOOD.replace(b"Connection: close\r\n", b""))


@pytest.mark.parametrize(("max_idle_s", "connections"), [(5.0, 1), (0.0, 3)])
def test_a_connection_that_was_idle_is_not_used_again(max_idle_s: float, connections: int) -> None:
    with RawServer(keeps_alive) as server:
        http_client = Http(server.url, token=TOKEN, timeout_s=5, max_idle_s=max_idle_s)
        replies = [http_client.post("/x", {"x": "1"}) for _ in range(3)]
        assert [type(reply) for reply in replies] == [Answer] * 3
        assert len(server.visits) == connections


def test_a_redirect_is_not_read_to_its_end() -> None:
    pieces = []

    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
        for _ in range(200):
            visit.say(b"x" * 1_000_000)
            pieces.append(1)

    with RawServer(act) as server:
        assert isinstance(publish(server.url), Unconfirmed)
    assert len(pieces) < 50


# Time


def drips(before: bytes, piece: bytes) -> Callable[[Visit], None]:
    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(before)
        for _ in range(400):
            visit.say(piece)
            select.select([visit.connection], [], [], 0.05)

    return act


DRIPS = {
    "status": drips(b"", b"H"),
    "headers": drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "continues": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "body of a redirect": drips(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 100000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("act", DRIPS.values(), ids=DRIPS.keys())
def test_a_slow_drip_ends_at_the_deadline(act: Callable[[Visit], None]) -> None:
    with RawServer(act) as server:
        began = time.monotonic()
        assert isinstance(publish(server.url, **SHORT), Unconfirmed)
        assert time.monotonic() - began < 2


def test_a_request_that_nobody_reads_ends_at_the_deadline(tmp_path: Path) -> None:
    def act(visit: Visit) -> None:
        visit.linger_unread()

    with RawServer(act) as server:
        page = a_page(server.url, OUTREACH_HTTP_TIMEOUT_S="2")  # to lay out so long a text takes a moment, too
        outcome = page.publish(an_attempt(Content("facebook_page", "x" * 20_000_000)))
        assert isinstance(outcome, Unconfirmed)


@pytest.mark.parametrize("delay", ["before it is read", "before it is answered"])
def test_a_large_picture_has_longer_to_leave_than_a_text(tmp_path: Path, delay: str) -> None:
    data = b"x" * 15_000_000
    (tmp_path / "large.jpg").write_bytes(data)
    picture = SentPicture("large.jpg", None, hashlib.sha256(data).hexdigest(), "large.jpg")

    def act(visit: Visit) -> None:
        visit.read_until(b" HTTP/1.1\r\n")
        is_picture = b"/photos " in visit.received
        if is_picture and delay == "before it is read":
            select.select([], [], [], 0.6)
        visit.read_request()
        if is_picture and delay == "before it is answered":
            select.select([], [], [], 0.6)
        visit.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b'{"id":"1"}')

    with RawServer(act) as server:
        page = a_page(server.url, tmp_path, **SHORT)
        assert isinstance(page.publish(an_attempt(Content("facebook_page", "x", None, (picture,)))), Published)


# Where the token never goes


def test_no_redirect_is_followed_and_nothing_is_carried_elsewhere(box: Sandbox, tmp_path: Path) -> None:
    with RawServer(answering(GOOD)) as elsewhere:
        page = the_page(box, tmp_path)
        for status in (301, 302, 303, 307, 308):
            for op in ("feed", "photos", "published_posts", "read", "me"):
                box.graph.fail(op, "redirect", status=status, location=f"{elsewhere.url}/v26.0/x")
            attempt = an_attempt(page.render(a_wording()))
            assert isinstance(page.publish(attempt), Unconfirmed)
            illustrated = an_attempt(page.render(a_wording(pictures=(a_picture(tmp_path),))))
            assert isinstance(page.publish(illustrated), Unavailable)
            assert page.link_to("1_2") is None
            assert len(page.check()) == 1
            assert type(page.find(attempt)).__name__ == "CannotTell"
        assert elsewhere.visits == []


def test_a_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\nmachine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answering(GOOD)) as server:
        publish(server.url)
        assert f"Authorization: Bearer {TOKEN}\r\n".encode() in server.received
        assert b"Basic" not in server.received


def proxied(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_proxy_of_the_environment_is_used_for_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(answering(GOOD)) as proxy:
        proxied(monkeypatch, proxy.url)
        outcome = publish("http://graph.example.org", OUTREACH_ALLOW_INSECURE="true")
        assert isinstance(outcome, Published)
        assert proxy.received.startswith(b"POST http://graph.example.org/v26.0/1234567890/feed HTTP/1.1\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_comes_between_us_and_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with RawServer(answering(GOOD)) as server, RawServer(answering(GOOD)) as proxy:
        proxied(monkeypatch, proxy.url)
        assert isinstance(publish(f"http://{host}:{server.port}"), Published)
        assert proxy.visits == []


def test_an_answer_lost_behind_a_proxy_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(Visit.read_request) as proxy:
        proxied(monkeypatch, proxy.url)
        assert isinstance(publish("http://graph.example.org", OUTREACH_ALLOW_INSECURE="true"), Unconfirmed)
        assert len(proxy.visits) == 1


def tunnel(to: RawServer) -> Callable[[Visit], None]:
    """Do as a proxy does when it is asked for a tunnel."""

    def act(visit: Visit) -> None:
        visit.read_until(b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", to.port), timeout=5) as onward:
            visit.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while ready := select.select([visit.connection, onward], [], [], 5)[0]:
                for side, other in ((visit.connection, onward), (onward, visit.connection)):
                    if side in ready:
                        piece = side.recv(65536)
                        if not piece:
                            return
                        other.sendall(piece)

    return act


@pytest.mark.parametrize(
    ("act", "expected"), [(answering(GOOD), Published), (Visit.read_request, Unconfirmed)], ids=["answered", "lost"]
)
def test_a_tunnel_carries_the_post_and_tells_the_truth(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[Visit], None], expected: type
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with RawServer(act, tls=True) as server, RawServer(tunnel(server)) as proxy:
        proxied(monkeypatch, proxy.url)
        assert isinstance(publish("https://graph.example.org"), expected)
        assert server.received.startswith(b"POST /v26.0/1234567890/feed HTTP/1.1\r\n")
        assert b"Authorization" not in proxy.received.partition(b"\r\n\r\n")[0]
        assert TOKEN.encode() not in proxy.received


def test_a_tunnel_to_another_name_gets_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with RawServer(answering(GOOD), tls=True) as server, RawServer(tunnel(server)) as proxy:
        proxied(monkeypatch, proxy.url)
        assert isinstance(publish("https://another.example.org"), Unavailable)
        assert server.received == b""


REFUSALS = {
    "refuses": b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
    "hangs up": b"",
    "talks nonsense": b"220 smtp ready\r\n",
    "lets through and hangs up": b"HTTP/1.1 200 Connection established\r\n\r\n",
    "lets through to nonsense": b"HTTP/1.1 200 Connection established\r\n\r\nnonsense",
}


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_tunnel_that_is_not_made_sent_nothing(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    with RawServer(answering(said)) as proxy:
        proxied(monkeypatch, proxy.url)
        assert isinstance(publish("https://graph.example.org"), Unavailable)
        assert proxy.received.startswith(b"CONNECT graph.example.org:443 HTTP/1.")
        assert TOKEN.encode() not in proxy.received


def test_a_proxy_that_is_not_there_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied(monkeypatch, f"http://127.0.0.1:{a_closed_port()}")
    assert isinstance(publish("https://graph.example.org"), Unavailable)


def test_a_socks_proxy_is_refused_and_not_walked_around(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied(monkeypatch, f"socks5://127.0.0.1:{a_closed_port()}")
    outcome = publish("https://graph.example.org")
    assert outcome == Unavailable("Facebook could not be reached: the proxy's address cannot be used.")

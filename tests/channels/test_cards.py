"""The card of a link: read from the page behind it, bounded, and never inside a private network."""

import time
from io import BytesIO

import pytest
from PIL import Image

from outreach.channels import cards
from outreach.channels.cards import Card, fetch_card
from outreach.model import Problem

from .servers import Act, RawServer, Visit, http

PAGE = """<!doctype html><html><head><title>Window &amp; door</title>
<meta property="og:title" content="Call for abstracts &quot;2027&quot;">
<meta name="description" content="not this one"><meta property="og:description" content="Until 15 January.">
<meta property="og:title" content="a second one"></head><body>…</body></html>"""


def a_picture(size: tuple[int, int] = (1200, 630), kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def serving(
    page: str | bytes, picture: bytes = b"", headers: str = "Content-Type: text/html; charset=utf-8\r\n"
) -> Act:
    body = page.encode() if isinstance(page, str) else page

    def act(visit: Visit) -> None:
        visit.read_request()
        is_picture = b"picture" in visit.received.split(b"\r\n")[0]
        visit.say(http(picture if is_picture else body, headers="" if is_picture else headers))

    return act


def card_of(server: RawServer, path: str = "/call") -> Card:
    found = fetch_card(server.url + path, is_sandbox=True)
    assert isinstance(found, Card), found
    return found


def test_a_card_is_what_the_page_says_of_itself() -> None:
    with RawServer(serving(PAGE)) as server:
        card = card_of(server)
        assert (card.title, card.about) == ('Call for abstracts "2027"', "Until 15 January.")
        assert (card.host, card.picture) == ("127.0.0.1", None)
        assert server.received.startswith(b"GET /call HTTP/1.1\r\n")
        assert len(server.visits) == 1


def test_without_open_graph_the_title_of_the_window_is_taken() -> None:
    with RawServer(serving("<title>Poster \n session</title><meta name=description content='Come.'>")) as server:
        card = card_of(server)
        assert (card.title, card.about) == ("Poster session", "Come.")


def test_the_picture_is_drawn_anew_and_small() -> None:
    page = '<meta property="og:title" content="x"><meta property="og:image" content="/picture.png">'
    with RawServer(serving(page, a_picture())) as server:
        card = card_of(server)
    assert card.picture is not None
    with Image.open(BytesIO(card.picture)) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (600, 315))


@pytest.mark.parametrize(
    "picture", [b"<svg onload=alert(1)>", b"", a_picture((8000, 8000))], ids=["svg", "none", "huge"]
)
def test_what_is_no_picture_or_too_large_is_none(picture: bytes) -> None:
    page = '<meta property="og:title" content="x"><meta property="og:image" content="/picture.png">'
    with RawServer(serving(page, picture)) as server:
        assert card_of(server) == Card(f"{server.url}/call", "127.0.0.1", "x", "", None)


def test_of_a_page_without_end_only_the_beginning_is_read() -> None:
    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Begun</title>")
        try:
            while True:
                visit.say(b"x" * 65536)
        except OSError:
            pass

    with RawServer(act) as server:
        begun = time.monotonic()
        assert card_of(server).title == "Begun"
        assert time.monotonic() - begun < 4


def test_a_page_that_never_ends_its_headers_is_a_problem_in_time() -> None:
    with RawServer() as server:
        found = fetch_card(server.url, is_sandbox=True, deadline_s=0.3)
        assert isinstance(found, Problem)


def test_a_page_that_is_not_there_is_a_problem_and_another_kind_of_file_has_no_title() -> None:
    def missing(visit: Visit) -> None:
        visit.read_request()
        visit.say(http(b"<title>Not found</title>", status="404 Not Found"))

    with RawServer(missing) as server:
        assert isinstance(fetch_card(server.url, is_sandbox=True), Problem)
    with RawServer(serving(b"%PDF <title>x</title>", headers="Content-Type: application/pdf\r\n")) as server:
        assert card_of(server).is_bare


def test_a_private_network_is_never_asked_for_page_or_picture() -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, within_s: float) -> list[str]:
        asked.append(host)
        return ["10.0.0.1"]

    found = fetch_card("http://intranet.example.org/", is_sandbox=False, look_up=look_up)
    assert isinstance(found, Problem)
    with RawServer(serving(PAGE)) as server:
        assert isinstance(fetch_card(server.url, is_sandbox=False), Problem)
        assert server.visits == []
    assert asked == ["intranet.example.org"]


def test_in_a_sandbox_nothing_leaves_this_machine_not_even_for_a_picture() -> None:
    assert fetch_card("https://www.example.org/call", is_sandbox=True) == Card(
        "https://www.example.org/call", "example.org"
    )
    page = '<meta property="og:title" content="x"><meta property="og:image" content="https://example.org/picture.png">'
    with RawServer(serving(page)) as server:
        assert card_of(server).picture is None
        assert len(server.visits) == 1


def test_odd_pages_give_a_card_all_the_same() -> None:
    latin = '<meta charset="iso-8859-1"><title>Grüße</title>'.encode("latin-1")
    with RawServer(serving(latin, headers="Content-Type: text/html\r\n")) as server:
        assert card_of(server).title == "Grüße"
    for page in ("<meta charset=nonsense><title>x", "<title>" + "x" * 5000, "<meta property=og:title>", "\x00<<<>"):
        with RawServer(serving(page, headers="")) as server:
            assert len(card_of(server).title) <= 300
    page = '<meta property="og:title" content="x"><meta property="og:image" content="http://[">'
    with RawServer(serving(page)) as server:
        assert card_of(server).picture is None


def test_the_host_of_a_link_is_named_as_cards_name_it() -> None:
    assert cards.host_of("https://www.example.org:8443/a?b") == "example.org"
    assert cards.host_of("http://[") == ""

"""The previews, through the door: exactly what goes out, inert whatever it holds, and nobody else is asked."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from outreach.bootstrap import House
from outreach.doors.layout import lay_out
from outreach.doors.web.preview_routes import CAGE
from outreach.doors.web.serving import served
from outreach.doors.web.shelf import PREVIEW_S
from outreach.doors.worker import Worker
from outreach.model import Letter, Picture
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.channels.servers import RawServer
from tests.channels.test_cards import PAGE, a_picture, serving
from tests.doors.place import Place
from tests.web.looks import Bench
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
LETTER = Letter("Poster session", "Please **come** to room 7: https://example.org/posters.", at="2026-12-02 09:00")


class Elements(HTMLParser):
    """What of a page could run or fetch: read as a browser reads it, not by its letters."""

    def __init__(self) -> None:
        super().__init__()
        self.dangers: list[str] = []

    @classmethod
    def of(cls, page: str) -> "Elements":
        read = cls()
        read.feed(page)
        return read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_own = given.get("src", "/").startswith("/") and given.get("href", "/").startswith(("/", "#"))
        is_script = tag == "script" and not given.get("src", "").startswith("/static/")
        if is_script or not is_own or any(name.startswith(("on", "hx-on", "style")) for name in given):
            self.dangers.append(self.get_starttag_text() or "")


@pytest.fixture
def still() -> StillClock:
    return StillClock()


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path, still: StillClock) -> Iterator[House]:
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        lay_out(place.queue)
        made = House(read_settings(place.settings), still)
        yield made
        made.close()


@pytest.fixture
def bench(house: House) -> Bench:
    return Bench(house)


@pytest.fixture
def address(bench: Bench) -> Iterator[str]:
    with served(bench.app) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def add(house: House, letter: Letter = LETTER) -> int:
    return house.desk.add(letter, folder=house.media, person="ann@example.org").announcement


def put(house: House, name: str, data: bytes | None = None) -> None:
    house.media.mkdir(exist_ok=True)
    out = BytesIO()
    Image.new("RGB", (800, 600), "teal").save(out, "JPEG")
    (house.media / name).write_bytes(data if data is not None else out.getvalue())


# What is shown is what goes out


@pytest.mark.parametrize("pictures", [0, 2])
def test_what_the_preview_hashes_is_what_is_queued(bench: Bench, house: House, pictures: int) -> None:
    for number in range(pictures):
        put(house, f"{number}.jpg")
    letter = replace(LETTER, pictures=tuple(Picture(f"{n}.jpg", f"Hall {n}") for n in range(pictures)))
    looks = bench.looks(letter)

    queued = house.desk.find(str(add(house, letter)))

    assert {name: look.sha256 for name, look in looks.items()} == {p.channel: p.content_sha256 for p in queued}
    again = bench.looks(letter, of=queued[0].announcement)
    assert {name: look.sha256 for name, look in again.items()} == {p.channel: p.content_sha256 for p in queued}


def test_the_pieces_of_a_text_are_the_text(bench: Bench) -> None:
    body = "Line\n\n" * 8 + "https://example.org/a_(b). #CallForAbstracts and #1 <https://example.org/c>"
    look = bench.looks(replace(LETTER, body=body))["facebook"]
    assert look.content is not None
    assert "".join(piece.text for piece in (*look.head, *look.tail)) == look.content.text
    assert [p.text for p in look.tail if p.kind] == [
        "https://example.org/a_(b)",
        "#CallForAbstracts",
        "https://example.org/c",
    ]


def test_the_page_shows_the_text_character_by_character(bench: Bench, ann: Guest) -> None:
    bench.letter = replace(LETTER, body="Rooms 7 & 8\n\n- one\n- two\n\nhttps://example.org/?a=1&b=2")
    page = ann.get("/try").text
    content = bench.looks(bench.letter)["facebook"].content
    assert content is not None
    shown = re.search(r'<div class="fb-text" dir="auto">(.*?)</div>', page, re.DOTALL)
    assert shown is not None
    assert unescape(re.sub(r"<[^>]*>", "", shown[1].replace("… See more", "").replace("See less", ""))) == content.text


def test_what_is_stored_is_shown_to_who_may_look_and_to_nobody_else(house: House, address: str, ann: Guest) -> None:
    number = add(house)
    [post, mail] = house.desk.find(str(number))
    page = ann.get(f"/announcements/{number}/preview")
    assert page.status_code == 200
    assert post.content_sha256[:12] in page.text
    assert mail.content_sha256[:12] in page.text
    reader = member(house, address, "rea@example.org", roles=frozenset({Role.REVIEWER}))
    for path in ("preview", "facebook/raw", "listserv/html"):
        assert reader.get(f"/announcements/{number}/{path}").status_code == 403
        assert "Log in" in Guest(address).get(f"/announcements/{number}/{path}").text
    approver = member(house, address, "app@example.org", roles=frozenset({Role.APPROVER}))
    assert approver.get(f"/announcements/{number}/preview").status_code == 200


@pytest.mark.parametrize(
    "path", ["99/preview", "99/facebook/raw", "1/nowhere/raw", "1/facebook/html", "1/listserv/html?occurrence=7"]
)
def test_what_is_not_there_is_not_there(house: House, ann: Guest, path: str) -> None:
    add(house)
    assert ann.get(f"/announcements/{path}").status_code == 404


def test_a_draft_says_where_its_previews_are(house: House, ann: Guest) -> None:
    number = house.desk.save_draft(LETTER, person="ann@example.org").number
    assert "Nothing is queued yet." in ann.get(f"/announcements/{number}/preview").text


def test_what_went_out_is_shown_without_advice_on_its_time(house: House, ann: Guest) -> None:
    number = add(house, replace(LETTER, at="now"))
    Worker(house).once()
    page = ann.get(f"/announcements/{number}/preview").text
    assert 'class="state published"' in page
    assert 'class="counsel"' not in page


# Raw bytes


def test_the_raw_bytes_of_a_mail_are_the_message(house: House, ann: Guest) -> None:
    number = add(house)
    answer = ann.get(f"/announcements/{number}/listserv/raw")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"] == CAGE
    assert answer.headers["x-content-type-options"] == "nosniff"
    stored = house.desk.preview(f"{number}/listserv")[0].content
    assert stored.message is not None
    assert answer.content == stored.message.encode("ascii")
    assert b"\r\n\r\n" in answer.content


def test_the_raw_requests_to_the_page_hold_no_secret(house: House, ann: Guest) -> None:
    number = add(house)
    raw = ann.get(f"/announcements/{number}/facebook/raw")
    [request] = json.loads(raw.text)["requests"]
    assert request["method"] == "POST"
    assert request["form"]["message"].startswith("Poster session\n\nPlease come to room 7")
    token = house.settings.FACEBOOK_PAGE_TOKEN.get_secret_value()
    secrets = [token, house.settings.FACEBOOK_APP_SECRET.get_secret_value(), "access_token", "appsecret_proof"]
    for page in (raw.text, ann.get(f"/announcements/{number}/preview").text):
        assert [secret for secret in secrets if secret and secret in page] == []


# Whatever it holds, it is inert


def test_script_in_every_field_is_shown_and_not_run(bench: Bench, house: House, ann: Guest) -> None:
    put(house, "x.jpg")
    bench.letter = Letter(
        f"Title {SCRIPT}",
        f"Body {SCRIPT}\n\n<!-- channel: listserv -->\n\nMail {SCRIPT} [x](https://example.org/?{SCRIPT.replace(' ', '')})",
        at=f"at {SCRIPT}",
        zone=f"zone {SCRIPT}",
        link="https://example.org/?<script>alert(1)</script>",
        pictures=(Picture("x.jpg", f"Alt {SCRIPT}"),),
    )
    page = ann.get("/try").text
    assert "Alt &lt;script&gt;" in page
    assert "Title &lt;script&gt;" in page
    assert Elements.of(page).dangers == []


@pytest.mark.parametrize(
    "letter",
    [
        Letter(),
        Letter(title="A\ud800 lone half", body="x"),
        Letter(title="Two\nlines", body="x"),
        Letter(title="x", body="@[123:1:Page]", to=("facebook",)),
        Letter(title="x", body="help"),
        Letter(title="x", body="y" * 90_000),
        Letter(title="x", body="y", template="no such"),
        Letter(title="x", body="y", to=("nowhere",)),
        Letter(title="x", body="y", zone="Nowhere/Town", at="yesterday", not_after="??", grace="forever"),
        Letter(title="x", body="y", pictures=(Picture("../../etc/passwd", None),)),
        Letter(title="x", body="y", pictures=(Picture("none.jpg", ""),)),
        Letter(title="x", body="[a](javascript:alert(1))"),
        Letter(title="x", body="y", link="javascript:alert(1)"),
        Letter(title="x", body="y", fields=(("none", "z"),)),
        Letter(template="call-for-abstracts", fields=(("deadline", "some day"), ("topics", ("a", "")))),
        Letter(title="x", body="y", times=(("nowhere", "now"), ("facebook", "??"))),
        Letter(title="x", body="y", at="2026-12-05 22:00", zone="AoE"),
    ],
)
def test_whatever_is_wrong_with_a_letter_is_said_and_raises_nothing(bench: Bench, ann: Guest, letter: Letter) -> None:
    bench.letter = letter
    assert ann.get("/try").status_code == 200


def test_what_is_wrong_on_every_channel_is_said_once_and_else_in_its_place(bench: Bench) -> None:
    shared = bench.previews(replace(LETTER, body="[a](javascript:x)"))
    assert [bad.message for bad in shared["bads"]] == ["The link “javascript:x” is not a web or mail address."]
    own = bench.previews(replace(LETTER, body="help"))
    assert own["bads"] == []
    assert [(look.name, bool(look.bad), bool(look.content)) for look in own["looks"]] == [
        ("facebook", False, True),
        ("listserv", True, False),
    ]


def test_samples_stand_in_for_what_is_not_filled_in_yet(bench: Bench) -> None:
    found = bench.previews(Letter(template="call-for-abstracts", fields=(("meeting", "Spring Workshop"),)))
    look = found["looks"][0]
    assert look.content is not None
    assert "Spring Workshop" in look.content.text
    assert "15 January 2027" in look.content.text
    assert look.stand_ins == ("deadline",)
    assert len(found["bads"]) == 1


def test_a_time_in_the_past_does_not_hide_the_preview(bench: Bench) -> None:
    found = bench.previews(replace(LETTER, at="2026-11-30 09:00"))
    assert [look.content is not None for look in found["looks"]] == [True, True]
    assert "is in the past" in found["advice"][0].message
    assert [look.sha256 for look in found["looks"]] == [look.sha256 for look in bench.looks(LETTER).values()]


# The mail as HTML, in a cage


def test_the_html_of_a_mail_is_a_document_of_its_own_that_can_do_nothing(
    bench: Bench, house: House, ann: Guest
) -> None:
    put(house, "hall.jpg")
    letter = replace(LETTER, pictures=(Picture("hall.jpg", "The hall"),))
    look = bench.looks(letter)["listserv"]
    number = add(house, letter)
    just_shown = ann.get(look.html_at)
    stored = ann.get(f"/announcements/{number}/listserv/html")
    for answer in (just_shown, stored):
        assert answer.headers["content-security-policy"] == CAGE
        assert answer.headers["cross-origin-opener-policy"] == "unsafe-none"
        assert '<img src="data:image/jpeg;base64,' in answer.text
        assert "cid:" not in answer.text
        assert "<strong>come</strong>" in answer.text
    assert just_shown.content == stored.content


def test_a_preview_is_over_after_some_time(bench: Bench, ann: Guest, still: StillClock) -> None:
    look = bench.looks(LETTER)["listserv"]
    still.tick(PREVIEW_S - 1)
    assert ann.get(look.raw_at).status_code == 200
    still.tick(1)
    for path in (look.raw_at, look.html_at, look.links_at, "/previews/guess/card.jpg"):
        answer = ann.get(path)
        assert answer.status_code == 404
        assert "This preview is over." in answer.text


def test_a_preview_is_for_nobody_without_a_session(bench: Bench, house: House, address: str) -> None:
    look = bench.looks(LETTER)["listserv"]
    reader = member(house, address, "rea@example.org", roles=frozenset({Role.REVIEWER}))
    for path in (look.raw_at, look.html_at, look.links_at):
        assert "Log in" in Guest(address).get(path).text
        assert reader.get(path).status_code == 403


# Links


def test_links_are_asked_when_a_person_wishes_it_and_the_card_is_shown_from_then_on(
    bench: Bench, ann: Guest, still: StillClock
) -> None:
    page = PAGE.replace("</head>", '<meta property="og:image" content="/picture.png"></head>')
    with RawServer(serving(page, a_picture())) as server:
        bench.letter = replace(LETTER, body="Come.", link=f"{server.url}/call")
        before = ann.get("/try").text
        assert server.visits == []
        assert "Facebook shows the title and the picture of that page here." in before

        look = bench.looks(bench.letter)["facebook"]
        asked = ann.get(look.links_at, headers={"HX-Request": "true"}).text
        assert "Nothing wrong found with 1 link." in asked
        assert 'data-card-of="card-of-facebook"' in asked
        visits = len(server.visits)

        after = ann.get("/try").text
        assert "Call for abstracts &#34;2027&#34;" in after
        assert len(server.visits) == visits
        picture = ann.get(bench.looks(bench.letter)["facebook"].links.card_picture)
        assert (picture.headers["content-type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")

        still.tick(601)
        assert "Nothing wrong found" not in ann.get("/try").text


def test_a_dead_link_is_named_in_place(bench: Bench, ann: Guest) -> None:
    with RawServer() as server:
        port = server.port
    look = bench.looks(replace(LETTER, body=f"See http://127.0.0.1:{port}/gone"))["listserv"]
    page = ann.get(look.links_at).text
    assert "does not answer" in page
    assert f"http://127.0.0.1:{port}/gone" in page


# Advice in its place


def test_advice_for_all_stands_above_and_that_of_one_channel_beside_it(bench: Bench) -> None:
    body = "Come!!!\n\n<!-- channel: listserv -->\nCome."
    found = bench.previews(replace(LETTER, body=body, at="2026-12-05 22:00"))
    assert [advice.kind for advice in found["advice"]] == ["weekend", "quiet hours", "no link"]
    assert {look.name: [a.kind for a in look.advice] for look in found["looks"]} == {
        "facebook": ["shouting"],
        "listserv": [],
    }


def test_the_words_that_differ_are_shown(bench: Bench, ann: Guest) -> None:
    assert bench.previews(LETTER)["differences"] == []
    bench.letter = replace(LETTER, body="Come at seven.\n\n<!-- channel: listserv -->\nCome at eight.")
    [(one, other, changes)] = bench.previews(bench.letter)["differences"]
    assert (one, other) == ("facebook", "listserv")
    assert changes == [("same", "Come at"), ("first", "seven."), ("second", "eight.")]
    assert "<del>seven.</del>" in ann.get("/try").text


def test_a_link_that_only_the_mail_spells_out_is_no_difference(bench: Bench) -> None:
    body = "Come to *room 7*, see [the list](https://example.org/list).\n\n- one\n- two\n\n> Said.\n"
    letter = replace(LETTER, body=body, link="https://example.org/posters")
    assert bench.previews(letter)["differences"] == []


def test_how_much_of_a_limit_is_used_is_shown(bench: Bench) -> None:
    looks = bench.looks(LETTER)
    assert looks["facebook"].size is not None
    assert looks["facebook"].size.shown == "67 of 63,206 characters"
    assert looks["listserv"].size is not None
    assert re.fullmatch(r"1\.\d KB of 40 KB", looks["listserv"].size.shown)
    assert not looks["listserv"].size.is_too_much

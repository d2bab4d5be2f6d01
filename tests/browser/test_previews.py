"""The previews in a real browser: they look as what they show, run nothing, ask nobody else, and everybody can use them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from outreach.doors.layout import lay_out
from outreach.doors.web.serving import served
from outreach.model import Letter, Picture
from outreach.sandbox import Sandbox
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.channels.servers import RawServer
from tests.channels.test_cards import PAGE, a_picture, serving
from tests.doors.place import Place
from tests.web.looks import Bench
from tests.web.visitors import member

LONG = "A line of the call that says what it is about.\n\n" * 6
LETTER = Letter(
    "Call for abstracts",
    f"{LONG}Until 15 January!!! #tumormicroenvironment\n\n<!-- channel: listserv -->\nDear all,\n\n{LONG}**Until 15 January.**",
    at="2027-03-14 22:00",
    link="https://example.org/abstracts",
)


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    """A town whose app also shows the previews of any letter."""
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        lay_out(place.queue)
        house = place.house()
        bench = Bench(house)
        with served(bench.app) as address:
            yield BenchTown(place, house, box, address, bench)
        house.close()


class BenchTown(Town):
    """A town and its bench."""

    def __init__(self, place: Place, house: object, box: Sandbox, address: str, bench: Bench) -> None:
        super().__init__(place, house, box, address)  # type: ignore[arg-type]
        self.bench = bench


def shows(town: Town, letter: Letter) -> Bench:
    assert isinstance(town, BenchTown)
    town.bench.letter = letter
    return town.bench


def with_pictures(town: Town, count: int) -> Letter:
    town.house.media.mkdir(exist_ok=True)
    for number in range(count):
        (town.house.media / f"{number}.png").write_bytes(a_picture((320, 240)))
    pictures = tuple(Picture(f"{n}.png", f"Hall {n}" if n else None) for n in range(count))
    return replace(LETTER, pictures=pictures, link=None)


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_previews(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    shows(town, with_pictures(town, 6))
    page = enter(size=size, dark=dark)
    page.goto("/try")
    page.get_by_text("See more").click()
    page.locator(".differences summary").click()
    for tab in ("Raw bytes", "HTML"):
        page.get_by_text(tab, exact=True).click()
        assert violations(page) == []
    assert sideways_px(page) <= 0
    assert times_without_zone(page) == []
    expect(page.locator(".photo img")).to_have_count(5)
    expect(page.get_by_text("+1", exact=True)).to_be_visible()


def test_without_javascript_everything_can_be_opened(enter: Enter, town: Town) -> None:
    shows(town, LETTER)
    page = enter(js=False)
    page.goto("/try")
    folded = page.get_by_text("#tumormicroenvironment", exact=True)
    expect(folded).to_be_hidden()
    page.get_by_text("See more").click()
    expect(folded).to_be_visible()
    page.get_by_text("See less").click()
    expect(folded).to_be_hidden()
    expect(page.get_by_role("region", name="The mail as plain text")).to_be_visible()
    page.get_by_text("HTML", exact=True).click()
    expect(page.frame_locator("iframe").locator("strong")).to_have_text("Until 15 January.")
    expect(page.get_by_role("region", name="The mail as plain text")).to_be_hidden()
    page.get_by_text("Raw bytes", exact=True).click()
    expect(page.get_by_role("region", name="The raw bytes for listserv")).to_contain_text("Message-ID: <")
    page.get_by_role("link", name="the raw bytes for listserv").click()
    expect(page.locator("body")).to_contain_text("Message-ID: <")


def test_the_tabs_of_a_mail_are_reached_by_the_keyboard(enter: Enter, town: Town) -> None:
    shows(town, LETTER)
    page = enter()
    page.goto("/try")
    page.get_by_role("radio", name="Plain text").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="HTML")).to_be_checked()
    expect(page.get_by_title("The mail as HTML")).to_be_visible()


def test_what_was_opened_stays_open_when_a_new_preview_comes(enter: Enter, town: Town) -> None:
    bench = shows(town, LETTER)
    page = enter()
    page.goto("/try")
    page.get_by_text("See more").click()
    page.get_by_text("HTML", exact=True).click()
    bench.letter = replace(LETTER, title="Another title")
    page.evaluate("htmx.ajax('GET', '/try', {target: '.previews', swap: 'outerHTML'})")
    expect(page.locator(".mail-subject")).to_have_text("Another title")
    expect(page.get_by_text("See less")).to_be_visible()
    expect(page.get_by_role("radio", name="HTML")).to_be_checked()


@pytest.mark.parametrize("js", [True, False])
def test_the_card_of_a_link_is_fetched_when_it_is_asked_for(enter: Enter, town: Town, js: bool) -> None:
    with RawServer(
        serving(PAGE.replace("</head>", '<meta property="og:image" content="/picture"></head>'), a_picture())
    ) as server:
        shows(town, replace(LETTER, link=f"{server.url}/call"))
        page = enter(js=js)
        page.goto("/try")
        assert server.visits == []
        page.get_by_role("link", name="Check the link and fetch its card for facebook").click()
        expect(page.get_by_text('Call for abstracts "2027"')).to_be_visible()
        expect(page.get_by_text("Nothing wrong found with 1 link.")).to_be_visible()
        if js:
            expect(page.locator(".card-of-link img")).to_have_js_property("naturalWidth", 600)


HOSTILE = """<html><body><p id="said">nothing ran</p>
<script>document.getElementById("said").textContent = "ran"; parent.document.title = "ran"</script>
<img src="TRACKER/seen.gif" onerror="document.getElementById('said').textContent = 'ran'">
<style>@import url(TRACKER/a.css); p { background: url(TRACKER/b.png); color: rgb(1, 2, 3) }</style>
<iframe src="TRACKER/"></iframe><form action="TRACKER/"><button>send</button></form>
<a href="TRACKER/" target="_top">leave</a>
</body></html>"""


def caged(bench: Bench, tracker: str) -> str:
    """Let the shelf hold a mail such as no letter can become, and give where its HTML is."""
    html_at = bench.looks(LETTER)["listserv"].html_at
    key, now_s = html_at.split("/")[2], bench.site.house.clock.elapsed_s()
    preview = bench.site.shelf.get(key, now_s=now_s)
    assert preview is not None
    hostile = HOSTILE.replace("TRACKER", tracker)
    message = f"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{hostile}"
    bench.site.shelf.put(key, replace(preview, content=replace(preview.content, message=message)), now_s=now_s)
    return html_at


def test_a_mail_can_run_nothing_and_fetch_nothing(browser: Browser, town: Town) -> None:
    bench = shows(town, LETTER)
    cookie = {
        "name": "outreach",
        "value": member(town.house, town.address).web.cookies["outreach"],
        "url": town.address,
    }
    with RawServer() as tracker, browser.new_context(base_url=town.address) as context:
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        html_at = caged(bench, tracker.url)
        page.goto(html_at)
        expect(page.locator("#said")).to_have_text("nothing ran")
        expect(page.locator("#said")).to_have_css("color", "rgb(1, 2, 3)")

        page.goto("/try")
        caged(bench, tracker.url)
        page.get_by_text("HTML", exact=True).click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("#said")).to_have_text("nothing ran")
        frame.get_by_text("leave").click()
        expect(frame.locator("#said")).to_have_text("nothing ran")
        assert (page.url, page.title()) == (f"{town.address}/try", "Preview of A letter · outreach")
        # A browser may open a connection before it asks its policy; nothing is said on it.
        assert [visit.received for visit in tracker.visits if visit.received] == []


def test_what_is_stored_is_shown_the_same_way(enter: Enter, town: Town) -> None:
    body = "Come to the hall, see https://example.org/hall"
    letter = replace(with_pictures(town, 3), at="2027-03-16 10:00", body=body)
    number = town.house.desk.add(letter, folder=town.house.media).announcement
    page = enter(size=NARROW)
    page.goto(f"/announcements/{number}/preview")
    page.get_by_text("HTML", exact=True).click()
    expect(page.frame_locator("iframe").locator("img")).to_have_count(3)
    expect(page.get_by_text("Nothing wrong found with 1 link.")).to_have_count(2)  # looked at without being asked to
    assert violations(page) == []
    assert sideways_px(page) <= 0

"""Looking back, in a real browser: find what went out, page through it, read the charts, print the year for a board."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.roles import Role
from outreach.store import announcements, search
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.builders import a_new_announcement, a_new_post

REVIEWER = frozenset({Role.REVIEWER})
MANY = search.PAGE + 3


@pytest.fixture
def lived_in(town: Town) -> Town:
    """A town where an announcement went out on both channels, and many posts of a series were called off before."""
    letter = "---\ntitle: Grüße aus Zürich\nat: now\n---\nBring a poster & a friend.\n"
    town.house.desk.add(parse(letter), folder=town.place.folder)
    Worker(town.house).once()
    now = town.house.clock.now()
    posts = [
        a_new_post(town.house.targets[0].id, occurrence=n, due_at=now - timedelta(days=n)) for n in range(1, MANY + 1)
    ]
    with town.house.store.write() as tx:
        number = announcements.add(tx, a_new_announcement(title="A series"), posts, now)
    town.house.desk.cancel(str(number))
    return town


@pytest.mark.parametrize("js", [True, False])
def test_a_reviewer_finds_what_went_out_and_pages_through_the_rest(enter: Enter, lived_in: Town, js: bool) -> None:
    page = enter("rita@example.org", roles=REVIEWER, js=js)
    page.goto("/")
    page.get_by_role("link", name="History").first.click()
    expect(page.get_by_role("status")).to_contain_text(f"{MANY + 2} posts")
    expect(page.get_by_role("img", name="Posts per month")).to_be_visible()

    page.get_by_label("Search", exact=True).fill("zurich")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("2 posts found")
    expect(page.get_by_role("link", name="Grüße aus Zürich", exact=True)).to_have_count(2)
    expect(page.get_by_role("link", name="See it there")).to_be_visible()
    assert "search=zurich" in page.url

    page.goto("/history?state=cancelled")
    expect(page.get_by_label("State")).to_have_value("cancelled")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="A series")).to_have_count(3)
    page.get_by_role("link", name="Newer").click()
    expect(page.get_by_role("link", name="A series")).to_have_count(search.PAGE)

    page.get_by_role("link", name="A series").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A series")).to_be_visible()


def test_choosing_shows_at_once_and_the_address_can_be_kept(enter: Enter, lived_in: Town) -> None:
    page = enter("rita@example.org", roles=REVIEWER)
    page.goto("/history")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Channel").select_option("listserv")
    expect(page.get_by_role("status")).to_contain_text("1 post found")
    page.get_by_label("Search", exact=True).press_sequentially("nothing like it")
    expect(page.get_by_text("Nothing like that has gone out.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Channel")).to_have_value("listserv")
    expect(page.get_by_label("Search", exact=True)).to_have_value("nothing like it")


def test_a_board_gets_a_year_on_paper_and_figures_to_take_along(enter: Enter, lived_in: Town) -> None:
    page = enter("rita@example.org", roles=REVIEWER)
    page.goto("/history/numbers")
    expect(page.get_by_role("img", name="On time, per month")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("region", name="Figures of each month").get_by_role("table")).to_be_visible()

    page.goto("/history/report")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_text("To print it")).to_be_hidden()
    expect(page.get_by_role("heading", name="Everything, month by month")).to_be_visible()
    assert page.pdf().startswith(b"%PDF")

    page.emulate_media(media="screen")
    page.goto("/history?search=zurich")
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV for a spreadsheet").click()
    assert taken.value.path().read_text(encoding="utf-8-sig").count("Grüße aus Zürich") == 2


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_history(enter: Enter, lived_in: Town, size: tuple[int, int], dark: bool) -> None:
    page = enter("rita@example.org", roles=REVIEWER, size=size, dark=dark)
    paths = ("/history", "/history?state=cancelled", "/history?since=soon", "/history?search=zebra")
    for path in (*paths, "/history/numbers", "/history/report", "/history/report?year=2001"):
        page.goto(path)
        assert violations(page) == [], path
        assert sideways_px(page) <= 0, path
        assert times_without_zone(page) == [], path

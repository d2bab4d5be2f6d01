"""The calendar in a real browser: moved by form, by drag and by keys."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from outreach import when
from outreach.model import Letter
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, violations

ZONE = "America/New_York"


def a_month(town: Town, page: Page) -> tuple[str, str, str]:
    """Queue something in the middle of next month; give its day, the next one, and open that month."""
    today = when.local(town.house.clock.now(), ZONE).date()
    day = (today.replace(day=1) + timedelta(days=32)).replace(day=12)
    letter = Letter("Colloquium", "Room 7.", at=f"{day} 09:00")
    town.house.desk.add(letter, folder=town.place.folder)
    page.goto(f"/calendar?month={day:%Y-%m}")
    return str(day), str(day + timedelta(days=1)), f"{day:%Y-%m}"


def on(page: Page, day: str) -> Locator:
    return page.locator(f'[data-day="{day}"]').get_by_role("link", name="Colloquium")


def test_a_post_is_moved_by_drag_and_back_by_keys(enter: Enter, town: Town) -> None:
    page = enter()
    day, next_day, _ = a_month(town, page)
    page.locator(f'[data-day="{day}"] .entry').drag_to(page.locator(f'[data-day="{next_day}"]'))
    expect(on(page, next_day)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(re.compile("Moved: Colloquium goes out on"))
    expect(on(page, next_day)).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")
    expect(on(page, day)).to_be_focused()
    assert {p.wall_time for p in town.house.desk.find("1")} == {f"{day} 09:00"}


def test_a_post_is_moved_by_its_form_without_javascript(enter: Enter, town: Town) -> None:
    page = enter(js=False)
    _, next_day, _ = a_month(town, page)
    page.get_by_text("Move Colloquium").click()
    page.get_by_label("Day").fill(next_day)
    page.get_by_label(re.compile("Time")).fill("10:30")
    page.get_by_role("button", name="Move it").click()
    expect(on(page, next_day)).to_be_visible()
    assert {p.wall_time for p in town.house.desk.find("1")} == {f"{next_day} 10:30"}


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_calendar(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    page = enter(size=size, dark=dark)
    _, _, month = a_month(town, page)
    for path in (
        f"/calendar?month={month}",
        "/calendar?month=2030-01",
        "/calendar?week=2030-W10",
        "/calendar/subscribe",
    ):
        page.goto(path)
        assert (path, violations(page)) == (path, [])
        assert (path, sideways_px(page) <= 0) == (path, True)

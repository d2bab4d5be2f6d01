"""Getting in, in a real browser: the first admin's link, log-in and log-out, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, violations


@pytest.mark.parametrize("js", [True, False])
def test_the_first_link_makes_an_admin_who_can_log_in_again(enter: Enter, town: Town, js: bool) -> None:
    page = enter(None, js=js)
    page.goto(f"/links/{town.house.access.first_admin_link()}")
    page.get_by_label("Your e-mail address").fill("ann@example.org")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Password").fill("rivers under seven bridges")
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text("Welcome, Ann.")).to_be_visible()

    page.goto("/more")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    page.get_by_label("E-mail address").fill("ann@example.org")
    page.get_by_label("Password").fill("rivers under seven bridges")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
@pytest.mark.parametrize("path", ["/log-in", "/", "/more"])
def test_everybody_can_use_the_first_pages(enter: Enter, path: str, size: tuple[int, int], dark: bool) -> None:
    page = enter(None if path == "/log-in" else "ann@example.org", size=size, dark=dark)
    page.goto(path)
    assert violations(page) == []
    assert sideways_px(page) <= 0

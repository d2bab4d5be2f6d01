"""A real browser at a real page: an install on the sandbox, served, and people who are logged in to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from outreach.bootstrap import House
from outreach.doors.layout import lay_out
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from tests.browser.chromium import FLAGS, find
from tests.doors.place import Place
from tests.web.visitors import EVERYTHING, member

WIDE, NARROW = (1280, 900), (390, 844)


@dataclass
class Town:
    """A served install on its sandbox."""

    place: Place
    house: House
    box: Sandbox
    address: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for each pytest worker."""
    expect.set_options(timeout=20_000)  # a password takes a while on a busy machine
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    """An install with both channels on a sandbox, with the shipped templates, served on loopback."""
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        lay_out(place.queue)
        house = place.house(OUTREACH_WEEKLY_MAIL="Friday 09:00")
        with served(create(house, links={"the Page": box.page_url, "the archive": box.archive_url})) as address:
            yield Town(place, house, box, address)
        house.close()


Enter = Callable[..., Page]


@pytest.fixture
def enter(browser: Browser, town: Town) -> Iterator[Enter]:
    """Give a page of a browser in which somebody is logged in: `enter("ann@example.org", roles=…, size=NARROW, js=False)`.

    Every context has a shut door to the world: a request to another host fails the test at its end.
    """
    contexts: list[BrowserContext] = []
    strangers: list[str] = []

    def come_in(
        email: str | None = "ann@example.org",
        *,
        roles: frozenset[Role] = EVERYTHING,
        size: tuple[int, int] = WIDE,
        js: bool = True,
        dark: bool = False,
    ) -> Page:
        scheme = "dark" if dark else "light"
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(
            base_url=town.address,
            viewport=viewport,  # type: ignore[arg-type]
            java_script_enabled=js,
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if email is not None:
            guest = member(town.house, town.address, email, roles=roles)
            cookie = {"name": "outreach", "value": guest.web.cookies["outreach"], "url": town.address}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.on("request", lambda request: _note(request.url, strangers, town.address))
        return page

    yield come_in
    for context in contexts:
        context.close()
    assert strangers == [], "the page asked another host"


def _note(url: str, strangers: list[str], address: str) -> None:
    if not url.startswith((address, "data:", "blob:", "about:")):
        strangers.append(url)

"""What holds on every page: anybody can use it, at any size, light and dark; it is small, and asks nobody else."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from outreach.doors.web import create
from outreach.doors.worker import Worker
from outreach.model import Letter
from tests.browser.conftest import Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.builders import require_approval
from tests.web.visitors import Guest, member

PAGES = {
    "/": "/",
    "/more": "/more",
    "/calendar": "/calendar",
    "/calendar/subscribe": "/calendar/subscribe",
    "/announcements/{number}": "/announcements/1",
    "/announcements/{number}/preview": "/announcements/2/preview",
    "/members": "/members",
    "/people": "/people",
    "/people/{number}": "/people/1",
    "/account": "/account",
    "/account/second-factor": "/account/second-factor",
    "/account/tokens/new": "/account/tokens/new",
    "/write": "/write",
    "/write/new": "/write/new?template=journal-club",
    "/write/{where}": "/write/4",
    "/write/{where}/queued": "/write/2/queued",
    "/approvals": "/approvals",
    "/approvals/{number}": "/approvals/2",
    "/history": "/history",
    "/history/numbers": "/history/numbers",
    "/history/report": "/history/report",
    "/channels": "/channels",
    "/connect": "/connect",
    "/templates": "/templates",
    "/templates/{name}": "/templates/journal-club",
    "/templates/{name}/versions/{number}": "/templates/journal-club/versions/1",
    "/settings": "/settings",
    "/audit": "/audit",
    "/webhooks": "/webhooks",
}
"""Every page by its route, with an address at which there is something to see."""

NO_PAGES = {
    "/media/{name}/track",
    "/events/{file}",
    "/log-in",
    "/log-in/code",
    "/log-in/forgotten",
    "/links/{key}",
    "/healthz",
    "/metrics",
}
NO_PAGES |= {"/calendar/feed/{file}", "/announcements/{number}/{channel}/raw", "/announcements/{number}/{channel}/html"}
NO_PAGES |= {"/previews/{key}/raw", "/previews/{key}/html", "/previews/{key}/links", "/previews/{key}/card.jpg"}
NO_PAGES |= {"/announcements/{number}/live", "/queue/live", "/approvals/{number}/pictures/{sha256}", "/media/{name}"}
NO_PAGES |= {"/connect/answer", "/connect/{number}"}
NO_PAGES |= {"/join", "/joining/{key}", "/members/{name}/export.csv"}
NO_PAGES |= {"/hooks/facebook", "/history/report/reach.csv", "/history/report/reach.json"}
NO_PAGES |= {"/history/export.csv", "/history/export.json", "/docs", "/api/v1/openapi.json"}
"""Routes that answer something else, or a stranger; they have tests of their own."""

MOST_BYTES = 100_000
SIZES = {"wide": (1280, 900), "zoomed to 200 %": (640, 450), "a telephone": (390, 844), "a small one": (320, 568)}


@pytest.fixture
def lived_in(town: Town) -> Town:
    """An install in which something went out, something is queued and something failed."""
    seeds = sorted((town.place.queue / "seed").glob("*.md"))
    for number, seed in enumerate(seeds):
        town.place.json("add", str(seed), "--at", "now" if number == 0 else "2027-03-03 09:00")
    Worker(town.house).once()
    require_approval(town.house.store)
    town.house.desk.save_draft(Letter("A draft", "Its text."), person="ann@example.org")
    _reword(town)
    return town


def _reword(town: Town) -> None:
    opened = town.house.rewording.open("journal-club")
    text = f"{opened.text}\nCome all.\n"
    town.house.rewording.save("journal-club", text, base=opened.base, person="ann@example.org")


def test_every_page_is_looked_at_here(town: Town) -> None:
    assert set(_addresses(create(town.house).routes)) - NO_PAGES == set(PAGES)


def _addresses(routes: Iterable[Any]) -> Iterator[str]:
    """Give the addresses of all pages, those of routers inside included."""
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            yield route.path
        inner = getattr(route, "original_router", None)
        yield from _addresses(inner.routes if inner else ())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_every_page_at_every_size(enter: Enter, lived_in: Town, dark: bool) -> None:
    page = enter(dark=dark)
    found: list[str] = []
    for path in PAGES.values():
        answer = page.goto(path)
        assert (path, answer and answer.status) == (path, 200)
        for name, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            if sideways_px(page) > 0:
                found.append(f"{path}, {name}: {sideways_px(page)} px to the side")
        name = "a telephone" if dark else "wide"
        page.set_viewport_size({"width": SIZES[name][0], "height": SIZES[name][1]})
        found += [f"{path}, {name}: {violation}" for violation in violations(page)]
        found += [f"{path}: {time} names no zone" for time in times_without_zone(page)]
    assert found == []


def test_every_page_is_small_and_draws_before_any_script(enter: Enter, lived_in: Town) -> None:
    page = enter()
    guest = member(lived_in.house, lived_in.address)
    weights = {path: _weigh(guest, path) for path in PAGES.values()}
    assert {path: weight for path, weight in weights.items() if weight > MOST_BYTES} == {}
    page.goto("/calendar")
    html = page.content()
    scripts = page.eval_on_selector_all("script", "all => all.map(e => e.defer || e.type === 'module')")
    assert (all(scripts), "style=" in html.partition("<body")[2]) == (True, False)


def _weigh(guest: Guest, path: str) -> int:
    """Give how many bytes a page is, uncompressed, with all that it loads but pictures."""
    html = guest.get(path).text
    loaded = re.findall(r'<(?:script[^>]*\ssrc|link rel="stylesheet" href)="([^"]+)"', html)
    return len(html.encode()) + sum(len(guest.get(file).content) for file in loaded)


def test_what_moves_keeps_still_for_who_asks(enter: Enter, lived_in: Town) -> None:
    page = enter()
    for path in PAGES.values():
        page.goto(path)
        assert page.evaluate("document.getAnimations().length") == 0, path

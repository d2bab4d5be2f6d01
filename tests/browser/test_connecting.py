"""Connecting a Page in a real browser, through the sandbox's log-in dialog: the whole story, and what goes wrong in it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from outreach.doors.web import create
from outreach.doors.web.serving import open_port, served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from tests.browser.conftest import NARROW, WIDE, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.connecting import appointed
from tests.doors.place import Place
from tests.web.visitors import EVERYTHING, member

Enter = Callable[..., Page]


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    """An install with an app and a key and no Page, whose own address the app knows."""
    with Sandbox(pages=2) as box:
        port = open_port()
        address = f"http://127.0.0.1:{port.getsockname()[1]}"
        place = appointed(Place(tmp_path, box, database=migrated_file), box)
        place.settings["OUTREACH_BASE_URL"] = address
        box.graph.rules.redirect_uris = {f"{address}/connect/answer"}
        house = place.house()
        with served(create(house), on=port) as at:
            yield Town(place, house, box, at)
        house.close()


@pytest.fixture
def enter(browser: Browser, town: Town) -> Iterator[Enter]:
    """As the one of every browser test, but the sandbox may be asked, too; every address that is shown is kept."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []

    def come_in(
        email: str = "ann@example.org",
        *,
        roles: frozenset[Role] = EVERYTHING,
        size: tuple[int, int] = WIDE,
        js: bool = True,
        dark: bool = False,
    ) -> Page:
        context = browser.new_context(
            base_url=town.address,
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=js,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        guest = member(town.house, town.address, email, roles=roles)
        context.add_cookies([{"name": "outreach", "value": guest.web.cookies["outreach"], "url": town.address}])
        page = context.new_page()
        ours = (town.address, town.box.graph_url, "data:", "blob:", "about:")
        page.on("request", lambda asked: None if asked.url.startswith(ours) else strangers.append(asked.url))
        return page

    yield come_in
    for context in contexts:
        context.close()
    assert strangers == [], "the page asked another host"


def go_to_facebook(page: Page) -> None:
    page.goto("/channels")
    page.get_by_role("link", name=re.compile("^Connect (a|the) Page")).click()
    page.get_by_role("button", name="Go on to Facebook").click()
    expect(page.get_by_role("heading", name="wants to manage your Pages")).to_be_visible()


def choose(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name="Choose the Page")).to_be_visible()
    page.get_by_label(re.compile(rf"^{name} [0-9]{{9}}")).check()
    page.get_by_role("button", name="Connect this Page").click()


@pytest.mark.parametrize("js", [True, False])
def test_a_page_is_connected_and_what_waited_goes_out_and_its_sight_is_asked_for(
    enter: Enter, town: Town, js: bool
) -> None:
    town.place.json("add", town.place.letter(title="We are here", to="[facebook]"))
    town.place.cli("worker", "--once")
    page = enter(js=js)
    seen: list[str] = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    go_to_facebook(page)
    page.get_by_role("button", name="Continue").click()
    choose(page, "TMM SIG")
    expect(page.get_by_role("status")).to_contain_text("TMM SIG is connected. Waiting for it: 1/facebook.")
    expect(page.get_by_text("Connected by ann@example.org, on Facebook TMM SIG Coordinator,")).to_be_visible()
    assert [address for address in seen if "code=" in address] == []

    town.place.cli("worker", "--once")
    assert [post.message for post in town.box.graph.public_posts(town.box.page_id)] == [
        "We are here\n\nPlease come to room 7."
    ]
    page.reload()
    link = page.get_by_role("link", name="“We are here” on Facebook")
    assert link.get_attribute("href") == town.box.graph.public_posts()[0].permalink_url
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("The public does not see what is published.")).to_be_visible()
    expect(page.get_by_text("switch App mode from Development to Live")).to_be_visible()
    page.get_by_role("button", name="Yes, I see it").click()
    expect(page.get_by_text("The public sees what is published.")).to_be_visible()


def test_cancel_on_facebook_changes_nothing_and_leads_back(enter: Enter, town: Town) -> None:
    page = enter()
    go_to_facebook(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("You cancelled on Facebook, so nothing was changed.")
    assert page.url == f"{town.address}/connect#main"


def test_a_page_that_was_not_ticked_cannot_be_chosen_and_says_what_to_tick(enter: Enter, town: Town) -> None:
    page = enter()
    go_to_facebook(page)
    page.get_by_label("TMM SIG 2").uncheck()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label(re.compile("^TMM SIG 2 [0-9]{9}"))).to_be_disabled()
    expect(page.get_by_text("TMM SIG 2 was not ticked in Facebook's dialog.")).to_be_visible()
    assert violations(page) == []


def test_a_permission_that_was_not_ticked_is_named_and_asked_for_again(enter: Enter, town: Town) -> None:
    page = enter()
    go_to_facebook(page)
    page.get_by_label("Create and manage content on your Page").uncheck()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Not given on Facebook: pages_manage_posts.")).to_be_visible()
    choose(page, "TMM SIG")
    expect(page.get_by_role("alert")).to_contain_text("The permission pages_manage_posts was not given.")
    assert violations(page) == []
    page.get_by_role("link", name="Connect a Page again").click()
    page.get_by_role("button", name="Go on to Facebook").click()
    page.get_by_role("button", name="Continue").click()
    choose(page, "TMM SIG")
    expect(page.get_by_role("status")).to_contain_text("TMM SIG is connected.")


def test_who_may_not_create_content_is_told_whom_to_ask(enter: Enter, town: Town) -> None:
    town.box.graph.rules.tasks_by_page[town.box.page_id] = ("ANALYZE",)
    page = enter()
    go_to_facebook(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label(re.compile("^TMM SIG [0-9]{9}"))).to_be_disabled()
    expect(page.get_by_text("Ask somebody with full control of the Page")).to_be_visible()


def test_another_page_needs_a_second_yes(enter: Enter, town: Town) -> None:
    page = enter()
    for name, is_other in (("TMM SIG", False), ("TMM SIG 2", True)):
        go_to_facebook(page)
        page.get_by_role("button", name="Continue").click()
        choose(page, name)
        if is_other:
            expect(page.get_by_role("alert")).to_contain_text("The channel has had another Page so far")
            assert violations(page) == []
            page.get_by_label("Yes, publish on this Page from now on").check()
            page.get_by_role("button", name="Connect this Page").click()
        expect(page.get_by_role("status")).to_contain_text(f"{name} is connected.")


def test_a_dead_token_is_replaced_and_the_posts_that_waited_are_named(enter: Enter, town: Town) -> None:
    page = enter()
    go_to_facebook(page)
    page.get_by_role("button", name="Continue").click()
    choose(page, "TMM SIG")
    expect(page.get_by_role("status")).to_contain_text("TMM SIG is connected.")
    for text in [text for text, token in town.box.graph.tokens._tokens.items() if token.grant]:
        town.box.graph.tokens.kill(text, 460)
    town.place.json("add", town.place.letter(to="[facebook]"))
    town.place.cli("worker", "--once")
    page.goto("/channels")
    expect(page.get_by_text("changed their password").first).to_be_visible()
    go_to_facebook(page)
    page.get_by_role("button", name="Continue").click()
    choose(page, "TMM SIG")
    expect(page.get_by_role("status")).to_contain_text("Waiting for it: 1/facebook. They go out now.")
    town.place.cli("worker", "--once")
    assert len(town.box.graph.public_posts()) == 1


def test_the_answer_of_facebook_opens_for_nobody_else_and_not_twice(enter: Enter, town: Town) -> None:
    page = enter()
    caught: list[str] = []
    page.on("request", lambda asked: caught.append(asked.url) if "/connect/answer" in asked.url else None)
    go_to_facebook(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Choose the Page")).to_be_visible()
    number = page.url.partition("#")[0].rpartition("/")[2]
    for other in (page, enter("ben@example.org")):
        other.goto(caught[0])
        expect(other.get_by_role("status")).to_contain_text("to no question that you asked here just now")
        assert other.url == f"{town.address}/connect#main"
    other.goto(f"/connect/{number}")
    expect(other.get_by_role("status")).to_contain_text("The time to choose a Page is over.")


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_pages_of_connecting(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    page = enter(size=size, dark=dark)
    page.goto("/connect")
    expect(page.get_by_role("heading", name="Connect a Page")).to_be_visible()
    page.get_by_text("If Facebook says that the address is blocked").click()
    assert (violations(page), sideways_px(page)) == ([], 0)
    go_to_facebook(page)
    assert sideways_px(page) == 0
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Choose the Page")).to_be_visible()
    assert (violations(page), sideways_px(page)) == ([], 0)
    choose(page, "TMM SIG")
    town.place.json("add", town.place.letter(to="[facebook]"))
    town.place.cli("worker", "--once")
    page.goto("/channels")
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("The public does not see")).to_be_visible()
    assert (violations(page), sideways_px(page)) == ([], 0)
    assert times_without_zone(page) == []


def test_without_an_app_or_a_key_the_page_says_what_to_set(enter: Enter, town: Town, tmp_path: Path) -> None:
    settings = dict(town.place.settings) | {"OUTREACH_SECRET_KEY": ""}
    town.place.settings = settings
    house = town.place.house()
    with served(create(house)) as address:
        guest = member(house, address, "cleo@example.org", roles=frozenset({Role.COORDINATOR}))
        page = guest.get("/connect").text
        assert "OUTREACH_SECRET_KEY" in page
        assert "Go on to Facebook" not in page
        assert guest.post("/connect").status_code == 422
    house.close()

"""Running the install, in a real browser: channels, templates with a live preview, settings and audit."""

import pytest
from playwright.sync_api import Page, expect

from outreach.roles import Role
from outreach.watch.sealing import Sealing
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.hands.test_seals import MINUTES


def pause(page: Page, name: str, reason: str) -> None:
    page.goto("/channels")
    card = page.get_by_role("region", name=name)
    card.locator("summary", has_text=f"Pause {name}").click()
    card.get_by_label("Why?").fill(reason)
    card.get_by_role("button", name=f"Pause {name}").click()


@pytest.mark.parametrize("js", [True, False])
def test_a_channel_is_tested_paused_and_resumed_and_everything_stopped(enter: Enter, town: Town, js: bool) -> None:
    page = enter(js=js)
    page.goto("/channels")
    page.get_by_role("button", name="Test without publishing on facebook").click()
    expect(page.get_by_role("status")).to_have_text("facebook would let a post out now.")
    expect(page.get_by_role("region", name="facebook").get_by_text("All is well")).to_be_visible()

    pause(page, "facebook", "The Page moves.")
    card = page.get_by_role("region", name="facebook")
    expect(card.get_by_text("Paused by ann@example.org")).to_be_visible()
    card.get_by_label("Why?").fill("It has moved.")
    card.get_by_role("button", name="Resume facebook").click()
    expect(page.get_by_role("status")).to_contain_text("facebook is ready")

    page.locator("summary", has_text="Stop everything").click()
    page.get_by_label("Why?").last.fill("A wrong link went out.")
    page.get_by_role("button", name="Stop everything").click()
    expect(page.get_by_role("heading", name="Nothing goes out, on any channel")).to_be_visible()
    if js:
        page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Why may posts go out again?").fill("It is mended.")
    page.get_by_role("button", name="Let posts out again").click()
    expect(page.get_by_role("status")).to_have_text("Posts go out again when they are due.")
    assert town.house.desk.safe_mode() is None

    page.goto("/audit")
    page.get_by_label("What").select_option("pause channel")
    page.get_by_role("button", name="Show").click()
    deeds = page.get_by_role("list", name="Actions, newest first").get_by_role("listitem")
    expect(deeds).to_have_count(1)
    expect(deeds.first).to_contain_text("The Page moves.")


def test_a_page_left_open_says_that_it_is_old(enter: Enter, town: Town) -> None:
    page = enter()
    page.goto("/channels")
    other = enter("ben@example.org")
    pause(other, "facebook", "A wrong link went out.")

    card = page.get_by_role("region", name="facebook")
    card.locator("summary", has_text="Pause facebook").click()
    card.get_by_label("Why?").fill("Mine.")
    card.get_by_role("button", name="Pause facebook").click()

    expect(page.get_by_role("alert")).to_contain_text("has changed since you opened the page")
    expect(page.get_by_text("A wrong link went out.")).to_be_visible()


def test_a_template_is_changed_while_one_sees_how_it_reads(enter: Enter, town: Town) -> None:
    page = enter()
    page.goto("/templates")
    page.get_by_role("link", name="webinar").click()
    words = page.get_by_label("The file")
    was = words.input_value()

    words.fill(was + "\nBring a friend.\n")
    expect(page.locator("#tried")).to_contain_text("Bring a friend.")
    words.fill(was + "\n{{ nobody }}\n")
    expect(page.locator("#verdict")).to_have_text("1 thing to mend before it can be saved.")
    expect(page.locator("#tried")).to_contain_text('Nothing is named "nobody" here.')
    assert violations(page) == []

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text('Nothing is named "nobody" here.')
    words.fill(was + "\nBring two friends.\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_have_text("Saved as version 2.")

    page.get_by_role("link", name="Version 1").click()
    expect(page.locator("ins")).to_contain_text("Bring two friends.")
    assert violations(page) == []
    page.get_by_role("button", name="Put this version back").click()
    expect(page.get_by_role("status").first).to_have_text("Version 1 is back, as version 3.")
    assert (town.place.queue / "templates" / "webinar.md").read_text() == was


def test_a_template_is_changed_without_javascript(enter: Enter, town: Town) -> None:
    page = enter(js=False)
    page.goto("/templates")
    page.get_by_label("Name").fill("spring-webinar")
    page.get_by_label("Begin with the words of").select_option("webinar")
    page.get_by_role("button", name="Make the template").click()
    words = page.get_by_label("The file")
    words.fill(words.input_value() + "\nBring a friend.\n")

    page.get_by_role("button", name="Show how it reads").click()
    expect(page.locator("#tried")).to_contain_text("Bring a friend.")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status").first).to_have_text("Saved as version 2.")


def test_quiet_hours_and_approval_are_set(enter: Enter, town: Town) -> None:
    page = enter()
    page.goto("/settings")
    page.get_by_label("Quiet from").fill("22:30")
    page.get_by_label("Minutes apart").fill("many")
    page.get_by_role("button", name="Keep these wishes").click()
    expect(page.get_by_role("alert")).to_contain_text("Whole minutes are needed.")
    expect(page.get_by_label("Quiet from")).to_have_value("22:30")
    page.get_by_label("Minutes apart").fill("90")
    page.get_by_role("button", name="Keep these wishes").click()
    expect(page.get_by_role("status")).to_contain_text("Kept.")

    page.get_by_label("Four eyes").check()
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("status")).to_have_text("From now on nothing goes out unapproved.")

    assert (town.house.desk.wishes().quiet_from, town.house.desk.asks_for_approval()) == ("22:30", True)


def lived_in(town: Town) -> None:
    """An install with something to see on each of these pages."""
    town.place.json("add", town.place.letter(title="Poster session"), "--as", "ann@example.org")
    town.place.run("worker", "--once")
    town.house.new_preflight().of_channel("listserv")
    town.house.desk.pause_channel("listserv", reason="The list moves to another server.", person="ann@example.org")
    base = town.house.rewording.open("webinar")
    town.house.rewording.save("webinar", base.text + "\nMore.\n", base=base.base, person="ann@example.org")
    now = town.house.clock.now()
    for minutes in (0, 3):
        Sealing(store=town.house.store, now=lambda at=minutes: now + at * MINUTES).round()  # type: ignore[misc]


PATHS = ("/channels", "/templates", "/templates/webinar", "/templates/webinar/versions/1", "/settings", "/audit")


def test_everybody_can_use_these_pages(enter: Enter, town: Town) -> None:
    lived_in(town)
    for size, dark in ((WIDE, False), (NARROW, True)):
        page = enter(size=size, dark=dark)
        for path in PATHS:
            page.goto(path)
            page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
            found = (violations(page), sideways_px(page) <= 0, times_without_zone(page))
            assert found == ([], True, []), (path, size, dark)


def test_a_channel_is_paused_by_keyboard_alone(enter: Enter, town: Town) -> None:
    page = enter(roles=frozenset({Role.COORDINATOR}))
    page.goto("/channels")
    page.get_by_role("button", name="Test without publishing on facebook").focus()
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("The Page moves.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("facebook is paused")

"""Watching, in a real browser: states change before one's eyes, a post in doubt is decided, nothing in use is touched."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.model import Move, Post, State
from tests.alarms.world import check, see, stop_looking
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.builders import a_stored_post, an_announcement, make, require_approval, seen, take

NOW_LETTER = "---\ntitle: Colloquium on Tuesday\nat: now\nto: [facebook]\n---\nPlease come to room 7.\n"


def soon(town: Town, **of_each: float) -> dict[str, Any]:
    """A due time from now on, by the clock of this machine."""
    due_at = town.house.clock.now() + timedelta(**of_each)
    return {"due_at": due_at, "miss_at": due_at + timedelta(hours=6)}


def test_a_post_goes_from_queued_to_published_before_ones_eyes(enter: Enter, town: Town) -> None:
    town.house.desk.add(parse(NOW_LETTER), folder=town.place.folder)
    page = enter()
    page.goto("/")
    row = page.get_by_role("listitem").filter(has_text="Colloquium on Tuesday")
    expect(row.get_by_text("queued")).to_be_visible()
    page.get_by_role("link", name="Colloquium on Tuesday").focus()

    thread = threading.Thread(target=Worker(town.house).once)
    thread.start()
    expect(page.get_by_role("status").filter(has_text="facebook: published")).to_be_attached()
    thread.join()

    expect(page.get_by_role("region", name="Went out").get_by_role("link", name="See it there")).to_be_visible()
    expect(page.get_by_role("region", name="Goes out next")).to_contain_text("Nothing is queued.")


def test_what_is_in_use_stays_while_the_rest_changes(enter: Enter, town: Town) -> None:
    first, second = an_announcement(
        town.house.store, on=("facebook", "listserv"), title="Workshop", **soon(town, seconds=40)
    )
    take(town.house.store, first)
    make(town.house.store, first, Move.DOUBT)
    page = enter()
    page.goto("/announcements/1")
    details = page.get_by_text("The raw answer").first
    details.click()
    address = page.get_by_label("The address of the post there")
    address.fill("https://example.org/po")

    take(town.house.store, second)
    make(town.house.store, second, Move.PUBLISH)

    expect(page.get_by_role("heading", name="listserv published")).to_be_visible()
    expect(address).to_be_focused()
    expect(address).to_have_value("https://example.org/po")
    expect(page.locator("details").first).to_have_attribute("open", "")

    make(town.house.store, first, Move.CONFIRM)  # somebody else was faster: the form in use stays, and does no harm
    look(page)
    expect(page.get_by_role("heading", name="facebook published")).to_be_visible()
    expect(address).to_be_focused()
    page.get_by_role("button", name="It is there").click()
    expect(page.get_by_role("alert")).to_contain_text("changed since you opened this page: it is published now")
    expect(page.get_by_label("The address of the post there")).to_have_count(0)


def look(page: Page) -> None:
    """Come back to the tab: the page asks at once."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_tab_that_nobody_sees_asks_nothing(enter: Enter, town: Town) -> None:
    a_stored_post(town.house.store, **soon(town, seconds=5))
    page = enter()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live" in request.url else None)
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.unseen ?? false})")
    page.goto("/")
    with page.expect_request(re.compile("/queue/live")):
        pass
    page.evaluate("window.unseen = true; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_load_state("networkidle")
    before = len(asked)
    page.wait_for_timeout(4000)
    assert len(asked) == before
    with page.expect_request(re.compile("/queue/live")):
        page.evaluate("window.unseen = false; document.dispatchEvent(new Event('visibilitychange'))")


def in_doubt(town: Town) -> Post:
    post = a_stored_post(town.house.store, State.UNCONFIRMED, title="Poster session")
    stop_looking(town.house.store, post)
    return post


@pytest.mark.parametrize("js", [True, False])
def test_a_post_in_doubt_is_found_and_confirmed(enter: Enter, town: Town, js: bool) -> None:
    post = in_doubt(town)
    page = enter(js=js)
    page.goto("/")
    page.get_by_role("link", name="Decide (Poster session on facebook)").click()
    note = page.get_by_role("note", name="What is known of the post on facebook")
    expect(note).to_contain_text("The answer was lost.")
    expect(note.get_by_role("link", name="Open the Page")).to_be_visible()
    page.get_by_label("The address of the post there").fill("https://www.facebook.com/1/posts/77")
    page.get_by_role("button", name="It is there").click()
    expect(page.get_by_text("On facebook: confirmed.")).to_be_visible()
    expect(page.get_by_role("link", name="See it there")).to_have_attribute(
        "href", "https://www.facebook.com/1/posts/77"
    )
    assert seen(town.house.store, post).state is State.PUBLISHED


def test_a_post_that_is_not_there_is_sent_again_with_the_keyboard_alone(enter: Enter, town: Town) -> None:
    post = in_doubt(town)
    page = enter()
    page.goto("/")
    reach(page, "Decide (Poster session on facebook)")
    page.keyboard.press("Enter")
    page.wait_for_url("**/announcements/1#facebook")
    questions: list[str] = []

    def agree(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept()

    page.on("dialog", agree)
    reach(page, "It is not there: send again")
    page.keyboard.press("Enter")
    expect(page.get_by_text("On facebook: queued again.")).to_be_visible()
    assert questions == ["Send it again? If it is there after all, people may get it twice."]
    assert seen(town.house.store, post).state is State.QUEUED


def reach(page: Page, name: str) -> None:
    """Go to a link or a button by the key Tab."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')").startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached with the keyboard")


def fill(town: Town) -> list[str]:
    """Bring posts into every state; give the pages that show them."""
    store = town.house.store
    require_approval(store)
    for state in (s for s in State if s is not State.PUBLISHING):
        a_stored_post(store, state, title=f"One that is {state}", **soon(town, hours=2))
    publishing = a_stored_post(store, State.PUBLISHING, title="On its way", **soon(town, minutes=1))
    an_announcement(
        store, on=("facebook", "listserv"), title="A very long title of an announcement " * 3, **soon(town, days=1)
    )
    blocked = a_stored_post(store, channel="listserv", title="Blocked", **soon(town, hours=3))
    check(store, blocked, ("The picture is gone.", "Put it back.", False))
    see(store, publishing, "could not tell", why="An empty list.", raw="x" * 300)
    town.house.desk.pause("1")
    town.house.desk.pause_channel("listserv", reason="Elections.", person="bob@example.org")
    town.house.desk.comment(1, said="Is it right?\nI think so.", person="bob@example.org")
    town.house.desk.draft(parse("---\ntitle: A draft\n---\nWords.\n"))
    return ["/", "/?channel=facebook", *(f"/announcements/{n}" for n in range(1, 13))]


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_queue_and_every_announcement(
    enter: Enter, town: Town, size: tuple[int, int], dark: bool
) -> None:
    empty = enter(size=size, dark=dark)
    empty.goto("/")
    assert violations(empty) == []
    page = enter(size=size, dark=dark)
    for path in fill(town):
        page.goto(path)
        for details in page.locator("details").all():
            details.evaluate("each => { each.open = true; }")
        assert (path, violations(page), max(0, sideways_px(page)), times_without_zone(page)) == (path, [], 0, [])
        assert [a for a in small_targets(page) if a] == [], path


def small_targets(page: Page) -> list[str]:
    """Give the buttons that a finger would miss."""
    small: list[str] = page.eval_on_selector_all(
        "main button, main .button",
        "all => all.filter(e => e.getBoundingClientRect().height < 43).map(e => e.textContent)",
    )
    return small

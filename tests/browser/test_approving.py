"""Approving, in a real browser: from the mail to what goes out, without JavaScript; and that everybody can use the pages."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from outreach.desk import Place as At
from outreach.doors.worker import Worker
from outreach.model import Letter
from outreach.roles import Role
from outreach.store import people
from tests.alarms.world import mails
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.builders import require_approval

ANN, BEN = "ann@example.org", "ben@example.org"
LETTER = Letter("Colloquium", "Please come to room 7 in the main building.", at="now")


def settle(town: Town) -> None:
    """A community that asks for approval, with an approver who has a mailbox."""
    community, now = town.house.community.id, town.house.clock.now()
    _ = town.house.desk
    require_approval(town.house.store)
    town.box.mail.add_mailbox(BEN)
    town.box.mail.add_mailbox(ANN)
    with town.house.store.write() as tx:
        people.welcome(tx, community, BEN, {Role.APPROVER}, now=now)


def edit(town: Town, number: int, letter: Letter) -> None:
    at = At(number, town.house.desk.latest(number).key)
    town.house.desk.edit(at, letter, folder=town.place.queue, person=ANN)


def open_mail(town: Town, page: Page, address: str) -> None:
    """Open the link of the latest mail, at the address where this test serves the page."""
    said = mails(town.box, address)[-1].get_content()
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/links/\S+)", said)
    page.goto(path)


@pytest.mark.parametrize("js", [False, True])
def test_an_approver_comes_by_mail_asks_for_changes_sees_them_and_lets_it_go_out(
    enter: Enter, town: Town, js: bool
) -> None:
    settle(town)
    number = town.house.desk.add(LETTER, folder=town.place.queue, person=ANN).announcement
    Worker(town.house).once()
    page = enter(None, js=js)
    open_mail(town, page, BEN)
    expect(page.get_by_text("Nothing is approved by it.")).to_be_visible()
    page.get_by_role("button", name="Show it to me").click()
    expect(page.get_by_role("heading", name="Colloquium", level=1)).to_be_visible()

    page.get_by_label("Comment").fill("Which floor?")
    page.get_by_role("button", name="Ask for changes").click()
    expect(page.get_by_role("status")).to_contain_text("You asked for changes.")
    expect(page.get_by_text("changes are asked for by ben@example.org")).to_be_visible()

    edit(town, number, replace(LETTER, body="Please come to room 7 on floor 2 of the main building."))
    assert Worker(town.house).once() == 0
    wish, asked = mails(town.box, ANN)[-1].get_content(), mails(town.box, BEN)
    assert "> Which floor?" in wish
    assert len(asked) == 2
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("link", name="Colloquium").click()
    changed = page.get_by_role("group", name="What changed in the text").first
    expect(changed.locator("ins")).to_contain_text("on floor 2 of")
    expect(changed.locator("del")).to_contain_text("in")

    page.get_by_role("button", name="Approve revision 2").click()
    expect(page.get_by_role("status")).to_contain_text("You approved it.")
    expect(page.get_by_text("Nothing waits for approval.")).to_be_visible()
    assert Worker(town.house).once() == 2
    assert [post.message for post in town.box.graph.public_posts()] == [
        "Colloquium\n\nPlease come to room 7 on floor 2 of the main building."
    ]
    assert "approved" in mails(town.box, ANN)[-1]["Subject"]


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_pages_of_approving(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    settle(town)
    later = replace(LETTER, at="2027-01-12 09:00", link="https://example.org/" + "long" * 30)
    number = town.house.desk.add(later, folder=town.place.queue, person=ANN).announcement
    town.house.desk.saw(number, 1, person=BEN)
    town.house.desk.ask_for_changes(number, revision=1, said="Which floor?\nAnd " + "x" * 90, person=BEN)
    edit(town, number, replace(later, title="Colloquium on " + "very" * 20, body="Please come to floor 2."))

    page = enter(BEN, roles=frozenset({Role.APPROVER}), size=size, dark=dark)
    for path in ("/approvals", f"/approvals/{number}"):
        page.goto(path)
        assert violations(page) == []
        assert sideways_px(page) <= 0
        assert times_without_zone(page) == []
    page.get_by_role("button", name="Ask for changes").click()  # without a comment
    expect(page.get_by_role("alert")).to_contain_text("The comment is empty.")
    assert violations(page) == []


def test_an_approval_needs_nothing_but_a_keyboard(enter: Enter, town: Town) -> None:
    settle(town)
    town.house.desk.add(replace(LETTER, at="2027-01-12 09:00"), folder=town.place.queue, person=ANN)
    page = enter(BEN, roles=frozenset({Role.APPROVER}))
    page.goto("/approvals")
    _tab_to(page, "Colloquium")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Approve revision 1")).to_be_visible()
    _tab_to(page, "Approve revision 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You approved it.")


def _tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{name} is not reached")

"""A mail that the list holds is let through from the page and seen to come through, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Letter
from outreach.sandbox import Sandbox
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.doors.place import Place

LETTER = Letter("Colloquium", "Please come to room 7.", to=("listserv",), at="now")


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    """An install whose list is moderated by its own coordinator, and a worker that runs."""
    with Sandbox() as box:
        mail_list = box.mail.lists[box.list_address]
        mail_list.moderated, mail_list.moderators = True, {box.member}
        mailbox = {"IMAP_HOST": box.smtp_host, "IMAP_PORT": str(box.imap_port), "IMAP_SECURITY": "none"}
        mailbox |= {"IMAP_USERNAME": box.member, "IMAP_PASSWORD": box.mailbox_password}
        place = Place(tmp_path, box, database=migrated_file, **mailbox)
        house = place.house()
        worker = Worker(house)
        with served(create(house)) as address:
            worker.start()
            yield Town(place, house, box, address)
            worker.stop()
        house.close()


@pytest.mark.parametrize(("js", "size", "dark"), [(True, NARROW, True), (False, WIDE, False)])
def test_a_held_mail_is_let_through_from_the_page(
    enter: Enter, town: Town, js: bool, size: tuple[int, int], dark: bool
) -> None:
    page = enter(js=js, size=size, dark=dark)
    town.house.desk.add(LETTER, folder=town.place.folder)
    page.goto("/announcements/1")
    let_through = page.get_by_role("button", name="Let it through")
    reason = page.get_by_text("The message comes from a moderated member").first
    while not js and not (let_through.is_visible() and reason.is_visible()):  # two mails, read one after the other
        page.reload()
    expect(let_through).to_be_visible()
    expect(reason).to_be_visible()
    assert not js or violations(page) == []
    assert sideways_px(page) <= 0
    assert times_without_zone(page) == []
    [held] = town.box.mail.held()
    assert held.key not in page.content()

    let_through.click()
    expect(page.get_by_role("status").first).to_contain_text("the list was told so")
    seen = page.get_by_text("Seen on the list: it came through")
    while not js and not seen.is_visible():
        page.reload()
    expect(seen).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"It came \d+ s after it was sent\."))
    expect(page.get_by_role("button", name="Let it through")).to_have_count(0)
    assert not js or violations(page) == []
    assert len(town.box.mail.distributed()) == 1

"""The whole story in a browser, as `make run` begins it: an admin, an announcement, another pair of eyes, out, found again."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from outreach import when
from outreach.doors.worker import Worker
from outreach.roles import Role
from tests.browser.conftest import NARROW, WIDE, Enter, Town

ANN, BEN = "ann@example.org", "ben@example.org"
SECRET = "rivers under seven bridges"


def joins(page: Page, link: str, *, name: str, email: str | None = None) -> None:
    """Take up a link that makes an account."""
    page.goto(link)
    if email:
        page.get_by_label("Your e-mail address").fill(email)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text(f"Welcome, {name}.")).to_be_visible()


def writes(page: Page, day: str) -> None:
    """Write a call for abstracts from its template, look at it, and queue it."""
    page.goto("/write")
    page.get_by_role("link", name="Call for abstracts", exact=True).click()
    page.get_by_label("Meeting", exact=True).fill("Annual Meeting 2027")
    page.get_by_label("Deadline", exact=True).fill(day)
    page.get_by_role("button", name="Tue 9:00").click()
    page.get_by_role("button", name="Review and queue").click()
    expect(page.locator("#sentence")).to_contain_text("America/New_York")
    expect(page.get_by_role("heading", name="Exactly what goes out")).to_be_visible()
    page.get_by_role("button", name="Queue it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Queued: Call for abstracts")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "a telephone"])
def test_from_the_first_link_to_what_the_history_shows(enter: Enter, town: Town, size: tuple[int, int]) -> None:
    ann, ben = enter(None, size=size), enter(None, size=size)
    joins(ann, f"/links/{town.house.access.first_admin_link()}", name="Ann", email=ANN)
    ann.goto("/settings")
    ann.get_by_label(re.compile("Four eyes")).check()
    ann.get_by_role("button", name="Keep this").click()
    link = town.house.access.invite(BEN, {Role.APPROVER, Role.COORDINATOR}, by=None)
    joins(ben, f"/links/{link}", name="Ben")
    writes(ann, str(when.local(town.house.clock.now(), "America/New_York").date() + timedelta(days=60)))

    ben.goto("/approvals")
    ben.get_by_role("link", name=re.compile("Call for abstracts")).first.click()
    ben.get_by_role("button", name=re.compile("Approve revision")).click()
    assert {post.approved for post in town.house.desk.find("1")} == {True}

    number = town.house.desk.queue()[0].announcement
    ann.goto(f"/announcements/{number}")
    town.house.desk.move_to(str(number), _soon(town), base=town.house.desk.latest(number).key, person=BEN)
    town.house.desk.approve(number, person=ANN)
    worker = Worker(town.house)
    worker.start()
    expect(ann.locator("main")).to_contain_text("published", timeout=30_000)
    worker.stop()
    assert len(town.box.graph.public_posts()) == 1

    ann.goto("/history?search=abstracts")
    expect(ann.get_by_role("link", name=re.compile("Call for abstracts")).first).to_be_visible()


def _soon(town: Town) -> str:
    at = when.local(town.house.clock.now() + timedelta(seconds=1), "America/New_York")
    return f"{at:%Y-%m-%d %H:%M:%S}"

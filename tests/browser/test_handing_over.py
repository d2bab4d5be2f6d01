"""A post that is with Facebook's own scheduler, in a real browser: it says so, and a cancel takes it back or is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from outreach.chores import handing_over_of
from outreach.doors.layout import lay_out
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.letter import parse
from outreach.sandbox import Sandbox
from tests.browser.conftest import Enter, Town
from tests.browser.sight import sideways_px, violations
from tests.doors.place import Place

SAYS = "Facebook has it and publishes it at its time, even if this machine is off."


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    """An install that hands over, with one post given."""
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        lay_out(place.queue)
        house = place.house(FACEBOOK_HAND_OVER_DAYS="28")
        at = f"{house.clock.now() + timedelta(days=3):%Y-%m-%d} 09:00"
        letter = f"---\ntitle: Colloquium\nto: facebook\nat: {at}\n---\nPlease come.\n"
        with served(create(house)) as address:
            house.desk.add(parse(letter), folder=place.folder)
            assert handing_over_of(house).round() == 1
            yield Town(place, house, box, address)
        house.close()


@pytest.mark.parametrize("js", [True, False])
def test_a_cancel_takes_it_back_from_facebook_first(enter: Enter, town: Town, js: bool) -> None:
    page = enter(js=js)
    page.goto("/announcements/1")
    expect(page.get_by_text(SAYS)).to_be_visible()
    expect(page.get_by_text("Given to Facebook's own scheduler, which publishes it")).to_be_visible()
    assert (violations(page) if js else [], sideways_px(page)) == ([], 0)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel it").first.click()
    expect(page.get_by_text("Taken back from Facebook's own scheduler")).to_be_visible()
    expect(page.get_by_text("Cancelled for good")).to_be_visible()
    assert [post for post in town.box.graph.world.posts.values() if post.message] == []


def test_what_facebook_does_not_give_back_stays_as_it_is_and_that_is_said(enter: Enter, town: Town) -> None:
    town.box.graph.rules.may_delete = False
    page = enter()
    page.goto("/announcements/1")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel it").first.click()
    expect(page.get_by_text("Facebook did not give it back")).to_be_visible()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert [post.state for post in town.house.desk.find("1")] == ["queued"]
    assert len(town.box.graph.world.posts) == 1

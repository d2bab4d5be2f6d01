"""How far posts reached, in a real browser: the line of growth, the latest comment, the report's bars, the channel's sentence."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.model import Move, Post
from outreach.reach import Learnt, Remark
from outreach.store import announcements, history, reached
from outreach.store.reached import Due, Standing
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations
from tests.builders import a_content, a_new_announcement, a_new_post, make, take

HOUR = timedelta(hours=1)


@pytest.fixture
def lived_in(town: Town) -> Town:
    """A town where an announcement went out on both channels and was seen, and where the Page told how far its posts reached."""
    letter = "---\ntitle: Poster session on Friday\nat: now\n---\nBring a poster & a friend.\n"
    town.house.desk.add(parse(letter), folder=town.place.folder)
    Worker(town.house).once()
    page, mail = town.house.desk.find("1")
    now = town.house.clock.now()
    remark = Remark(now - HOUR, "Will there be a stream for those who cannot come?", f"{town.box.page_url}/posts/1")
    with town.house.store.write() as tx:
        history.see(tx, mail.id, at=now, kind="distributed", evidence={"after_s": 4})
        reached.enrol(tx, page.channel_id, now)
    for hours, count in ((1, 12), (2, 40), (4, 88), (9, 110), (20, 120)):
        values = {"reached": count, "reactions": 8, "comments": 2, "reactions/like": 6, "reactions/love": 2}
        _keep(town, page, Learnt(values, remark, is_read=True), hours)
    for number, count in enumerate((31, 44, 58, 60, 240)):
        _went(town, f"Webinar {number}", "webinar", days=7 * (number + 1), count=count)
    _went(town, "A single poster", "poster-session", days=3, count=900)
    with town.house.store.write() as tx:
        for days, followers in ((20, 1190), (14, 1188), (6, 1225), (0, 1240)):
            of_page = {"followers": followers, "views": 310}
            reached.keep_of_channel(tx, page.channel_id, of_page, now - timedelta(days=days))
        how = Standing("People reached and views are not told to this token.", now, now + HOUR, now)
        reached.stand(tx, page.channel_id, how)
    return town


def _keep(town: Town, post: Post, learnt: Learnt, hours: float) -> None:
    with town.house.store.write() as tx:
        what = Due(post.id, post.channel_id, str(post.remote_id), post.due_at, post.due_at, is_there=True)
        reached.keep(tx, what, learnt, post.due_at + hours * HOUR)


def _went(town: Town, title: str, template: str, *, days: int, count: int) -> None:
    at = town.house.clock.now() - timedelta(days=days)
    channel = town.house.targets[0].id
    letter = f"---\ntitle: {title}\ntemplate: {template}\n---\nJoin us.\n"
    new = replace(a_new_announcement(title=title), letter=letter)
    with town.house.store.write() as tx:
        number = announcements.add(tx, new, [a_new_post(channel, a_content(text=title), due_at=at)], at)
    [post] = town.house.desk.find(str(number))
    take(town.house.store, post, now=at)
    make(town.house.store, post, Move.PUBLISH, at=at)
    with town.house.store.write() as tx:
        reached.enrol(tx, channel, town.house.clock.now())
        what = Due(post.id, channel, "1", at, at, is_there=True)
        reached.keep(tx, what, Learnt({"reached": count}, is_read=True), at + HOUR)


def test_one_sees_at_a_glance_what_came_of_it(enter: Enter, lived_in: Town) -> None:
    page = enter()
    page.goto("/announcements/1")
    expect(page.locator("#came-of-it")).to_contain_text(
        "120 people reached, 8 reactions, 2 comments on the Page (as of "
    )
    expect(page.locator("#came-of-it")).to_contain_text("Seen on the list after 4 s · ")
    expect(page.get_by_role("img", name="People reached over time")).to_be_visible()
    page.get_by_text("People reached over time on facebook").click()
    expect(page.get_by_role("region", name="People reached over time on facebook")).to_contain_text("110")
    expect(page.get_by_role("link", name="Read it on the Page facebook")).to_be_visible()


def test_how_the_page_itself_grew_is_drawn_beside_its_channel(enter: Enter, lived_in: Town) -> None:
    page = enter()
    page.goto("/channels")
    expect(page.get_by_role("img", name="Followers over time")).to_be_visible()
    page.get_by_text("Followers over time on facebook").click()
    expect(page.get_by_role("region", name="Followers over time on facebook")).to_contain_text("1,188")


def test_the_report_shows_what_reaches_people_without_a_script(enter: Enter, lived_in: Town) -> None:
    page = enter(js=False)
    page.goto("/history/report")
    table = page.get_by_role("region", name="Reach by template")
    expect(table.get_by_role("row", name="webinar")).to_contain_text("58")
    expect(table.get_by_role("row", name="poster-session")).to_contain_text("too few to tell")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it_at_every_size(enter: Enter, lived_in: Town, dark: bool) -> None:
    page, found = enter(dark=dark), []
    for path in ("/announcements/1", "/history", "/history/report", "/channels"):
        for width, height in (NARROW, WIDE) if dark else (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(path)
            found += [f"{path}: {sideways_px(page)} px to the side"] if sideways_px(page) > 0 else []
        found += [f"{path}: {violation}" for violation in violations(page)]
        found += [f"{path}: {time} names no zone" for time in times_without_zone(page)]
    assert found == []

"""Figures on the page: beside the list's sighting, as a line, in the history, in the report of a year and what one takes along."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.growth import growth
from outreach.doors.web.serving import served
from outreach.model import Move
from outreach.reach import Learnt, Remark
from outreach.roles import Role
from outreach.settings import read_settings
from outreach.store import announcements, history, reached
from tests.builders import a_content, a_mail, a_new_announcement, a_new_post, make, take
from tests.doors.place import Place
from tests.web.desktop import SETTINGS
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    place = Place(tmp_path, None, database=migrated_file)
    made = House(read_settings(place.settings | SETTINGS), StillClock())
    _ = made.desk
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def rita(house: House, address: str) -> Guest:
    """A reviewer."""
    return member(house, address, "rita@example.org", roles=frozenset({Role.REVIEWER}))


def went(
    house: House, title: str = "Poster session", *, hours_ago: float = 5, template: str = "", days: int = 0
) -> int:
    """Let an announcement go out on both channels."""
    at = house.clock.now() - timedelta(hours=hours_ago, days=days)
    new = a_new_announcement(title=title)
    if template:
        letter = f"---\ntitle: {title}\ntemplate: {template}\n---\nJoin us.\n"
        new = replace(new, letter=letter)
    page, mail = house.targets
    of_each = [
        a_new_post(page.id, a_content(text=f"{title}. {at}"), due_at=at),
        a_new_post(mail.id, a_mail(), due_at=at),
    ]
    with house.store.write() as tx:
        number = announcements.add(tx, new, of_each, at)
    for post in house.desk.find(str(number)):
        take(house.store, post, now=at)
        make(house.store, post, Move.PUBLISH, at=at)
    return number


def learnt(house: House, number: int, values: dict[str, int], remark: Remark | None = None, *, hours: int = 1) -> None:
    """Keep figures of its post on the Page."""
    [post] = house.desk.find(f"{number}/facebook")
    with house.store.write() as tx:
        reached.enrol(tx, post.channel_id, house.clock.now())
        [what] = [each for each in reached.due(tx, post.channel_id, house.clock.now() + timedelta(days=900), most=999)
                  if each.post_id == post.id]  # fmt: skip
        reached.keep(tx, what, Learnt(values, remark, is_read=True), what.published_at + timedelta(hours=hours))


def seen(house: House, number: int, after_s: int) -> None:
    [post] = house.desk.find(f"{number}/listserv")
    with house.store.write() as tx:
        history.see(tx, post.id, at=house.clock.now(), kind="distributed", evidence={"after_s": after_s})


def test_what_came_of_it_stands_in_one_line(house: House, rita: Guest) -> None:
    number = went(house)
    seen(house, number, 4)
    learnt(house, number, {"reached": 120, "reactions": 8, "comments": 2, "shares": 0})
    page = rita.get(f"/announcements/{number}").text
    [line] = re.findall(r'id="came-of-it">([^<]*)<', page)
    assert line.startswith(
        "Seen on the list after 4 s · 120 people reached, 8 reactions, 2 comments on the Page (as of Tue"
    )


def test_a_post_of_which_nothing_is_known_shows_nothing(house: House, rita: Guest) -> None:
    page = rita.get(f"/announcements/{went(house)}").text
    assert "How far it reached" not in page
    assert "came-of-it" not in page


def test_growth_is_drawn_said_and_listed(house: House, rita: Guest) -> None:
    number = went(house)
    for hours, count in ((1, 10), (2, 60), (4, 1120)):
        learnt(house, number, {"reached": count, "reactions/like": 5, "reactions/love": 9}, hours=hours)
    page = rita.get(f"/announcements/{number}").text
    assert "People reached grew from 10 to 1,120." in page
    assert 'points="4.0,59.5 108.0,57.0 316.0,4.0"' in page
    assert page.count('<td class="number">') == 3
    assert "Reactions: 9 love, 5 like" in page


def test_how_the_page_itself_grew_is_drawn_beside_its_channel(house: House, address: str) -> None:
    ann = member(house, address, "ann@example.org", roles=frozenset({Role.ADMIN}))
    went(house)
    [page, _] = house.targets
    now = house.clock.now()
    assert "over time" not in ann.get("/channels").text
    with house.store.write() as tx:
        for days, followers in ((2, 120), (1, 130), (0, 118)):
            at = now - timedelta(days=days)
            reached.keep_of_channel(tx, page.id, {"followers": followers, "views": 7}, at)
        reached.stand(tx, page.id, replace(reached.standing(tx, page.id), page_at=now))
    shown = ann.get("/channels").text
    assert "Followers fell from 120 to 118. The line lies between" in shown
    assert 'points="4.0,50.7 160.0,4.0 316.0,60.0"' in shown
    assert re.findall(r'<td class="number">([\d,]+)</td>', shown) == ["118", "130", "120"]


def test_one_value_is_no_growth() -> None:
    assert growth("reached", []) is None


def test_the_latest_comment_is_linked_and_harmless(house: House, rita: Guest) -> None:
    number = went(house)
    remark = Remark(house.clock.now(), "<script>alert(1)</script>", "https://www.facebook.com/1_2?comment_id=3")
    learnt(house, number, {"comments": 1}, remark)
    page = rita.get(f"/announcements/{number}").text
    assert "<q>&lt;script&gt;alert(1)&lt;/script&gt;</q>" in page
    assert '<a href="https://www.facebook.com/1_2?comment_id=3">Read it on the Page' in page


def test_the_history_says_what_came_of_each(house: House, rita: Guest) -> None:
    number = went(house)
    seen(house, number, 300)
    learnt(house, number, {"reached": 1, "comments": 1})
    page = rita.get("/history").text
    assert "1 person reached, 1 comment on the Page (as of " in page
    assert "Seen on the list after 5 min" in page


def test_the_report_tells_which_template_reaches_people_and_which_are_too_few(house: House, rita: Guest) -> None:
    for number, count in enumerate((10, 20, 30, 40, 500)):
        learnt(
            house, went(house, f"Webinar {number}", template="webinar", hours_ago=5 + 24 * number), {"reached": count}
        )
    learnt(house, went(house, "Poster"), {"reached": 9_000})
    page = rita.get("/history/report?year=2026").text
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page, re.S))
    assert "30</td>" in rows["webinar"]  # the median, not the mean
    assert "600</td>" in rows["webinar"]
    assert "too few to tell" in rows["written freely"]
    assert "9,000</td>" in rows["written freely"]
    assert 'width="100.0"' in rows["webinar"]
    assert "of 6 posts" in page


def test_a_report_without_figures_says_so(house: House, rita: Guest) -> None:
    went(house)
    assert "Nothing was learnt yet of how far" in rita.get("/history/report?year=2026").text


def test_reactions_stand_in_where_facebook_told_no_reach(house: House, rita: Guest) -> None:
    learnt(house, went(house), {"reactions": 3})
    page = rita.get("/history/report?year=2026").text
    assert "Reactions on the Page, since Facebook told no number of people reached" in page


def test_what_reaches_people_can_be_taken_along(house: House, rita: Guest) -> None:
    learnt(house, went(house, "=1+1", template="webinar"), {"reached": 9})
    rows = rita.get("/history/report/reach.json?year=2026").json()
    assert rows[0] == {
        "by": "template", "group": "webinar", "measure": "reached", "posts": 1, "median": 9.0, "sum": 9,
        "enough_to_tell": False,
    }  # fmt: skip
    assert [(row["by"], row["group"]) for row in rows[1:]] == [("weekday", "Tuesday"), ("hour", "04:00")]
    table = csv.DictReader(io.StringIO(rita.get("/history/report/reach.csv?year=2026").content.decode("utf-8-sig")))
    assert [row["sum"] for row in table] == ["9", "9", "9"]
    assert rita.get("/history/report/reach.json?year=2019").json() == []


def test_the_export_of_the_history_holds_the_figures(house: House, rita: Guest) -> None:
    learnt(house, went(house), {"reached": 120, "reactions": 8})
    found: list[dict[str, Any]] = rita.get("/history/export.json").json()
    by_channel = {row["channel"]: row for row in found}
    assert (by_channel["facebook"]["reached"], by_channel["facebook"]["reactions"]) == (120, 8)
    assert by_channel["facebook"]["figures_as_of"] == "2026-12-01T10:00:00Z"
    assert (by_channel["listserv"]["reached"], by_channel["listserv"]["figures_as_of"]) == (None, None)
    head = rita.get("/history/export.csv").content.decode("utf-8-sig").partition("\r\n")[0]
    assert head.endswith("on_time,reached,views,reactions,comments,shares,clicks,figures_as_of")

"""The calendar through its door: what it shows, who may move what, and the feed for other programs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from icalendar import Calendar

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.model import Letter, State
from outreach.roles import Role
from tests.builders import everything
from tests.web.visitors import Guest, member

LETTER = Letter("Colloquium <b>", "Please come to room 7.", at="2026-12-02 22:30")


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def entry(ann: Guest, day: str) -> str:
    """The part of the page about one day."""
    found = re.search(rf'data-day="{day}">(.*?)</li>', ann.get("/calendar?month=2026-12").text, re.S)
    assert found is not None
    return found[1]


def the_move(house: House, **more: str) -> dict[str, str]:
    base = house.desk.latest(1).key
    return {"name": "1", "base": base, "month": "2026-12", "day": "2026-12-10", "time": "08:15"} | more


def test_a_post_stands_on_its_day_with_its_zone_and_a_warning_for_quiet_hours(
    ann: Guest,
    house: House,
    tmp_path: Path,
) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    shown = entry(ann, "2026-12-02")
    assert "Colloquium &lt;b&gt;" in shown
    assert "America/New_York (EST)" in shown
    assert "in quiet hours" in shown
    assert "Colloquium" not in entry(ann, "2026-12-03")
    assert "Christmas Day" in entry(ann, "2026-12-25")


def test_a_move_by_the_form_is_told(ann: Guest, house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    ann.get("/calendar?month=2026-12")
    page = ann.post("/calendar/move", **the_move(house)).text
    assert "goes out on facebook and listserv on Thu 10 Dec 2026, 08:15 America/New_York (EST)." in page
    assert "Colloquium" in entry(ann, "2026-12-10")


@pytest.mark.parametrize(
    "wrong",
    [{"day": "2026-01-01"}, {"day": "x"}, {"base": "1-0"}, {"name": "9"}, {"name": "../1"}, {"name": ""}, {"time": ""}],
)
def test_a_move_that_is_not_possible_changes_nothing_and_is_told(
    ann: Guest,
    house: House,
    tmp_path: Path,
    wrong: dict[str, str],
) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    ann.get("/calendar")
    before = everything(house.store)
    answer = ann.post("/calendar/move", **the_move(house, **wrong))
    assert (answer.status_code, 'role="alert"' in answer.text) == (409, True)
    assert everything(house.store) == before


def test_who_does_not_write_moves_nothing(house: House, address: str, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    ben = member(house, address, "ben@example.org", roles=frozenset({Role.APPROVER}))
    assert "Move it" not in ben.get("/calendar?month=2026-12").text
    assert ben.post("/calendar/move", **the_move(house)).status_code == 403
    assert {p.wall_time for p in house.desk.find("1")} == {"2026-12-02 22:30"}


@pytest.mark.parametrize(
    "query", ["month=2026-13", "month=x", "week=2026-W60", "month=9999-12", "month=0001-01", "week=1-1"]
)
def test_a_month_that_is_none_is_not_there(ann: Guest, query: str) -> None:
    assert ann.get(f"/calendar?{query}").status_code == 404


def test_the_feed_is_read_by_who_has_its_address_until_it_is_ended(
    ann: Guest,
    house: House,
    tmp_path: Path,
) -> None:
    house.desk.add(replace(LETTER, to=("facebook",)), folder=tmp_path)
    ann.get("/calendar/subscribe")
    page = ann.post("/calendar/subscribe").text
    feed = re.search(r'<code class="copy">([^<]+)</code>', page)
    assert feed is not None
    read = Calendar.from_ical(requests.get(feed[1], timeout=30).text)
    [event] = read.walk("VEVENT")
    starts: Any = event["DTSTART"]
    assert (event["SUMMARY"], event["STATUS"]) == ("Colloquium <b> (facebook, queued)", "TENTATIVE")
    assert starts.dt == house.desk.find("1")[0].planned_at
    assert feed[1] not in ann.get("/calendar/subscribe").text
    ann.post("/calendar/unsubscribe")
    assert requests.get(feed[1], timeout=30).status_code == 404


def test_a_token_for_something_else_opens_no_feed(ann: Guest, house: House) -> None:
    [visitor] = [house.access.visitor(ann.web.cookies["outreach"])]
    assert visitor is not None
    key = house.access.new_token(visitor, name="A program", scopes=["read"])
    assert ann.get(f"/calendar/feed/{key}.ics").status_code == 404


def test_a_cancelled_post_leaves_the_calendar(ann: Guest, house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    house.desk.cancel("1")
    assert {p.state for p in house.desk.find("1")} == {State.CANCELLED}
    assert "Colloquium" not in entry(ann, "2026-12-02")

"""Events: in the text of each channel, and as a file for calendars in the list's mail, through corrections and retractions."""

import re
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from icalendar import Calendar

from outreach.bootstrap import House, SystemClock
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.doors.place import Place

HEAD = "title: Colloquium\nzone: Europe/Berlin\nat: now\nstarts: 2035-07-10 17:00\nends: 2035-07-10 18:30\nplace: Room 7 (first floor)\n"


def letter(place: Place, head: str, name: str = "event.md") -> str:
    file = place.folder / name
    file.write_text(f"---\n{head}---\nPlease come.\n")
    return str(file)


def work(place: Place) -> None:
    for _ in range(3):
        assert place.cli("worker", "--once").code == 0


def entries(box: Sandbox) -> list[Any]:
    """The event that each mail of the list brought; None for a mail without."""
    found: list[Any] = []
    for each in box.mail.distributed():
        mail = message_from_bytes(each.raw, policy=default)
        files = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(files[0].get_content()) if files else None
        assert calendar is None or (str(calendar["method"]), len(calendar.walk("VTIMEZONE"))) == ("PUBLISH", 1)
        found.append(calendar.walk("VEVENT")[0] if calendar else None)
    return found


def test_the_event_stands_in_the_text_and_in_a_file_with_its_zone(place: Place, box: Sandbox) -> None:
    place.json("add", letter(place, HEAD))
    work(place)
    [event] = entries(box)
    begins = datetime(2035, 7, 10, 17, tzinfo=ZoneInfo("Europe/Berlin"))
    assert (event["dtstart"].dt, str(event["summary"]), str(event["location"])) == (
        begins,
        "Colloquium",
        "Room 7 (first floor)",
    )
    assert (int(event["sequence"]), str(event["status"])) == (0, "CONFIRMED")
    text = "When: Tue 10 Jul 2035, 17:00 Europe/Berlin (CEST), until 18:30"
    [post] = box.graph.public_posts()
    assert text in " ".join((post.message or "").split())
    assert "Where: Room 7 (first floor)" in (post.message or "")
    assert text in " ".join(place.json("preview", "1")[1]["text"].split())


def test_a_correction_keeps_the_uid_and_a_retraction_cancels_it(place: Place, box: Sandbox) -> None:
    place.json("add", letter(place, HEAD))
    work(place)
    moved = HEAD.replace("17:00", "16:00").replace("title: Colloquium", "title: 'Correction: Colloquium'\ncorrects: 1")
    place.json("add", letter(place, moved, "moved.md"))
    work(place)
    place.json("retract", "2")
    work(place)
    first, second, third = entries(box)
    assert len({str(event["uid"]) for event in (first, second, third)}) == 1
    assert [int(event["sequence"]) for event in (first, second, third)] == [0, 1, 2]
    assert [str(event["status"]) for event in (first, second, third)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert second["dtstart"].dt.hour == 16


def test_the_file_is_left_out_where_the_list_drops_it(place: Place, box: Sandbox) -> None:
    assert place.json("channels", "habits", "listserv", "--calendar", "no")["calendar"] is False
    place.json("add", letter(place, HEAD))
    work(place)
    assert entries(box) == [None]
    assert "Where: Room 7" in place.json("preview", "1")[1]["text"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("starts: 2035-07-10 17:00\n", "", "starts"),
        ("ends: 2035-07-10 18:30", "ends: 2035-07-10 16:30", "ends"),
        ("ends: 2035-07-10 18:30", "ends: 2036-07-10 18:30", "ends"),
        ("starts: 2035-07-10 17:00", "starts: some day", "starts"),
    ],
)
def test_an_event_that_cannot_be_is_refused_by_its_key(place: Place, old: str, new: str, where: str) -> None:
    answer = place.cli("add", letter(place, HEAD.replace(old, new)), "--json")
    assert (answer.code, answer.error["where"]) == (1, where)


def test_an_event_without_an_end_lasts_an_hour(place: Place, box: Sandbox) -> None:
    place.json("add", letter(place, HEAD.replace("ends: 2035-07-10 18:30\n", "")))
    work(place)
    [event] = entries(box)
    assert (event["dtend"].dt - event["dtstart"].dt).total_seconds() == 3600


def linked(text: str) -> str:
    """The key of the calendar file that a mail links to."""
    return re.search(r"/events/([0-9a-f]{40})\.ics", text)[1]  # type: ignore[index]


def of_link(place: Place, key: str) -> Any:
    """The event behind a link, as everybody gets it; None where there is nothing."""
    house = House(read_settings(place.settings), SystemClock())
    try:
        with served(create(house)) as address:
            answer = requests.get(f"{address}/events/{key}.ics", timeout=30)
    finally:
        house.close()
    if answer.status_code == 404:
        return None
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    calendar = Calendar.from_ical(answer.text)
    assert str(calendar["method"]) == "PUBLISH"
    return calendar.walk("VEVENT")[0]


def test_a_list_that_drops_the_file_gets_a_link_to_the_event_as_it_stands_now(place: Place, box: Sandbox) -> None:
    place.json("channels", "habits", "listserv", "--calendar", "no")
    place.json("add", letter(place, HEAD))
    key = linked(place.json("preview", "1", "--channel", "listserv")[0]["text"])
    assert of_link(place, key) is None  # nothing of it is out
    work(place)
    assert f"/events/{key}.ics" in box.mail.distributed()[0].raw.decode()
    assert "/events/" not in str(box.graph.public_posts()[0].message)
    first = of_link(place, key)
    moved = HEAD.replace("17:00", "16:00").replace("title: Colloquium", "title: 'Correction: Colloquium'\ncorrects: 1")
    place.json("add", letter(place, moved, "moved.md"))
    assert int(of_link(place, key)["sequence"]) == 0  # what corrects it is not out yet
    work(place)
    second = of_link(place, key)
    place.json("retract", "2")
    work(place)
    third = of_link(place, key)
    assert len({str(event["uid"]) for event in (first, second, third)}) == 1
    assert [int(event["sequence"]) for event in (first, second, third)] == [0, 1, 2]
    assert [str(event["status"]) for event in (first, second, third)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [event["dtstart"].dt.hour for event in (first, second)] == [17, 16]
    assert {str(event["summary"]) for event in (first, second, third)} == {"Colloquium"}
    other = linked(box.mail.distributed()[1].raw.decode())
    assert other != key
    assert str(of_link(place, other)["uid"]) == str(first["uid"])


@pytest.mark.parametrize("key", ["0" * 40, "x", "..%2f..%2fetc", "a" * 400])
def test_a_link_that_nobody_was_given_opens_nothing(place: Place, box: Sandbox, key: str) -> None:
    place.json("add", letter(place, HEAD))
    work(place)
    assert of_link(place, key) is None


def test_where_nobody_could_open_it_no_link_is_given(place: Place) -> None:
    far = place.settings | {"FACEBOOK_GRAPH_URL": "https://graph.facebook.com"}
    assert read_settings(far | {"OUTREACH_BASE_URL": "http://127.0.0.1:8000"}).events_at == ""
    assert (
        read_settings(far | {"OUTREACH_BASE_URL": "https://o.example.org/"}).events_at == "https://o.example.org/events"
    )

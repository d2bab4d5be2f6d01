"""Correcting and retracting from the page of an announcement: begun, previewed, queued, and shown on the earlier one."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Letter
from tests.web.visitors import Guest, member


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    house.desk.add(Letter("Colloquium", "On **Friday** in room 7.", at="now"), folder=house.media)
    Worker(house).once()
    return member(house, address)


def typed(page: str) -> dict[str, str]:
    """What a form holds as it is opened: its inputs and its text."""
    fields = {
        name: unescape(value) for name, value in re.findall(r'<input[^>]* name="([a-z_]+)"[^>]* value="([^"]*)"', page)
    }
    text = re.search(r'<textarea[^>]* name="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return fields | {"body": unescape(text[1]).strip() if text else ""}


@pytest.mark.parametrize(("wish", "label", "says"), [
    ("corrects", "Correct it", "The post that is on the Page gets this text"),
    ("retracts", "Retract it", "This post is deleted from the Page"),
])  # fmt: skip
def test_what_is_out_is_followed_up_from_its_page(ann: Guest, house: House, wish: str, label: str, says: str) -> None:
    page = ann.get("/announcements/1").text
    assert (label in page, f"/write/new?{wish}=1" in page) == (True, True)
    form = typed(ann.get(f"/write/new?{wish}=1").text)
    assert form[wish] == "1"
    form |= {"body": form["body"].replace("Friday", "Thursday"), "to": "facebook", "when": "soon"}
    assert says in ann.post("/write/preview", **form | {"number": ""}).text
    ann.post("/write/new/save", **form)
    house.desk.add(house.desk.letter_of(2), folder=house.media, of_draft=2)
    Worker(house).once()
    assert str(house.desk.find("2")[0].state) == "published"
    assert "announcement 2</a>" in ann.get("/announcements/1").text


@pytest.mark.parametrize("path", ["/write/new?corrects=7", "/write/new?retracts=x", "/write/new?corrects=1e5"])
def test_what_is_not_out_cannot_be_followed_up(ann: Guest, path: str) -> None:
    assert ann.get(path).status_code == 404

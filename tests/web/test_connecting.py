"""Connecting a Page through the door: who may, where the code never stands, and what the page of the channels tells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import open_port, served
from outreach.doors.worker import Worker
from outreach.model import Letter
from outreach.roles import Role
from outreach.sandbox import Clock, Sandbox
from outreach.settings import read_settings
from tests.builders import NOW, column
from tests.connecting import appointed, led_back
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

DAY_S = 86400


@dataclass
class Town:
    """An install with an app, a key and no Page, whose clock stands still, as that of its sandbox does."""

    place: Place
    house: House
    box: Sandbox
    clock: StillClock
    ann: Guest

    def tick(self, seconds: float) -> None:
        self.clock.tick(seconds)
        self.box.graph.clock.advance(seconds)


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    with Sandbox(pages=2, clock=Clock(NOW)) as box:
        port, clock = open_port(), StillClock()
        address = f"http://127.0.0.1:{port.getsockname()[1]}"
        place = appointed(Place(tmp_path, box, database=migrated_file), box, OUTREACH_BASE_URL=address)
        house = House(read_settings(place.settings), clock)
        with served(create(house), on=port) as at:
            yield Town(place, house, box, clock, member(house, at))
        house.close()


def begun(guest: Guest) -> str:
    answer = guest.post("/connect", follow=False)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def connected(town: Town, place: int = 0) -> None:
    """Go the whole way."""
    back = led_back(begun(town.ann), pages=[page.id for page in town.box.pages])
    choice = town.ann.get(path_of(back))
    assert choice.status_code == 200
    done = town.ann.post(urlsplit(choice.url).path, page=town.box.pages[place].id, another="yes")
    assert "is connected." in done.text


def published(town: Town, title: str = "Hello") -> None:
    letter = Letter(title=title, body="A text.", to=("facebook",), at="now")
    town.house.desk.add(letter, folder=town.place.queue)
    Worker(town.house).once()


def says(town: Town, answer: str, *, of: str = "") -> str:
    """Answer whether the public sees the post that the page of the channels asks about; give the page that follows."""
    found = re.search(r'name="of" value="([^"]*)"', town.ann.get("/channels").text)
    asked = of or (found[1] if found else "")
    return town.ann.post("/channels/facebook/visible", answer=answer, of=asked).text


def test_only_who_runs_channels_may_connect_a_page(town: Town) -> None:
    for role in Role:
        guest = member(town.house, town.ann.address, f"{role}@example.org", roles=frozenset({role}))
        may = role in (Role.COORDINATOR, Role.ADMIN)
        assert guest.get("/connect").status_code == (200 if may else 403)
        assert guest.post("/connect", follow=False).status_code == (303 if may else 403)
        assert guest.get("/connect/answer?code=x&state=y", allow_redirects=False).status_code == (303 if may else 403)
        assert guest.post("/channels/facebook/visible", answer="yes", follow=False).status_code == (303 if may else 403)


def test_the_code_is_in_no_address_that_one_is_led_to(town: Town) -> None:
    back = path_of(led_back(begun(town.ann), pages=[town.box.page_id]))
    for guest in (Guest(town.ann.address), member(town.house, town.ann.address, "ben@example.org"), town.ann):
        answer = guest.get(back, allow_redirects=False)
        assert answer.status_code == 303
        assert "code" not in answer.headers["location"]
        assert answer.text == ""


@pytest.mark.parametrize("path", ["/connect", "/connect/1", "/channels/facebook/visible"])
def test_a_form_of_another_site_changes_nothing(town: Town, path: str) -> None:
    assert town.ann.post(path, form_token="0" * 32).status_code == 422
    assert column(town.house.store, "SELECT id FROM dialogs") == []


@pytest.mark.parametrize("query", ["", "?state=", "?code=x", "?state=x&code=%00", "?error=access_denied&state=forged"])
def test_an_answer_that_nobody_asked_for_leads_back_with_a_sentence(town: Town, query: str) -> None:
    answer = town.ann.get(f"/connect/answer{query}")
    assert answer.status_code == 200
    assert "to no question that you asked here just now" in answer.text


def test_the_dialog_leads_only_to_facebook_and_no_other_page_may(town: Town) -> None:
    policy = town.ann.get("/connect").headers["content-security-policy"]
    assert f"form-action 'self' {town.box.graph_url};" in policy
    assert town.box.graph_url not in town.ann.get("/channels").headers["content-security-policy"]


def test_no_page_holds_a_token(town: Town) -> None:
    back = led_back(begun(town.ann), pages=[page.id for page in town.box.pages])
    pages = [town.ann.get(path_of(back))]
    choice = urlsplit(pages[0].url).path
    pages.append(town.ann.post(choice, page=town.box.page_id))
    pages += [town.ann.get(path) for path in ("/channels", "/audit", "/settings", "/connect", choice)]
    tokens = [*town.box.graph.tokens._tokens, town.box.app_secret]
    assert [token for token in tokens for page in pages if token in page.text] == []


def test_the_history_says_who_connected_which_page(town: Town) -> None:
    connected(town)
    connected(town, 1)
    said = town.ann.get("/audit").text
    assert "connect a Page" in said
    assert f"in place of {town.box.page_id}" in said


# What the page of the channels tells


def back(town: Town) -> str:
    """The page as somebody sees it who logged in after a long time."""
    return member(town.house, town.ann.address).get("/channels").text


def test_it_counts_the_days_of_data_access_and_warns_from_the_twenty_first(town: Town) -> None:
    connected(town)
    assert "<p class=\"soft\">Facebook's access to the Page's data ends in 90 days" in town.ann.get("/channels").text
    town.tick(69 * DAY_S)
    assert "<p class=\"advice\">Facebook's access to the Page's data ends in 21 days" in back(town)
    town.tick(22 * DAY_S)
    assert "Facebook's access to the Page's data ended" in back(town)


def test_it_warns_of_a_permission_that_nobody_used_for_long(town: Town) -> None:
    connected(town)
    assert "by Publish" not in town.ann.get("/channels").text
    town.tick(59 * DAY_S)
    assert "Publish something, or connect" not in back(town)
    town.tick(DAY_S)
    page = back(town)
    assert "60 days since this one was used or given. Publish something, or connect the Page again" in page


def test_it_says_that_the_page_of_the_settings_is_not_used(town: Town) -> None:
    connected(town)
    settings = town.place.settings | {"FACEBOOK_PAGE_ID": "4711", "FACEBOOK_PAGE_TOKEN": "EAAx"}
    house = House(read_settings(settings), town.clock)
    with served(create(house)) as address:
        assert "The settings name another Page (4711)." in member(house, address).get("/channels").text
    house.close()


def test_whether_the_public_sees_it_is_asked_after_the_first_post_and_noted(town: Town) -> None:
    connected(town)
    assert "in a private window" not in town.ann.get("/channels").text
    assert "No post of this Page is out whose address is known." in says(town, "yes")
    published(town)
    assert "in a private window" in town.ann.get("/channels").text
    assert "Say yes, no or not yet." in says(town, "maybe")
    for answer, said in (("not yet", "could not look yet"), ("no", "Development to Live"), ("yes", "The public sees")):
        assert said in says(town, answer)
    (row,) = column(town.house.store, "SELECT answer || ' ' || person FROM visibility")
    assert row == "yes ann@example.org"
    assert "in a private window" not in town.ann.get("/channels").text


def test_an_answer_counts_only_for_the_post_that_was_looked_at(town: Town) -> None:
    connected(town)
    published(town)
    (earlier,) = column(town.house.store, "SELECT url FROM posts")
    town.tick(60)
    published(town, "Hello there")
    assert "What went out last on the Page has changed since you opened the page" in says(town, "yes", of=earlier)
    assert column(town.house.store, "SELECT answer FROM visibility") == []
    assert "The public sees" in says(town, "yes")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("error=access_denied&error_reason=user_denied", "You cancelled on Facebook"),
        ("error=temporarily_unavailable", "Facebook led back without a permission"),
        ("error_code=1349048&error_message=Cannot+load", "Facebook led back without a permission"),
    ],
)
def test_nobody_is_said_to_have_cancelled_who_did_not(town: Town, query: str, said: str) -> None:
    (state,) = parse_qs(urlsplit(begun(town.ann)).query)["state"]
    assert said in town.ann.get(f"/connect/answer?{query}&state={state}").text


def test_another_page_is_asked_about_anew(town: Town) -> None:
    connected(town)
    published(town)
    says(town, "yes")
    connected(town, 1)
    assert "The public sees" not in town.ann.get("/channels").text
    published(town, "Hello there")
    assert "“Hello there” on Facebook" in town.ann.get("/channels").text


def test_a_page_is_disconnected_and_nothing_goes_out_until_somebody_says_so(town: Town) -> None:
    connected(town)
    assert "is forgotten, and the channel is paused" in town.ann.post("/channels/facebook/disconnect").text
    assert column(town.house.store, "SELECT sealed FROM connections") == []
    published(town)
    assert town.box.graph.public_posts() == []
    assert "No Page was connected here." in town.ann.post("/channels/facebook/disconnect").text
    connected(town)
    assert "Paused by ann@example.org" in town.ann.get("/channels").text


def test_an_approver_reads_how_the_page_is_connected_and_gets_no_button(town: Town) -> None:
    connected(town)
    guest = member(town.house, town.ann.address, "cleo@example.org", roles=frozenset({Role.APPROVER}))
    page = guest.get("/channels").text
    assert "Connected by ann@example.org" in page
    assert 'href="/connect"' not in page

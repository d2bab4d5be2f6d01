"""Asking to join a list on the page, as strangers and programs do it; and deciding about it, as coordinators do."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default

import pytest

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.builders import column
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

CLEO = "cleo@example.org"
HOSTILE = "<script>alert(1)</script>\"'>{{ 7*7 }}"


@pytest.fixture
def house(place: Place, box: Sandbox, still: StillClock) -> Iterator[House]:
    box.mail.open_to_everybody()
    place.settings |= {"LISTSERV_JOINING": "form", "LISTSERV_KIND": "listserv", "LISTSERV_OWNER": box.member}
    box.mail.lists[box.list_address].owners = {box.member}
    made = House(read_settings(place.settings), still)
    _ = made.desk
    yield made
    made.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def stranger(address: str) -> Guest:
    return Guest(address)


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def key(box: Sandbox, who: str = CLEO) -> str:
    """What the latest link opens with that somebody was mailed."""
    text = str(message_from_bytes(box.mail.mailbox(who)[-1], policy=default).get_content())
    found = re.search(r"/joining/(\S+)", text)
    assert found is not None
    return found[1]


def ask(stranger: Guest, **more: str) -> int:
    stranger.get("/join")
    return stranger.post("/join", **{"kind": "join", "address": CLEO, "name": "Cleo", **more}).status_code


def test_a_stranger_asks_confirms_by_the_button_and_is_put_on_the_list(
    stranger: Guest, ann: Guest, box: Sandbox, house: House
) -> None:
    assert (ask(stranger, words="I work on the topic."), "Look into your mail" in stranger.seen) == (200, True)
    assert stranger.get(f"/joining/{key(box)}").status_code == 200
    assert house.membership.request(1).state == "unconfirmed"  # a mail scanner that opens links confirms nothing
    assert "It is confirmed" in stranger.post(f"/joining/{key(box)}").text

    assert "I work on the topic." in ann.get("/members").text
    ann.post("/members/requests/1/accept")
    assert (CLEO in box.mail.lists[box.list_address].members, "is accepted" in ann.seen) == (True, True)
    assert "It is confirmed" in stranger.get(f"/joining/{key(box)}").text


def test_the_answer_is_the_same_for_who_is_on_the_list_and_who_is_not(stranger: Guest, house: House) -> None:
    house.membership.import_roster("listserv", f"address\n{CLEO}\n", source="a test")
    pages = []
    for address in (CLEO, "dora@example.org"):
        ask(stranger, address=address)
        pages.append(re.sub(r'value="[0-9a-f]{32}"', "", stranger.seen).replace(address, "X"))
    assert pages[0] == pages[1]


def test_a_program_that_fills_in_what_nobody_sees_is_thanked_and_ignored(stranger: Guest, house: House) -> None:
    assert ask(stranger, website="https://spam.example") == 200
    assert house.membership.requests() == []


def test_many_requests_for_one_address_are_one_mail_and_then_refused(stranger: Guest, box: Sandbox) -> None:
    answers = [ask(stranger) for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert len(box.mail.mailbox(CLEO)) == 1
    assert "many requests" in stranger.seen


def test_an_address_that_is_none_is_refused_beside_its_field(stranger: Guest) -> None:
    assert ask(stranger, address="nobody") == 422
    assert 'aria-invalid="true"' in stranger.seen


@pytest.mark.parametrize("local", ["", "-request", "+owner"])
def test_nobody_can_have_the_link_mailed_to_a_whole_list(
    stranger: Guest, house: House, box: Sandbox, local: str
) -> None:
    address = box.list_address.replace("@", f"{local}@").upper()
    assert ask(stranger, address=address) == 422
    assert "the address of a list, not of a person" in stranger.seen
    assert (house.membership.requests(), box.mail.distributed(), box.mail.mailboxes()) == ([], [], {})
    assert ask(stranger, address=box.list_address.replace("@", "rid@")) == 200


def test_a_mail_that_cannot_be_sent_is_said_and_the_request_stays_to_be_seen(
    stranger: Guest, ann: Guest, box: Sandbox
) -> None:
    box.mail.fail("RCPT", "550")
    assert (ask(stranger), "could not be sent" in stranger.seen) == (422, True)
    assert "The mail with the link could not be sent" in ann.get("/members").text
    ann.post("/members/requests/1/send")
    assert key(box)


@pytest.mark.parametrize("joining", ["off", "mail"])
def test_there_is_no_form_where_nobody_wants_one(place: Place, joining: str) -> None:
    house = place.house(LISTSERV_JOINING=joining)
    with served(create(house)) as address:
        assert Guest(address).get("/join").status_code == 404
    house.close()


def test_what_a_stranger_writes_is_shown_as_text(stranger: Guest, ann: Guest) -> None:
    ask(stranger, name=HOSTILE, words=HOSTILE)
    page = ann.get("/members").text
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize(
    ("roles", "status"),
    [({Role.REVIEWER}, 403), ({Role.APPROVER}, 403), ({Role.COORDINATOR}, 200), ({Role.ADMIN}, 200)],
)
def test_only_who_decides_on_members_sees_them(house: House, address: str, roles: set[Role], status: int) -> None:
    guest = member(house, address, "someone@example.org", roles=frozenset(roles))
    assert [guest.get(path).status_code for path in ("/members", "/members/listserv/export.csv")] == [status] * 2


def test_a_roster_is_imported_by_file_and_by_paste_looked_through_and_erased(ann: Guest, house: House) -> None:
    ann.get("/members")
    ann.post("/members/listserv/import", files={"file": ("all.csv", "address,name\nann@example.org,Ann\n")})
    assert "1 members of listserv are known now." in ann.seen
    ann.post("/members/listserv/import", pasted="* LISTSERV\ncleo@example.org Cleo\ndora@example.org Dora\n")
    assert "cleo@example.org" in ann.get("/members?list=listserv&search=cleo").text
    assert "dora@example.org" not in ann.seen
    assert ann.get("/members/listserv/export.csv").text.startswith(
        "address,name,status\ncleo@example.org,Cleo,member\n"
    )
    assert ann.post("/members/erase", erased="cleo@example.org").status_code == 200
    assert ann.post("/members/erase", erased="cleo@example.org").status_code == 422
    assert ann.post("/members/listserv/import", pasted=" ").status_code == 422
    ann.post("/members/listserv/forget")
    assert house.membership.roster("listserv").known is None


def test_a_coordinator_asks_for_somebody_and_decides_once(ann: Guest, box: Sandbox, house: House) -> None:
    ann.get("/members")
    ann.post("/members/requests", channel="listserv", address=CLEO, name="Cleo", kind="join")
    assert f"{CLEO} was asked by mail" in ann.seen
    assert ann.post("/members/requests/1/accept").status_code == 409
    house.membership.confirm(key(box))
    ann.post("/members/requests/1/decline", why="Not now.")
    assert ann.post("/members/requests/1/decline").status_code == 409
    assert ann.post("/members/requests/9/accept").status_code == 409
    assert column(house.store, "SELECT note FROM requests") == ["Declined: Not now."]

"""`outreach people`: the same at the command line, for whoever has the machine in hand."""

import re
from pathlib import Path

import pytest

from outreach.sandbox import Sandbox
from tests.access.conftest import PASSWORD
from tests.doors.place import Place

BEN = "ben@example.org"


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path) -> Place:
    return Place(tmp_path, None, database=migrated_file, OUTREACH_BASE_URL="https://outreach.example.org")


def live(place: Place, link: str, email: str = "") -> None:
    """Take a link up, as its page does."""
    house = place.house()
    house.access.join(link.rpartition("/")[2], email=email, password=PASSWORD)
    house.close()


def test_the_first_admin_gets_a_link_while_there_is_none(place: Place) -> None:
    links = [place.json("people", "first-admin-link")["link"] for _ in range(2)]
    live(place, links[1], "ann@example.org")
    refused = place.cli("people", "first-admin-link", "--json")

    assert all(re.fullmatch(r"https://outreach\.example\.org/links/[\w-]{32}", link) for link in links)
    assert (refused.code, refused.error["message"]) == (1, "There is an admin already.")
    assert place.json("people", "list")["people"][0]["roles"] == ["admin", "coordinator"]


def test_somebody_is_invited_joins_and_is_listed(place: Place) -> None:
    made = place.json("people", "invite", BEN, "--role", "approver", "--role", "reviewer", "--as", "ann@example.org")
    invited = place.json("people", "list")["invitations"]
    live(place, made["link"])
    listed = place.json("people", "list")

    assert (made["email"], made["mailed"], invited[0]["roles"]) == (BEN, False, ["approver", "reviewer"])
    assert (listed["people"][0]["email"], listed["invitations"]) == (BEN, [])
    assert "approver, reviewer" in place.cli("people", "list").out


def test_roles_accounts_and_passwords_are_changed(place: Place) -> None:
    live(place, place.json("people", "first-admin-link")["link"], "ann@example.org")
    live(place, place.json("people", "invite", BEN, "--role", "reviewer")["link"])

    roles = place.json("people", "roles", BEN, "--role", "admin")["roles"]
    closed = place.json("people", "close", BEN)["closed_at"]
    refused = place.cli("people", "reset-link", BEN, "--json")
    reopened = place.json("people", "reopen", BEN)["closed_at"]
    link = place.json("people", "reset-link", BEN)["link"]
    last = [place.cli("people", "roles", email).code for email in (BEN, "ann@example.org")]

    assert (roles, bool(closed), refused.code, reopened) == (["admin"], True, 1, None)
    assert "/links/" in link
    assert last == [0, 1]


def test_a_second_factor_that_was_lost_is_ended(place: Place) -> None:
    live(place, place.json("people", "first-admin-link")["link"], "ann@example.org")
    assert place.json("people", "end-second-factor", "ann@example.org")["second_factor_set_at"] is None


def test_an_invitation_is_mailed_where_that_is_asked_for(tmp_path: Path, migrated_file: Path) -> None:
    with Sandbox() as box:
        place = Place(tmp_path, box, database=migrated_file)
        box.mail.add_mailbox(BEN)
        made = place.json("people", "invite", BEN, "--role", "reviewer", "--mail", "--as", "ann@example.org")
        assert made["mailed"]
        assert made["link"] in box.mail.mailbox(BEN)[0].decode()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("invite", BEN), "An invitation needs a role."),
        (("invite", BEN, "--role", "owner"), "There is no role 'owner'."),
        (("invite", "x", "--role", "admin"), "This is no e-mail address."),
        (("invite", BEN, "--role", "admin", "--mail"), "No mail server is set up."),
        (("withdraw", BEN), "There is no such invitation any more."),
        (("close", BEN), f"There is no {BEN} here."),
        (("roles", BEN, "--role", "admin"), f"There is no {BEN} here."),
        (("reset-link", BEN), f"There is no {BEN} here."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(place: Place, words: tuple[str, ...], message: str) -> None:
    refused = place.cli("people", *words, "--json")
    assert (refused.code, refused.error["message"]) == (1, message)


def test_nobody_here_yet_is_said_with_the_next_step(place: Place) -> None:
    assert "outreach people first-admin-link" in place.cli("people", "list").out

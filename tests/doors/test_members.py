"""Who is on a list, and who asks to be: through the commands, a real mailbox and a list server that answers commands."""

import re
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from outreach.desk.requesting import Wanted
from outreach.joining import RequestKind
from outreach.sandbox import Sandbox
from tests.builders import SettableClock
from tests.doors.place import Place
from tests.doors.test_what_became_of_a_mail import MAILBOX, Town
from tests.mail.imap_server import ImapServer

ANN, BEN = "ann@example.org", "ben@example.org"
ASKS = (
    f"From: Ann Example <{ANN}>\r\nTo: coordinator@example.org\r\nSubject: The list\r\nMessage-ID: <1@example.org>\r\n"
    "\r\nDear coordinators,\r\n\r\nplease add me to the mailing list.\r\n\r\nAnn\r\n"
).encode()


@pytest.fixture
def town(place: Place, box: Sandbox, mailbox: ImapServer) -> Town:
    """A town whose list is LISTSERV's and ours, and in which people may ask by mail and by a form."""
    place.settings |= MAILBOX | {"IMAP_PORT": str(mailbox.port), "LISTSERV_JOINING": "both"}
    place.settings |= {"LISTSERV_KIND": "listserv", "LISTSERV_OWNER": box.member}
    box.mail.open_to_everybody()
    box.mail.lists[box.list_address].owners = {box.member}
    return Town(place, box, mailbox)


def links(town: Town, address: str) -> list[str]:
    """The keys of the consent links that an address was mailed, in their order."""
    texts = [str(message_from_bytes(raw, policy=default).get_content()) for raw in town.box.mail.mailbox(address)]
    return [key for text in texts for key in re.findall(r"/joining/(\S+)", text)]


def subjects(town: Town, address: str) -> list[str]:
    return [str(message_from_bytes(raw, policy=default)["Subject"]) for raw in town.box.mail.mailbox(address)]


def confirm(town: Town, address: str) -> None:
    """Open the latest link that an address was mailed."""
    house = town.place.house()
    house.membership.confirm(links(town, address)[-1])
    house.close()


def requests(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.place.json("requests")["requests"]
    return found


def events(town: Town) -> list[tuple[str, str]]:
    """The history, as far as it is about members: what happened, and what is said of it."""
    house = town.place.house()
    with house.store.read() as tx:
        rows = tx.exec_driver_sql(
            "SELECT kind, note FROM events WHERE note LIKE '%request%' OR kind LIKE '%member%' ORDER BY id"
        ).all()
    house.close()
    return [(row[0], row[1]) for row in rows]


def test_who_asks_by_mail_confirms_is_accepted_and_is_on_the_list(town: Town) -> None:
    town.mailbox.put(ASKS)
    town.look()
    [request] = requests(town)
    assert (request["kind"], request["state"], request["address"], request["name"]) == (
        "join",
        "unconfirmed",
        ANN,
        "Ann Example",
    )
    assert "please add me" in request["words"]
    assert ANN not in town.list.members

    confirm(town, ANN)
    assert requests(town)[0]["state"] == "waiting"
    accepted = town.place.json("requests", "accept", "1", "--as", "coordinator@example.org")
    assert (accepted["state"], accepted["way"]) == ("accepted", "command")
    assert "QUIET ADD" in accepted["note"]
    assert ANN in town.list.members

    town.deliver()
    town.look()
    assert requests(town) == []
    assert subjects(town, ANN) == [
        f"Please confirm: join {town.box.list_address}",
        f"You are on {town.box.list_address} now",
    ]
    assert events(town) == [
        ("ask to join", "request 1: by mail"),
        ("note request", "request 1"),
        ("confirm request", "request 1"),
        ("accept request", "request 1"),
        ("note request", "request 1"),
        ("request done", "request 1"),
    ]


def test_the_same_mail_read_again_asks_nobody_again(town: Town) -> None:
    town.place.settings["IMAP_FOLDER"] = "INBOX,Junk"
    town.mailbox.put(ASKS)
    town.mailbox.put(ASKS, "Junk")
    town.look()
    town.place.json("requests", "decline", "1")
    town.mailbox.put(ASKS)
    town.look()
    assert len(links(town, ANN)) == 1


def test_nobody_is_asked_by_mail_where_that_is_off(town: Town) -> None:
    town.place.settings["LISTSERV_JOINING"] = "form"
    town.mailbox.put(ASKS)
    town.look()
    assert (requests(town), links(town, ANN)) == ([], [])


def test_nobody_is_accepted_who_has_not_confirmed(town: Town) -> None:
    town.place.json("requests", "ask", "listserv", ANN)
    answer = town.place.cli("requests", "accept", "1", "--json")
    assert (answer.code, answer.error["message"]) == (1, "Request 1 is unconfirmed already.")
    assert ANN not in town.list.members


def test_an_old_link_and_a_false_one_open_nothing(town: Town) -> None:
    town.place.json("requests", "ask", "listserv", ANN)
    town.place.json("requests", "send", "1")
    first, second = links(town, ANN)
    house = town.place.house()
    for key in (first, "no-link"):
        with pytest.raises(Exception, match="opens nothing"):
            house.membership.confirm(key)
    assert house.membership.confirm(second).state == "waiting"
    assert house.membership.confirm(second).state == "waiting"
    house.close()


def test_who_leaves_is_taken_off_the_list_and_the_roster(town: Town) -> None:
    town.list.members.add(ANN)
    (town.place.folder / "members.csv").write_text(f"address,name\n{ANN},Ann\n{BEN},Ben\n")
    town.place.json("members", "import", "listserv", str(town.place.folder / "members.csv"))
    town.place.json("requests", "ask", "listserv", ANN, "--leave")
    confirm(town, ANN)
    town.place.json("requests", "accept", "1")
    town.deliver()
    town.look()
    assert ANN not in town.list.members
    assert [m["address"] for m in town.place.json("members", "list", "listserv")["members"]] == [BEN]
    assert subjects(town, ANN)[-1] == f"You have left {town.box.list_address}"


def test_what_the_list_server_refuses_is_shown_and_nobody_is_told_otherwise(town: Town) -> None:
    town.list.owners = set()
    town.place.json("requests", "ask", "listserv", ANN)
    confirm(town, ANN)
    town.place.json("requests", "accept", "1")
    town.deliver()
    town.look()
    [request] = requests(town)
    assert (request["state"], "You are not authorized" in request["note"]) == ("accepted", True)
    assert len(subjects(town, ANN)) == 1


def test_a_command_that_cannot_be_mailed_waits_again(town: Town) -> None:
    town.place.json("requests", "ask", "listserv", ANN)
    confirm(town, ANN)
    town.box.mail.fail("RCPT", "550")
    back = town.place.json("requests", "accept", "1")
    assert (back["state"], back["note"][:24]) == ("waiting", "It could not be done: Th")
    assert town.place.json("requests", "accept", "1")["state"] == "accepted"


def test_where_nobody_may_command_the_owner_is_asked_by_a_prepared_mail(town: Town) -> None:
    town.place.settings |= {"LISTSERV_KIND": "mailman", "LISTSERV_OWNER": "boss@example.org"}
    town.place.json("requests", "ask", "listserv", ANN, "--name", "Ann Example")
    confirm(town, ANN)
    accepted = town.place.json("requests", "accept", "1")
    assert (accepted["way"], accepted["prepared"]["to"]) == ("owner", "boss@example.org")
    assert town.box.mail.mailbox("boss@example.org") == []

    sent = town.place.json("requests", "send", "1")
    assert sent["note"] == "boss@example.org was asked by mail."
    [raw] = town.box.mail.mailbox("boss@example.org")
    mail = message_from_bytes(raw, policy=default)
    assert f"Ann Example <{ANN}>" in str(mail.get_content())
    town.place.json("requests", "done", "1")
    assert subjects(town, ANN)[-1] == f"You are on {town.box.list_address} now"


def test_mlmmj_leaves_the_last_step_to_the_person(town: Town) -> None:
    town.place.settings["LISTSERV_KIND"] = "mlmmj"
    town.place.json("requests", "ask", "listserv", ANN)
    confirm(town, ANN)
    told = town.place.json("requests", "accept", "1")
    assert (told["state"], told["way"]) == ("done", "person")
    last = str(message_from_bytes(town.box.mail.mailbox(ANN)[-1], policy=default).get_content())
    assert town.box.list_address.replace("@", "+subscribe@") in last


def test_who_is_declined_is_told_the_reason_only_if_they_confirmed(town: Town) -> None:
    for address in (ANN, BEN):
        town.place.json("requests", "ask", "listserv", address)
    confirm(town, ANN)
    for number in ("1", "2"):
        town.place.json("requests", "decline", number, "--why", "The list is for members of the society.")
    last = str(message_from_bytes(town.box.mail.mailbox(ANN)[-1], policy=default).get_content())
    assert "The reason: The list is for members of the society." in last
    assert len(subjects(town, BEN)) == 1


def test_a_roster_is_imported_looked_through_exported_and_erased(town: Town) -> None:
    file = town.place.folder / "members.csv"
    file.write_text("address,name,status\n" + "".join(f"m{n:03}@example.org,Member {n},\n" for n in range(150)))
    assert town.place.json("members", "import", "listserv", str(file)) == {"members": 150, "notes": []}
    first = town.place.json("members", "list", "listserv")
    assert (first["count"], len(first["members"]), first["has_more"], first["source"]) == (
        150,
        100,
        True,
        "from members.csv",
    )
    rest = town.place.json("members", "list", "listserv", "--after", first["members"][-1]["address"])
    assert (len(rest["members"]), rest["has_more"]) == (50, False)
    assert [m["name"] for m in town.place.json("members", "list", "listserv", "--search", "M042@")["members"]] == [
        "Member 42"
    ]
    assert town.place.json("members", "list", "listserv", "--search", "%")["members"] == []

    town.place.json("members", "export", "listserv", str(town.place.folder / "out.csv"))
    assert (town.place.folder / "out.csv").read_text().count("\n") == 151
    assert town.place.json("members", "erase", "M042@example.org") == {"erased": 1}
    assert town.place.json("members", "list", "listserv")["count"] == 149
    town.place.json("members", "forget", "listserv")
    assert town.place.json("members", "list", "listserv")["count"] is None


def test_erasing_leaves_nothing_of_an_address_in_the_database_but_numbers(town: Town) -> None:
    town.mailbox.put(ASKS)
    town.look()
    confirm(town, ANN)
    town.place.json("requests", "accept", "1")
    town.deliver()
    town.look()
    assert town.place.json("members", "erase", ANN) == {"erased": 1}
    house = town.place.house()
    with house.store.read() as tx:
        tables = [row[0] for row in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [str(tuple(row)) for table in tables for row in tx.exec_driver_sql(f'SELECT * FROM "{table}"')]
    house.close()
    assert [row for row in rows if "ann@" in row.lower() or "Ann" in row] == []
    assert events(town)[-1] == ("erase request", "request 1")


def test_what_nobody_confirmed_in_time_lapses_and_is_forgotten(town: Town, clock: SettableClock) -> None:
    house = town.place.house()
    house.__dict__["clock"] = clock
    house.membership.ask(Wanted(RequestKind.JOIN, "listserv", ANN))
    clock.tick(71 * 3600)
    assert house.membership.tidy() == 0
    clock.tick(2 * 3600)
    assert house.membership.tidy() == 1
    [gone] = house.membership.settled()
    assert (gone.state, gone.address) == ("lapsed", "")
    house.close()


def test_a_sender_who_is_not_on_the_roster_is_told_of_before_anything_is_queued(town: Town) -> None:
    file = town.place.folder / "members.csv"
    file.write_text(f"address\n{ANN}\n")
    town.place.json("members", "import", "listserv", str(file))
    added = town.place.json("add", town.place.letter(to="listserv", at="2035-01-15 09:00"))
    [note] = [note for note in added["notes"] if "not among" in note]
    assert note.startswith("listserv: The address that the mail comes from is not among the list's members")
    checked = town.place.json("preflight", "1")
    assert "not among the list's members" in str(checked)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("members", "list", "facebook"), "There is no list called 'facebook'."),
        (("members", "import", "listserv"), "A file, or --from-server, is needed."),
        (("members", "import", "listserv", "--from-server"), "The server of listserv cannot be asked for its members."),
        (("members", "import", "listserv", "nothing.csv"), "The file cannot be read: no such file or directory."),
        (("members", "erase", "nobody@example.org"), "Nothing is kept of this address."),
        (("requests", "ask", "listserv", "nobody"), "This is no e-mail address that a list can take."),
        (("requests", "ask", "nowhere", ANN), "There is no list called 'nowhere'."),
        (("requests", "accept", "7"), "There is no request 7."),
        (("requests", "done", "7"), "There is no request 7."),
        (("requests", "decline", "9223372036854775808"), "There is no request 9223372036854775808."),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(town: Town, words: tuple[str, ...], message: str) -> None:
    answer = town.place.cli(*words, "--json")
    assert (answer.code, answer.error["message"]) == (1, message)
    assert answer.error["next"]

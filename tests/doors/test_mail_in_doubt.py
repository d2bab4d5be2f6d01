"""A mail in doubt, through the real doors: the list's copy confirms it; else a person decides, on one screen that says all."""

import json

import pytest

from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.sandbox import Sandbox
from tests.doors.place import Place
from tests.doors.workers import once
from tests.mail.imap_server import PASSWORD, USER, ImapServer
from tests.web.visitors import member

ASKED_TWICE = "expect everybody on the list to get it a second time."


@pytest.fixture
def watched(place: Place, mailbox: ImapServer) -> Place:
    """An install that reads the member's mailbox."""
    place.settings |= {
        "IMAP_HOST": "127.0.0.1",
        "IMAP_PORT": str(mailbox.port),
        "IMAP_SECURITY": "none",
        "IMAP_USERNAME": USER,
        "IMAP_PASSWORD": PASSWORD,
        "OUTREACH_LOOK_AFTER_S": "0,1",
    }
    return place


def in_doubt(place: Place, box: Sandbox, *, keep: bool = True) -> str:
    """Lose the answer to a mail's final dot; give its Message-ID."""
    box.mail.fail("DOT", "close", keep=keep)
    [post] = place.json("add", place.letter(), "--to", "listserv")["posts"]
    assert once(place) == 1
    assert place.states() == {"1/listserv": "unconfirmed"}
    return str(post["message_id"])


def shown(place: Place) -> str:
    """Everything that `show` says, its lines and the lines of its table made one."""
    return " ".join(place.cli("show", "1").out.split())


def test_a_mail_in_doubt_is_confirmed_by_the_lists_copy(
    watched: Place, box: Sandbox, mailbox: ImapServer, database_url: str
) -> None:
    watched.settings["OUTREACH_DATABASE_URL"] = database_url
    message_id = in_doubt(watched, box)
    [copy] = box.mail.mailbox(box.member)
    mailbox.put(copy)
    assert once(watched) == 0
    [post] = watched.json("history")
    assert (post["state"], post["message_id"], post["remote_id"]) == ("published", message_id, message_id)
    assert (len(box.mail.distributed()), len(box.mail.journal)) == (1, 1)
    assert [e["kind"] for e in watched.json("show", "1")["posts"][0]["history"]] == [
        "queue",
        "attempt",
        "doubt",
        "sighting",
        "confirm",
    ]
    assert once(watched) == 0


def test_a_copy_that_comes_late_confirms_at_a_later_look(watched: Place, box: Sandbox, mailbox: ImapServer) -> None:
    watched.settings["OUTREACH_LOOK_AFTER_S"] = "0,1"
    in_doubt(watched, box)
    assert once(watched) == 0
    assert watched.states() == {"1/listserv": "unconfirmed"}
    mailbox.put(box.mail.mailbox(box.member)[0])
    house = watched.house()
    [post] = house.desk.queue()
    assert post.look_at is not None
    worker = Worker(house)
    worker.start()
    while house.desk.queue():
        assert not worker.wait(0.05)
    worker.stop()
    house.close()
    assert watched.states() == {"1/listserv": "published"}


def test_a_mail_that_the_list_sent_twice_is_told(watched: Place, box: Sandbox, mailbox: ImapServer) -> None:
    in_doubt(watched, box)
    for hop in (b"Received: by a\r\n", b"Received: by b\r\n"):
        mailbox.put(hop + box.mail.mailbox(box.member)[0])
    once(watched)
    post = watched.posts()["1/listserv"]
    assert post.state == "published"
    assert str(post.reason).startswith("published ")  # a published post has a reason only when something is odd


@pytest.mark.parametrize("what", ["nothing", "the sent mail", "a forged mail"])
def test_what_is_no_copy_of_the_list_leaves_it_to_a_person(
    watched: Place, box: Sandbox, mailbox: ImapServer, what: str
) -> None:
    message_id = in_doubt(watched, box)
    [own] = box.mail.distributed()
    forged = f"From: tmm-sig@lists.example.org\r\nMessage-ID: {message_id}\r\nSubject: [TMM SIG] x\r\n\r\n".encode()
    for raw in {"nothing": [], "the sent mail": [own.raw], "a forged mail": [forged]}[what]:
        mailbox.put(raw)
    watched.settings["OUTREACH_LOOK_AFTER_S"] = "0"
    for _ in range(3):
        assert once(watched) == 0
    assert watched.states() == {"1/listserv": "unconfirmed"}
    assert len(box.mail.journal) == 1
    assert "Nobody looks any more: decide." in shown(watched)


def test_a_mailbox_that_cannot_be_read_sends_nothing_again(watched: Place, box: Sandbox) -> None:
    watched.settings |= {"IMAP_PASSWORD": "wrong", "OUTREACH_LOOK_AFTER_S": "0"}
    in_doubt(watched, box, keep=False)
    for _ in range(3):
        assert once(watched) == 0
    assert watched.states() == {"1/listserv": "unconfirmed"}
    assert "the mailbox could not be read: the log-in was refused" in shown(watched)


# One screen


def test_one_screen_holds_what_is_known_and_what_can_be_done(watched: Place, box: Sandbox) -> None:
    watched.settings |= {"OUTREACH_LOOK_AFTER_S": "0,3600", "LISTSERV_KIND": "mailman"}
    message_id = in_doubt(watched, box)
    once(watched)
    screen = shown(watched)
    for known in (
        "attempt 1: unconfirmed",
        "The mail server took the whole message, then it broke off; the mail may be out.",
        "looked: could not tell",
        "1/listserv may be out. It is looked for again on ",
        f"Search for: {message_id}",
        "It is there: outreach confirm 1/listserv --url ADDRESS",
        "It is not there: outreach requeue 1/listserv",
        "If sent again: Mailman notices no repeat: if the first mail went out, everybody on the list gets it a second time.",
    ):
        assert known in screen
    [post] = watched.json("show", "1")["posts"]
    assert post["if_sent_again"].startswith("Mailman notices no repeat")
    [looked] = [e for e in post["history"] if e["kind"] == "sighting"]
    assert "no copy from the list is in INBOX of coordinator@example.org" in looked["evidence"]["why"]


def test_the_page_says_the_same(watched: Place, box: Sandbox) -> None:
    watched.settings["OUTREACH_LOOK_AFTER_S"] = "0,3600"
    message_id = in_doubt(watched, box)
    once(watched)
    house = watched.house()
    with served(create(house)) as address:
        page = member(house, address).get("/announcements/1").text
    house.close()
    for known in (
        "Attempt 1: no clear answer came; it may be out",
        "Looked, and could not tell",
        "Subject: Colloquium on Tuesday",
        "It is looked for again on",
        f"Search for its Message-ID <code>&lt;{message_id[1:-1]}&gt;</code>",
        'action="/announcements/1/confirm"',
        'action="/announcements/1/requeue"',
        ASKED_TWICE,
    ):
        assert known in page


def test_a_repeat_is_warned_of_before_it_is_asked_for(place: Place, box: Sandbox) -> None:
    in_doubt(place, box)
    assert ASKED_TWICE in " ".join(place.cli("requeue", "1").out.split())


def test_a_page_post_in_doubt_says_what_a_repeat_does_too(place: Place, box: Sandbox) -> None:
    box.graph.fail("feed", "500-2")
    place.json("add", place.letter(), "--to", "facebook")
    once(place)
    [post] = place.json("show", "1")["posts"]
    assert post["if_sent_again"] == (
        "A second public post would appear, unless Facebook recognises the text as a repeat."
    )
    assert post["if_sent_again"] in shown(place)


def test_what_is_not_in_doubt_says_nothing_of_repeats(place: Place) -> None:
    place.json("add", place.letter())
    once(place)
    for post in place.json("show", "1")["posts"]:
        assert "if_sent_again" not in post
    assert "If sent again" not in shown(place)
    house = place.house()
    assert {house.desk.if_sent_again(post) for post in house.desk.find("1")} == {None}
    house.close()


def test_a_channel_that_is_gone_knows_nothing_of_repeats(place: Place, box: Sandbox) -> None:
    in_doubt(place, box)
    for name in ("LISTSERV_ADDRESS", "LISTSERV_SENDER"):
        del place.settings[name]
    [post] = place.json("show", "1")["posts"]
    assert post["if_sent_again"] is None


# Settings


def test_how_mails_are_looked_for_ends_no_pause(watched: Place, box: Sandbox) -> None:
    """A dead token, or a refused submission, is not cured by another mailbox."""
    watched.settings["FACEBOOK_PAGE_TOKEN"] = "EAAdead"
    box.mail.fail("AUTH", "535")
    watched.settings |= {"SMTP_USERNAME": USER, "SMTP_PASSWORD": "wrong"}
    watched.json("add", watched.letter())
    once(watched)
    paused = {"facebook": "paused", "listserv": "paused"}
    assert {c["name"]: c["state"] for c in watched.json("channels")} == paused
    watched.settings |= {"IMAP_PASSWORD": "another", "IMAP_FOLDER": "INBOX,Junk", "LISTSERV_KIND": "sympa"}
    assert {c["name"]: c["state"] for c in watched.json("channels")} == paused
    watched.settings["SMTP_PASSWORD"] = "right"
    assert {c["name"]: c["state"] for c in watched.json("channels")}["listserv"] == "ready"


def test_the_doctor_tells_a_mailbox_that_cannot_be_read(watched: Place) -> None:
    watched.json("init")
    watched.settings["IMAP_PASSWORD"] = "wrong"
    answer = watched.cli("channels", "check", "listserv", "--json")
    assert answer.code == 1
    [problem] = answer.json[0]["problems"]
    assert problem.startswith(
        "The mailbox coordinator@example.org at 127.0.0.1 could not be read: the log-in was refused."
    )
    assert "could not be read: the log-in was refused" in json.dumps(watched.cli("doctor", "--json").json)

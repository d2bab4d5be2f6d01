"""A mail in doubt is looked for in a mailbox: the list's copy proves it, and nothing that is missing proves anything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outreach.channels import SaysWhatARepeatDoes, kinds
from outreach.channels.listserv import Listserv
from outreach.model import Attempt, Candidate, CannotTell, Found
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.mail.imap_server import PASSWORD, USER, ImapServer, a_server_that_says, an_account

from .builders import a_list, a_page, a_wording, an_attempt, surroundings, the_list
from .servers import a_closed_port

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
MARKS = b"List-Id: TMM SIG <tmm-sig.lists.example.org>\r\nList-Post: <mailto:tmm-sig@lists.example.org>\r\n"


@pytest.fixture
def attempt() -> Attempt:
    return an_attempt(a_list(1).render(a_wording()))


def sent(attempt: Attempt) -> bytes:
    return (attempt.content.message or "").encode("ascii")


def distributed(attempt: Attempt, received: str = "1", more: bytes = b"") -> bytes:
    return b"Received: " + received.encode() + b"\r\n" + MARKS + more + sent(attempt)


def looking(mailbox: ImapServer, *folders: str) -> Listserv:
    return a_list(1, mailbox=mailbox.account(folders=folders or ("INBOX",)))


def test_the_lists_copy_proves_that_the_mail_went_out(mailbox: ImapServer, attempt: Attempt) -> None:
    mailbox.put(distributed(attempt), "Junk", at=NOON)
    finding = looking(mailbox, "INBOX", "Junk").find(attempt)
    assert isinstance(finding, Found)
    assert finding.candidates == (Candidate(attempt.content.message_id or "", None, NOON),)
    evidence = dict(finding.evidence)
    assert evidence.pop("uid")
    assert evidence.pop("uid_validity")
    marks = ["List-Id", "List-Post"]
    assert evidence == {"mailbox": USER, "folder": "Junk", "marks of the list": marks, "copies": 1}


def test_the_address_in_the_lists_archive_is_kept(mailbox: ImapServer, attempt: Attempt) -> None:
    mailbox.put(distributed(attempt, more=b"Archived-At: <https://lists.example.org/archives/7>\r\n"))
    finding = looking(mailbox).find(attempt)
    assert isinstance(finding, Found)
    assert finding.candidates[0].url == "https://lists.example.org/archives/7"


def test_a_mail_that_came_twice_is_found_twice(mailbox: ImapServer, attempt: Attempt) -> None:
    mailbox.put(distributed(attempt, "2"), at=NOON + timedelta(minutes=5))
    mailbox.put(distributed(attempt, "1"), "Junk", at=NOON)
    finding = looking(mailbox, "INBOX", "Junk").find(attempt)
    assert isinstance(finding, Found)
    assert [c.created_at for c in finding.candidates] == [NOON, NOON + timedelta(minutes=5)]
    assert finding.evidence["copies"] == 2


def told(mailbox: ImapServer, attempt: Attempt, *folders: str) -> str:
    finding = looking(mailbox, *folders).find(attempt)
    assert isinstance(finding, CannotTell)
    assert str(attempt.content.message_id) in finding.reason
    return finding.reason


def test_an_empty_mailbox_proves_nothing_and_says_what_to_do(mailbox: ImapServer, attempt: Attempt) -> None:
    assert told(mailbox, attempt) == (
        "no copy from the list is in INBOX of coordinator@example.org, which proves nothing: many mailboxes never show a"
        " list's copy of one's own mail. Look in the list's archive, or ask another member, for"
        f" {attempt.content.message_id}"
    )


def test_the_copy_in_the_sent_folder_proves_nothing(mailbox: ImapServer, attempt: Attempt) -> None:
    mailbox.put(sent(attempt), "Sent")
    assert "only the sent mail itself is in INBOX or Sent of" in told(mailbox, attempt, "INBOX", "Sent")


def test_a_forged_mail_with_our_id_proves_nothing(mailbox: ImapServer, attempt: Attempt) -> None:
    forged = b"From: tmm-sig@lists.example.org\r\nSubject: [TMM SIG] Poster session\r\nReply-To: tmm-sig@lists.example.org\r\n"
    mailbox.put(forged + f"Message-ID: {attempt.content.message_id}\r\n\r\n".encode() + sent(attempt))
    assert "only the sent mail itself" in told(mailbox, attempt)


def test_a_reply_on_the_list_is_not_our_mail(mailbox: ImapServer, attempt: Attempt) -> None:
    head = f"Message-ID: <reply@example.org>\r\nIn-Reply-To: {attempt.content.message_id}\r\n".encode()
    mailbox.put(MARKS + head + b"Subject: Re: Poster session\r\n\r\n" + sent(attempt))
    assert "no copy from the list" in told(mailbox, attempt)


def test_folders_that_are_missing_are_told(mailbox: ImapServer, attempt: Attempt) -> None:
    assert "list's copy of one's own mail; there is no folder Spam. Look" in told(mailbox, attempt, "INBOX", "Spam")
    assert told(mailbox, attempt, "Spam", "Bulk").startswith(
        "there is no folder Spam or Bulk. Look in the list's archive"
    )


def test_a_mailbox_that_cannot_be_read_is_told(attempt: Attempt) -> None:
    finding = a_list(1, mailbox=an_account(a_closed_port())).find(attempt)
    assert isinstance(finding, CannotTell)
    assert finding.reason.startswith(
        "the mailbox could not be read: the connection was refused. Look in the list's archive"
    )


def test_without_a_mailbox_a_list_cannot_be_asked(attempt: Attempt) -> None:
    finding = a_list(1).find(attempt)
    assert finding == CannotTell(f"a list cannot be asked; look whether {attempt.content.message_id} arrived")


def test_a_mailbox_is_not_asked_for_a_mail_without_an_id(mailbox: ImapServer, attempt: Attempt) -> None:
    from outreach.model import Content

    assert isinstance(looking(mailbox).find(an_attempt(Content("listserv", "x"))), CannotTell)


# The set-up


def test_a_mailbox_that_can_be_read_is_no_problem(box: Sandbox, mailbox: ImapServer) -> None:
    assert the_list(box, mailbox=mailbox.account()).check() == []


def test_the_check_names_what_is_wrong_with_the_mailbox(box: Sandbox, mailbox: ImapServer) -> None:
    [missing] = the_list(box, mailbox=mailbox.account(folders=("INBOX", "Spam"))).check()
    assert (missing.message, missing.next_step) == (
        "The mailbox coordinator@example.org has no folder 'Spam'.",
        "Check IMAP_FOLDER.",
    )
    [refused] = the_list(box, mailbox=mailbox.account(password="wrong")).check()
    assert (
        refused.message == "The mailbox coordinator@example.org at 127.0.0.1 could not be read: the log-in was refused."
    )
    assert refused.next_step == "Check IMAP_USERNAME and IMAP_PASSWORD."


def test_trouble_with_the_submission_and_with_the_mailbox_are_both_told() -> None:
    problems = a_list(a_closed_port(), mailbox=an_account(a_closed_port())).check()
    assert [problem.next_step for problem in problems] == [
        "Check the SMTP_* settings.",
        "Check IMAP_HOST, IMAP_PORT and IMAP_SECURITY.",
    ]


SETTINGS = {
    "LISTSERV_ADDRESS": "tmm-sig@lists.example.org",
    "LISTSERV_SENDER": USER,
    "SMTP_HOST": "127.0.0.1",
    "SMTP_SECURITY": "none",
    "IMAP_HOST": "127.0.0.1",
    "IMAP_SECURITY": "none",
    "IMAP_USERNAME": USER,
    "IMAP_PASSWORD": PASSWORD,
}


def set_up(**more: str) -> Listserv:
    made = Listserv.from_settings(read_settings(SETTINGS | more), surroundings(Path()))
    assert made is not None
    return made


def test_the_settings_lead_to_the_mailbox(mailbox: ImapServer, attempt: Attempt) -> None:
    mailbox.put(distributed(attempt), "Junk")
    made = set_up(IMAP_PORT=str(mailbox.port), IMAP_FOLDER="INBOX, Junk", OUTREACH_HTTP_TIMEOUT_S="5")
    assert isinstance(made.find(attempt), Found)


def test_the_time_of_the_settings_bounds_the_look(attempt: Attempt) -> None:
    with a_server_that_says(search=None) as server:
        finding = set_up(IMAP_PORT=str(server.port), OUTREACH_HTTP_TIMEOUT_S="0.1").find(attempt)
    assert isinstance(finding, CannotTell)
    assert "no answer came in time" in finding.reason


def test_nothing_that_a_list_shows_holds_the_mailboxs_password(attempt: Attempt) -> None:
    with a_server_that_says(login=f"TAG NO {PASSWORD}\r\n".encode()) as server:
        made = set_up(IMAP_PORT=str(server.port), OUTREACH_HTTP_TIMEOUT_S="1", SMTP_PORT=str(a_closed_port()))
        shown = (
            repr(made)
            + repr(made.find(attempt))
            + repr(made.check())
            + repr(dict(made.describe(attempt.content, at=NOON)))
        )
    assert PASSWORD not in shown


# Repeats


def test_what_a_repeat_does_is_told_by_the_kind_of_list_server() -> None:
    said = {
        kind: a_list(1, runs_on=kind).if_sent_again()
        for kind in ("auto", "listserv", "mailman", "sympa", "mlmmj", "other")
    }
    twice = {kind for kind, sentence in said.items() if "everybody on the list" in sentence}
    assert twice == {"auto", "mailman", "sympa", "mlmmj", "other"}
    assert "back to you alone" in said["listserv"]
    assert "24 hours" in said["sympa"]
    assert set_up(LISTSERV_KIND="sympa").if_sent_again() == said["sympa"]
    assert set_up().if_sent_again() == said["auto"]


def test_a_channel_says_where_a_person_can_look_for_a_post() -> None:
    place, address = set_up().where_to_look()
    assert place.startswith("in the archive of ")
    assert address is None
    assert a_page("http://127.0.0.1:1").where_to_look() == ("on the Page itself, among its latest posts", None)
    place, address = a_page("https://graph.facebook.com").where_to_look()
    assert str(address).startswith("https://www.facebook.com/")


def test_every_channel_that_publishes_says_what_a_repeat_does() -> None:
    assert {kind for kind, cls in kinds().items() if issubclass(cls, SaysWhatARepeatDoes)} == {
        "facebook_page",
        "listserv",
    }
    assert a_page("http://127.0.0.1:1").if_sent_again() == (
        "A second public post would appear, unless Facebook recognises the text as a repeat."
    )

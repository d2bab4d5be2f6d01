"""A stored mail read as a list server will: what would keep it from the members is told before it leaves."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from outreach.mail.lint import Wanted, check_message

WANTED = Wanted("coordinator@example.org", "tmm-sig@lists.example.org", 40 * 1024)
ID = "<1@example.org>"


def a_message(*, text: str = "Join us on Friday.", subtype: str = "plain", **fields: str) -> str:
    """A mail; `fields` replace its fields, or leave out those that are empty."""
    message = EmailMessage(policy=SMTP)
    given = {
        "From": "Coordinator <coordinator@example.org>",
        "To": "tmm-sig@lists.example.org",
        "Subject": "Poster session",
        "Message-ID": ID,
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text, subtype=subtype)
    return message.as_bytes().decode("ascii")


def wrong(message: str | None, message_id: str | None = ID) -> list[str]:
    found = check_message(message, message_id, wanted=WANTED)
    assert all(problem.next_step and not problem.is_warning for problem in found)
    return [problem.message for problem in found]


@pytest.mark.parametrize("fields", [{}, {"Auto_Submitted": "no"}, {"Reply_To": "coordinator@example.org"}])
def test_a_mail_that_is_right_has_no_problems(fields: dict[str, str]) -> None:
    assert wrong(a_message(**fields)) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"To": ""}, "is written to nobody, but"),
        ({"To": "tmm-sig@lists.example.org, a@example.org"}, "written to tmm-sig@lists.example.org and a@example.org"),
        ({"From": "a@example.org"}, "is from a@example.org, but"),
        ({"Subject": ""}, "has no subject"),
        ({"Subject": "subscribe"}, "as a command and not send it: 'subscribe'"),
        ({"text": "help\n\nJoin us."}, "as a command and not send it: 'help'"),
        ({"Message_ID": "<2@example.org>"}, "another Message-ID"),
        ({"Message_ID": ""}, "another Message-ID"),
        ({"Auto_Submitted": "auto-generated"}, "field Auto-Submitted"),
        ({"Precedence": "bulk"}, "field Precedence"),
        ({"List_Post": "<mailto:tmm-sig@lists.example.org>"}, "field List-Post"),
        ({"X_Loop": "tmm-sig"}, "field X-Loop"),
        ({"Cc": "coordinator@example.org"}, "field Cc"),
        ({"Bcc": "coordinator@example.org"}, "field Bcc"),
        ({"text": "x " * 30_000}, "KB; the list takes 40 KB"),
    ],
)
def test_what_a_list_server_would_hold_or_drop_is_told(fields: dict[str, str], words: str) -> None:
    [told] = wrong(a_message(**fields))
    assert words in told


def test_a_mail_of_hypertext_alone_is_told() -> None:
    [told] = wrong(a_message(text="<p>Join us.</p>", subtype="html"))
    assert "no plain text" in told


@pytest.mark.parametrize("message", [None, "", "nonsense", "é", "\r\n\r\n", "To: <\r\nFrom: @@\r\n\r\nx", "\0"])
def test_whatever_is_stored_it_is_told_and_nothing_is_raised(message: str | None) -> None:
    assert wrong(message)


def test_no_message_id_is_never_taken_for_the_right_one() -> None:
    assert wrong(a_message(), None) == ["The stored mail has another Message-ID than the one that is looked for."]

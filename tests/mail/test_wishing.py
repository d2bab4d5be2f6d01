"""What people ask of a list by mail, and what list servers answer to commands: found in plain words, in nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.joining import RequestKind
from outreach.mail.opened import open_mail
from outreach.mail.wishing import Wish, answer_about, wish_in

LIST = "colleagues@lists.example.org"
JOIN, LEAVE = RequestKind.JOIN, RequestKind.LEAVE


def mail(body: str, *, subject: str = "Hello", sender: str = "Ann Example <ann@example.org>", **more: str) -> bytes:
    heads = {"From": sender, "To": "coordinator@example.org", "Subject": subject, "Message-ID": "<a@example.org>"}
    heads |= {name.replace("_", "-"): value for name, value in more.items()}
    return ("".join(f"{name}: {value}\r\n" for name, value in heads.items()) + "\r\n" + body).encode()


def wish(body: str, **more: str) -> Wish | None:
    return wish_in(open_mail(mail(body, **more)), LIST)


@pytest.mark.parametrize(
    ("subject", "body", "kind"),
    [
        ("Mailing list", "Please add me to the list.", JOIN),
        ("Please add me", "Thank you!", JOIN),
        ("Question", "Dear coordinators,\n\nI would like to join your mailing list.\n\nAnn", JOIN),
        ("subscribe", "", JOIN),
        ("TMM SIG", "Could you please add my address to the listserv?", JOIN),
        ("joining", "Hi,\ncan you please subscribe me?", JOIN),
        ("unsubscribe", "", LEAVE),
        ("Mails", "Please remove me from this list", LEAVE),
        ("Mails", "I would like to unsubscribe.", LEAVE),
        ("Re: Colloquium", "Take me off, please.\n\n> Please come to room 7.", LEAVE),
    ],
)
def test_a_plain_wish_is_found(subject: str, body: str, kind: RequestKind) -> None:
    found = wish(body, subject=subject)
    assert found is not None
    assert (found.kind, found.address, found.name) == (kind, "ann@example.org", "Ann Example")


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("Thank you for the announcement.", {}),
        ("Please add me to the programme of the meeting, room 7.", {"Auto_Submitted": "auto-replied"}),
        ("Please add me to the list, or remove me from it.", {}),  # it could mean either
        ("I agree.\n\n> Please add me to the list.", {}),
        ("I agree.\n\nOn Monday somebody wrote:\nPlease add me to the list.", {}),
        ("Please add me to the list.", {"List_Id": "<colleagues.lists.example.org>"}),
        ("Please add me to the list.", {"Precedence": "bulk"}),
        ("Please add me to the list.", {"sender": "ann@example.org, ben@example.org"}),
        ("Please add me to the list.", {"sender": "no-reply@example.org"}),
        ("Please add me to the list.", {"sender": "LISTSERV@lists.example.org"}),
        ("Please add me to the list.", {"sender": "not an address"}),
        ("You can unsubscribe at any time by a mail.", {}),
        ("\n".join(["A line of something else."] * 20 + ["Please add me to the list."]), {}),
    ],
)
def test_what_is_no_plain_wish_of_one_person_is_left_alone(body: str, more: dict[str, str]) -> None:
    assert wish(body, **more) is None


def test_a_name_in_other_letters_is_read_and_its_line_breaks_are_not() -> None:
    found = wish("Please add me", sender="=?utf-8?q?Zo=C3=AB_=CE=A9_=0ABcc=3A?= <zoe@example.org>")
    assert found is not None
    assert found.name == "Zoë Ω Bcc:"


@pytest.mark.parametrize(
    ("kind", "subject", "body", "answer"),
    [
        (JOIN, "Output of your job", "> QUIET ADD COLLEAGUES ann@example.org\nann@example.org has been added to the COLLEAGUES list.",
         (True, "ann@example.org has been added to the COLLEAGUES list.")),
        (JOIN, "Results", "User ann@example.org is already subscribed to the list.", (True, "User ann@example.org is already subscribed to the list.")),
        (LEAVE, "Results", "ann@example.org has been removed from list colleagues", (True, "ann@example.org has been removed from list colleagues")),
        (JOIN, "Results", "You are not authorized to add ann@example.org: ann@example.org has not been added.",
         (False, "You are not authorized to add ann@example.org: ann@example.org has not been added.")),
        (JOIN, "Please confirm: ADD colleagues ann@example.org", "Reply OK to confirm.",
         (False, "Please confirm: ADD colleagues ann@example.org")),
    ],
)  # fmt: skip
def test_the_answer_of_a_list_server_to_a_command_is_read(
    kind: RequestKind, subject: str, body: str, answer: tuple[bool, str]
) -> None:
    raw = mail(body, subject=subject, sender="LISTSERV <listserv@lists.example.org>")
    assert answer_about(open_mail(raw), kind, address="ann@example.org", list_address=LIST) == answer


@pytest.mark.parametrize(
    ("sender", "body"),
    [
        ("listserv@elsewhere.example", "ann@example.org has been added to the COLLEAGUES list."),
        ("listserv@lists.example.org", "ben@example.org has been added to the COLLEAGUES list."),
    ],
)
def test_an_answer_from_elsewhere_or_about_another_says_nothing(sender: str, body: str) -> None:
    raw = mail(body, sender=sender)
    assert answer_about(open_mail(raw), JOIN, address="ann@example.org", list_address=LIST) is None


@given(st.binary(max_size=400))
def test_no_mail_makes_it_raise(raw: bytes) -> None:
    wish_in(open_mail(raw), LIST)
    wish_in(open_mail(b"From: a@example.org\r\nSubject: " + raw), LIST)
    answer_about(open_mail(raw), JOIN, address="a@example.org", list_address=LIST)

"""What a list does with a post: distribute, hold, reject, drop; and what its poster hears."""

import hashlib
import smtplib
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from outreach.sandbox import Sandbox

from .clients import PATIENCE_S, a_mail, only, submit


def last_notice(box: Sandbox) -> EmailMessage:
    message = message_from_bytes(box.mail.mailbox(box.member)[-1], policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_members_post_reaches_every_member(box: Sandbox) -> None:
    submit(box)
    mail = only(box.mail.distributed())
    assert (mail.list, mail.message_id, mail.subject) == (
        "tmm-sig@lists.example.org",
        "<one@example.org>",
        "Colloquium",
    )
    copies = {member: len(box.mail.mailbox(member)) for member in box.mail.lists[box.list_address].members}
    assert set(copies.values()) == {1}
    assert box.member in copies


def test_the_list_keeps_the_bytes_as_they_were_submitted(box: Sandbox) -> None:
    raw = a_mail(box, body="A line.\r\n.hidden dot\r\n..two dots\r\n\r\nÜmlaut\r\n")
    submit(box, raw)
    assert only(box.mail.distributed()).raw == raw


def test_a_copy_carries_the_marks_of_the_list(box: Sandbox) -> None:
    submit(box)
    copy = message_from_bytes(box.mail.mailbox(box.member)[0], policy=default)
    assert copy["Subject"] == "[TMM SIG] Colloquium"
    assert copy["List-Id"] == "TMM SIG <tmm-sig.lists.example.org>"
    assert copy["List-Post"] == "<mailto:tmm-sig@lists.example.org>"
    assert copy["Precedence"] == "list"
    assert copy["Message-ID"] == "<one@example.org>"


def test_a_copy_keeps_the_body_and_an_encoded_subject(box: Sandbox) -> None:
    submit(box, a_mail(box, Subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=", body="Exactly this\r\n"))
    copy = box.mail.mailbox(box.member)[0]
    assert copy.endswith(b"\r\n\r\nExactly this\r\n")
    assert message_from_bytes(copy, policy=default)["Subject"] == "[TMM SIG] Grüße"
    assert only(box.mail.distributed()).subject == "Grüße"


def test_an_answer_is_not_prefixed_twice(box: Sandbox) -> None:
    submit(box, a_mail(box, Subject="Re: [TMM SIG] Colloquium"))
    assert b"Subject: Re: [TMM SIG] Colloquium\r\n" in box.mail.mailbox(box.member)[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"From": "stranger@example.org"}, "The message is not from a list member"),
        ({"body": "x" * 41_000}, "The message is larger than the 40 KB maximum size"),
        ({"To": "somebody@example.org"}, "Message has implicit destination"),
        ({"Subject": ""}, "Message has no subject"),
        ({"Subject": "help"}, "Message contains administrivia"),
        ({"body": "\r\nHello\r\n\r\n  Unsubscribe \r\n"}, "Message contains administrivia"),
    ],
)
def test_an_odd_post_is_held_for_its_reason(box: Sandbox, changes: dict[str, str], reason: str) -> None:
    submit(box, a_mail(box, **changes))
    (held,) = box.mail.held(box.list_address)
    assert held.reason == reason
    assert box.mail.distributed() == []
    assert box.mail.journal[-1].outcome == "held"


def test_a_command_within_a_sentence_or_far_down_is_no_command(box: Sandbox) -> None:
    body = "Write to help us\r\n" + "line\r\n" * 10 + "help\r\n"
    submit(box, a_mail(box, body=body))
    assert len(box.mail.distributed()) == 1


def test_the_list_may_stand_in_cc(box: Sandbox) -> None:
    submit(box, a_mail(box, To="somebody@example.org", Cc=box.list_address))
    assert len(box.mail.distributed()) == 1


def test_the_first_objection_wins(box: Sandbox) -> None:
    submit(box, a_mail(box, From="stranger@example.org", Subject="", To="somebody@example.org"))
    assert box.mail.held()[0].reason == "The message is not from a list member"


def test_a_larger_limit_lets_a_larger_mail_through(box: Sandbox) -> None:
    box.mail.lists[box.list_address].size_limit = 100_000
    submit(box, a_mail(box, body="x" * 41_000))
    assert len(box.mail.distributed()) == 1


def test_the_poster_hears_that_a_post_is_held_and_why(box: Sandbox) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box)
    notice = last_notice(box)
    assert notice["Subject"] == "Your message to tmm-sig@lists.example.org awaits moderator approval"
    assert notice["From"] == "tmm-sig-bounces@lists.example.org"
    assert (notice["List-Id"] is not None, notice["List-Post"]) == (True, None)
    assert "Colloquium" in words_of(notice)
    assert "The message comes from a moderated member" in words_of(notice)
    assert b"<one@example.org>" not in box.mail.mailbox(box.member)[-1]


def test_an_automatic_mail_is_held_without_a_word(box: Sandbox) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box, a_mail(box, Auto_Submitted="auto-generated"))
    assert len(box.mail.held()) == 1
    assert box.mail.mailbox(box.member) == []


def test_the_moderator_lets_a_post_through(box: Sandbox) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box)
    box.mail.release(box.mail.held()[0].id)
    assert only(box.mail.distributed()).message_id == "<one@example.org>"
    assert box.mail.held() == []
    assert last_notice(box)["Subject"] == "[TMM SIG] Colloquium"


def test_the_moderator_refuses_a_post_and_gives_a_reason(box: Sandbox) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box)
    box.mail.refuse(box.mail.held()[0].id, "Not on topic")
    assert (box.mail.held(), box.mail.distributed()) == ([], [])
    assert last_notice(box)["Subject"] == 'Request to mailing list "TMM SIG" rejected'
    assert 'titled "Colloquium"' in words_of(last_notice(box))
    assert "Not on topic" in words_of(last_notice(box))


def test_a_list_can_reject_strangers_with_their_post_attached(box: Sandbox) -> None:
    box.mail.lists[box.list_address].non_members = "reject"
    submit(box, a_mail(box, From="alerts@example.org"))
    (raw,) = box.mail.mailbox("alerts@example.org")
    notice = message_from_bytes(raw, policy=default)
    assert (notice["Subject"], notice["From"]) == ("Colloquium", "tmm-sig-owner@lists.example.org")
    assert b"message/rfc822" in raw
    assert b"<one@example.org>" in raw
    assert (box.mail.journal[-1].outcome, box.mail.held()) == ("rejected", [])


def test_the_same_mail_twice_is_not_noticed_by_default(box: Sandbox) -> None:
    submit(box)
    submit(box)
    assert len(box.mail.distributed()) == 2


def test_a_list_can_drop_a_message_id_seen_before_without_a_word(box: Sandbox) -> None:
    box.mail.lists[box.list_address].dedupe = "message-id"
    submit(box)
    submit(box, a_mail(box, body="Other words\r\n"))
    assert len(box.mail.distributed()) == 1
    assert [line.outcome for line in box.mail.journal] == ["distributed", "dropped"]
    assert len(box.mail.mailbox(box.member)) == 1


def test_a_list_can_reject_a_body_seen_before(box: Sandbox) -> None:
    box.mail.lists[box.list_address].dedupe = "body"
    submit(box)
    submit(box, a_mail(box, Message_ID="<two@example.org>"))
    assert [line.outcome for line in box.mail.journal] == ["distributed", "rejected"]
    assert "duplicate" in words_of(last_notice(box))


def test_a_mail_that_came_through_the_list_is_dropped(box: Sandbox) -> None:
    submit(box, a_mail(box, List_Post="<mailto:tmm-sig@lists.example.org>"))
    assert (box.mail.distributed(), box.mail.held()) == ([], [])
    assert box.mail.journal[-1].outcome == "dropped"


def test_nobody_unknown_gets_mail(box: Sandbox) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        submit(box, to="nobody@example.org")
    assert refused.value.recipients["nobody@example.org"][0] == 550


def test_a_known_person_gets_mail_directly(box: Sandbox) -> None:
    submit(box, to=box.alert_address)
    assert box.mail.mailbox(box.alert_address) == [a_mail(box)]
    assert box.mail.journal[-1].outcome == "delivered"


def test_a_mailbox_can_be_opened(box: Sandbox) -> None:
    box.mail.add_mailbox("Treasurer@example.org")
    submit(box, to="treasurer@example.org")
    assert len(box.mail.mailbox("treasurer@example.org")) == 1


def test_one_submission_may_have_several_recipients(box: Sandbox) -> None:
    with smtplib.SMTP(box.smtp_host, box.smtp_port, timeout=PATIENCE_S) as smtp:
        smtp.sendmail(box.member, [box.alert_address, box.list_address], a_mail(box))
    assert (len(box.mail.distributed()), len(box.mail.mailbox(box.alert_address))) == (1, 1)
    assert (len(box.mail.journal), box.mail.journal[0].outcome) == (1, "distributed")


def test_the_journal_keeps_the_facts_of_a_submission(box: Sandbox) -> None:
    submit(box)
    (line,) = box.mail.journal
    assert (line.mail_from, line.rcpt_to) == (box.member, (box.list_address,))
    assert (line.message_id, line.subject) == ("<one@example.org>", "Colloquium")
    assert line.sha256 == hashlib.sha256(a_mail(box)).hexdigest()
    assert (line.outcome, line.reply) == ("distributed", "250 2.0.0 Taken")
    assert line.at == box.graph.clock.now()


def test_each_of_several_lists_has_its_own_mails() -> None:
    with Sandbox(lists=2) as box:
        first, second = box.lists
        submit(box, a_mail(box, To=second), to=second)
        assert (box.mail.distributed(first), len(box.mail.distributed(second))) == ([], 1)
        assert (first, second) == ("tmm-sig@lists.example.org", "tmm-sig-2@lists.example.org")

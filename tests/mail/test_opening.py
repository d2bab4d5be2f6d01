"""Opening a stored message as a reader does."""

from datetime import UTC, datetime

from outreach.mail.message import InlinePicture, Parts, build
from outreach.mail.opening import opened, subject_of

PARTS = Parts(
    sender="chairs@example.org",
    sender_name="Die Sprecherinnen, TMM SIG",
    recipient="list@lists.example.org",
    subject="Poster session: Grüße an alle und noch viel mehr, damit die Zeile gefaltet werden muss",
    text="Kommt in Saal 7.\n\n" + "ä" * 200 + "\n",
    html='<html><body><p>Kommt.</p><img src="cid:one@example.org" alt="Saal"><img src="cid:none@example.org"></body></html>',
    identity="ab" * 20,
    date=datetime(2026, 12, 1, 14, tzinfo=UTC),
    pictures=(InlinePicture("one@example.org", "saal.jpg", "jpeg", b"\xff\xd8 picture"),),
)


def test_a_message_is_read_as_it_was_written() -> None:
    message = build(PARTS, domain="example.org").decode("ascii")
    read = opened(message)
    assert read is not None
    assert (read.subject, read.text) == (PARTS.subject, PARTS.text)
    assert read.sender == '"Die Sprecherinnen, TMM SIG" <chairs@example.org>'
    assert (read.recipient, read.size, read.pictures) == (PARTS.recipient, len(message), 1)


def test_the_subject_alone_is_the_one_that_is_read_of_the_whole() -> None:
    message = build(PARTS, domain="example.org").decode("ascii")
    assert subject_of(message) == PARTS.subject
    assert subject_of(message.replace("\r\n", "\n")) == PARTS.subject
    assert subject_of(f"From: chairs@example.org\r\n\r\nSubject: in the text\r\n{message}") == ""


def test_pictures_inside_are_put_into_the_html_and_others_are_not_asked_for() -> None:
    read = opened(build(PARTS, domain="example.org").decode("ascii"))
    assert read is not None
    assert 'src="data:image/jpeg;base64,/9ggcGljdHVyZQ=="' in read.html
    assert 'src=""' in read.html
    assert "cid:" not in read.html


def test_what_is_no_message_gives_nothing_that_breaks() -> None:
    for message in (
        "",
        "\x00",
        "Subject",
        "Content-Type: multipart/alternative\r\n\r\nx",
        "Subject: =?x?b?!!?=\r\n\r\n",
    ):
        read = opened(message)
        assert read is None or read.html == ""
        assert subject_of(message) == (read.subject if read else None)

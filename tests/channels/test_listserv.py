"""What reaches a list: one message, from a member, to the list alone, as it was approved but for its `Date`."""

import email
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from outreach.channels.listserv import Listserv
from outreach.mail.submission import Server
from outreach.model import Attempt, BadInput, CannotTell, Content, Published, SentPicture, Unconfirmed, without_date
from outreach.sandbox import Sandbox

from .builders import NOON, a_list, a_picture, a_wording, an_attempt, surroundings, the_list

LIMIT = 40 * 1024


def message_of(content: Content) -> EmailMessage:
    assert content.message is not None
    message = email.message_from_bytes(content.message.encode("ascii"), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def plain(content: Content) -> str:
    part = message_of(content).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def hypertext(content: Content) -> str:
    part = message_of(content).get_body(("html",))
    assert part is not None
    return str(part.get_content())


class Images(HTMLParser):
    """Every image of a page: where it comes from, and its alternative text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str | None, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append((dict(attrs)["src"], dict(attrs)["alt"]))


def test_one_message_reaches_the_list_as_it_was_stored_but_for_its_date(box: Sandbox) -> None:
    here = the_list(box, now=lambda: NOON + timedelta(hours=3))
    content = here.render(
        a_wording(title="Zoë’s poster 🎉", body=".dot\n\nFrom here\n\n" + "é " * 700 + "\n\nblanks  \n")
    )
    outcome = here.publish(an_attempt(content))
    assert isinstance(outcome, Published)
    assert outcome.message_id == content.message_id
    [mail] = box.mail.distributed()
    assert content.message is not None
    assert without_date(mail.raw) == without_date(content.message.encode("ascii"))
    assert b"\r\nDate: Tue, 24 Nov 2026 15:00:00 +0000\r\n" in b"\r\n" + mail.raw
    [submission] = box.mail.journal
    assert (submission.mail_from, submission.rcpt_to) == ("coordinator@example.org", (box.list_address,))


def test_the_message_says_who_it_is_from_and_nothing_that_a_machine_would(box: Sandbox) -> None:
    message = message_of(the_list(box).render(a_wording(title="Poster session")))
    assert list(message.keys()) == ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]
    assert (message["From"], message["To"]) == ("Coordinator <coordinator@example.org>", box.list_address)
    assert message["Subject"] == "Poster session"


@pytest.mark.parametrize("name", ["Zoë Müller", "Chair, TMM SIG", "山田", ""])
def test_the_senders_name_is_kept(name: str) -> None:
    sender = f'"{name}" <chair@example.org>' if name else "chair@example.org"
    [mailbox] = message_of(a_list(1, sender=sender).render(a_wording()))["From"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "chair@example.org")


def test_the_message_id_belongs_to_the_post_and_to_the_senders_domain() -> None:
    here = a_list(1)
    wording = a_wording()
    first, again = here.render(wording), here.render(replace(wording, due_at=NOON + timedelta(days=1)))
    assert first.message_id == again.message_id == f"<{wording.identity}@example.org>"
    assert message_of(first)["Message-ID"] == first.message_id
    assert here.render(a_wording()).message_id != first.message_id


def test_every_try_carries_the_same_message_id(box: Sandbox) -> None:
    here = the_list(box)
    content = here.render(a_wording())
    box.mail.fail("DOT", "close")
    assert isinstance(here.publish(an_attempt(content)), Unconfirmed)
    here.publish(an_attempt(content, number=2))
    assert [entry.message_id for entry in box.mail.journal] == [content.message_id] * 2


def test_text_comes_before_hypertext_and_both_say_it() -> None:
    content = a_list(1).render(a_wording(body="Join us on **Friday**.\n\n- one\n- two", link="https://example.org/x"))
    assert message_of(content).get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message_of(content).iter_parts()] == ["text/plain", "text/html"]
    assert plain(content) == content.text == "Join us on Friday.\n\n* one\n* two\n\nhttps://example.org/x\n"
    assert "<strong>Friday</strong>" in hypertext(content)
    assert "https://example.org/x" in hypertext(content)


def test_the_hash_leaves_out_the_date_alone() -> None:
    here = a_list(1)
    wording = a_wording()
    content = here.render(wording)
    assert here.render(replace(wording, due_at=NOON + timedelta(days=9))).sha256() == content.sha256()
    changes: list[dict[str, Any]] = [
        {"title": "Other"},
        {"body": "Other"},
        {"identity": "f" * 40},
        {"link": "https://a.b"},
    ]
    for change in changes:
        assert here.render(replace(wording, **change)).sha256() != content.sha256()
    assert content.message is not None
    changed = content.message.replace("multipart/alternative", "multipart/mixed")
    assert replace(content, message=changed).sha256() != content.sha256()


_RENDER_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from outreach.model import SentPicture
from tests.channels.builders import a_list, a_picture, a_wording
media = Path(sys.argv[1])
pictures = (a_picture(media, seed=1), a_picture(media, "b.png", None, seed=2))
body = "# Zoë\\n\\n[a](https://example.org) **b**\\n\\n| a | b |\\n|---|---|\\n| c | d |\\n\\n```\\ncode\\n```"
print(a_list(1, media).render(a_wording(identity="a" * 40, body=body, pictures=pictures)).message)
"""


def test_the_same_wording_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    seen = set()
    for seed in ("0", "1", "4711"):
        around = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", _RENDER_IN_ANOTHER_PROCESS, str(tmp_path)]
        seen.add(subprocess.run(command, env=around, capture_output=True, check=True).stdout)
    [message] = seen
    assert b"Content-ID" in message


# Limits


def with_size(number: int) -> Content:
    return a_list(1).render(a_wording(body="x" * 60 + "\n\n" + "word " * number))


def test_a_message_over_the_lists_limit_is_refused_with_its_size() -> None:
    assert len(with_size(2500).message or "") < LIMIT
    with pytest.raises(BadInput) as refused:
        with_size(6000)
    assert refused.value.message.startswith("The mail would have 6")
    assert refused.value.message.endswith(" KB; the list takes 40 KB.")


def test_the_limit_is_exact_and_the_whole_message_counts() -> None:
    wording = a_wording()
    size = len(a_list(1).render(wording).message or "")
    assert a_list(1, max_bytes=size).render(wording).message
    with pytest.raises(BadInput, match="the list takes"):
        a_list(1, max_bytes=size - 1).render(wording)


def test_a_line_that_a_list_server_may_obey_is_refused() -> None:
    for change in ({"title": "help"}, {"body": "unsubscribe"}):
        with pytest.raises(BadInput, match="may read this line as a command"):
            a_list(1).render(a_wording(**change))


@pytest.mark.parametrize(
    "title", ["x\r\nBcc: all@example.org", "x\ny", "x\ry", "x\0y", "x\u2028y", "x\u2029y", "x\x85y", "half \ud83d"]
)
def test_a_title_that_no_subject_can_carry_is_refused(title: str) -> None:
    with pytest.raises(BadInput):
        a_list(1).render(a_wording(title=title))


def test_a_title_of_any_length_is_the_subject() -> None:
    for title in ("Call for abstracts: " * 9 + "end", "漢字" * 60, "a =?utf-8?q?b?= c"):
        assert message_of(a_list(1).render(a_wording(title=title)))["Subject"] == title


# Pictures


def test_pictures_that_fit_go_along_as_small_copies(tmp_path: Path) -> None:
    pictures = (a_picture(tmp_path, "a.jpg", 'Two "students" <b>', seed=1), a_picture(tmp_path, "b.jpg", None, seed=2))
    content = a_list(1, tmp_path).render(a_wording(pictures=pictures))
    images = [part for part in message_of(content).walk() if part.get_content_maintype() == "image"]
    assert [(part.get_filename(), part.get_content_type()) for part in images] == [
        ("a.jpg", "image/jpeg"),
        ("b.jpg", "image/jpeg"),
    ]
    places = [f"cid:{str(part['Content-ID']).strip('<>')}" for part in images]
    assert Images(hypertext(content)).found == [(places[0], 'Two "students" <b>'), (places[1], "")]
    assert '[Picture: Two "students" <b>]' in plain(content).replace("\n", " ")
    assert len(content.message or "") <= LIMIT


def test_one_picture_twice_keeps_both_descriptions(tmp_path: Path) -> None:
    picture = a_picture(tmp_path, alt="On the left")
    content = a_list(1, tmp_path).render(a_wording(pictures=(picture, replace(picture, alt="On the right"))))
    assert [alt for _, alt in Images(hypertext(content)).found] == ["On the left", "On the right"]


def test_pictures_that_do_not_fit_stay_out_as_a_whole_and_are_still_described(tmp_path: Path) -> None:
    pictures = tuple(a_picture(tmp_path, f"{n}.jpg", f"Poster number {n}", seed=n, side=200) for n in range(4))
    content = a_list(1, tmp_path).render(a_wording(pictures=pictures))
    assert not any(part.get_content_maintype() == "image" for part in message_of(content).walk())
    assert "<img" not in hypertext(content)
    assert all(f"[Picture: Poster number {n}]" in plain(content) for n in range(4))
    assert content.pictures == pictures


def test_one_picture_that_does_not_fit_keeps_the_others_out(tmp_path: Path) -> None:
    pictures = (a_picture(tmp_path, "a.jpg", seed=1), a_picture(tmp_path, "b.jpg", seed=2, side=400))
    alone, both = (a_list(1, tmp_path).render(a_wording(pictures=p)) for p in (pictures[:1], pictures))
    assert "<img" in hypertext(alone)
    assert "<img" not in hypertext(both)


@pytest.mark.parametrize("side", range(90, 190, 10))
def test_pictures_leave_room_for_what_servers_add_on_the_way(tmp_path: Path, side: int) -> None:
    pictures = (a_picture(tmp_path, alt="é" * 700, side=side),)
    content = a_list(1, tmp_path).render(a_wording(body="word " * 1000, pictures=pictures))
    has_picture = "<img" in hypertext(content)
    assert len(content.message or "") <= LIMIT - has_picture * 3 * 1024


def test_a_description_says_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    alt = "1. *Not* a_list\n\n# unsubscribe\n[x](https://evil.example) `code` https://a.example &amp; \\ <b>"
    content = a_list(1, tmp_path).render(a_wording(pictures=(a_picture(tmp_path, alt=alt),)))
    [_, line] = [" ".join(text.split()) for text in plain(content).split("\n\n")]
    assert (
        line
        == "[Picture: 1. *Not* a_list # unsubscribe [x](https://evil.example) `code` https://a.example &amp; \\ <b>]"
    )
    assert Images(hypertext(content)).found[0][1] == " ".join(alt.split())
    assert "<a" not in hypertext(content)


@pytest.mark.parametrize(
    "name", ['a"\r\nX-Evil: 1.jpg', "ü漢字.png", "x" * 300 + ".gif", "a;b=c.jpg", "..", "=?utf-8?q?x?=.jpg"]
)
def test_a_file_name_cannot_add_to_the_message(tmp_path: Path, name: str) -> None:
    content = a_list(1, tmp_path).render(a_wording(pictures=(a_picture(tmp_path, name),)))
    [image] = [part for part in message_of(content).walk() if part.get_content_maintype() == "image"]
    assert set(image.keys()) == {
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "Content-ID",
    } | set(image.keys()) & {"MIME-Version"}
    assert (image.get_filename() or "").isascii()
    assert len(image.get_filename() or "") <= 64
    assert not any(value.defects for value in image.values() if hasattr(value, "defects"))


def test_a_picture_that_is_gone_is_told_when_the_mail_is_rendered(tmp_path: Path) -> None:
    missing = SentPicture("poster.jpg", "A poster", "0" * 64, "gone.jpg")
    with pytest.raises(BadInput, match=r"poster\.jpg"):
        a_list(1, tmp_path).render(a_wording(pictures=(missing,)))


# The rest


def test_a_list_cannot_be_asked() -> None:
    here = a_list(1)
    content = here.render(a_wording())
    finding = here.find(an_attempt(content))
    assert isinstance(finding, CannotTell)
    assert content.message_id is not None
    assert content.message_id in finding.reason


def test_a_set_up_that_is_right_has_no_problems_and_sends_nothing(box: Sandbox) -> None:
    assert the_list(box).check() == []
    assert box.mail.journal == []


def test_the_check_tells_what_would_keep_a_post_back(box: Sandbox) -> None:
    box.mail.fail("MAIL", "550 5.7.1 Not you")
    [problem] = the_list(box).check()
    assert "Not you" in problem.message
    assert problem.next_step == "Check the SMTP_* settings."
    with Sandbox(smtp_credentials=("a", "b")) as locked:
        wrong = {"username": "a", "password": "wrong"}
        [problem] = the_list(locked, server=wrong).check()
    assert problem.next_step == "Check SMTP_USERNAME and SMTP_PASSWORD."


def settings_of(**given: str) -> Listserv | None:
    from outreach.settings import read_settings

    return Listserv.from_settings(read_settings(given), surroundings(Path()))


def test_a_list_exists_only_where_the_settings_name_it() -> None:
    assert settings_of() is None
    here = settings_of(
        LISTSERV_ADDRESS="l@example.org", LISTSERV_SENDER="Me <me@example.org>", SMTP_HOST="smtp.example.org"
    )
    assert "port=587, security='starttls', username='', timeout_s=30" in repr(here)
    assert "final_dot_timeout_s=600" in repr(here)


def test_an_attempt_with_an_empty_content_raises_nothing() -> None:
    attempt: Attempt = an_attempt(Content("listserv", "x"))
    server: dict[str, Any] = {"timeout_s": 0.5}
    assert a_list(1, server=server).publish(attempt)
    assert Server("x", 1, "none").timeout_s == 30

"""The bytes of a list post: read back as they were meant, whatever stands in them, and the same every time."""

import email
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outreach.mail.message import InlinePicture, Parts, build, message_id, with_date
from outreach.model import without_date

IDENTITY = "0123456789abcdef" * 2 + "01234567"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]
WORDS = [
    "a",
    "Zoë",
    "漢字",
    "🎉",
    "👩‍👩‍👧",
    "שלום",
    "مرحبا",
    " ",
    "  ",
    "=?utf-8?q?x?=",
    "w" * 90,
    "@",
    '"',
    "<x@y>",
    ":",
    "\u202e",
    "\xa0",
]
# What a title can hold: no control characters, no line ends, no halves of characters, no blanks at its ends.
TITLES = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200),
).map(str.strip)
BODIES = st.one_of(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\0"),
        max_size=400,
    ),
    st.lists(
        st.sampled_from([*WORDS, "\n", "\n.\n", "From me\n", "--\n", "x" * 1200, "blank \n", ".", "=20\n"]), max_size=30
    ).map("".join),
).map(lambda text: text + "\n")


def built(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "sender": "coordinator@example.org",
        "sender_name": "Coordinator",
        "recipient": "tmm-sig@lists.example.org",
        "subject": "Poster session",
        "text": "Join us on Friday.\n",
        "html": "<p>Join us on Friday.</p>\n",
        "identity": IDENTITY,
        "date": NOON,
    }
    return build(Parts(**values | changes), domain="example.org")


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def defects(message: EmailMessage) -> list[Any]:
    own = [defect for part in message.walk() for defect in part.defects]
    return own + [
        defect for part in message.walk() for value in part.values() for defect in getattr(value, "defects", [])
    ]


@settings(max_examples=400, deadline=None)
@example("x " * 60 + "é", "a")
@example("שלום ü;漢字 é  👩‍👩‍👧 longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglong é b", "a")
@given(TITLES.filter(bool), TITLES)
def test_a_subject_is_the_title_unchanged_for_every_reader(title: str, name: str) -> None:
    raw = built(subject=title, sender_name=name)
    message = parsed(raw)
    assert str(message["Subject"]) == title
    assert list(message.keys()) == HEADERS
    assert defects(message) == []
    head = raw.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 998
    line = re.search(rb"Subject: ((?:.*\r\n[ \t])*.*)\r\nMessage-ID", head, re.DOTALL)
    assert line is not None
    assert str(make_header(decode_header(re.sub(r"\r\n(?=[ \t])", "", line[1].decode())))) == title


@pytest.mark.parametrize("title", ["漢字" * 60, "Zoë " * 40, "word " * 40 + "end", "🎉" * 100])
def test_the_lines_of_a_long_title_are_as_short_as_the_rules_want(title: str) -> None:
    head = built(subject=title.strip(), sender_name=title.strip()).partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n") if not line.startswith(b"From: word")) <= 78
    assert max(map(len, re.findall(rb"=\?utf-8\?b\?\S+\?=", head)), default=0) <= 75


@settings(max_examples=300, deadline=None)
@given(BODIES, BODIES)
def test_both_parts_are_read_as_they_were_written(text: str, html: str) -> None:
    raw = built(text=text, html=html)
    message = parsed(raw)
    plain, hypertext = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in (plain, hypertext)] == ["text/plain", "text/html"]
    assert plain.get_content().replace("\r\n", "\n") == text
    assert hypertext.get_content().replace("\r\n", "\n") == html
    assert defects(message) == []
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)


@pytest.mark.parametrize(
    "name",
    ["", "Coordinator", "Dr. A. B.", 'The "Chair"', "a\\b", "Zoë Müller", "山田 太郎", "TMM SIG, the list", "=?x?="],
)
def test_a_display_name_is_kept(name: str) -> None:
    [mailbox] = parsed(built(sender_name=name))["From"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "coordinator@example.org")


def test_nothing_says_that_a_machine_sent_it() -> None:
    assert list(parsed(built()).keys()) == HEADERS


@pytest.mark.parametrize("field", ["subject", "sender_name"])
@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@example.org", "x\nBcc: a@b", "x\rBcc: a@b", "x\r\n\r\nhello", "x\u2028Bcc: a@b"]
)
def test_no_line_of_ours_can_be_added(field: str, evil: str) -> None:
    message = parsed(built(**{field: evil}))
    assert list(message.keys()) == HEADERS
    assert message["Bcc"] is None


def test_pictures_go_with_the_hypertext() -> None:
    picture = InlinePicture("picture0@example.org", "poster.jpg", "jpeg", b"\xff\xd8" + bytes(range(256)) * 9)
    message = parsed(built(pictures=(picture,)))
    plain, related = message.iter_parts()
    hypertext, image = related.iter_parts()
    assert [part.get_content_type() for part in (plain, related, hypertext, image)] == [
        "text/plain",
        "multipart/related",
        "text/html",
        "image/jpeg",
    ]
    assert image["Content-ID"] == "<picture0@example.org>"
    assert (image.get_content_disposition(), image.get_filename()) == ("inline", "poster.jpg")
    assert image.get_content() == picture.data
    assert defects(message) == []


_BUILD_IN_ANOTHER_PROCESS = """
import hashlib
from tests.mail.test_message import built, InlinePicture
print(hashlib.sha256(built(subject="Zoë 🎉", pictures=(InlinePicture("p@x", "a.jpg", "jpeg", b"123"),))).hexdigest())
"""


def test_the_same_parts_give_the_same_bytes_in_every_process() -> None:
    seen = set()
    for seed in ("0", "1", "4711"):
        around = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC-{len(seed)}"}
        done = subprocess.run(
            [sys.executable, "-c", _BUILD_IN_ANOTHER_PROCESS], env=around, capture_output=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_the_message_id_is_made_of_identity_and_domain() -> None:
    assert parsed(built())["Message-ID"] == message_id(IDENTITY, "example.org") == f"<{IDENTITY}@example.org>"


@given(BODIES, TITLES.filter(bool), st.integers(0, 4 * 10**9).map(lambda s: datetime.fromtimestamp(s, UTC)))
def test_only_the_date_changes_when_it_leaves(text: str, title: str, at: datetime) -> None:
    raw = built(text=f"Date: in the text\r\n{text}", subject=title)
    dated = with_date(raw, at)
    assert without_date(dated) == without_date(raw)
    assert parsed(dated)["Date"].datetime == at
    assert with_date(dated, NOON) == raw


def test_a_date_in_another_zone_is_the_same_instant() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=timezone(timedelta(hours=-5)))
    assert with_date(built(), at).startswith(b"Date: Tue, 01 Dec 2026 09:00:00 -0500\r\n")


def test_a_message_without_a_date_is_left_alone() -> None:
    raw = b"Subject: x\r\n\r\nDate: y\r\n"
    assert with_date(raw, NOON) == raw


def test_the_recipient_stands_in_brackets_without_which_a_picture_counts_against_a_mail() -> None:
    assert b"\r\nTo: <tmm-sig@lists.example.org>\r\n" in built(recipient="tmm-sig@lists.example.org")

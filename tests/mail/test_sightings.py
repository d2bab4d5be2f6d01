"""What a mail proves: our Message-ID with a mark of our list, and nothing less, whatever the mail is made of."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.mail.sightings import Copy, ListMail, archive_address, different, list_marks, read_head, what_it_proves

OURS = ListMail("<1a2b@example.org>", "TMM-SIG@lists.example.org")
ID = "Message-ID: <1a2b@example.org>"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def judged(*lines: str) -> str:
    raw = "\r\n".join([*lines, "Subject: Poster session", "", "body"]).encode("utf-8", "surrogateescape")
    return what_it_proves(read_head(raw), OURS)


MARKS = [
    "List-Id: TMM SIG <tmm-sig.lists.example.org>",
    "list-id: <TMM-SIG.LISTS.EXAMPLE.ORG>",
    'List-Id: "a <x.y> b"\r\n <tmm-sig.lists.example.org>',
    "List-Post: <mailto:tmm-sig@lists.example.org>",
    "List-Post: <https://lists.example.org/post>, <mailto:Tmm-Sig%40lists.example.org?subject=x>",
    "X-BeenThere: tmm-sig@lists.example.org",
    "X-Loop: tmm-sig@lists.example.org",
    "Mailing-list: list tmm-sig@lists.example.org; contact tmm-sig+owners@lists.example.org",
    "Return-Path: <tmm-sig+bounces-7-coordinator=example.org@lists.example.org>",
    "Return-Path: <tmm-sig-bounces@lists.example.org>",
    "Return-Path: <tmm-sig-bounces+coordinator=example.org@lists.example.org>",
    "Return-Path: <owner-TMM-SIG@LISTS.EXAMPLE.ORG>",
    "Return-Path: <owner-tmm-sig*coordinator**example-org@lists.example.org>",
    "Sender: TMM SIG <tmm-sig-request@lists.example.org>",
    "Sender: TMM SIG <TMM-SIG@lists.example.org>",
]


@pytest.mark.parametrize("mark", MARKS)
def test_our_id_with_a_mark_of_our_list_was_distributed(mark: str) -> None:
    assert judged(mark, ID) == "distributed"


NO_MARKS = [
    "To: tmm-sig@lists.example.org",
    "From: tmm-sig@lists.example.org",
    "Subject: <tmm-sig.lists.example.org>",
    "Return-Path: <coordinator@example.org>",
    "List-Id: <other.lists.example.org>",
    "List-Id: tmm-sig.lists.example.org",
    "List-Id: <tmm-sig.lists.example.org.evil.example>",
    "List-Id: <not-tmm-sig.lists.example.org>",
    "List-Post: <mailto:tmm-sig@lists.example.org.evil.example>",
    "List-Post: <mailto:not-tmm-sig@lists.example.org>",
    "X-Loop: tmm-sig-announce@lists.example.org",
    "Return-Path: <tmm-sig-announce@lists.example.org>",
    "Return-Path: <tmm-sig-announce-bounces@lists.example.org>",
    "Return-Path: <tmm-sig-bounces@evil.example>",
    "Return-Path: <tmm-sigma@lists.example.org>",
    "Sender: coordinator@example.org",
    "X-List-Id: <tmm-sig.lists.example.org>",
]


@pytest.mark.parametrize("line", NO_MARKS)
def test_our_id_without_a_mark_of_our_list_is_a_copy_of_ours_and_proves_nothing(line: str) -> None:
    assert judged(ID, line) == "own-copy"


@pytest.mark.parametrize(
    "line",
    ["", "Message-ID: <1a2b@example.org.evil>", "Message-ID: <x1a2b@example.org>", "In-Reply-To: <1a2b@example.org>",
     "References: <1a2b@example.org>", "Message-ID: <1A2B@example.org>", "Message-ID: 1a2b@example.org"],
)  # fmt: skip
def test_another_mail_of_the_list_is_none_of_ours(line: str) -> None:
    assert judged(*filter(None, [line]), MARKS[0], MARKS[3]) == "unrelated"


def test_what_a_mail_quotes_in_its_body_is_no_header() -> None:
    assert judged("Subject: x", "", ID, MARKS[0]) == "unrelated"
    assert judged(ID, "", MARKS[0]) == "own-copy"


def test_a_folded_id_is_read() -> None:
    assert judged("Message-ID:\r\n <1a2b@example.org> ", MARKS[0]) == "distributed"


def test_the_marks_are_named() -> None:
    head = read_head("\r\n".join([MARKS[0], MARKS[3], MARKS[9], "", ""]).encode())
    assert list_marks(head, OURS.list_address) == ("List-Id", "List-Post", "Return-Path")


@given(
    st.binary(max_size=400), st.sampled_from([b"Message-ID", b"List-Id", b"List-Post", b"Sender", b"Archived-At", b"X"])
)
def test_no_head_raises(value: bytes, name: bytes) -> None:
    head = read_head(name + b": " + value + b"\r\n\r\n")
    what_it_proves(head, OURS)
    list_marks(head, OURS.list_address)
    archive_address(head)
    different([Copy("INBOX", "1", "1", None, value)])


@pytest.mark.parametrize(
    "value", [b"a" * 65_000, b"@" * 65_000, b"<" * 65_000, b"a@b " * 16_000, b"=?utf-8?q?" * 6_000]
)
def test_a_huge_head_takes_no_time(value: bytes) -> None:
    for name in (b"List-Id", b"List-Post", b"Return-Path", b"Message-ID"):
        assert what_it_proves(read_head(ID.encode() + b"\r\n" + name + b": " + value + b"\r\n\r\n"), OURS) == "own-copy"


# Copies


def a_copy(head: bytes = b"1", *, folder: str = "INBOX", minutes: int | None = 0, to: str = "") -> Copy:
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    return Copy(
        folder, "1", "1", at, (f"Delivered-To: {to}\r\n" if to else "").encode() + b"Received: " + head + b"\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("copies", "count"),
    [
        ([], 0),
        ([a_copy()], 1),
        ([a_copy(), a_copy(folder="All Mail")], 1),  # labels of one mail
        ([a_copy(), a_copy()], 2),  # two mails in one folder, however alike
        ([a_copy(b"1"), a_copy(b"2")], 2),
        ([a_copy(b"1"), a_copy(b"2", folder="Junk")], 2),
        ([a_copy(b"1"), a_copy(b"2"), a_copy(b"1", folder="All"), a_copy(b"2", folder="All")], 2),
        ([a_copy(b"1", to="ann@example.org"), a_copy(b"2", to="chair@example.org")], 1),  # two members, one mailbox
        ([a_copy(b"1", to="ann@example.org"), a_copy(b"2", to="Ann@example.org")], 2),
    ],
)  # fmt: skip
def test_copies_count_as_often_as_one_recipient_got_the_mail(copies: list[Copy], count: int) -> None:
    assert len(different(copies)) == count


def test_copies_come_oldest_first() -> None:
    copies = [a_copy(b"1", minutes=None), a_copy(b"2", minutes=5), a_copy(b"3", minutes=1)]
    assert [copy.received_at for copy in different(copies)] == [NOON + timedelta(minutes=m) for m in (1, 5)] + [None]


# The archive


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("<https://lists.example.org/archives/1a2b/>", "https://lists.example.org/archives/1a2b/"),
        ("http://lists.example.org/1", "http://lists.example.org/1"),
        ("<mailto:archive@example.org>", None),
        ("<javascript:alert(1)>", None),
        ("<https:///nowhere>", None),
        ("<https://ann:secret@lists.example.org/>", None),
        ("<https://lists.example.org/ x>", None),
        ("<https://lists.example.org/\x07>", None),
        ("<https://lists.example.org/ä>", None),
        ("<https://[lists>", None),
        ("<https://lists.example.org/" + "x" * 2000 + ">", None),
        ("", None),
    ],
)
def test_the_address_in_the_archive_is_a_web_address_or_none(said: str, expected: str | None) -> None:
    assert archive_address(read_head(f"Archived-At: {said}\r\n\r\n".encode())) == expected

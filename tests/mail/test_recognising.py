"""What mails mean: every sample, never for another post, and nothing that is broken or made to do harm breaks it."""

import random
import re
import time
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.mail.meaning import Meaning, Sent, Verdict
from outreach.mail.recognising import meaning
from tests.mail import matrix
from tests.mail.matrix import POST
from tests.mail.samples import SAMPLES, Sample, mail, marks

OTHERS = (
    Sent("2/listserv", "<ffee01@example.org>", "board@lists.example.edu", "Minutes of the board", "Read them, please."),
    Sent("3/listserv", "<ffee02@example.org>", "tmm-sig@lists.example.org", "Poster session", "Bring your posters."),
    Sent("4/listserv", "<ffee03@example.org>", "sig@lists.example.org", "Webinar on Tuesday", "Join us at noon."),
)
ALL = (POST, *OTHERS)
NAMES = [sample.name for sample in SAMPLES]
BOUND_S = 5.0


def expected(sample: Sample, post: Sent) -> tuple[Verdict, str, str | None]:
    return sample.verdict, sample.basis, post.post if sample.basis != "none" else None


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
@pytest.mark.parametrize("post", ALL, ids=lambda post: post.post)
def test_a_mail_means_what_it_says_for_its_post(sample: Sample, post: Sent) -> None:
    found = meaning(sample.make(post), [post])
    assert (found.verdict, found.basis, found.post) == expected(sample, post)
    assert sample.reason in found.reason
    assert "http" not in found.reason


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_mail_is_never_taken_for_one_about_another_post(sample: Sample) -> None:
    for post, other in permutations(ALL, 2):
        raw = sample.make(post)
        alone = meaning(raw, [other])
        if not (sample.basis == "list" and post.list_address == other.list_address):
            assert alone.post is None, (post, other)
        both = meaning(raw, [other, post])
        if sample.basis == "list" and post.list_address == other.list_address:
            assert both.post is None  # it names the list alone, and two are open there
        else:
            assert (both.verdict, both.basis, both.post) == expected(sample, post)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
@pytest.mark.parametrize(
    "title",
    [
        "Why a paper was rejected",
        "Delivery is delayed: a talk",
        "How to approve the message of physics",
        "Your message has been posted",
        "Registration is now being held",
    ],
)
def test_what_a_title_says_is_not_what_a_notice_says(sample: Sample, title: str) -> None:
    titled = replace(POST, subject=title)
    assert meaning(sample.make(titled), [titled]).verdict is sample.verdict


def test_the_matrix_has_nothing_beside_its_diagonal() -> None:
    assert all(meant is taken for meant, taken in matrix.counted())
    assert {sample.verdict for sample in SAMPLES} == set(Verdict)
    assert len(SAMPLES) >= 60


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.basis == "subject"], ids=lambda s: s.name)
def test_a_subject_that_is_the_beginning_of_another_is_not_taken_for_it(sample: Sample) -> None:
    short = replace(POST, post="short", message_id="<s@example.org>")
    long = replace(POST, post="long", message_id="<l@example.org>", subject="Call for abstracts: poster session")
    for post in (short, long):
        assert meaning(sample.make(post), [short, long]).post == post.post
        assert meaning(sample.make(post), [long, short]).post == post.post


def test_a_notice_that_names_only_the_list_means_the_one_post_that_is_open() -> None:
    [sample] = [sample for sample in SAMPLES if sample.name == "sympa held"]
    closed = replace(OTHERS[1], is_open=False)
    assert meaning(sample.make(POST), [POST, closed]).post == POST.post
    assert meaning(sample.make(POST), [POST, OTHERS[1]]).post is None
    assert meaning(sample.make(POST), [closed]).post is None


def test_a_forged_notice_claims_no_more_than_a_subject() -> None:
    forged = mail(
        'Your message "Call for abstracts" was rejected: not a member.',
        From="tmm-sig-bounces@lists.example.org",
        Subject="tmm-sig: Rejected",
    )
    assert meaning(forged, [POST]).basis == "subject"
    elsewhere = forged.replace(b"tmm-sig-bounces@lists.example.org", b"tmm-sig-bounces@example.net")
    assert meaning(elsewhere, [POST]) == Meaning(Verdict.UNRELATED, "says nothing about a post")


# Broken, and made to do harm


def ends_soon(raw: bytes) -> Meaning:
    began = time.monotonic()
    found = meaning(raw, ALL)
    assert time.monotonic() - began < BOUND_S
    return found


def nested(deep: int) -> bytes:
    start = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number) for number in range(deep)
    )
    return b"Subject: deep\r\nMIME-Version: 1.0\r\n" + start + b"\r\nend\r\n"


HOSTILE = {
    "nothing": b"",
    "no headers": b"\r\n\r\nhello",
    "nul bytes": b"Subject: a\x00b\r\nMessage-ID: <\x00>\r\n\r\n\x00" * 50,
    "deep": nested(100),
    "very deep": nested(3000),
    "large": b"Subject: large\r\n\r\n" + b"x" * 50_000_000,
    "many parts": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 10_000,
    "many headers": b"".join(b"X-%d: y\r\n" % number for number in range(50_000)) + b"\r\nx",
    "a long header": b"Subject: " + b"a" * 1_000_000 + b"\r\n\r\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * 50_000 + b"\r\n\r\nx",
    "addresses": b"From: " + b"<a@b>, " * 100_000 + b"\r\n\r\nx",
    "comments in an address": b"From: " + b"(" * 50_000 + b"a@b\r\n\r\nx",
    "a boundary of its own": b'Content-Type: multipart/mixed; boundary="\xff\x00"\r\n\r\n--\xff\x00\r\n',
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000,
    "scripts": b"Content-Type: text/html\r\n\r\n" + b"<script>" * 100_000,
    "spaces": mail(" " * 1_000_000, From="tmm-sig-bounces@lists.example.org", Subject="rejected"),
    "quotes": mail('"' * 500_000, From="tmm-sig-bounces@lists.example.org", Subject="tmm-sig"),
    "half a reason": mail("held because" * 80_000, From="tmm-sig-owner@lists.example.org", Subject="tmm-sig"),
    "half a distribution": mail("distribute a " * 80_000, From="sympa@lists.example.org", Subject="tmm-sig"),
    "delivery": mail("delivery " * 100_000, From="mailer-daemon@lists.example.org", Subject="tmm-sig"),
    "prefixes": b"Subject: " + b"[a] " * 100_000 + b"x\r\n\r\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_says_nothing_and_takes_no_time(name: str) -> None:
    assert ends_soon(HOSTILE[name]).post is None


@pytest.mark.parametrize(
    "charset",
    ["punycode", "idna", "unicode_escape", "utf-7", "zlib", "rot13", "no-such", "\x00", "utf-8\xff", "x" * 9000],
)
def test_a_charset_that_is_a_program_is_not_run(charset: str) -> None:
    head = (
        f"From: tmm-sig-bounces@lists.example.org\r\nSubject: x\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
    )
    assert ends_soon(head.encode("latin-1") + b"a-" * 400_000).post is None


@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
def test_a_broken_sample_breaks_nothing(sample: Sample, seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(sample.make(POST))
    for _ in range(chance.randrange(1, 40)):
        place = chance.randrange(len(raw))
        match chance.randrange(3):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randrange(1, 60)]
            case _:
                raw[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
        raw = raw or bytearray(b"\n")
    found = meaning(bytes(raw), [POST])
    assert found.verdict in set(Verdict)
    assert all(char.isprintable() for char in found.reason)


@given(st.binary(max_size=2000))
def test_rubbish_says_nothing(raw: bytes) -> None:
    assert meaning(raw, ALL).post is None


def test_an_answer_on_the_list_that_quotes_everything_is_no_copy() -> None:
    raw = mail(
        POST.text, From="a@example.net", Subject=f"Re: {POST.subject}", Message_ID="<q@example.net>", **marks(POST)
    )
    assert meaning(raw, [POST]).verdict is Verdict.UNRELATED


def test_no_sample_holds_a_real_address() -> None:
    hosts = {host for sample in SAMPLES for host in re.findall(rb"@([\w.-]+\.\w+)", sample.make(POST))}
    assert {host for host in hosts if not re.search(rb"example\.(org|net|edu)$", host)} == set()

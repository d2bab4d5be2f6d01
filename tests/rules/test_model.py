"""The nouns: what an approval binds, how things are named, and what a refusal says."""

import hashlib
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.model import BadInput, Letter, Picture, Post, SentPicture, post_name, sha256_of_json, without_date
from tests.builders import a_content, a_mail, a_post

PICTURE = SentPicture("poster.jpg", "A poster", "ab" * 32, "media/ab.jpg")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# What an approval binds


def test_the_hash_of_a_page_post_is_that_of_its_compact_json() -> None:
    content = a_content(text="Größe ≤ 5 µm", link=None, pictures=(PICTURE, replace(PICTURE, alt=None)))

    assert content.sha256() == sha(
        '{"link":null,"message":"Größe ≤ 5 µm","pictures":'
        f'[{{"alt":"A poster","sha256":"{"ab" * 32}"}},{{"alt":null,"sha256":"{"ab" * 32}"}}]}}'
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Join us on Friday!"},
        {"link": None},
        {"link": "https://example.org/2"},
        {"pictures": ()},
        {"pictures": (replace(PICTURE, alt="Another"),)},
        {"pictures": (replace(PICTURE, sha256="cd" * 32),)},
        {"pictures": (PICTURE, PICTURE)},
    ],
)
def test_whatever_changes_what_readers_see_changes_the_hash(changes: dict[str, object]) -> None:
    content = a_content(pictures=(PICTURE,))

    assert replace(content, **changes).sha256() != content.sha256()  # type: ignore[arg-type]


def test_where_a_picture_is_kept_and_what_it_was_called_are_not_part_of_the_hash() -> None:
    moved = replace(PICTURE, path="elsewhere.jpg", file="renamed.jpg")

    assert a_content(pictures=(moved,)).sha256() == a_content(pictures=(PICTURE,)).sha256()


def test_the_order_of_pictures_counts() -> None:
    other = replace(PICTURE, sha256="cd" * 32)

    assert a_content(pictures=(PICTURE, other)).sha256() != a_content(pictures=(other, PICTURE)).sha256()


def test_the_hash_of_a_mail_is_that_of_its_bytes_without_the_date() -> None:
    assert a_mail().sha256() == sha(
        "Message-ID: <1@example.org>\r\nSubject: Poster session\r\n\r\nJoin us on Friday.\r\n"
    )


def test_a_mail_with_another_date_is_the_same_and_with_another_subject_is_not() -> None:
    mail = a_mail()
    assert mail.message is not None

    later = replace(mail, message=mail.message.replace("01 Dec", "02 Dec"))
    other = replace(mail, message=mail.message.replace("Poster", "Postal"))

    assert later.sha256() == mail.sha256()
    assert other.sha256() != mail.sha256()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"Date: now\r\nTo: a\r\n\r\nHi\r\n", b"To: a\r\n\r\nHi\r\n"),
        (b"To: a\r\nDATE: now\r\n\r\nHi\r\n", b"To: a\r\n\r\nHi\r\n"),
        (b"To: a\r\nDate: a\r\n long\r\n\t one\r\nCc: b\r\n\r\nHi\r\n", b"To: a\r\nCc: b\r\n\r\nHi\r\n"),
        (b"To: a\r\n\r\nDate: Friday\r\n", b"To: a\r\n\r\nDate: Friday\r\n"),
        (b"To: a\r\nResent-Date: b\r\n\r\nHi\r\n", b"To: a\r\nResent-Date: b\r\n\r\nHi\r\n"),
        (b"Date: a\r\n\r\n", b"\r\n"),
    ],
)
def test_only_the_date_field_is_taken_out_of_a_message(message: bytes, expected: bytes) -> None:
    assert without_date(message) == expected


@given(st.dictionaries(st.text(), st.text()))
def test_the_hash_of_json_does_not_depend_on_the_order_of_keys(values: dict[str, str]) -> None:
    turned = dict(reversed(values.items()))

    try:
        assert sha256_of_json(values) == sha256_of_json(turned)
    except BadInput:
        assert any("\ud800" <= c <= "\udfff" for text in (*values, *values.values()) for c in text)


def test_half_a_character_is_refused_in_plain_words() -> None:
    with pytest.raises(BadInput) as caught:
        a_content(text="broken \ud83d").sha256()

    assert caught.value.message == "The text holds half a character (a lone surrogate)."


# Letters


LETTER = Letter(
    "Poster session", "Join us.", to=("facebook",), at="2026-12-01 09:00", pictures=(Picture("a.jpg", "A"),)
)


def test_a_letter_for_another_time_or_place_says_the_same_but_is_another_letter() -> None:
    for changed in (
        replace(LETTER, at="now"),
        replace(LETTER, zone="UTC"),
        replace(LETTER, to=()),
        replace(LETTER, not_after="2026-12-02 09:00"),
        replace(LETTER, grace="2 hours"),
    ):
        assert changed.said() == LETTER.said()
        assert changed.key() != LETTER.key()


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Webinar"},
        {"body": "Join us!"},
        {"template": "webinar"},
        {"link": "https://example.org"},
        {"pictures": ()},
        {"pictures": (Picture("a.jpg", None),)},
        {"fields": (("room", "5"),)},
        {"fields": (("room", ("5",)),)},
    ],
)
def test_a_letter_that_says_something_else_is_another(changes: dict[str, object]) -> None:
    changed = replace(LETTER, **changes)  # type: ignore[arg-type]

    assert changed.said() != LETTER.said()
    assert changed.key() != LETTER.key()


# Names and refusals


@pytest.mark.parametrize(("occurrence", "expected"), [(1, "12/facebook"), (2, "12/facebook/2"), (10, "12/facebook/10")])
def test_a_post_is_named_as_people_do(occurrence: int, expected: str) -> None:
    assert post_name(12, "facebook", occurrence) == expected
    assert a_post(occurrence=occurrence).name == expected


def test_a_refusal_says_in_one_line_where_what_and_what_to_do() -> None:
    said = BadInput("It has no title.", where="letter.md, line 2", next_step="Write one.")

    assert str(said) == "letter.md, line 2: It has no title. Write one."
    assert str(BadInput("It has no title.")) == "It has no title."


def test_a_post_cannot_be_changed_in_place() -> None:
    post = a_post()

    with pytest.raises(FrozenInstanceError):
        post.state = "published"  # type: ignore[misc, assignment]


def test_every_instant_of_a_post_is_aware() -> None:
    post: Post = a_post()

    assert [at.tzinfo for at in (post.due_at, post.planned_at, post.miss_at)] == [UTC] * 3
    assert post.due_at > datetime(2026, 1, 1, tzinfo=UTC)

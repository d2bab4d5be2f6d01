"""One post looked at before it is due: its pictures on the disk, its text, the stored mail by the settings of today."""

import hashlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from outreach.channels import ChecksContent
from outreach.model import Content, SentPicture
from outreach.sandbox import Sandbox

from .builders import a_list, a_page, a_picture, a_wording, the_list, the_page


def illustrated(media: Path) -> tuple[Content, Path]:
    """What a Page post with one picture sends, and where the picture lies."""
    picture = a_picture(media)
    return Content("facebook_page", "Poster session", None, (picture,)), media / picture.path


def what_is_wrong(content: Content, media: Path) -> str:
    [problem] = a_page("http://127.0.0.1:1", media).check_content(content)
    assert problem.next_step
    assert not problem.is_warning
    return problem.message


def test_a_post_that_is_right_has_no_problems_and_asks_facebook_nothing(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    assert isinstance(page, ChecksContent)
    assert page.check_content(page.render(a_wording(pictures=(a_picture(tmp_path),)))) == []
    assert box.graph.journal == []


def test_a_picture_that_is_gone_is_told(tmp_path: Path) -> None:
    content, file = illustrated(tmp_path)
    file.unlink()
    assert what_is_wrong(content, tmp_path) == "The picture poster.jpg is gone from the media folder."


def test_a_picture_that_was_changed_or_cut_short_is_told(tmp_path: Path) -> None:
    content, file = illustrated(tmp_path)
    whole = file.read_bytes()
    for changed in (whole[:-10], b"", whole + b"x"):
        file.write_bytes(changed)
        assert "is not the one that was queued" in what_is_wrong(content, tmp_path)


def test_a_picture_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    content, file = illustrated(tmp_path)
    file.unlink()
    file.mkdir()
    assert "cannot be read (Is a directory)" in what_is_wrong(content, tmp_path)


def kept(media: Path, data: bytes) -> Content:
    digest = hashlib.sha256(data).hexdigest()
    (media / digest).write_bytes(data)
    return Content("facebook_page", "x", None, (SentPicture("poster.jpg", None, digest, digest),))


def test_what_is_no_picture_is_told_although_its_hash_is_right(tmp_path: Path) -> None:
    _, file = illustrated(tmp_path)
    for data in (b"no picture", file.read_bytes()[:-400]):
        assert "no picture, or is damaged" in what_is_wrong(kept(tmp_path, data), tmp_path)


def test_a_kind_of_picture_that_is_not_taken_is_told(tmp_path: Path) -> None:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP")
    assert "is WEBP" in what_is_wrong(kept(tmp_path, out.getvalue()), tmp_path)


def test_a_picture_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    content, file = illustrated(tmp_path)
    with file.open("wb") as out:
        out.truncate(50_000_000_000)
    assert "has 50000.0 MB; 4 MB are taken" in what_is_wrong(content, tmp_path)


def test_too_many_pictures_are_told(tmp_path: Path) -> None:
    content, _ = illustrated(tmp_path)
    assert "has 11 pictures" in what_is_wrong(replace(content, pictures=content.pictures * 11), tmp_path)


def test_a_text_that_facebook_would_not_take_is_told(tmp_path: Path) -> None:
    assert "63,207 characters" in what_is_wrong(Content("facebook_page", "x" * 63_207), tmp_path)
    assert "neither text nor link" in what_is_wrong(Content("facebook_page", " "), tmp_path)


# The list


def test_a_mail_that_is_right_has_no_problems_and_sends_nothing(box: Sandbox, tmp_path: Path) -> None:
    here = the_list(box, tmp_path)
    assert isinstance(here, ChecksContent)
    content = here.render(a_wording(title="Zoë 🎉 " * 20, pictures=(a_picture(tmp_path),)))
    for file in tmp_path.iterdir():
        file.unlink()  # they are inside the mail
    assert here.check_content(content) == []
    assert box.mail.journal == []


@pytest.mark.parametrize(
    ("today", "words"),
    [
        ({"address": "other@lists.example.org"}, "is written to tmm-sig@lists.example.org, but LISTSERV_ADDRESS is"),
        (
            {"sender": "New <new@example.org>"},
            "is from coordinator@example.org, but LISTSERV_SENDER is new@example.org",
        ),
        ({"max_bytes": 500}, "the list takes 0.488281 KB"),
    ],
)
def test_settings_that_changed_since_a_mail_was_stored_are_told(today: dict[str, Any], words: str) -> None:
    content = a_list(1).render(a_wording())
    [problem] = a_list(1, **today).check_content(content)
    assert words in problem.message
    assert problem.next_step


def test_a_mail_whose_sender_has_another_name_today_is_sent_as_it_was_approved() -> None:
    content = a_list(1).render(a_wording())
    assert a_list(1, sender="The New Coordinator <Coordinator@example.org>").check_content(content) == []

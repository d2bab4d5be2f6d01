"""Pictures: staging, checks, alternative text, what becomes of forgotten ones."""

import hashlib
import json

import pytest

from outreach.sandbox import Sandbox

from .clients import JPEG, PNG, Caller, error_of, media


def attached(*photo_ids: str) -> dict[str, str]:
    return {f"attached_media[{n}]": json.dumps({"media_fbid": photo_id}) for n, photo_id in enumerate(photo_ids)}


def test_staged_photos_become_visible_with_their_post_only(box: Sandbox, call: Caller) -> None:
    first, second = call.stage(PNG, alt_text_custom="A poster"), call.stage(JPEG)
    assert box.graph.public_posts() == []
    assert call.feed(message="Two pictures", **attached(first, second)).ok
    (post,) = box.graph.public_posts()
    assert post.pictures == (("A poster", hashlib.sha256(PNG).hexdigest()), (None, hashlib.sha256(JPEG).hexdigest()))


def test_attached_media_may_be_one_json_list(box: Sandbox, call: Caller) -> None:
    photo_id = call.stage()
    assert call.feed(message="One", attached_media=media(photo_id)).ok
    assert len(box.graph.public_posts()[0].pictures) == 1


def test_attached_media_may_be_a_list_in_a_json_body(box: Sandbox, call: Caller) -> None:
    body = {"message": "One", "attached_media": [{"media_fbid": call.stage()}], "access_token": box.page_token}
    assert call.session.post(call.url(f"{box.page_id}/feed"), json=body, timeout=30).ok
    assert len(box.graph.public_posts()[0].pictures) == 1


def test_pictures_keep_the_order_of_their_numbers_beyond_nine(box: Sandbox, call: Caller) -> None:
    contents = [PNG + bytes([n]) for n in range(11)]
    assert call.feed(message="Eleven", **attached(*[call.stage(content) for content in contents])).ok
    shown = [digest for _, digest in box.graph.public_posts()[0].pictures]
    assert shown == [hashlib.sha256(content).hexdigest() for content in contents]


def test_a_photo_published_directly_is_a_post(box: Sandbox, call: Caller) -> None:
    answer = call.post(f"{box.page_id}/photos", files={"picture": ("a.jpg", JPEG)}, caption="Look").json()
    (post,) = box.graph.public_posts()
    assert answer["post_id"] == post.id
    assert answer["id"].isdigit()
    assert (post.message, len(post.pictures)) == ("Look", 1)


def test_alternative_text_can_be_read_back(call: Caller) -> None:
    photo_id = call.stage(alt_text_custom="A lecture hall, “full”")
    assert call.get(photo_id, fields="alt_text_custom").json() == {
        "id": photo_id,
        "alt_text_custom": "A lecture hall, “full”",
    }


@pytest.mark.parametrize("content", [b"GIF89a....", b"BM......", b"II*\x00....", b"MM\x00*....", JPEG, PNG])
def test_every_documented_kind_of_picture_is_taken(call: Caller, content: bytes) -> None:
    assert call.stage(content).isdigit()


def test_a_file_that_is_no_picture_is_refused(box: Sandbox, call: Caller) -> None:
    answer = call.post(f"{box.page_id}/photos", files={"source": ("a.png", b"plain text")}, published="false")
    assert error_of(answer) == (400, 324, 2069019)


def test_a_picture_beyond_four_megabytes_is_refused(box: Sandbox, call: Caller) -> None:
    huge = PNG + b"\x00" * (4 * 1024 * 1024)
    answer = call.post(f"{box.page_id}/photos", files={"source": ("a.png", huge)}, published="false")
    assert error_of(answer) == (400, 100, 1366046)


def test_a_call_without_a_picture_is_refused(box: Sandbox, call: Caller) -> None:
    assert error_of(call.post(f"{box.page_id}/photos", caption="nothing")) == (400, 324, None)


def test_a_picture_by_address_comes_from_the_prepared_ones_only(box: Sandbox, call: Caller) -> None:
    box.graph.rules.pictures_by_url["https://example.org/a.png"] = PNG
    assert call.post(f"{box.page_id}/photos", url="https://example.org/a.png").ok
    answer = call.post(f"{box.page_id}/photos", url="https://example.org/b.png")
    assert error_of(answer) == (400, 324, 2069019)
    assert len(box.graph.public_posts()) == 1


def test_a_photo_cannot_be_used_twice(box: Sandbox, call: Caller) -> None:
    photo_id = call.stage()
    assert call.feed(message="first", **attached(photo_id)).ok
    assert error_of(call.feed(message="second", **attached(photo_id))) == (400, 100, None)
    assert len(box.graph.public_posts()) == 1


def test_a_photo_cannot_stand_twice_in_one_post(call: Caller) -> None:
    photo_id = call.stage()
    assert error_of(call.feed(message="x", **attached(photo_id, photo_id))) == (400, 100, None)


def test_a_deleted_photo_cannot_be_attached(call: Caller) -> None:
    photo_id = call.stage()
    assert call.delete(photo_id).json() == {"success": True}
    assert error_of(call.feed(message="x", **attached(photo_id))) == (400, 100, None)


def test_a_photo_of_another_page_cannot_be_attached() -> None:
    with Sandbox(pages=2) as box:
        call = Caller(box)
        photo_id = call.stage()
        answer = call.post(f"{box.pages[1].id}/feed", token=box.pages[1].token, message="x", **attached(photo_id))
        assert error_of(answer) == (400, 100, None)


def test_attached_media_without_an_id_is_refused(call: Caller) -> None:
    assert error_of(call.feed(message="x", **{"attached_media[0]": "{}"})) == (400, 100, None)


def test_a_staged_photo_is_forgotten_after_a_day_of_the_sandbox_clock(box: Sandbox, call: Caller) -> None:
    photo_id = call.stage(temporary="true")
    box.graph.clock.advance(24 * 3600 - 1)
    assert call.get(photo_id).ok
    box.graph.clock.advance(1)
    assert error_of(call.get(photo_id)) == (400, 100, 33)
    assert error_of(call.feed(message="late", **attached(photo_id))) == (400, 100, None)


def test_an_attached_photo_is_not_forgotten(box: Sandbox, call: Caller) -> None:
    call.feed(message="kept", **attached(call.stage()))
    box.graph.clock.advance(48 * 3600)
    assert len(box.graph.public_posts()[0].pictures) == 1


def test_a_photo_post_carries_no_link(box: Sandbox, call: Caller) -> None:
    call.feed(message="x", link="https://example.org/", **attached(call.stage()))
    assert box.graph.public_posts()[0].link is None


def test_only_public_photos_are_listed(call: Caller) -> None:
    call.stage()
    shown = call.stage()
    call.feed(message="x", **attached(shown))
    assert call.ids("photos") == [shown]


def test_uploads_leave_their_size_in_the_journal_not_their_bytes(box: Sandbox, call: Caller) -> None:
    call.stage()
    assert box.graph.journal[-1].params["file source"] == f"{len(PNG)} bytes"


def test_a_broken_multipart_body_is_refused(box: Sandbox, call: Caller) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Authorization": f"Bearer {box.page_token}"}
    answer = call.session.post(call.url(f"{box.page_id}/photos"), data=b"--y\r\nno", headers=headers, timeout=30)
    assert error_of(answer) == (400, 100, None)

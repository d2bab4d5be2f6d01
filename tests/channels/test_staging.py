"""Pictures uploaded for a try that came to nothing: used again while they last, and never in the way of the post."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from outreach.channels import Surroundings, Upload
from outreach.channels.facebook_page import FacebookPage
from outreach.model import HELD_UP, Attempt, Published, Refused, Unavailable, Unconfirmed
from outreach.sandbox import Sandbox
from outreach.settings import read_settings

from .builders import NOON, a_picture, a_wording, an_attempt, the_page


class Kept:
    """Uploads in memory."""

    def __init__(self) -> None:
        self.all: dict[int, dict[int, Upload]] = {}

    def of(self, post_id: int) -> Mapping[int, Upload]:
        return dict(self.all.get(post_id, {}))

    def keep(self, post_id: int, place: int, upload: Upload) -> None:
        self.all.setdefault(post_id, {})[place] = upload

    def forget(self, post_id: int) -> None:
        self.all.pop(post_id, None)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def the_page_that_keeps(box: Sandbox, media: Path, kept: Kept, page: int = 0) -> FacebookPage:
    values = {
        "FACEBOOK_GRAPH_URL": box.graph_url,
        "FACEBOOK_PAGE_ID": box.pages[page].id,
        "FACEBOOK_PAGE_TOKEN": box.pages[page].token,
    }
    built = FacebookPage.from_settings(read_settings(values), Surroundings(media, box.graph.clock.now, kept))
    assert built is not None
    return built


def with_pictures(box: Sandbox, media: Path, number: int = 3, **changes: object) -> Attempt:
    wording = a_wording(pictures=tuple(a_picture(media, f"p{n}.jpg", seed=n) for n in range(number)))
    return an_attempt(the_page(box, media).render(wording), **changes)


def uploads(box: Sandbox) -> int:
    return sum(entry.op == "photos" for entry in box.graph.journal)


def test_what_was_uploaded_before_a_failure_is_used_by_the_next_try(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    attempt = with_pictures(box, tmp_path)
    box.graph.fail_with("190_460", "photos", after=2)
    the_page_that_keeps(box, tmp_path, kept).publish(attempt)
    assert (uploads(box), len(kept.all[1])) == (3, 2)

    outcome = the_page_that_keeps(box, tmp_path, kept).publish(attempt)

    [post] = box.graph.public_posts()
    assert isinstance(outcome, Published)
    assert post.pictures == tuple((p.alt, p.sha256) for p in attempt.content.pictures)
    assert uploads(box) == 4


def test_uploads_of_a_post_that_is_out_are_let_go(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    the_page_that_keeps(box, tmp_path, kept).publish(with_pictures(box, tmp_path))

    assert kept.all == {}


@pytest.mark.parametrize(("hours", "expected"), [(19.9, 4), (20.1, 6)])
def test_uploads_are_used_while_they_are_younger_than_twenty_hours(
    box: Sandbox, tmp_path: Path, kept: Kept, hours: float, expected: int
) -> None:
    attempt = with_pictures(box, tmp_path)
    box.graph.fail_with("4", "photos", after=2)
    page = the_page_that_keeps(box, tmp_path, kept)
    page.publish(attempt)
    box.graph.clock.advance(hours * 3600)

    assert isinstance(page.publish(attempt), Published)
    assert uploads(box) == expected


def test_uploads_of_another_page_picture_or_text_for_the_blind_are_not_used(
    box: Sandbox, tmp_path: Path, kept: Kept
) -> None:
    attempt = with_pictures(box, tmp_path, 1)
    box.graph.fail("feed", "error", code=4)
    the_page_that_keeps(box, tmp_path, kept).publish(attempt)
    [picture] = attempt.content.pictures
    other = replace(attempt.content, pictures=(replace(picture, alt="Another text"),))

    assert isinstance(the_page_that_keeps(box, tmp_path, kept).publish(an_attempt(other)), Published)

    assert box.graph.public_posts()[0].pictures == (("Another text", picture.sha256),)
    assert uploads(box) == 2


def test_uploads_for_one_page_are_of_no_use_to_another(tmp_path: Path, kept: Kept) -> None:
    with Sandbox(pages=2) as box:
        attempt = with_pictures(box, tmp_path, 1)
        box.graph.fail("feed", "error", code=4)
        the_page_that_keeps(box, tmp_path, kept).publish(attempt)

        assert isinstance(the_page_that_keeps(box, tmp_path, kept, page=1).publish(attempt), Published)

        assert len(box.graph.public_posts(box.pages[1].id)) == 1


def test_uploads_that_facebook_has_let_go_of_are_made_anew_by_the_next_try(
    box: Sandbox, tmp_path: Path, kept: Kept
) -> None:
    attempt = with_pictures(box, tmp_path, 2)
    box.graph.fail("feed", "error", code=4)
    page = the_page_that_keeps(box, tmp_path, kept)
    page.publish(attempt)
    box.graph.world.photos.clear()

    outcome = page.publish(attempt)

    assert isinstance(outcome, Unavailable)
    assert outcome.reason.endswith("The pictures are uploaded anew.")
    assert isinstance(page.publish(attempt), Published)
    assert len(box.graph.public_posts()) == 1


def test_a_refusal_of_fresh_uploads_is_a_refusal(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    box.graph.fail("feed", "error", code=100)

    assert isinstance(the_page_that_keeps(box, tmp_path, kept).publish(with_pictures(box, tmp_path)), Refused)


def test_uploads_stay_when_the_answer_to_the_post_was_lost(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    box.graph.fail("feed", "close", write=False)

    outcome = the_page_that_keeps(box, tmp_path, kept).publish(with_pictures(box, tmp_path))

    assert isinstance(outcome, Unconfirmed)
    assert len(kept.all[1]) == 3


def test_a_staged_picture_is_never_seen_and_is_no_post(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    box.graph.fail("feed", "close", write=False)
    page = the_page_that_keeps(box, tmp_path, kept)
    page.publish(with_pictures(box, tmp_path))

    assert box.graph.public_posts() == []
    assert len(box.graph.world.photos) == 3


# The fence, asked when the first byte is about to leave


def running_out_after(asked: int) -> Callable[[], bool]:
    left = iter([True] * asked)
    return lambda: next(left, False)


@pytest.mark.parametrize("pictures", [0, 2])
def test_a_post_whose_time_is_over_is_not_made_public_whatever_was_uploaded(
    box: Sandbox, tmp_path: Path, kept: Kept, pictures: int
) -> None:
    attempt = with_pictures(box, tmp_path, pictures, may_send=running_out_after(0))

    assert the_page_that_keeps(box, tmp_path, kept).publish(attempt) == HELD_UP

    assert (uploads(box), box.graph.public_posts()) == (pictures, [])
    assert [entry.op for entry in box.graph.journal] == ["photos"] * pictures


def test_the_fence_is_asked_once_for_a_post_that_goes_out(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    attempt = with_pictures(box, tmp_path, 1, may_send=running_out_after(1))

    assert isinstance(the_page_that_keeps(box, tmp_path, kept).publish(attempt), Published)


def test_a_page_that_nears_its_limit_rests_after_what_it_published(box: Sandbox, tmp_path: Path, kept: Kept) -> None:
    usage = f'{{"{box.page_id}": [{{"type": "pages", "call_count": 96, "estimated_time_to_regain_access": 7}}]}}'
    box.graph.fail("feed", "delay", seconds=0, headers={"X-Business-Use-Case-Usage": usage})

    outcome = the_page_that_keeps(box, tmp_path, kept).publish(with_pictures(box, tmp_path, 0))

    assert isinstance(outcome, Published)
    assert outcome.rest_until == NOON + timedelta(minutes=7)
    assert len(box.graph.public_posts()) == 1


@pytest.mark.parametrize(
    "usage", ["", "nonsense", '{"1": [{"call_count": 94}]}', '{"1": [{"call_count": "99"}]}', "[]"]
)
def test_a_page_far_from_its_limit_does_not_rest(box: Sandbox, tmp_path: Path, kept: Kept, usage: str) -> None:
    box.graph.fail("feed", "delay", seconds=0, headers={"X-Business-Use-Case-Usage": usage})

    outcome = the_page_that_keeps(box, tmp_path, kept).publish(with_pictures(box, tmp_path, 0))

    assert isinstance(outcome, Published)
    assert outcome.rest_until is None

"""Videos against a real Graph server: uploaded unseen, gone on with after every fault, and out exactly once."""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.extras import Extras, SentVideo
from outreach.letter import parse
from outreach.model import BadInput, Content, Found, Post, State
from outreach.sandbox import Sandbox
from outreach.sandbox.videos import CHUNK_BYTES
from outreach.settings import read_settings
from outreach.store.uploads import StoredUploads
from tests.builders import a_stored_post
from tests.channels.builders import an_attempt, the_page
from tests.doors.place import Place, a_picture
from tests.hands.kills import killed_before, lines_of, spread
from tests.work.clocks import StillClock
from tests.work.conftest import box, house, place, still

pytestmark = pytest.mark.usefixtures("before")
__all__ = ["box", "house", "place", "still"]
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 11_000
CAPTIONS = "1\n00:00:01,000 --> 00:00:04,000\nWelcome.\n"
FAULTS = ["500-2", "html-502", "empty-200", "truncated", "close", "reset"]


def add(house: House, place: Place, *, more: str = "", to: str = "facebook") -> str:
    (place.folder / "talk.mp4").write_bytes(FILM)
    (place.folder / "talk.de_DE.srt").write_text(CAPTIONS)
    head = f"title: The talk\nto: {to}\nat: now\nvideo: talk.mp4\n{more}"
    added = house.desk.add(parse(f"---\n{head}---\nSee it.\n"), folder=place.folder)
    return added.posts[0].name


@pytest.fixture
def before(box: Sandbox, still: StillClock) -> None:
    """Facebook's clock and ours agree, and the Page has an older post: an empty list would prove nothing."""
    box.graph.clock.advance((still.now() - box.graph.clock.now()).total_seconds() - 90_000)
    box.graph.world.add_post(box.page_id, message="Before", link=None, photo_ids=(), due_at=None, is_public=True)
    box.graph.clock.advance(90_000)


def work(house: House, still: StillClock, box: Sandbox, rounds: int = 12) -> None:
    """Let hours pass: what is put off is tried again, what is in doubt is looked for."""
    for _ in range(rounds):
        publisher, watch = house.new_worker()
        watch.round()
        publisher.drain()
        publisher.close()
        watch.leave()
        still.tick(400)
        box.graph.clock.advance((still.now() - box.graph.clock.now()).total_seconds())


def public(box: Sandbox) -> list[str | None]:
    return [post.message for post in box.graph.public_posts() if post.message != "Before"]


def steps(box: Sandbox) -> list[str]:
    return [e.params.get("upload_phase", e.op) for e in box.graph.journal if e.op in ("videos", "captions", "feed")]


def test_a_video_is_uploaded_in_pieces_with_its_captions_and_becomes_one_post(
    house: House, place: Place, still: StillClock, box: Sandbox
) -> None:
    name = add(
        house, place, more="video_title: Talk of the year\ncaptions: talk.de_DE.srt\nlink: https://example.org/x\n"
    )
    work(house, still, box, 1)
    [post] = [post for post in box.graph.public_posts() if post.message != "Before"]
    [video] = box.graph.world.videos.values()
    assert bytes(video.content) == FILM
    assert (video.title, video.captions) == ("Talk of the year", {"de_DE": CAPTIONS.encode()})
    assert (post.video, post.message) == (video.sha256, "The talk\n\nSee it.\n\nhttps://example.org/x")
    assert steps(box) == ["start", "transfer", "finish", "captions", "feed"]
    assert house.desk.find(name)[0].state is State.PUBLISHED
    work(house, still, box)
    assert len(public(box)) == 1


def test_what_is_approved_is_the_bytes_of_the_video(house: House, place: Place) -> None:
    name = add(house, place)
    before = house.desk.find(name)[0].content_sha256
    (place.folder / "talk.mp4").write_bytes(FILM + b"x")
    again = house.desk.preview_letter(
        parse("---\ntitle: The talk\nto: facebook\nat: now\nvideo: talk.mp4\n---\nSee it!\n"), folder=place.folder
    )
    assert again[0].content.sha256() != before
    assert again[0].content.extras.video is not None


def test_processing_is_waited_for_without_a_second_upload_and_is_no_failure(
    house: House, place: Place, still: StillClock, box: Sandbox
) -> None:
    box.graph.rules.video_takes_s = 600
    box.graph.rules.video_lag_s = 60
    house = House(read_settings(place.settings | {"OUTREACH_MAX_FAILURES": "1"}), still)
    name = add(house, place)
    work(house, still, box, 1)
    [post] = house.desk.find(name)
    assert (post.state, post.reason) == (State.QUEUED, "Facebook is still processing the video.")
    assert public(box) == []
    assert [channel.state for channel in house.desk.channels() if channel.name == "facebook"] == ["ready"]
    work(house, still, box)
    assert len(public(box)) == 1
    assert steps(box).count("start") == 1
    assert [channel.state for channel in house.desk.channels() if channel.name == "facebook"] == ["ready"]
    house.close()


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_at_any_unseen_step_costs_time_alone(
    house: House, place: Place, still: StillClock, box: Sandbox, how: str, after: int, write: bool
) -> None:
    box.graph.fail("videos", how, after=after, write=write)
    name = add(house, place)
    work(house, still, box)
    assert len(public(box)) == 1
    assert box.graph.public_posts()[-1].video is not None
    assert house.desk.find(name)[0].state is State.PUBLISHED


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_at_the_visible_step_never_makes_two(
    house: House, place: Place, still: StillClock, box: Sandbox, how: str, write: bool
) -> None:
    box.graph.fail("feed", how, write=write)
    name = add(house, place)
    work(house, still, box)
    assert len(public(box)) == 1
    assert house.desk.find(name)[0].state is State.PUBLISHED


def test_a_facebook_that_publishes_at_the_end_of_the_upload_makes_our_post(
    house: House, place: Place, still: StillClock, box: Sandbox
) -> None:
    box.graph.rules.videos_ignore_published = True
    name = add(house, place)
    work(house, still, box)
    [post] = [post for post in box.graph.public_posts() if post.message != "Before"]
    assert house.desk.find(name)[0].remote_id == post.id
    assert "feed" not in steps(box)


def test_a_facebook_that_attaches_no_video_refuses_cleanly_and_nothing_is_out(
    house: House, place: Place, still: StillClock, box: Sandbox
) -> None:
    box.graph.rules.videos_may_be_attached = False
    name = add(house, place)
    work(house, still, box)
    assert (public(box), house.desk.find(name)[0].state) == ([], State.FAILED)
    assert steps(box).count("start") == 1


def test_a_video_that_cannot_be_processed_fails_in_a_sentence(
    house: House, place: Place, still: StillClock, box: Sandbox
) -> None:
    box.graph.rules.video_verdict = "error"
    name = add(house, place)
    work(house, still, box, 2)
    [post] = house.desk.find(name)
    assert (post.state, post.reason) == (State.FAILED, "Facebook could not process the video talk.mp4.")


def test_the_list_gets_the_words_and_no_video(house: House, place: Place, still: StillClock, box: Sandbox) -> None:
    add(house, place, to="facebook, listserv")
    work(house, still, box, 2)
    [mail] = box.mail.distributed()
    assert len(mail.raw) < 20_000


@pytest.mark.timeout(600)
def test_killed_at_any_line_it_goes_on_and_ends_as_one_post(house: House, place: Place, box: Sandbox) -> None:
    """The try dies in a process of its own; the next one first asks for the post, then goes on with what is kept."""
    whole = a_stored_post(house.store)
    for line in spread(lines_of(lambda: _publish(house, place, box, whole)), 15):
        post = a_stored_post(house.store)
        killed_before(line, partial(_publish, house, place, box, post))
        assert public(box).count(post.title) <= 1
        for _ in range(2):  # a piece that arrived without being kept makes the first of them begin anew
            _publish(house, place, box, post)
        assert public(box).count(post.title) == 1, f"killed before line {line}"
    assert 0 < len([e for e in box.graph.journal if e.params.get("upload_phase") == "start"]) < 2 * len(public(box))


def _publish(house: House, place: Place, box: Sandbox, post: Post) -> None:
    """Try once, as the publisher does: a later try asks first whether the post is there."""
    media = place.queue / "media"
    media.mkdir(exist_ok=True)
    (media / "talk.mp4").write_bytes(FILM)
    page = the_page(box, media)
    page._uploads = StoredUploads(house.store)
    video = SentVideo("talk.mp4", "", hashlib.sha256(FILM).hexdigest(), "talk.mp4")
    content = Content("facebook_page", post.title, extras=Extras(video=video))
    attempt = replace(an_attempt(content), post=post, first_started_at=box.graph.clock.now())
    if not isinstance(page.find(attempt), Found):
        page.publish(attempt)


# What is refused before it is queued


@pytest.mark.parametrize(
    ("more", "said", "where"),
    [
        ("video: gone.mp4\n", "was not found", "video"),
        ("video: text.mp4\n", "is no MP4 or MOV video", "video"),
        ("video: ../talk.mp4\n", "was not found", "video"),
        ("captions: talk.srt\n", "there is none", "captions"),
        ("video: talk.mp4\ncaptions: text.mp4\n", "no captions that can be read", "captions"),
        ("video: talk.mp4\npictures:\n  - file: hall.jpg\n    alt: A hall\n", "not both", "video"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    house: House, place: Place, more: str, said: str, where: str
) -> None:
    (place.folder / "talk.mp4").write_bytes(FILM)
    (place.folder / "text.mp4").write_text("not a video at all")
    (place.folder / "hall.jpg").write_bytes(a_picture())
    with pytest.raises(BadInput) as refused:
        house.desk.add(parse(f"---\ntitle: A\nat: now\n{more}---\nB\n"), folder=place.folder)
    assert said in refused.value.message
    assert refused.value.where == where


def test_a_video_without_a_page_is_refused(house: House, place: Place) -> None:
    with pytest.raises(BadInput, match="takes a video"):
        add(house, place, to="listserv")


def test_a_video_larger_than_what_is_taken_is_not_even_read(house: House, place: Place) -> None:
    with (place.folder / "talk.mp4").open("wb") as file:
        file.write(FILM[:12])
        file.truncate(1_000_000_001)
    with pytest.raises(BadInput, match="1000 MB are taken"):
        house.desk.add(parse("---\ntitle: A\nto: facebook\nat: now\nvideo: talk.mp4\n---\nB\n"), folder=place.folder)


def test_the_sandbox_parts_a_film_of_this_size_only_where_the_client_does(tmp_path: Path) -> None:
    assert len(FILM) > 2 * CHUNK_BYTES

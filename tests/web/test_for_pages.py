"""What only a Page has, on the pages: a first comment, typed, previewed and decided about; a video that plays."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from outreach.bootstrap import House
from outreach.desk import NOWHERE
from outreach.desk import Place as Spot
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.letter import parse
from outreach.model import State
from outreach.roles import Role
from tests.builders import a_stored_post, require_approval
from tests.doors.place import Place
from tests.web.visitors import Guest, member
from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(1000)


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


def failed(house: House) -> str:
    post = a_stored_post(house.store, State.PUBLISHED)
    with house.store.write() as tx:
        values = f"({post.id}, 'failed', 'The Page said <no>.')"
        tx.exec_driver_sql(f"INSERT INTO first_comments (post_id, state, reason) VALUES {values}")
    return post.name


@pytest.mark.parametrize(("word", "state"), [("there", "posted"), ("again", "waiting")])
def test_a_person_says_what_became_of_it(house: House, address: str, word: str, state: str) -> None:
    ann, name = member(house, address), failed(house)
    where = f"/announcements/{name.partition('/')[0]}"
    page = ann.get(where).text
    assert "The Page said &lt;no&gt;." in page
    answer = ann.post(f"{where}/first-comment", **{"post": name, "is": word})
    assert answer.status_code == 200
    [post] = house.desk.find(name)
    assert str(house.desk.first_comments([post])[post.id].state) == state
    assert post.state is State.PUBLISHED
    assert ann.post(f"{where}/first-comment", **{"post": name, "is": word}).status_code == 409


def test_who_may_only_look_is_not_asked(house: House, address: str) -> None:
    bob, name = member(house, address, "bob@example.org", roles=frozenset({Role.REVIEWER})), failed(house)
    where = f"/announcements/{name.partition('/')[0]}"
    assert "Make the comment again" not in bob.get(where).text
    assert bob.post(f"{where}/first-comment", **{"post": name, "is": "again"}).status_code == 403


def test_what_is_typed_is_kept_and_previewed_as_plain_text(house: House, address: str) -> None:
    ann = member(house, address)
    typed = {"title": "Poster session", "body": "Come.", "to": "facebook", "when": "soon", "zone": "America/New_York"}
    answer = ann.post("/write/preview", **typed | {"first_comment": "The **form** <b>", "targeting": "us, CA"})
    assert answer.status_code == 200
    [words] = re.findall(r'<div class="fb-words" dir="auto">(.*?)</div>', answer.text, re.S)
    assert html.unescape(words) == "The form <b>"
    assert "Only people in US, CA can see this post." in answer.text
    saved = ann.post("/write/new/save", **typed | {"first_comment": "The **form**", "targeting": "us, CA"})
    assert "The **form**</textarea>" in saved.text
    assert 'value="us, CA"' in saved.text


def test_a_queued_video_plays_in_the_preview_with_its_captions_and_the_list_is_told_that_it_gets_none(
    house: House, address: str, place: Place
) -> None:
    ann = member(house, address)
    (place.folder / "talk.mp4").write_bytes(FILM)
    (place.folder / "talk.srt").write_text("1\n00:00:01,500 --> 00:00:04,000\nWelcome, all.\n")
    letter = parse("---\ntitle: A\nat: 2026-12-02 09:00\nvideo: talk.mp4\ncaptions: talk.srt\n---\nSee it.\n")
    number = house.desk.add(letter, folder=place.folder).announcement
    page = ann.get(f"/announcements/{number}/preview").text
    [film] = re.findall(r'src="(/media/[0-9a-f]{64}\.mp4)"', page)
    [track] = re.findall(r'<track kind="captions" src="([^"]+)"', page)
    assert "The video is not attached to the mail" in page
    answer = ann.get(film, headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (206, b"ftyp", "video/mp4")
    assert ann.get(track).text == "WEBVTT\n\n1\n00:00:01.500 --> 00:00:04.000\nWelcome, all.\n"
    assert Guest(address).get(film).history != []
    assert "media-src 'self'" in ann.get("/").headers["Content-Security-Policy"]


def test_a_video_can_be_edited_with_its_letter_though_its_file_lies_beside_it_no_more(
    house: House, address: str, place: Place
) -> None:
    (place.folder / "talk.mp4").write_bytes(FILM)
    letter = parse("---\ntitle: A\nto: facebook\nat: 2026-12-02 09:00\nvideo: talk.mp4\n---\nSee it.\n")
    number = house.desk.add(letter, folder=place.folder).announcement
    (place.folder / "talk.mp4").unlink()
    spot = house.desk.latest(number)
    house.desk.edit(Spot(number, spot.key), replace(letter, body="See it now."), folder=NOWHERE)
    [post] = house.desk.find(str(number))
    [shown] = house.desk.preview(post.name)
    assert shown.content.text == "A\n\nSee it now."
    assert shown.content.extras.video is not None


def test_who_approves_sees_the_comment_and_what_of_it_changed(house: House, address: str, place: Place) -> None:
    require_approval(house.store)
    ann, ben = member(house, address), member(house, address, "ben@example.org")
    letter = parse("---\ntitle: A\nto: facebook\nat: 2026-12-02 09:00\nfirst_comment: One\n---\nSee it.\n")
    number = house.desk.add(letter, folder=place.folder, person="ann@example.org").announcement
    page = ben.get(f"/approvals/{number}").text
    assert "The Page's first comment below it:" in html.unescape(page)
    spot = house.desk.latest(number)
    changed = replace(letter, first_comment="Two", targeting=("CA",))
    house.desk.edit(Spot(number, spot.key), changed, folder=NOWHERE, person="ann@example.org")
    page = ben.get(f"/approvals/{number}").text
    assert "Only people in CA can see this post." in page
    assert "First comment" in page
    story = ann.get(f"/announcements/{number}").text
    assert "<dt>First comment</dt>" in story
    assert "<dt>Targeting</dt>" in story

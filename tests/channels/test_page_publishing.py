"""What leaves for a Page: which requests, in which order, with what in them."""

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from outreach.model import BadInput, Blocked, Content, Published, Refused, Unauthorized, Unavailable, Unconfirmed
from outreach.sandbox import Sandbox

from .builders import NOON, SECRET, TOKEN, a_page, a_picture, a_wording, an_attempt, the_page
from .servers import RawServer, answering, http


def writes(box: Sandbox) -> list[tuple[str, str]]:
    return [(entry.method, entry.path) for entry in box.graph.journal if entry.method == "POST"]


def test_a_post_of_text_is_one_request_to_the_pinned_version(box: Sandbox) -> None:
    page = the_page(box, FACEBOOK_GRAPH_VERSION="v24.0")
    outcome = page.publish(an_attempt(page.render(a_wording())))
    [post] = box.graph.public_posts()
    assert (post.message, post.link) == ("Poster session\n\nJoin us on Friday.", None)
    assert outcome == Published(remote_id=post.id, evidence={"http_status": 200})
    assert writes(box) == [("POST", f"/v24.0/{box.page_id}/feed")]


def test_a_link_leaves_as_a_link(box: Sandbox) -> None:
    page = the_page(box)
    page.publish(an_attempt(page.render(a_wording(link="https://example.org/a?b=c&d=ü"))))
    assert [post.link for post in box.graph.public_posts()] == ["https://example.org/a?b=c&d=ü"]


@pytest.mark.parametrize("number", [1, 3, 10])
def test_pictures_are_staged_unseen_and_become_one_post(box: Sandbox, tmp_path: Path, number: int) -> None:
    page = the_page(box, tmp_path)
    pictures = tuple(a_picture(tmp_path, f"p{n}.jpg", f"Picture “{n}” ü" if n else None, seed=n) for n in range(number))
    page.publish(an_attempt(page.render(a_wording(pictures=pictures))))
    [post] = box.graph.public_posts()
    assert post.pictures == tuple((p.alt, p.sha256) for p in pictures)
    assert [entry.op for entry in box.graph.journal] == ["photos"] * number + ["feed"]
    staged = [entry.params for entry in box.graph.journal if entry.op == "photos"]
    assert all(params["published"] == "false" for params in staged)
    assert ["alt_text_custom" in params for params in staged] == [False] + [True] * (number - 1)


def test_a_link_beside_pictures_joins_the_text_since_no_card_is_shown(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    content = page.render(a_wording(link="https://example.org/x", pictures=(a_picture(tmp_path),)))
    assert (content.text, content.link) == ("Poster session\n\nJoin us on Friday.\n\nhttps://example.org/x", None)


def test_no_post_asks_for_fields_which_may_fail_after_the_write(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    page.publish(an_attempt(page.render(a_wording(pictures=(a_picture(tmp_path),)))))
    assert not any("fields" in entry.params for entry in box.graph.journal)


@pytest.mark.parametrize("fault", ["500-2", "close", "truncated", "html-502", "success-200"])
def test_a_picture_that_fails_stops_the_post_and_nothing_is_seen(box: Sandbox, tmp_path: Path, fault: str) -> None:
    page = the_page(box, tmp_path)
    pictures = tuple(a_picture(tmp_path, seed=n) for n in range(3))
    box.graph.fail("photos", fault, after=1)
    outcome = page.publish(an_attempt(page.render(a_wording(pictures=pictures))))
    assert isinstance(outcome, Unavailable)
    assert box.graph.public_posts() == []
    assert [entry.op for entry in box.graph.journal] == ["photos", "photos"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("324", Refused),
        ("1366046", Refused),
        ("100_1366046", Refused),
        ("190_463", Unauthorized),
        ("200", Unauthorized),
        ("368_1390008", Blocked),
        ("80001", Blocked),
        ("1", Unavailable),
        ("2", Unavailable),
        ("1366051", Unavailable),
    ],
)
def test_an_error_about_a_picture_is_never_in_doubt(box: Sandbox, tmp_path: Path, name: str, expected: type) -> None:
    page = the_page(box, tmp_path)
    box.graph.fail_with(name, "photos")
    assert isinstance(page.publish(an_attempt(page.render(a_wording(pictures=(a_picture(tmp_path),))))), expected)
    assert box.graph.public_posts() == []


def test_a_token_that_dies_between_two_pictures_stops_the_post(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    box.graph.fail_with("190_460", "photos", after=1)
    content = page.render(a_wording(pictures=tuple(a_picture(tmp_path, seed=n) for n in range(2))))
    assert isinstance(page.publish(an_attempt(content)), Unauthorized)


def test_a_picture_that_is_gone_or_was_changed_is_not_sent(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box, tmp_path)
    gone, changed = a_picture(tmp_path, seed=1), a_picture(tmp_path, seed=2)
    (tmp_path / gone.path).unlink()
    (tmp_path / changed.path).write_bytes(b"something else")
    for picture in (gone, changed):
        outcome = page.publish(an_attempt(page.render(a_wording(pictures=(picture,)))))
        assert isinstance(outcome, Refused)
        assert "poster.jpg" in outcome.reason
    assert box.graph.journal == []


def test_a_file_name_cannot_add_to_the_request(tmp_path: Path) -> None:
    name = 'a"\r\nX-Evil: 1\r\n\r\n--x; name="message".jpg'
    with RawServer(answering(http(b'{"id":"1"}'))) as server:
        page = a_page(server.url, tmp_path)
        page.publish(an_attempt(Content("facebook_page", "x", None, (replace(a_picture(tmp_path), file=name),))))
        assert b'filename="a%22%0D%0AX-Evil: 1%0D%0A%0D%0A--x; name=%22message%22.jpg"' in server.visits[0].received


def test_the_proof_is_made_of_token_and_secret() -> None:
    expected = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    with RawServer(answering(http(b'{"id":"1_2"}'))) as server:
        a_page(server.url).publish(an_attempt(Content("facebook_page", "x")))
        a_page(server.url, FACEBOOK_APP_SECRET="").publish(an_attempt(Content("facebook_page", "x")))
        first, second = (parse_qs(visit.received.partition(b"\r\n\r\n")[2].decode()) for visit in server.visits)
    assert first == {"message": ["x"], "appsecret_proof": [expected]}
    assert second == {"message": ["x"]}


def test_an_app_that_requires_the_proof_gets_it(box: Sandbox, tmp_path: Path) -> None:
    box.graph.rules.require_proof = True
    page = the_page(box, tmp_path)
    outcome = page.publish(an_attempt(page.render(a_wording(pictures=(a_picture(tmp_path),)))))
    assert isinstance(outcome, Published)
    assert page.link_to(outcome.remote_id or "") is not None
    assert page.check() == []


@pytest.mark.parametrize("settings", [{"FACEBOOK_APP_SECRET": ""}, {"FACEBOOK_APP_SECRET": "wrong"}])
def test_a_missing_or_wrong_proof_is_a_matter_of_the_set_up(box: Sandbox, settings: dict[str, Any]) -> None:
    box.graph.rules.require_proof = True
    page = the_page(box, **settings)
    outcome = page.publish(an_attempt(page.render(a_wording())))
    assert isinstance(outcome, Unauthorized)
    assert "FACEBOOK_APP_SECRET" in outcome.reason


@pytest.mark.parametrize("fault", ["500-2", "empty-200", "html-502", "close", "truncated"])
def test_a_permalink_that_cannot_be_read_means_nothing(box: Sandbox, fault: str) -> None:
    page = the_page(box)
    outcome = page.publish(an_attempt(page.render(a_wording())))
    assert isinstance(outcome, Published)
    assert outcome.remote_id is not None
    box.graph.fail("read", fault)
    assert page.link_to(outcome.remote_id) is None
    assert page.link_to(outcome.remote_id) == box.graph.public_posts()[0].permalink_url


def test_the_text_is_rendered_the_same_whenever_it_is_asked(tmp_path: Path) -> None:
    page = a_page("http://127.0.0.1:1", tmp_path)
    wording = a_wording(body="*a* [b](https://example.org)\n\n- c", pictures=(a_picture(tmp_path),))
    assert page.render(wording).sha256() == page.render(replace(wording, due_at=NOON.replace(hour=13))).sha256()


def test_what_facebook_would_not_take_is_refused_when_it_is_written() -> None:
    page = a_page("http://127.0.0.1:1")
    fits = 63_206 - len("Poster session\n\n")
    assert len(page.render(a_wording(body="x" * fits)).text) == 63_206
    with pytest.raises(BadInput, match="63,207 characters"):
        page.render(a_wording(body="x" * (fits + 1)))
    with pytest.raises(BadInput, match="mention another Page"):
        page.render(a_wording(body="See @[12345]"))


def test_a_set_up_that_is_right_has_no_problems(box: Sandbox) -> None:
    assert the_page(box).check() == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"FACEBOOK_PAGE_TOKEN": "EAAwrong", "FACEBOOK_APP_SECRET": ""}, "does not accept the token"),
        ({"FACEBOOK_PAGE_ID": "1"}, "does not belong to this Page"),
        ({"FACEBOOK_GRAPH_VERSION": "v19.0"}, "answers with version v21.0, not v19.0"),
        ({"FACEBOOK_GRAPH_URL": "http://127.0.0.1:1"}, "could not be reached"),
    ],
)
def test_the_check_finds_what_would_keep_a_post_back(box: Sandbox, settings: dict[str, Any], expected: str) -> None:
    [problem] = the_page(box, **settings).check()
    assert expected in problem.message
    assert problem.next_step


def test_the_check_publishes_nothing(box: Sandbox) -> None:
    the_page(box).check()
    assert [(entry.op, entry.wrote) for entry in box.graph.journal] == [("me", False), ("read", False)]


def test_a_page_exists_only_where_the_settings_name_it() -> None:
    with pytest.raises(AssertionError):
        a_page("http://127.0.0.1:1", FACEBOOK_PAGE_ID="", FACEBOOK_PAGE_TOKEN="", FACEBOOK_APP_SECRET="")


def test_a_lost_answer_is_in_doubt_although_the_post_is_out(box: Sandbox) -> None:
    page = the_page(box)
    box.graph.fail("feed", "close")
    assert isinstance(page.publish(an_attempt(page.render(a_wording()))), Unconfirmed)
    assert len(box.graph.public_posts()) == 1

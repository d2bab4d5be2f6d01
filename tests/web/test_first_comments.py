"""A first comment on the pages: typed, previewed, shown with its state, and decided about by a person."""

import html
import re
from collections.abc import Iterator

import pytest

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.model import State
from outreach.roles import Role
from tests.builders import a_stored_post
from tests.web.visitors import member
from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]


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

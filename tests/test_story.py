"""The whole way through the real doors: a letter becomes a post on the Page and a mail on the list, once, as previewed."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.sandbox import Mail, Sandbox
from tests.doors.place import Place, a_picture

LETTER = """---
template: poster-session
link: https://example.org/posters
pictures:
  - file: hall.jpg
    alt: The hall, full of posters
  - file: line.png
    alt: decorative
fields:
  meeting: Annual Meeting 2027
  day: 2027-06-13
  starts: 18:30
  ends: 20:30
  place: Exhibit Hall B
---
Please have your poster up by 18:00.
"""
HALL, LINE = a_picture("JPEG"), a_picture("PNG", (40, 2))
TITLE = "Poster session and networking event at the Annual Meeting 2027"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(box: Sandbox, tmp_path: Path) -> Place:
    (tmp_path / "hall.jpg").write_bytes(HALL)
    (tmp_path / "line.png").write_bytes(LINE)
    (tmp_path / "posters.md").write_text(LETTER)
    return Place(tmp_path, box)


def hash_of_the_page_post(preview: dict[str, Any]) -> str:
    """By the contract's words, not by the house's code."""
    pictures = [{"alt": p["alt"], "sha256": p["sha256"]} for p in preview["pictures"]]
    said = {"link": preview["link"], "message": preview["text"], "pictures": pictures}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def without_date(raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    dates = [number for number, line in enumerate(lines) if line.startswith(b"Date: ")]
    return b"\r\n".join(line for number, line in enumerate(lines) if number != dates[0])


def only(mails: list[Mail]) -> Mail:
    [mail] = mails
    return mail


def test_a_letter_goes_out_once_on_both_channels_exactly_as_it_was_previewed(place: Place, box: Sandbox) -> None:
    assert place.run("init").code == 0
    [of_letter_page, of_letter_list] = place.run("preview", "posters.md", "--json").json
    added = place.run("add", "posters.md", "--now", "--json").json
    [page, mail] = place.run("preview", "1", "--json").json
    assert [post["state"] for post in place.run("queue", "--json").json] == ["queued", "queued"]

    assert place.run("worker", "--once").code == 0

    # The Page got the very text, link and pictures of the preview; their hash is the one that was approved.
    [public] = box.graph.public_posts()
    assert public.message == page["text"]
    assert page["text"].startswith(f"{TITLE}\n\n")
    assert "Please have your poster up by 18:00." in page["text"]
    assert public.pictures == (
        ("The hall, full of posters", hashlib.sha256(HALL).hexdigest()),
        (None, hashlib.sha256(LINE).hexdigest()),
    )
    assert page["content_sha256"] == hash_of_the_page_post(page) == of_letter_page["content_sha256"]
    feed = next(entry for entry in box.graph.journal if entry.op == "feed")
    assert feed.params["message"] == page["requests"][-1]["form"]["message"]
    assert page["link"] is None
    assert "https://example.org/posters" in page["text"]

    # The list got the very message of the preview, but for its Date.
    got = only(box.mail.distributed())
    assert without_date(got.raw) == without_date(mail["message"].encode())
    assert mail["content_sha256"] == hashlib.sha256(without_date(got.raw)).hexdigest()
    assert mail["content_sha256"] == of_letter_list["content_sha256"]
    assert got.subject == TITLE

    # The history tells it.
    posts = {post["id"]: post for post in place.run("history", "--json").json}
    assert {name: post["state"] for name, post in posts.items()} == {
        "1/facebook": "published",
        "1/listserv": "published",
    }
    assert posts["1/facebook"]["remote_id"] == public.id
    assert posts["1/facebook"]["url"] == public.permalink_url
    assert posts["1/listserv"]["message_id"] == got.message_id
    assert [post["content_sha256"] for post in added["posts"]] == [page["content_sha256"], mail["content_sha256"]]
    told = place.run("show", "1/facebook", "--json").json["posts"][0]["history"]
    assert [entry["kind"] for entry in told] == ["queue", "attempt", "publish"]

    # And a second worker has nothing to do.
    assert place.run("worker", "--once").code == 0
    assert len(box.graph.public_posts()) == 1
    assert len(box.mail.distributed()) == 1
    assert place.run("queue").out == "The queue is empty. Fill it with: outreach add LETTER.md\n"


def test_a_template_with_fields_needs_no_letter(place: Place, box: Sandbox) -> None:
    place.run("init")
    fields = ["meeting=Annual Meeting 2027", "deadline=2027-01-15", "topics=One", "topics=Two"]
    words = [word for field in fields for word in ("--field", field)]
    added = place.run("add", "--template", "call-for-abstracts", *words, "--now", "--to", "listserv", "--json")
    assert added.json["posts"][0]["title"] == "Call for abstracts: Annual Meeting 2027"
    place.run("worker", "--once")
    mail = only(box.mail.distributed()).raw.decode()
    assert "Deadline: Friday, 15 January 2027" in mail
    assert box.graph.public_posts() == []

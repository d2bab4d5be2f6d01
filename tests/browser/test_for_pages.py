"""What only a Page has, in a browser: a first comment and a video in the form, the preview and on the announcement's page."""

import pytest
from playwright.sync_api import expect

from outreach.letter import parse
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import shot, sideways_px, violations

FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(1000)
LETTER = (
    "---\ntitle: The talk\nto: facebook, listserv\nat: 2035-01-15 09:00\nvideo: talk.mp4\ncaptions: talk.srt\n"
    "targeting: US, CA\nfirst_comment: |\n  The form: https://example.org/form\n  It closes on Friday.\n---\nSee it.\n"
)
COMMENT = "INSERT INTO first_comments (post_id, state, reason) VALUES ({}, 'failed', 'The Page said no.')"


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_they_can_be_used_by_everybody(town: Town, enter: Enter, size: tuple[int, int], dark: bool) -> None:
    folder = town.place.folder
    (folder / "talk.mp4").write_bytes(FILM)
    (folder / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:04,000\nWelcome.\n")
    added = town.house.desk.add(parse(LETTER), folder=folder)
    with town.house.store.write() as tx:
        tx.exec_driver_sql(COMMENT.format(added.posts[0].id).replace("INSERT", "INSERT OR REPLACE"))
    ann = enter(size=size, dark=dark)
    number = added.announcement
    for name, path, shows in (
        ("story", f"/announcements/{number}", "Make the comment again"),
        ("preview", f"/announcements/{number}/preview", "Only people in US, CA can see this post."),
        ("form", f"/write/{number}", "A first comment"),
    ):
        ann.goto(path)
        expect(ann.get_by_text(shows).first).to_be_visible()
        assert violations(ann) == []
        assert sideways_px(ann) == 0
        shot(ann, folder / "shots" / f"{name}-{size[0]}-{dark}.png")

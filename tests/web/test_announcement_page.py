"""The page of an announcement, through the door: its story, what may be decided in each state, by whom, and stale pages."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.desk import Place as Spot
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.letter import parse
from outreach.model import Move, Post, State
from outreach.roles import Role
from outreach.store import Store, history, moves
from tests.alarms.world import see, stop_looking
from tests.builders import (
    NOW,
    a_stored_post,
    an_announcement,
    behind_its_back,
    everything,
    make,
    require_approval,
    seen,
    take,
)
from tests.web.test_queue_page import HOSTILE, another_communitys_post
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock
from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]
LETTER = "---\ntitle: Poster session\nat: 2026-12-02 09:00\n---\nCome to room 7 at noon.\n"
VERBS = ("pause", "resume", "cancel", "requeue", "confirm")


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def somebody(house: House, address: str, *roles: Role) -> Guest:
    return member(house, address, f"{'-'.join(roles)}@example.org", roles=frozenset(roles))


def offered(page: str) -> list[str]:
    """What the page lets one do about the posts of an announcement."""
    return re.findall(r'action="/announcements/\d+/(\w+)"', page)


def what(page: str, verb: str) -> list[str]:
    """What the form of a verb says that it is about."""
    form = re.search(rf'action="/announcements/\d+/{verb}".*?</form>', page, re.S)
    assert form is not None
    return [html.unescape(value) for value in re.findall(r'name="seen" value="([^"]+)"', form[0])]


def stored(house: House, state: State, **more: object) -> Post:
    post = a_stored_post(house.store, state, **more)  # type: ignore[arg-type]
    if state is State.UNCONFIRMED:
        stop_looking(house.store, post)
    return seen(house.store, post)


# What may be decided

OFFERED = {
    State.QUEUED: ["undo", "pause", "cancel"],
    State.PUBLISHING: [],
    State.PUBLISHED: [],
    State.UNCONFIRMED: ["confirm", "requeue"],
    State.HELD: [],
    State.FAILED: ["requeue", "cancel"],
    State.MISSED: ["requeue", "cancel"],
    State.CANCELLED: [],
    State.RETRACTED: [],
}


@pytest.mark.parametrize("state", State)
def test_a_coordinator_is_offered_what_the_state_allows_each_with_what_it_does(
    house: House, address: str, state: State
) -> None:
    stored(house, state)
    page = somebody(house, address, Role.COORDINATOR).get("/announcements/1").text
    acts = offered(page)
    assert [verb for verb in acts if verb != "comment"] == OFFERED[state]
    described = re.findall(r'<button class="[^"]*"[^>]*aria-describedby="([^"]+)"', page)
    assert all(re.search(rf'id="{name}">\s*\w', page) for name in described)
    assert ('href="/write/1"' in page) == (state in (State.QUEUED, State.FAILED, State.MISSED))


@pytest.mark.parametrize("state", State)
def test_an_approver_may_pause_and_nothing_else(house: House, address: str, state: State) -> None:
    stored(house, state)
    acts = offered(somebody(house, address, Role.APPROVER).get("/announcements/1").text)
    assert acts == (["pause", "comment"] if state is State.QUEUED else ["comment"])


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("role", Role)
def test_only_who_may_can_decide(house: House, address: str, role: Role, verb: str) -> None:
    post = stored(house, State.UNCONFIRMED if verb in ("requeue", "confirm") else State.QUEUED)
    if verb == "resume":
        house.desk.pause("1")
    before = everything(house.store)
    paused = int(verb == "resume")
    fields = {"seen": f"{post.id}:{post.state}:{post.attempt}:1:{paused}", "url": "https://example.org/1"}
    answer = somebody(house, address, role).post(f"/announcements/1/{verb}", follow=False, **fields)
    may = role is Role.COORDINATOR or (role is Role.APPROVER and verb == "pause")
    assert answer.status_code == (303 if may else 403)
    assert (everything(house.store) == before) != may


def test_a_form_that_was_not_made_for_the_visitor_changes_nothing(ann: Guest, house: House) -> None:
    post = stored(house, State.QUEUED)
    answer = ann.post("/announcements/1/cancel", form_token="x" * 32, seen=f"{post.id}:queued:0:1:0")
    assert answer.status_code == 422
    assert seen(house.store, post).state is State.QUEUED


# Deciding

DECIDED = {
    "pause": (State.QUEUED, State.QUEUED, "paused."),
    "cancel": (State.FAILED, State.CANCELLED, "cancelled."),
    "requeue": (State.MISSED, State.QUEUED, "queued again."),
    "confirm": (State.UNCONFIRMED, State.PUBLISHED, "confirmed."),
}


@pytest.mark.parametrize("verb", DECIDED)
def test_what_is_decided_from_the_page_happens_and_is_told_with_who_did_it(ann: Guest, house: House, verb: str) -> None:
    before, after, told = DECIDED[verb]
    post = stored(house, before)
    page = ann.get("/announcements/1").text
    answer = ann.post("/announcements/1/" + verb, seen=what(page, verb), url="https://example.org/posts/1")
    assert answer.status_code == 200
    assert f"On facebook: {told}" in answer.text
    assert seen(house.store, post).state is after
    assert "by ann@example.org</span>" in answer.text


def test_a_paused_post_can_be_resumed(ann: Guest, house: House) -> None:
    post = stored(house, State.QUEUED)
    house.desk.pause("1")
    page = ann.get("/announcements/1").text
    assert "pause" not in offered(page)
    ann.post("/announcements/1/resume", seen=what(page, "resume"))
    assert not seen(house.store, post).paused


def test_all_of_an_announcement_can_be_cancelled_at_once(ann: Guest, house: House) -> None:
    posts = an_announcement(house.store, on=("facebook", "listserv"), due_at=NOW + timedelta(days=1))
    page = ann.get("/announcements/1").text
    ann.post("/announcements/1/cancel", seen=what(page, "cancel"))
    assert [seen(house.store, post).state for post in posts] == [State.CANCELLED, State.CANCELLED]


@pytest.mark.parametrize("verb", ["pause", "cancel", "requeue", "confirm"])
def test_a_page_left_open_does_no_harm(ann: Guest, house: House, verb: str) -> None:
    start = State.UNCONFIRMED if verb in ("requeue", "confirm") else State.QUEUED
    post = stored(house, start)
    page = ann.get("/announcements/1").text
    if start is State.QUEUED:
        take(house.store, post)
        make(house.store, post, Move.PUBLISH)
    else:
        make(house.store, post, Move.CONFIRM)
    before = everything(house.store)

    answer = ann.post(f"/announcements/1/{verb}", seen=what(page, verb), url="https://example.org/posts/1")

    assert answer.status_code == 409
    assert "1/facebook changed since you opened this page: it is published now. Nothing was done." in answer.text
    assert everything(house.store) == before


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.org/", "my post", "http://", ""])
def test_an_address_that_is_none_is_refused_with_what_was_typed_kept(ann: Guest, house: House, url: str) -> None:
    post = stored(house, State.UNCONFIRMED)
    page = ann.get("/announcements/1").text
    answer = ann.post("/announcements/1/confirm", seen=what(page, "confirm"), url=url)
    assert answer.status_code == 422
    assert f'name="url" value="{html.escape(url)}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert seen(house.store, post).state is State.UNCONFIRMED


@pytest.mark.parametrize("fields", [{}, {"seen": "x"}, {"seen": "999:queued:0:1:0"}, {"seen": "1:queued:0:1:0:9"}])
@pytest.mark.parametrize("verb", VERBS)
def test_a_forged_form_changes_nothing(ann: Guest, house: House, verb: str, fields: dict[str, str]) -> None:
    stored(house, State.QUEUED)
    before = everything(house.store)
    answer = ann.post(f"/announcements/1/{verb}", **fields)
    assert answer.status_code == 422
    assert "Traceback" not in answer.text
    assert everything(house.store) == before


@pytest.mark.parametrize("verb", [*VERBS, "comment"])
def test_the_announcements_of_others_are_not_there(ann: Guest, house: House, verb: str) -> None:
    another_communitys_post(house.store)
    before = everything(house.store)
    for number in (1, 999):
        fields = {"seen": "1:queued:0:1:0", "comment": "Hello", "url": "https://example.org/1"}
        answer = ann.post(f"/announcements/{number}/{verb}", **fields)
        assert answer.status_code == 404
    assert everything(house.store) == before


def test_undo_is_offered_for_five_minutes_while_nothing_was_tried(ann: Guest, house: House, still: StillClock) -> None:
    post = stored(house, State.QUEUED, due_at=NOW + timedelta(days=1))
    still.tick(299)
    assert "undo" in offered(ann.get("/announcements/1").text)
    still.tick(2)
    assert "undo" not in offered(ann.get("/announcements/1").text)
    still.tick(-100)
    take(house.store, post)
    make(house.store, post, Move.DEFER)
    assert "undo" not in offered(ann.get("/announcements/1").text)


# Who sees what


@pytest.mark.parametrize("state", State)
def test_a_reviewer_sees_what_was_attempted_or_came_to_rest_and_nothing_else(
    house: House, address: str, state: State
) -> None:
    stored(house, state)
    house.desk.comment(1, said="Between us.", person="bob@example.org")
    eve = somebody(house, address, Role.REVIEWER)
    answer = eve.get("/announcements/1")
    assert answer.status_code == (404 if state is State.QUEUED else 200)
    assert eve.get("/announcements/1/live").status_code == answer.status_code
    assert offered(answer.text) == []
    assert "Between us." not in answer.text


def test_a_reviewer_does_not_see_what_is_only_queued_beside_what_went_out(house: House, address: str) -> None:
    gone, waits = an_announcement(house.store, on=("facebook", "listserv"), due_at=NOW + timedelta(days=1))
    take(house.store, gone)
    make(house.store, gone, Move.PUBLISH)
    page = somebody(house, address, Role.REVIEWER).get("/announcements/1").text
    assert 'data-post="1/facebook"' in page
    assert 'data-post="1/listserv"' not in page
    assert waits.state is State.QUEUED


def test_a_draft_is_shown_to_who_writes_and_to_no_reviewer(house: House, address: str, ann: Guest) -> None:
    number = house.desk.draft(parse("---\ntitle: Half done\n---\nWords.\n"), person="ann@example.org").announcement
    page = ann.get(f"/announcements/{number}").text
    assert "A draft." in page
    assert f'href="/write/{number}"' in page
    assert "<strong>Written</strong>" in page
    assert somebody(house, address, Role.REVIEWER).get(f"/announcements/{number}").status_code == 404


# The story


def test_the_story_goes_from_the_draft_to_the_proof(
    ann: Guest, house: House, tmp_path: Path, still: StillClock
) -> None:
    number = house.desk.add(parse(LETTER), folder=tmp_path, person="ann@example.org").announcement
    still.tick(60)
    base = house.desk.latest(number).key
    house.desk.edit(
        Spot(number, base), parse(LETTER.replace("room 7", "room 9")), folder=tmp_path, person="bob@example.org"
    )
    still.tick(60)
    [post, _] = house.desk.find(str(number))
    take(house.store, post, now=still.now())
    out = {"remote_id": "1_1", "url": "https://example.org/posts/1"}
    with house.store.write() as tx:
        moves.end_attempts(tx, [moves.Ending(post.id, 1, still.now(), "published", evidence={"http_status": 200})])
        moves.apply(tx, [moves.Change(post.id, 1, Move.PUBLISH, still.now(), values=out)])
        history.see(tx, post.id, at=still.now(), kind="found", evidence={"remote_ids": ["1_1"]})

    page = ann.get(f"/announcements/{number}").text
    story = page.partition('id="story-facebook"')[2].partition("</ol>")[0]
    steps = re.findall(r"<p><strong>([^<]+)</strong>", story)
    assert steps == [
        "Written and queued",
        "Changed (revision 2)",
        "Attempt 1: the channel took it",
        "Looked: it is there",
    ]
    assert '<span class="by">by bob@example.org</span>' in story
    assert "Come to room <del>" in story
    assert "<dt>content SHA-256</dt>" in story
    assert '<a href="https://example.org/posts/1">See it there' in page
    assert "Come to room 9 at noon." in page


def test_what_an_earlier_try_sent_is_shown_where_it_was_another_text(ann: Guest, house: House) -> None:
    post = stored(house, State.FAILED)
    with house.store.write() as tx:
        tx.execute(text("INSERT INTO contents SELECT post_id, 'other', 2, 'Another text', body FROM contents"))
        tx.execute(text("UPDATE posts SET content_sha256 = 'other' WHERE id = :id"), {"id": post.id})
    page = ann.get("/announcements/1").text
    assert "What was sent then" in page
    assert "Another text" in page


def test_an_approval_and_a_wish_for_changes_are_part_of_the_story(ann: Guest, house: House) -> None:
    require_approval(house.store)
    stored(house, State.QUEUED, by="ann@example.org", due_at=NOW + timedelta(days=1))
    house.desk.ask_for_changes(1, revision=1, said="Shorter, please.", person="bob@example.org")
    page = ann.get("/announcements/1").text
    assert "Nobody approved it as it is now." in page
    assert "Sent back with a wish for changes" in page
    assert "asks for changes" in page
    house.desk.approve(1, person="bob@example.org")
    after = ann.get("/announcements/1").text
    assert "<strong>Approved</strong>" in after
    assert "Nobody approved it" not in after


def test_a_post_in_doubt_explains_itself(ann: Guest, house: House) -> None:
    stored(house, State.UNCONFIRMED)
    page = ann.get("/announcements/1").text
    for part in (
        "What we know:</strong> The answer was lost.",
        "Nobody looks any more, so a person has to say.",
        "Where to look:</strong> on the Page itself, among its latest posts.",
        "If it is sent again though it is there:</strong> A second public post would appear",
        ">It is there</button>",
        ">It is not there: send again</button>",
    ):
        assert part in page


def raw(store: Store, sql: str, **values: object) -> None:
    with store.write() as tx:
        tx.execute(text(sql), values)


def test_hostile_words_are_inert_wherever_they_stand(ann: Guest, house: House) -> None:
    post = a_stored_post(house.store, title=HOSTILE, body=HOSTILE)
    take(house.store, post)
    make(house.store, post, Move.DOUBT, reason=HOSTILE, doubted_at=NOW, look_at=None)
    see(house.store, post, HOSTILE, why=HOSTILE, **{HOSTILE: [HOSTILE]}, url="javascript:alert(1)")
    behind_its_back(house.store, "UPDATE events SET person = :x, note = :x", x=HOSTILE)
    raw(house.store, "UPDATE attempts SET reason = :x", x=HOSTILE)
    raw(house.store, "UPDATE posts SET url = 'javascript:alert(1)', message_id = :x", x=HOSTILE)
    house.desk.comment(1, said=HOSTILE, person="bob@example.org")

    answer = ann.get("/announcements/1")

    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert 'href="javascript' not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)") > 6


# Comments


def test_a_comment_is_kept_and_an_empty_one_is_refused(ann: Guest, house: House) -> None:
    stored(house, State.QUEUED)
    ann.get("/announcements/1")
    kept = ann.post("/announcements/1/comment", comment="Is the room large enough?")
    assert "Is the room large enough?" in kept.text
    refused = ann.post("/announcements/1/comment", comment="  ")
    assert (refused.status_code, "The comment is empty." in refused.text) == (422, True)
    assert len(house.desk.comments(1)) == 1


# Live


def test_the_page_of_an_announcement_is_told_only_of_its_own_changes(ann: Guest, house: House) -> None:
    post = stored(house, State.QUEUED)
    [known] = re.findall(r'data-seen="(\w+)"', ann.get("/announcements/1").text)
    stored(house, State.MISSED, channel="listserv")
    assert ann.get(f"/announcements/1/live?seen={known}").status_code == 204
    take(house.store, post)
    fresh = ann.get(f"/announcements/1/live?seen={known}")
    assert (fresh.status_code, "It is being sent right now." in fresh.text) == (200, True)

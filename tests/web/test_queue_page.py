"""The queue, through the door: what needs a person first, what goes out next by day, what went out, and to whom it is shown."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.model import Move, State
from outreach.roles import Role
from outreach.store import Store, safety
from outreach.store.safety import Cause
from tests.alarms.world import check, see
from tests.builders import NOW, a_channel, a_stored_post, an_announcement, make, pause, require_approval, take
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock
from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]
DAY = timedelta(days=1)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create(house)) as found:
        yield found


@pytest.fixture
def ann(house: House, address: str) -> Guest:
    return member(house, address)


def titles(page: str, section: str) -> list[str]:
    """The titles in a section of the page, in their order."""
    part = page.partition(f'id="{section}"')[2].partition("</section>\n\n")[0]
    return re.findall(r'<a href="/announcements/\d+[^"]*">([^<]+)</a></h', part)


def another_communitys_post(store: Store, state: State = State.QUEUED) -> None:
    post = a_stored_post(store, state, title="Nobody's business")
    with store.write() as tx:
        tx.execute(
            text(
                "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (99, 'X', 'UTC', 'off', 0)"
            )
        )
        tx.execute(text("INSERT INTO channels (id, community_id, name, kind, state, fingerprint, created_at)"
                        " VALUES (99, 99, 'facebook', 'facebook_page', 'ready', '', 0)"))  # fmt: skip
        values = {"post": post.id, "number": post.announcement}
        tx.execute(text("UPDATE announcements SET community_id = 99 WHERE id = :number"), values)
        tx.execute(text("UPDATE posts SET channel_id = 99 WHERE id = :post"), values)
        tx.execute(text("UPDATE attempts SET channel_id = 99 WHERE post_id = :post"), values)


def test_an_empty_queue_teaches_what_it_is_for(ann: Guest, house: House, address: str) -> None:
    page = ann.get().text
    assert "Nothing is queued." in page
    assert 'href="/write">Write an announcement</a>' in page
    assert "Nothing has gone out yet." in page
    approver = member(house, address, "eve@example.org", roles=frozenset({Role.APPROVER}))
    assert "/write" not in approver.get().text


def test_what_goes_out_is_grouped_by_the_days_of_the_community(ann: Guest, house: House, still: StillClock) -> None:
    a_stored_post(house.store, title="Soon", due_at=NOW + timedelta(hours=1))
    a_stored_post(house.store, title="Late tonight", due_at=NOW + timedelta(hours=14))  # 23:00 in New York, 4:00 UTC
    a_stored_post(house.store, title="Tomorrow's", due_at=NOW + DAY)
    a_stored_post(house.store, title="Next week's", due_at=NOW + 7 * DAY)
    page = ann.get().text
    assert re.findall(r'class="day" id="day-\d">([^<]+)<', page) == [
        "Today, Tuesday 1 December 2026",
        "Tomorrow, Wednesday 2 December 2026",
        "Tuesday 8 December 2026",
    ]
    assert titles(page, "of-day-1")[:2] == ["Soon", "Late tonight"]


def test_posts_of_one_announcement_at_one_time_are_one_card_with_its_channels(ann: Guest, house: House) -> None:
    an_announcement(house.store, title="On both", on=("facebook", "listserv"), due_at=NOW + DAY)
    page = ann.get().text
    assert page.count("On both</a></h4>") == 1
    assert page.count('data-post="1/facebook"') == page.count('data-post="1/listserv"') == 1


def test_the_queue_of_one_channel_shows_that_channel_alone(ann: Guest, house: House) -> None:
    a_stored_post(house.store, title="To the Page", due_at=NOW + DAY)
    a_stored_post(house.store, channel="listserv", title="To the list", due_at=NOW + DAY)
    page = ann.get("/?channel=listserv").text
    assert "To the list" in page
    assert "To the Page" not in page
    assert ann.get("/?channel=telegram").status_code == 404


def test_a_long_queue_is_read_page_by_page(ann: Guest, house: House) -> None:
    for n in range(60):
        a_stored_post(house.store, title=f"Number {n:02}.", due_at=NOW + DAY + n * timedelta(minutes=1))
    page = ann.get().text
    assert page.count("Number ") - page.count("“Number ") == 50
    [further] = re.findall(r'href="(/\?after=[^"]+)"', page)
    second = ann.get(further).text
    assert "Number 50." in second
    assert "Number 49." not in second
    assert "Went out" not in second


@pytest.mark.parametrize("query", ["after=x", "before=1", "after=99999999999999999999-1", "after=%00-1"])
def test_a_page_that_nobody_led_to_is_not_there(ann: Guest, query: str) -> None:
    assert ann.get(f"/?{query}").status_code == 404


# What needs a person

NEEDS = {
    State.UNCONFIRMED: "The answer was lost.",
    State.HELD: "The list holds it for its moderator.",
    State.FAILED: "The Page said no.",
    State.MISSED: "Its time was over before it could be sent.",
}


@pytest.mark.parametrize("state", NEEDS)
def test_what_needs_a_person_stands_first_with_what_to_do_and_a_way_to_it(
    ann: Guest, house: House, state: State
) -> None:
    a_stored_post(house.store, state, title="In trouble")
    page = ann.get().text
    assert page.index("Needs a person") < page.index("Goes out next")
    assert titles(page, "needs") == ["In trouble"]
    assert NEEDS[state] in page
    assert "<strong>Next:</strong>" in page
    assert '<a class="button" href="/announcements/1#facebook">' in page


@pytest.mark.parametrize("state", [State.QUEUED, State.PUBLISHING, State.PUBLISHED, State.CANCELLED, State.RETRACTED])
def test_what_goes_its_way_needs_nobody(ann: Guest, house: House, state: State) -> None:
    a_stored_post(house.store, state, due_at=NOW)
    assert "Needs a person" not in ann.get().text


def test_what_nobody_approved_and_is_due_soon_needs_a_person(ann: Guest, house: House) -> None:
    require_approval(house.store)
    a_stored_post(house.store, title="Soon due", due_at=NOW + DAY)
    a_stored_post(house.store, title="Far away", due_at=NOW + 30 * DAY)
    page = ann.get().text
    assert titles(page, "needs") == ["Soon due"]
    assert "Nobody approved it as it is now." in page


def test_what_was_sent_twice_or_would_not_go_out_is_told_once(ann: Guest, house: House) -> None:
    twice = a_stored_post(house.store, State.PUBLISHED, title="Doubled")
    see(house.store, twice, "twice", remote_ids=["1_1", "1_2"])
    blocked = a_stored_post(house.store, title="Without its picture", due_at=NOW + timedelta(hours=2))
    check(house.store, blocked, ("The picture is gone.", "Put it back.", False))
    page = ann.get().text
    assert titles(page, "needs") == ["Doubled", "Without its picture"]
    assert "It went out more than once." in page
    assert page.count("The picture is gone. Put it back.") == 1


def test_paused_channels_and_safe_mode_are_told_on_top(ann: Guest, house: House) -> None:
    house.desk.pause_channel("facebook", reason="Elections <b>", person="eve@example.org")
    pause(house.store, a_channel(house.store, "listserv").id)
    with house.store.write() as tx:
        safety.enter(tx, Cause.PERSON, "A person asked for it.", now=NOW)
    page = ann.get().text
    assert "The channel facebook was paused by eve@example.org: Elections &lt;b&gt;" in page
    assert "The channel listserv is paused until a person resumes it" in page
    assert 'role="alert">Safe mode is on since' in page
    assert page.index("Safe mode is on since") < page.index("Goes out next")


# Whose it is


@pytest.mark.parametrize("state", [State.QUEUED, State.PUBLISHED, *NEEDS])
def test_nothing_of_another_community_is_shown(ann: Guest, house: House, state: State) -> None:
    another_communitys_post(house.store, state)
    assert "Nobody&#39;s business" not in ann.get().text
    assert ann.get("/announcements/1").status_code == 404
    assert ann.get("/announcements/1/live").status_code == 404


def test_alarms_about_another_communitys_posts_are_not_shown(ann: Guest, house: House, still: StillClock) -> None:
    another_communitys_post(house.store)
    still.tick(3600)
    assert "Nobody" not in ann.get().text


def test_a_reviewer_is_led_to_the_history(house: House, address: str) -> None:
    eve = member(house, address, "eve@example.org", roles=frozenset({Role.REVIEWER}))
    answer = eve.web.get(address, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    assert eve.get("/queue/live").status_code == 403


# Hostile words


def test_hostile_titles_and_reasons_are_shown_and_do_nothing(ann: Guest, house: House) -> None:
    post = a_stored_post(house.store, title=HOSTILE)
    take(house.store, post)
    make(house.store, post, Move.FAIL, reason=HOSTILE)
    a_stored_post(house.store, title=HOSTILE + "2")
    page = ann.get().text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_an_address_that_is_none_of_the_web_is_no_link(ann: Guest, house: House) -> None:
    post = a_stored_post(house.store, State.PUBLISHED)
    with house.store.write() as tx:
        tx.execute(text("UPDATE posts SET url = 'javascript:alert(1)' WHERE id = :id"), {"id": post.id})
    for path in ("/", f"/announcements/{post.announcement}"):
        assert 'href="javascript' not in ann.get(path).text


# Live


def seen_in(page: str) -> str:
    [found] = re.findall(r'data-seen="(\w+)"', page)
    return str(found)


def test_a_page_that_is_up_to_date_is_told_so_and_one_that_is_not_gets_the_part_that_changes(
    ann: Guest, house: House
) -> None:
    known = seen_in(ann.get().text)
    assert (ann.get(f"/queue/live?seen={known}").status_code, ann.seen) == (204, "")
    a_stored_post(house.store, title="New", due_at=NOW + DAY)
    fresh = ann.get(f"/queue/live?seen={known}")
    assert fresh.status_code == 200
    assert "New" in fresh.text
    assert "<html" not in fresh.text
    assert ann.get(f"/queue/live?seen={seen_in(fresh.text)}").status_code == 204


def test_a_claim_alone_is_a_change(ann: Guest, house: House) -> None:
    post = a_stored_post(house.store)
    known = seen_in(ann.get().text)
    take(house.store, post)
    fresh = ann.get(f"/queue/live?seen={known}")
    assert fresh.status_code == 200
    assert "Right now" in fresh.text


def test_what_only_the_clock_changes_is_shown_within_a_minute(ann: Guest, house: House, still: StillClock) -> None:
    a_stored_post(house.store)
    known = seen_in(ann.get().text)
    still.tick(61)
    assert "overdue" in ann.get(f"/queue/live?seen={known}").text


@pytest.mark.parametrize(("due_in_s", "every"), [(10, "3"), (3600, "15")])
def test_it_is_asked_often_only_while_something_is_on_its_way(
    ann: Guest, house: House, due_in_s: int, every: str
) -> None:
    a_stored_post(house.store, due_at=NOW + timedelta(seconds=due_in_s))
    for path in ("/", "/announcements/1"):
        assert f'data-every="{every}"' in ann.get(path).text


def test_who_is_not_logged_in_is_sent_to_the_log_in_by_a_poll_too(address: str) -> None:
    answer = Guest(address).get("/queue/live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/log-in")

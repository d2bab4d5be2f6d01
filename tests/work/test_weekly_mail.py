"""The weekly mail: what waits for it goes out once, in one mail, and what cannot go is not lost."""

from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from threading import Event

import pytest
from PIL import Image

from outreach.bootstrap import House
from outreach.desk import Place
from outreach.model import BadInput, Letter, Picture
from outreach.sandbox import Sandbox
from outreach.weekly import Weekly, read_weekly
from tests.work.clocks import StillClock

ZONE = "America/New_York"
FRIDAY = Weekly(4, time(9))
GRACE = timedelta(hours=6)
DUE = datetime(2026, 12, 4, 14, tzinfo=UTC)  # Friday, 09:00 in New York


def draft(house: House, title: str, body: str = "Its text.", **more: object) -> int:
    return house.desk.save_draft(Letter(title, body, **more)).number  # type: ignore[arg-type]


def waits(house: House, title: str, body: str = "Its text.", **more: object) -> int:
    number = draft(house, title, body, **more)
    house.desk.mark_weekly(number, person="ann@example.org")
    return number


def make(house: House, still: StillClock, at: datetime) -> int | None:
    still.tick((at - still.now()).total_seconds())
    return house.weekly_round.make(FRIDAY, grace=GRACE)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", None),
        ("Friday 09:00", FRIDAY),
        ("fri 9:00", FRIDAY),
        ("Sunday 23:59", Weekly(6, time(23, 59))),
    ],
)
def test_a_day_and_a_time_are_read(text: str, read: Weekly | None) -> None:
    assert read_weekly(text) == read


@pytest.mark.parametrize(
    "text", ["Friday", "09:00", "Fr 09:00", "Someday 09:00", "Friday 24:00", "Friday 9", "Friday 9:00 pm"]
)
def test_what_is_no_day_and_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="No day and time"):
        read_weekly(text)


def test_the_next_one_keeps_its_wall_time_when_clocks_change() -> None:
    before = datetime(2026, 10, 30, 13, 0, 1, tzinfo=UTC)  # a second after 09:00 in New York, in summer time
    coming = FRIDAY.next_due(before, ZONE)
    assert coming == datetime(2026, 11, 6, 14, tzinfo=UTC)
    assert FRIDAY.due_before(coming, ZONE) == datetime(2026, 10, 30, 13, tzinfo=UTC)
    assert FRIDAY.next_due(coming, ZONE) == coming


def test_a_day_before_its_time_what_waits_is_put_together_and_queued_once(house: House, still: StillClock) -> None:
    first, second = waits(house, "A talk", link="https://example.org/talk"), waits(house, "Welcome")
    other = draft(house, "Not for it")
    assert make(house, still, DUE - timedelta(hours=24, seconds=1)) is None
    number = make(house, still, DUE - timedelta(hours=24))
    assert number is not None
    [post] = house.desk.find(str(number))
    assert (post.channel, post.due_at, post.wall_time) == ("listserv", DUE, "2026-12-04 09:00")
    assert post.title == "News of TMM SIG, Friday 4 December 2026"
    [preview] = house.desk.preview(str(number))
    assert "1.  A talk" in preview.content.text or "1. A talk" in preview.content.text
    assert [row["id"] for row in house.desk.drafts()] == [other]
    assert house.desk.waiting_for_weekly() == []
    assert [make(house, still, DUE - timedelta(hours=hours)) for hours in (23, 1)] == [None, None]
    assert {first, second}.isdisjoint({row["id"] for row in house.desk.drafts()})


def test_what_is_unfinished_waits_for_the_next(house: House, still: StillClock) -> None:
    whole, empty = waits(house, "A talk"), waits(house, "", "")
    assert [bool(each.lacks) for each in house.desk.waiting_for_weekly()] == [False, True]
    number = make(house, still, DUE - timedelta(hours=1))
    assert number not in (None, whole)
    [post] = house.desk.find(str(number))
    assert post.title == "A talk"  # one alone needs no index
    assert [each.number for each in house.desk.waiting_for_weekly()] == [empty]


def test_nothing_waits_and_nothing_is_made(house: House, still: StillClock) -> None:
    assert make(house, still, DUE - timedelta(hours=1)) is None
    assert house.desk.drafts() == []


def test_a_crash_between_putting_together_and_queueing_makes_no_second_mail(house: House, still: StillClock) -> None:
    waits(house, "A talk"), waits(house, "Welcome")
    still.tick((DUE - timedelta(hours=20) - still.now()).total_seconds())
    made = house.weekly_round._put_together(DUE)
    assert [row["id"] for row in house.desk.drafts()] == [made]
    assert make(house, still, DUE - timedelta(hours=19)) == made
    assert [post.due_at for post in house.desk.find(str(made))] == [DUE]


def test_a_mail_due_while_the_machine_was_off_goes_out_at_once_within_the_grace(
    house: House, still: StillClock
) -> None:
    waits(house, "A talk")
    number = make(house, still, DUE + timedelta(hours=2))
    [post] = house.desk.find(str(number))
    assert post.due_at == DUE + timedelta(hours=2)
    waits(house, "Marked after its time")
    assert make(house, still, DUE + timedelta(hours=3)) is None
    assert make(house, still, DUE + timedelta(days=6, hours=12)) is not None


def test_a_draft_changed_meanwhile_is_not_taken_with_its_old_text(house: House) -> None:
    number = waits(house, "A talk")
    item = house.weekly_round._item(number)
    base = house.desk.latest(number).key
    house.desk.save_draft(Letter("A talk", "Another text."), place=Place(number, base))
    with pytest.raises(BadInput, match="saved revision"), house.store.write() as tx:
        house.weekly_round._take(tx, [item], None)
    assert house.desk.letter_of(number).body == "Another text."


def test_its_pictures_and_events_go_with_it(house: House, still: StillClock) -> None:
    drawn = BytesIO()
    Image.new("RGB", (20, 20), "teal").save(drawn, "PNG")
    name = house.desk.take_picture(drawn.getvalue(), name="talk.png")
    waits(house, "A talk", pictures=(Picture(name, "A speaker"),))
    waits(house, "Colloquium", starts="2035-07-10 17:00", place="Room 7")
    number = make(house, still, DUE - timedelta(hours=1))
    [preview] = house.desk.preview(str(number))
    assert [picture.alt for picture in preview.content.pictures] == ["A speaker"]
    assert "When: Tue 10 Jul 2035, 17:00 America/New_York (EDT), until 18:00" in " ".join(preview.content.text.split())


def test_only_a_draft_can_wait(house: House) -> None:
    queued = house.desk.add(Letter("Queued", "Its text.", at="2035-01-15 09:00"), folder=house.media).announcement
    gone = draft(house, "Gone")
    house.desk.discard(gone)
    for number in (queued, gone, 99):
        with pytest.raises(BadInput):
            house.desk.mark_weekly(number)
    number = waits(house, "A talk")
    house.desk.mark_weekly(number)
    house.desk.unmark_weekly(number)
    assert house.desk.waiting_for_weekly() == []


def test_the_list_gets_it_once_at_its_time(house: House, still: StillClock, box: Sandbox) -> None:
    waits(house, "A talk"), waits(house, "Welcome")
    make(house, still, DUE - timedelta(hours=24))
    publisher, _ = house.new_worker()
    assert publisher.drain(Event()) == 0
    still.tick(24 * 3600)
    assert publisher.drain(Event()) == 1
    assert make(house, still, DUE + timedelta(minutes=5)) is None
    assert publisher.drain(Event()) == 0
    publisher.close()
    [mail] = box.mail.distributed()
    assert mail.subject == "News of TMM SIG, Friday 4 December 2026"
    assert box.graph.public_posts() == []

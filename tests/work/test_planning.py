"""Planning: what is planned when, the days that announcements speak of, and moving a post."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.desk import ChangedMeanwhile
from outreach.doors.layout import lay_out
from outreach.model import BadInput, Letter, Picture, State
from tests.builders import NOW, everything, require_approval
from tests.doors.place import a_picture

LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-02 09:00")


def base(house: House, number: int = 1) -> str:
    return house.desk.latest(number).key


def times(house: House) -> dict[str, str]:
    return {post.name: post.wall_time for post in house.desk.find("1") if post.state is State.QUEUED}


def test_a_whole_announcement_moves_with_all_its_channels(house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)

    house.desk.move_to("1", "2026-12-04 10:30", base=base(house), person="ann@example.org")

    assert times(house) == {"1/facebook": "2026-12-04 10:30", "1/listserv": "2026-12-04 10:30"}


def test_one_channel_moves_and_the_other_stays(house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)

    house.desk.move_to("1/facebook", "2026-12-02 07:00", base=base(house))

    assert times(house) == {"1/facebook": "2026-12-02 07:00", "1/listserv": "2026-12-02 09:00"}
    house.desk.move_to("1", "2026-12-05 09:00", base=base(house))
    assert set(times(house).values()) == {"2026-12-05 09:00"}


def test_a_move_voids_an_approval(house: House, tmp_path: Path) -> None:
    require_approval(house.store)
    house.desk.add(LETTER, folder=tmp_path, person="ann@example.org")
    house.desk.approve(1, person="ben@example.org")

    house.desk.move_to("1", "2026-12-04 10:30", base=base(house), person="ann@example.org")

    assert [post.approved for post in house.desk.find("1")] == [False, False]


def test_a_picture_that_lay_beside_the_letter_is_still_there_after_a_move(house: House, tmp_path: Path) -> None:
    (tmp_path / "hall.jpg").write_bytes(a_picture("JPEG", (900, 600)))
    house.desk.add(replace(LETTER, pictures=(Picture("hall.jpg", "The hall"),)), folder=tmp_path)
    before = [preview.content.pictures for preview in house.desk.preview("1/facebook")]
    (tmp_path / "hall.jpg").unlink()

    house.desk.move_to("1", "2026-12-04 10:30", base=base(house))

    assert [preview.content.pictures for preview in house.desk.preview("1/facebook")] == before


@pytest.mark.parametrize("wall", ["2026-11-01 09:00", "soon", "2026-13-40 25:00", ""])
def test_a_time_that_is_none_or_past_moves_nothing(house: House, tmp_path: Path, wall: str) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    before = everything(house.store)

    with pytest.raises(BadInput):
        house.desk.move_to("1", wall, base=base(house))

    assert everything(house.store) == before


def test_who_moves_an_older_text_is_refused(house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    old = base(house)
    house.desk.move_to("1", "2026-12-04 10:30", base=old)

    with pytest.raises(ChangedMeanwhile):
        house.desk.move_to("1", "2026-12-05 10:30", base=old)


def test_the_days_that_an_announcement_speaks_of_are_named(house: House, tmp_path: Path) -> None:
    lay_out(house.settings.OUTREACH_QUEUE)
    fields = (("meeting", "Annual Meeting"), ("deadline", "2027-01-15"))
    letter = Letter(template="call-for-abstracts", at="2026-12-02 09:00", link="https://example.org/", fields=fields)
    house.desk.add(letter, folder=tmp_path)

    [named] = house.desk.named_days([], date(2027, 1, 1), date(2027, 1, 31))

    assert (named.day, named.what, named.announcement) == (date(2027, 1, 15), "deadline", 1)
    assert house.desk.named_days([], date(2027, 2, 1), date(2027, 2, 28)) == []


def test_what_is_planned_is_bounded_and_leaves_out_what_was_cancelled(house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    house.desk.cancel("1/facebook")
    house.desk.add(replace(LETTER, title="Another"), folder=tmp_path)
    days = [NOW.date() + timedelta(days=place) for place in range(7)]
    [due] = [day for day in house.desk.planned(days, "UTC", most=1) if day.posts]

    assert [[post.name for post in together] for together in due.posts] == [["1/listserv"]]
    assert due.more == 2
    assert [(day.posts, day.more) for day in house.desk.planned(days[:1], "UTC", most=5)] == [((), 0)]

"""Reading the Page's list: entries that are odd, and lists that go on, or seem to."""

import json
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from outreach.channels._http import Answer, Lost
from outreach.channels._page_posts import Search
from outreach.model import Absent, CannotTell, Finding, Found

from .builders import NOON

OURS = {"id": "1_2", "message": "Poster session", "created_time": "2026-11-24T12:00:01+0000"}
OTHER = {"id": "1_1", "message": "Something else", "created_time": "2026-11-24T11:59:59+0000"}
OLD = {"id": "1_0", "message": "Long ago", "created_time": "2026-11-20T12:00:00+0000"}
DATE = format_datetime(NOON, usegmt=True)


def an_answer(*items: Any, paging: Any = None, status: int = 200, date: str = DATE, **more: Any) -> Answer:
    body = {"data": list(items), **more} | ({} if paging is None else {"paging": paging})
    return Answer(status, {"date": date}, json.dumps(body).encode())


def goes_on(after: Any = "x") -> dict[str, Any]:
    return {"cursors": {"before": "a", "after": after}, "next": "https://graph.facebook.com/?access_token=EAAx"}


def read(*answers: Answer | Lost) -> Finding | None:
    search = Search("Poster session", started_at=NOON, secrets=())
    finding: Finding | None = None
    for number, answer in enumerate(answers):
        assert finding is None, f"the answers from {number} on are not asked for"
        finding = search.read(answer, now=NOON)
    return finding


@pytest.mark.parametrize(
    "odd",
    [
        OURS | {"created_time": None},
        OURS | {"created_time": "yesterday"},
        OURS | {"created_time": 1795521600},
        OURS | {"created_time": ["2026-11-24T12:00:01+0000"]},
        {"id": "1_2", "message": "Poster session"},
        OURS | {"id": None},
        OURS | {"id": 12},
        OURS | {"id": "me"},
        {"message": "Poster session", "created_time": "2026-11-24T12:00:01+0000"},
        OURS | {"message": ["Poster session"]},
        OURS | {"message": None},
        "Poster session",
        None,
        [OURS],
    ],
)
def test_an_entry_that_may_be_ours_but_cannot_be_read_is_for_a_person(odd: Any) -> None:
    assert isinstance(read(an_answer(OTHER, odd, OLD)), CannotTell)
    assert read(an_answer(OURS, odd)) == read(an_answer(OURS))


@pytest.mark.parametrize("odd", [OTHER | {"created_time": None}, OTHER | {"id": 5}, {"id": "1_1"}, {"story": "x"}, {}])
def test_an_entry_that_is_not_ours_may_be_odd(odd: Any) -> None:
    assert read(an_answer(odd, OLD)) == Absent()


@pytest.mark.parametrize(
    "time", ["2026-11-24T12:00:01", "2026-11-24T12:00:01Z", "2026-11-24T13:00:01+01:00", "2026-11-24T12:00:01.000+0000"]
)
def test_times_are_read_however_they_are_written(time: str) -> None:
    finding = read(an_answer(OURS | {"created_time": time}))
    assert isinstance(finding, Found)
    assert finding.candidates[0].created_at == NOON + timedelta(seconds=1)


def test_a_page_of_old_posts_ends_the_search() -> None:
    assert read(an_answer(OTHER, paging=goes_on()), an_answer(OLD, paging=goes_on("y"))) == Absent()


@pytest.mark.parametrize(
    "items",
    [
        (OLD, OTHER),  # an old one is pinned to the top
        (OTHER, OLD),  # one was dated back
        (OLD | {"created_time": "2026-11-19T12:00:00+0000"}, OLD),  # oldest first
        (OLD, OLD | {"created_time": None}),
        (OLD, "?"),
        (),
    ],
)
def test_a_page_that_does_not_prove_the_end_leads_to_the_next(items: tuple[Any, ...]) -> None:
    assert read(an_answer(*items, paging=goes_on())) is None
    assert isinstance(read(an_answer(*items, paging=goes_on()), an_answer(OURS)), Found)


@pytest.mark.parametrize("after", [None, "", 7, ["x"]])
def test_a_list_that_goes_on_without_saying_where_says_nothing(after: Any) -> None:
    assert isinstance(read(an_answer(OTHER, paging=goes_on(after))), CannotTell)
    assert isinstance(read(an_answer(OTHER, paging={"next": "https://x", "cursors": 5})), CannotTell)
    assert isinstance(read(an_answer(OTHER, paging={"next": "https://x"})), CannotTell)
    assert isinstance(read(an_answer(OURS, paging={"next": "https://x"})), Found)


def test_a_later_page_that_does_not_say_where_says_nothing_either() -> None:
    assert isinstance(read(an_answer(OTHER, paging=goes_on()), an_answer(OTHER, paging=goes_on(""))), CannotTell)


def test_a_list_that_turns_in_a_circle_says_nothing() -> None:
    assert isinstance(read(an_answer(OTHER, paging=goes_on()), an_answer(OTHER, paging=goes_on())), CannotTell)


@pytest.mark.parametrize("paging", [None, {}, [], "x", {"cursors": {"after": "x"}}, {"next": None}])
def test_a_list_without_a_next_page_is_whole(paging: Any) -> None:
    assert read(an_answer(OTHER, paging=paging)) == Absent()


@pytest.mark.parametrize(
    "trouble", [Lost("x"), an_answer(OTHER, status=400), an_answer(OTHER, error={"code": 1}), Answer(200, {}, b"[]")]
)
def test_trouble_on_a_later_page_says_nothing(trouble: Answer | Lost) -> None:
    assert isinstance(read(an_answer(OTHER, paging=goes_on()), trouble), CannotTell)
    assert isinstance(read(an_answer(OURS, paging=goes_on()), trouble), Found)


def test_the_doubt_of_an_earlier_page_stays() -> None:
    assert isinstance(read(an_answer(OURS | {"id": 1}, paging=goes_on()), an_answer(OLD)), CannotTell)


def test_the_clock_of_the_first_page_counts_for_all() -> None:
    assert read(an_answer(OTHER, paging=goes_on()), an_answer(OLD, date="")) == Absent()
    assert isinstance(read(an_answer(OTHER, paging=goes_on(), date=""), an_answer(OLD)), CannotTell)

"""When a post is due: what people may write, what the clocks do to it, and what is refused."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.model import BadInput
from outreach.when import When, check_zone, resolve, show, span, time_left, wall_time_to_utc

NEW_YORK = "America/New_York"
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, 10:00 in New York

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


WALL_TIMES = st.datetimes(wall("2026-01-01"), wall("2030-12-31")).map(lambda w: w.replace(microsecond=0))
# Drawn alone, a gap or a fold would turn up once in thousands of wall times.
NEAR_A_CHANGE = st.builds(
    lambda day, minutes: wall(day) + timedelta(minutes=minutes),
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01"]),
    st.integers(0, 240),
)


def due(text: str, zone: str = NEW_YORK, now: datetime = NOW) -> str:
    return resolve(text, zone, now=now).due_at.strftime("%Y-%m-%d %H:%M:%S")


def refusal(text: str, zone: str = NEW_YORK) -> BadInput:
    with pytest.raises(BadInput) as caught:
        resolve(text, zone, now=NOW)
    return caught.value


def test_a_due_time_knows_its_instant_its_wall_time_and_its_zone() -> None:
    when = resolve("2026-12-01 09:00", "america/new_york", now=NOW)

    assert when == When(datetime(2026, 12, 1, 14, 0, tzinfo=UTC), "2026-12-01 09:00", NEW_YORK, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01T09:00", "2026-12-01 14:00:00"),
        ("2026-12-01 09:00:30", "2026-12-01 14:00:30"),
        ("2026-12-01T09:00:30.999", "2026-12-01 14:00:30"),
        ("2026-12-1 9:00", "2026-12-01 14:00:00"),
        ("2026-12-01 9am", "2026-12-01 14:00:00"),
        ("  Dec 1   9am ", "2026-12-01 14:00:00"),
        ("Dec. 1st, 9 p.m.", "2026-12-02 02:00:00"),
        ("1 December 2026 14:30", "2026-12-01 19:30:00"),
        ("December 1, 2026 at 9:00 am", "2026-12-01 14:00:00"),
        ("Tue 1 Dec 2026, 09:00", "2026-12-01 14:00:00"),
        ("9am on December 1", "2026-12-01 14:00:00"),
        ("tomorrow noon", "2026-11-25 17:00:00"),
        ("today 17:00", "2026-11-24 22:00:00"),
        ("Dec 1 12am", "2026-12-01 05:00:00"),
        ("Dec 1 12pm", "2026-12-01 17:00:00"),
    ],
)
def test_what_people_write_is_understood(text: str, expected: str) -> None:
    assert due(text) == expected


@pytest.mark.parametrize(
    ("text", "wall_time"),
    [
        ("2026-12-01T14:00Z", "2026-12-01 09:00"),
        ("2026-12-01T14:00:05+00:00", "2026-12-01 09:00:05"),
        ("2026-12-01T19:30+0530", "2026-12-01 09:00"),
        ("2026-12-01T04:00-10:00", "2026-12-01 09:00"),
    ],
)
def test_a_time_with_an_offset_is_that_instant_shown_in_the_zone(text: str, wall_time: str) -> None:
    assert resolve(text, NEW_YORK, now=NOW).wall_time == wall_time


def test_now_is_now_in_whole_seconds() -> None:
    when = resolve("Now", NEW_YORK, now=NOW + timedelta(seconds=7, microseconds=900_000))

    assert when == When(datetime(2026, 11, 24, 15, 0, 7, tzinfo=UTC), "2026-11-24 10:00:07", NEW_YORK, None)


def test_today_and_tomorrow_are_those_of_the_zone() -> None:
    late = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # still the 24th in New York, long the 25th in Tokyo

    assert due("tomorrow 9:00", now=late) == "2026-11-25 14:00:00"
    assert due("tomorrow 9:00", "Asia/Tokyo", now=late) == "2026-11-26 00:00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tuesday 10:01", "2026-11-24 15:01:00"),
        ("Tuesday 10:00", "2026-12-01 15:00:00"),
        ("tue 9am", "2026-12-01 14:00:00"),
        ("on Monday at 9:00", "2026-11-30 14:00:00"),
    ],
)
def test_a_weekday_is_the_next_one_strictly_after_now(text: str, expected: str) -> None:
    assert due(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nov 24 17:00", "2026-11-24 22:00:00"),
        ("Nov 23 17:00", "2027-11-23 22:00:00"),
        ("Feb 29 9am", "2028-02-29 14:00:00"),
    ],
)
def test_a_day_without_its_year_is_the_next_such_day(text: str, expected: str) -> None:
    assert due(text) == expected


def test_a_time_in_a_gap_moves_forward_and_says_so() -> None:
    when = resolve("2027-03-14 02:30", NEW_YORK, now=NOW)

    assert when.due_at == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert when.wall_time == "2027-03-14 03:30"
    assert when.note == (
        "02:30 on 14 March 2027 does not exist in America/New_York: the clocks go forward by 1 hour."
        " It is moved to 03:30 EDT."
    )


def test_a_gap_of_half_an_hour_moves_by_half_an_hour() -> None:
    instant, note = wall_time_to_utc(wall("2027-10-03 02:15"), "Australia/Lord_Howe")

    assert instant == datetime(2027, 10, 2, 15, 45, tzinfo=UTC)
    assert "forward by 30 minutes. It is moved to 02:45" in str(note)


def test_a_day_that_was_left_out_moves_to_the_next_day_and_names_it() -> None:
    instant, note = wall_time_to_utc(wall("2011-12-30 12:00"), "Pacific/Apia")

    assert instant == datetime(2011, 12, 30, 22, 0, tzinfo=UTC)
    assert "forward by 24 hours. It is moved to 12:00 UTC+14 on 31 December 2011." in str(note)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_comes_twice_is_the_first_one_and_says_so(fold: int) -> None:
    instant, note = wall_time_to_utc(wall("2026-11-01 01:30").replace(fold=fold), NEW_YORK)

    assert instant == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert note == (
        "01:30 on 1 November 2026 comes twice in America/New_York, because the clocks go back."
        " The first one is used: 01:30 EDT."
    )


def test_an_offset_can_mean_the_second_one_and_says_so() -> None:
    when = resolve("2027-11-07T06:30Z", NEW_YORK, now=NOW)

    assert when.wall_time == "2027-11-07 01:30"
    assert str(when.note).endswith("The second one is meant: 01:30 EST.")


@pytest.mark.parametrize("name", ["AoE", "aoe", "Anywhere on  Earth"])
def test_anywhere_on_earth_is_twelve_hours_behind_utc(name: str) -> None:
    when = resolve("2026-12-01 23:59", name, now=NOW)

    assert when == When(datetime(2026, 12, 2, 11, 59, tzinfo=UTC), "2026-12-01 23:59", "AoE", None)


@pytest.mark.parametrize(
    ("text", "message", "next_step"),
    [
        ("", "No time is given.", "2026-12-01 09:00"),
        ("01/02/2026 9:00", "which number is the day", "2026-02-01 or 2026-01-02"),
        ("1.2.26", "which number is the day", "2026-02-01 or 2026-01-02"),
        ("13-02-2026 9am", "which number is the day", "Write the year first: 2026-02-13."),
        ("3/4 9am", "which number is the day", "Write the year first"),
        ("2026-12-01", "has no time", "Say at what time"),
        ("1 December 2026", "has no time", "Say at what time"),
        ("tomorrow", "has no time", "Say at what time"),
        ("9am", "has no day", "Say on which day"),
        ("Dec 1 midnight", "start or the end", "Write 00:00"),
        ("2026-12-01 09:00 EST", "not a time we understand", "the time zone is given apart"),
        ("2026-12-01 09:00 or so", "not a time we understand", "nothing more"),
        ("about Dec 1 9am", "not a time we understand", "nothing more"),
        ("next Tuesday 9am", "not a time we understand", "nothing more"),
        ("Dec 1 9", "not a time we understand", "nothing more"),
        ("Dec 12026 9am", "not a time we understand", "nothing more"),
        ("2026-12-01T09:00Z!", "not a time we understand", "nothing more"),
        ("1 ", "not a time we understand", "nothing more"),
        ("\N{ARABIC-INDIC DIGIT ONE} December 9am", "not a time we understand", "nothing more"),
        ("Dec 1 25:00", '"25:00" is not a time of day', "09:00 or 9am"),
        ("Dec 1 9:60", '"9:60" is not a time of day', "09:00 or 9am"),
        ("Dec 1 13pm", '"13pm" is not a time of day', "09:00 or 9am"),
        ("Dec 1 0am", '"0am" is not a time of day', "09:00 or 9am"),
        ("2027-02-30 9:00", "no 30 February 2027", "calendar"),
        ("Feb 30 9am", "no 30 February", "calendar"),
        ("2026-13-01 9:00", "no month 13", "calendar"),
        ("Wed 1 Dec 2026 9am", "is a Tuesday, not a Wednesday", "Correct one"),
        ("2024-12-01 9:00", "The year 2024 is not between 2025 and 2036.", "Check the year"),
        ("2037-01-01T09:00Z", "The year 2037 is not between 2025 and 2036.", "Check the year"),
        ("0001-01-01 00:00", "The year 0001 is not between 2025 and 2036.", "Check the year"),
        ("2026-12-01T09:00+14:01", "that far from UTC", "after the time"),
        ("2026-12-01T09:00+01:60", "that far from UTC", "after the time"),
        ("Mon " * 5000 + "1 9am", "not a time we understand", "nothing more"),
    ],
)
def test_what_is_unclear_is_refused_with_a_next_step(text: str, message: str, next_step: str) -> None:
    refused = refusal(text)

    assert message in refused.message
    assert next_step in refused.next_step


def test_the_past_is_refused_with_a_next_step() -> None:
    refused = refusal("2026-11-24 09:59")

    assert refused.message == "Tue 24 Nov 2026, 09:59 America/New_York (EST) is in the past."
    assert refused.next_step == "Choose a later time, or use --now."


def test_the_past_is_taken_where_it_is_allowed() -> None:
    assert resolve("2026-11-24 09:59", NEW_YORK, now=NOW, allow_past=True).due_at < NOW


def test_a_time_that_is_exactly_now_is_not_past() -> None:
    assert due("today 10:00", now=NOW + timedelta(microseconds=5)) == "2026-11-24 15:00:00"


def test_a_year_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(BadInput, match="too far away"):
        wall_time_to_utc(wall("9999-12-31 23:00"), NEW_YORK)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("America/Newyork", "America/New_York"),
        ("New York", "America/New_York"),
        ("Kolkatta", "Asia/Kolkata"),
        ("PST", "America/Los_Angeles"),
        ("Europe/Brlin", "Europe/Berlin"),
    ],
)
def test_an_unknown_zone_is_refused_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(BadInput, match="is not a time zone") as caught:
        check_zone(name)

    assert near in caught.value.next_step


@pytest.mark.parametrize("name", ["", "../etc/passwd", "/etc/passwd", "a\0b", "\ud800", "localtime", "x" * 99_999])
def test_a_wild_zone_is_refused_in_words_that_can_be_printed(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_zone(name)

    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(("name", "canonical"), [("EST", "EST"), (" utc ", "UTC"), ("asia/kolkata", "Asia/Kolkata")])
def test_a_zone_is_spelled_as_the_tables_spell_it(name: str, canonical: str) -> None:
    assert check_zone(name) == canonical


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (NEW_YORK, "Tue 1 Dec 2026, 09:00 America/New_York (EST)"),
        ("aoe", "Tue 1 Dec 2026, 02:00 AoE (UTC-12)"),
        ("UTC", "Tue 1 Dec 2026, 14:00 UTC"),
        ("Asia/Kathmandu", "Tue 1 Dec 2026, 19:45 Asia/Kathmandu (UTC+5:45)"),
        ("America/Sao_Paulo", "Tue 1 Dec 2026, 11:00 America/Sao_Paulo (UTC-3)"),
    ],
)
def test_an_instant_is_shown_with_its_zone(zone: str, expected: str) -> None:
    assert show(datetime(2026, 12, 1, 14, 0, tzinfo=UTC), zone) == expected


def test_seconds_are_shown_when_there_are_some() -> None:
    assert show(datetime(2026, 12, 1, 14, 0, 5, tzinfo=UTC), "UTC") == "Tue 1 Dec 2026, 14:00:05 UTC"


@settings(max_examples=400, deadline=None)
@given(slot=WALL_TIMES | NEAR_A_CHANGE, zone=ZONES)
def test_a_wall_time_comes_back_from_its_instant_or_a_note_says_why_not(slot: datetime, zone: str) -> None:
    instant, note = wall_time_to_utc(slot, zone)

    assert instant.utcoffset() == timedelta(0)
    back = instant.astimezone(ZoneInfo(zone))
    assert back.fold == 0
    if note is None or "comes twice" in note:
        assert back.replace(tzinfo=None) == slot
    else:
        assert back.replace(tzinfo=None) > slot


@settings(max_examples=400, deadline=None)
@given(slot=WALL_TIMES | NEAR_A_CHANGE, zone=ZONES)
def test_one_slot_never_has_two_instants(slot: datetime, zone: str) -> None:
    first, note = wall_time_to_utc(slot, zone)
    second, _ = wall_time_to_utc(slot.replace(fold=1), zone)
    other, other_note = wall_time_to_utc(slot + timedelta(hours=1), zone)

    assert first == second
    assert first != other or note or other_note


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40), zone=st.text(max_size=20) | st.just(NEW_YORK))
def test_any_text_is_understood_or_refused_and_nothing_else(text: str, zone: str) -> None:
    try:
        when = resolve(text, zone, now=NOW)
    except BadInput:
        return
    assert when.due_at >= NOW


@settings(max_examples=300, deadline=None)
@given(
    due_at=st.datetimes(wall("2026-11-25 00:00"), wall("2035-01-01 00:00")).map(lambda d: d.replace(microsecond=0)),
    zone=ZONES,
)
def test_a_resolved_wall_time_resolves_to_the_same_again(due_at: datetime, zone: str) -> None:
    when = resolve(f"{due_at.isoformat()}Z", zone, now=NOW)

    again = resolve(when.wall_time, zone, now=NOW)

    assert when.due_at == due_at.replace(tzinfo=UTC)
    assert again.due_at == when.due_at or "The second one is meant" in str(when.note)


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(["2026-12-01 09:00", "Dec 1 9am", "1 Dec 2026 14:30", "tomorrow 9:00", "2026-12-01T09:00Z"]),
    rubbish=st.text("0123456789:/-+.,apmzt x", min_size=1, max_size=6).filter(
        lambda rubbish: rubbish.strip() and not re.fullmatch(r" *([ap]\.?m\.?|z|[+-]\d\d(:?\d\d)?) *", rubbish)
    ),
)
def test_rubbish_after_a_time_is_never_read_over(text: str, rubbish: str) -> None:
    assert refusal(f"{text} {rubbish}").next_step


# Spans


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 min", 60), ("90 minutes", 5400), ("2h", 7200), ("2 Hours", 7200), ("1.5 days", 129600), ("1 week", 604800)],
)
def test_a_span_is_read_in_the_words_people_use(text: str, seconds: int) -> None:
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "2", "h", "-2 hours", "0 hours", "30 s", "9999 weeks", "2 hours ago"])
def test_a_span_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        span(text)
    assert refused.value.where == "grace"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "now"),
        (29, "now"),
        (60, "in 1 minute"),
        (89 * 60, "in 89 minutes"),
        (90 * 60, "in 2 hours"),
        (47 * 3600, "in 47 hours"),
        (48 * 3600, "in 2 days"),
        (9.6 * 86400, "in 10 days"),
        (-20 * 60, "20 minutes ago"),
        (-3 * 86400, "3 days ago"),
    ],
)
def test_how_long_it_is_until_an_instant_is_said_in_one_unit(seconds: float, said: str) -> None:
    assert time_left(NOW + timedelta(seconds=seconds), now=NOW) == said

"""Advice: each rule speaks where it should and is silent where it should not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from outreach.advice import (
    Advice,
    Dates,
    Kind,
    Neighbour,
    Planned,
    fold,
    on_dates,
    on_fold,
    on_link,
    on_neighbours,
    on_pictures,
    on_subject,
    on_text,
    on_time,
    suggested_hashtag,
)
from outreach.model import Picture
from outreach.when import resolve
from outreach.wishes import Wishes

NEW_YORK = "America/New_York"
NOW = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)


def planned(at: str, zone: str = NEW_YORK, home: str = NEW_YORK) -> Planned:
    found = resolve(at, zone, now=NOW, allow_past=True)
    return Planned(found.due_at, zone, home, found.note)


def kinds(found: list[Advice]) -> list[Kind]:
    return [advice.kind for advice in found]


def said(at: str, zone: str = NEW_YORK, **wishes: Any) -> list[Kind]:
    return kinds(on_time(planned(at, zone), Wishes(**wishes), now=NOW))


# When


@pytest.mark.parametrize("at", ["2026-12-01 21:00", "2026-12-01 23:30", "2026-12-01 03:00", "2026-12-01 06:59"])
def test_what_goes_out_in_the_quiet_hours_is_named(at: str) -> None:
    assert said(at) == [Kind.QUIET]


@pytest.mark.parametrize("at", ["2026-12-01 07:00", "2026-12-01 09:00", "2026-12-01 20:59:59"])
def test_outside_of_the_quiet_hours_nothing_is_said(at: str) -> None:
    assert said(at) == []


def test_quiet_hours_may_lie_within_one_day_or_be_none() -> None:
    assert said("2026-12-01 12:30", quiet_from="12:00", quiet_to="13:00") == [Kind.QUIET]
    assert said("2026-12-01 13:00", quiet_from="12:00", quiet_to="13:00") == []
    assert said("2026-12-01 03:00", quiet_from="00:00", quiet_to="00:00") == []


def test_quiet_hours_are_those_of_the_community_wherever_the_time_was_written() -> None:
    found = on_time(planned("2026-12-01 09:00", "Europe/Berlin"), Wishes(), now=NOW)
    assert kinds(found) == [Kind.QUIET]
    assert found[0].message.startswith("Tue 1 Dec 2026, 03:00 America/New_York (EST)")


def test_weekends_are_those_of_the_country() -> None:
    assert said("2026-12-05 09:00") == [Kind.WEEKEND]
    assert said("2026-12-06 09:00", country="") == [Kind.WEEKEND]
    assert said("2026-12-04 09:00", country="EG") == [Kind.WEEKEND]  # a Friday
    assert said("2026-12-06 09:00", country="EG") == []  # a Sunday


def test_a_public_holiday_is_named_as_the_country_has_it() -> None:
    [advice] = on_time(planned("2026-12-25 09:00"), Wishes(), now=NOW)
    assert (advice.kind, "Christmas" in advice.message) == (Kind.HOLIDAY, True)
    assert said("2026-07-14 09:00", country="FR") == [Kind.PAST]
    assert said("2027-07-14 09:00", country="FR") == [Kind.HOLIDAY]
    assert said("2026-12-25 09:00", country="") == []
    assert said("2026-12-25 09:00", country="ZZ") == []


def test_a_time_that_comes_twice_or_not_at_all_is_grave() -> None:
    for at in ("2027-03-14 02:30", "2027-11-07 01:30"):
        [first, *_] = on_time(planned(at), Wishes(), now=NOW)
        assert (first.kind, first.is_grave) == (Kind.CLOCKS, True)


def test_a_day_on_which_the_clocks_change_is_named() -> None:
    forward = on_time(planned("2027-03-14 09:00"), Wishes(), now=NOW)
    back = on_time(planned("2027-11-07 12:00"), Wishes(), now=NOW)
    assert "The clocks in America/New_York go forward on that day." in [a.message for a in forward]
    assert "The clocks in America/New_York go back on that day." in [a.message for a in back]
    assert Kind.CLOCKS not in said("2027-03-15 09:00")
    assert Kind.CLOCKS not in said("2027-03-14 09:00", "UTC")


def test_more_than_a_year_ahead_and_past_are_grave() -> None:
    assert said("2027-11-30 09:00") == [Kind.FAR]
    assert said("2027-11-24 09:00") == []
    [advice] = on_time(planned("2026-11-25 09:00"), Wishes(), now=NOW)
    assert (advice.kind, advice.is_grave) == (Kind.PAST, True)
    just_now = Planned(NOW - timedelta(seconds=5), NEW_YORK, NEW_YORK)
    assert kinds(on_time(just_now, Wishes(country=""), now=NOW)) == []


# Dates among the fields


@pytest.mark.parametrize("name", ["deadline", "new_deadline", "apply_by", "registration_closes", "due"])
def test_a_deadline_before_it_goes_out_is_grave(name: str) -> None:
    [advice] = on_dates(Dates({name: date(2026, 11, 30)}), planned("2026-12-01 09:00"))
    assert (advice.kind, advice.is_grave) == (Kind.DEADLINE, True)
    assert "is before it goes out" in advice.message


def test_a_deadline_on_the_very_day_is_named_and_a_later_one_is_not() -> None:
    [advice] = on_dates(Dates({"deadline": date(2026, 12, 1)}), planned("2026-12-01 09:00"))
    assert (advice.kind, advice.is_grave) == (Kind.DEADLINE, False)
    assert on_dates(Dates({"deadline": date(2026, 12, 2)}), planned("2026-12-01 09:00")) == []


def test_a_day_that_is_over_by_then_is_grave_and_one_that_was_is_not() -> None:
    [advice] = on_dates(Dates({"day": date(2026, 11, 30)}), planned("2026-12-01 09:00"))
    assert (advice.kind, advice.is_grave) == (Kind.DAY, True)
    assert (
        on_dates(Dates({"old_deadline": date(2026, 11, 1), "died": date(2026, 10, 1)}), planned("2026-12-01 9:00"))
        == []
    )
    assert on_dates(Dates({"deadline": date(2020, 1, 1)}), None) == []


def test_the_day_is_that_of_the_zone_it_was_written_in() -> None:
    late = planned("2026-12-01 23:30")  # 2 December in UTC
    [advice] = on_dates(Dates({"deadline": date(2026, 12, 1)}), late)
    assert not advice.is_grave


# Other posts


def neighbour(at: str, text: str = "Something else", *, is_out: bool = False) -> Neighbour:
    return Neighbour("12/facebook", "A webinar", resolve(at, NEW_YORK, now=NOW).due_at, text, is_out)


def test_a_post_that_is_too_close_is_named_with_the_gap() -> None:
    others = [neighbour("2026-12-01 08:00"), neighbour("2026-12-01 10:30"), neighbour("2026-12-02 09:00")]
    [advice] = on_neighbours("Poster session", planned("2026-12-01 09:00"), others, Wishes())
    assert advice.message == "12/facebook “A webinar” goes out 1 hour before it and 1 more."
    assert advice.next_step == "Leave 2 hours between two posts, so that both are seen."


def test_how_close_is_too_close_is_a_wish() -> None:
    others = [neighbour("2026-12-01 10:59")]
    at = planned("2026-12-01 09:00")
    assert kinds(on_neighbours("x", at, others, Wishes())) == [Kind.CLOSE]
    assert on_neighbours("x", at, others, Wishes(apart_min=119)) == []
    assert on_neighbours("x", at, others, Wishes(apart_min=0)) == []
    [same] = on_neighbours("x", at, [neighbour("2026-12-01 09:00", is_out=True)], Wishes())
    assert same.message == "12/facebook “A webinar” went out at the same time."


def test_the_text_that_is_most_alike_is_named_even_when_there_is_no_time_yet() -> None:
    text = "Please come to the poster session in hall B at noon"
    others = [neighbour("2026-12-01 10:00", text), neighbour("2027-01-05 10:00", text + " today")]
    [advice] = on_neighbours(text, None, others, Wishes())
    assert (advice.kind, advice.is_grave) == (Kind.ALIKE, True)
    assert advice.message.startswith("It says the same as 12/facebook “A webinar”, which goes out on Tue 1 Dec 2026")


# Words


@pytest.mark.parametrize(
    "text",
    [
        "CALL FOR ABSTRACTS NOW OPEN",
        "Hello all\nDO NOT MISS THE LAST DAY\nBye",
        "Submit today!!!",
        "Really?? Yes.",
        "Now open!!",
    ],
)
def test_shouting_is_named(text: str) -> None:
    assert set(kinds(on_text("", text))) == {Kind.SHOUTING}
    assert set(kinds(on_subject("Poster session", text))) == {Kind.SHOUTING}


@pytest.mark.parametrize(
    "text",
    [
        "TMM SIG at AACR: NCI, NIH and EMBO",
        "RNA DNA PCR ELISA",
        "Welcome! Really? Yes.",
        "https://example.org/AAAA!!/BBBB",
        "AACR",
        "",
    ],
)
def test_names_in_capitals_and_addresses_are_no_shouting(text: str) -> None:
    assert kinds(on_text("", text)) == []


@pytest.mark.parametrize(
    ("tag", "better"),
    [
        ("tumormicroenvironment", "TumorMicroenvironment"),
        ("callforabstracts", "CallForAbstracts"),
        ("CANCERRESEARCH", "CancerResearch"),
        ("annualmeeting2027", "AnnualMeeting2027"),
        ("metastasis", ""),
        ("webinar", ""),
        ("TumorMicroenvironment", ""),
        ("AACR", ""),
        ("xyzzyplugh", ""),
    ],
)
def test_a_hashtag_of_several_words_is_parted(tag: str, better: str) -> None:
    assert suggested_hashtag(tag) == better


def test_the_words_of_the_announcement_help_to_part_a_hashtag() -> None:
    assert suggested_hashtag("zebrafishsocial") == ""
    assert suggested_hashtag("zebrafishsocial", "Come to the social of the zebrafish people") == "ZebrafishSocial"


def test_a_hashtag_is_advised_on_once_and_one_that_cannot_be_parted_too() -> None:
    [advice] = on_text("", "#cancerresearch and #cancerresearch, https://example.org/#cancercare")
    assert advice.next_step == "Begin each word in it with a capital: #CancerResearch."
    [unknown] = on_text("", "#qwertzuiopasdf")
    assert unknown.next_step == "Begin each word in it with a capital."
    assert on_text("", "#1 is number one, C# is a language") == []


def test_a_mention_that_mentions_nobody_is_named_and_an_address_is_none() -> None:
    assert kinds(on_text("", "Thanks to @examplesociety!")) == [Kind.MENTION]
    assert on_text("", "Write to chairs@example.org or see https://example.org/@somebody.") == []


def test_many_links_are_counted_once_each() -> None:
    few = " ".join(f"https://example.org/{n}" for n in range(3))
    assert on_text("", f"{few} {few}") == []
    assert kinds(on_text("", f"{few} https://example.org/4")) == [Kind.LINKS]


def test_a_subject_that_is_cut_off_is_named() -> None:
    assert kinds(on_subject("x" * 71, "text")) == [Kind.SUBJECT]
    assert on_subject("x" * 70, "text") == []


def test_something_to_follow_is_a_link_or_an_address() -> None:
    assert kinds(on_link(None, "Come to room 7.")) == [Kind.NO_LINK]
    assert on_link("https://example.org/", "Come.") == []
    assert on_link(None, "See https://example.org/") == []
    assert on_link(None, "Write to chairs@example.org") == []


# Pictures


def test_a_picture_needs_words_that_say_what_it_shows() -> None:
    def on(alt: str | None) -> list[bool]:
        found = on_pictures([Picture("hall.jpg", alt)])
        assert set(kinds(found)) <= {Kind.ALT}
        return [advice.is_grave for advice in found]

    assert on("") == on("  ") == on("IMG_1234.jpg") == on("DSC 0042") == [True]
    assert on("Image of two people") == on("x" * 1001) == [False]
    assert on(None) == on("Two people look at a poster") == on("Imaging of a cell") == []


# The fold


def test_a_short_text_is_not_folded() -> None:
    assert fold("Poster session\n\nCome to room 7.") == 31
    assert fold("x" * 490) == 490


def test_a_long_text_is_folded_at_a_blank() -> None:
    text = "word " * 200
    assert fold(text) <= 477
    assert text[fold(text)] == " "
    assert fold("x" * 1000) == 477


def test_the_sixth_line_is_folded() -> None:
    assert fold("1\n2\n3\n4\n5\n6") == len("1\n2\n3\n4\n5")
    assert fold("1\n2\n3\n4\n5") == 9


def test_a_link_behind_the_fold_is_named_unless_a_card_shows_it() -> None:
    text = "word " * 120 + "https://example.org/"
    assert kinds(on_fold(text, has_card=False)) == [Kind.FOLD]
    assert on_fold(text, has_card=True) == []
    assert on_fold(f"https://example.org/ {text}", has_card=False) == []

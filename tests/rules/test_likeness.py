"""Likeness, on the templates that are shipped: the same call with a later deadline is alike, two calls are not."""

from pathlib import Path
from typing import Any

import pytest

from outreach import markup
from outreach.advice import ALIKE, likeness
from outreach.library import Library
from outreach.model import Letter
from outreach.wording import Resolved, resolve

LIBRARY = Library(Path(__file__).parents[2] / "queue" / "templates")
KINDS = {"facebook": "facebook_page", "listserv": "listserv"}

CALL = {
    "template": "call-for-abstracts",
    "link": "https://example.org/annual/abstracts",
    "meeting": "Annual Meeting 2027",
    "held": "12 to 15 June 2027 in Boston",
    "deadline": "2027-01-15",
    "topics": ("How tumor cells leave the primary site", "The metastatic niche"),
}
BARE = {"template": "call-for-abstracts", "meeting": "Annual Meeting 2027", "deadline": "2027-01-15"}
WEBINAR = {
    "template": "webinar",
    "topic": "How tumor cells prepare the metastatic niche",
    "speakers": ("a professor of pathology", "an early-career group leader"),
    "day": "2027-03-05",
    "starts": "12:00 America/New_York",
    "register": "https://example.org/webinar-1",
}
EXTENDED = {
    "template": "deadline-extended",
    "what": "abstracts for the Annual Meeting 2027",
    "new_deadline": "2027-01-29",
    "link": "https://example.org/annual/abstracts",
}

SAME = {
    "once more": (CALL, {}),
    "deadline extended": (CALL, {"deadline": "2027-01-29"}),
    "deadline extended, nothing but what is needed": (BARE, {"deadline": "2027-01-29"}),
    "deadline extended, and said so": (
        CALL,
        {"deadline": "2027-01-29", "body": "The deadline was extended by two weeks."},
    ),
    "extended a second time": (EXTENDED, {"new_deadline": "2027-02-05"}),
    "webinar on another day": (WEBINAR, {"day": "2027-03-12"}),
}
OTHER = {
    "call for another meeting": (
        CALL,
        {
            "meeting": "Spring Workshop",
            "held": "2 May 2028 in Lyon",
            "deadline": "2028-02-01",
            "topics": ("Imaging of metastasis", "Bone and brain"),
            "link": "https://example.org/spring",
        },
    ),
    "call for another meeting, nothing but what is needed": (
        BARE,
        {"meeting": "Spring Workshop 2028", "deadline": "2028-02-01"},
    ),
    "call of the next year": (BARE, {"meeting": "Annual Meeting 2028", "deadline": "2028-01-14"}),
    "another deadline extended": (
        EXTENDED,
        {"what": "the trainee award", "new_deadline": "2027-03-05", "link": "https://example.org/award"},
    ),
    "another webinar": (
        WEBINAR,
        {
            "topic": "Imaging circulating cells",
            "speakers": ("a physicist",),
            "day": "2027-04-02",
            "register": "https://example.org/webinar-2",
        },
    ),
    "the call and its reminder": (
        CALL,
        {
            "template": "deadline-reminder",
            "what": "abstracts for the Annual Meeting 2027",
            "meeting": None,
            "held": None,
            "topics": None,
        },
    ),
}


def text(said: dict[str, Any], channel: str) -> tuple[str, str]:
    """Give what a channel gets, and the wording it is made of."""
    template = LIBRARY.get(said["template"])
    fields = {k: v for k, v in said.items() if v is not None and k not in ("template", "body", "link")}
    letter = Letter(
        body=said.get("body", ""), template=template.name, link=said.get("link"), fields=tuple(fields.items())
    )
    body = resolve(letter, template, community="TMM SIG").body_for(channel, KINDS[channel])
    title = resolve(letter, template, community="TMM SIG").title
    wording = Resolved(template.title, template.body, template.channels).body_for(channel, KINDS[channel])
    plain = markup.to_plain(body) if channel == "facebook" else markup.to_mail_text(body)
    return f"{title}\n\n{plain}", f"{template.title}\n\n{wording}"


def how_alike(case: tuple[dict[str, Any], dict[str, Any]], channel: str) -> float:
    one, wording = text(case[0], channel)
    other, _ = text(case[0] | case[1], channel)
    return likeness(one, other, wording=wording)


@pytest.mark.parametrize("channel", KINDS)
@pytest.mark.parametrize("case", SAME.values(), ids=SAME)
def test_the_same_announcement_with_a_change_is_alike(case: Any, channel: str) -> None:
    assert how_alike(case, channel) >= ALIKE + 0.1


@pytest.mark.parametrize("channel", KINDS)
@pytest.mark.parametrize("case", OTHER.values(), ids=OTHER)
def test_two_announcements_from_one_template_are_not(case: Any, channel: str) -> None:
    assert how_alike(case, channel) <= ALIKE - 0.1


def test_what_the_template_says_every_time_would_make_two_calls_alike() -> None:
    one, _ = text(BARE, "listserv")
    other, _ = text(BARE | {"meeting": "Spring Workshop 2028", "deadline": "2028-02-01"}, "listserv")
    assert likeness(one, other) > ALIKE  # which is why it counts for nothing


def test_letter_case_marks_and_line_breaks_make_no_difference() -> None:
    assert likeness("Come to ROOM 7, please!", "come to room 7\nplease") == 1.0
    assert likeness("", "") == likeness("one", "other") == likeness("", "one") == 0.0
    assert likeness("one", "One!") == 1.0

"""Advising: what a letter is looked at beside; and previews of a new text for what is queued."""

from dataclasses import replace
from pathlib import Path

import pytest

from outreach.advice import Kind
from outreach.bootstrap import House
from outreach.desk import Counsel, Place, Preview
from outreach.doors.worker import Worker
from outreach.model import Letter
from outreach.store import channels
from tests.work.clocks import StillClock

LETTER = Letter("Colloquium", "Please come to room 7 and see https://example.org/.", at="2026-12-02 09:00")
OTHER = Letter("Picnic", "We meet at the lake, bring something to eat: https://example.org/lake", at="2026-12-02 10:00")


def previews(house: House, letter: Letter, of: int | None = None) -> dict[str, Preview | None]:
    return {p.channel: p for p in house.desk.preview_letter(letter, folder=house.media, of=of)}


def advised(house: House, letter: Letter, of: int | None = None) -> dict[str, Counsel]:
    return house.desk.advise(letter, previews(house, letter, of), of=of)


def kinds(counsel: Counsel) -> list[Kind]:
    return [advice.kind for advice in counsel.advice]


def add(house: House, letter: Letter) -> int:
    return house.desk.add(letter, folder=house.media, person="ann@example.org").announcement


def save(house: House, number: int, letter: Letter) -> None:
    place = Place(number, house.desk.latest(number).key)
    house.desk.edit(place, letter, folder=house.media, person="ann@example.org")


def hashes(house: House, number: int) -> dict[str, str]:
    return {post.channel: post.content_sha256 for post in house.desk.find(str(number))}


def shown(house: House, letter: Letter, of: int | None = None) -> dict[str, str]:
    return {name: p.content.sha256() for name, p in previews(house, letter, of).items() if p}


# Advice


def test_a_letter_with_nothing_odd_gets_no_advice(house: House) -> None:
    assert {name: kinds(counsel) for name, counsel in advised(house, LETTER).items()} == {
        "facebook": [],
        "listserv": [],
    }


def test_another_post_too_close_is_named_on_its_channel_alone(house: House) -> None:
    add(house, replace(OTHER, to=("facebook",)))
    found = advised(house, LETTER)
    assert {name: kinds(counsel) for name, counsel in found.items()} == {"facebook": [Kind.CLOSE], "listserv": []}
    assert "1/facebook “Picnic” goes out 1 hour after it." in found["facebook"].advice[0].message


def test_the_wishes_of_the_community_count(house: House) -> None:
    add(house, OTHER)
    with house.store.write() as tx:
        wished = {"apart_min": 30, "quiet_from": "08:30", "quiet_to": "09:30"}
        channels.set_wishes(tx, house.community.id, wished, now=house.clock.now(), person="ann@example.org")
    assert kinds(advised(house, LETTER)["facebook"]) == [Kind.QUIET]


def test_nearly_the_same_text_is_named_queued_or_out(house: House, still: StillClock) -> None:
    add(house, replace(LETTER, at="now"))
    again = replace(LETTER, body=LETTER.body.replace("room 7", "room 8"), at="2026-12-20 09:00")
    assert Kind.ALIKE in kinds(advised(house, again)["facebook"])
    Worker(house).once()
    still.tick(86400)
    [advice] = [a for a in advised(house, again)["facebook"].advice if a.kind is Kind.ALIKE]
    assert "1/facebook “Colloquium”, which went out on" in advice.message


def test_the_very_same_text_that_is_still_open_would_not_be_taken(house: House) -> None:
    add(house, LETTER)
    found = advised(house, replace(LETTER, at="2026-12-09 09:00"))
    assert [a.message for a in found["facebook"].advice if a.is_grave] == [
        "The very same is queued already as 1/facebook, so it would not be taken again."
    ]


def test_a_subject_in_use_is_named_on_the_list_alone(house: House) -> None:
    add(house, LETTER)
    found = advised(house, replace(OTHER, title="COLLOQUIUM", at="2026-12-09 09:00"))
    assert [a.kind for a in found["listserv"].advice if a.is_grave] == [Kind.SUBJECT]
    assert [a.kind for a in found["facebook"].advice if a.is_grave] == []


def test_what_is_edited_is_not_compared_with_itself(house: House) -> None:
    number = add(house, LETTER)
    changed = replace(LETTER, body=LETTER.body + " Bring tea.")
    assert [kinds(c) for c in advised(house, changed, of=number).values()] == [[], []]
    assert [kinds(c) for c in advised(house, LETTER, of=number).values()] == [[], []]
    assert all(Kind.CLOSE in kinds(c) and Kind.ALIKE in kinds(c) for c in advised(house, changed).values())


def test_a_time_that_cannot_be_used_is_advice_and_no_error(house: House) -> None:
    found = house.desk.advise(replace(LETTER, at="2020-01-01 09:00"), {"facebook": None})
    [advice] = found["facebook"].advice
    assert (advice.kind, advice.is_grave, found["facebook"].planned) == (Kind.REFUSED, True, None)


@pytest.mark.parametrize("deadline", ["2026-12-01", "1 December 2026"])
def test_a_deadline_among_the_fields_is_compared_with_the_time(house: House, deadline: str) -> None:
    templates = house.settings.OUTREACH_QUEUE / "templates"
    templates.mkdir(exist_ok=True)
    wording = "---\ntitle: Call\nabout: Calls.\nfields:\n  deadline:\n    type: date\n---\nUntil {{ deadline }}: https://example.org/\n"
    (templates / "call.md").write_text(wording)
    letter = Letter(template="call", fields=(("deadline", deadline),), at="2026-12-02 09:00")
    assert kinds(advised(house, letter)["facebook"]) == [Kind.DEADLINE]


def test_what_is_wrong_with_a_mail_is_found_without_asking_anybody(house: House, place: object) -> None:
    found = previews(house, LETTER)
    mail = found["listserv"]
    assert mail is not None
    assert mail.content.message is not None
    broken = replace(mail.content, message=mail.content.message.replace("Subject:", "Precedence: bulk\r\nSubject:"))
    counsel = house.desk.advise(LETTER, {"listserv": replace(mail, content=broken)})
    assert "Precedence" in counsel["listserv"].problems[0].message


# Previews of a new text


def test_the_preview_of_an_edit_is_what_the_edit_queues(house: House) -> None:
    number = add(house, LETTER)
    changed = replace(LETTER, body="Please come to room 8: https://example.org/.")
    before = shown(house, changed, of=number)
    save(house, number, changed)
    assert hashes(house, number) == before


def test_an_unchanged_letter_is_shown_as_it_is_stored(house: House, tmp_path: Path) -> None:
    templates = house.settings.OUTREACH_QUEUE / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "note.md").write_text("---\ntitle: Note\nabout: Notes.\n---\nAs it was: https://example.org/\n")
    letter = Letter(template="note", at="2026-12-02 09:00")
    number = add(house, letter)
    stored = hashes(house, number)
    (templates / "note.md").write_text(
        "---\ntitle: Note\nabout: Notes.\n---\nAs the template is now: https://example.org/\n"
    )

    assert shown(house, letter, of=number) == stored
    later = replace(letter, at="2026-12-03 09:00")
    before = shown(house, later, of=number)
    assert before != stored
    save(house, number, later)
    assert hashes(house, number) == before


def test_what_is_out_is_shown_as_it_went_out(house: House) -> None:
    both = replace(LETTER, times=(("facebook", "now"),))
    number = add(house, both)
    Worker(house).once()
    stored = hashes(house, number)
    changed = replace(LETTER, body="Please come to room 8.")
    before = shown(house, changed, of=number)
    assert before["facebook"] == stored["facebook"]
    assert before["listserv"] != stored["listserv"]


def test_a_preview_of_one_channel_leaves_the_times_of_others_aside(house: House) -> None:
    timed = replace(LETTER, times=(("listserv", "2026-12-02 11:00"),))
    [preview] = house.desk.preview_letter(timed, folder=house.media, channel="facebook")
    assert preview.at.hour == 14
    [preview] = house.desk.preview_letter(timed, folder=house.media, channel="listserv")
    assert preview.at.hour == 16

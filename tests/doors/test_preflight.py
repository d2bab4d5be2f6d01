"""What a pre-flight found, as every door shows it; and the command that looks now."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.sandbox import Sandbox
from tests.doors.place import Place, a_picture
from tests.web.visitors import Guest, member

PROBLEM = {"message": "The picture poster.jpg is gone from the media folder.", "warning": False}


@pytest.fixture
def illustrated(place: Place) -> Place:
    """An install with an announcement due in two hours; its picture is gone from the disk."""
    (place.folder / "poster.jpg").write_bytes(a_picture())
    at = datetime.now(UTC) + timedelta(hours=2)
    letter = Path(place.letter(at=at.isoformat(timespec="seconds")))
    pictures = "pictures:\n  - file: poster.jpg\n    alt: A poster\n---\nPlease"
    letter.write_text(letter.read_text().replace("---\nPlease", pictures))
    place.json("add", str(letter))
    for file in (place.queue / "media").iterdir():
        file.unlink()
    return place


def test_the_command_looks_now_and_ends_with_1_when_a_post_would_not_go_out(illustrated: Place, box: Sandbox) -> None:
    answer = illustrated.cli("preflight", "--json")
    assert answer.code == 1
    page, mail = answer.json
    assert (page["id"], mail["id"], mail["problems"]) == ("1/facebook", "1/listserv", [])
    [problem] = page["problems"]
    assert problem | PROBLEM == problem
    assert problem["next"]
    assert page["checked_at"].endswith("Z")
    assert [entry for entry in box.graph.journal if entry.method != "GET"] == []
    assert (box.mail.journal, illustrated.states()) == ([], {"1/facebook": "queued", "1/listserv": "queued"})


def test_the_command_takes_a_post_or_an_announcement(illustrated: Place) -> None:
    assert illustrated.cli("preflight", "1/facebook").code == 1
    assert illustrated.cli("preflight", "1").code == 1
    well = illustrated.cli("preflight", "1/listserv")
    assert (well.code, well.out) == (0, "✓ 1/listserv: all is well\n")
    assert illustrated.cli("preflight", "2", "--json").error["message"] == "There is no announcement 2."


def test_the_command_looks_at_a_post_of_next_year_when_it_is_named(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    assert place.cli("preflight").out == "Nothing is due within 24 hours.\n"
    assert place.json("preflight") == []
    assert [post["problems"] for post in place.json("preflight", "1")] == [[], []]


def test_the_command_says_when_nothing_is_queued(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    place.json("cancel", "1")
    refused = place.cli("preflight", "1", "--json")
    assert (refused.code, refused.error["message"][:24]) == (1, "Nothing of 1 is queued, ")


def test_a_warning_does_not_fail_the_command(place: Place) -> None:
    place.settings["FACEBOOK_GRAPH_VERSION"] = "v19.0"
    place.json("add", place.letter(at="2035-01-15 09:00"))
    page, _ = place.json("preflight", "1")
    assert [problem["warning"] for problem in page["problems"]] == [True]
    assert "Warning: Facebook answers with version v21.0" in place.cli("preflight", "1").out


def test_what_was_found_stands_wherever_the_post_is_shown(illustrated: Place) -> None:
    assert illustrated.json("show", "1/facebook")["posts"][0]["problems"] == []
    assert illustrated.json("show", "1/facebook")["posts"][0]["checked_at"] is None
    illustrated.cli("preflight")
    [shown] = illustrated.json("show", "1/facebook")["posts"]
    assert shown["problems"][0] | PROBLEM == shown["problems"][0]
    assert [entry["what"] for entry in shown["history"] if entry["kind"] == "sighting"] == ["pre-flight"]
    words = " ".join(illustrated.cli("show", "1").out.split())
    assert words.count("! The picture poster.jpg is gone from the media folder.") == 1
    assert "pre-flight: all is well" in words
    queue = " ".join(illustrated.cli("queue").out.split())
    assert "! The picture poster.jpg is gone from the media folder." in queue


def test_nothing_stands_in_the_way_of_what_is_not_queued_any_more(illustrated: Place) -> None:
    illustrated.cli("preflight")
    illustrated.json("cancel", "1")
    [shown] = illustrated.json("show", "1/facebook")["posts"]
    assert (shown["problems"], shown["checked_at"]) == ([], None)


@pytest.fixture
def visitor(illustrated: Place) -> Iterator[Guest]:
    illustrated.cli("preflight")
    house = illustrated.house()
    with served(create(house)) as address:
        yield member(house, address)
    house.close()


def test_the_page_shows_what_was_found(visitor: Guest) -> None:
    overview, announcement = (visitor.get(path).text for path in ("/", "/announcements/1"))
    for page in (overview, announcement):
        assert page.count('<li class="problem">The picture poster.jpg is gone from the media folder.') == 1
        assert page.count("all is well") >= 1
    assert "<strong>Looked ahead: something is in its way</strong>" in announcement


# Channels and doctor


def test_channels_show_what_the_latest_check_found_without_asking(place: Place, box: Sandbox) -> None:
    box.graph.tokens.kill(box.page_token, 460)
    assert place.json("channels")[0]["problems"] == []
    assert place.cli("channels", "check", "facebook").code == 1
    asked = len(box.graph.journal)
    [problem] = place.json("channels")[0]["problems"]
    assert "changed their password" in problem
    assert len(box.graph.journal) == asked


def test_a_check_that_only_warns_ends_well(place: Place) -> None:
    place.settings["FACEBOOK_GRAPH_VERSION"] = "v19.0"
    [channel] = place.json("channels", "check", "facebook")
    assert channel["problems"][0].startswith("Warning: Facebook answers with version v21.0")


def test_doctor_shows_warnings_and_ends_well(place: Place) -> None:
    place.json("init")
    place.settings["FACEBOOK_GRAPH_VERSION"] = "v19.0"
    told = [check for check in place.json("doctor")["checks"] if check["name"] == "facebook"]
    assert [(check["ok"], check["warning"]) for check in told] == [(True, True), (True, False)]
    assert "! facebook: Facebook answers with version v21.0" in place.cli("doctor").out

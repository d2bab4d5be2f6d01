"""A first comment through every door: the letter, the preview, the worker, what is shown, the page and the API's letter."""

from outreach import letter as letters
from outreach.model import Letter
from outreach.sandbox import Sandbox
from tests.doors.place import Place

WORDS = "The form: https://example.org/form"


def test_it_is_previewed_queued_made_and_shown(place: Place, box: Sandbox) -> None:
    letter = place.letter(first_comment=WORDS)
    page, mail = place.json("preview", letter)
    assert page["extras"] == {"first_comment": WORDS}
    assert [each["url"].rpartition("/")[2] for each in page["requests"]] == ["feed", "comments"]
    assert "extras" not in mail
    place.json("add", letter)
    assert place.json("show", "1")["posts"][0]["first_comment"]["state"] == "waiting"
    place.cli("worker", "--once")
    [shown, listed] = place.json("show", "1")["posts"]
    assert (shown["state"], shown["first_comment"]["state"]) == ("published", "posted")
    assert "first_comment" not in listed
    assert [each.message for each in box.graph.world.comments.values()] == [WORDS]
    assert WORDS not in box.mail.distributed()[0].raw.decode()
    assert "first comment posted" in [entry["kind"] for entry in shown["history"]]
    assert "First comment: posted" in place.cli("show", "1").out


def test_a_comment_that_failed_is_said_and_made_again_when_a_person_says_so(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(first_comment=WORDS))
    box.graph.fail_with("200", "comments")
    place.cli("worker", "--once")
    assert "outreach comment 1/facebook --again" in place.cli("show", "1").out
    assert place.cli("comment", "1/facebook").code == 2
    said = place.json("comment", "1/facebook", "--again")
    assert said["notes"] == ["The first comment of 1/facebook is made again."]
    place.cli("worker", "--once")
    assert [each.message for each in box.graph.world.comments.values()] == [WORDS]
    assert place.cli("comment", "1", "--there").code == 1


def test_a_changed_letter_changes_the_comment_and_one_taken_out_is_not_made(place: Place, box: Sandbox) -> None:
    house = place.house()
    first = letters.parse("---\ntitle: A\nto: facebook\nat: 2035-01-15 09:00\nfirst_comment: One\n---\nHello\n")
    number = house.desk.add(first, folder=place.folder).announcement
    before = house.desk.find(str(number))[0].content_sha256
    spot = house.desk.latest(number)
    assert house.desk.first_comments(house.desk.find(str(number)))
    from outreach.desk import Place as Spot

    without = letters.parse("---\ntitle: A\nto: facebook\nat: 2035-01-15 09:00\n---\nHello\n")
    house.desk.edit(Spot(number, spot.key), without, folder=place.folder)
    assert house.desk.find(str(number))[0].content_sha256 != before
    assert house.desk.first_comments(house.desk.find(str(number))) == {}
    house.close()


def test_the_letter_reads_what_it_prints_whatever_the_comment_holds() -> None:
    for text in ("One line", "Two\nlines: with: colons", "- a dash", "# none", "  blanks before"):
        letter = letters.parse(
            letters.show(Letter(title="A", body="B", first_comment=text, targeting=("US", "CA"), page_place="12"))
        )
        assert (letter.first_comment, letter.targeting, letter.page_place) == (text, ("US", "CA"), "12")
    assert letters.parse("---\ntitle: A\nfirst comment: Hi\n---\nB\n").first_comment == "Hi"

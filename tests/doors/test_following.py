"""Corrections and retractions, through the commands, the worker and the sandbox: both channels in one action."""

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from outreach.model import FollowKind
from outreach.sandbox import Sandbox
from tests.doors.place import Place

BODY = "The colloquium is on **Friday** at 5 pm in room 7.\n\nEverybody is welcome.\n"
NEW = "The colloquium is on **Thursday** at 5 pm in room 7.\n\nEverybody is welcome.\n"


@pytest.fixture
def out(place: Place) -> Place:
    """An install in which an announcement is out on both channels."""
    place.json("add", _letter(place, "first.md", "title: Colloquium", BODY))
    work(place)
    assert place.states() == {"1/facebook": "published", "1/listserv": "published"}
    return place


def _letter(place: Place, name: str, head: str, body: str) -> str:
    file: Path = place.folder / name
    file.write_text(f"---\n{head}\nat: now\n---\n{body}")
    return str(file)


def work(place: Place) -> None:
    for _ in range(2):
        assert place.cli("worker", "--once").code == 0


def mails(box: Sandbox) -> list[tuple[str, str, str, str]]:
    """What the list distributed: subject, what it answers, what it stands below, and its plain text."""
    found = []
    for each in box.mail.distributed():
        mail = message_from_bytes(each.raw, policy=default)
        text = mail.get_body(("plain",))
        assert text is not None
        found.append((str(mail["Subject"]), str(mail["In-Reply-To"]), str(mail["References"]), str(text.get_content())))
    return found


def page(box: Sandbox) -> list[str]:
    return [post.message or "" for post in box.graph.public_posts()]


def test_a_correction_edits_the_page_and_answers_on_the_list_with_what_changed_first(out: Place, box: Sandbox) -> None:
    first = box.mail.distributed()[0].message_id
    out.json("add", _letter(out, "second.md", "title: 'Correction: Colloquium'\ncorrects: 1", NEW))
    [edit, mail] = out.json("preview", "2")
    assert "Thursday" in edit["text"]
    assert "What is corrected" in mail["text"]
    work(out)
    assert out.states()["2/facebook"] == "published"
    [text] = page(box)
    assert text == "Colloquium\n\nThe colloquium is on Thursday at 5 pm in room 7.\n\nEverybody is welcome."
    subject, answers, below, plain = mails(box)[1]
    assert (subject, answers, below) == ("Correction: Colloquium", f"<{first.strip('<>')}>", f"<{first.strip('<>')}>")
    assert plain.index("What is corrected") < plain.index("Thursday") < plain.index("The corrected announcement")
    assert "(before: The colloquium is on Friday" in " ".join(plain.split())
    assert out.states()["1/facebook"] == "published"


def test_a_correction_of_a_correction_stands_below_both(out: Place, box: Sandbox) -> None:
    out.json("add", _letter(out, "second.md", "title: 'Correction: Colloquium'\ncorrects: 1", NEW))
    work(out)
    third = NEW.replace("room 7", "room 9")
    out.json("add", _letter(out, "third.md", "title: 'Correction: the room of the colloquium'\ncorrects: 2", third))
    work(out)
    [text] = page(box)
    assert "room 9" in text
    ids = [each.message_id for each in box.mail.distributed()]
    _, answers, below, _ = mails(box)[2]
    assert answers.strip("<>") == ids[1].strip("<>")
    assert [each.strip("<>") for each in below.split()] == [each.strip("<>") for each in ids[:2]]


def test_a_retraction_deletes_on_the_page_and_both_posts_are_retracted(out: Place, box: Sandbox) -> None:
    out.json("add", _letter(out, "gone.md", "title: 'Retracted: Colloquium'\nretracts: 1", "It is cancelled.\n"))
    work(out)
    work(out)
    assert page(box) == []
    assert mails(box)[1][0] == "Retracted: Colloquium"
    states = out.states()
    assert (states["1/facebook"], states["1/listserv"]) == ("retracted", "retracted")
    assert (states["2/facebook"], states["2/listserv"]) == ("published", "published")


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_done_twice(out: Place, box: Sandbox, verb: str) -> None:
    head = "title: A follow-up\n" + ("corrects: 1" if verb == "edit" else "retracts: 1") + "\nto: [facebook]"
    out.settings["OUTREACH_LOOK_AFTER_S"] = "0"
    out.json("add", _letter(out, "next.md", head, NEW))
    box.graph.fail(verb, "empty-200")
    work(out)
    work(out)
    assert out.states()["2/facebook"] == "published"
    assert len(page(box)) == (1 if verb == "edit" else 0)


@pytest.mark.parametrize(
    ("rule", "key", "says"),
    [
        ("may_edit", "corrects", "Change it on the Page by hand."),
        ("may_delete", "retracts", "Delete it on the Page by hand."),
    ],
)
def test_a_page_that_lets_no_app_do_it_fails_that_post_alone(
    out: Place, box: Sandbox, rule: str, key: str, says: str
) -> None:
    setattr(box.graph.rules, rule, False)
    out.json("add", _letter(out, "next.md", f"title: A follow-up\n{key}: 1\nto: [facebook]", NEW))
    work(out)
    post = out.posts()["2/facebook"]
    assert (str(post.state), str(post.reason).endswith(says)) == ("failed", True)
    assert "Friday" in page(box)[0]
    assert [row["state"] for row in out.json("channels")] == ["ready", "ready"]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("title: Oops\ncorrects: 7", "Nothing of announcement 7 is out on facebook."),
        ("title: Oops\ncorrects: first", "Nothing of announcement first is out on facebook."),
        ("title: Oops\ncorrects: 1\nretracts: 1", "It corrects and retracts at once."),
    ],
)
def test_what_follows_nothing_is_refused(out: Place, head: str, message: str) -> None:
    answer = out.cli("add", _letter(out, "next.md", head, NEW), "--json")
    assert (answer.code, answer.error["message"]) == (1, message)


def test_what_is_only_queued_is_edited_and_not_corrected(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    answer = place.cli("add", _letter(place, "next.md", "title: Correction\ncorrects: 1", NEW), "--json")
    assert (answer.code, "What is queued is edited" in answer.error["next"]) == (1, True)


def test_the_letter_to_begin_with_is_what_is_out(out: Place) -> None:
    house = out.house()
    correction = house.desk.follow_up(1, FollowKind.CORRECTION)
    assert (correction.title, correction.body, correction.corrects) == ("Correction: Colloquium", BODY.strip(), "1")
    retraction = house.desk.follow_up(1, FollowKind.RETRACTION)
    assert (retraction.title, retraction.retracts, retraction.to) == (
        "Retracted: Colloquium",
        "1",
        ("facebook", "listserv"),
    )
    house.close()


def test_the_commands_write_a_correction_to_be_changed_and_queue_a_retraction(out: Place) -> None:
    file = out.folder / "correction.md"
    assert out.json("correct", "1", str(file)) == {"file": str(file), "corrects": 1, "to": ["facebook", "listserv"]}
    file.write_text(file.read_text().replace("Friday", "Thursday"))
    out.json("add", str(file))
    work(out)
    assert out.cli("correct", "1", str(file)).code == 1
    added = out.json("retract", "2", "--why", "The speaker is ill.")
    assert [post["channel"] for post in added["posts"]] == ["facebook", "listserv"]
    work(out)
    work(out)
    assert out.states()["2/listserv"] == "retracted"
    assert out.cli("retract", "7").code == 1

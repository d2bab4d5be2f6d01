"""The inbox folder: taken, rejected with the reason, recognised when met again, shared by several workers."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.doors.inbox import Inbox
from tests.doors.place import Place, a_letter, a_picture


@pytest.fixture
def house(place: Place) -> Iterator[House]:
    made = place.house()
    yield made
    made.close()


@pytest.fixture
def inbox(place: Place, house: House) -> Inbox:
    made = Inbox(place.queue, house.desk)
    made.prepare()
    return made


def why(place: Place, name: str = "letter.md") -> str:
    return (place.queue / "rejected" / f"{name}.why.txt").read_text()


def test_a_letter_is_queued_and_then_moved(place: Place, inbox: Inbox) -> None:
    place.drop(at="2035-01-15 09:00")
    assert inbox.sweep() == 1
    assert place.states() == {"1/facebook": "queued", "1/listserv": "queued"}
    assert (place.inside("inbox"), place.inside("accepted"), place.inside("rejected")) == ([], ["letter.md"], [])
    assert place.json("show", "1/facebook")["posts"][0]["history"][0]["note"] == "from the inbox: letter.md"


def test_a_letter_that_is_no_good_comes_back_with_the_reason(place: Place, inbox: Inbox) -> None:
    place.drop(title="")
    assert inbox.sweep() == 1
    assert place.inside("rejected") == ["letter.md", "letter.md.why.txt"]
    assert why(place) == ("letter.md, line 1: The letter has no title. Add a line such as title: Call for abstracts.\n")
    assert (place.inside("inbox"), place.states()) == ([], {})


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"---\n", b"x" * 2_000_000], ids=["empty", "UTF-16", "cut", "large"]
)
def test_whatever_is_dropped_comes_back_or_is_queued(place: Place, inbox: Inbox, data: bytes) -> None:
    (place.queue / "inbox" / "a.md").write_bytes(data)
    inbox.sweep()
    assert place.inside("rejected") == ["a.md", "a.md.why.txt"]


def test_what_is_still_being_written_is_left_alone(place: Place, inbox: Inbox) -> None:
    names = [".letter.md", "letter.md.tmp", "letter.txt", "poster.jpg"]
    for name in names:
        (place.queue / "inbox" / name).write_text(a_letter())
    (place.queue / "inbox" / "folder.md").mkdir()
    assert inbox.sweep() == 0
    assert place.inside("inbox") == sorted([*names, "folder.md"])


def test_the_same_letter_dropped_again_is_rejected_with_its_number(place: Place, inbox: Inbox) -> None:
    for name in ("letter.md", "letter.md", "other.md"):
        place.drop(name, at="2035-01-15 09:00")
        inbox.sweep()
    assert place.inside("accepted") == ["letter.md"]
    assert place.inside("rejected") == ["letter.md", "letter.md.why.txt", "other.md", "other.md.why.txt"]
    assert why(place).startswith("This letter is already queued as 1.")
    assert why(place, "other.md").startswith("This letter is already queued as 1.")
    assert sorted(place.states()) == ["1/facebook", "1/listserv"]


def test_another_letter_under_a_name_that_was_used_keeps_both(place: Place, inbox: Inbox) -> None:
    for title in ("One", "Two", "Three"):
        place.drop(title=title)
        inbox.sweep()
    assert place.inside("accepted") == ["letter-1.md", "letter-2.md", "letter.md"]
    assert "title: Two" in (place.queue / "accepted/letter-1.md").read_text()
    for body in ("x", "y"):
        (place.queue / "inbox" / "bad.md").write_text(body)
        inbox.sweep()
    assert place.inside("rejected") == ["bad-1.md", "bad-1.md.why.txt", "bad.md", "bad.md.why.txt"]


def test_a_letter_that_was_queued_but_not_moved_is_only_moved(place: Place, inbox: Inbox, house: House) -> None:
    file = place.drop(at="2035-01-15 09:00")
    text = file.read_text()
    inbox.sweep()
    (place.queue / "accepted/letter.md").rename(file)  # as if the service had died in between
    assert file.read_text() == text
    inbox.sweep()
    assert (place.inside("accepted"), place.inside("rejected")) == (["letter.md"], [])
    assert sorted(place.states()) == ["1/facebook", "1/listserv"]


def test_it_is_only_moved_even_when_an_older_letter_had_its_name(place: Place, inbox: Inbox) -> None:
    place.drop(title="Older")
    inbox.sweep()
    file = place.drop(title="Newer")
    inbox.sweep()
    (place.queue / "accepted/letter-1.md").rename(file)
    inbox.sweep()
    assert (place.inside("accepted"), place.inside("rejected")) == (["letter-1.md", "letter.md"], [])


def test_a_crash_between_the_link_and_the_unlink_leaves_one_letter(place: Place, inbox: Inbox) -> None:
    file = place.drop(at="2035-01-15 09:00")
    inbox.sweep()
    os.link(place.queue / "accepted/letter.md", file)
    inbox.sweep()
    assert (place.inside("inbox"), place.inside("accepted"), place.inside("rejected")) == ([], ["letter.md"], [])


def test_a_letter_finds_the_pictures_beside_it(place: Place, inbox: Inbox) -> None:
    (place.queue / "inbox" / "hall.jpg").write_bytes(a_picture())
    place.drop(pictures="\n  - file: hall.jpg\n    alt: The hall")
    inbox.sweep()
    [page] = place.json("preview", "1/facebook")
    assert page["pictures"][0]["file"] == "hall.jpg"
    (place.queue / "inbox" / "hall.jpg").unlink()  # the queue has its own copy
    assert place.run("worker", "--once").code == 0
    assert place.states() == {"1/facebook": "published", "1/listserv": "published"}


def test_links_in_the_inbox_lead_nowhere(place: Place, inbox: Inbox) -> None:
    outside = place.folder / "outside.md"
    outside.write_text(a_letter())
    (place.folder / "secret.jpg").write_bytes(a_picture())
    (place.queue / "inbox/link.md").symlink_to(outside)
    (place.queue / "inbox/circle.md").symlink_to("circle.md")
    (place.queue / "inbox/hall.jpg").symlink_to(place.folder / "secret.jpg")
    place.drop(pictures="\n  - file: hall.jpg\n    alt: The hall")
    inbox.sweep()
    assert why(place).startswith("pictures: The picture 'hall.jpg' was not found.")
    assert place.inside("inbox") == ["circle.md", "hall.jpg", "link.md"]
    assert outside.exists()


def test_a_name_that_is_no_text_is_rejected_and_stops_no_other(place: Place, inbox: Inbox) -> None:
    (place.queue / "inbox" / os.fsdecode(b"caf\xe9.md")).write_text(a_letter(title="First"))
    place.drop("z.md", title="Second")
    assert inbox.sweep() == 2
    assert place.inside("accepted") == ["z.md"]
    assert [os.fsencode(name) for name in place.inside("rejected")] == [b"caf\xe9.md", b"caf\xe9.md.why.txt"]


def test_a_letter_that_cannot_be_moved_stops_no_other_and_is_queued_once(place: Place, inbox: Inbox) -> None:
    place.drop("a.md", title="")
    (place.queue / "rejected").rmdir()
    (place.queue / "rejected").write_text("in the way")
    place.drop("b.md", title="Second")
    for _ in range(3):
        inbox.sweep()
    assert place.inside("inbox") == ["a.md"]
    assert place.inside("accepted") == ["b.md"]
    assert sorted(place.states()) == ["1/facebook", "1/listserv"]


def test_two_sweepers_of_one_inbox_queue_each_letter_once_and_reject_none(place: Place) -> None:
    houses = [place.house() for _ in range(4)]
    inboxes = [Inbox(place.queue, house.desk) for house in houses]
    inboxes[0].prepare()
    for number in range(12):
        place.drop(f"letter{number}.md", title=f"Number {number}", at="2035-01-15 09:00")
    together = threading.Barrier(4)

    def sweep(inbox: Inbox) -> None:
        together.wait()
        inbox.sweep()

    threads = [threading.Thread(target=sweep, args=(inbox,)) for inbox in inboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for house in houses:
        house.close()
    assert place.inside("inbox") == []
    assert place.inside("rejected") == []
    assert place.inside("accepted") == sorted(f"letter{number}.md" for number in range(12))
    assert len(place.states()) == 24


def test_an_inbox_that_is_not_there_holds_no_letters(place: Place, house: House) -> None:
    assert Inbox(Path(place.queue), house.desk).sweep() == 0

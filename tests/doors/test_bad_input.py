"""What a person may get wrong in a letter: each a sentence with its place and the next step, and nothing is changed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.doors.layout import lay_out
from tests.builders import everything
from tests.doors.place import Answer, Place, a_letter, a_picture

ALT = "\n    alt: The hall"
TEMPLATED = (
    "---\ntemplate: call-for-abstracts\nat: now\nfields:\n  meeting: Annual Meeting\n  deadline: 2035-01-15\n{}---\n"
)

LETTERS: dict[str, tuple[str, str, str]] = {
    # what is wrong: (the letter, words of the sentence, the place it names)
    "unknown template": (a_letter(template="nothing"), "no template", ""),
    "unknown channel": (a_letter(to="[myspace]"), "There is no channel called 'myspace'.", "to"),
    "unknown zone": (a_letter(at="2035-01-15 09:00", zone="Mars/Olympus"), "Mars/Olympus", ""),
    "unknown field": (TEMPLATED.format("  topic: One\n"), "The template has no such field.", "field topic"),
    "missing field": (TEMPLATED.format("").replace("  meeting: Annual Meeting\n", ""), "A text is missing.", "field meeting"),
    "wrong date in a field": (TEMPLATED.format("").replace("2035-01-15", "soon"), "soon", "deadline"),
    "fields without a template": ("---\ntitle: T\nat: now\nfields:\n  a: b\n---\nText\n", "no template", "fields"),
    "missing title": (a_letter(title=""), "The letter has no title.", "letter.md, line 1"),
    "missing body": (a_letter(body=""), "The letter has no text.", "letter.md, line 5"),
    "empty": ("", "There is no front matter.", "letter.md, line 1"),
    "no end of the front matter": ("---\ntitle: T\nText\n", "The front matter that begins here never ends.", "line 1"),
    "a line without a key": ("---\ntitle: T\nwhat\n---\nText\n", "This line of the front matter has no key.", "line 3"),
    "an unknown key": (a_letter(titel="T"), 'There is no key "titel".', "letter.md, line 4"),
    "a YAML anchor": (a_letter(title="&a b"), '"title" begins with &', "letter.md, line 2"),
    "missing alt text": (a_letter(pictures="\n  - file: hall.jpg"), "no alt text", "letter.md, line 5"),
    "a picture that is missing": (a_letter(pictures=f"\n  - file: gone.jpg{ALT}"), "'gone.jpg' was not found", "pictures"),
    "a picture that is no image": (a_letter(pictures=f"\n  - file: text.jpg{ALT}"), "'text.jpg' is not a picture", "pictures"),
    "a picture cut short": (a_letter(pictures=f"\n  - file: half.jpg{ALT}"), "'half.jpg' is not a picture", "pictures"),
    "a HEIC photo": (a_letter(pictures=f"\n  - file: hall.heic{ALT}"), "is a HEIC photo, as telephones make them", "pictures"),
    "a picture with too many points": (a_letter(pictures=f"\n  - file: wide.png{ALT}"), "points", "pictures"),
    "a folder as a picture": (a_letter(pictures=f"\n  - file: folder{ALT}"), "'folder' was not found", "pictures"),
    "a way out of the folder": (a_letter(pictures=f"\n  - file: ../secret.jpg{ALT}"), "was not found", "pictures"),
    "a whole path": (a_letter(pictures=f"\n  - file: /etc/hostname{ALT}"), "was not found", "pictures"),
    "a link out of the folder": (a_letter(pictures=f"\n  - file: link.jpg{ALT}"), "'link.jpg' was not found", "pictures"),
    "links in a circle": (a_letter(pictures=f"\n  - file: circle.jpg{ALT}"), "was not found", "pictures"),
    "a name no disk takes": (a_letter(pictures=f"\n  - file: {'x' * 300}.jpg{ALT}"), "was not found", "pictures"),
    "too many pictures": (a_letter(pictures=f"\n  - file: hall.jpg{ALT}" * 11), "takes 10 pictures, not 11", "pictures"),
    "a text too long for the Page": (a_letter(body="word " * 12_700), "Facebook takes 63,206", "body"),
    "a mail over 40 KB": (a_letter(body="word " * 5_000, to="listserv"), "the list takes 40 KB", "body"),
    "a link that is no address": (a_letter(link="ftp://example.org/x"), "not a web", ""),
    "a link without a host": (a_letter(link="https://"), "not a web", ""),
    "a link to code": (a_letter(link="javascript:alert(1)"), "not a web", ""),
    "a relative link in the text": (a_letter(body="See [this](page.html)."), "“page.html” is not a web or mail address.", "line 1"),
    "an image in the text": (a_letter(body="![hall](https://example.org/hall.jpg)"), "would not be sent", "line 1"),
    "a command to the list server": (a_letter(body="unsubscribe"), "read this line as a command", "body"),
    "a command as the subject": (a_letter(title="help"), "read this line as a command", "body"),
    "a mention of another Page": (a_letter(body="Thanks, @[1234567]"), "would mention another Page", ""),
    "no time": (a_letter(at=""), "It is not said when it goes out.", "at"),
    "no such day": (a_letter(at="2035-02-30 09:00"), "There is no 30 February 2035.", ""),
    "a day without a time": (a_letter(at="2035-01-15"), "has no time", ""),
    "which number is the day": (a_letter(at="01/02/2035 09:00"), "does not say which number is the day", ""),
    "out only after its latest time": (a_letter(at="2035-01-15 09:00", not_after="2035-01-15 08:00"), "latest time", "not after"),
    "a control character": (a_letter(body="bell \x07"), "The character U+0007 cannot be part of a letter.", "letter.md, line 5"),
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    """Pictures that are all wrong in their own way, and one that is good."""
    return {
        "hall.jpg": a_picture(),
        "text.jpg": b"not a picture",
        "half.jpg": a_picture("JPEG", (400, 400))[:500],
        "hall.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        "wide.png": a_picture("PNG", (30_000, 2_500), "1"),
    }


@pytest.fixture
def desk(place: Place, pictures: dict[str, bytes]) -> Place:
    """An install with templates, and with those pictures beside the letter."""
    lay_out(place.queue)
    (place.folder.parent / "secret.jpg").write_bytes(pictures["hall.jpg"])
    for name, data in pictures.items():
        (place.folder / name).write_bytes(data)
    (place.folder / "folder").mkdir()
    (place.folder / "link.jpg").symlink_to(place.folder.parent / "secret.jpg")
    (place.folder / "circle.jpg").symlink_to("circle.jpg")
    place.json("channels")  # writes the channels down
    return place


def stored(place: Place) -> object:
    house = place.house()
    try:
        return everything(house.store), place.inside("media")
    finally:
        house.close()


def is_a_clear_refusal(answer: Answer, message: str, where: str) -> None:
    assert answer.code == 1, answer
    assert "Traceback" not in answer.err
    assert message in answer.error["message"]
    assert where in (answer.error["where"] or "")
    assert answer.error["next"]


@pytest.mark.parametrize("what", LETTERS)
def test_what_is_wrong_in_a_letter_is_said_and_changes_nothing(desk: Place, what: str) -> None:
    text, message, where = LETTERS[what]
    (desk.folder / "letter.md").write_text(text)
    before = stored(desk)
    is_a_clear_refusal(desk.cli("add", "letter.md", "--json"), message, where)
    assert stored(desk) == before
    if what != "no time":  # a preview without a time is one of now
        is_a_clear_refusal(desk.cli("preview", "letter.md", "--json"), message, where)


def test_a_past_time_is_refused(desk: Place) -> None:
    answer = desk.cli("add", desk.letter(at="yesterday 9am"), "--json")
    assert answer.code == 1
    assert desk.posts() == {}


def test_a_picture_that_shows_nothing_may_be_decorative(desk: Place) -> None:
    added = desk.json("add", desk.letter(pictures="\n  - file: hall.jpg\n    alt: decorative"))
    [page] = desk.json("preview", "1", "--channel", "facebook")
    assert len(added["posts"]) == 2
    assert page["pictures"][0]["alt"] is None
    assert "alt_text_custom" not in page["requests"][0]["form"]


def test_a_time_in_the_gap_of_spring_is_taken_with_a_note(desk: Place) -> None:
    added = desk.json("add", desk.letter(), "--at", "2035-03-11 02:30")
    assert added["posts"][0]["due_at"] == "2035-03-11T07:30:00Z"
    assert added["notes"] == [
        "02:30 on 11 March 2035 does not exist in America/New_York: the clocks go forward by 1 hour."
        " It is moved to 03:30 EDT."
    ]


def test_a_subject_that_is_open_on_the_list_is_refused_whatever_its_letter_case(desk: Place) -> None:
    desk.json("add", desk.letter(at="2035-01-15 09:00"))
    answer = desk.cli("add", desk.letter(title="COLLOQUIUM on Tuesday", body="Another text."), "--json")
    is_a_clear_refusal(answer, "Announcement 1 on listserv has the same title and is still open.", "title")
    # On the Page alone two posts may share a title.
    assert desk.json("add", desk.letter(body="Another text."), "--to", "facebook")["announcement"] == 2


def test_the_same_letter_again_is_named_by_its_number(desk: Place) -> None:
    file = desk.letter(at="2035-01-15 09:00")
    desk.json("add", file)
    is_a_clear_refusal(desk.cli("add", file, "--json"), "This letter is already queued as 1.", "")
    # Nor at another time, while the first is open; nor as a draft.
    is_a_clear_refusal(desk.cli("add", file, "--now", "--json"), "This letter is already queued as 1.", "")
    is_a_clear_refusal(desk.cli("add", file, "--draft", "--json"), "This letter is already queued as 1.", "")
    assert sorted(desk.posts()) == ["1/facebook", "1/listserv"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"---\ntitle: caf\xe9\nat: now\n---\nText\n", "The byte at offset 14 is not UTF-8."),
        (b"\xff\xfe-\x00-\x00", "The byte at offset 0 is not UTF-8."),
        (b"---\ntitle: T\nat: now\n---\n\x00", "The character U+0000 cannot be part of a letter."),
        (b"x" * 1_048_577, "The letter is larger than 1 MiB."),
    ],
    ids=["Latin-1", "UTF-16", "NUL", "too large"],
)
def test_a_file_that_is_no_text_is_refused(desk: Place, data: bytes, message: str) -> None:
    (desk.folder / "letter.md").write_bytes(data)
    is_a_clear_refusal(desk.cli("add", "letter.md", "--json"), message, "letter.md")


@pytest.mark.parametrize("name", ["gone.md", "folder", "circle.jpg", "/dev/zero", "x" * 300])
def test_a_letter_that_cannot_be_read_is_refused(desk: Place, name: str) -> None:
    is_a_clear_refusal(desk.cli("add", name, "--json"), "letter", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--template", "nothing", "--now"),
        ("--template", "call-for-abstracts", "--now", "--field", "deadline"),
        ("--template", "call-for-abstracts", "--now", "--field", "title=A", "--field", "title=B"),
        ("letter.md", "--to", ""),
        ("letter.md", "--to", "facebook,nothing"),
        ("letter.md", "--zone", "EDT"),
        ("letter.md", "--at", "soon"),
        ("letter.md", "--at", "9" * 50),
        ("letter.md", "--as", "@"),
    ],
    ids=" ".join,
)
def test_an_option_that_makes_no_sense_is_refused(desk: Place, words: tuple[str, ...]) -> None:
    desk.letter()
    is_a_clear_refusal(desk.cli("add", *words, "--json"), "", "")
    assert desk.posts() == {}


BYTES = [
    ("show", b"12/\xff"),
    ("add", b"\xff.md"),
    ("add", "--template", b"\xff", "--now"),
    ("add", "--template", "job", "--field", b"title=\xff", "--now"),
    ("history", "--search", b"\xff"),
    ("templates", b"\xff"),
    ("channels", "pause", b"\xff"),
    ("channels", "pause", "facebook", "--reason", b"\xff"),
    ("cancel", "1", "--as", b"\xff@example.org"),
    ("preview", b"\xff.md"),
    ("init", b"\xff"),
]


@pytest.mark.parametrize("words", BYTES[:2])
def test_bytes_that_are_no_text_are_refused_on_the_real_command_line(
    desk: Place, words: tuple[str | bytes, ...]
) -> None:
    answer = desk.run(*words, "--json")
    is_a_clear_refusal(answer, "is not UTF-8 text.", "")


@pytest.mark.parametrize("words", BYTES, ids=repr)
def test_half_characters_are_refused_in_every_place(desk: Place, words: tuple[str | bytes, ...]) -> None:
    given = [word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word for word in words]
    is_a_clear_refusal(desk.cli(*given, "--json"), "is not UTF-8 text.", "")


FRONT = st.dictionaries(
    st.sampled_from(["title", "at", "to", "zone", "link", "template", "pictures", "fields", "not after", "odd"]),
    st.text(max_size=40) | st.sampled_from(["now", "[facebook]", "- a", "\n  a: b", "\n  - file: hall.jpg", '"', "|"]),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(front=FRONT, body=st.text(max_size=200))
def test_no_letter_whatever_is_in_it_ends_in_anything_but_a_post_or_a_sentence(
    desk: Place, front: dict[str, str], body: str
) -> None:
    lines = [f"{name}: {value}" for name, value in front.items()]
    text = "\n".join(["---", *lines, "---", body])
    (desk.folder / "letter.md").write_bytes(text.encode("utf-8", "surrogatepass"))
    answer = desk.cli("add", "letter.md", "--json")  # raises what is not caught
    assert answer.code in (0, 1)
    assert ("error" in answer.json) == (answer.code == 1)


def test_a_letter_through_a_pipe_is_taken(desk: Place) -> None:
    Path(desk.letter()).rename(desk.folder / "other.md")
    (desk.folder / "letter.md").symlink_to("other.md")
    assert desk.json("add", "letter.md")["announcement"] == 1

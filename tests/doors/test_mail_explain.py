"""`outreach mail explain`: what a mail means, with the database or without it, for people and for programs."""

from pathlib import Path

import pytest

from outreach.sandbox import Sandbox
from tests.doors.place import Place

LIST = "tmm-sig@lists.example.org"
HELD = (
    f"From: tmm-sig-bounces@lists.example.org\r\nTo: coordinator@example.org\r\n"
    f"Subject: Your message to {LIST} awaits moderator approval\r\nPrecedence: bulk\r\n"
    "List-Id: TMM SIG <tmm-sig.lists.example.org>\r\n\r\n"
    "Your mail to 'tmm-sig' with the subject\r\n\r\n    Colloquium\r\n\r\n"
    "Is being held until the list moderator can review it for approval.\r\n\r\n"
    "The message is being held because:\r\n\r\n    The message is not from a list member\r\n\r\n"
)


@pytest.fixture
def notice(place: Place) -> str:
    file = place.folder / "notice.eml"
    file.write_text(HELD, newline="")
    return str(file)


def test_a_notice_is_explained_without_a_database(bare: Place, tmp_path: Path) -> None:
    file = bare.folder / "notice.eml"
    file.write_text(HELD, newline="")
    words = ["--list", LIST, "--message-id", "x@example.org", "--subject", "Colloquium"]
    assert bare.json("mail", "explain", str(file), *words) == {
        "verdict": "held",
        "rule": "a notice that quotes our subject",
        "basis": "subject",
        "post": "the post",
        "reason": "The message is not from a list member",
    }
    assert not (bare.queue / "outreach.db").exists()


def test_a_notice_is_explained_by_the_posts_of_the_database(place: Place, box: Sandbox, notice: str) -> None:
    place.settings["LISTSERV_ADDRESS"] = LIST
    assert box.list_address == LIST
    assert place.json("mail", "explain", notice)["post"] is None
    assert place.cli("add", place.letter(title="Colloquium", to="listserv")).code == 0
    assert place.cli("worker", "--once").code == 0
    said = place.cli("mail", "explain", notice).out
    assert "held: The list holds it for a moderator." in said
    assert "It is about 1/listserv." in said
    assert "Its reason: The message is not from a list member" in said
    assert place.states() == {"1/listserv": "published"}


def test_a_copy_is_known_by_its_text(bare: Place) -> None:
    mail, body = bare.folder / "copy.eml", bare.folder / "body.txt"
    body.write_text("Please come to room 7.")
    mail.write_bytes(
        b"From: list@lists.example.org\r\nList-Post: <mailto:list@lists.example.org>\r\n"
        b"Subject: [TMM] Colloquium\r\nMessage-ID: <new@lists.example.org>\r\n\r\nPlease come\r\nto room 7.\r\n"
    )
    words = ["--list", "list@lists.example.org", "--subject", "Colloquium", "--body-file", str(body)]
    found = bare.json("mail", "explain", str(mail), *words)
    assert (found["verdict"], found["basis"]) == ("distributed", "content")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nowhere.eml"], "The file cannot be read"), (["x.eml", "--list", "nobody"], "That is no address of a list.")],
)
def test_what_cannot_be_read_is_told(bare: Place, words: list[str], said: str) -> None:
    (bare.folder / "x.eml").write_bytes(b"\xff\x00")
    answer = bare.cli("mail", "explain", *words, "--json")
    assert answer.code == 1
    assert said in answer.error["message"]


def test_a_file_that_is_no_mail_says_nothing(bare: Place) -> None:
    (bare.folder / "x.eml").write_bytes(b"\xff\x00\x80" * 5000)
    assert bare.json("mail", "explain", "x.eml", "--list", LIST)["verdict"] == "unrelated"

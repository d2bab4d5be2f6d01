"""What a list's copy shows of the list."""

from pathlib import Path

import pytest

from outreach.mail.list_profile import Profile, limit_named_in, shown_by
from outreach.mail.opened import body_of, open_mail
from tests.mail.matrix import POST
from tests.mail.samples import MEMBER, mail, marks, own

SIGNS = {
    "Mailman 3.3.10": {"X_Mailman_Version": "3.3.10"},
    "Sympa": {"X_Loop": POST.list_address, "X_Sequence": "7"},
    "Google Groups": {"X_Google_Group_Id": "12"},
    "LISTSERV 17.0": {"Received": "by LISTS.EXAMPLE.ORG (LISTSERV-TCP/IP release 17.0) with spool id 1"},
    "LISTSERV": {"Received": "from x by y with LISTSERV"},
    "mlmmj": {"List_Unsubscribe": "<mailto:tmm-sig+unsubscribe@lists.example.org>"},
    "": {},
}


@pytest.mark.parametrize("server", SIGNS)
def test_the_server_is_known_by_what_it_leaves_on_a_copy(server: str) -> None:
    assert shown_by(own(POST, **SIGNS[server]), POST, MEMBER).server == server


def test_a_copy_shows_prefix_marks_and_what_was_changed() -> None:
    plain = shown_by(own(POST, prefix="[Tmm] ", **marks(POST)), POST, MEMBER, after_s=3)
    assert plain == Profile("", ("List-Id", "List-Post"), "[Tmm]", False, True, 3)
    wrapped = mail(POST.text, From=f"via <{POST.list_address}>", Subject=POST.subject, Message_ID="<n@example.org>")
    assert shown_by(wrapped, POST, MEMBER) == Profile("", (), "", True, False, None)


def test_a_subject_in_brackets_of_its_own_is_no_prefix() -> None:
    assert shown_by(own(POST, prefix="[Tmm] Not "), POST, MEMBER).prefix == ""


@pytest.mark.parametrize("raw", [b"", b"\xff\x00" * 500, b"Received: " + b"LISTSERV " * 100_000 + b"\r\n\r\n"])
def test_a_broken_copy_shows_little_and_breaks_nothing(raw: bytes) -> None:
    assert shown_by(raw, POST, MEMBER).marks == ()


@pytest.mark.parametrize(
    ("server", "most_kb"), [("mailman-3.3.10", 40), ("sympa-6.2.70", 19), ("mlmmj-1.3.0", 19.53125)]
)
def test_the_limit_that_a_real_server_names_is_read(server: str, most_kb: float) -> None:
    raw = (Path(__file__).parent / "corpus" / server / "small-1.eml").read_bytes()
    assert limit_named_in(body_of(open_mail(raw))) == most_kb


@pytest.mark.parametrize(
    ("text", "most_kb"),
    [
        ("it exceeds the maximum message size of 100k.", 100),
        ("Larger than the 5 MB maximum size", 5120),
        ("its size (82 kB) was over the maximum size\n(19 kB) allowed", 19),
        ("The maximum size of 0 KB", None),
        ("The maximum size of 9999999 MB", None),
        ("Your mail has 40 KB.", None),
        ("maximum size of 10 kilometres", None),
        ("", None),
    ],
)
def test_a_limit_is_read_only_where_one_is_named(text: str, most_kb: float | None) -> None:
    assert limit_named_in(text) == most_kb

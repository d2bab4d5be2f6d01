"""How a list server's question is answered: only for our very post, and only to the list's own server."""

import pytest

from outreach.mail.answering import Answer, answer_to
from outreach.mail.opened import open_mail
from outreach.mail.recognising import meaning
from tests.mail.matrix import POST
from tests.mail.samples import SAMPLES

BY_NAME = {sample.name: sample for sample in SAMPLES}
HOST = "lists.example.org"


def answer(raw: bytes) -> Answer | None:
    return answer_to(open_mail(raw), meaning(raw, [POST]), POST)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("listserv confirm", Answer(f"listserv@{HOST}", "OK", "OK")),
        ("listserv editor", Answer(f"listserv@{HOST}", "OK", "OK")),
        ("sympa confirm", Answer(f"sympa@{HOST}", *["CONFIRM 0a1b2c3d4e5f60718293a4b5"] * 2)),
        ("sympa confirm, in French", Answer(f"sympa@{HOST}", *["CONFIRM 0a1b2c3d4e5f60718293a4b5"] * 2)),
        ("sympa editor", Answer(f"sympa@{HOST}", *["DISTRIBUTE tmm-sig 0a1b2c3d4e5f6071"] * 2)),
        ("mailman moderator", None),
    ],
)
def test_each_server_gets_the_answer_that_it_waits_for(name: str, expected: Answer | None) -> None:
    assert answer(BY_NAME[name].make(POST)) == expected


def test_a_release_address_is_the_answer_where_there_is_one() -> None:
    raw = b"Reply-To: tmm-sig+release-0a1b2c@lists.example.org\r\n" + BY_NAME["mlmmj moderator"].make(POST)
    assert answer(raw) == Answer("tmm-sig+release-0a1b2c@lists.example.org", "Let it through", "")


@pytest.mark.parametrize(
    "name", [sample.name for sample in SAMPLES if sample.verdict not in ("moderate", "needs-confirm")]
)
def test_nothing_else_is_answered(name: str) -> None:
    assert answer(BY_NAME[name].make(POST)) is None


@pytest.mark.parametrize("name", ["listserv confirm", "sympa confirm", "sympa editor", "listserv editor"])
def test_a_question_of_another_host_is_never_answered(name: str) -> None:
    raw = BY_NAME[name].make(POST)
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert answer(head.replace(b"@lists.example.org", b"@elsewhere.example.net") + b"\r\n\r\n" + rest) is None


def test_a_question_about_another_post_is_never_answered() -> None:
    raw = BY_NAME["sympa editor"].make(POST).replace(POST.message_id.encode(), b"<other@example.net>")
    assert answer(raw) is None

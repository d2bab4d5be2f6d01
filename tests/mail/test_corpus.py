"""Every mail that a real list server once sent: each is taken for what it is, and never for one about another post."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from outreach.mail.answering import answer_to
from outreach.mail.meaning import Meaning, Sent
from outreach.mail.opened import open_mail
from outreach.mail.recognising import meaning

CORPUS = Path(__file__).with_name("corpus")
KEPT: list[dict[str, Any]] = [
    {**kept, "file": f"{index.parent.name}/{kept['file']}"}
    for index in sorted(CORPUS.glob("*/index.json"))
    for kept in json.loads(index.read_text(encoding="utf-8"))
]


def sent_with(kept: dict[str, Any], post: str = "it") -> Sent:
    """The post that a mail of the corpus is about."""
    return Sent(post, kept["message_id"], kept["list"], kept["subject"], kept["text"])


def named(kept: dict[str, Any]) -> str | None:
    """What a mail of the corpus names, where it names a post at all."""
    return None if kept["basis"] == "none" else "it"


def raw_of(kept: dict[str, Any]) -> bytes:
    """The mail itself."""
    return (CORPUS / str(kept["file"])).read_bytes()


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["file"])
def test_a_mail_that_a_real_server_sent_is_known_again(kept: dict[str, Any]) -> None:
    found = meaning(raw_of(kept), [sent_with(kept)])
    assert (found.verdict, found.basis, found.post) == (kept["verdict"], kept["basis"], named(kept))


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["file"])
def test_a_mail_that_a_real_server_sent_is_never_about_another_post(kept: dict[str, Any]) -> None:
    ours = kept["message_id"]
    others = [sent_with(other, other["message_id"]) for other in KEPT if other["message_id"] != ours]
    assert meaning(raw_of(kept), others).post is None
    assert meaning(raw_of(kept), [*others, sent_with(kept)]).post == named(kept)


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["file"])
def test_no_reason_that_is_told_holds_a_key(kept: dict[str, Any]) -> None:
    raw = raw_of(kept)
    found = meaning(raw, [sent_with(kept)])
    answer = answer_to(open_mail(raw), Meaning(found.verdict, "", "id", "it"), sent_with(kept))
    keys = re.findall(r"[0-9a-f]{16,}", f"{answer.to} {answer.words}") if answer else []
    assert [key for key in keys if key in found.reason] == []


def test_every_server_is_there_and_its_mails_name_no_machine_and_no_person() -> None:
    assert {Path(kept["file"]).parent.name for kept in KEPT} == {"mailman-3.3.10", "mlmmj-1.3.0", "sympa-6.2.70"}
    assert len({kept["message_id"] + kept["list"] for kept in KEPT}) >= 40
    for kept in KEPT:
        raw = raw_of(kept)
        hosts = set(re.findall(rb"@([\w.-]+)", raw)) - {b"localhost"}
        assert {host for host in hosts if not host.rstrip(b".").endswith(b"example.org")} == set()
        assert not re.search(rb"/(home|root|tmp|usr|var)/", raw)

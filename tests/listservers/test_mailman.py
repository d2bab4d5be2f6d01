"""The story on a real GNU Mailman, and every mail that one once sent: each is taken for what it is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from outreach.mail.meaning import Sent
from outreach.mail.recognising import meaning
from tests.listservers import story
from tests.listservers.mailman import Mailman, runs_here

CORPUS = Path(__file__).parents[1] / "mail" / "corpus" / "mailman-3.3.10"
KEPT: list[dict[str, Any]] = json.loads((CORPUS / "index.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(not runs_here(), reason="GNU Mailman 3.3.10 runs on no Python newer than 3.12")
@pytest.mark.timeout(400)
def test_whatever_a_real_list_server_does_with_a_mail_is_known() -> None:
    """In one, since a server that is started takes longer than all that it is asked."""
    wrong = []
    with Mailman() as server:
        for told in story.told(server):
            found = [meaning(raw, [told.sent]) for raw in told.mails]
            taken = sorted((str(each.verdict), str(each.basis)) for each in found)
            if taken != sorted((str(verdict), basis) for verdict, basis in told.expected):
                wrong.append((told.case, taken))
    assert wrong == []


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["file"])
def test_a_mail_that_a_real_server_sent_is_known_again_and_is_never_about_another_post(kept: dict[str, Any]) -> None:
    raw = (CORPUS / kept["file"]).read_bytes()
    sent = Sent("it", kept["message_id"], kept["list"], kept["subject"], kept["text"])
    found = meaning(raw, [sent])
    assert (found.verdict, found.basis, found.post) == (kept["verdict"], kept["basis"], "it")
    others = [
        Sent("other", other["message_id"], other["list"], other["subject"], other["text"])
        for other in KEPT
        if other["message_id"] != kept["message_id"]
    ]
    assert meaning(raw, others).post is None
    assert meaning(raw, [*others, sent]).post == "it"


def test_the_mails_name_no_machine_and_no_person() -> None:
    assert len(KEPT) >= 14
    for kept in KEPT:
        raw = (CORPUS / kept["file"]).read_bytes()
        hosts = set(re.findall(rb"@([\w.-]+)", raw)) - {b"localhost"}
        assert {host for host in hosts if not host.rstrip(b".").endswith(b"example.org")} == set()
        assert not re.search(rb"/(home|root|tmp|usr|var)/", raw)

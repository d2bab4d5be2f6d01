"""The story on a real GNU Mailman, and every mail that one once sent: each is taken for what it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.mail.meaning import Sent
from outreach.mail.recognising import meaning
from outreach.model import Published, Refused, Unauthorized, Unavailable
from tests.listservers import members, story
from tests.listservers.mailman import Mailman, runs_here

CORPUS = Path(__file__).parents[1] / "mail" / "corpus"
KEPT: list[dict[str, Any]] = [
    {**each, "file": f"{index.parent.name}/{each['file']}"}
    for index in sorted(CORPUS.glob("*/index.json"))
    for each in json.loads(index.read_text(encoding="utf-8"))
]
"""Every mail that a real list server sent in a run of the story, with what it was taken for."""


RUNS = pytest.mark.skipif(not runs_here(), reason="GNU Mailman 3.3.10 runs on no Python newer than 3.12")


@pytest.fixture(scope="module")
def server() -> Iterator[Mailman]:
    with Mailman() as running:
        yield running


@RUNS
@pytest.mark.timeout(400)
def test_whatever_a_real_list_server_does_with_a_mail_is_known(server: Mailman) -> None:
    wrong = []
    for told in story.told(server, story.CASES):
        found = [meaning(raw, [told.sent]) for raw in told.mails]
        taken = sorted((str(each.verdict), str(each.basis)) for each in found)
        if taken != sorted((str(verdict), basis) for verdict, basis in told.expected):
            wrong.append((told.case, taken))
    assert wrong == []


@RUNS
@pytest.mark.timeout(200)
def test_its_members_are_changed_and_its_held_posts_decided_by_rest(server: Mailman) -> None:
    done = Published(remote_id="done")
    assert members.by_rest(server) == [
        *(done, done, [(members.CLEO, "Cleo Example", "member"), (story.COORDINATOR, "", "member")]),
        *(done, done, [story.COORDINATOR]),
        *(done, 1, done, 1),
        Refused("The list does not hold it."),
        Unauthorized("Mailman does not let us in: check MAILMAN_USERNAME and MAILMAN_PASSWORD."),
        Unavailable("Mailman's REST interface does not answer (MAILMAN_URL)."),
    ]


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["file"])
def test_a_mail_that_a_real_server_sent_is_known_again_and_is_never_about_another_post(kept: dict[str, Any]) -> None:
    raw = (CORPUS / kept["file"]).read_bytes()
    sent = Sent("it", kept["message_id"], kept["list"], kept["subject"], kept["text"])
    found = meaning(raw, [sent])
    assert (found.verdict, found.basis, found.post) == (kept["verdict"], kept["basis"], "it")
    others = [
        Sent("other", other["message_id"], other["list"], other["subject"], other["text"])
        for other in KEPT
        if other["list"] != kept["list"]  # the servers have lists of the same names, which in the world are one
    ]
    assert meaning(raw, others).post is None
    assert meaning(raw, [*others, sent]).post == "it"


def test_the_mails_name_no_machine_and_no_person() -> None:
    assert len({kept["file"].partition("/")[0] for kept in KEPT}) == 3
    assert len(KEPT) >= 40
    for kept in KEPT:
        raw = (CORPUS / kept["file"]).read_bytes()
        hosts = set(re.findall(rb"@([\w.-]+)", raw)) - {b"localhost"}
        assert {host for host in hosts if not host.rstrip(b".").endswith(b"example.org")} == set()
        assert not re.search(rb"/(home|root|tmp|usr|var)/", raw)

"""What is done on a real mlmmj, and what should come back."""

import re
from collections.abc import Callable
from typing import Any

from outreach.mail.meaning import Sent, Verdict
from outreach.mail.recognising import meaning
from tests.listservers.mlmmj import Mlmmj
from tests.listservers.server import wait_for
from tests.listservers.story import COORDINATOR, SILENCE_S, Expected, Told, answer, send

_LONG = "A long line of words that goes on. " * 1200
_SILENCE_S = 1.5


def _posted(
    name: str,
    *expected: tuple[Verdict, str],
    is_member: bool = True,
    body: str = "Please come to room 7.",
    **tunables: Any,
) -> Callable[[Mlmmj], Told]:
    def case(server: Mlmmj) -> Told:
        address = server.new_list(name, **tunables)
        if is_member:
            server.subscribe(name, COORDINATOR)
        sent = send(server, address, f"Colloquium of {name}", body)
        return Told(name, sent, tuple(server.mails(COORDINATOR)), expected)

    return case


def _moderated(name: str, decision: str, *expected: tuple[Verdict, str]) -> Callable[[Mlmmj], Told]:
    """Play a moderator's decision. A refusal is told to nobody."""

    def case(server: Mlmmj) -> Told:
        moderator = _moderator_of(name)
        address = server.new_list(name, moderated="yes", notifymod="yes", moderators=moderator)
        server.subscribe(name, COORDINATOR)
        sent = send(server, address, f"To {decision} or not")
        held = server.mails(COORDINATOR)
        _decide(server, sent, decision)
        return Told(name, sent, (*held, *server.mails(COORDINATOR, within_s=_SILENCE_S)), expected)

    return case


def _decide(server: Mlmmj, sent: Sent, decision: str) -> None:
    """Let the moderator write to the address that the question names for this decision."""
    name = sent.list_address.partition("@")[0]
    moderator = _moderator_of(name)
    [question] = server.mails(moderator)
    assert meaning(question, [sent]).verdict is Verdict.MODERATE
    [key] = set(re.findall(rb"\+release-([0-9a-f]+)@", question))
    to = f"{name}+{decision}-{key.decode()}@{server.domain}"
    server.bring(moderator, [to], f"From: {moderator}\r\nTo: {to}\r\nSubject: Re\r\n\r\n".encode())


def _moderator_of(name: str) -> str:
    """One of its own for each list, so that none gets another one's question."""
    return f"{name}.moderator@example.org"


def _answered(server: Mlmmj) -> Told:
    address = server.new_list("owned", moderated="yes", moderators=COORDINATOR)
    server.subscribe("owned", COORDINATOR)
    sent = send(server, address, "To its own moderator")
    [question] = server.mails(COORDINATOR)
    answer(server, sent, question)
    mails = (question, *server.mails(COORDINATOR))
    return Told("owned", sent, mails, ((Verdict.MODERATE, "id"), (Verdict.DISTRIBUTED, "id")))


def _expired(server: Mlmmj) -> Told:
    address = server.new_list(
        "slow", moderated="yes", notifymod="yes", moderators=_moderator_of("slow"), modreqlife="1"
    )
    server.subscribe("slow", COORDINATOR)
    sent = send(server, address, "Never looked at")
    held = server.mails(COORDINATOR)
    wait_for(lambda: _is_given_up(server, "slow"), lambda: "it is still held")
    return Told("slow", sent, (*held, *server.mails(COORDINATOR, within_s=_SILENCE_S)), ((Verdict.HELD, "id"),))


def _is_given_up(server: Mlmmj, name: str) -> bool:
    server.keep_up(name)
    return not server.holds(name)


def _silent(server: Mlmmj) -> Told:
    address = server.new_list("silent", notmetoo="yes")
    server.subscribe("silent", COORDINATOR)
    server.subscribe("silent", "member@example.org")
    sent = send(server, address, "Without a copy")
    assert len(server.mails("member@example.org")) == 1
    return Told("silent", sent, tuple(server.mails(COORDINATOR, within_s=_SILENCE_S)), ())


def _unsaid(server: Mlmmj) -> Told:
    address = server.new_list("quiet", moderated="yes", moderators=_moderator_of("quiet"))
    server.subscribe("quiet", COORDINATOR)
    sent = send(server, address, "Held without a word")
    assert len(server.mails(_moderator_of("quiet"))) == 1
    return Told("quiet", sent, tuple(server.mails(COORDINATOR, within_s=_SILENCE_S)), ())


def _twice(server: Mlmmj) -> Told:
    address = server.new_list("twice")
    server.subscribe("twice", COORDINATOR)
    sent = send(server, address, "Twice the same", times=2)
    mails = tuple(server.mails(COORDINATOR, least=2))
    return Told("twice", sent, mails, ((Verdict.DISTRIBUTED, "id"), (Verdict.DISTRIBUTED, "id")))


def _killed(server: Mlmmj) -> Told:
    """What was not sent yet is not sent later either: it stays in the list's queue, and nobody is told."""
    address = server.new_list("killed")
    server.subscribe("killed", COORDINATOR)
    server.take_no_mails()
    sent = send(server, address, "Killed while it was sent")
    assert server.waits_for_an_answer.wait(SILENCE_S)
    server.end()
    server.takes_mails.set()
    server.begin()
    return Told("killed", sent, tuple(server.mails(COORDINATOR, within_s=_SILENCE_S)), ())


def _delayed(server: Mlmmj) -> Told:
    address = server.new_list("delayed")
    server.subscribe("delayed", COORDINATOR)
    server.take_no_mails()
    sent = send(server, address, "Sent on the second try")
    assert server.waits_for_an_answer.wait(SILENCE_S)
    server.takes_mails.set()
    wait_for(lambda: server.has_left_over("delayed"), lambda: "nothing is left over")
    server.keep_up("delayed")
    return Told("delayed", sent, tuple(server.mails(COORDINATOR)), _COPY)


_COPY: Expected = ((Verdict.DISTRIBUTED, "id"),)
_NO: Expected = ((Verdict.REJECTED, "id"),)
CASES: tuple[Callable[[Mlmmj], Told], ...] = (
    _posted("plain", *_COPY, subonlypost="yes"),
    _posted("marked", *_COPY, prefix="[Marked]", customheaders="List-Id: <marked.mlmmj.example.org>", footer="Bye."),
    _posted("anonymous", (Verdict.DISTRIBUTED, "content"), delheaders=["Message-ID:", "From:"]),
    _posted("strangers", *_NO, is_member=False, subonlypost="yes"),
    _posted("closed", *_NO, modonlypost="yes", moderators="moderator@example.org"),
    _posted("ruled", *_NO, access=["deny ^Subject: Colloquium", "allow"]),
    _posted("small", *_NO, body=_LONG, maxmailsize="20000"),
    _posted(
        "asked",
        (Verdict.HELD, "id"),
        is_member=False,
        subonlypost="yes",
        modnonsubposts="yes",
        notifymod="yes",
        moderators="moderator@example.org",
    ),
    _moderated("moderated", "release", (Verdict.HELD, "id"), (Verdict.DISTRIBUTED, "id")),
    _moderated("refused", "reject", (Verdict.HELD, "id")),
    _answered,
    _expired,
    _silent,
    _unsaid,
    _twice,
    _killed,
    _delayed,
)

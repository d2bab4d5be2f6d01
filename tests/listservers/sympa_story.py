"""What is done on a real Sympa, and what should come back."""

import re
from collections.abc import Callable
from typing import Any

from outreach.mail.meaning import Sent, Verdict
from outreach.mail.recognising import meaning
from tests.listservers.server import wait_for
from tests.listservers.story import COORDINATOR, Expected, Told, answer, send
from tests.listservers.sympa import Sympa

_LONG = "A long line of words that goes on. " * 1200
_SILENCE_S = 1.0


def _posted(
    name: str, setting: str, *expected: tuple[Verdict, str], is_member: bool = True, least: int = 1, **how: Any
) -> Callable[[Sympa], Told]:
    def case(server: Sympa) -> Told:
        address = server.new_list(name, setting)
        if is_member:
            server.subscribe(name, COORDINATOR)
        sent = send(server, address, f"Colloquium of {name}", **how)
        return Told(name, sent, _all_of(server, least=least), expected)

    return case


def _all_of(server: Sympa, *, least: int = 1) -> tuple[bytes, ...]:
    """Give what comes until nothing is left to be sent, and a little after."""
    mails = server.mails(COORDINATOR, least=least) if least else []
    wait_for(server.is_idle, lambda: "something stays in its spools")
    return (*mails, *server.mails(COORDINATOR, within_s=_SILENCE_S if least else 2 * _SILENCE_S))


def _moderated(name: str, decision: str, *expected: tuple[Verdict, str]) -> Callable[[Sympa], Told]:
    def case(server: Sympa) -> Told:
        address = server.new_list(name, "send editorkey")
        server.subscribe(name, COORDINATOR)
        server.subscribe(name, _moderator_of(name), role="editor")
        sent = send(server, address, f"To {decision} or not")
        held = server.mails(COORDINATOR)
        _decide(server, sent, decision)
        return Told(name, sent, (*held, *_all_of(server, least=len(expected) - 1)), expected)

    return case


def _decide(server: Sympa, sent: Sent, decision: str) -> None:
    """Let the moderator write the command that the question names for this decision."""
    name = sent.list_address.partition("@")[0]
    moderator, to = _moderator_of(name), f"sympa@{server.domain}"
    [question] = server.mails(moderator)
    assert meaning(question, [sent]).verdict is Verdict.MODERATE
    [command] = set(re.findall(rb"%s %s [0-9a-f]+" % (decision.encode(), name.encode()), question))
    told = f"From: {moderator}\r\nTo: {to}\r\nSubject: {command.decode()}\r\nMessage-ID: <{name}@example.org>\r\n\r\n"
    server.bring(moderator, [to], told.encode())


def _moderator_of(name: str) -> str:
    """One of its own for each list, so that none gets another one's question."""
    return f"{name}.moderator@example.org"


def _confirmed(server: Sympa) -> Told:
    address = server.new_list("asked", "send privatekey")
    server.subscribe("asked", COORDINATOR)
    sent = send(server, address, "To be confirmed")
    [question] = server.mails(COORDINATOR)
    answer(server, sent, question)
    mails = (question, *server.mails(COORDINATOR, least=2), *_all_of(server, least=0))
    return Told("asked", sent, mails, ((Verdict.NEEDS_CONFIRM, "id"), _COPY, (Verdict.ACKNOWLEDGED, "list")))


def _answered(server: Sympa) -> Told:
    address = server.new_list("owned", "send editorkeyonly")
    server.subscribe("owned", COORDINATOR)
    server.subscribe("owned", COORDINATOR, role="editor")
    sent = send(server, address, "To its own moderator")
    mails = server.mails(COORDINATOR, least=2)
    [question] = [raw for raw in mails if meaning(raw, [sent]).verdict is Verdict.MODERATE]
    answer(server, sent, question)
    told_as_moderator = (Verdict.UNRELATED, "none")  # names a key and no post, so it may be anybody's
    expected = (
        (Verdict.MODERATE, "id"),
        (Verdict.HELD, "list"),
        (Verdict.ACKNOWLEDGED, "id"),
        _COPY,
        told_as_moderator,
    )
    return Told("owned", sent, (*mails, *_all_of(server, least=3)), expected)


def _silent(server: Sympa) -> Told:
    address = server.new_list("silent", "send private")
    server.subscribe("silent", COORDINATOR, "member@example.org")
    told = f"From: {COORDINATOR}\r\nSubject: SET silent NOT_ME\r\nMessage-ID: <silent@example.org>\r\n\r\n"
    server.bring(COORDINATOR, [f"sympa@{server.domain}"], told.encode())
    [done] = server.mails(COORDINATOR)
    assert b"has been updated" in done
    sent = send(server, address, "Without a copy")
    assert len(server.mails("member@example.org")) == 1
    return Told("silent", sent, _all_of(server, least=0), ())


def _restarted(server: Sympa) -> Told:
    address = server.new_list("restarted", "send private")
    server.subscribe("restarted", COORDINATOR)
    sent = send(server, address, "Through a restart")
    server.end()
    server.begin()
    return Told("restarted", sent, _all_of(server), (_COPY,))


_COPY = (Verdict.DISTRIBUTED, "id")
_NO: Expected = ((Verdict.REJECTED, "id"),)
_MUNGED = "dmarc_protection\nmode all"
CASES: tuple[Callable[[Sympa], Told], ...] = (
    _posted("plain", "send private", _COPY),
    _posted("prefixed", "custom_subject Prefixed", _COPY),
    _posted("munged", _MUNGED, _COPY),
    _posted("anonymous", "anonymous_sender anonymous@example.org", (Verdict.DISTRIBUTED, "content")),
    _posted("strangers", "send private", *_NO, is_member=False),
    _posted("closed", "send closed", *_NO),
    _posted("simple", "send publicnomultipart", *_NO),
    _posted("small", "max_size 20000", *_NO, body=_LONG),
    _posted(
        "commanded", "send private", *_NO, changed=("Subject: Colloquium of commanded", "Subject: subscribe commanded")
    ),
    _posted("secret", "send confidential", is_member=False, least=0),
    _posted(
        "automatic",
        "send private",
        least=0,
        changed=("MIME-Version:", "Auto-Submitted: auto-generated\r\nMIME-Version:"),
    ),
    _posted("twice", "send private", _COPY, times=2),
    _moderated("moderated", "DISTRIBUTE", (Verdict.HELD, "list"), (Verdict.ACKNOWLEDGED, "id"), _COPY),
    _moderated("refused", "REJECT", (Verdict.HELD, "list"), (Verdict.REJECTED, "subject")),
    _confirmed,
    _answered,
    _silent,
    _restarted,
)

"""What is done on a real Sympa, and what should come back."""

import re
from collections.abc import Callable

from outreach.mail.meaning import Verdict
from tests.listservers.bed import DOMAIN
from tests.listservers.story import COORDINATOR, SILENCE_S, Told, let_through, send, send_raw, send_twice
from tests.listservers.sympa import Sympa

SERVER = f"sympa@{DOMAIN}"


def _command(server: Sympa, sender: str, words: str) -> None:
    raw = f"From: {sender}\nTo: {SERVER}\nSubject: {words}\nMessage-ID: <command@example.org>\n\n{words}\n"
    server.bring(sender, [SERVER], raw.encode())


def _distributed(server: Sympa) -> Told:
    address = server.new_list("plain")
    server.subscribe("plain", COORDINATOR)
    sent = send(server, address, "Colloquium of plain")
    return Told("plain", sent, tuple(server.mails(COORDINATOR)), ((Verdict.DISTRIBUTED, "id"),))


def _non_member(server: Sympa) -> Told:
    sent = send(server, server.new_list("members"), "From a stranger")
    return Told("members", sent, tuple(server.mails(COORDINATOR)), ((Verdict.REJECTED, "id"),))


def _too_large(server: Sympa) -> Told:
    address = server.new_list("small", more="max_size 1000")
    server.subscribe("small", COORDINATOR)
    sent = send(server, address, "A long one", "A long line of words that goes on. " * 400)
    return Told("small", sent, tuple(server.mails(COORDINATOR)), ((Verdict.REJECTED, "id"),))


def _like_a_command(server: Sympa) -> Told:
    """The service refuses to queue such a text; a mail that was sent all the same comes back."""
    address = server.new_list("commands")
    server.subscribe("commands", COORDINATOR)
    sent = send_raw(server, address, "Please", "subscribe commands")
    return Told("commands", sent, tuple(server.mails(COORDINATOR)), ((Verdict.REJECTED, "id"),))


def _released(server: Sympa) -> Told:
    """The coordinator is the moderator as well, and answers as the service does."""
    address = server.new_list("moderated", send="editorkeyonly", editor=COORDINATOR)
    server.subscribe("moderated", COORDINATOR)
    sent = send(server, address, "To be released")
    asked = server.mails(COORDINATOR, least=2)
    let_through(server, asked, sent)
    mails = (*asked, *server.mails(COORDINATOR, least=3))
    waits = (Verdict.MODERATE, "id"), (Verdict.HELD, "list")
    done = (Verdict.ACKNOWLEDGED, "id"), (Verdict.ACKNOWLEDGED, "list"), (Verdict.DISTRIBUTED, "id")
    expected = (*waits, *done)
    return Told("moderated", sent, mails, expected)


def _refused(server: Sympa) -> Told:
    address = server.new_list("refused", send="editorkey")
    server.subscribe("refused", COORDINATOR)
    sent = send(server, address, "To be refused")
    held = server.mails(COORDINATOR)
    [asked] = server.mails("moderator@example.org")
    found = re.search(rb"REJECT \S+ [0-9a-f]+", asked)
    assert found is not None
    _command(server, "moderator@example.org", found[0].decode())
    mails = (*held, *server.mails(COORDINATOR))
    return Told("refused", sent, mails, ((Verdict.HELD, "list"), (Verdict.REJECTED, "subject")))


def _confirmed(server: Sympa) -> Told:
    address = server.new_list("confirming", send="privatekey")
    server.subscribe("confirming", COORDINATOR)
    sent = send(server, address, "To be confirmed")
    asked = server.mails(COORDINATOR)
    let_through(server, asked, sent)
    mails = (*asked, *server.mails(COORDINATOR, least=2))
    expected = ((Verdict.NEEDS_CONFIRM, "id"), (Verdict.DISTRIBUTED, "id"), (Verdict.ACKNOWLEDGED, "list"))
    return Told("confirming", sent, mails, expected)


def _confidential(server: Sympa) -> Told:
    sent = send(server, server.new_list("confidential", send="confidential"), "Dropped in silence")
    return Told("confidential", sent, tuple(server.mails(COORDINATOR, within_s=SILENCE_S)), ())


def _repeated(server: Sympa) -> Told:
    address = server.new_list("repeated")
    server.subscribe("repeated", COORDINATOR)
    sent = send_twice(server, address, "Twice")
    first = server.mails(COORDINATOR)
    mails = (*first, *server.mails(COORDINATOR, within_s=SILENCE_S))
    return Told("repeated", sent, mails, ((Verdict.DISTRIBUTED, "id"),))


def _restarted(server: Sympa) -> Told:
    address = server.new_list("restarted")
    server.subscribe("restarted", COORDINATOR)
    server.end()
    sent = send(server, address, "Through a restart")
    server.begin()
    first = server.mails(COORDINATOR)
    more = server.mails(COORDINATOR, within_s=SILENCE_S)
    return Told("restarted", sent, (*first, *more), ((Verdict.DISTRIBUTED, "id"),))


CASES: tuple[Callable[[Sympa], Told], ...] = (
    _distributed,
    _non_member,
    _too_large,
    _like_a_command,
    _released,
    _refused,
    _confirmed,
    _confidential,
    _repeated,
    _restarted,
)

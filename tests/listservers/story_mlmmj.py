"""What is done on a real mlmmj, and what should come back."""

from collections.abc import Callable

from outreach.mail.meaning import Verdict
from tests.listservers.mlmmj import Mlmmj
from tests.listservers.story import COORDINATOR, SILENCE_S, Told, let_through, send, send_twice

MEMBER = "member@example.org"


def _distributed(name: str, basis: str = "id", **tunables: str) -> Callable[[Mlmmj], Told]:
    def case(server: Mlmmj) -> Told:
        address = server.new_list(name, **tunables)
        server.subscribe(name, COORDINATOR)
        sent = send(server, address, f"Colloquium of {name}")
        return Told(name, sent, tuple(server.mails(COORDINATOR)), ((Verdict.DISTRIBUTED, basis),))

    return case


def _denied(name: str, **tunables: str) -> Callable[[Mlmmj], Told]:
    def case(server: Mlmmj) -> Told:
        address = server.new_list(name, **tunables)
        sent = send(server, address, "From a stranger", "A long line of words that goes on. " * 40)
        return Told(name, sent, tuple(server.mails(COORDINATOR)), ((Verdict.REJECTED, "id"),))

    return case


def _released(server: Mlmmj) -> Told:
    """The coordinator is the moderator as well, and answers as the service does."""
    address = server.new_list("moderated", moderated="", moderators=COORDINATOR, notifymod="")
    server.subscribe("moderated", MEMBER)
    server.subscribe("moderated", COORDINATOR)
    sent = send(server, address, "To be released")
    asked = server.mails(COORDINATOR, least=2)
    let_through(server, asked, sent)
    mails = (*asked, *server.mails(COORDINATOR))
    expected = ((Verdict.MODERATE, "id"), (Verdict.HELD, "id"), (Verdict.DISTRIBUTED, "id"))
    return Told("moderated", sent, mails, expected)


def _held_in_silence(server: Mlmmj) -> Told:
    address = server.new_list("quiet", moderated="", moderators="moderator@example.org")
    server.subscribe("quiet", COORDINATOR)
    sent = send(server, address, "Held without a word")
    assert len(server.mails("moderator@example.org")) == 1
    return Told("quiet", sent, tuple(server.mails(COORDINATOR, within_s=SILENCE_S)), ())


def _without_a_copy(server: Mlmmj) -> Told:
    address = server.new_list("notmetoo", notmetoo="")
    server.subscribe("notmetoo", COORDINATOR)
    server.subscribe("notmetoo", MEMBER)
    sent = send(server, address, "Without a copy")
    assert len(server.mails(MEMBER)) == 1
    return Told("notmetoo", sent, tuple(server.mails(COORDINATOR, within_s=SILENCE_S)), ())


def _repeated(server: Mlmmj) -> Told:
    address = server.new_list("repeated")
    server.subscribe("repeated", COORDINATOR)
    sent = send_twice(server, address, "Twice")
    both = (Verdict.DISTRIBUTED, "id"), (Verdict.DISTRIBUTED, "id")
    return Told("repeated", sent, tuple(server.mails(COORDINATOR, least=2)), both)


CASES: tuple[Callable[[Mlmmj], Told], ...] = (
    _distributed("plain"),
    _distributed("prefixed", prefix="[prefixed]", customheaders="List-Id: <prefixed.lists.example.org>"),
    _denied("members", subonlypost=""),
    _denied("small", maxmailsize="900"),
    _released,
    _held_in_silence,
    _without_a_copy,
    _repeated,
)

"""What is done on a real list server, and what should come back: each case with the mails that the coordinator got."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outreach.mail.meaning import Sent, Verdict
from outreach.model import Published
from tests.channels.builders import a_list, a_wording, an_attempt
from tests.listservers.mailman import Mailman

COORDINATOR, MODERATOR = "coordinator@example.org", "moderator@example.org"
WAIT_S = 20.0
SILENCE_S = 4.0


@dataclass(frozen=True)
class Told:
    """What a case brought: the post, the mails that came, and what the last of them should mean, each with its basis."""

    case: str
    sent: Sent
    mails: tuple[bytes, ...]
    expected: tuple[tuple[Verdict, str], ...]


def send(server: Mailman, address: str, title: str, body: str = "Please come to room 7.") -> Sent:
    """Render and submit a mail as the service does."""
    channel = a_list(server.port, address=address, max_bytes=200 * 1024, now=lambda: datetime.now(UTC))
    content = channel.render(a_wording(title=title, body=body))
    assert isinstance(channel.publish(an_attempt(content)), Published)
    return Sent("1/listserv", content.message_id or "", address, title, content.text)


def told(server: Mailman) -> Iterator[Told]:
    """Play every case, one after the other."""
    for case in CASES:
        yield case(server)


def _distributed(name: str, basis: str = "id", **settings: Any) -> Callable[[Mailman], Told]:
    def case(server: Mailman) -> Told:
        address = server.new_list(name, **settings)
        server.subscribe(name, COORDINATOR)
        sent = send(server, address, f"Colloquium of {name}")
        return Told(name, sent, tuple(server.mails(COORDINATOR)), ((Verdict.DISTRIBUTED, basis),))

    return case


def _non_member(server: Mailman) -> Told:
    address = server.new_list("strangers")
    sent = send(server, address, "From a stranger")
    held = server.mails(COORDINATOR)
    server.decide("strangers", "reject", comment="Please subscribe first.")
    mails = [*held, *server.mails(COORDINATOR)]
    return Told("strangers", sent, tuple(mails), ((Verdict.HELD, "subject"), (Verdict.REJECTED, "subject")))


def _rejected(server: Mailman) -> Told:
    address = server.new_list("closed", default_nonmember_action="reject")
    sent = send(server, address, "To a closed list")
    return Told("closed", sent, tuple(server.mails(COORDINATOR)), ((Verdict.REJECTED, "id"),))


def _released(server: Mailman) -> Told:
    address = server.new_list("moderated", default_member_action="hold")
    server.subscribe("moderated", COORDINATOR)
    sent = send(server, address, "To be released")
    held = server.mails(COORDINATOR)
    server.decide("moderated", "accept")
    mails = [*held, *server.mails(COORDINATOR)]
    return Told("moderated", sent, tuple(mails), ((Verdict.HELD, "subject"), (Verdict.DISTRIBUTED, "id")))


def _moderator(server: Mailman) -> Told:
    address = server.new_list("owned", default_member_action="hold")
    server.subscribe("owned", COORDINATOR)
    server.subscribe("owned", MODERATOR, role="owner")
    sent = send(server, address, "To its own moderator")
    mails = [*server.mails(COORDINATOR), *server.mails(MODERATOR)]
    return Told("owned", sent, tuple(mails), ((Verdict.HELD, "subject"), (Verdict.MODERATE, "id")))


def _too_large(server: Mailman) -> Told:
    address = server.new_list("small")
    server.subscribe("small", COORDINATOR)
    sent = send(server, address, "A long one", "A long line of words that goes on. " * 1200)
    return Told("small", sent, tuple(server.mails(COORDINATOR)), ((Verdict.HELD, "subject"),))


def _acknowledged(server: Mailman) -> Told:
    address = server.new_list("acknowledging")
    number = server.subscribe("acknowledging", COORDINATOR)
    server.ask("PATCH", f"/members/{number}/preferences", acknowledge_posts="true", receive_own_postings="false")
    sent = send(server, address, "With a receipt")
    return Told("acknowledging", sent, tuple(server.mails(COORDINATOR)), ((Verdict.ACKNOWLEDGED, "subject"),))


def _silent(server: Mailman) -> Told:
    address = server.new_list("silent")
    number = server.subscribe("silent", COORDINATOR)
    server.subscribe("silent", "member@example.org")
    server.ask("PATCH", f"/members/{number}/preferences", receive_own_postings="false")
    sent = send(server, address, "Without a copy")
    assert len(server.mails("member@example.org")) == 1
    return Told("silent", sent, tuple(server.mails(COORDINATOR, within_s=SILENCE_S)), ())


def _restarted(server: Mailman) -> Told:
    address = server.new_list("restarted")
    server.subscribe("restarted", COORDINATOR)
    sent = send(server, address, "Through a restart")
    server.end()
    server.begin()
    first = server.mails(COORDINATOR)
    more = server.mails(COORDINATOR, within_s=SILENCE_S)
    return Told("restarted", sent, (*first, *more), ((Verdict.DISTRIBUTED, "id"),))


CASES: tuple[Callable[[Mailman], Told], ...] = (
    _distributed("plain"),
    _distributed("munged", dmarc_mitigate_action="munge_from", dmarc_mitigate_unconditionally="true"),
    _distributed("wrapped", dmarc_mitigate_action="wrap_message", dmarc_mitigate_unconditionally="true"),
    _distributed("filtered", filter_content="true", pass_types=["multipart", "text/plain"]),
    _distributed("anonymous", "content", anonymous_list="true"),
    _non_member,
    _rejected,
    _released,
    _moderator,
    _too_large,
    _acknowledged,
    _silent,
    _restarted,
)

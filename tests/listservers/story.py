"""What is done on a real list server, and what should come back: each case with the mails that the coordinator got."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from outreach.channels.listserv import Listserv
from outreach.mail.answering import answer_to
from outreach.mail.meaning import Sent, Verdict
from outreach.mail.opened import open_mail
from outreach.mail.recognising import meaning
from outreach.model import Published
from tests.channels.builders import a_list, a_wording, an_attempt
from tests.listservers.bed import DOMAIN, Bed
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


def _channel(port: int, address: str) -> Listserv:
    return a_list(port, address=address, max_bytes=200 * 1024, now=lambda: datetime.now(UTC))


def send(server: Bed, address: str, title: str, body: str = "Please come to room 7.") -> Sent:
    """Render and submit a mail as the service does."""
    channel = _channel(server.port, address)
    content = channel.render(a_wording(title=title, body=body))
    assert isinstance(channel.publish(an_attempt(content)), Published)
    return Sent("1/listserv", content.message_id or "", address, title, content.text)


def send_twice(server: Bed, address: str, title: str) -> Sent:
    """Submit the very same mail two times, which the service does only when a person says so."""
    channel = _channel(server.port, address)
    content = channel.render(a_wording(title=title))
    for _ in range(2):
        assert isinstance(channel.publish(an_attempt(content)), Published)
    return Sent("1/listserv", content.message_id or "", address, title, content.text)


def send_raw(server: Bed, address: str, title: str, body: str) -> Sent:
    """Submit a mail that the service would refuse to queue."""
    message_id = "<by-hand@example.org>"
    raw = f"From: {COORDINATOR}\nTo: {address}\nSubject: {title}\nMessage-ID: {message_id}\n\n{body}\n"
    server.bring(COORDINATOR, [address], raw.encode())
    return Sent("1/listserv", message_id, address, title, body)


def let_through(server: Bed, asked: Sequence[bytes], sent: Sent) -> None:
    """Answer the list's question as the service does; fail where none of the mails is one that can be answered."""
    for raw in asked:
        answer = answer_to(open_mail(raw), meaning(raw, [sent]), sent)
        if answer is not None:
            told = _channel(server.port, sent.list_address).answer(answer.to, answer.subject, answer.words)
            assert isinstance(told, Published)
            return
    raise AssertionError("no mail asks for an answer")


S = TypeVar("S", bound=Bed)


def told(server: S, cases: Sequence[Callable[[S], Told]]) -> Iterator[Told]:
    """Play every case, one after the other; what came too late for one is not taken for the next one's."""
    for case in cases:
        server.forget()
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


def _digest(server: Mailman) -> Told:
    address = server.new_list("daily")
    number = server.subscribe("daily", COORDINATOR)
    server.ask("PATCH", f"/members/{number}/preferences", delivery_mode="mime_digests")
    sent = send(server, address, "In a digest")
    assert server.mails(COORDINATOR, within_s=SILENCE_S) == []
    server.ask("POST", f"/lists/daily.{DOMAIN}/digest", send="true")
    return Told("daily", sent, tuple(server.mails(COORDINATOR)), ((Verdict.DISTRIBUTED, "id"),))


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
    _digest,
    _restarted,
)

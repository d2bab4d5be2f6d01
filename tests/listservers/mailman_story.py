"""What is done on a real GNU Mailman, and what should come back."""

from collections.abc import Callable
from typing import Any

from outreach.mail.meaning import Verdict
from tests.listservers.mailman import Mailman
from tests.listservers.story import COORDINATOR, MODERATOR, SILENCE_S, Told, send


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
    server.ask("POST", f"/lists/daily.{server.domain}/digest", send="true")
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

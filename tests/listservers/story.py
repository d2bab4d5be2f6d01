"""A story of a list: cases that are played on a real server, each with the mails that the coordinator got and what they should mean."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from outreach.channels.listserv import Listserv
from outreach.mail.answering import answer_to
from outreach.mail.meaning import Meaning, Sent, Verdict
from outreach.mail.opened import open_mail
from outreach.mail.recognising import meaning
from outreach.model import Published
from tests.channels.builders import a_list, a_wording, an_attempt
from tests.listservers.server import ListServer

COORDINATOR, MODERATOR = "coordinator@example.org", "moderator@example.org"
SILENCE_S = 4.0

Expected = tuple[tuple[Verdict, str], ...]


@dataclass(frozen=True)
class Row:
    """What one case brought, in words; `came` counts the mails, `note` tells why, or how well."""

    case: str
    came: int
    taken: str
    expected: str
    note: str
    is_right: bool


@dataclass(frozen=True)
class Told:
    """What a case brought: the post, the mails that came, and what they should mean, each with its basis."""

    case: str
    sent: Sent
    mails: tuple[bytes, ...]
    expected: Expected

    def found(self) -> list[Meaning]:
        """Say what each mail is taken for."""
        return [meaning(raw, [self.sent]) for raw in self.mails]

    def is_right(self) -> bool:
        """Tell whether the mails are those expected, in whatever order they came."""
        taken = [(each.verdict, str(each.basis)) for each in self.found()]
        return sorted(taken) == sorted(self.expected)


def the_channel(server: ListServer, address: str) -> Listserv:
    """The listserv channel, set up for a list of this server."""
    return a_list(server.port, address=address, max_bytes=200 * 1024, now=lambda: datetime.now(UTC))


def send(
    server: ListServer,
    address: str,
    title: str,
    body: str = "Please come to room 7.",
    *,
    times: int = 1,
    changed: tuple[str, str] = ("", ""),
) -> Sent:
    """Render and submit a mail as the service does; several times, or with a piece of it changed, if need be."""
    identity = sha256(f"{address} {title}".encode()).hexdigest()[:40]  # its own, whichever stories are played beside
    content = the_channel(server, address).render(a_wording(title=title, body=body, identity=identity))
    content = replace(content, message=(content.message or "").replace(*changed, 1))
    for _ in range(times):
        outcome = the_channel(server, address).publish(an_attempt(content))
        assert isinstance(outcome, Published), outcome
    return Sent("1/listserv", content.message_id or "", address, title, content.text)


def answer(server: ListServer, sent: Sent, raw: bytes) -> None:
    """Answer the question of a list server as the service does when a coordinator says yes."""
    means = meaning(raw, [sent])
    found = answer_to(open_mail(raw), means, sent)
    assert found is not None, means
    assert isinstance(the_channel(server, sent.list_address).answer(found.to, found.subject, found.words), Published)

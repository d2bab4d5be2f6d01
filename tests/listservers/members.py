"""Changing a list's members on real list servers, as the service does it: by Mailman's REST, by a command to Sympa, and at mlmmj by the person."""

from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr

from outreach.joining import ListFacts, RequestKind, step_for
from outreach.mail import mailman_rest
from outreach.mail.mailman_rest import Rest
from outreach.mail.opened import open_mail
from outreach.mail.wishing import answer_about
from outreach.model import Published, Refused, Unauthorized, Unavailable
from tests.listservers.mailman import Mailman
from tests.listservers.mlmmj import Mlmmj
from tests.listservers.story import COORDINATOR, Row, send, the_channel
from tests.listservers.sympa import Sympa

CLEO = "cleo@example.org"
_DONE = Published(remote_id="done")


def by_rest(server: Mailman) -> Iterator[Row]:
    """Add, read, remove; refuse a held post and let one through; be refused."""
    address = server.new_list("members", default_member_action="hold")
    server.subscribe("members", COORDINATOR)
    rest, other = (Rest(server.rest_url, "restadmin", word, 20) for word in ("restpass", "wrong"))
    for case, ask, expected in _questions(rest, address):
        yield _row(case, ask(), expected)
    for title, action in (("To be refused", "reject"), ("To be let through", "accept")):
        sent = send(server, address, title)
        server.mails(COORDINATOR)
        yield _row(f"{action} a held post", mailman_rest.decide(rest, address, sent.message_id, action), _DONE)
        yield _row(f"{action}: the coordinator hears of it", len(server.mails(COORDINATOR)), 1)
    missing = mailman_rest.decide(rest, address, "<no@example.org>", "accept")
    yield _row("decide about what is not held", missing, Refused("The list does not hold it."))
    told = "Mailman does not let us in: check MAILMAN_USERNAME and MAILMAN_PASSWORD."
    yield _row("with another password", mailman_rest.add(other, address, CLEO, ""), Unauthorized(told))
    nowhere = mailman_rest.add(Rest("http://127.0.0.1:1", "restadmin", "restpass", 2), address, CLEO, "")
    yield _row("where nobody answers", nowhere, Unavailable("Mailman's REST interface does not answer (MAILMAN_URL)."))


def _questions(rest: Rest, address: str) -> tuple[tuple[str, Callable[[], object], object], ...]:
    both = [(CLEO, "Cleo Example", "member"), (COORDINATOR, "", "member")]

    def roster() -> object:
        return [(each.address, each.name, str(each.status)) for each in mailman_rest.roster(rest, address).members]

    return (
        ("add a member", lambda: mailman_rest.add(rest, address, CLEO, "Cleo Example"), _DONE),
        ("add one who is there", lambda: mailman_rest.add(rest, address, CLEO, "Cleo Example"), _DONE),
        ("read the roster", roster, both),
        ("remove a member", lambda: mailman_rest.remove(rest, address, CLEO), _DONE),
        ("remove one who is gone", lambda: mailman_rest.remove(rest, address, CLEO), _DONE),
        ("read it again", roster, both[1:]),
    )


def by_command(server: Sympa) -> Iterator[Row]:
    """Add and remove by mail, as the list's owner; the answers say that it is done."""
    address = server.new_list("members", "add owner", "del owner")
    server.subscribe("members", COORDINATOR, role="owner")
    for kind in RequestKind:
        step = step_for(kind, ListFacts(address, "sympa", is_ours=True), address=CLEO, name="Cleo Example")
        assert isinstance(the_channel(server, address).answer(step.to, step.subject, step.words), Published)
        mails = server.mails(COORDINATOR)
        told = [answer_about(open_mail(raw), kind, address=CLEO, list_address=address) for raw in mails]
        is_done = [answer is not None and answer[0] for answer in told]
        note = " / ".join(answer[1] for answer in told if answer)
        yield Row(f"an owner's command: {kind}", len(mails), str(is_done), "[True]", note, is_done == [True])


def by_themselves(server: Mlmmj) -> Iterator[Row]:
    """Join and leave by the person's own mails, as they are told to: the list asks back, and they answer."""
    address = server.new_list("members")
    for kind, expected in ((RequestKind.JOIN, [CLEO]), (RequestKind.LEAVE, [])):
        step = step_for(kind, ListFacts(address, "mlmmj"), address=CLEO, name="Cleo Example")
        server.bring(CLEO, [step.to], _mail_of(CLEO, step.to))
        asked = server.mails(CLEO)
        where = str(message_from_bytes(asked[0], policy=default)["Reply-To"]) if asked else ""
        if where:
            server.bring(CLEO, [parseaddr(where)[1]], _mail_of(CLEO, where))
        server.mails(CLEO)
        yield _row(f"a person's own mail: {kind}", server.members("members"), expected)


def _mail_of(sender: str, to: str) -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\nSubject: Yes\r\nMessage-ID: <1@example.org>\r\n\r\nYes.\r\n".encode()


def _row(case: str, came: object, expected: object) -> Row:
    return Row(case, 0, _shown(came), _shown(expected), "", came == expected)


def _shown(value: object) -> str:
    if value == _DONE:
        return "done"
    return f"{type(value).__name__}: {reason}" if (reason := getattr(value, "reason", "")) else str(value)

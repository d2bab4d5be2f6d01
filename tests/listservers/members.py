"""Changing a list's members on real list servers, as the service does it: by Mailman's REST, and by a command to Sympa."""

from outreach.joining import ListFacts, RequestKind, step_for
from outreach.mail import mailman_rest
from outreach.mail.mailman_rest import Rest
from outreach.mail.opened import open_mail
from outreach.mail.wishing import answer_about
from outreach.model import Published
from tests.channels.builders import a_list
from tests.listservers.mailman import Mailman
from tests.listservers.story import COORDINATOR, send
from tests.listservers.sympa import Sympa

CLEO = "cleo@example.org"


def by_rest(server: Mailman) -> list[object]:
    """Add, read, remove; hold, refuse and let through: give what came of each step."""
    address = server.new_list("members", default_member_action="hold")
    server.subscribe("members", COORDINATOR)
    rest = Rest(server.rest_url, "restadmin", "restpass", 20)
    came: list[object] = [mailman_rest.add(rest, address, CLEO, "Cleo Example") for _ in range(2)]
    came.append(
        [(member.address, member.name, str(member.status)) for member in mailman_rest.roster(rest, address).members]
    )
    came += [mailman_rest.remove(rest, address, CLEO) for _ in range(2)]
    came.append([member.address for member in mailman_rest.roster(rest, address).members])
    for title, action in (("To be refused", "reject"), ("To be let through", "accept")):
        server.forget()
        sent = send(server, address, title)
        server.mails(COORDINATOR)
        came.append(
            mailman_rest.decide(rest, address, sent.message_id, action, "Not now." if action == "reject" else "")
        )
        came.append(len(server.mails(COORDINATOR)))
    came.append(mailman_rest.decide(rest, address, "<no@example.org>", "accept"))
    came.append(mailman_rest.add(Rest(server.rest_url, "restadmin", "wrong", 20), address, CLEO, ""))
    came.append(mailman_rest.add(Rest("http://127.0.0.1:1", "restadmin", "restpass", 2), address, CLEO, ""))
    return came


def by_command(server: Sympa) -> list[list[tuple[bool, str] | None]]:
    """Add and remove by mail to Sympa, as the list's owner: give what its answers say."""
    address = server.new_list("commanded", owner=COORDINATOR)
    came = []
    for kind in RequestKind:
        server.forget()
        step = step_for(kind, ListFacts(address, "sympa", is_ours=True), address=CLEO, name="Cleo Example")
        assert isinstance(a_list(server.port, address=address).answer(step.to, step.subject, step.words), Published)
        told = [
            answer_about(open_mail(raw), kind, address=CLEO, list_address=address) for raw in server.mails(COORDINATOR)
        ]
        came.append(told)
    return came

"""Joining and leaving a list: what somebody asks for, how far it is, and what has to be done for it on each list server.

Pure: who asks has to consent by a link that only the owner of the address gets, then a coordinator decides, then it is done
in the one way that the list's server has for it.
"""

from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """What somebody asks for."""

    JOIN = "join"
    LEAVE = "leave"


class RequestState(StrEnum):
    """How far a request is. It waits for a coordinator only once the owner of the address has confirmed it."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DONE = "done"
    DECLINED = "declined"
    LAPSED = "lapsed"


class CameBy(StrEnum):
    """How a request came."""

    FORM = "form"
    MAIL = "mail"
    COORDINATOR = "coordinator"


OPEN = (RequestState.UNCONFIRMED, RequestState.WAITING, RequestState.ACCEPTED)
"""The states in which a request goes on; one address has one open request of a kind on a list at most."""


class Way(StrEnum):
    """How an accepted request is carried out."""

    REST = "rest"
    COMMAND = "command"
    PERSON = "person"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class ListFacts:
    """What is known of a list: its address, what it runs on, the owner's address, and what we may do there.

    `is_ours`: the list server takes commands from the very address that our mails come from.
    """

    address: str
    runs_on: str
    owner: str = ""
    is_ours: bool = False
    has_rest: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done for an accepted request: by which way, and the mail that does it; none where no mail does.

    `is_sent_by_us`: the service mails it at once. Otherwise a person sends it, as it stands or in their own words.
    """

    way: Way
    to: str = ""
    subject: str = ""
    words: str = ""

    @property
    def is_sent_by_us(self) -> bool:
        """Tell whether the service can do it without a person."""
        return self.way in (Way.REST, Way.COMMAND)


def step_for(kind: RequestKind, facts: ListFacts, *, address: str, name: str = "") -> Step:
    """Say how to carry a request out. `address` and `name` are checked: one line each, no more than an address and a name.

    LISTSERV and Sympa take commands of an owner by mail (L-Soft's list owner's manual; Sympa's mail commands); mlmmj knows
    no such command and takes only the person's own mail; Mailman has REST, where it is set up.
    """
    local, _, host = facts.address.partition("@")
    if facts.has_rest:
        return Step(Way.REST)
    if facts.runs_on == "mlmmj":
        does = "subscribe" if kind is RequestKind.JOIN else "unsubscribe"
        return Step(Way.PERSON, f"{local}+{does}@{host}", does, _to_the_person(kind, facts, f"{local}+{does}@{host}"))
    if facts.is_ours and facts.runs_on in ("listserv", "sympa"):
        words = _command(kind, facts.runs_on, local, address, name)
        return Step(Way.COMMAND, f"{facts.runs_on}@{host}", words, words)
    return Step(Way.OWNER, owner_of(facts), _subject(kind, facts), _to_the_owner(kind, facts, address, name))


def owner_of(facts: ListFacts) -> str:
    """Give the address of the list's owner: the one that is set, or the one that its list server keeps for it."""
    if facts.owner and not facts.is_ours:
        return facts.owner
    local, _, host = facts.address.partition("@")
    return f"{local}{_OWNERS.get(facts.runs_on, '-owner')}@{host}"


_OWNERS = {"listserv": "-request", "sympa": "-request", "mlmmj": "+owner"}


def _command(kind: RequestKind, runs_on: str, local: str, address: str, name: str) -> str:
    verbs = {
        ("listserv", RequestKind.JOIN): "ADD",
        ("listserv", RequestKind.LEAVE): "DELETE",
        ("sympa", RequestKind.JOIN): "ADD",
        ("sympa", RequestKind.LEAVE): "DEL",
    }
    list_name = local.upper() if runs_on == "listserv" else local
    called = f" {name}" if name and kind is RequestKind.JOIN else ""
    return f"QUIET {verbs[runs_on, kind]} {list_name} {address}{called}"


def _subject(kind: RequestKind, facts: ListFacts) -> str:
    does = "to be added to" if kind is RequestKind.JOIN else "to be taken off"
    return f"A request {does} {facts.address}"


def _to_the_owner(kind: RequestKind, facts: ListFacts, address: str, name: str) -> str:
    called = f"{name} <{address}>" if name else address
    does = "add" if kind is RequestKind.JOIN else "remove"
    way = "to" if kind is RequestKind.JOIN else "from"
    return (
        f"Please {does} this address {way} {facts.address}:\n\n    {called}\n\n"
        "Its owner asked for it and confirmed it by a link that only they got.\n"
    )


def _to_the_person(kind: RequestKind, facts: ListFacts, to: str) -> str:
    does = "join" if kind is RequestKind.JOIN else "leave"
    return (
        f"One step is left to {does} {facts.address}: send an empty mail from this address to\n\n    {to}\n\n"
        "and answer the mail that you get back.\n"
    )

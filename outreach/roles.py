"""Who may do what: the four roles, the verbs of the page and the API, and the one table between them."""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """What a person is in a community. A person may be several things at once."""

    COORDINATOR = "coordinator"
    APPROVER = "approver"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Verb(StrEnum):
    """What somebody may want to do. Each route of the page and of the API names exactly one."""

    READ = "read the history"
    LOOK = "see the queue, drafts and channels"
    WRITE = "write, queue and decide about posts"
    APPROVE = "approve or ask for changes"
    RUN = "pause, resume and test channels"
    ENROL = "see who is on a list, and decide who joins"
    WORD = "change templates"
    SET_UP = "set up people, settings and webhooks"
    AUDIT = "read every action"


_R = Role

MAY: dict[Verb, frozenset[Role]] = {
    Verb.READ: frozenset(_R),
    Verb.LOOK: frozenset({_R.COORDINATOR, _R.APPROVER, _R.ADMIN}),
    Verb.WRITE: frozenset({_R.COORDINATOR}),
    Verb.APPROVE: frozenset({_R.APPROVER}),
    Verb.RUN: frozenset({_R.COORDINATOR, _R.ADMIN}),
    Verb.ENROL: frozenset({_R.COORDINATOR, _R.ADMIN}),
    Verb.WORD: frozenset({_R.COORDINATOR, _R.ADMIN}),
    Verb.SET_UP: frozenset({_R.ADMIN}),
    Verb.AUDIT: frozenset({_R.ADMIN, _R.REVIEWER}),
}

ABOUT: dict[Role, str] = {
    _R.COORDINATOR: "writes and queues announcements, decides about posts in trouble, and about who joins a list",
    _R.APPROVER: "approves what others wrote, or asks for changes",
    _R.REVIEWER: "reads what went out, and nothing else",
    _R.ADMIN: "sets up people, channels and settings",
}


def may(roles: Collection[Role], verb: Verb) -> bool:
    """Tell whether somebody with these roles may do it."""
    return not MAY[verb].isdisjoint(roles)


def role_of(word: str) -> Role | None:
    """Read the name of a role."""
    return Role(word) if word in set(Role) else None

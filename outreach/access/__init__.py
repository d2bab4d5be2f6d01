"""Access: who is there and what they may do. Every way into the page and the API leads through here."""

from outreach.access.entering import CodeNeeded, Entering, TooManyTries, Visitor
from outreach.access.inviting import Inviting
from outreach.access.managing import Managing, NewTotp

__all__ = ["Access", "CodeNeeded", "NewTotp", "TooManyTries", "Visitor"]


class Access(Inviting, Managing, Entering):
    """People, passwords, sessions, links and tokens of one community. What opens a door is given once and kept as a hash."""

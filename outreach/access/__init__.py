"""Access: who is there and what they may do. Every way into the page and the API leads through here."""

from outreach.access.entering import By, CodeNeeded, Operator, Visitor
from outreach.access.managing import Managing, NewTotp
from outreach.access.throttle import TooManyTries

__all__ = ["Access", "By", "CodeNeeded", "NewTotp", "Operator", "TooManyTries", "Visitor"]


class Access(Managing):
    """People, passwords, sessions, links and tokens of one community. What opens a door is given once and kept as a hash."""

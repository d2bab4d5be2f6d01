"""What a mail can mean for a post, and on what that rests."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Basis = Literal["id", "content", "subject", "list", "none"]
"""What ties a mail to a post, the strongest first: our Message-ID, our text, our subject, or only the list's name."""


class Verdict(StrEnum):
    """What one mail says. A closed list: programs rely on it."""

    DISTRIBUTED = "distributed"
    ACKNOWLEDGED = "acknowledged"
    HELD = "held"
    THROTTLED = "throttled"
    NEEDS_CONFIRM = "needs-confirm"
    REJECTED = "rejected"
    BOUNCED = "bounced"
    MEMBER_BOUNCE = "member-bounce"
    DELAYED = "delayed"
    MODERATE = "moderate"
    VACATION = "vacation"
    OWN_COPY = "own-copy"
    UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class Sent:
    """A post as a mail may speak of it. `text` is what the list was to read."""

    post: str
    message_id: str
    list_address: str
    subject: str
    text: str = ""
    is_open: bool = True
    """Whether its fate is still unknown: a notice that names only the list can mean no other."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a mail says about which post (None: about none of those asked for), by which rule and on what basis."""

    verdict: Verdict
    rule: str
    basis: Basis = "none"
    post: str | None = None
    reason: str = ""

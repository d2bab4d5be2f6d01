"""One mailing list: its settings and what it decides about a post, checked in the order list servers do by default."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .letters import Heads, body_digest, plain_text

_COMMANDS = re.compile(
    r"\s*(subscribe|unsubscribe|signoff|join|leave|help|info|who|lists|confirm|set|review|query|end|stop|password)\s*",
    re.I,
)
_LINES_CHECKED = 10


class Fate(StrEnum):
    """What a list does with a post."""

    DISTRIBUTED = "distributed"
    HELD = "held"
    REJECTED = "rejected"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fate and, unless distributed, its reason in the words of the notice."""

    fate: Fate
    reason: str = ""


@dataclass
class MailList:
    """Settings of one list. `size_limit` counts bytes of the raw mail. `moderators` are asked by mail what to do with a held post.

    `owners` may change the members by commands in a mail. `looked_at_first` are subjects that a moderator sees first, on a list that is not moderated otherwise.
    """

    address: str
    name: str
    members: set[str]
    moderated: bool = False
    non_members: Literal["hold", "reject"] = "hold"
    size_limit: int = 40 * 1024
    dedupe: Literal["none", "message-id", "body"] = "none"
    moderators: set[str] = field(default_factory=set)
    looked_at_first: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set, repr=False)

    @property
    def prefix(self) -> str:
        """The mark in front of every distributed subject."""
        return f"[{self.name}] "

    @property
    def marks(self) -> dict[str, str]:
        """Headers that prove a copy came through the list."""
        local, _, host = self.address.partition("@")
        return {
            "List-Id": f"{self.name} <{local}.{host}>",
            "List-Post": f"<mailto:{self.address}>",
            "Precedence": "list",
        }

    def sibling(self, role: str) -> str:
        """Return one of the list's own addresses, such as `tmm-sig-bounces@…`."""
        local, _, host = self.address.partition("@")
        return f"{local}-{role}@{host}"


def judge(mail_list: MailList, heads: Heads, raw: bytes) -> Verdict:
    """Decide about one post; the first objection wins."""
    if any(f"mailto:{mail_list.address}" in value for value in heads.list_posts):
        return Verdict(Fate.DROPPED, "The message came through this list before")
    if heads.sender not in mail_list.members:
        fate = Fate.HELD if mail_list.non_members == "hold" else Fate.REJECTED
        return Verdict(fate, "The message is not from a list member")
    objection = _objection(mail_list, heads, raw)
    return Verdict(Fate.HELD, objection) if objection else _repeated(mail_list, heads, raw)


def remember(mail_list: MailList, heads: Heads, raw: bytes) -> None:
    """Note a distributed post, for lists that recognise repeats."""
    mail_list.seen |= {heads.message_id, body_digest(raw)}


def _objection(mail_list: MailList, heads: Heads, raw: bytes) -> str | None:
    if len(raw) > mail_list.size_limit:
        return f"The message is larger than the {mail_list.size_limit // 1024} KB maximum size"
    if mail_list.address not in heads.recipients:
        return "Message has implicit destination"
    if not heads.subject:
        return "Message has no subject"
    if _has_command(heads.subject, plain_text(raw).splitlines()):
        return "Message contains administrivia"
    is_moderated = mail_list.moderated or heads.subject in mail_list.looked_at_first
    return "The message comes from a moderated member" if is_moderated else None


def _repeated(mail_list: MailList, heads: Heads, raw: bytes) -> Verdict:
    if mail_list.dedupe == "message-id" and heads.message_id in mail_list.seen:
        return Verdict(Fate.DROPPED, "The Message-ID was seen before")
    if mail_list.dedupe == "body" and body_digest(raw) in mail_list.seen:
        return Verdict(Fate.REJECTED, "The message is a duplicate of one that was distributed before")
    return Verdict(Fate.DISTRIBUTED)


def _has_command(subject: str, lines: Iterable[str]) -> bool:
    first = [line for line in lines if line.strip()][:_LINES_CHECKED]
    return any(_COMMANDS.fullmatch(line) for line in [subject, *first])

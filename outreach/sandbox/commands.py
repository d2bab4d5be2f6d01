"""Commands by mail: an owner adds and removes members by a mail to the list server, which answers each in a mail.

`QUIET ADD list address name` and `QUIET DELETE list address` (`DEL` as well), one command on each line of the body.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from .letters import Heads, plain_text
from .maillist import MailList

SERVERS = ("listserv", "sympa")
"""The addresses, before the `@`, to which commands go."""

_COMMAND = re.compile(
    r"\s*(?:QUIET\s+)?(?P<verb>ADD|DELETE|DEL)\s+(?P<list>\S+)\s+(?P<address>[^\s@]+@[^\s@]+)(?:\s+(?P<name>.*))?", re.I
)


def obey(lists: Mapping[str, MailList], server: str, heads: Heads, raw: bytes, at: datetime) -> bytes | None:
    """Do what the mail says, and give the answer to its sender; None where it says nothing that is a command."""
    told = [
        _done(lists, server, heads, found)
        for line in plain_text(raw).splitlines()
        if (found := _COMMAND.fullmatch(line))
    ]
    if not told:
        return None
    answer = EmailMessage(policy=SMTP)
    answer["Date"] = format_datetime(at)
    answer["From"] = server
    answer["To"] = heads.sender
    answer["Subject"] = "Output of your job"
    answer["Message-ID"] = make_msgid(domain=server.partition("@")[2])
    answer["Auto-Submitted"] = "auto-replied"
    answer.set_content("\n".join(told) + "\n")
    return answer.as_bytes()


def _done(lists: Mapping[str, MailList], server: str, heads: Heads, said: re.Match[str]) -> str:
    address, host = said["address"].lower(), server.partition("@")[2]
    mail_list = lists.get(f"{said['list'].lower()}@{host}")
    if mail_list is None:
        return f"The list {said['list']} is unknown here."
    if heads.sender not in mail_list.owners:
        return f"You are not authorized to change the members of {said['list']}; {address} was left as it was."
    if said["verb"].upper() == "ADD":
        mail_list.members.add(address)
        return f"{address} has been added to the {said['list']} list."
    was_there = address in mail_list.members
    mail_list.members.discard(address)
    return f"{address} has been removed from the {said['list']} list." if was_there else f"{address} is not subscribed."

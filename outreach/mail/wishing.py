"""What people ask of a list by mail, "please add me": recognised in few plain words, never acted on by itself.

Anybody can write any sender's name. So a wish that is found here only leads to a mail to that very address, with a link
that its owner opens or not. And the answers of list servers to commands: whether they speak of a person as added.
"""

import re
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses

from outreach.joining import RequestKind
from outreach.mail.opened import Mail, header, in_letters, plain
from outreach.mail.recognising import addresses_in
from outreach.roster import is_address, tidy_name

_FIRST_LINES = 8
_LONGEST_LINE = 300
MOST_WORDS = 500
_LIST = r"(?:the |your |this |our )?(?:[\w.-]{1,60} ){0,3}(?:mailing[- ]?list|list ?serv|e-?mail list|list|sig|group|community)"
_JOIN = re.compile(
    r"(?:\b(?:please |kindly |could you |can you |would you |pls )(?:please )?(?:add|include|subscribe) (?:me|us|my address|this address)\b"
    rf"|^add me\b|\badd me to {_LIST}"
    rf"|\b(?:i(?:'d| would) (?:like|love) to|i want to|may i|can i|could i) (?:join|subscribe|be added)\b"
    rf"|\bsign me up\b|^subscribe(?: me)?(?: to {_LIST})?[.! ]*$|\brequest to (?:join|be added to) {_LIST})",
    re.IGNORECASE | re.MULTILINE,
)
_LEAVE = re.compile(
    r"(?:\b(?:please |kindly |could you |can you |would you |pls )(?:please )?(?:remove|unsubscribe|delete) (?:me|us|my address|this address)\b"
    rf"|\b(?:remove me|take me off|get me off|unsubscribe me)\b|^unsubscribe(?: from {_LIST})?[.! ]*$"
    rf"|\b(?:i(?:'d| would) like to|i want to) (?:unsubscribe|leave {_LIST}|be removed)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_NO_PERSONS = re.compile(
    r"(?i)^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|listserv|sympa|mailman|majordomo|bounces?|owner|abuse|root)\b"
)
_NOT_BY_HAND = ("List-Id", "List-Post", "List-Unsubscribe", "X-Loop", "X-Autoreply", "X-Autorespond", "X-Autoresponder")
_ADDED = re.compile(
    r"(?:has|have) been (?:added|subscribed)|(?:is|was|are) (?:now )?(?:added|subscribed)|is now (?:a )?(?:subscriber|member)|already (?:a )?(?:subscrib|member|on )|"
    r"successfully (?:added|subscribed)|\badded to\b",
    re.IGNORECASE,
)
_REMOVED = re.compile(
    r"(?:has|have) been (?:deleted|removed|unsubscribed|signed off)|(?:is|was) (?:now )?(?:deleted|removed|unsubscribed)|"
    r"not (?:a )?(?:subscrib|member|on )|successfully (?:deleted|removed|unsubscribed)|\b(?:removed|deleted) from\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not (?:authori[sz]ed|allowed|been)|could not|cannot|failed|error|unknown|rejected|denied|confirm)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for, as their mail says it: the address is the one it claims to come from."""

    kind: RequestKind
    address: str
    name: str
    words: str


def wish_in(mail: Mail, list_address: str) -> Wish | None:
    """Find what a person asks for; None in whatever a machine sent, and where it could mean two things."""
    sender = _sender(mail.head)
    if sender is None or not _is_by_hand(mail.head) or mail.inside or mail.statuses or mail.is_report:
        return None
    name, address = sender
    if address.endswith("@" + list_address.lower().rpartition("@")[2]) and _NO_PERSONS.match(address):
        return None
    said = _said(mail)
    kinds = [kind for kind, words in _MEANS if words.search(said)]
    if len(kinds) != 1:
        return None
    return Wish(kinds[0], address, tidy_name(name), plain(mail.words)[:MOST_WORDS])


_MEANS = ((RequestKind.JOIN, _JOIN), (RequestKind.LEAVE, _LEAVE))


def _sender(head: Message) -> tuple[str, str] | None:
    values = [str(value)[:1000] for value in head.get_all("From", [])]
    if len(values) != 1:
        return None
    try:
        found = getaddresses(values)  # before it is decoded: what a name holds is no part of the header
    except (RecursionError, ValueError, TypeError, IndexError):
        return None
    usable = [(in_letters(name), address.lower()) for name, address in found if is_address(address)]
    if len(usable) != 1 or _NO_PERSONS.match(usable[0][1]):
        return None
    return usable[0]


def _is_by_hand(head: Message) -> bool:
    if any(head.get(name) for name in _NOT_BY_HAND):
        return False
    automatic = header(head, "Auto-Submitted").strip().lower()
    return automatic in ("", "no") and not header(head, "Precedence").strip()


def _said(mail: Mail) -> str:
    """Give the subject and the first lines that are the writer's own, without what is quoted below them."""
    kept = []
    for line in mail.words.splitlines():
        if line.lstrip().startswith(">") or re.match(r"\s*(-{2,}\s*original|from:|on .{4,200} wrote:)", line, re.I):
            break
        if line.strip():
            kept.append(line.strip()[:_LONGEST_LINE])
        if len(kept) == _FIRST_LINES:
            break
    return "\n".join([mail.subject[:_LONGEST_LINE], *kept])


def answer_about(mail: Mail, kind: RequestKind, *, address: str, list_address: str) -> tuple[bool, str] | None:
    """Read a list server's answer to a command about somebody: whether it is done, and its words in one line.

    None where the mail is not from the list's own server, or does not name the person.
    """
    host = list_address.lower().rpartition("@")[2]
    senders = addresses_in(mail.head, ("From", "Sender"))
    if not any(a.rpartition("@")[2] == host for a in senders):
        return None
    lines = [plain(line)[:_LONGEST_LINE] for line in [mail.subject, *mail.words.splitlines()]]
    about = [line for line in lines if address in line.lower() and not line.startswith(">")]  # as sent, quoted
    if not about:
        return None
    done = _ADDED if kind is RequestKind.JOIN else _REMOVED
    told = [line for line in about if done.search(line) and not _NOT.search(line)]
    return (True, told[0]) if told else (False, next((line for line in about if line != lines[0]), about[0]))

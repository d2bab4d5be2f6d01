"""What list servers and mail servers say, as data: which words of a notice mean what.

English, as the servers' own templates have it. LISTSERV: the pages of L-Soft and of sites that quote it. Mailman 2.1 and 3,
Sympa, mlmmj: their templates. Google Groups, Groups.io, Exchange, Gmail, Postfix: public reports. Every pattern is matched
against lower-case text on one line; the first class that matches is the meaning, in this order.
"""

import re
from collections.abc import Mapping

from outreach.mail.meaning import Verdict

_WORDS: Mapping[Verdict, tuple[str, ...]] = {
    # To a moderator: a decision is asked of the reader. Before "confirm": LISTSERV asks its editors to answer OK, too.
    Verdict.MODERATE: (
        r"\bdistribute \S+ [0-9a-f]{8,}",
        r"\+release-[0-9a-z]+@",
        r"requires? (your )?(approval|moderation)",
        r"as (the )?(list )?(administrator|moderator|owner|editor)[,:]? (your authori[sz]ation|you)",
        r"your authori[sz]ation is requested",
        r"posting requires approval",
        r"message is (waiting|pending) for your (approval|review)",
        r"approve (this|the) message",
        r"to (approve|release) (the|this) (message|post|mail)",
        r"for your approval",
    ),
    Verdict.NEEDS_CONFIRM: (
        r"request positive confirmation",
        r"confirm that the enclosed message",
        r"\bconfirm [0-9a-f]{8,}",
        r"type \"ok\"",
        r"you must (now )?confirm",
        r"to distribute the attached message",
    ),
    Verdict.THROTTLED: (
        r"not be sending you any further email responses",
        r"last autoresponse notification",
        r"no (more|further) notices? (will be sent )?today",
    ),
    Verdict.ACKNOWLEDGED: (
        r"has been successfully distributed",
        r"has been confirmed and distributed",
        r"(was|has been) (successfully )?received by the .{1,200}? mailing list",
        r"post acknowledge?ment",
        r"your message has been (posted|distributed)",
    ),
    Verdict.REJECTED: (
        r"rejected posting",
        r"(was|were|has been|have been|is) (automatically |being )?(rejected|refused|denied|declined)",
        r"\brejected for the following",
        r"cannot be distributed",
        r"could not be distributed",
        r"unable to be delivered to the list\b",
        r"\bpost to \S+@\S+ denied:",
        r"exceed(s|ed)? the (maximum|allowed|size)",
        r"larger than the (maximum|allowed)",
        r"too (large|big) (to|for)",
        r"not (allowed|authori[sz]ed|permitted) to (post|send|distribute)",
        r"(?<!before releasing it to the list because )you are not (a (list )?)?(member|subscriber|subscribed|moderator)",
        r"(may|can) not post",
        r"restricted to (list )?(subscribers|members)",
        r"only (subscribers|members) (may|can|are allowed)",
        r"checksum matching",
        r"duplicate (message|posting|of)",
        r"already (been )?(distributed|posted|processed)",
        r"does(n't| not) (exist|have permission|seem to exist).{0,80}(group|permission to post)",
        r"don't have permission to post",
        r"looks like (a|an) (administrative )?command",
        r"was not (posted|distributed|accepted)",
        r"message .{0,40}(denied|discarded)",
    ),
    Verdict.HELD: (
        r"awaits? moderator approval",
        r"asked to review it before releasing it",
        r"\bawaiting release to \S+@",
        r"is (now )?being held",
        r"(has been|was|is) held (for|until|because)",
        r"(forwarded|submitted|sent) to the (list )?(moderator|editor|owner)",
        r"(waiting|awaiting|pending|queued) (for )?(approval|moderation|review)",
        r"until (a|the) (list )?(moderator|owner|editor)",
        r"message is pending",
        r"needs? to be approved",
    ),
    Verdict.DELAYED: (
        r"delivery (is|has been|was) delayed",
        r"(temporarily|temporary) (delay|fail|problem|deferred)",
        r"has(n't| not) (yet )?been delivered",
        r"will (be retried|continue to (try|retry)|keep trying|retry)",
        r"\bdelayed mail\b",
        r"warning: could not send message for (the )?past",
    ),
    Verdict.BOUNCED: (
        r"(could|can) ?not be delivered",
        r"couldn't be delivered",
        r"undeliver(able|ed)",
        r"deliver(y|ing).{0,60}(fail|problem|error|unsuccessful)",
        r"(address|recipient|user|mailbox).{0,60}(not found|unknown|rejected|does not exist|unavailable|is full|disabled)",
        r"(unknown|no such) (user|recipient|mailbox|address)",
        r"permanent (fatal )?(error|failure)",
        r"returned mail",
        r"\b5[0-9][0-9][ -]5\.[0-9]+\.[0-9]+\b",
    ),
}
PATTERNS: tuple[tuple[Verdict, re.Pattern[str]], ...] = tuple(
    (verdict, re.compile("|".join(f"(?:{pattern})" for pattern in patterns))) for verdict, patterns in _WORDS.items()
)

ANSWERS = re.compile(r"^\s*(re|aw|sv|antw|odp|fwd?|wg|tr|vs|ynt|rv)\s*(\[\d+\])?\s*:", re.IGNORECASE)
"""A subject that begins so is a person's answer, never a notice."""

NO_NOTICES = re.compile(r"^\s*(undeliver(able|ed)|non[- ]?delivery|delivery status notification|mail delivery failed)\b", re.IGNORECASE)  # fmt: skip
"""A subject that begins so is a bounce of something, perhaps of a notice, whose words it repeats."""

QUOTES_A_SUBJECT = re.compile(
    r"\b(subject|titled|entitled|betreff|sujet|objet|asunto)\b|\bmessage [\"“'‘«]", re.IGNORECASE
)
"""A notice that says so names a subject: one that is not ours is about somebody else's post."""

BECAUSE = re.compile(
    r"(?:gave\s+the\s+following\s+reason[^:]{0,60}:|following\s+reasons?[^:\n]{0,40}:"
    r"|(?:(?:unable\s+to\s+be\s+delivered|before\s+releasing\s+it)\s+to\s+the\s+list|asked\s+to\s+moderate)\s+because"
    r"|(?:is\s+being\s+held|held|rejected|refused|denied)[^.:]{0,80}(?:because|reasons?)\s*:?"
    r"|reason\s+(?:it\s+is\s+being\s+held|given|is)\s*:?|the\s+reason[^:\n]{0,40}:)\s*",
    re.IGNORECASE,
)
"""What stands before the reason that a notice gives."""


def meaning_of(text: str) -> Verdict | None:
    """Give what a notice says by its words; None where it says nothing that is known."""
    flat = " ".join(text.lower().split())
    return next((verdict for verdict, pattern in PATTERNS if pattern.search(flat)), None)


_ADDRESS = re.compile(r"https?://\S+|\bmailto:\S+|www\.\S+", re.IGNORECASE)
_KEY = re.compile(
    r"<?\b[^\s<>@]{1,100}\+[a-z]{1,20}-[0-9a-f]{8,64}@[^\s<>]{1,255}>?|\b[0-9a-f]{16,64}\b", re.IGNORECASE
)
_LONGEST_REASON = 300
_MOST_READ = 5000


def reason_in(text: str, otherwise: str = "") -> str:
    """Give the reason that a notice tells, on one line without addresses of pages and without keys: nobody should use them.

    Where it gives none, what is said otherwise, or the line that tells most.
    """
    found = BECAUSE.search(text)
    paragraph = (_paragraph_in(text[found.end() :]) if found else "") or otherwise or _telling_line(text)
    return shown(paragraph[:_MOST_READ])[:_LONGEST_REASON]


def shown(text: str) -> str:
    """Give a text of a mail as it may be shown: on one line, no character that is not seen, no address of a page, no key."""
    bare = "".join(char if char.isprintable() else " " for char in _KEY.sub("…", _ADDRESS.sub("…", text)))
    return " ".join(bare.split()).strip('"”“ ')


def _paragraph_in(text: str) -> str:
    """Give the first paragraph; where that only leads to the next one, as Sympa has it, the next."""
    first, _, rest = _begun(text).replace("\r\n", "\n").partition("\n\n")
    return _begun(rest).partition("\n\n")[0] if first.rstrip().endswith(":") and rest.strip() else first


def _begun(text: str) -> str:
    return text.lstrip(' \t\r\n-*"“')


def _telling_line(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    joined = [" ".join(lines[place : place + 2]) for place in range(len(lines))]
    for one, two in zip(lines, joined, strict=True):
        if one and (meaning_of(one) or meaning_of(two)):
            return one if meaning_of(one) and one.endswith((".", ":", "!")) else two.strip()
    return next((line for line in lines if line), "")

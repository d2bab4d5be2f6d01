"""How a list server's question can be answered by mail: the address and the words that it waits for.

Only for a notice that encloses our very post, and only to an address of the list's own server: a forged notice can at most
make the list do with our own post what we asked it to do. What is answered lets something happen once; it is kept apart
from the history and is shown to nobody.
"""

import re
from dataclasses import dataclass

from outreach.mail.meaning import Meaning, Sent, Verdict
from outreach.mail.opened import Mail, header
from outreach.mail.recognising import addresses_in

_RELEASE = re.compile(r"[^@\s]+\+(release|moderate|confirm|confsub)-[0-9a-z]+@[^@\s]+", re.IGNORECASE)
_SYMPA = re.compile(r"\b(DISTRIBUTE\s+\S+\s+[0-9a-f]{8,64}|CONFIRM\s+[0-9a-f]{8,64})\b", re.IGNORECASE)
_DISTRIBUTE = re.compile(r"DISTRIBUTE\b", re.IGNORECASE)
_ROLES_OF_SERVERS = ("sympa", "listserv", "mailman", "majordomo")


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail that answers a list server. `words` is what its body says; empty where the address alone is the answer."""

    to: str
    subject: str
    words: str


def answer_to(mail: Mail, means: Meaning, sent: Sent) -> Answer | None:
    """Give the answer that lets our post through; None where there is none that can be given by mail."""
    if means.basis != "id" or means.verdict not in (Verdict.MODERATE, Verdict.NEEDS_CONFIRM):
        return None
    host = sent.list_address.lower().rpartition("@")[2]
    told = [a for a in addresses_in(mail.head, ("Reply-To", "From")) if a.rpartition("@")[2] == host]
    by_address = next((a for a in told if _RELEASE.fullmatch(a)), None)
    if by_address is not None:
        return Answer(by_address, "Let it through", "")
    server = next((a for a in told if a.partition("@")[0] in _ROLES_OF_SERVERS), None)
    if server is None:
        return None
    asked = _SYMPA.search(f"{mail.subject}\n{mail.words}\n{header(mail.head, 'Reply-To')}")
    if asked is not None:
        command = " ".join(asked[0].split())
        return Answer(server, command, command)
    if server.startswith("listserv@"):
        return Answer(server, "OK", "OK")
    return None


def turned_down(answer: Answer) -> Answer | None:
    """Give the mail that refuses a post in place of the one that lets it through; None where its server knows none.

    Sympa takes `REJECT` with the same key, mlmmj an address of its own. Who is asked to confirm just does not.
    """
    if _DISTRIBUTE.match(answer.words):
        words = _DISTRIBUTE.sub("REJECT", answer.words)
        return Answer(answer.to, words, words)
    if "+release-" in answer.to:
        return Answer(answer.to.replace("+release-", "+reject-", 1), "Turn it down", "")
    return None

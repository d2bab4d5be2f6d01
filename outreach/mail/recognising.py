"""What a mail in the sender's mailbox says about a post: rules in a fixed order, over parsed mail, which anybody may have forged.

The order and the rules are those that decided every sample from real list servers: our own Message-ID first, then reports,
then mails that enclose ours, then what only names our subject or the list. A mail about somebody else's post is never
taken for one of ours, whatever its words say. No address in a mail is ever opened.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from email.message import Message
from email.utils import getaddresses

from outreach.mail.meaning import Basis, Meaning, Sent, Verdict
from outreach.mail.notice_words import ANSWERS, NO_NOTICES, QUOTES_A_SUBJECT, meaning_of, reason_in, shown
from outreach.mail.opened import Mail, body_of, header, ids_of, open_mail, plain
from outreach.mail.sightings import is_address_of, list_marks

_DAEMONS = re.compile(r"(mailer-?daemon|postmaster|mail-?daemon|microsoftexchange[0-9a-z]*)([+.-].*)?", re.IGNORECASE)
_SERVERS = (
    "listserv",
    "sympa",
    "mailman",
    "majordomo",
    "mlmmj",
    "listmaster",
    "listproc",
    "lyris",
    "noreply",
    "no-reply",
)
_ROLE = re.compile(r"-(request|owner)$")
_PREFIX = re.compile(r"^\s*(\[[^\[\]]{1,100}\]\s*)+")
_TOO_MUCH = ("5.2.3", "5.3.4", "5.6.0")
_DONE = ("delivered", "relayed", "expanded")
_UNRELATED = Meaning(Verdict.UNRELATED, "says nothing about a post")


def meaning(raw: bytes, sent: Sequence[Sent]) -> Meaning:
    """Say what a mail means for those posts. Never raises, whatever the mail holds."""
    mail = open_mail(raw)
    for rule in (_own_id, _report, _receipt, _encloses_ours, _daemon_quotes_ours, _copy_by_content, _notice, _vacation):
        found = rule(mail, sent)
        if found is not None:
            return found
    return _UNRELATED


# Our Message-ID stands at the top, in a report, or inside


def _own_id(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    for post in sent:
        if post.message_id in mail.message_ids:
            marks = list_marks(mail.head, post.list_address)
            if marks:
                return Meaning(Verdict.DISTRIBUTED, "our Message-ID and a mark of the list", "id", post.post)
            return Meaning(Verdict.OWN_COPY, "our Message-ID without a mark of the list", "id", post.post)
    return None


def _report(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    if not mail.is_report or (mail.receipts and not mail.statuses):
        return None
    inside = _ours_inside(mail, sent)
    if inside is None:
        is_quoted = any(post.message_id in mail.words for post in sent)
        return None if is_quoted else Meaning(Verdict.UNRELATED, "a report about another mail")
    post, head = inside
    block = next((each for each in mail.statuses if each.get("Final-Recipient") or each.get("Action")), None)
    action = header(block, "Action").strip().lower() if block else ""
    status = header(block, "Status").strip().split(" ")[0] if block else ""
    told = shown(header(block, "Diagnostic-Code").partition(";")[2]) if block else ""
    is_of_list = _is_from_server(mail.head, post.list_address)
    if action == "delivered" and is_of_list and _is_for_list(block, post.list_address):
        return Meaning(Verdict.ACKNOWLEDGED, "a report of the list that it let our post through", "id", post.post)
    if action in _DONE:
        return Meaning(Verdict.UNRELATED, "a report that nothing is wrong", "id", post.post)
    if list_marks(head, post.list_address) or not _is_for_list(block, post.list_address):
        return Meaning(Verdict.MEMBER_BOUNCE, "a report of a member's mail server", "id", post.post, told)
    reason = (reason_in(mail.words, told) if is_of_list else told or reason_in(mail.words))[:300]
    if action == "delayed":
        return Meaning(Verdict.DELAYED, "a report of a delay", "id", post.post, reason)
    is_refused = is_of_list or status in _TOO_MUCH or meaning_of(told) is Verdict.REJECTED
    verdict = Verdict.REJECTED if is_refused else Verdict.BOUNCED
    return Meaning(verdict, f"a report {status}".strip(), "id", post.post, reason)


def _is_for_list(block: Message | None, list_address: str) -> bool:
    """Tell whether a report is about the list itself: we send to nobody else, so anybody else got it through the list."""
    final = header(block, "Final-Recipient").rpartition(";")[2].strip().lower() if block else ""
    if "@" not in final:
        return True
    local, list_local = final.rpartition("@")[0], list_address.lower().rpartition("@")[0]
    return final == list_address.lower() or list_local in local


def _receipt(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    """A member's mailbox may refuse by a disposition notification: it had the mail, so the list distributed it."""
    for block in mail.receipts:
        for post in sent:
            if post.message_id in header(block, "Original-Message-ID") and not _is_for_list(block, post.list_address):
                return Meaning(Verdict.MEMBER_BOUNCE, "a receipt of a member", "id", post.post)
    return Meaning(Verdict.UNRELATED, "a receipt for another mail") if mail.receipts else None


def _encloses_ours(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    if not mail.inside:
        return None
    inside = _ours_inside(mail, sent)
    if inside is None:
        return Meaning(Verdict.UNRELATED, "it carries another mail")
    post, head = inside
    is_own_subject = _bare(mail.subject) == _bare(post.subject)
    said = _said(mail, [post], with_subject=not is_own_subject)
    if said is not None:
        if said is Verdict.BOUNCED and list_marks(head, post.list_address):
            return Meaning(Verdict.MEMBER_BOUNCE, "a bounce of the list's copy", "id", post.post)
        return Meaning(said, "a notice that encloses our post", "id", post.post, reason_in(mail.words))
    if _names_in(mail.head, "List-Post", post.list_address):
        return Meaning(Verdict.DISTRIBUTED, "our post, wrapped by the list", "id", post.post)
    if any("confirm" in address.partition("@")[0] for address in addresses_in(mail.head, ("From", "Reply-To"))):
        return Meaning(Verdict.NEEDS_CONFIRM, "from an address that takes confirmations", "id", post.post)
    if is_own_subject and _is_from_server(mail.head, post.list_address):
        rule = "our post back from the list's owner, in a language of its own"
        return Meaning(Verdict.REJECTED, rule, "id", post.post, reason_in(mail.words))
    return Meaning(Verdict.UNRELATED, "it encloses our post and says nothing that is known", "id", post.post)


def _daemon_quotes_ours(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    senders = addresses_in(mail.head, ("From", "Sender"))
    is_daemon = any(_DAEMONS.fullmatch(address.partition("@")[0]) for address in senders)
    if not is_daemon and header(mail.head, "Return-Path").strip() != "<>":
        return None
    for post in sent:
        if post.message_id in mail.words:
            local, _, host = post.list_address.lower().rpartition("@")
            quoted = mail.words.lower()
            if f"<{local}.{host}>" in quoted or re.search(rf"list-post:\s*<mailto:{re.escape(local)}@{re.escape(host)}>", quoted):  # fmt: skip
                return Meaning(Verdict.MEMBER_BOUNCE, "a bounce that quotes the list's copy", "id", post.post)
            said = _said(mail, [post], with_subject=True)
            verdict = said if said in (Verdict.DELAYED, Verdict.REJECTED) else Verdict.BOUNCED
            return Meaning(verdict, "a bounce that quotes our Message-ID", "id", post.post, reason_in(mail.words))
    return None


def _ours_inside(mail: Mail, sent: Sequence[Sent]) -> tuple[Sent, Message] | None:
    for head in mail.inside:
        ids = ids_of(head)
        for post in sent:
            if post.message_id in ids:
                return post, head
    return None


# Our text, or only our subject, or only the list


def _copy_by_content(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    """The list's copy where the list gives it an id of its own, as anonymous lists do. An answer quotes, too, so none may be one."""
    if mail.head.get("In-Reply-To") or ANSWERS.match(mail.subject):
        return None
    candidates = [post for post in sent if post.text and _bare(post.subject) == _bare(mail.subject)]
    body = _letters(body_of(mail)) if candidates else ""
    found = [post for post in candidates if list_marks(mail.head, post.list_address) and _letters(post.text) in body]
    if len(found) != 1:
        return None
    return Meaning(Verdict.DISTRIBUTED, "our subject and text and a mark of the list", "content", found[0].post)


def _notice(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    """A notice of the list server without our id. An answer of a person, or a bounce of a notice, repeats its words."""
    if ANSWERS.match(mail.subject) or NO_NOTICES.match(mail.subject):
        return None
    of_list = [post for post in sent if _is_from_server(mail.head, post.list_address) and _speaks_of(mail, post)]
    if not of_list:
        return None
    answered = [post for post in of_list if post.message_id in header(mail.head, "In-Reply-To")]
    quoted = _quoting(mail, of_list)
    is_own_subject = any(_bare(mail.subject) == _bare(post.subject) for post in of_list)
    said = _said(mail, quoted, with_subject=not is_own_subject) or _by_shape(mail, quoted)
    if said is None:
        return None
    reason = reason_in(mail.words)
    if len(answered) == 1:
        return Meaning(said, "a notice that answers our mail", "id", answered[0].post, reason)
    if quoted:
        one = quoted[0].post if len(quoted) == 1 else None
        return Meaning(said, "a notice that quotes our subject", "subject" if one else "none", one, reason)
    if QUOTES_A_SUBJECT.search(plain(mail.words)):
        return Meaning(Verdict.UNRELATED, "a notice that quotes another subject")
    still_open = [post for post in of_list if post.is_open]
    one, basis = _only(still_open)
    return Meaning(said, "a notice that names the list", basis, one, reason)


def _only(posts: Sequence[Sent]) -> tuple[str | None, Basis]:
    return (posts[0].post, "list") if len(posts) == 1 else (None, "none")


def _by_shape(mail: Mail, quoted: Sequence[Sent]) -> Verdict | None:
    """Mailman's notice of a held post in any language: in bulk, from the bounces address, with List-Id but no List-Post."""
    head = mail.head
    is_of_mailman = "bulk" in header(head, "Precedence").lower() and head.get("List-Id") and not head.get("List-Post")
    from_bounces = any("-bounces" in address.partition("@")[0] for address in addresses_in(head, ("From", "Sender")))
    return Verdict.HELD if quoted and is_of_mailman and from_bounces else None


def _speaks_of(mail: Mail, post: Sent) -> bool:
    local = post.list_address.lower().partition("@")[0]
    said = f"{mail.subject}\n{mail.words}".lower()
    named = re.compile(rf"(?<![\w.-]){re.escape(local)}(?![\w-])")
    return bool(named.search(said)) or bool(list_marks(mail.head, post.list_address))


def _quoting(mail: Mail, posts: Sequence[Sent]) -> list[Sent]:
    """Give the posts whose subject a notice quotes; where one subject is a part of another, only the longer one."""
    text = f"{mail.subject}\n{mail.words}"
    found = [post for post in posts if post.subject.strip() and _quotes(text, plain(post.subject))]
    longest = max((len(post.subject) for post in found), default=0)
    return [post for post in found if len(post.subject) == longest]


def _said(mail: Mail, posts: Sequence[Sent], *, with_subject: bool) -> Verdict | None:
    """Give what a mail says in words of its own: a title that it quotes may say anything."""
    subject, words = mail.subject if with_subject else "", mail.words
    for title in (plain(post.subject) for post in posts if post.subject.strip()):
        subject = re.sub(rf"{re.escape(title)}$", "", subject, flags=re.IGNORECASE)
        words = _quote_of(title).sub("\n", words)
    return meaning_of(f"{subject}\n{words}")


def _quotes(text: str, subject: str) -> bool:
    return bool(_quote_of(subject).search(text))


def _quote_of(subject: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, subject.split()))
    prefix = r"(?:\[[^\[\]\n]{1,100}\]\s*)?"
    before = r"(?:^\s*|[\"'“‘«‹„]\s*|(?:subject(?:\s+of\s+your\s+mail)?|titled|betreff|objet|asunto)\s*:?\s+)"
    after = r"(?:\s*$|\s*[\"'”’»›“]|[.,;)]|\s+(?:has|have|was|is|to|on|in|from)\b)"
    return re.compile(f"{before}{prefix}{words}{after}", re.IGNORECASE | re.MULTILINE)


def _vacation(mail: Mail, sent: Sequence[Sent]) -> Meaning | None:
    """A person's automatic answer; a list server answers automatically, too, as Sympa does a moderator who released some post."""
    head = mail.head
    if any(_is_from_server(head, post.list_address) for post in sent):
        return None
    is_automatic = (
        header(head, "Auto-Submitted").strip().lower().startswith("auto-replied")
        or header(head, "Precedence").strip().lower() == "auto_reply"
        or any(head.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    )
    return Meaning(Verdict.VACATION, "an automatic answer of a person") if is_automatic else None


# Words and addresses


def _bare(subject: str) -> str:
    """Give a subject without a list's prefix."""
    return plain(_PREFIX.sub("", subject)).casefold()


def _letters(text: str) -> str:
    """Give a text without its line breaks and quoting, which servers change."""
    return plain(text).casefold()


def addresses_in(head: Message, names: Iterable[str]) -> set[str]:
    """Give the addresses in headers of these names, in lower case."""
    found: set[str] = set()
    for value in (header(head, name) for name in names):
        # One by one: some versions of the parser give nothing at all where one value is odd, or empty.
        with suppress(RecursionError, ValueError, TypeError, IndexError):  # comments in comments, thousands deep
            found |= {address.strip().lower() for _, address in getaddresses([value]) if "@" in address}
    return found


def _names_in(head: Message, name: str, list_address: str) -> bool:
    return list_address.lower() in header(head, name).lower()


def _is_from_server(head: Message, list_address: str) -> bool:
    """Tell whether a mail says that it comes from the list server: from the list, one of its roles, or the server's own address."""
    local, _, host = list_address.lower().rpartition("@")
    return any(
        is_address_of(address, local, host)
        or (address.rpartition("@")[2] == host and _ROLE.sub("", address.partition("@")[0]) in _SERVERS)
        for address in addresses_in(head, ("From", "Sender", "Return-Path"))
    )

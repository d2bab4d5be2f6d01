"""Mails that come back to who posts to a list, composed from what is documented of the servers: each with what it means.

A sample is made for a post, so that the same mail can speak of any. `origin` says whose mail it is like, and what it rests on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outreach.mail.meaning import Basis, Sent, Verdict

MEMBER = "coordinator@example.org"
Make = Callable[[Sent], bytes]


@dataclass(frozen=True)
class Sample:
    """One mail: how it is made for a post, and what it should be taken for. `reason` is in the reason that is told."""

    name: str
    origin: str
    verdict: Verdict
    basis: Basis
    make: Make
    reason: str = ""


def local(post: Sent) -> str:
    """The list's name, before the @."""
    return post.list_address.partition("@")[0]


def host(post: Sent) -> str:
    """The list's host."""
    return post.list_address.rpartition("@")[2]


def mail(body: str, **head: str) -> bytes:
    """A plain mail; `_` in the name of a header stands for `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in head.items()]
    return ("\n".join([*lines, "", body]) + "\n").replace("\n", "\r\n").encode()


def own(post: Sent, *, prefix: str = "", text: str | None = None, **more: str) -> bytes:
    """The post itself, as it was sent, or as a list changed it."""
    head = {"From": f"TMM SIG <{MEMBER}>", "To": post.list_address, "Subject": f"{prefix}{post.subject}"}
    head |= {"Message_ID": post.message_id, "Date": "Tue, 01 Dec 2026 14:00:00 +0000", "MIME_Version": "1.0"}
    return mail(post.text if text is None else text, **(more | head))


def marks(post: Sent) -> dict[str, str]:
    """What Mailman puts on the copies of a post."""
    return {
        "List_Id": f"{local(post)} <{local(post)}.{host(post)}>",
        "List_Post": f"<mailto:{post.list_address}>",
        "Precedence": "list",
    }


def joined(*parts: tuple[str, bytes], kind: str = "mixed", **head: str) -> bytes:
    """A mail of several parts, each as (content type, bytes)."""
    top = {"MIME_Version": "1.0", "Content_Type": f'multipart/{kind}; boundary="=-b"'} | head
    pieces = [f"Content-Type: {of}\r\n\r\n".encode() + data for of, data in parts]
    start = mail("", **top).rstrip(b"\r\n") + b"\r\n\r\n"
    return start + b"".join(b"--=-b\r\n" + piece + b"\r\n" for piece in pieces) + b"--=-b--\r\n"


def enclosing(words: str, inside: bytes, **head: str) -> bytes:
    """A notice with a mail inside."""
    text = words.replace("\n", "\r\n").encode()
    return joined(("text/plain; charset=utf-8", text), ("message/rfc822", inside), **head)


def report(post: Sent, *, to: str, action: str, status: str, told: str, inside: bytes, kind: str = "message/rfc822", **head: str) -> bytes:  # fmt: skip
    """A delivery report (RFC 3464) with the mail, or its head, that it is about."""
    fields = f"Reporting-MTA: dns; mx.{host(post)}\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {told}\r\n"  # fmt: skip
    parts = [
        ("text/plain", b"This is the mail system.\r\n"),
        ("message/delivery-status", fields.encode()),
        (kind, inside),
    ]
    usual = {"From": f"MAILER-DAEMON@mx.{host(post)}", "To": MEMBER, "Subject": "Undelivered Mail Returned to Sender"}
    return joined(*parts, kind="report; report-type=delivery-status", **(usual | head))


def head_of(raw: bytes) -> bytes:
    """Only the head of a mail."""
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n"


# The list's copies


def _copies() -> Iterator[Sample]:
    def marked(name: str, origin: str, make: Callable[[Sent], dict[str, str]], prefix: str = "") -> Sample:
        return Sample(name, origin, Verdict.DISTRIBUTED, "id", lambda p: own(p, prefix=prefix, **make(p)))

    yield marked("mailman 3 copy", "Mailman 3: List-Id, List-Post and Precedence on every copy", marks, "[Tmm] ")
    yield marked("mailman 2.1 copy", "Mailman 2.1: X-BeenThere", lambda p: {"X_BeenThere": p.list_address, "X_Mailman_Version": "2.1.39"})  # fmt: skip
    yield marked("sympa copy", "Sympa 6.2: X-Loop and X-Sequence", lambda p: {"X_Loop": p.list_address, "X_Sequence": "7"})  # fmt: skip
    yield marked("listserv copy", "LISTSERV: Sender is the list", lambda p: {"Sender": f"TMM list <{p.list_address}>"})
    yield marked("listserv owner path", "LISTSERV: owner-list as the return path", lambda p: {"Return_Path": f"<owner-{p.list_address}>"})  # fmt: skip
    yield marked("mlmmj copy", "mlmmj 1.3: nothing but a return path with the member in it", lambda p: {"Return_Path": f"<{local(p)}+bounces-3-coordinator=example.org@{host(p)}>"})  # fmt: skip
    yield marked("google copy", "Google Groups: Mailing-list", lambda p: {"Mailing_list": f"list {p.list_address}; contact owner", "X_Google_Group_Id": "1"})  # fmt: skip
    yield marked("munged copy", "Mailman with munge_from: our id stays", lambda p: marks(p) | {"Reply_To": MEMBER})
    yield Sample(
        "wrapped copy",
        "Mailman with wrap_message: a new id outside, ours inside",
        Verdict.DISTRIBUTED,
        "id",
        lambda p: joined(
            ("message/rfc822", own(p)),
            **(marks(p) | {"From": f"TMM via {local(p)} <{p.list_address}>", "Subject": f"[Tmm] {p.subject}", "Message_ID": "<new@lists.example.org>"}),
        ),
    )  # fmt: skip
    yield Sample(
        "anonymous copy",
        "Mailman's anonymous lists: a new id, the list as sender",
        Verdict.DISTRIBUTED,
        "content",
        lambda p: mail(p.text, From=p.list_address, Subject=f"[Tmm]  {p.subject}", Message_ID="<a1@lists.example.org>", **marks(p)),
    )  # fmt: skip
    yield Sample(
        "new id copy",
        "LISTSERV 17.5 with NEW_MESSAGE_ID",
        Verdict.DISTRIBUTED,
        "content",
        lambda p: mail(f"{p.text}\n\n########\nTo leave the list …", From=MEMBER, Sender=p.list_address, Subject=p.subject, Message_ID="<LISTSERV%1@lists.example.org>"),
    )  # fmt: skip
    yield Sample("sent copy", "Gmail: the copy in Sent is the only one", Verdict.OWN_COPY, "id", own)
    for name, words in {
        "listserv ack": "Your message dated Tue, 1 Dec 2026 14:00:00 +0000 with subject \"{s}\" has been successfully distributed to the {l} list (123 recipients).",
        "sympa confirmed": "Your message titled \"{s}\" has been confirmed and distributed to list {l}.",
        "mailman ack": "Your message entitled\n\n    {s}\n\nwas successfully received by the {l} mailing list.",
    }.items():  # fmt: skip
        yield Sample(name, "acknowledgements that one can ask for", Verdict.ACKNOWLEDGED, "subject", _of_server(words))


def _of_server(words: str, *, role: str = "", subject: str = "About your message to {l}", **head: str) -> Make:
    """A notice of the list's server about a post."""

    def make(post: Sent) -> bytes:
        given = {"l": local(post), "s": post.subject, "a": post.list_address, "h": host(post)}
        sender = role.format(**given) or f"{local(post)}-bounces@{host(post)}"
        told = {name: value.format(**given) for name, value in head.items()}
        return mail(
            words.format(**given), **({"From": sender, "To": MEMBER, "Subject": subject.format(**given)} | told)
        )

    return make


def _with_ours(words: str, *, role: str, subject: str, changed: Callable[[Sent], dict[str, str]] = lambda _: {}, **head: str) -> Make:  # fmt: skip
    """A notice that encloses the post."""

    def make(post: Sent) -> bytes:
        given = {"l": local(post), "s": post.subject, "a": post.list_address, "h": host(post)}
        told = {name: value.format(**given) for name, value in head.items()}
        usual = {"From": role.format(**given), "To": MEMBER, "Subject": subject.format(**given)}
        return enclosing(words.format(**given), own(post, **changed(post)), **(usual | told))

    return make


_MAILMAN_HEAD = {"List_Id": "<{l}.{h}>", "Precedence": "bulk"}


def _held() -> Iterator[Sample]:
    for reason in (
        "The message is not from a list member",
        "The message comes from a moderated member",
        "The message is larger than the 40 KB maximum size",
        "Message contains administrivia",
        "Message has implicit destination",
    ):
        words = "Your mail to '{l}' with the subject\n\n    {s}\n\nIs being held until the list moderator can review it for approval.\n\nThe message is being held because:\n\n    " + reason + "\n\nEither the message will get posted to the list, or you will receive notification of the moderator's decision."  # fmt: skip
        make = _of_server(words, subject="Your message to {a} awaits moderator approval", **_MAILMAN_HEAD)
        yield Sample(
            f"mailman 3 held: {reason}", "Mailman 3.3, list:user:notice:hold", Verdict.HELD, "subject", make, reason
        )
    words = "Your mail to '{l}' with the subject\n\n    {s}\n\nIs being held until the list moderator can review it for approval.\n\nThe reason it is being held:\n\n    Post by non-member to a members-only list\n\nIf you would like to cancel this posting, please visit the following URL:\n\n    https://lists.example.org/confirm/abc"  # fmt: skip
    yield Sample("mailman 2.1 held", "Mailman 2.1, postheld.txt", Verdict.HELD, "subject", _of_server(words, subject="Your message to {l} awaits moderator approval"), "Post by non-member to a members-only list")  # fmt: skip
    for language, words in {
        "German": "Ihre E-Mail an '{l}' mit dem Betreff\n\n    {s}\n\nwird zurückgehalten, bis die Moderation sie geprüft hat.",
        "French": "Votre message à '{l}' avec le sujet\n\n    {s}\n\nest retenu en attendant que le modérateur puisse le relire.",
        "Spanish": "Su correo a '{l}' con el asunto\n\n    {s}\n\nha sido retenido hasta que la moderación lo revise.",
    }.items():  # fmt: skip
        yield Sample(f"mailman 3 held, in {language}", "known by its shape: from the bounces address, in bulk, with List-Id and without List-Post", Verdict.HELD, "subject", _of_server(words, subject="{a}", **_MAILMAN_HEAD))  # fmt: skip
    yield Sample("sympa held", "Sympa: names neither subject nor id", Verdict.HELD, "list", _of_server("Your message to the list '{l}' has been forwarded to the moderator(s).", role="sympa@{h}", subject="Message for list {l}"))  # fmt: skip
    yield Sample("mlmmj held 1.3", "mlmmj 1.3: as a real one told a stranger", Verdict.HELD, "id", _with_ours("The message has been submitted to the list. However, the moderators are being\nasked to review it before releasing it to the list because you are not a\nsubscriber.", role="{l}+owner@{h}", subject="Awaiting release to {a}"), "you are not a subscriber.")  # fmt: skip
    yield Sample("mlmmj held", "mlmmj with notifymod", Verdict.HELD, "id", _with_ours("Your message to {a} has been submitted to the moderators and will be posted once it is approved.", role="{l}+owner@{h}", subject="Message awaits moderation"))  # fmt: skip
    yield Sample("groups.io held", "Groups.io: pending messages", Verdict.HELD, "subject", _of_server('Your message "{s}" to the group {l} is pending approval by a moderator.', role="noreply@{h}", subject="Your message is pending"), "")  # fmt: skip
    yield Sample("mailman throttled", "Mailman 3, list:user:notice:no-more-today", Verdict.THROTTLED, "list", _of_server("We have received a message from your address requesting an automated response from the {l} mailing list. In order to avoid problems such as mail loops, we will not be sending you any further email responses today.", subject="Last autoresponse notification for today"))  # fmt: skip
    yield Sample("listserv confirm", "LISTSERV with Send= ...,Confirm", Verdict.NEEDS_CONFIRM, "id", _with_ours('For security reasons, the {l} list has been configured to request positive confirmation of messages posted to the list. You must now confirm that the enclosed message did originate from you. To do so, simply reply to the present message and type "OK" (without the quotes) in the text of your message.', role="LISTSERV@{h}", subject="Message for {l}: confirmation requested"))  # fmt: skip
    yield Sample("sympa confirm", "Sympa with send.privatekey", Verdict.NEEDS_CONFIRM, "id", _with_ours("To distribute the attached message in list {l}, please reply with the subject line\n\nCONFIRM 0a1b2c3d4e5f60718293a4b5", role="sympa@{h}", subject="CONFIRM 0a1b2c3d4e5f60718293a4b5"))  # fmt: skip
    yield Sample("sympa confirm, in French", "Sympa: the command is the same in every language", Verdict.NEEDS_CONFIRM, "id", _with_ours("Pour diffuser le message joint dans la liste {l}, répondez avec le sujet\n\nCONFIRM 0a1b2c3d4e5f60718293a4b5", role="sympa@{h}", subject="CONFIRM 0a1b2c3d4e5f60718293a4b5"))  # fmt: skip


def _moderators() -> Iterator[Sample]:
    yield Sample("mailman moderator", "Mailman 3: the request to its moderators", Verdict.MODERATE, "id", _with_ours("As list administrator, your authorization is requested for the following mailing list posting:\n\n    List: {a}\n    Subject: {s}", role="{l}-owner@{h}", subject="{a} post from coordinator@example.org requires approval"))  # fmt: skip
    yield Sample("sympa editor", "Sympa: DISTRIBUTE by mail", Verdict.MODERATE, "id", _with_ours("A message was sent to list {l}. To distribute it send\n\nDISTRIBUTE {l} 0a1b2c3d4e5f6071\n\nto refuse it REJECT {l} 0a1b2c3d4e5f6071", role="sympa@{h}", subject="Article to be approved for {l}"))  # fmt: skip
    yield Sample("sympa released", "Sympa 6.2.70: its report when a moderator released a post", Verdict.ACKNOWLEDGED, "id", lambda p: report(p, to=p.list_address, action="delivered", status="2.1.5", told="Destination address valid", inside=own(p), From=f"SYMPA <sympa-request@{host(p)}>", Subject="Message was successfully delivered"))  # fmt: skip
    yield Sample("mlmmj moderator 1.3", "mlmmj 1.3: as a real one asked", Verdict.MODERATE, "id", _with_ours("A message from <coordinator@example.org> has been submitted for posting. You are being asked to moderate because this is a moderated list.\n\nTo release it to the list, please send a message to <{l}+release-0a1b2c3d4e5f0a1b@{h}> which can usually be done simply by replying to this message.", role="{l}+owner@{h}", subject="Please moderate {a}"), "this is a moderated list")  # fmt: skip
    yield Sample("mlmmj moderator", "mlmmj: answer to the release address", Verdict.MODERATE, "id", _with_ours("The attached message needs to be checked. To approve this message, send a mail to {l}+release-0a1b2c3d4e5f@{h}", role="{l}+owner@{h}", subject="Moderation needed for {a}"))  # fmt: skip
    yield Sample("listserv editor", "LISTSERV with Send= Editor,Hold", Verdict.MODERATE, "id", _with_ours("The enclosed message has been submitted to the {l} list and requires your approval. To approve it, reply and type OK.", role="LISTSERV@{h}", subject="{l}: approval required"))  # fmt: skip


def _rejected() -> Iterator[Sample]:
    yield Sample("mailman 3 rejected", "Mailman 3, action reject: the subject is the post's own", Verdict.REJECTED, "id", _with_ours("Your message to the {l} mailing-list was rejected for the following reasons:\n\nThe message is not from a list member\n\nThe original message as received by Mailman is attached.", role="{l}-owner@{h}", subject="{s}"), "The message is not from a list member")  # fmt: skip
    yield Sample("mailman 3 rejected, in German", "the same in a language of its own: from the owner, with our post inside", Verdict.REJECTED, "id", _with_ours("Ihre Nachricht wurde nicht angenommen.", role="{l}-owner@{h}", subject="{s}"))  # fmt: skip
    yield Sample("mailman moderator refused", "Mailman: the moderator's words quote the subject alone", Verdict.REJECTED, "subject", _of_server('Your request to the {l} mailing list\n\n    Posting of your message titled "{s}"\n\nhas been rejected by the list moderator. The moderator gave the following reason for rejecting your request:\n\n"Please send it next week."', subject='Request to mailing list "{l}" rejected'), "Please send it next week.")  # fmt: skip
    yield Sample("mailman 2.1 rejected", "Mailman 2.1 with generic_nonmember_action reject", Verdict.REJECTED, "id", _with_ours("You are not allowed to post to this mailing list, and your message has been automatically rejected. If you think that your messages are being rejected in error, contact the mailing list owner.", role="{l}-owner@{h}", subject="{s}"))  # fmt: skip
    yield Sample("listserv too large", "LISTSERV: Sizelim", Verdict.REJECTED, "list", _of_server("Your message cannot be distributed to the {l} list because it exceeds the maximum message size of 100k.", role="LISTSERV@{h}", subject="Rejected posting to {a}"), "exceeds the maximum message size of 100k")  # fmt: skip
    yield Sample("listserv duplicate", "LISTSERV: the body's CRC was seen before", Verdict.REJECTED, "id", _with_ours("Your message is being returned to you unprocessed because it looks like a duplicate of a message that was already distributed to the {l} list.", role="owner-{l}@{h}", subject="{l}: error report"))  # fmt: skip
    yield Sample("listserv not authorised", "LISTSERV: Send= Private", Verdict.REJECTED, "id", _with_ours("You are not authorized to send mail to the {l} list from your coordinator@example.org account.", role="LISTSERV@{h}", subject="Rejected posting to {a}"))  # fmt: skip
    yield Sample("listproc duplicate", "ListProc: by checksum", Verdict.REJECTED, "id", _with_ours("Your message has a checksum matching those messages already processed.", role="{l}-owner@{h}", subject="Error condition"))  # fmt: skip
    yield Sample("mlmmj denied 1.3", "mlmmj 1.3: as a real one told, by a rule", Verdict.REJECTED, "id", _with_ours("The message was unable to be delivered to the list because of an access rule set\nup by the list administrator.", role="{l}+owner@{h}", subject="Post to {a} denied:", changed=marks), "of an access rule")  # fmt: skip
    yield Sample("mlmmj denied", "mlmmj: its own marks stand in the enclosed post", Verdict.REJECTED, "id", _with_ours("Your message to {a} was denied because only subscribers are allowed to post to the list.", role="{l}+owner@{h}", subject="Post to {a} denied", changed=marks))  # fmt: skip
    for status, told in {"5.7.1": "Message distribution in the list is restricted to list subscribers.", "5.2.3": "Message too large", "5.6.0": "The message looks like a command"}.items():  # fmt: skip
        yield Sample(f"sympa {status}", "Sympa: a report of its own", Verdict.REJECTED, "id", _reported(to="{a}", action="failed", status=status, told=told, role="sympa@{h}"), told)  # fmt: skip
    yield Sample("google no permission", "Google Groups", Verdict.REJECTED, "id", _reported(to="{a}", action="failed", status="5.7.1", told="550 5.7.1 You are not allowed to post to this group."))  # fmt: skip


def _reported(*, to: str, action: str, status: str, told: str, role: str = "", inside: Callable[[Sent], bytes] = own, kind: str = "message/rfc822") -> Make:  # fmt: skip
    def make(post: Sent) -> bytes:
        given = {"a": post.list_address, "h": host(post), "l": local(post)}
        head = {"From": role.format(**given)} if role else {}
        return report(post, to=to.format(**given), action=action, status=status, told=told, inside=inside(post), kind=kind, **head)  # fmt: skip

    return make


def _bounced() -> Iterator[Sample]:
    def marked(post: Sent) -> bytes:
        return own(post, **marks(post))

    yield Sample("postfix bounce", "Postfix: the whole mail inside", Verdict.BOUNCED, "id", _reported(to="{a}", action="failed", status="5.1.1", told="550 5.1.1 User unknown"), "550 5.1.1 User unknown")  # fmt: skip
    for kind in ("text/rfc822-headers", "message/rfc822-headers"):
        yield Sample(f"bounce with {kind}", "only the head inside", Verdict.BOUNCED, "id", _reported(to="{a}", action="failed", status="5.4.1", told="550 5.4.1 Recipient address rejected: Access denied", inside=lambda p: head_of(own(p)), kind=kind))  # fmt: skip
    yield Sample("postfix delay", "Postfix: a warning after some hours", Verdict.DELAYED, "id", _reported(to="{a}", action="delayed", status="4.4.1", told="connect to mx: Connection timed out"), "Connection timed out")  # fmt: skip
    yield Sample("exim bounce", "Exim: plain words, the mail quoted", Verdict.BOUNCED, "id", lambda p: mail(f"A message that you sent could not be delivered to all of its recipients.\n\n  {p.list_address}\n    Unrouteable address\n\n------ This is a copy of your message. ------\n\nSubject: {p.subject}\nMessage-ID: {p.message_id}\n\n{p.text}", From="Mail Delivery System <Mailer-Daemon@mx.example.net>", Subject="Mail delivery failed: returning message to sender"))  # fmt: skip
    yield Sample("exchange bounce", "Microsoft 365: an NDR with the head quoted", Verdict.BOUNCED, "id", lambda p: mail(f"Your message to {p.list_address} couldn't be delivered.\n\nOriginal Message Headers\n\nMessage-ID: {p.message_id}\nSubject: {p.subject}", From="postmaster@example.net", Subject="Undeliverable: " + p.subject))  # fmt: skip
    yield Sample("exim delay", "Exim: still trying", Verdict.DELAYED, "id", lambda p: mail(f"This message was created automatically by mail delivery software. A message that you sent has not yet been delivered to {p.list_address}; delivery will be retried.\n\nMessage-ID: {p.message_id}", From="Mailer-Daemon@mx.example.net", Subject="Warning: message delayed 24 hours"))  # fmt: skip
    yield Sample("member bounce", "a member's server answers the sender: the returned mail has the list's marks", Verdict.MEMBER_BOUNCE, "id", _reported(to="someone@example.net", action="failed", status="5.2.2", told="552 5.2.2 Mailbox full", inside=marked))  # fmt: skip
    yield Sample("member bounce without marks", "an mlmmj copy bears none: nobody else got it but through the list", Verdict.MEMBER_BOUNCE, "id", _reported(to="someone@example.net", action="failed", status="5.1.1", told="550 5.1.1 No such user"))  # fmt: skip
    yield Sample("member bounce in words", "Exim, of a list's copy", Verdict.MEMBER_BOUNCE, "id", lambda p: mail(f"A message that you sent could not be delivered to someone@example.net\n\nList-Id: <{local(p)}.{host(p)}>\nMessage-ID: {p.message_id}", From="Mailer-Daemon@mx.example.net", Subject="Mail delivery failed"))  # fmt: skip
    yield Sample("member receipt", "Dovecot: a sieve reject is a disposition notification", Verdict.MEMBER_BOUNCE, "id", lambda p: joined(("text/plain", b"I take no announcements.\r\n"), ("message/disposition-notification", f"Final-Recipient: rfc822; someone@example.net\r\nOriginal-Message-ID: {p.message_id}\r\nDisposition: automatic-action/MDN-sent-automatically; deleted\r\n".encode()), kind="report; report-type=disposition-notification", From="someone@example.net", Subject="Rejected"))  # fmt: skip


def _unrelated() -> Iterator[Sample]:
    def nothing(name: str, origin: str, make: Make) -> Sample:
        return Sample(name, origin, Verdict.UNRELATED, "none", make)

    other = b"From: a@example.net\r\nSubject: Another post\r\nMessage-ID: <other@example.net>\r\n\r\nElse.\r\n"
    yield nothing("reply on the list", "a member answers: the list's marks, our subject, our text", lambda p: mail(f"I agree.\n\n> {p.text}", From="someone@example.net", Subject=f"Re: [Tmm] {p.subject}", In_Reply_To=p.message_id, References=p.message_id, Message_ID="<r1@example.net>", **marks(p)))  # fmt: skip
    yield nothing("reply without Re", "a mail program that writes no Re:", lambda p: mail(f"I agree.\n\n{p.text}", From="someone@example.net", Subject=p.subject, In_Reply_To=p.message_id, Message_ID="<r2@example.net>", **marks(p)))  # fmt: skip
    yield nothing("held, somebody else's", "a notice that encloses another post", lambda p: enclosing("Your message is being held for approval.", other, From=f"{local(p)}-bounces@{host(p)}", Subject=f"Your message to {p.list_address} awaits moderator approval"))  # fmt: skip
    yield nothing("bounce of another mail", "a report without our id", lambda p: report(p, to=p.list_address, action="failed", status="5.1.1", told="550 unknown", inside=other))  # fmt: skip
    yield nothing("bounce of a notice", "a report about a notice repeats its words", lambda p: report(p, to=MEMBER, action="failed", status="5.1.1", told="550 unknown", inside=mail(f"Your mail to '{local(p)}' with the subject\n\n    {p.subject}\n\nIs being held until the list moderator", From=f"{local(p)}-bounces@{host(p)}", Subject="awaits moderator approval", Message_ID="<n1@lists.example.org>")))  # fmt: skip
    yield nothing("answer to a notice", "a person quotes a notice", lambda p: mail(f"> Your mail to '{local(p)}' with the subject\n>\n>     {p.subject}\n>\n> Is being held until the list moderator", From=f"{local(p)}-owner@{host(p)}", Subject=f"Re: Your message to {p.list_address} awaits moderator approval"))  # fmt: skip
    yield nothing("newsletter", "a mail of somebody", lambda _p: mail("News of this week.", From="news@example.net", Subject="News"))  # fmt: skip
    yield nothing("notice of another list", "another list of another host", lambda p: mail(f"Your mail to 'other' with the subject\n\n    {p.subject}\n\nis being held", From="other-bounces@elsewhere.example.net", Subject="Your message to other awaits moderator approval"))  # fmt: skip
    yield nothing("delivered report", "a report that all is well", lambda p: report(p, to="someone@example.net", action="delivered", status="2.0.0", told="250 ok", inside=other))  # fmt: skip
    yield nothing("a moderator's receipt", "Sympa 6.2.70: names a key, which may be that of anybody's post", lambda p: mail(f"Message 0a1b2c3d4e5f60718293a4b5c6d7e8f9 for list '{local(p)}' has been\ndistributed.", From=f"SYMPA <sympa@{host(p)}>", Subject="Message distribution", Auto_Submitted="auto-replied"))  # fmt: skip
    yield Sample("vacation", "RFC 3834", Verdict.VACATION, "none", lambda p: mail("I am away.", From="someone@example.net", Subject=f"Away: {p.subject}", Auto_Submitted="auto-replied"))  # fmt: skip
    yield Sample("vacation of Exchange", "X-Autoreply", Verdict.VACATION, "none", lambda p: mail("I am out of office.", From="someone@example.net", Subject=f"Automatic reply: {p.subject}", X_Autoreply="yes"))  # fmt: skip


SAMPLES: tuple[Sample, ...] = (*_copies(), *_held(), *_moderators(), *_rejected(), *_bounced(), *_unrelated())

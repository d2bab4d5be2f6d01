"""What a list writes back to a poster, structured like the notices of well-known list servers."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from .letters import Heads, Mail
from .maillist import MailList


def held_notice(mail_list: MailList, heads: Heads, reason: str, at: datetime) -> bytes:
    """Tell the poster that a moderator has to look first. Carries List-Id, but not List-Post."""
    note = _letter(mail_list, heads.sender, f"Your message to {mail_list.address} awaits moderator approval", at)
    note["List-Id"] = mail_list.marks["List-Id"]
    note.set_content(
        f"Your mail to '{mail_list.name}' with the subject\n\n    {heads.subject}\n\n"
        "is being held until the list moderator has looked at it.\n\n"
        f"The message is being held because:\n\n    {reason}\n\n"
        "It will either be posted to the list, or you will be told what the moderator decided.\n"
    )
    return note.as_bytes()


def moderator_request(mail_list: MailList, heads: Heads, held: Mail, *, key: str, to: str) -> bytes:
    """Ask a moderator what to do with a held post, which is attached. A mail to its answer address lets it through."""
    local, _, host = mail_list.address.partition("@")
    note = _letter(
        mail_list, to, f"{mail_list.address} post from {heads.sender} requires approval", held.at, role="owner"
    )
    note["Reply-To"] = f"{local}+release-{key}@{host}"
    note.set_content(
        f"As a list moderator, your approval is asked for a post to {mail_list.address}\n\n    {heads.subject}\n\n"
        "To let the message through, answer this mail. To refuse it, mail to the same address with reject in place of release.\n"
    )
    note.add_attachment(_parsed(held.raw))
    return note.as_bytes()


def rejected_notice(mail_list: MailList, heads: Heads, reason: str, raw: bytes, at: datetime) -> bytes:
    """Tell the poster that the list refused, with the post attached and its own subject on top."""
    note = _letter(mail_list, heads.sender, heads.subject or "(no subject)", at, role="owner")
    note.set_content(
        f"Your message to the {mail_list.name} mailing-list was rejected for the following reasons:\n\n"
        f"{reason}\n\nThe original message as the list received it is attached.\n"
    )
    note.add_attachment(_parsed(raw))
    return note.as_bytes()


def refused_notice(mail_list: MailList, heads: Heads, reason: str, at: datetime) -> bytes:
    """Tell the poster that the moderator refused; quotes the subject only."""
    note = _letter(mail_list, heads.sender, f'Request to mailing list "{mail_list.name}" rejected', at)
    note.set_content(
        f'Your request to the {mail_list.address} mailing list\n\n    Posting of your message titled "{heads.subject}"\n\n'
        f'has been rejected by the list moderator, for the following reason:\n\n"{reason or "No reason given"}"\n'
    )
    return note.as_bytes()


def _letter(mail_list: MailList, to: str, subject: str, at: datetime, *, role: str = "bounces") -> EmailMessage:
    note = EmailMessage(policy=SMTP)
    note["From"] = mail_list.sibling(role)
    note["To"] = to
    note["Subject"] = " ".join(subject.split())
    note["Date"] = format_datetime(at)
    note["Precedence"] = "bulk"
    return note


def _parsed(raw: bytes) -> EmailMessage:
    from email import message_from_bytes

    parsed = message_from_bytes(raw, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed

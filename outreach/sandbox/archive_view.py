"""A list's archive as a member reads it, with the moderator's desk below."""

from html import escape

from .answers import PLAIN, Answer
from .letters import Mail, header_text, plain_text
from .look import SAFETY, linked, moment, not_found, page
from .post_office import PostOffice

MOST_SHOWN = 50


def archive(office: PostOffice, address: str) -> Answer:
    """`/lists/{address}`: distributed mails, newest first, then held ones with the reason."""
    if address not in office.lists:
        return not_found()
    mails = list(enumerate(office.distributed(address), start=1))
    shown = "\n".join(_article(address, number, mail) for number, mail in reversed(mails)) or "<p>No mails yet.</p>"
    held = "".join(_held(entry.mail, entry.reason) for entry in office.held(address))
    waiting = f"<h2>Waiting for the moderator</h2>{held}" if held else ""
    return page(
        office.lists[address].name,
        f'<h1>{escape(office.lists[address].name)}</h1><p class="meta">{escape(address)}</p>{shown}{waiting}',
    )


def single(office: PostOffice, address: str, number: str) -> Answer:
    """`/lists/{address}/{n}`."""
    mail = _numbered(office, address, number)
    if mail is None:
        return not_found()
    back = f'<p><a href="/lists/{escape(address)}">{escape(office.lists[address].name)}</a></p>'
    return page(mail.subject or "(no subject)", f"{back}{_article(address, int(number), mail, level='h1')}")


def raw(office: PostOffice, address: str, number: str) -> Answer:
    """`/lists/{address}/{n}/raw`: the mail byte for byte, shown as text."""
    mail = _numbered(office, address, number)
    return not_found() if mail is None else Answer(200, mail.raw, PLAIN, SAFETY)


def mailboxes(office: PostOffice) -> Answer:
    """`/mailboxes`: what each person got, latest first, such as invitations and reminders."""
    shown = "\n".join(_mailbox(address, raws) for address, raws in office.mailboxes().items())
    return page("Mailboxes", f"<h1>Everybody's mailboxes</h1>{shown or '<p>No mails yet.</p>'}")


def _mailbox(address: str, raws: list[bytes]) -> str:
    mails = "\n".join(
        f"<article><h3>{escape(header_text(raw, 'Subject') or '(no subject)')}</h3>"
        f'<p class="meta">From {escape(header_text(raw, "From"))}</p><pre>{linked(plain_text(raw))}</pre></article>'
        for raw in reversed(raws[-MOST_SHOWN:])
    )
    return f"<h2>{escape(address)}</h2>{mails}"


def _numbered(office: PostOffice, address: str, number: str) -> Mail | None:
    mails = office.distributed(address) if address in office.lists else []
    return mails[int(number) - 1] if number.isdigit() and 1 <= int(number) <= len(mails) else None


def _article(address: str, number: int, mail: Mail, *, level: str = "h2") -> str:
    here = f"/lists/{escape(address)}/{number}"
    subject = escape(mail.subject or "(no subject)")
    heading = f"<{level}>{subject}</{level}>" if level == "h1" else f'<{level}><a href="{here}">{subject}</a></{level}>'
    return f'<article>{heading}{_meta(mail)}<pre>{linked(plain_text(mail.raw))}</pre><p class="meta"><a href="{here}/raw">Raw mail</a></p></article>'


def _held(mail: Mail, reason: str) -> str:
    return f"<article><h2>{escape(mail.subject or '(no subject)')}</h2>{_meta(mail)}<p>Held: {escape(reason)}</p></article>"


def _meta(mail: Mail) -> str:
    return f'<p class="meta">From {escape(header_text(mail.raw, "From"))}, {moment(mail.at)}</p>'

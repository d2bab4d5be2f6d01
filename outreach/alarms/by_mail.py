"""Telling by mail: one message to each alert address by itself, through the submission server of the settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from outreach.alarms.words import Note
from outreach.mail import submission
from outreach.model import Published
from outreach.settings import Settings

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class MailRoute:
    """The way to one address."""

    address: str
    sender: str
    server: submission.Server
    now: Callable[[], datetime]

    @property
    def name(self) -> str:
        """Name the address."""
        return f"mail to {self.address}"

    def tell(self, note: Note) -> str | None:
        """Hand one mail over."""
        message_id = make_msgid(domain=self.sender.rpartition("@")[2])
        mail = submission.Mail(self.sender, self.address, self._message(note, message_id), message_id)
        outcome = submission.submit(self.server, mail)
        return None if isinstance(outcome, Published) else outcome.reason

    def _message(self, note: Note, message_id: str) -> bytes:
        message = EmailMessage(policy=_POLICY)
        message["Date"] = format_datetime(self.now())
        message["From"] = self.sender
        message["To"] = self.address
        message["Subject"] = " ".join(note.subject.split())
        message["Message-ID"] = message_id
        message["Auto-Submitted"] = "auto-generated"  # right here: no vacation note is to answer it
        message.set_content(note.body, cte="7bit" if note.body.isascii() else "quoted-printable")
        return message.as_bytes()


def mail_routes(settings: Settings, now: Callable[[], datetime]) -> tuple[MailRoute, ...]:
    """Build a route for each address of `OUTREACH_ALERT_EMAIL`."""
    return tuple(route for address in settings.alert_addresses if (route := route_to(address, settings, now)))


def route_to(address: str, settings: Settings, now: Callable[[], datetime]) -> MailRoute | None:
    """Build the route to one person; None where no mail server is set up."""
    if not settings.SMTP_HOST:
        return None
    # Not the long wait after the final dot: a mail that comes twice does no harm here.
    patience_s = settings.OUTREACH_HTTP_TIMEOUT_S
    server = replace(submission.Server.from_settings(settings), final_dot_timeout_s=patience_s)
    sender = parseaddr(settings.LISTSERV_SENDER)[1] or (*settings.alert_addresses, address)[0]
    return MailRoute(address, sender, server, now)

"""A listserv, by mail: one message to the list alone, from a member, through that member's own submission server."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path
from typing import ClassVar, Self
from unicodedata import category
from urllib.parse import urlsplit

from outreach import markup
from outreach.channels import Limits, Surroundings, _list_copies, _list_settings
from outreach.channels._corrections import led_by_changes
from outreach.channels._repeats import IF_SENT_AGAIN
from outreach.channels.links import check_links
from outreach.joining import ListFacts, RequestKind
from outreach.mail import calendar_entry, lint, mailman_rest, submission
from outreach.mail import message as mail
from outreach.mail.imap_mailbox import Account
from outreach.mail.mailman_rest import Rest
from outreach.mail.sightings import ListMail
from outreach.model import (
    Attempt,
    BadInput,
    CannotTell,
    Content,
    Finding,
    Outcome,
    Problem,
    Published,
    Refused,
    SentPicture,
    Unauthorized,
    Wording,
)
from outreach.roster import Roster
from outreach.settings import ListServer, Settings, is_loopback

_WIDTHS = (640, 480, 320, 240)
_ENCODED = 1.37  # base64 with its line ends
_PART_HEADERS = 400
_ADDED_ON_THE_WAY = 3 * 1024  # headers of the servers between us and the list, which its limit counts, too
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


class Listserv:
    """One list. Nothing that is done depends on which list server it runs on, only what is said of a repeat."""

    kind: ClassVar[str] = "listserv"
    usual_name: ClassVar[str] = "listserv"
    limits = Limits(
        max_chars=1_000_000,
        max_pictures=10,
        max_picture_bytes=4_000_000,
        picture_formats=frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF"}),
        titles_must_differ=True,
    )

    def __init__(
        self,
        *,
        address: str,
        sender: str,
        server: submission.Server,
        max_bytes: int,
        surroundings: Surroundings,
        is_sandbox: bool = False,
        mailbox: Account | None = None,
        watcher: Account | None = None,
        runs_on: ListServer = "auto",
        owner: str = "",
        rest: Rest | None = None,
        events_at: str = "",
    ) -> None:
        self._sender_name, self._sender = parseaddr(sender)
        self._address = address
        self._domain = self._sender.rpartition("@")[2]
        self._server = server
        self._mailboxes = [account for account in (mailbox, watcher) if account]
        self._runs_on = runs_on
        self._owner = owner
        self._rest = rest
        self._events_at = events_at
        self._max_bytes = max_bytes
        self._is_sandbox = is_sandbox
        self._media = surroundings.media
        self._now = surroundings.now

    def __repr__(self) -> str:
        return f"Listserv({self._address!r}, {self._server!r})"

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        """Build it from the `LISTSERV_*`, `SMTP_*`, `DKIM_*` and `IMAP_*` settings."""
        if not settings.LISTSERV_ADDRESS:
            return None
        return cls(
            address=settings.LISTSERV_ADDRESS,
            sender=settings.LISTSERV_SENDER,
            server=submission.Server.from_settings(settings),
            max_bytes=int(settings.LISTSERV_SIZE_KB * 1024),
            surroundings=surroundings,
            is_sandbox=is_loopback(urlsplit(settings.FACEBOOK_GRAPH_URL).hostname or ""),
            mailbox=_list_settings.mailbox_of(settings),
            watcher=_list_settings.watcher_of(settings),
            runs_on=settings.LISTSERV_KIND,
            owner=settings.LISTSERV_OWNER,
            rest=_list_settings.rest_of(settings),
            events_at=settings.events_at,
        )

    def render(self, wording: Wording) -> Content:
        """Build the whole message: the link ends it, pictures go inside as small copies as far as the list's limit lets them."""
        _refuse_control_characters(wording.title)
        changed = led_by_changes(wording.body, wording.follow)
        body = calendar_entry.with_link(_with_link(replace(wording, body=changed)), wording, self._events_at)
        text = markup.to_mail_text(_with_picture_words(body, wording.pictures))
        _refuse_a_command(wording.title, text)
        message = self._message(wording, body, text, ())
        if len(message) > self._max_bytes:
            raise BadInput(
                f"The mail would have {len(message) / 1024:.1f} KB; the list takes {self._max_bytes / 1024:g} KB.",
                where="body",
                next_step="Shorten it, or link to the long part.",
            )
        inline = self._small_copies(wording.pictures, room=self._max_bytes - len(message) - _ADDED_ON_THE_WAY)
        if inline:
            illustrated = self._message(wording, body, text, inline)
            message = illustrated if len(illustrated) <= self._max_bytes - _ADDED_ON_THE_WAY else message
        return Content(
            self.kind,
            text,
            wording.link,
            wording.pictures,
            message.decode("ascii"),
            mail.message_id(wording.identity, self._domain),
        )

    def _message(self, wording: Wording, body: str, text: str, inline: tuple[mail.InlinePicture, ...]) -> bytes:
        html = markup.to_html(body, title=wording.title)
        if inline:
            shown = zip(inline, wording.pictures, strict=True)
            html = html.replace("</body>", "".join(_image(copy, picture) for copy, picture in shown) + "\n</body>")
        parts = mail.Parts(
            sender=self._sender,
            sender_name=self._sender_name,
            recipient=self._address,
            subject=wording.title,
            text=text,
            html=html,
            identity=wording.identity,
            date=wording.due_at,
            pictures=inline,
            references=wording.follow.references if wording.follow else (),
            calendar=calendar_entry.of(wording, self._domain),
        )
        return mail.build(parts, domain=self._domain)

    def _small_copies(self, pictures: tuple[SentPicture, ...], *, room: int) -> tuple[mail.InlinePicture, ...]:
        """Make copies that fit, all of them or none: a mail with half its pictures would mislead."""
        made = []
        for number, picture in enumerate(pictures):
            share = int((room / len(pictures) - _PART_HEADERS) / _ENCODED)
            small = _shrunk(self._media / picture.path, share, picture)
            if small is None:
                return ()
            name = f"{_NOT_IN_A_NAME.sub('-', Path(picture.file).stem)[:60]}.jpg"
            made.append(
                mail.InlinePicture(f"picture{number}.{picture.sha256[:16]}@{self._domain}", name, "jpeg", small)
            )
        return tuple(made)

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        """The envelope and the message."""
        message = mail.with_date((content.message or "").encode("ascii"), at)
        return {"mail_from": self._sender, "rcpt_to": self._address, "message": message.decode("ascii")}

    def publish(self, attempt: Attempt) -> Outcome:
        """Submit the stored message with the `Date` of now, and a signature on top; every other byte is as approved."""
        message = mail.with_date((attempt.content.message or "").encode("ascii"), self._now())
        handed_over = submission.Mail(
            sender=self._sender,
            recipient=self._address,
            message=message,
            message_id=attempt.content.message_id or "",
            may_send=attempt.may_send,
        )
        return submission.submit(self._server, handed_over)

    def find(self, attempt: Attempt) -> Finding:
        """Look for the list's copy in a member's mailbox, if there is one: a list itself cannot be asked. Never `Absent`."""
        wanted = attempt.content.message_id
        if not self._mailboxes or not wanted:
            return CannotTell(f"a list cannot be asked; look whether {wanted} arrived")
        found = [_list_copies.find(account, ListMail(wanted, self._address)) for account in self._mailboxes]
        return next((finding for finding in found if not isinstance(finding, CannotTell)), found[0])

    @property
    def list_address(self) -> str:
        """The address of the list."""
        return self._address

    @property
    def sender_address(self) -> str:
        """The member's address."""
        return self._sender

    def mailboxes(self) -> list[Account]:
        """The member's mailbox and the watcher's, as far as they are set up."""
        return list(self._mailboxes)

    def answer(self, to: str, subject: str, words: str) -> Outcome:
        """Mail an answer to the list server: plain text and nothing else, as commands want it."""
        now = self._now()
        identity = f"{to}|{subject}|{words}|{now.isoformat()}"
        message = mail.build_plain(
            mail.Parts(
                sender=self._sender,
                sender_name=self._sender_name,
                recipient=to,
                subject=subject,
                text=words or "Yes.",
                html="",
                identity=sha256(identity.encode()).hexdigest(),
                date=now,
            ),
            domain=self._domain,
        )
        return submission.submit(
            self._server, submission.Mail(sender=self._sender, recipient=to, message=message, message_id="")
        )

    def facts(self) -> ListFacts:
        """What the settings tell; a Mailman that answers REST is one."""
        is_ours = self._owner.lower() == self._sender.lower()
        runs_on = "mailman" if self._rest else self._runs_on
        return ListFacts(self._address, runs_on, self._owner, is_ours, self._rest is not None)

    def members(self) -> Roster:
        """By Mailman's REST interface."""
        if self._rest is None:
            step = "Set MAILMAN_URL, or import a file."
            raise BadInput("This list's server cannot be asked for its members.", next_step=step)
        return mailman_rest.roster(self._rest, self._address)

    def change_members(self, kind: RequestKind, address: str, name: str) -> Outcome:
        """By Mailman's REST interface."""
        if self._rest is None:
            return Refused("This list's server cannot be asked to change its members (MAILMAN_URL).")
        if kind is RequestKind.JOIN:
            return mailman_rest.add(self._rest, self._address, address, name)
        return mailman_rest.remove(self._rest, self._address, address)

    def decide(self, message_id: str, action: str) -> Outcome:
        """By Mailman's REST interface."""
        if self._rest is None:
            return Refused("This list's server cannot be told what to do with a held post (MAILMAN_URL).")
        return mailman_rest.decide(self._rest, self._address, message_id, action)

    def if_sent_again(self) -> str:
        """Each kind of list server treats a repeat in its own way."""
        return IF_SENT_AGAIN[self._runs_on]

    def where_to_look(self) -> tuple[str, str | None]:
        """Where a list keeps its archive differs from one to the next."""
        return f"in the archive of {self._address}, or in the mailbox of somebody who is on it", None

    def check(self) -> list[Problem]:
        """Log in to the submission server and name the sender, then leave; look whether the mailbox can be read."""
        of_mailboxes = [problem for account in self._mailboxes for problem in _list_copies.problems(account)]
        of_signing = self._server.signer.problems(self._sender) if self._server.signer else []
        return self._problems_of_submission() + of_signing + of_mailboxes

    def _problems_of_submission(self) -> list[Problem]:
        outcome = submission.rehearse(self._server, sender=self._sender)
        if isinstance(outcome, Published):
            return []
        step = (
            "Check SMTP_USERNAME and SMTP_PASSWORD."
            if isinstance(outcome, Unauthorized)
            else "Check the SMTP_* settings."
        )
        return [Problem(getattr(outcome, "reason", "The mail server could not be used."), step)]

    def lint(self, content: Content) -> list[Problem]:
        """Read the stored message as the list server will, by the settings of today."""
        wanted = lint.Wanted(self._sender, self._address, self._max_bytes)
        return lint.check_message(content.message, content.message_id, wanted=wanted)

    def check_content(self, content: Content) -> list[Problem]:
        """Read the stored message, and ask its links."""
        return self.lint(content) + check_links(content, is_sandbox=self._is_sandbox)


def _with_link(wording: Wording) -> str:
    if not wording.link or wording.link in wording.body:
        return wording.body
    return f"{wording.body.rstrip()}\n\n<{wording.link}>\n".lstrip()


def _with_picture_words(body: str, pictures: tuple[SentPicture, ...]) -> str:
    return "\n\n".join([body.rstrip(), *(_in_words(p.alt) for p in pictures if p.alt)])


def _in_words(alt: str) -> str:
    """Describe a picture in Markdown, in which nothing of the alternative text is taken for Markdown."""
    return _MARKS.sub(r"\\\1", f"[Picture: {' '.join(alt.split())}]")


def _image(inline: mail.InlinePicture, picture: SentPicture) -> str:
    alt = escape(" ".join((picture.alt or "").split()))
    return f'\n<p><img src="cid:{inline.place}" alt="{alt}" style="max-width: 100%; height: auto"></p>'


def _refuse_control_characters(title: str) -> None:
    if any(category(c) in ("Cc", "Cs", "Zl", "Zp") for c in title):
        raise BadInput(
            "The title holds a line break or another character that no subject can carry.",
            where="title",
            next_step="Write it on one line.",
        )


def _refuse_a_command(subject: str, text: str) -> None:
    line = markup.command_line(subject, text)
    if line is not None:
        raise BadInput(
            f"A list server may read this line as a command and not send the mail: {line!r}.",
            where="body",
            next_step="Put more words on the line, or move it further down.",
        )


def _shrunk(file: Path, max_bytes: int, picture: SentPicture) -> bytes | None:
    """Give the largest of some small JPEG copies that fits; None when even the smallest does not."""
    try:
        copies = _copies(file, picture.sha256)
    except OSError:
        raise BadInput(
            f"The picture {picture.file!r} cannot be read.", where="pictures", next_step="Put it there again."
        ) from None
    return next((copy for copy in copies if len(copy) <= max_bytes), None)


@lru_cache(maxsize=32)
def _copies(file: Path, sha256: str) -> tuple[bytes, ...]:  # noqa: ARG001 - part of the key: a file may be changed
    """Make small JPEG copies of a picture, the largest first; a preview asks for them again with every key that is typed."""
    from PIL import Image, ImageOps  # start-up time: Pillow costs 20 MB and most mails have no picture

    with Image.open(file) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    copies = []
    for width in _WIDTHS:
        small = picture.copy()
        small.thumbnail((width, width * 2))
        out = BytesIO()
        small.save(out, "JPEG", quality=72, optimize=True)
        copies.append(out.getvalue())
    return tuple(copies)

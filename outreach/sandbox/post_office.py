"""The mail side of the sandbox: lists, mailboxes, the moderator's desk, and the journal of submissions."""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from .clock import Clock
from .commands import SERVERS, obey
from .faults import Faults
from .letters import Heads, Mail, read_heads, with_list_marks
from .maillist import Fate, MailList, Verdict, judge, remember
from .notices import held_notice, moderator_request, refused_notice, rejected_notice
from .smtp_faults import SmtpFault

_RELEASE = re.compile(r"(?P<local>[^@+]+)\+(?P<verb>release|reject)-(?P<key>[0-9a-f]+)@(?P<host>[^@]+)")


@dataclass(frozen=True, slots=True)
class Submission:
    """One mail that reached its final dot. `reply` is empty when the client got none."""

    at: datetime
    mail_from: str
    rcpt_to: tuple[str, ...]
    message_id: str
    subject: str
    sha256: str
    outcome: str
    reply: str


@dataclass(frozen=True, slots=True)
class Held:
    """A post that waits for the moderator."""

    id: int
    list: str
    reason: str
    mail: Mail
    key: str = ""


class PostOffice:
    """Takes submissions, distributes what the lists let through, keeps everything in memory."""

    def __init__(self, lists: Iterable[MailList], mailboxes: Iterable[str], *, clock: Clock) -> None:
        self.lists = {mail_list.address: mail_list for mail_list in lists}
        self.journal: list[Submission] = []
        self.faults: Faults[SmtpFault] = Faults()
        self._clock = clock
        self._lock = threading.RLock()
        self._came = threading.Condition(self._lock)
        self._is_open = False
        self._boxes: dict[str, list[bytes]] = {address: [] for address in mailboxes}
        self._times: dict[str, list[datetime]] = {}
        self._distributed: list[Mail] = []
        self._held: dict[int, Held] = {}
        self._numbers = count(1)

    def distributed(self, list_address: str | None = None) -> list[Mail]:
        """Return what members of a list (of all lists) got, oldest first, as it was submitted."""
        with self._lock:
            return [mail for mail in self._distributed if list_address in {None, mail.list}]

    def mailbox(self, address: str) -> list[bytes]:
        """Return the mails in a mailbox, oldest first."""
        with self._lock:
            return list(self._boxes.get(address.lower(), []))

    def came_at(self, address: str) -> list[datetime]:
        """Return when the mails of a mailbox came, oldest first."""
        with self._lock:
            return list(self._times.get(address.lower(), []))

    def wait_for_more(self, address: str, than: int, *, ended: threading.Event) -> int:
        """Wait until a mailbox holds more mails than that, or `stir` says that it ended; return how many it holds."""
        with self._came:
            self._came.wait_for(lambda: ended.is_set() or len(self.mailbox(address)) > than)
            return len(self.mailbox(address))

    def stir(self) -> None:
        """Let whoever waits for mail look whether that has ended."""
        with self._came:
            self._came.notify_all()

    def add_mailbox(self, address: str) -> None:
        """Open a mailbox for a person, so that mail to this address is accepted."""
        with self._lock:
            self._boxes.setdefault(address.lower(), [])

    def open_to_everybody(self) -> None:
        """Open a mailbox for every address that mail comes for, as a submission server that relays does."""
        with self._lock:
            self._is_open = True

    def mailboxes(self) -> dict[str, list[bytes]]:
        """Return the mails of every mailbox that got any, oldest first, by address."""
        with self._lock:
            return {address: list(mails) for address, mails in sorted(self._boxes.items()) if mails}

    def held(self, list_address: str | None = None) -> list[Held]:
        """Return the posts that wait for the moderator, oldest first."""
        with self._lock:
            return [held for held in self._held.values() if list_address in {None, held.list}]

    def release(self, held_id: int) -> None:
        """Let a held post through, as the moderator; raises `KeyError` for an unknown one."""
        with self._lock:
            held = self._held.pop(held_id)
            self._distribute(self.lists[held.list], read_heads(held.mail.raw), held.mail)

    def refuse(self, held_id: int, reason: str = "") -> None:
        """Refuse a held post, as the moderator; its poster is told."""
        with self._lock:
            held = self._held.pop(held_id)
            heads = read_heads(held.mail.raw)
            self._deliver(heads.sender, refused_notice(self.lists[held.list], heads, reason, self._clock.now()))

    def fail(self, verb: str = "DOT", how: str = "close", *, times: int | None = 1, after: int = 0, keep: bool = False,
             delay_s: float = 0.0) -> None:  # fmt: skip
        """Arm a fault for the next `times` uses of an SMTP verb (`None`: all), once `after` of them passed untouched.

        `verb`: CONNECT (instead of the greeting), EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA (before 354), BODY (after 354),
        DOT (after the final dot; also written "."). `how`: a reply code such as `451` or `550`, with or without words
        of your own behind it; `close` (FIN), `reset` (RST), `hang` (`delay_s`, 30 s when 0), `ok` (only `delay_s`). On
        BODY: `close` does not read, `close-mid` reads the first line. On DOT the mail is thrown away unless `keep`;
        `keep` means it is distributed although the client hears otherwise. Raises `ValueError` for anything else.
        """
        self.faults.arm(SmtpFault(verb.upper(), str(how), keep=keep, delay_s=delay_s), times=times, after=after)

    def reset(self) -> None:
        """Forget mails, journal, held posts and faults; lists and mailboxes stay, mailboxes empty."""
        with self._lock:
            self.journal.clear()
            self.faults.clear()
            self._distributed.clear()
            self._held.clear()
            self._times.clear()
            for mails in self._boxes.values():
                mails.clear()
            for mail_list in self.lists.values():
                mail_list.seen.clear()

    def knows(self, address: str) -> bool:
        """Say whether mail to an address is accepted."""
        is_release = bool(_RELEASE.fullmatch(address.lower())) or self._is_command(address.lower())
        return self._is_open or is_release or address.lower() in self.lists or address.lower() in self._boxes

    def accept(self, envelope: "Envelope", reply: str) -> None:
        """Take a mail, do with it what its recipients are for, and note what the client was told."""
        with self._lock:
            fates = [self._hand_over(address.lower(), envelope.raw) for address in envelope.rcpt_to]
            self._note(envelope, next((fate for fate in fates if fate != "delivered"), "delivered"), reply)

    def drop(self, envelope: "Envelope", reply: str) -> None:
        """Throw a mail away, and note what the client was told."""
        with self._lock:
            self._note(envelope, Fate.REJECTED if reply[:1] in {"4", "5"} else Fate.DROPPED, reply)

    def _hand_over(self, address: str, raw: bytes) -> str:
        mail_list = self.lists.get(address)
        if mail_list is None and (self._release_by(address) or self._obey(address, raw)):
            return "delivered"
        if mail_list is None:
            self._deliver(address, raw)
            return "delivered"
        heads = read_heads(raw)
        verdict = judge(mail_list, heads, raw)
        self._execute(mail_list, heads, verdict, Mail(address, heads.message_id, heads.subject, raw, self._clock.now()))
        return verdict.fate

    def _execute(self, mail_list: MailList, heads: Heads, verdict: Verdict, mail: Mail) -> None:
        match verdict.fate:
            case Fate.DISTRIBUTED:
                self._distribute(mail_list, heads, mail)
            case Fate.HELD:
                number = next(self._numbers)
                self._held[number] = Held(number, mail.list, verdict.reason, mail, secrets.token_hex(8))
                self._ask_moderators(mail_list, heads, self._held[number])
                self._notify(heads, held_notice(mail_list, heads, verdict.reason, mail.at))
            case Fate.REJECTED:
                self._notify(heads, rejected_notice(mail_list, heads, verdict.reason, mail.raw, mail.at))
            case Fate.DROPPED:
                pass

    def _ask_moderators(self, mail_list: MailList, heads: Heads, held: Held) -> None:
        for moderator in sorted(mail_list.moderators):
            self._deliver(moderator, moderator_request(mail_list, heads, held.mail, key=held.key, to=moderator))

    def _release_by(self, address: str) -> bool:
        """Let a post through, or refuse it, by a mail to the address that its moderator was told; anybody else does not know it."""
        found = _RELEASE.fullmatch(address)
        held = [each for each in self._held.values() if found and hmac.compare_digest(each.key, found["key"])]
        for each in held:
            if each.list == f"{found['local']}@{found['host']}":  # type: ignore[index]
                self.release(each.id) if found["verb"] == "release" else self.refuse(each.id)  # type: ignore[index]
        return found is not None

    def _is_command(self, address: str) -> bool:
        local, _, host = address.partition("@")
        return local in SERVERS and any(known.endswith(f"@{host}") for known in self.lists)

    def _obey(self, address: str, raw: bytes) -> bool:
        """Do what a mail to the list server says, and answer its sender."""
        if not self._is_command(address):
            return False
        heads = read_heads(raw)
        answer = obey(self.lists, address, heads, raw, self._clock.now())
        if answer is not None and heads.sender:
            self._deliver(heads.sender, answer)
        return True

    def _distribute(self, mail_list: MailList, heads: Heads, mail: Mail) -> None:
        copy = with_list_marks(mail.raw, prefix=mail_list.prefix, marks=mail_list.marks)
        for member in sorted(mail_list.members):
            self._deliver(member, copy)
        remember(mail_list, heads, mail.raw)
        self._distributed.append(mail)

    def _notify(self, heads: Heads, notice: bytes) -> None:
        if heads.sender and not heads.wants_no_notice:
            self._deliver(heads.sender, notice)

    def _deliver(self, address: str, raw: bytes) -> None:
        self._boxes.setdefault(address, []).append(raw)
        self._times.setdefault(address, []).append(self._clock.now())
        self._came.notify_all()

    def _note(self, envelope: "Envelope", outcome: str, reply: str) -> None:
        heads = read_heads(envelope.raw)
        digest = hashlib.sha256(envelope.raw).hexdigest()
        self.journal.append(
            Submission(
                self._clock.now(),
                envelope.mail_from,
                envelope.rcpt_to,
                heads.message_id,
                heads.subject,
                digest,
                str(outcome),
                reply,
            )
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail with the addresses it was submitted under."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    raw: bytes

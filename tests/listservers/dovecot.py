"""A real Dovecot: whether it reads our mails as we mean them, and whether our look into it changes nothing."""

import imaplib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from typing import Self

from outreach.mail.imap_mailbox import Account, look_for, read_new
from tests.channels.builders import a_list, a_wording
from tests.listservers.bed import a_port, wait_until

PROGRAM = Path("/usr/sbin/dovecot")
USER, PASSWORD = "coordinator@example.org", "a-password"
_TITLES = ("Colloquium", "Zoë’s Kolloquium über Ωmega", "日本語の題名 " * 12)
_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%n
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
  }}
}}
"""


def is_installed() -> bool:
    """Tell whether there is a Dovecot to be run, by somebody who may."""
    return PROGRAM.is_file() and os.geteuid() == 0


class Dovecot:
    """Runs until it is left."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="outreach-dovecot-"))
        self.port = a_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for folder in ("mail", "run"):
            (self.folder / folder).mkdir()
        self.folder.chmod(0o755)
        shutil.chown(self.folder / "mail", "nobody", "nogroup")
        config = self.folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, password=PASSWORD))
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen([str(PROGRAM), "-F", "-c", str(config)], stdout=out, stderr=out)
        wait_until(self._answers, "Dovecot does not begin")
        return self

    def _answers(self) -> bool:
        try:
            self.opened().logout()
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def opened(self) -> imaplib.IMAP4:
        """Log in, as a mail program does."""
        client = imaplib.IMAP4("127.0.0.1", self.port)
        client.login(USER, PASSWORD)
        return client

    def account(self) -> Account:
        """Give what our own look needs."""
        return Account("127.0.0.1", self.port, "none", USER, PASSWORD, ("INBOX", "Junk"), 10)


def checked() -> Iterator[tuple[str, str, bool]]:
    """Give what was looked at, what came of it, and whether that is right."""
    with Dovecot() as server:
        client = server.opened()
        yield from (_read(client, title) for title in _TITLES)
        yield from _looked(server, client)
        client.logout()


def _read(client: imaplib.IMAP4, title: str) -> tuple[str, str, bool]:
    content = a_list(1).render(a_wording(title=title.strip(), body="Please come to *room 7*."))
    status, _ = client.append("INBOX", "", "", (content.message or "").encode("ascii"))
    _, found = client.select("INBOX", readonly=True)
    _, parts = client.fetch((found[0] or b"1").decode(), "(ENVELOPE BODYSTRUCTURE)")
    told = b"".join(part if isinstance(part, bytes) else part[0] + part[1] for part in parts if part).decode()
    is_right = (
        status == "OK"
        and (content.message_id or "-") in told
        and _subject(told) == title.strip()
        and '"text" "plain"' in told.lower()
        and '"text" "html"' in told.lower()
        and '"alternative"' in told.lower()
    )
    return f"reads “{title[:24].strip()}”", "two parts, the id, the subject", is_right


def _subject(told: str) -> str:
    found = re.search(r'ENVELOPE \("[^"]*" (?:"([^"]*)"|\{\d+\}(.+?) \(\()', told, re.DOTALL)
    return str(make_header(decode_header(found[1] or found[2]))) if found else ""


def _looked(server: Dovecot, client: imaplib.IMAP4) -> Iterator[tuple[str, str, bool]]:
    since = datetime.now(UTC) - timedelta(days=1)
    first = read_new(server.account(), {}, since=since)
    yield "our look finds what is new", f"{len(first.mails)} mails", len(first.mails) == len(_TITLES)
    again = read_new(server.account(), first.places, since=since)
    yield "and nothing twice", f"{len(again.mails)} mails", not again.mails and again.trouble is None
    content = a_list(1).render(a_wording(title="In the junk"))
    client.append("Junk", "", "", (content.message or "").encode("ascii"))
    look = look_for(server.account(), content.message_id or "")
    yield (
        "a copy in Junk is found",
        ", ".join(c.folder for c in look.copies),
        [c.folder for c in look.copies] == ["Junk"],
    )
    client.select("INBOX", readonly=True)
    _, flags = client.fetch("1:*", "(FLAGS)")
    yield "no mail was marked", "no \\Seen", b"\\Seen" not in b"".join(f for f in flags if isinstance(f, bytes))

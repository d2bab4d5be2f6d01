"""A real Dovecot on this machine with one mailbox in it: its configuration, its mails and its sockets in a folder of its own."""

import getpass
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from imap_tools import MailBoxUnencrypted

from outreach.mail.imap_mailbox import Account
from tests.listservers.server import a_port, wait_for
from tests.mail.imap_server import PASSWORD, USER, an_account

_PROGRAM = Path("/usr/sbin/dovecot")
_DELIVERS = Path("/usr/lib/dovecot/dovecot-lda")
_IMAP = Path("/usr/lib/dovecot/imap")
_NEEDS_S = 20.0
_CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = {uid}
mail_location = maildir:{folder}/mail
postmaster_address = postmaster@example.org
hostname = mail.example.org
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = {folder}/people
}}
userdb {{
  driver = passwd-file
  args = {folder}/people
}}
"""


def missing() -> str:
    """Say what to do where there is no Dovecot to be run; nothing where there is."""
    is_there = _PROGRAM.is_file() and _DELIVERS.is_file() and _IMAP.is_file()
    return "" if is_there else "There is no Dovecot: on Debian run python -m tests.listservers.fetch dovecot as root."


class Dovecot:
    """Runs until it is left."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="outreach-dovecot-"))
        self.port = a_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._set_up()
            with (self.folder / "said").open("ab") as said:
                command = [str(_PROGRAM), "-F", "-c", str(self.folder / "conf")]
                self._process = subprocess.Popen(command, stdout=said, stderr=said)
            wait_for(self._answers, self._log, within_s=_NEEDS_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_NEEDS_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _set_up(self) -> None:
        """Write what it is told. Mails belong to nobody of importance: it takes no mailbox of root."""
        is_root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.getuid())
        me, us = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
        names = {"internal": "dovecot", "login": "dovenull", "group": "dovecot"} if is_root else {}
        given = {"internal": me, "login": me, "group": us} | names | {"uid": owner.pw_uid, "port": self.port}
        (self.folder / "conf").write_text(_CONFIG.format(folder=self.folder, **given))
        home = self.folder / "mail"
        person = f"{USER}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::{home}::\n"
        (self.folder / "people").write_text(person)
        home.mkdir()
        self.folder.chmod(0o755)
        if is_root:
            os.chown(home, owner.pw_uid, owner.pw_gid)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as there:
                return there.recv(4) == b"* OK"
        except OSError:
            return False

    def _log(self) -> str:
        files = [self.folder / name for name in ("said", "log")]
        return "\n".join(file.read_text(errors="replace")[-2000:] for file in files if file.is_file())

    def deliver(self, raw: bytes, *, sender: str) -> None:
        """Hand a mail over to the program that delivers mails, as a mail server does."""
        command = [str(_DELIVERS), "-c", str(self.folder / "conf"), "-d", USER, "-f", sender]
        done = subprocess.run(command, input=raw, capture_output=True, timeout=_NEEDS_S)
        assert done.returncode == 0, done.stderr.decode(errors="replace") + self._log()

    def opened(self) -> Any:
        """The mailbox, as its owner has it."""
        return MailBoxUnencrypted("127.0.0.1", self.port, timeout=_NEEDS_S).login(USER, PASSWORD)

    def account(self, **changes: object) -> Account:
        """What leads to the mailbox."""
        return an_account(self.port, **changes)

"""A real Sympa on this machine: its two daemons, its folders and its database in a folder of its own.

Where a Sympa keeps its things is fixed when its package is made. Here a copy of the module that says so is made at the
start, with other folders in it, and is loaded first: nothing of a Sympa that this machine may serve with is touched.
"""

import getpass
import grp
import itertools
import os
import pwd
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.listservers.server import ListServer, wait_for

_PROGRAMS = Path("/usr/lib/sympa/bin")
_CONSTANTS = Path("/usr/share/sympa/lib/Sympa/Constants.pm")
_USER = "sympa"
_NEEDS_S = 30.0
_CONFIG = """\
domain {domain}
listmaster listmaster@example.org
db_type SQLite
db_name {folder}/kept/sympa.sqlite
sendmail {folder}/sendmail
lang en_US
sleep 1
bulk_sleep 1
"""
_LIST = """\
subject {name}

status open

owner
email owner@example.org
profile privileged

creation
date_epoch 1700000000
email listmaster@example.org

"""
_SENDMAIL = r"""#!/usr/bin/perl
# Hand a mail to a port of this machine; called as sendmail is.
use strict;
use warnings;
use Net::SMTP;
my ($from, $mail) = ('', '');
while (@ARGV) {{
    my $word = shift;
    $from = shift if $word eq '-f';
    last if $word eq '--';
}}
{{ local $/; $mail = <STDIN>; }}
$from =~ s/[<>]//g;
my $smtp = Net::SMTP->new('127.0.0.1', Port => {port}, Hello => '{domain}', Timeout => 20) or exit 75;
$smtp->mail($from) && $smtp->to(@ARGV) && $smtp->data && $smtp->datasend($mail) && $smtp->dataend or exit 75;
$smtp->quit;
"""


def missing() -> str:
    """Say what to do where there is no Sympa to be run; nothing where there is."""
    is_there = (_PROGRAMS / "sympa_msg.pl").is_file() and _CONSTANTS.is_file()
    return "" if is_there else "There is no Sympa: on Debian run python -m tests.listservers.fetch sympa as root."


class Sympa(ListServer):
    """A Sympa; its list masters and moderators are asked by mail."""

    domain = "sympa.example.org"
    corpus = "sympa-6.2.70"

    def __init__(self) -> None:
        super().__init__()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)
        self._is_root = os.geteuid() == 0

    def __enter__(self) -> Self:
        for name in ("lib/Sympa", "etc", "run", "spool", "kept/list_data", "kept/bounce"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "lib/Sympa/Constants.pm").write_text(self._constants())
        given = {"folder": self.folder, "domain": self.domain, "port": self.sink.port}
        (self.folder / "etc/sympa.conf").write_text(_CONFIG.format(**given))
        (self.folder / "sendmail").write_text(_SENDMAIL.format(**given))
        (self.folder / "sendmail").chmod(0o755)
        self._give()
        return super().__enter__()

    def _constants(self) -> str:
        user, group = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
        theirs = _CONSTANTS.read_text(encoding="utf-8")
        for its_own, here in {
            "/etc/sympa/sympa/": "etc/",
            "/etc/sympa": "etc",
            "/etc/mail/sympa/": "etc/",
            "/run/sympa": "run",
            "/var/lib/sympa": "kept",
            "/var/spool/sympa": "spool",
        }.items():
            theirs = theirs.replace(f"'{its_own}", f"'{self.folder}/{here}")
        if self._is_root:  # it does not run as root, whatever it is told
            return theirs
        theirs = re.sub(r"(?m)^(use constant USER\s+=>) '.*';", rf"\1 '{user}';", theirs)
        return re.sub(r"(?m)^(use constant GROUP\s+=>) '.*';", rf"\1 '{group}';", theirs)

    def _give(self) -> None:
        """Let everything belong to the user that it runs as."""
        if self._is_root:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, _USER, pwd.getpwnam(_USER).pw_gid)

    def begin(self) -> None:
        """Start its daemons, and wait until they are at work."""
        if not (self.folder / "kept/sympa.sqlite").exists():
            self._run("sympa", "check")
        self._processes = [self._start("sympa_msg.pl", "--foreground"), self._start("bulk.pl", "--foreground")]
        signs = ("run/sympa_msg.pid", "run/bulk.pid", "spool/msg", "spool/bulk/msg")
        wait_for(lambda: all((self.folder / sign).exists() for sign in signs), self._log)

    def end(self) -> None:
        """Stop its daemons; they end what they are doing."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(_NEEDS_S)
        self._processes = []

    def _command(self, program: str, *words: str) -> list[str]:
        return ["perl", f"-I{self.folder}/lib", "-MSympa::Constants", str(_PROGRAMS / program), *words]

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self._command(program, *words), cwd=self.folder, stdout=log, stderr=log)

    def _run(self, program: str, *words: str, given: str = "") -> None:
        command = self._command(program, *words)
        done = subprocess.run(command, cwd=self.folder, input=given, capture_output=True, text=True, timeout=_NEEDS_S)
        assert done.returncode == 0, done.stderr[-2000:]

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    # Lists

    def new_list(self, name: str, *settings: str) -> str:
        """Make a list with these lines, or paragraphs, in its configuration; give its address."""
        folder = self.folder / "kept/list_data" / name
        folder.mkdir()
        (folder / "config").write_text(_LIST.format(name=name) + "".join(f"{each}\n\n" for each in settings))
        self._give()
        return f"{name}@{self.domain}"

    def subscribe(self, name: str, *addresses: str, role: str = "member") -> None:
        """Put somebody on a list, without asking or telling them."""
        lines = "".join(f"{address}\n" for address in addresses)
        self._run("sympa", "add", "--quiet", f"--role={role}", f"{name}@{self.domain}", given=lines)

    # Mails

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Put a mail into its spool, as its own program for that does: whole, before it has the name of one."""
        for recipient in recipients:
            spool = self.folder / "spool/msg"
            name = f"{recipient}.{int(time.time())}.{os.getpid()}{next(self._numbers)}"
            head = f"X-Sympa-To: {recipient}\nReturn-Path: <{sender}>\n"
            unfinished = spool / f"T.{name}"
            unfinished.write_bytes(head.encode() + raw.replace(b"\r\n", b"\n"))
            if self._is_root:
                shutil.chown(unfinished, _USER)
            unfinished.rename(spool / name)

    def is_idle(self) -> bool:
        """Tell whether nothing waits in its spools."""
        spools = (self.folder / "spool/msg", self.folder / "spool/bulk/msg", self.folder / "spool/bulk/pct")
        return not any(file.name != "bad" for spool in spools for file in spool.iterdir())

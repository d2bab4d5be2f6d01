"""A real Sympa: its two daemons as children of this process, its own folder, SQLite, and a small `sendmail` to the sink."""

import itertools
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.listservers.bed import DOMAIN, Bed, wait_until

PROGRAMS = Path("/usr/lib/sympa/bin")
USER = "sympa"
_RUN = Path("/run/sympa")  # where it keeps the numbers of its processes is compiled in
_SPOOLS = {
    "queue": "msg",
    "queuemod": "moderation",
    "queuedigest": "digest",
    "queueauth": "auth",
    "queueoutgoing": "outgoing",
    "queuesubscribe": "subscribe",
    "queuetopic": "topic",
    "queuebounce": "bounce",
    "queuetask": "task",
    "queueautomatic": "automatic",
    "queuebulk": "bulk",
    "tmpdir": "tmp",
    "viewmail_dir": "view",
}
_SENDMAIL = """\
#!/usr/bin/perl
use Net::SMTP;
my $from = '';
while (@ARGV and $ARGV[0] ne '--') {{ my $word = shift; $from = shift if $word eq '-f'; }}
$from =~ s/[<>]//g;
shift;
my $out = Net::SMTP->new('127.0.0.1', Port => {port}, Hello => 'lists.example.org') or exit 75;
$out->mail($from);
$out->recipient(@ARGV);
$out->data();
$out->datasend($_) while <STDIN>;
$out->dataend() or exit 75;
$out->quit;
"""
_LIST = """\
subject A list

status open

visibility noconceal

owner
email {owner}

editor
email {editor}

review owner

add owner

del owner

process_archive off

send {send}

{more}
"""


def is_installed() -> bool:
    """Tell whether there is a Sympa to be run, by somebody who may."""
    return (PROGRAMS / "sympa_msg.pl").is_file() and os.geteuid() == 0


class Sympa(Bed):
    """What it is told is written into its queue, as its own program does that mail servers call."""

    def __init__(self) -> None:
        super().__init__("sympa")
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)

    def make(self) -> None:
        """Write its configuration and make its database."""
        for folder in ("etc", "list_data", "spool", "arc", "bounce"):
            (self.folder / folder).mkdir()
        told = {"domain": DOMAIN, "listmaster": f"listmaster@{DOMAIN}", "lang": "en-US", "db_type": "SQLite"}
        told |= {
            "db_name": f"{self.folder}/sympa.sqlite",
            "home": f"{self.folder}/list_data",
            "etc": f"{self.folder}/etc",
        }
        told |= {name: f"{self.folder}/spool/{folder}" for name, folder in _SPOOLS.items()}
        told |= {
            "spool": f"{self.folder}/spool",
            "arc_path": f"{self.folder}/arc",
            "bounce_path": f"{self.folder}/bounce",
        }
        told |= {"sendmail": f"{self.folder}/sendmail", "sendmail_aliases": "none", "aliases_program": "none"}
        told |= {"log_level": "0", "cookie": "a-cookie", "max_size": "40000"}
        (self.folder / "sympa.conf").write_text("".join(f"{name} {value}\n" for name, value in told.items()))
        script = self.folder / "sendmail"
        script.write_text(_SENDMAIL.format(port=self.sink_port))
        script.chmod(0o755)
        self.folder.chmod(0o755)
        _RUN.mkdir(exist_ok=True)
        shutil.chown(_RUN, USER, USER)
        self._give()
        self._ask("check")
        self._give()

    def _give(self) -> None:
        """Let its own user have everything that is there."""
        for place in [self.folder, *self.folder.rglob("*")]:
            with suppress(FileNotFoundError):  # a daemon of its goes on working meanwhile
                shutil.chown(place, USER, USER)

    def _ask(self, *words: str, told: str = "") -> None:
        command = [str(PROGRAMS / "sympa.pl"), *words]
        subprocess.run(command, input=told.encode(), env=self._around, check=False, timeout=60, capture_output=True)

    @property
    def _around(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "SYMPA_CONFIG": str(self.folder / "sympa.conf")}

    def begin(self) -> None:
        """Start the daemon that reads its queue and the one that sends."""
        config = f"--config={self.folder}/sympa.conf"
        for program in ("sympa_msg.pl", "bulk.pl"):
            with (self.folder / "log").open("ab") as log:
                command = [str(PROGRAMS / program), config, "--foreground"]
                self._daemons.append(subprocess.Popen(command, env=self._around, stdout=log, stderr=log))
        wait_until(lambda: (self.folder / "spool" / "msg").is_dir(), "Sympa does not begin")

    def end(self) -> None:
        """Stop its daemons."""
        for daemon in self._daemons:
            daemon.terminate()
        for daemon in self._daemons:
            daemon.wait(30)
        self._daemons.clear()

    def new_list(
        self,
        name: str,
        *,
        send: str = "private",
        editor: str = "moderator@example.org",
        owner: str = "owner@example.org",
        more: str = "",
    ) -> str:
        """Make a list; give its address. `send` is one of its scenarios; `more` are further lines of its configuration."""
        place = self.folder / "list_data" / name
        place.mkdir()
        given = {"owner": owner, "editor": editor, "send": send, "more": more}
        (place / "config").write_text(_LIST.format(**given))
        self._give()
        for role in ("owner", "editor"):  # who they are is in its database alone
            self._ask("add", "--quiet", f"--role={role}", f"{name}@{DOMAIN}", told=f"{given[role]} A Person\n")
        self._give()
        return f"{name}@{DOMAIN}"

    def subscribe(self, name: str, address: str) -> None:
        """Put somebody on a list, without asking them."""
        self._ask("add", "--quiet", f"{name}@{DOMAIN}", told=f"{address} A Member\n")
        self._give()

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Put a mail into its queue, whole or not at all."""
        for recipient in recipients:
            if recipient.startswith("listmaster@"):
                continue  # what it tells who runs it is of no interest here
            number = next(self._numbers)
            name = f"{recipient}.{int(time.time())}.{os.getpid()},{number}"
            new = self.folder / "spool" / f"new.{number}"
            heads = f"X-Sympa-To: {recipient}\nX-Sympa-From: {sender}\n"
            new.write_bytes(heads.encode() + raw.replace(b"\r\n", b"\n"))
            shutil.chown(new, USER, USER)
            new.rename(self.folder / "spool" / "msg" / name)

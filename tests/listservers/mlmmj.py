"""A real mlmmj on this machine: its lists in a folder of its own, each mail handed to its programs as Postfix does."""

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO

from tests.listservers.server import ListServer

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cache" / "mlmmj"
"""Where its package is unpacked when it is not installed."""

_FOLDERS = (
    "incoming",
    "queue/discarded",
    "archive",
    "text",
    "subconf",
    "unsubconf",
    "bounce",
    "control",
    "moderation",
    "subscribers.d",
    "digesters.d",
    "requeue",
    "nomailsubs.d",
)
_NEEDS_S = 20.0
OWNER = "owner@example.org"


def _home() -> Path | None:
    return next((home for home in (HOME, Path("/")) if (home / "usr" / "bin" / "mlmmj-receive").is_file()), None)


def missing() -> str:
    """Say what to do where there is no mlmmj to be run; nothing where there is."""
    return (
        ""
        if _home()
        else "There is no mlmmj: on Debian run python -m tests.listservers.fetch mlmmj, or apt install mlmmj."
    )


class Mlmmj(ListServer):
    """An mlmmj; it has no process that stays, only one for each mail."""

    domain = "mlmmj.example.org"
    corpus = "mlmmj-1.3.0"

    def __init__(self) -> None:
        super().__init__()
        self._home = _home() or Path("/")
        self._running: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)

    def begin(self) -> None:
        """Send what was left over when it was ended."""
        for folder in self._lists():
            self.keep_up(folder.name)

    def end(self) -> None:
        """End what it is doing, at once."""
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_NEEDS_S)
        self._running = []

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail over to it, once for each recipient, with what the mail server before it writes on top."""
        for recipient in recipients:
            name, _, extension = recipient.rpartition("@")[0].partition("+")
            file = self.folder / f"brought-{next(self._numbers)}"
            file.write_bytes(
                f"Return-Path: <{sender}>\nDelivered-To: {recipient}\n".encode() + raw.replace(b"\r\n", b"\n")
            )
            words = ["-F", "-L", str(self.folder / name), "-s", sender]
            with file.open("rb") as given:
                self._start("mlmmj-receive", *words, *(["-e", extension] if extension else []), stdin=given)

    def keep_up(self, name: str) -> None:
        """Let it do what it does every two hours: send again what could not be sent, drop what was held for too long."""
        self._start("mlmmj-maintd", "-F", "-L", str(self.folder / name)).wait(_NEEDS_S)

    def holds(self, name: str) -> bool:
        """Tell whether a post waits for the moderator of a list."""
        return any((self.folder / name / "moderation").iterdir())

    def has_left_over(self, name: str) -> bool:
        """Tell whether a post has to be sent to some members again."""
        return any((self.folder / name / "requeue").rglob("subscribers*"))

    def _start(self, program: str, *words: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        command = [str(self._home / "usr" / "bin" / program), *words]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log, start_new_session=True)
        self._running.append(process)
        return process

    # Lists

    def _lists(self) -> list[Path]:
        return [folder for folder in self.folder.iterdir() if (folder / "control").is_dir()]

    def new_list(self, name: str, **tunables: str | list[str]) -> str:
        """Make a list with these tunables, each with its line or lines; give its address."""
        folder, address = self.folder / name, f"{name}@{self.domain}"
        for each in _FOLDERS:
            (folder / each).mkdir(parents=True)
        (folder / "index").touch()
        shutil.copytree(self._home / "usr/share/mlmmj/text.skel/en", folder / "text", dirs_exist_ok=True)
        where = {"relayhost": "127.0.0.1", "smtpport": str(self.sink.port), "smtphelo": self.domain}
        for tunable, value in ({"listaddress": address, "owner": OWNER} | where | tunables).items():
            lines = [value] if isinstance(value, str) else value
            (folder / "control" / tunable).write_text("".join(f"{line}\n" for line in lines))
        return address

    def subscribe(self, name: str, address: str) -> None:
        """Put somebody on a list, without asking them."""
        words = ["-L", str(self.folder / name), "-a", address, "-f", "-q", "-s"]
        assert self._start("mlmmj-sub", *words).wait(_NEEDS_S) == 0

    def members(self, name: str) -> list[str]:
        """Give who is on a list."""
        files = sorted((self.folder / name / "subscribers.d").iterdir())
        return [line for file in files for line in file.read_text().split()]

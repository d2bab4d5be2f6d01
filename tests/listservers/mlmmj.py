"""A real mlmmj: a folder for each list, its programs run by whoever brings a mail."""

import shutil
import subprocess
from pathlib import Path

from tests.listservers.bed import DOMAIN, Bed

RECEIVE = Path("/usr/bin/mlmmj-receive")
TEXTS = Path("/usr/share/mlmmj/text.skel/en")
_FOLDERS = (
    *("incoming", "queue/discarded", "archive", "text", "subconf", "unsubconf", "bounce", "control", "moderation"),
    *("subscribers.d", "digesters.d", "nomailsubs.d", "requeue"),
)


def is_installed() -> bool:
    """Tell whether there is an mlmmj to be run."""
    return RECEIVE.is_file() and TEXTS.is_dir()


class Mlmmj(Bed):
    """It has no daemon: nothing is to be begun or ended."""

    def __init__(self) -> None:
        super().__init__("mlmmj")

    def make(self) -> None:
        """Every list is made when it is asked for."""

    def begin(self) -> None:
        """It is always there."""

    def end(self) -> None:
        """It ends by itself."""

    def new_list(self, name: str, **tunables: str) -> str:
        """Make a list with these files in its folder `control`; give its address."""
        place = self.folder / name
        for folder in _FOLDERS:
            (place / folder).mkdir(parents=True)
        shutil.copytree(TEXTS, place / "text", dirs_exist_ok=True)
        (place / "index").write_text("0")
        address = f"{name}@{DOMAIN}"
        control = {"listaddress": address, "owner": "owner@example.org", "relayhost": "127.0.0.1"}
        control |= {"smtpport": str(self.sink_port), "smtphelo": "lists.example.org"} | tunables
        for file, value in control.items():
            (place / "control" / file).write_text(f"{value}\n" if value else "")
        return address

    def subscribe(self, name: str, address: str) -> None:
        """Put somebody on a list, without asking them."""
        with (self.folder / name / "subscribers.d" / address[0]).open("a") as file:
            file.write(f"{address}\n")

    def members(self, name: str) -> list[str]:
        """Give who is on a list."""
        files = (self.folder / name / "subscribers.d").iterdir()
        return sorted(line for file in files for line in file.read_text().splitlines())

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Run its program, as a mail server does from its aliases."""
        for recipient in recipients:
            local, _, extension = recipient.partition("@")[0].partition("+")
            told = [str(RECEIVE), "-L", str(self.folder / local), "-s", sender, "-F"]
            told += ["-e", extension] if extension else []
            subprocess.run(told, input=raw.replace(b"\r\n", b"\n"), check=False, timeout=60, capture_output=True)

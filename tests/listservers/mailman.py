"""A real GNU Mailman 3 on this machine: its own folder, its REST interface, and LMTP."""

import smtplib
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from tests.listservers.server import ListServer, a_port, wait_for

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cache" / "mailman" / "venv"
LOCK = Path(__file__).with_name("mailman.lock")
"""What to install there: with other versions of SQLAlchemy and Gunicorn its REST interface answers 500."""

_CONFIG = """\
[mailman]
layout: here
site_owner: site@example.org
[paths.here]
var_dir: {folder}/var
[webservice]
hostname: 127.0.0.1
port: {rest}
admin_user: restadmin
admin_pass: restpass
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
lmtp_host: 127.0.0.1
lmtp_port: {lmtp}
smtp_host: 127.0.0.1
smtp_port: {sink}
"""


def runs_here() -> bool:
    """Tell whether this Python is one that it runs on: it needs a module of the standard library that went with 3.13."""
    return sys.version_info < (3, 13)


def missing() -> str:
    """Say what to do where there is no Mailman to be run; nothing where there is."""
    if not runs_here():
        return "GNU Mailman 3.3.10 runs on no Python newer than 3.12: use Python 3.11 or 3.12 for its story."
    is_there = (HOME / "bin" / "master").is_file()
    return "" if is_there else "There is no GNU Mailman yet: run python -m tests.listservers.fetch first."


class Mailman(ListServer):
    """A GNU Mailman with its REST interface."""

    domain = "lists.example.org"
    corpus = "mailman-3.3.10"

    def __init__(self) -> None:
        super().__init__()
        self._rest, self._lmtp = a_port(), a_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        given = {"folder": self.folder, "rest": self._rest, "lmtp": self._lmtp, "sink": self.sink.port}
        (self.folder / "mailman.cfg").write_text(_CONFIG.format(**given))
        super().__enter__()
        self.ask("POST", "/domains", mail_host=self.domain)
        return self

    @property
    def rest_url(self) -> str:
        """Where its REST interface is."""
        return f"http://127.0.0.1:{self._rest}"

    def begin(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(HOME / "bin" / "master"), "--force", "-C", str(self.folder / "mailman.cfg")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait_for(self._answers, lambda: (self.folder / "log").read_text()[-2000:])

    def _answers(self) -> bool:
        try:
            is_up = requests.get(self._url("/system/versions"), auth=_AUTH, timeout=5).ok
            with socket.create_connection(("127.0.0.1", self._lmtp), 5):
                return is_up
        except (OSError, requests.RequestException):
            return False

    def end(self) -> None:
        """Stop it and everything it started."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._rest}/3.1{path}"

    def ask(self, method: str, path: str, **data: Any) -> Any:
        """Ask its REST interface; give what it answers, None for nothing."""
        answer = requests.request(method, self._url(path), data=data or None, auth=_AUTH, timeout=30)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    # Lists

    def new_list(self, name: str, **settings: Any) -> str:
        """Make a list with these settings; give its address."""
        self.ask("POST", "/lists", fqdn_listname=f"{name}@{self.domain}")
        if settings:
            self.ask("PATCH", f"/lists/{name}.{self.domain}/config", **settings)
        return f"{name}@{self.domain}"

    def subscribe(self, name: str, address: str, *, role: str = "member") -> str:
        """Put somebody on a list, without asking them; give the number of the membership."""
        given = {"list_id": f"{name}.{self.domain}", "subscriber": address, "role": role}
        given |= dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), "true")
        self.ask("POST", "/members", **given, send_welcome_message="false")
        found = self.ask("GET", f"/lists/{name}.{self.domain}/{role}/{address}")
        return str(found["member_id"])

    def held(self, name: str) -> list[dict[str, Any]]:
        """Give the posts that a list holds."""
        found = self.ask("GET", f"/lists/{name}.{self.domain}/held")
        return list(found.get("entries", []))

    def decide(self, name: str, action: str, **more: str) -> None:
        """Accept, reject or discard what a list holds, once it holds something."""
        wait_for(lambda: self.held(name), lambda: "nothing is held")
        for each in self.held(name):
            self.ask("POST", f"/lists/{name}.{self.domain}/held/{each['request_id']}", action=action, **more)

    # Mails

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail over to it, as the mail server before it does."""
        with smtplib.LMTP("127.0.0.1", self._lmtp) as onward:
            onward.sendmail(sender, recipients, raw)


_AUTH = ("restadmin", "restpass")

"""A real GNU Mailman 3 on this machine: its own folder, its REST interface, LMTP behind a small relay, and a sink for its mails."""

import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

import requests
from aiosmtpd.controller import Controller

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".cache" / "mailman" / "venv"
LOCK = Path(__file__).with_name("mailman.lock")
"""What to install there: with other versions of SQLAlchemy and Gunicorn its REST interface answers 500."""

DOMAIN = "lists.example.org"
_PATIENCE_S = 40.0
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


def is_installed() -> bool:
    """Tell whether there is a Mailman to be run."""
    return (HOME / "bin" / "master").is_file()


class Mailman:
    """Runs until it is left. Mails to lists are submitted at `port`; what it sends is kept by address."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="outreach-mailman-"))
        self._mails: dict[str, list[bytes]] = defaultdict(list)
        self._came = threading.Condition()
        self._sink = Controller(_Sink(self), hostname="127.0.0.1", port=_a_port())
        self._rest, self._lmtp = _a_port(), _a_port()
        self._relay = Controller(_Relay(self), hostname="127.0.0.1", port=_a_port(), data_size_limit=10**8)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where mails to its lists are submitted."""
        return int(self._relay.port)

    def __enter__(self) -> Self:
        self._sink.start()
        self._relay.start()
        given = {"folder": self._folder, "rest": self._rest, "lmtp": self._lmtp, "sink": self._sink.port}
        (self._folder / "mailman.cfg").write_text(_CONFIG.format(**given))
        self.begin()
        self.ask("POST", "/domains", mail_host=DOMAIN)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._relay.stop()
        self._sink.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self) -> None:
        """Start it, and wait until it answers."""
        command = [str(HOME / "bin" / "master"), "--force", "-C", str(self._folder / "mailman.cfg")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()[-2000:]
            threading.Event().wait(0.2)

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
        self.ask("POST", "/lists", fqdn_listname=f"{name}@{DOMAIN}")
        if settings:
            self.ask("PATCH", f"/lists/{name}.{DOMAIN}/config", **settings)
        return f"{name}@{DOMAIN}"

    def subscribe(self, name: str, address: str, *, role: str = "member") -> str:
        """Put somebody on a list, without asking them; give the number of the membership."""
        given = {"list_id": f"{name}.{DOMAIN}", "subscriber": address, "role": role}
        given |= dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), "true")
        self.ask("POST", "/members", **given, send_welcome_message="false")
        found = self.ask("GET", f"/lists/{name}.{DOMAIN}/{role}/{address}")
        return str(found["member_id"])

    def held(self, name: str) -> list[dict[str, Any]]:
        """Give the posts that a list holds."""
        found = self.ask("GET", f"/lists/{name}.{DOMAIN}/held")
        return list(found.get("entries", []))

    def decide(self, name: str, action: str, **more: str) -> None:
        """Accept, reject or discard what a list holds, once it holds something."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.held(name):
            assert time.monotonic() < deadline, "nothing is held"
            threading.Event().wait(0.2)
        for each in self.held(name):
            self.ask("POST", f"/lists/{name}.{DOMAIN}/held/{each['request_id']}", action=action, **more)

    # Mails

    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail over to it, as the mail server before it does."""
        with smtplib.LMTP("127.0.0.1", self._lmtp) as onward:
            onward.sendmail(sender, recipients, raw)

    def keep(self, address: str, raw: bytes) -> None:
        """Take a mail that it sent."""
        with self._came:
            self._mails[address.lower()].append(raw)
            self._came.notify_all()

    def mails(self, address: str, *, least: int = 1, within_s: float = _PATIENCE_S) -> list[bytes]:
        """Give what an address got and forget it, once there are so many mails; what there is when the time is over."""
        with self._came:
            self._came.wait_for(lambda: len(self._mails[address.lower()]) >= least, timeout=within_s)
            return self._mails.pop(address.lower(), [])


_AUTH = ("restadmin", "restpass")


class _Sink:
    def __init__(self, mailman: Mailman) -> None:
        self._mailman = mailman

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        for address in envelope.rcpt_tos:
            if address.lower().endswith(f"@{DOMAIN}"):  # what it mails to its own addresses comes back to it
                self._mailman.bring(envelope.mail_from, [address], bytes(envelope.content))
            else:
                self._mailman.keep(address, bytes(envelope.content))
        return "250 OK"


class _Relay:
    def __init__(self, mailman: Mailman) -> None:
        self._mailman = mailman

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        try:
            self._mailman.bring(envelope.mail_from, envelope.rcpt_tos, bytes(envelope.content))
        except OSError:
            return "451 4.4.1 The list server does not answer"
        return "250 OK"


def _a_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])

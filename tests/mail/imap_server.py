"""A real IMAP server from PyPI on this machine, with one mailbox in it; and what stands between it and a visitor."""

import contextlib
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from imap_tools import BaseMailBox, MailBoxUnencrypted

from outreach.mail.imap_mailbox import Account
from tests.channels.servers import Act, RawServer, Visit, a_closed_port, tls_server

USER, PASSWORD = "coordinator@example.org", "correct horse battery"
_PATIENCE_S = 60.0


class ImapServer:
    """Runs as a process of its own, which ends when the pipe to this one does."""

    def __init__(self, password: str = PASSWORD) -> None:
        self._password = password
        self.port = 0

    def __enter__(self) -> Self:
        for _ in range(3):  # somebody may take the port before it does
            self.port = a_closed_port()
            words = ["--imap-port", str(self.port), "--smtp-port", str(a_closed_port()), "--host", "127.0.0.1"]
            words += ["--user", USER, "--password", self._password, "--no-http"]
            command = [sys.executable, "-m", "tests.mail.imap_server", *words]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if self._answers():
                return self
        raise AssertionError("the IMAP server did not start")

    def _answers(self) -> bool:
        deadline, pause = time.monotonic() + _PATIENCE_S, threading.Event()
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as there:
                if there.recv(4) == b"* OK":
                    return True
            pause.wait(0.02)
        self.__exit__()
        return False

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @contextmanager
    def opened(self) -> Iterator[BaseMailBox]:
        """The mailbox, as its owner has it."""
        with MailBoxUnencrypted("127.0.0.1", self.port, timeout=5).login(USER, self._password) as box:
            yield box

    def empty(self) -> None:
        """Make it as it was at first."""
        with self.opened() as box:
            for folder in box.folder.list():
                if folder.name != "INBOX":
                    box.folder.delete(folder.name)
            box.delete(box.uids())

    def put(self, raw: bytes, folder: str = "INBOX", *, at: datetime | None = None) -> None:
        """Put a mail into a folder, which is made if need be."""
        with self.opened() as box:
            if not box.folder.exists(folder):
                box.folder.create(folder)
            box.append(raw, folder, dt=at)

    def account(self, **changes: object) -> Account:
        """What leads to the mailbox."""
        return an_account(**{"port": self.port, "password": self._password} | changes)


def an_account(port: object, **changes: object) -> Account:
    """A mailbox at a port of this machine."""
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": USER,
        "password": PASSWORD,
        "timeout_s": 5.0,
    }
    return Account(**values | changes)  # type: ignore[arg-type]


def leading_to(port: int, *, most_lines: int | None = None, hiding: bytes = b"\0") -> Act:
    """Pass everything on to a real server and back, but for what it hides; hang up after so many lines of the visitor's."""

    def act(visit: Visit) -> None:
        with socket.create_connection(("127.0.0.1", port)) as behind:
            back = threading.Thread(target=_pass_back, args=(behind, visit, hiding), daemon=True)
            back.start()
            while piece := visit.read():
                if most_lines is not None and visit.received.count(b"\r\n") > most_lines:
                    return
                behind.sendall(piece)

    return act


def _pass_back(behind: socket.socket, visit: Visit, hiding: bytes) -> None:
    with contextlib.suppress(OSError):
        while piece := behind.recv(65536):
            visit.say(piece.replace(hiding, b""))


def dialogue(visit: Visit, **said: bytes | None) -> None:
    """Be an IMAP server with one mail in it.

    `said` replaces what is said before the tagged line by verb, or for `greeting`; None says nothing more at all.
    What is said in place of a tagged line begins with `TAG`.
    """
    answers = ANSWERS | said
    if not _say(visit, b"", answers["greeting"]):
        return
    while line := visit.read():
        tag, _, rest = line.partition(b" ")
        verb = rest.replace(b"UID ", b"").split()[0].decode().lower() if rest.split() else ""
        if not _say(visit, tag, answers.get(verb, b"")):
            return
        if verb == "starttls" and answers[verb] == b"":
            visit.connection = tls_server().wrap_socket(visit.connection, server_side=True)


def _say(visit: Visit, tag: bytes, what: bytes | None) -> bool:
    if what is None:
        visit.linger()
        return False
    is_whole = what.startswith(b"* OK ready") or b"TAG" in what or not tag
    visit.say(what.replace(b"TAG", tag) if is_whole else what + tag + b" OK done\r\n")
    return True


HEAD = b"Message-ID: <1@x>\r\nList-Id: <tmm-sig.lists.example.org>\r\n\r\n"
ANSWERS: dict[str, bytes | None] = {
    "greeting": b"* OK ready\r\n",
    "capability": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n",
    "starttls": b"",
    "login": b"",
    "examine": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n",
    "search": b"* SEARCH 4\r\n",
    "fetch": b'* 1 FETCH (UID 4 INTERNALDATE "01-Dec-2026 14:00:00 +0000" BODY[HEADER]<0> {%d}\r\n%s)\r\n'
    % (len(HEAD), HEAD),
    "logout": b"* BYE\r\n",
}


def a_server_that_says(**said: bytes | None) -> RawServer:
    """An IMAP server that departs from good manners in what is named."""
    return RawServer(lambda visit: dialogue(visit, **said))


def _end_with_the_pipe() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_pipe, daemon=True).start()
    runpy.run_module("mail_devel", run_name="__main__")

"""What every real list server here lies in: a folder of its own, a relay that brings it mails, and a sink for what it sends."""

import shutil
import socket
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller

DOMAIN = "lists.example.org"
PATIENCE_S = 40.0


class Bed(ABC):
    """Runs until it is left. Mails to lists are submitted at `port`; what the list server sends is kept by address."""

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"outreach-{name}-"))
        self._mails: dict[str, list[bytes]] = defaultdict(list)
        self._came = threading.Condition()
        self._sink = Controller(_Sink(self), hostname="127.0.0.1", port=a_port(), data_size_limit=10**8)
        self._relay = Controller(_Relay(self), hostname="127.0.0.1", port=a_port(), data_size_limit=10**8)

    @property
    def port(self) -> int:
        """Where mails to its lists are submitted."""
        return int(self._relay.port)

    @property
    def sink_port(self) -> int:
        """Where it hands over what it sends."""
        return int(self._sink.port)

    def __enter__(self) -> Self:
        self._sink.start()
        self._relay.start()
        self.make()
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._relay.stop()
        self._sink.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def make(self) -> None:
        """Write what it needs before it is begun for the first time."""

    @abstractmethod
    def begin(self) -> None:
        """Start it, and wait until it answers."""

    @abstractmethod
    def end(self) -> None:
        """Stop it and everything it started."""

    @abstractmethod
    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail over to it, as the mail server before it does. Raises `OSError` where it does not answer."""

    def keep(self, address: str, raw: bytes) -> None:
        """Take a mail that it sent."""
        with self._came:
            self._mails[address.lower()].append(raw)
            self._came.notify_all()

    def forget(self) -> None:
        """Forget what came, as before another case."""
        with self._came:
            self._mails.clear()

    def mails(self, address: str, *, least: int = 1, within_s: float = PATIENCE_S) -> list[bytes]:
        """Give what an address got and forget it, once there are so many mails; what there is when the time is over."""
        with self._came:
            self._came.wait_for(lambda: len(self._mails[address.lower()]) >= least, timeout=within_s)
            return self._mails.pop(address.lower(), [])


def wait_until(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail when it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.1)


class _Sink:
    def __init__(self, bed: Bed) -> None:
        self._bed = bed

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        for address in envelope.rcpt_tos:
            if address.lower().endswith(f"@{DOMAIN}"):  # what it mails to its own addresses comes back to it
                self._bed.bring(envelope.mail_from, [address], bytes(envelope.content))
            else:  # who delivers last writes down whom it came from
                self._bed.keep(
                    address, f"Return-Path: <{envelope.mail_from.strip('<>')}>\r\n".encode() + bytes(envelope.content)
                )
        return "250 OK"


class _Relay:
    def __init__(self, bed: Bed) -> None:
        self._bed = bed

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        try:
            self._bed.bring(envelope.mail_from, envelope.rcpt_tos, bytes(envelope.content))
        except OSError:
            return "451 4.4.1 The list server does not answer"
        return "250 OK"


def a_port() -> int:
    """Give a port of this machine that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])

"""What stands around a list server on this machine: a relay that hands it mails, and a sink that keeps what it sends."""

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

from aiosmtpd.controller import Controller

PATIENCE_S = 40.0
_PAUSE_S = 0.05


class ListServer(ABC):
    """Runs until it is left. Mails to lists are submitted at `port`; what it sends is kept by address."""

    domain: ClassVar[str]
    """The part behind the @ of its lists."""

    corpus: ClassVar[str]
    """The folder of the corpus in which its mails are: its name and its version."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="outreach-list-"))
        self._mails: dict[str, list[bytes]] = defaultdict(list)
        self._came = threading.Condition()
        self.takes_mails = threading.Event()
        self.takes_mails.set()
        self.waits_for_an_answer = threading.Event()
        self.sink = Controller(_Sink(self), hostname="127.0.0.1", port=a_port())
        self._relay = Controller(_Relay(self), hostname="127.0.0.1", port=a_port(), data_size_limit=10**8)

    def take_no_mails(self) -> None:
        """Let who sends a mail wait for an answer until mails are taken again; then it is asked to come again."""
        self.waits_for_an_answer.clear()
        self.takes_mails.clear()

    @property
    def port(self) -> int:
        """Where mails to its lists are submitted."""
        return int(self._relay.port)

    def __enter__(self) -> Self:
        self.sink.start()
        self._relay.start()
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.takes_mails.set()
        self.end()
        self._relay.stop()
        self.sink.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def begin(self) -> None:
        """Start it, and wait until it answers."""

    @abstractmethod
    def end(self) -> None:
        """Stop it and everything it started."""

    @abstractmethod
    def bring(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail over to it, as the mail server before it does; OSError where it does not answer."""

    def keep(self, address: str, raw: bytes) -> None:
        """Take a mail that it sent."""
        with self._came:
            self._mails[address.lower()].append(raw)
            self._came.notify_all()

    def mails(self, address: str, *, least: int = 1, within_s: float = PATIENCE_S) -> list[bytes]:
        """Give what an address got and forget it, once there are so many mails; what there is when the time is over."""
        with self._came:
            self._came.wait_for(lambda: len(self._mails[address.lower()]) >= least, timeout=within_s)
            return self._mails.pop(address.lower(), [])


class _Sink:
    def __init__(self, server: ListServer) -> None:
        self._server = server

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        if not self._server.takes_mails.is_set():
            self._server.waits_for_an_answer.set()
            await asyncio.to_thread(self._server.takes_mails.wait, PATIENCE_S)
            return "451 4.3.0 Please come again"
        raw = bytes(envelope.content)
        for address in envelope.rcpt_tos:
            if address.lower().endswith(
                f"@{self._server.domain}"
            ):  # what it mails to its own addresses comes back to it
                self._server.bring(envelope.mail_from, [address], raw)
            else:
                self._server.keep(address, _return_path(envelope.mail_from) + raw)
        return "250 OK"


class _Relay:
    def __init__(self, server: ListServer) -> None:
        self._server = server

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        try:
            self._server.bring(envelope.mail_from, envelope.rcpt_tos, bytes(envelope.content))
        except OSError:
            return "451 4.4.1 The list server does not answer"
        return "250 OK"


def _return_path(sender: str | None) -> bytes:
    """Write the line that the last mail server puts on top when it delivers a mail (RFC 5321, 4.4)."""
    return f"Return-Path: <{(sender or '').strip('<>')}>\r\n".encode()


def a_port() -> int:
    """Give a port of this machine that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for(what: Callable[[], object], otherwise: Callable[[], str], *, within_s: float = PATIENCE_S) -> None:
    """Wait until something is so; fail with what is said otherwise when the time is over."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, otherwise()
        threading.Event().wait(_PAUSE_S)

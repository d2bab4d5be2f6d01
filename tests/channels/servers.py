"""Servers of a few lines on bare sockets, for what no decent server does."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

CERTIFICATE = Path(__file__).parent.parent / "mail" / "localhost.pem"
PATIENCE_S = 5.0


class Visit:
    """One connection to a `RawServer`: what it was sent is kept in `received`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""

    def read(self) -> bytes:
        """Take what comes next; empty at the end."""
        piece = self.connection.recv(65536)
        self.received += piece
        return piece

    def read_until(self, end: bytes) -> None:
        """Take bytes until `end` was among all that came, or nothing more comes."""
        while end not in self.received and self.read():
            pass

    def read_request(self) -> None:
        """Take one whole HTTP request."""
        self.read_until(b"\r\n\r\n")
        head, _, body = self.received.partition(b"\r\n\r\n")
        lengths = [line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        missing = int(lengths[0]) - len(body) if lengths else 0
        while missing > 0 and (piece := self.read()):
            missing -= len(piece)

    def say(self, what: bytes) -> None:
        """Send bytes."""
        self.connection.sendall(what)

    def reset(self) -> None:
        """End the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()

    def linger_unread(self) -> None:
        """Read nothing, and stay for longer than anybody waits."""
        select.select([], [], [], PATIENCE_S)

    def linger(self) -> None:
        """Say nothing until the other side goes away."""
        while self.read():
            pass


Act = Callable[[Visit], None]


class RawServer:
    """Listens on this machine, does `act` with each connection in turn, and keeps the visits."""

    def __init__(self, act: Act = Visit.linger, *, tls: bool = False) -> None:
        self.visits: list[Visit] = []
        self._act = act
        self._context = tls_server() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where it serves HTTP, if that is what it does."""
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    @property
    def received(self) -> bytes:
        """Everything that all visitors said."""
        return b"".join(visit.received for visit in self.visits)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visit in self.visits:
            with contextlib.suppress(OSError):
                visit.connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _receive(self, connection: socket.socket) -> None:
        visit = Visit(connection)
        self.visits.append(visit)
        with contextlib.suppress(OSError):
            connection.settimeout(PATIENCE_S)
            if self._context is not None:
                visit.connection = self._context.wrap_socket(connection, server_side=True)
            self._act(visit)
        with contextlib.suppress(OSError):
            visit.connection.close()


def answering(raw: bytes) -> Act:
    """Read one HTTP request, say `raw`, hang up."""

    def act(visit: Visit) -> None:
        visit.read_request()
        visit.say(raw)

    return act


def http(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer as bytes, the last of its connection: said, so that no client asks again while it closes."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n"
    return f"{head}Connection: close\r\n{headers}\r\n".encode("latin-1") + body


def tls_server() -> ssl.SSLContext:
    """What a server needs to show the certificate of nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def a_closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port

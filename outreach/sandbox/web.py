"""The sandbox's HTTP server: keep-alive, one send per answer, and sockets that can be mistreated on purpose."""

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .answers import Answer, Ending, head_of, text
from .patience import Patience

MAX_BODY = 64 * 1024 * 1024
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, body included. `headers` has lower-case names."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class WebServer(ThreadingHTTPServer):
    """Serves `respond` from daemon threads and forgets them all when it stops."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], respond: Callable[[Request], Answer], patience: Patience) -> None:
        self.respond = respond
        self.patience = patience
        self._live: set[socket.socket] = set()
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        # The parent asks the resolver for this machine's full name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def run(self) -> None:
        """Serve in a thread of its own; returns at once."""
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True, name="sandbox-http").start()

    def stop(self) -> None:
        """Stop listening and cut every connection, hanging ones too."""
        self.shutdown()
        self.server_close()
        for connection in tuple(self._live):
            cut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._live.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client goes away, and loud about a mistake of the sandbox itself."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: WebServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        try:
            request = self._read()
        except EOFError:  # half a request is none
            self.close_connection = True
            return
        answer = text(413, "Too large for the sandbox") if request is None else self.server.respond(request)
        self._send(answer)

    def log_message(self, format: str, *args: object) -> None:  # the parent's name
        """Write no log: the journal is the record."""

    def _read(self) -> Request | None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return None
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise EOFError
        return Request(self.command, path, query, headers, body)

    def _send(self, answer: Answer) -> None:
        if answer.delay_s:
            self.server.patience.wait(answer.delay_s)
        match answer.ending:
            case Ending.WHOLE:
                body = b"" if self.command == "HEAD" else answer.body
                self.connection.sendall(head_of(answer, keep_alive=not self.close_connection) + body)
                return
            case Ending.DRIP:
                self._drip(head_of(answer, keep_alive=False) + answer.body, answer.pace_s)
            case Ending.TRUNCATED:
                self.connection.sendall(head_of(answer, keep_alive=False) + answer.body[: len(answer.body) // 2])
            case Ending.HANG:
                self.server.patience.wait(answer.pace_s)
            case Ending.RESET:
                reset(self.connection)
            case Ending.CLOSE:
                pass
        self.close_connection = True

    def _drip(self, payload: bytes, pace_s: float) -> None:
        step = max(1, len(payload) // 24)
        for start in range(0, len(payload), step):
            self.connection.sendall(payload[start : start + step])
            self.server.patience.wait(pace_s)


def cut(connection: socket.socket) -> None:
    """End both directions of a connection that another thread may be using."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN; the handle is useless afterwards."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    os.close(connection.detach())

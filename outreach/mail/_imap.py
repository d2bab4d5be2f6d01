"""An IMAP client that ends: one deadline for a whole visit, whatever the server drips, and only so many bytes."""

import contextlib
import imaplib
import io
import socket
import ssl
import time
from typing import Any

from outreach.channels._deadline import Reader, left_s

_MOST_BYTES = 4_000_000
_LONGEST_LINE = 1_000_000


class BoundedClient(imaplib.IMAP4):
    """Says and hears everything within `within_s` of its beginning, unless it is allowed another time."""

    def __init__(self, host: str, port: int, *, is_tls: bool, within_s: float) -> None:
        self.allow(within_s)
        self._is_tls = is_tls
        self._bytes_left = _MOST_BYTES
        self._lines: io.BufferedReader | None = None
        self._heard: socket.socket | None = None
        super().__init__(host, port)

    def allow(self, within_s: float) -> None:
        """Give what is said and heard from now on so much time."""
        self._until_s = time.monotonic() + within_s

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Connect, and make it secure if it is to be so from the first byte."""
        self.host, self.port = host, port
        places = len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        # Each address of the name gets its share of the time.
        self.sock = socket.create_connection((host, port), left_s(self._until_s) / max(1, places))
        if self._is_tls:
            self._secure()

    def _secure(self) -> None:
        plain = self.sock
        try:
            plain.settimeout(left_s(self._until_s))
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except (OSError, ValueError):
            plain.close()
            raise

    def send(self, data: Any) -> None:
        """Send bytes."""
        self.sock.settimeout(left_s(self._until_s))
        self.sock.sendall(data)

    def read(self, size: int) -> bytes:
        """Read so many bytes."""
        if size > self._bytes_left:
            raise OSError("the answer is too long")
        return self._counted(self._heard_now().read(size))

    def readline(self) -> bytes:
        """Read a line."""
        return self._counted(self._heard_now().readline(_LONGEST_LINE))

    def has_spoken(self, within_s: float) -> bool:
        """Wait until the server says something, or hangs up; what it says stays to be read. False: it was silent."""
        self.allow(within_s)
        try:
            self._heard_now().peek(1)
        except TimeoutError:
            return False
        return True

    def _counted(self, piece: bytes) -> bytes:
        self._bytes_left -= len(piece)
        if self._bytes_left < 0:
            raise OSError("the answers are too long")
        return piece

    def _heard_now(self) -> io.BufferedReader:
        """Give what reads the socket of now: after STARTTLS, what came before it counts for nothing."""
        if self._lines is None or self._heard is not self.sock:
            self._close_lines()
            self._heard = self.sock
            self._lines = io.BufferedReader(Reader(self.sock, self._until_s))
        self._lines.raw.until_s = self._until_s  # type: ignore[attr-defined]
        return self._lines

    def _close_lines(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def shutdown(self) -> None:
        """Hang up. May be done twice."""
        self._close_lines()
        for of_starttls in (vars(self).get("file"), vars(self).get("_file")):  # the library's own, by its version
            if of_starttls is not None:
                of_starttls.close()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

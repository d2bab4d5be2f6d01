"""The sandbox's SMTP server: one thread and one plain dialogue per connection, sockets open to mistreatment."""

import base64
import binascii
import hmac
import re
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .patience import Patience
from .post_office import Envelope, PostOffice
from .smtp_faults import SmtpFault
from .web import cut, reset

MAX_MAIL = 10 * 1024 * 1024
_MAX_LINE = 64 * 1024
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Door:
    """Who may submit: `credentials` (name, password) make AUTH required, `tls` offers STARTTLS."""

    credentials: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None


class SmtpServer(socketserver.ThreadingTCPServer):
    """Accepts submissions for a post office."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], office: PostOffice, patience: Patience, door: Door) -> None:
        self.office, self.patience, self.door = office, patience, door
        self._live: set[socket.socket] = set()
        super().__init__(address, _Dialogue)

    def run(self) -> None:
        """Serve in a thread of its own; returns at once."""
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True, name="sandbox-smtp").start()

    def stop(self) -> None:
        """Stop listening and cut every connection, hanging ones too."""
        self.shutdown()
        self.server_close()
        for connection in tuple(self._live):
            cut(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._live.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client goes away, and loud about a mistake of the sandbox itself."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def exchange(self, plain: socket.socket, encrypted: socket.socket) -> None:
        """Know a connection by its encrypted side from now on."""
        self._live.discard(plain)
        self._live.add(encrypted)


class _Goodbye(Exception):  # not an error: the dialogue is over
    """Ends the dialogue; the socket is closed by the server."""


class _Dialogue(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        self._forget_all()
        try:
            self._obey("CONNECT", "220 sandbox.example.org ESMTP, a sandbox that sends nothing anywhere")
            while line := self._line():
                self._command(line)
        except (_Goodbye, OSError):
            return

    def finish(self) -> None:
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.server.shutdown_request(self.connection)

    def _forget_all(self) -> None:
        self._is_greeted = self._is_admitted = self._is_encrypted = False
        self._forget_mail()

    def _forget_mail(self) -> None:
        self._mail_from: str | None = None
        self._rcpt_to: list[str] = []

    def _command(self, line: str) -> None:
        verb, _, rest = line.strip().partition(" ")
        act = _COMMANDS.get(verb.upper())
        if act is None:
            self._say("500 5.5.2 Command not recognized")
        else:
            act(self, rest.strip())

    def _ehlo(self, name: str) -> None:
        self._forget_mail()
        offers = [f"SIZE {MAX_MAIL}", "8BITMIME"]
        if self.server.door.tls and not self._is_encrypted:
            offers.append("STARTTLS")
        if self.server.door.credentials:
            offers.append("AUTH PLAIN LOGIN")
        lines = ["sandbox.example.org", *offers]
        self._is_greeted = self._obey(
            "EHLO", "\r\n".join([f"250-{entry}" for entry in lines[:-1]] + [f"250 {lines[-1]}"])
        )

    def _helo(self, name: str) -> None:
        self._forget_mail()
        self._is_greeted = self._obey("EHLO", "250 sandbox.example.org")

    def _starttls(self, rest: str) -> None:
        if self.server.door.tls is None or self._is_encrypted:
            self._say("502 5.5.1 STARTTLS is not offered")
            return
        if not self._obey("STARTTLS", "220 2.0.0 Go ahead"):
            return
        plain, self.connection = self.connection, self.server.door.tls.wrap_socket(self.connection, server_side=True)
        self.server.exchange(plain, self.connection)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self._forget_all()
        self._is_encrypted = True

    def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if self.server.door.credentials is None or mechanism.upper() not in {"PLAIN", "LOGIN"}:
            self._say("504 5.5.4 This mechanism is not offered")
            return
        given = self._plain(initial) if mechanism.upper() == "PLAIN" else self._login(initial)
        expected = "\0".join(self.server.door.credentials).encode()
        if not hmac.compare_digest(given, expected):
            self._obey("AUTH", "535 5.7.8 Authentication credentials invalid")
            return
        if self._obey("AUTH", "235 2.7.0 Authentication successful"):
            self._is_admitted = True

    def _plain(self, initial: str) -> bytes:
        return _decoded(initial or self._ask("")).partition(b"\0")[2]

    def _login(self, initial: str) -> bytes:
        name = _decoded(initial or self._ask("VXNlcm5hbWU6"))
        return name + b"\0" + _decoded(self._ask("UGFzc3dvcmQ6"))

    def _ask(self, challenge: str) -> str:
        self._say(f"334 {challenge}")
        return self._line().strip()

    def _mail(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        refusal = self._refuse_mail(path)
        if refusal is None and path is not None and self._obey("MAIL", "250 2.1.0 Sender ok"):
            self._mail_from = path[1]
        elif refusal is not None:
            self._say(refusal)

    def _refuse_mail(self, path: re.Match[str] | None) -> str | None:
        if not self._is_greeted:
            return "503 5.5.1 Say EHLO first"
        if self.server.door.credentials and not self._is_admitted:
            return "530 5.7.0 Authentication required"
        if path is None:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        size = re.search(r"\bSIZE=(\d+)", path[2], re.IGNORECASE)
        if size and int(size[1]) > MAX_MAIL:
            return "552 5.3.4 The mail is too large"
        return "503 5.5.1 A mail is under way already" if self._mail_from is not None else None

    def _rcpt(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        if self._mail_from is None or path is None:
            self._say("503 5.5.1 Say MAIL FROM:<address> first" if path else "501 5.5.4 Syntax: RCPT TO:<address>")
        elif not self.server.office.knows(path[1]):
            self._say("550 5.1.1 Nobody here has this address")
        elif self._obey("RCPT", "250 2.1.5 Recipient ok"):
            self._rcpt_to.append(path[1])

    def _data(self, rest: str) -> None:
        if not self._rcpt_to or self._mail_from is None:
            self._say("503 5.5.1 Say RCPT TO:<address> first")
            return
        if not self._obey("DATA", "354 End with a dot on a line of its own"):
            return
        envelope = Envelope(self._mail_from, tuple(self._rcpt_to), self._body())
        self._forget_mail()
        self._finish(envelope)

    def _body(self) -> bytes:
        fault = self._fault("BODY")
        if fault is not None and fault.how != "ok":
            self._mistreat_body(fault)
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Goodbye
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _mistreat_body(self, fault: SmtpFault) -> None:
        if fault.how == "close-mid":
            self.rfile.readline()
        self._mistreat(fault)

    def _finish(self, envelope: Envelope) -> None:
        office, fault = self.server.office, self._fault("DOT")
        good = "250 2.0.0 Taken"
        if len(envelope.raw) > MAX_MAIL:
            office.drop(envelope, "552 5.3.4 The mail is too large")
            self._say("552 5.3.4 The mail is too large")
        elif fault is None or fault.how == "ok":
            office.accept(envelope, good)
            self._say(good)
        else:
            note = office.accept if fault.keep else office.drop
            note(envelope, fault.reply if fault.answers else "")
            self._mistreat(fault)

    def _obey(self, verb: str, reply: str) -> bool:
        """Say `reply`, or do what a fault armed for this verb wants. Return whether `reply` was said."""
        fault = self._fault(verb)
        if fault is None or fault.how == "ok":
            self._say(reply)
            return True
        self._mistreat(fault)
        if verb == "CONNECT":
            raise _Goodbye
        return False

    def _fault(self, verb: str) -> SmtpFault | None:
        fault = self.server.office.faults.take(lambda armed: armed.verb == verb)
        if fault is not None and fault.delay_s and fault.how != "hang":
            self.server.patience.wait(fault.delay_s)
        return fault

    def _mistreat(self, fault: SmtpFault) -> None:
        if fault.answers:
            self._say(fault.reply)
            if fault.how.startswith("421"):
                raise _Goodbye
            return
        if fault.how == "hang":
            self.server.patience.wait(fault.delay_s or 30.0)
        if fault.how == "reset":
            reset(self.connection)
        raise _Goodbye

    def _rset(self, rest: str) -> None:
        self._forget_mail()
        self._say("250 2.0.0 Forgotten")

    def _noop(self, rest: str) -> None:
        self._say("250 2.0.0 Ok")

    def _vrfy(self, rest: str) -> None:
        self._say("252 2.5.2 Send it and see")

    def _quit(self, rest: str) -> None:
        self._say("221 2.0.0 Bye")
        raise _Goodbye

    def _line(self) -> str:
        return self.rfile.readline(_MAX_LINE).decode("utf-8", "replace")

    def _say(self, reply: str) -> None:
        self.connection.sendall(reply.encode() + b"\r\n")


_COMMANDS: dict[str, Callable[[_Dialogue, str], None]] = {
    "EHLO": _Dialogue._ehlo, "HELO": _Dialogue._helo, "STARTTLS": _Dialogue._starttls, "AUTH": _Dialogue._auth,
    "MAIL": _Dialogue._mail, "RCPT": _Dialogue._rcpt, "DATA": _Dialogue._data, "RSET": _Dialogue._rset,
    "NOOP": _Dialogue._noop, "VRFY": _Dialogue._vrfy, "QUIT": _Dialogue._quit,
}  # fmt: skip


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""

"""The sandbox's IMAP server: the mailboxes of the post office, to be read and never changed. One folder each, INBOX."""

import contextlib
import hmac
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from .post_office import PostOffice
from .web import cut

PASSWORD = "sandbox"  # noqa: S105 - nothing behind it is real
_MAX_LINE = 64 * 1024
_VALIDITY = 1
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\([^)]*\))|(\S+)')
_BODY = re.compile(r"BODY(?:\.PEEK)?\[(HEADER)?\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
_CAPABILITIES = "IMAP4rev1 UIDPLUS IDLE"


class ImapServer(socketserver.ThreadingTCPServer):
    """Lets a person read their mailbox: log in with the address and `PASSWORD`."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], office: PostOffice) -> None:
        self.office = office
        self._live: set[object] = set()
        super().__init__(address, _Dialogue)

    def run(self) -> None:
        """Serve in a thread of its own; returns at once."""
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True, name="sandbox-imap").start()

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self.shutdown()
        self.server_close()
        for connection in tuple(self._live):
            cut(connection)  # type: ignore[arg-type]

    def process_request(self, request: object, client_address: object) -> None:
        """Know the connection until it ends."""
        self._live.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """Forget the connection."""
        self._live.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]


class _Dialogue(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self._who: str | None = None
        self._is_open = False
        self._say("* OK a sandbox that holds nothing real")
        try:
            while line := self.rfile.readline(_MAX_LINE):
                if not self._command(line.decode("utf-8", "replace").strip()):
                    return
        except OSError:
            return

    def _command(self, line: str) -> bool:
        tag, _, rest = line.partition(" ")
        verb, _, rest = rest.partition(" ")
        name = verb.upper()
        if name == "UID":
            verb, _, rest = rest.partition(" ")
            name = f"UID {verb.upper()}"
        if name == "LOGOUT":
            self._say("* BYE Until later")
            self._say(f"{tag} OK Done")
            return False
        act = _COMMANDS.get(name)
        if act is None:
            self._say(f"{tag} BAD That is not understood here")
        elif name not in ("CAPABILITY", "NOOP", "LOGIN") and self._who is None:
            self._say(f"{tag} NO Log in first")
        else:
            self._say(f"{tag} {act(self, rest)}")
        return True

    def _capability(self, _rest: str) -> str:
        self._say(f"* CAPABILITY {_CAPABILITIES}")
        return "OK Done"

    def _noop(self, _rest: str) -> str:
        return "OK Done"

    def _login(self, rest: str) -> str:
        words = [_unquoted(word) for word in _WORD.finditer(rest)]
        if len(words) != 2 or not hmac.compare_digest(words[1].encode(), PASSWORD.encode()):
            return "NO [AUTHENTICATIONFAILED] The log-in was refused"
        self._who = words[0].lower()
        return "OK Done"

    def _list(self, _rest: str) -> str:
        self._say('* LIST (\\HasNoChildren) "/" INBOX')
        return "OK Done"

    def _examine(self, rest: str) -> str:
        found = _WORD.match(rest)
        if found is None or _unquoted(found).upper() != "INBOX":
            return "NO There is no folder of this name"
        mails = self._mails()
        self._is_open = True
        self._told = len(mails)
        self._say("* FLAGS ()")
        self._say(f"* {len(mails)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {_VALIDITY}]")
        self._say(f"* OK [UIDNEXT {len(mails) + 1}]")
        return "OK [READ-ONLY] Done"

    def _idle(self, _rest: str) -> str:
        if not self._is_open:
            return "BAD Open a folder first"
        ended = threading.Event()
        telling = threading.Thread(target=self._tell_of_new, args=(ended,), daemon=True, name="sandbox-imap-idle")
        self._say("+ idling")
        telling.start()
        try:
            line = self.rfile.readline(_MAX_LINE)
        finally:
            ended.set()
            self.server.office.stir()
            telling.join()
        return "OK Done" if line.strip().upper() == b"DONE" else "BAD Only DONE ends this"

    def _tell_of_new(self, ended: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                count = self.server.office.wait_for_more(self._who or "", self._told, ended=ended)
                if count > self._told:
                    self._told = count
                    self._say(f"* {count} EXISTS")

    def _search(self, rest: str) -> str:
        if not self._is_open:
            return "BAD Open a folder first"
        found = [uid for uid, raw in enumerate(self._mails(), 1) if _matches(uid, raw, rest, len(self._mails()))]
        self._say(" ".join(["* SEARCH", *map(str, found)]))
        return "OK Done"

    def _fetch(self, rest: str) -> str:
        if not self._is_open:
            return "BAD Open a folder first"
        asked, _, items = rest.partition(" ")
        mails = self._mails()
        for uid in _uids(asked, len(mails)):
            if 1 <= uid <= len(mails):
                self._give(uid, mails[uid - 1], self._came_at(uid), items)
        return "OK Done"

    def _came_at(self, uid: int) -> datetime:
        times = self.server.office.came_at(self._who or "")
        return times[uid - 1]

    def _give(self, uid: int, raw: bytes, at: datetime, items: str) -> None:
        told = [f"UID {uid}"]
        if "INTERNALDATE" in items.upper():
            told.append(f'INTERNALDATE "{at:%d-%b-%Y %H:%M:%S +0000}"')
        body = _BODY.search(items)
        if body is None:
            self._say(f"* {uid} FETCH ({' '.join(told)})")
            return
        piece = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if body[1] else raw
        if body[2]:
            piece = piece[int(body[2]) : int(body[2]) + int(body[3])]
        name = f"BODY[{body[1] or ''}]" + (f"<{body[2]}>" if body[2] else "")
        head = f"* {uid} FETCH ({' '.join(told)} {name} {{{len(piece)}}}\r\n"
        self.wfile.write(head.encode() + piece + b")\r\n")

    def _mails(self) -> list[bytes]:
        return self.server.office.mailbox(self._who or "")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


_COMMANDS: dict[str, Callable[[_Dialogue, str], str]] = {
    "CAPABILITY": _Dialogue._capability,
    "NOOP": _Dialogue._noop,
    "LOGIN": _Dialogue._login,
    "LIST": _Dialogue._list,
    "EXAMINE": _Dialogue._examine,
    "SELECT": _Dialogue._examine,
    "IDLE": _Dialogue._idle,
    "UID SEARCH": _Dialogue._search,
    "UID FETCH": _Dialogue._fetch,
}


def _unquoted(word: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", word[1]) if word[1] is not None else word[0]


def _uids(asked: str, last: int) -> Iterator[int]:
    """Read `7`, `3:9` or `3:*`; `*` is the last one, so that `9:*` names it even where it is lower."""
    for part in asked.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":") if end == "*" or end.isdecimal()]
        if ends:
            yield from range(min(ends), max(ends) + 1)


def _matches(uid: int, raw: bytes, asked: str, last: int) -> bool:
    """Answer the few questions that a reader asks; what is not understood leaves nothing out, as a search may find too much."""
    words = [_unquoted(word) for word in _WORD.finditer(asked.strip("()"))]
    keys = [word.upper() for word in words]
    if "UID" in keys and keys.index("UID") + 1 < len(words):
        return uid in _uids(words[keys.index("UID") + 1], last)
    if "HEADER" in keys and keys.index("HEADER") + 2 < len(words):
        name, value = words[keys.index("HEADER") + 1], words[keys.index("HEADER") + 2]
        head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").lower()
        return f"{name.lower()}:" in head and value.lower() in head
    return True

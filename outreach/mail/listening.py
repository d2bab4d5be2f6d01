"""Listening to a mailbox: one connection that waits for the server to tell of new mail (IMAP IDLE, RFC 2177).

The folder is opened read-only and no mail is read: whoever is told looks for himself. What a server never tells of, or
where it cannot tell of anything, is found by who looks now and then, as if nobody had listened.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from outreach.mail._imap import BoundedClient
from outreach.mail._imap_session import TROUBLE, Account, Ended, Session, Trouble, in_words

LONGEST_S = 240.0
"""So long one connection waits: a server hangs up after 29 minutes, and what lies between may forget it after five."""

_SLICE_S = 0.5
_REST_S = 0.5  # a server that tells of news without end is not believed more often
_GOODBYE_S = 1.0
_TAG = b"idle1"
_NEWS = re.compile(rb"\* \d{1,10} EXISTS\b", re.IGNORECASE)
_BYE = re.compile(rb"\* BYE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listened:
    """How listening ended. `is_offered` is False where the server cannot tell of new mail; `trouble` ended it early."""

    lasted_s: float
    is_offered: bool = True
    trouble: Trouble | None = None


def listen(
    account: Account, on_news: Callable[[], object], *, goes_on: Callable[[], bool], longest_s: float = LONGEST_S
) -> Listened:
    """Wait in the first folder for new mail, so long at most, and call `on_news` as soon as some came.

    It is called at the beginning, too: for what came before anybody listened. `goes_on` is asked twice a second.
    Never raises for what the server does, and never marks a mail.
    """
    began_s = time.monotonic()
    session, is_offered, trouble = Session(account), True, None
    try:
        session.begin()
        is_offered = _is_offered(session.box.client)
        if is_offered:
            _open(session, account.folders[0])
            until_s = began_s + longest_s
            is_offered = _Idling(session.box.client, account.timeout_s).run(on_news, goes_on, until_s=until_s)
    except Ended as ended:
        trouble = ended.trouble
    except TROUBLE as met:
        trouble = Trouble(in_words(met), "Check IMAP_HOST, IMAP_PORT and IMAP_SECURITY.")
    finally:
        session.end(politely=trouble is None)
    return Listened(time.monotonic() - began_s, is_offered, trouble)


def _is_offered(client: BoundedClient) -> bool:
    """Ask after the log-in: before it a server may offer less."""
    _, said = client.capability()
    return b"IDLE" in b" ".join(line for line in said if line).upper().split()


def _open(session: Session, folder: str) -> None:
    if not session.opens(folder):
        raise Ended(f"it has no folder {folder!r}", "Check IMAP_FOLDER.")


class _Idling:
    """The dialogue of one IDLE. Written here line by line: what waits in the library waits for ever, or loses half a line."""

    def __init__(self, client: BoundedClient, answer_s: float) -> None:
        self._client = client
        self._answer_s = answer_s

    def run(self, on_news: Callable[[], object], goes_on: Callable[[], bool], *, until_s: float) -> bool:
        """Wait until that moment of the monotonic clock, or nobody wants it any more; False when the server refuses."""
        if not self._begins():
            return False
        on_news()
        told_s, is_news = time.monotonic(), False
        while goes_on() and time.monotonic() < until_s:
            is_news = self._hears() or is_news
            if is_news and time.monotonic() - told_s >= _REST_S:
                on_news()
                told_s, is_news = time.monotonic(), False
        self._end()
        return True

    def _begins(self) -> bool:
        self._client.allow(self._answer_s)
        self._client.send(_TAG + b" IDLE\r\n")
        while not (line := self._line()).startswith(b"+"):
            if line.startswith(_TAG):
                return False
        return True

    def _hears(self) -> bool:
        if not self._client.has_spoken(_SLICE_S):
            return False
        self._client.allow(self._answer_s)
        line = self._line()
        if line.startswith(_TAG):
            raise Ended("it waits for new mail no longer", "Nothing: it is looked into now and then.")
        return _NEWS.match(line) is not None

    def _line(self) -> bytes:
        line = self._client.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("it hung up")
        if _BYE.match(line):
            raise Ended("it says that it does not serve now", "Nothing: it is asked again later.")
        return line

    def _end(self) -> None:
        self._client.allow(_GOODBYE_S)
        self._client.send(b"DONE\r\n")
        while not self._line().startswith(_TAG):
            pass

"""Knocking: one signed POST to an address that somebody gave us, which is never led into a private network.

https only, and no redirect is followed. In a sandbox it is the other way round: only this machine is asked.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from outreach.channels._http import Answer, Http, Reply, is_proxied, unlogged
from outreach.channels.links import LookUp, is_public, look_up
from outreach.model import BadInput
from outreach.settings import is_loopback

TIMEOUT_S = 10.0
_LOOK_UP_S = 4.0


@dataclass(frozen=True, slots=True)
class Knock:
    """What an address answered: `status`, or else the `trouble` that kept it from answering."""

    status: int | None
    trouble: str | None

    @property
    def is_taken(self) -> bool:
        """Tell whether the other side has it now."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_over(self) -> bool:
        """Tell whether the other side wants nothing any more."""
        return self.status == 410

    def said(self) -> str | None:
        """Say what was wrong; None where it was taken."""
        return None if self.is_taken else self.trouble or f"it answered {self.status}"


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Sign a body with the instant, so that it can neither be changed nor be sent again much later."""
    told = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{told}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={told},v1={digest}"


def check_url(url: str, *, is_sandbox: bool) -> str:
    """Give the address in its usual form. Raises `BadInput` for one that is never asked, as far as that shows in it."""
    place = _placed(url)
    if place is None or place.username is not None or place.password is not None or not url.isascii():
        raise _bad("This is no web address that can be told anything.", "Write it such as https://hooks.example.org/x.")
    host = place.hostname or ""
    if is_loopback(host):
        if not is_sandbox:
            raise _bad("This address is this machine itself.", "Name a server on the Internet.")
    elif place.scheme != "https":
        raise _bad("What happens is told by https only.", "Begin the address with https://.")
    elif is_sandbox:
        raise _bad("In the sandbox nothing leaves this machine.", "Name an address such as http://127.0.0.1:9000/x.")
    elif _is_an_address(host) and not is_public(host.strip("[]")):
        raise _bad("This address is inside a private network.", "Name a server on the Internet.")
    return place._replace(fragment="").geturl()


def _bad(message: str, step: str) -> BadInput:
    return BadInput(message, where="url", next_step=step)


def _placed(url: str) -> SplitResult | None:
    try:
        place = urlsplit(url)
        is_usable = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
    except ValueError:
        return None
    return place if is_usable and url.isprintable() and " " not in url else None


def _is_an_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


class Knocker:
    """Asks addresses. Each connection is to an address that was looked at, whatever a name server says a moment later."""

    def __init__(self, *, is_sandbox: bool, look_up: LookUp = look_up, timeout_s: float = TIMEOUT_S) -> None:
        self.is_sandbox = is_sandbox
        self._look_up = look_up
        self._timeout_s = timeout_s

    def knock(self, url: str, body: bytes, headers: Mapping[str, str]) -> Knock:
        """Send it once. Never raises, never follows, reads nothing of the answer but its status."""
        try:
            place = urlsplit(check_url(url, is_sandbox=self.is_sandbox))
        except BadInput as bad:
            return Knock(None, bad.message)
        port = place.port or (443 if place.scheme == "https" else 80)
        addresses = self._look_up(place.hostname or "", port, _LOOK_UP_S)
        if not all(self._may_ask(address) for address in addresses):
            return Knock(None, "its name leads into a private network")
        if is_proxied(url):
            return self._asked(lambda: self._send(place, None, body, headers))
        if not addresses:
            return Knock(None, "its host cannot be found")
        return self._asked(lambda: self._send(place, addresses[0], body, headers))

    def _may_ask(self, address: str) -> bool:
        return is_loopback(address) if self.is_sandbox else is_public(address)

    @staticmethod
    def _asked(send: Callable[[], Reply]) -> Knock:
        with unlogged():  # the address may itself be a secret
            reply = send()
        return Knock(reply.status, None) if isinstance(reply, Answer) else Knock(None, reply.reason)

    def _send(self, place: SplitResult, address: str | None, body: bytes, headers: Mapping[str, str]) -> Reply:
        host = place.hostname or ""
        named = f"[{host}]" if ":" in host else host
        shown = f"[{address}]" if address and ":" in address else address
        port = f":{place.port}" if place.port else ""
        path = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
        with Http(f"{place.scheme}://{shown or named}{port}", token=None, timeout_s=self._timeout_s) as http:
            if address is not None:
                http.pin(named, place.port)
            return http.deliver(path, body, headers)

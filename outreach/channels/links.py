"""Whether the links of a post answer: asked as a stranger would ask, and never inside a private network."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from outreach import markup
from outreach.channels._http import Answer, Http, NotSent, Reply, is_proxied
from outreach.model import Content, Problem
from outreach.settings import is_loopback

MOST_LINKS = 10
MOST_REDIRECTS = 5
DEADLINE_S = 4.0
_LOST_HOSTS = 2  # so many names that nobody knows, and none that somebody does: it is the network

LookUp: TypeAlias = Callable[[str, int, float], list[str]]


def links_of(content: Content) -> tuple[str, ...]:
    """List the links of a post, each once: the one beside its text, then those in it."""
    found = (*((content.link,) if content.link else ()), *markup.addresses(content.text))
    return tuple(dict.fromkeys(link.partition("#")[0] for link in found))[:MOST_LINKS]


def look_up(host: str, port: int, within_s: float) -> list[str]:
    """Ask for the addresses of a host; none where nobody knows it, or not in time."""
    found: list[str] = []

    def ask() -> None:
        with suppress(OSError, UnicodeError):
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    # The system's own look-up knows no deadline.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(0.0, within_s))
    return list(found)


def check_links(
    content: Content, *, is_sandbox: bool, look_up: LookUp = look_up, deadline_s: float = DEADLINE_S
) -> list[Problem]:
    """Ask each link of a post whether it answers; a machine without a network gives one problem, not one for each.

    In a sandbox only links to this machine are asked, so that nothing leaves it; elsewhere none to this machine is.
    """
    problems: list[Problem] = []
    lost: dict[str, Problem] = {}
    answered = 0
    for link in links_of(content):
        host = _host_of(link)
        if host in lost:
            continue
        match Visit(link, is_sandbox=is_sandbox, look_up=look_up, deadline_s=deadline_s).result():
            case Unreached(problem):
                lost[host] = problem
            case Problem() as problem:
                problems.append(problem)
                answered += 1
            case None:
                answered += 1
        if len(lost) >= _LOST_HOSTS and not answered:
            return [_NO_NETWORK]
    return [*problems, *lost.values()]


_NO_NETWORK = Problem(
    "The links of the post cannot be reached: this machine seems to have no network.",
    "Check the network; then open the links in a browser.",
)


@dataclass(frozen=True, slots=True)
class Unreached:
    """Neither the link nor its host could be found, which may be the network's fault."""

    problem: Problem


Result: TypeAlias = Problem | Unreached | None


class Visit:
    """One link, from where it stands to where it leads. `here` is the latest place of the way, `answer` what it said."""

    def __init__(self, link: str, *, is_sandbox: bool, look_up: LookUp, deadline_s: float) -> None:
        self._link = link
        self._is_sandbox = is_sandbox
        self._look_up = look_up
        self._until_s = time.monotonic() + deadline_s
        self.here = link
        self.answer: Answer | None = None

    def result(self) -> Result:
        """Follow the link; every step of the way is looked at before it is taken."""
        for _ in range(MOST_REDIRECTS + 1):
            place = _placed(self.here)
            if place is None:
                return self._wrong("leads to what is no web address", "Correct it.")
            if self._is_sandbox and not is_loopback(place.hostname or ""):
                return None
            reply = self._asked(place)
            if not isinstance(reply, Answer):
                return reply
            onward = reply.headers.get("location")
            if not 300 <= reply.status < 400 or not onward:
                self.answer = reply
                return self._judged(reply.status)
            self.here = _onward(self.here, onward)
        return self._wrong(f"leads on more than {MOST_REDIRECTS} times", "Link to the page it ends at.")

    def _asked(self, place: SplitResult) -> "Answer | Problem | Unreached":
        port = place.port or (443 if place.scheme == "https" else 80)
        addresses = self._look_up(place.hostname or "", port, self._left_s())
        if not all(self._may_visit(address) for address in addresses):
            # Whoever runs a name server inside may see a private address where others see a public one.
            return self._wrong("leads into a private network, where it was not opened", _LOOK, is_warning=True)
        if is_proxied(place.geturl()):
            return self._reply(place, None)
        if not addresses:
            return Unreached(self._wrong("leads to a host that cannot be found", "Correct it, or check the network."))
        if not any(_has_way_to(address, port) for address in addresses):
            return Unreached(self._wrong("cannot be reached from here", "Check the network."))
        for address in addresses[:-1]:
            reply = self._reply(place, address)
            if isinstance(reply, Answer):
                return reply
        return self._reply(place, addresses[-1])

    def _may_visit(self, address: str) -> bool:
        return is_loopback(address) if self._is_sandbox else is_public(address)

    def _reply(self, place: SplitResult, address: str | None) -> Answer | Problem:
        reply = self.ask(place, address)
        if isinstance(reply, Answer):
            return reply
        return self._wrong(f"does not answer: {reply.reason}", _LOOK)

    def ask(self, place: SplitResult, address: str | None) -> Reply:
        """Ask one step of the way, for nothing but whether it answers."""
        reply = self.once(place, address, lambda http, path: http.peek("HEAD", path, {}))
        is_plain = isinstance(reply, Answer) and reply.status < 400
        if not is_plain and not isinstance(reply, NotSent):  # many a server knows no HEAD
            start = {"Range": "bytes=0-1023"}
            reply = self.once(place, address, lambda http, path: http.peek("GET", path, start))
        return reply

    def once(self, place: SplitResult, address: str | None, ask: Callable[[Http, str], Reply]) -> Reply:
        """Send one request to an address that was looked at, in the time that is left."""
        if self._left_s() <= 0:
            return NotSent("no answer came in time")
        host, port = _ascii(place.hostname or ""), f":{place.port}" if place.port else ""
        shown = f"[{address}]" if address and ":" in address else address
        path = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
        with Http(f"{place.scheme}://{shown or host}{port}", token=None, timeout_s=self._left_s()) as http:
            if address is not None:
                http.pin(host, place.port)
            return ask(http, path)

    def _left_s(self) -> float:
        return self._until_s - time.monotonic()

    def _judged(self, status: int) -> Problem | None:
        if status < 400 or status == 416:  # 416: it has fewer bytes than were asked for
            return None
        if status in (404, 410):
            return self._wrong(f"leads to nothing ({status})", "Correct it, or put the page there.")
        if status >= 500:
            return self._wrong(f"leads to a page that has an error ({status})", _LOOK)
        return self._wrong(f"answers, but not to us ({status})", _LOOK, is_warning=True)

    def _wrong(self, what: str, next_step: str, *, is_warning: bool = False) -> Problem:
        return Problem(f"The link {self._link} {what}.", next_step, is_warning=is_warning)


_LOOK = "Open it in a browser."


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public Internet, also where it stands inside another."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _has_way_to(address: str, port: int) -> bool:
    """Tell whether this machine has a network that leads there; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, port))
        except OSError:
            return False
    return True


def _placed(link: str) -> SplitResult | None:
    try:
        place = urlsplit(link)
        is_usable = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
        _ascii(place.hostname or "")
    except ValueError:
        return None
    return place if is_usable else None


def _onward(here: str, location: str) -> str:
    try:
        return urljoin(here, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:
        return ""


def _host_of(link: str) -> str:
    place = _placed(link)
    return (place.hostname or "") if place else link


def _ascii(host: str) -> str:
    """Write a host as it stands in a request: an IPv6 address in brackets, other scripts in ASCII."""
    return f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode()

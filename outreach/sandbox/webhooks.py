"""The webhook sender: asks whether an address takes events, and posts them there signed, to this machine alone."""

import hashlib
import hmac
import http.client
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from .answers import graph_json
from .records import Post
from .world import World

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that the sender made; `status` is `None` where no answer came."""

    at: datetime
    method: str
    url: str
    body: bytes
    status: int | None
    answered: str


class Webhooks:
    """Facebook's side of webhooks. Nothing is sent by itself: `verify`, `event` and `send` are called by who tests."""

    def __init__(self, world: World, app_secret: str) -> None:
        self._world, self._secret = world, app_secret
        self.log: list[Delivery] = []

    def verify(self, url: str, verify_token: str, *, mode: str = "subscribe") -> bool:
        """Ask as Facebook does when an address is entered: good is 200 with nothing but the challenge."""
        challenge = str(secrets.randbelow(10**9) + 10**9)
        asked = {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": verify_token}
        done = self._make("GET", f"{url}?{urlencode(asked)}", b"", {})
        return done.status == 200 and done.answered == challenge

    def event(self, node: str, *, item: str = "status", verb: str = "add", **more: Any) -> dict[str, Any]:
        """Return the change of a feed event about a post or comment that is there; `more` adds to its value or replaces."""
        with self._world.lock:
            comment = self._world.comments.get(node)
            post = self._world.posts[comment.post_id if comment else node]
            value = self._value(post, item, verb)
            if comment is not None:
                who = self._world.audience.visitors.get(comment.id, self._world.pages[post.page_id].name)
                told = {"item": "comment", "comment_id": comment.id, "message": comment.message, "parent_id": post.id}
                value |= told | {"from": {"id": "1000000001", "name": who}}
        return {"field": "feed", "value": value | more}

    def _value(self, post: Post, item: str, verb: str) -> dict[str, Any]:
        page = self._world.pages[post.page_id]
        return {
            "from": {"id": page.id, "name": page.name},
            "message": post.message,
            "post_id": post.id,
            "created_time": int(post.created_at.timestamp()),
            "item": item,
            "published": 1,
            "verb": verb,
        }

    def body(self, changes: Sequence[Mapping[str, Any]], *, page_id: str | None = None, wrapped: bool = False) -> bytes:
        """Return the bytes that are signed: ASCII, slashes escaped; `wrapped` puts them into an array, as the sample does."""
        named = page_id or next(iter(self._world.pages))
        entry = {"id": named, "time": int(self._world.clock.now().timestamp()), "changes": list(changes)}
        whole: Any = {"object": "page", "entry": [entry]}
        return graph_json([whole] if wrapped else whole)

    def signatures(self, body: bytes, *, secret: str | None = None) -> dict[str, str]:
        """Return both signature headers of a body."""
        key = (secret or self._secret).encode()
        return {
            "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
        }

    def send(self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, times: int = 1,
             tries: int = 1) -> list[int | None]:  # fmt: skip
        """Post a body `times` over, each up to `tries` times until it is taken; return the last status of each.

        `headers` replace the signatures. Raises `ValueError` for an address beyond this machine.
        """
        signed = self.signatures(body) if headers is None else dict(headers)
        statuses = []
        for _ in range(times):
            for _ in range(tries):
                status = self._make("POST", url, body, signed | {"Content-Type": "application/json"}).status
                if status is not None and 200 <= status < 300:
                    break
            statuses.append(status)
        return statuses

    def act(self, *, url: str, verify_token: str = "", nodes: Sequence[str] = (), times: int = 1,
            reverse: bool = False) -> None:  # fmt: skip
        """Do for another process what tests do: verify where a token is given, then tell of each node, `reverse` last first.

        Each is told `times` over, up to three tries each. Raises `ValueError` for what is not there.
        """
        if verify_token and not self.verify(url, verify_token):
            raise ValueError("the address did not answer with the challenge")
        for node in reversed(nodes) if reverse else nodes:
            if node not in self._world.posts and node not in self._world.comments:
                raise ValueError(f"no post and no comment {node!r}")
            self.send(url, self.body([self.event(node)]), times=times, tries=3)

    def _make(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(_loopback(parts.hostname), parts.port or 80, timeout=TIMEOUT_S)
        status, answered = None, ""
        try:
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request(method, path, body=body or None, headers=dict(headers))
            answer = connection.getresponse()
            status, answered = answer.status, answer.read(10_000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            pass  # no answer is an outcome, too
        finally:
            connection.close()
        done = Delivery(self._world.clock.now(), method, f"{parts.path}", body, status, answered)
        self.log.append(done)
        return done


def _loopback(host: str | None) -> str:
    address = "127.0.0.1" if host == "localhost" else host or ""
    try:
        is_safe = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_safe = False
    if not is_safe:
        raise ValueError(f"the sandbox sends to this machine only, not to {host!r}")
    return address

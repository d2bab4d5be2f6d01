"""What goes back over HTTP: the bytes, and the way they leave (or do not)."""

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"
PLAIN = "text/plain; charset=UTF-8"


class Ending(StrEnum):
    """How an answer leaves the socket."""

    WHOLE = "whole"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    TRUNCATED = "truncated"
    DRIP = "drip"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `delay_s` passes before its first byte; `pace_s` is the pause of a drip or the length of a hang."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.WHOLE
    delay_s: float = 0.0
    pace_s: float = 0.0

    def with_headers(self, *more: tuple[str, str]) -> "Answer":
        """Return a copy with headers added at the end."""
        return replace(self, headers=self.headers + more)


def graph_json(value: object) -> bytes:
    """Encode as the Graph API does: ASCII only, and every slash escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def plain_json(value: object, status: int = 200) -> Answer:
    """Answer with readable JSON, for the control interface."""
    return Answer(
        status, json.dumps(value, indent=1, ensure_ascii=False).encode(), headers=(("Cache-Control", "no-store"),)
    )


def text(status: int, message: str) -> Answer:
    """Answer with one plain sentence."""
    return Answer(status, message.encode(), PLAIN)


def head_of(answer: Answer, *, keep_alive: bool) -> bytes:
    """Compose status line and headers, ready to be sent together with the body in one piece."""
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
        "Connection: " + ("keep-alive" if keep_alive else "close"),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

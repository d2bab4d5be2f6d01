"""Ids, tokens and trace ids in the shapes Facebook uses."""

import itertools
import secrets
import string
from collections.abc import Iterator

_LETTERS = string.ascii_letters + string.digits


def page_number() -> str:
    """Return a Page id: 17 digits, odd, so that a client that reads it as a float loses the last one."""
    return str(100_060_000_000_000_001 + 2 * secrets.randbelow(10**11))


def object_numbers() -> Iterator[str]:
    """Count up through odd 18-digit ids, far beyond 2^53."""
    start = 122_100_000_000_000_001 + 2 * secrets.randbelow(10**14)
    return (str(number) for number in itertools.count(start, 20_002))


def token_text() -> str:
    """Return a token about as long as a real one."""
    return "EAA" + "".join(secrets.choice(_LETTERS) for _ in range(180))


def trace_id() -> str:
    """Return a trace id as errors and headers carry it."""
    return "A" + secrets.token_urlsafe(16)

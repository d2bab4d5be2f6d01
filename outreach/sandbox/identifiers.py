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


EAA_MARK = "EAAq7SandboxQ7"
"""How every token of a sandbox begins, so that one that was written down somewhere is found."""

HEX_MARK = "5ec4e7b0c5"
"""How the secret of every sandbox's app begins."""


def token_text() -> str:
    """Return a token about as long as a real one."""
    return EAA_MARK + "".join(secrets.choice(_LETTERS) for _ in range(170))


def secret_text() -> str:
    """Return the secret of an app: 32 hexadecimal digits."""
    return HEX_MARK + secrets.token_hex(11)


def trace_id() -> str:
    """Return a trace id as errors and headers carry it."""
    return "A" + secrets.token_urlsafe(16)

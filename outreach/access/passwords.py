"""Passwords: what makes a good one, and argon2."""

import threading
from functools import cache
from typing import TYPE_CHECKING

from outreach.model import BadInput

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 10, 200
_KNOWN = ("password", "passwort", "12345", "qwert", "letmein", "outreach", "iloveyou", "welcome", "abcdefg", "11111")


# Each hash takes 64 MiB for a tenth of a second: a crowd of wrong log-ins is not to take the memory of the machine.
_AT_ONCE = threading.BoundedSemaphore(2)


_chosen: list["PasswordHasher"] = []


def use(hasher: "PasswordHasher") -> None:
    """Take another hasher than the library's own choice, from now on and in this whole process."""
    _chosen[:] = [hasher]
    _nobody.cache_clear()


def _hasher() -> "PasswordHasher":
    if not _chosen:
        from argon2 import PasswordHasher  # start-up time

        _chosen.append(PasswordHasher())
    return _chosen[0]


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def check(password: str, *, email: str) -> None:
    """Raise `BadInput` for a password that is too easy to guess."""
    if not LEAST <= len(password) <= MOST:
        raise _bad(
            f"A password has {LEAST} to {MOST} characters.", "Three or four words that belong to no sentence do well."
        )
    plain = password.casefold()
    guessed_first = (*_KNOWN, email.partition("@")[0].casefold())
    is_known = any(word in plain and len(plain) < len(word) + LEAST for word in guessed_first)
    if is_known or len(set(plain)) < 5:
        raise _bad("This password is too easy to guess.", "Take three or four words that belong to no sentence.")


def _bad(message: str, next_step: str) -> BadInput:
    return BadInput(message, where="password", next_step=next_step)


def hashed(password: str) -> str:
    """Give the argon2id hash, which takes about a tenth of a second on purpose."""
    with _AT_ONCE:
        return _hasher().hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Compare; where there is nobody, take just as long about it."""
    from argon2.exceptions import InvalidHashError, VerificationError

    against = kept or _nobody()
    try:
        with _AT_ONCE:
            matches = _hasher().verify(against, password[:MOST])
    except (VerificationError, InvalidHashError):
        return False
    return matches and kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether the hash should be made anew with today's parameters."""
    return _hasher().check_needs_rehash(kept)

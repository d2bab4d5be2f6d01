"""Signing mails with DKIM (RFC 6376), for who sends without a provider that does it: one header on top, nothing else changes.

Lists rewrite much of a mail, so both parts are signed relaxed, and only headers that a post always has.
"""

import base64
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from outreach.model import BadInput, Problem
from outreach.settings import Settings

SIGNED = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
_LEAST_RSA_BITS = 1024  # RFC 8301: what is shorter is no signature
_FILE = "DKIM_KEY_FILE"
_HOW = "Give the PEM file of an RSA key (openssl genrsa 2048) or an Ed25519 key (openssl genpkey -algorithm ed25519)."


class CannotSign(Exception):
    """A message has not the shape of one that can be signed."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain. Its `repr` shows no key."""

    domain: str
    selector: str
    algorithm: str
    key: bytes = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Build it from the `DKIM_*` settings; None where they are not given. Reads the key once in a process.

        Raises `BadInput` that names the setting, never the key, where the extra is missing or the file holds no such key.
        """
        if not settings.DKIM_DOMAIN:
            return None
        algorithm, key = _key_in(settings.DKIM_KEY_FILE)
        _check_that_it_is_installed(algorithm)
        return cls(settings.DKIM_DOMAIN.lower(), settings.DKIM_SELECTOR, algorithm, key)

    def signed(self, message: bytes) -> bytes:
        """Give the message with its signature on top; every byte of it stays as it is. Raises `CannotSign`."""
        import dkim  # an extra, and start-up time: only those who use it pay for it

        try:
            header: bytes = dkim.DKIM(message).sign(
                self.selector.encode("ascii"),
                self.domain.encode("ascii"),
                self.key,
                signature_algorithm=self.algorithm.encode("ascii"),
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[name.encode("ascii") for name in SIGNED],
            )
        except (dkim.DKIMException, ValueError) as trouble:
            raise CannotSign(f"signing a mail for {self.domain}: {type(trouble).__name__}") from None
        return header + message

    def problems(self, sender: str) -> list[Problem]:
        """Say so where the signature does not speak for the sender's domain (DMARC's relaxed alignment, RFC 7489)."""
        domain = sender.rpartition("@")[2].lower()
        if f".{domain}".endswith(f".{self.domain}") or f".{self.domain}".endswith(f".{domain}"):
            return []
        why = (
            f"Mails are signed for {self.domain} (DKIM_DOMAIN), but LISTSERV_SENDER is at {domain}: it does not count."
        )
        return [Problem(why, f"Set DKIM_DOMAIN to {domain} and publish the key there.", is_warning=True)]


@lru_cache(maxsize=4)
def _key_in(file: str) -> tuple[str, bytes]:
    """Read a private key; give the algorithm, and the key as the library wants it."""
    try:
        pem = Path(file).read_bytes()
    except OSError as trouble:
        why = f"The key {file!r} cannot be read ({trouble.strerror or type(trouble).__name__})."
        raise BadInput(why, where=_FILE, next_step="Check the path, and that the service may read the file.") from None
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise BadInput(
            f"The key in {file!r} is locked with a passphrase.",
            where=_FILE,
            next_step="Store it without one, readable by the service alone.",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput(f"The file {file!r} holds no private key in PEM.", where=_FILE, next_step=_HOW) from None
    if isinstance(key, Ed25519PrivateKey):
        return "ed25519-sha256", base64.b64encode(key.private_bytes_raw())
    if not isinstance(key, RSAPrivateKey):
        raise BadInput(f"The key in {file!r} is of a kind that DKIM does not know.", where=_FILE, next_step=_HOW)
    if key.key_size < _LEAST_RSA_BITS:
        short = f"The key in {file!r} has {key.key_size} bits: mail servers take no less than {_LEAST_RSA_BITS}."
        raise BadInput(short, where=_FILE, next_step=_HOW)
    return "rsa-sha256", key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _check_that_it_is_installed(algorithm: str) -> None:
    try:
        import dkim  # noqa: F401 - an extra, and start-up time

        if algorithm == "ed25519-sha256":
            import nacl.signing  # noqa: F401 - the same
    except ImportError:
        raise BadInput(
            "What signs mails is not installed.",
            where="DKIM_DOMAIN",
            next_step="Install it with: pip install 'outreach[dkim]'",
        ) from None

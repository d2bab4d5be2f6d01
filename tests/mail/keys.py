"""Private keys for signing, made for one run, and what the DNS of their domain would say."""

import base64
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SIGNATURE = re.compile(rb"\ADKIM-Signature:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
"""The signature on top of a message."""

_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_MAKE: dict[str, Callable[[], Any]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "short": lambda: rsa.generate_private_key(65537, 1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "elliptic": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@cache
def a_key(kind: str) -> Any:
    """A private key of a kind; the same one each time."""
    return _MAKE[kind]()


def pem_of(kind: str, *, is_old: bool = False, passphrase: bytes = b"") -> bytes:
    """Write it as a PEM file, PKCS#8 or as OpenSSL once did."""
    shape = serialization.PrivateFormat.TraditionalOpenSSL if is_old else serialization.PrivateFormat.PKCS8
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem: bytes = a_key(kind).private_bytes(_PEM, shape, lock)
    return pem


def key_settings(folder: Path, kind: str = "rsa", **more: str) -> dict[str, str]:
    """Settings that sign for example.org with a key of a kind."""
    file = folder / f"{kind}.pem"
    file.write_bytes(pem_of(kind))
    return {"DKIM_DOMAIN": "example.org", "DKIM_SELECTOR": "lists", "DKIM_KEY_FILE": str(file)} | more


def dns(kind: str, name: bytes = b"lists._domainkey.example.org.") -> Callable[..., bytes | None]:
    """Give what asks the DNS for a key's record, as dkimpy wants it."""
    public = a_key(kind).public_key()
    if kind == "ed25519":
        record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public.public_bytes_raw())
    else:
        der = public.public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    return lambda asked, timeout=5: record if asked == name else None

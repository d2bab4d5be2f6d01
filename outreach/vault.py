"""What has to be kept readable and yet secret: encrypted, and signed, with keys made of the install's one secret."""

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from outreach.model import BadInput

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Vault:
    """Encrypts, signs and proves, each for a purpose: what was made for one does not open another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def _key(self, purpose: str) -> bytes:
        return hmac.new(self._secret, f"outreach vault: {purpose}".encode(), hashlib.sha256).digest()

    def encrypt(self, purpose: str, text: str) -> str:
        """Give a text that only `decrypt` with the same secret and purpose reads."""
        return self._box(purpose).encrypt(text.encode()).decode("ascii")

    def decrypt(self, purpose: str, sealed: str) -> str:
        """Read what `encrypt` made. Raises `BadInput` when the secret is another one now."""
        from cryptography.fernet import InvalidToken  # start-up time

        try:
            return self._box(purpose).decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise BadInput(
                f"The {purpose} was encrypted with another OUTREACH_SECRET_KEY.",
                next_step="Set that key again, or enter the secret anew.",
            ) from None

    def _box(self, purpose: str) -> "Fernet":
        from cryptography.fernet import Fernet  # start-up time: 30 ms that most commands never need

        return Fernet(base64.urlsafe_b64encode(self._key(purpose)))

    def sign(self, purpose: str, *parts: str) -> str:
        """Give the signature, 32 hexadecimal digits, of texts in their order."""
        said = "\x00".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._key(purpose), said.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    def is_signed(self, signature: str, purpose: str, *parts: str) -> bool:
        """Compare in a time that tells nothing."""
        return hmac.compare_digest(self.sign(purpose, *parts).encode(), signature.encode("utf-8", "replace"))


def fingerprint(token: str) -> str:
    """Give the SHA-256 by which a token, a session or a link is kept: the thing itself is kept nowhere."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

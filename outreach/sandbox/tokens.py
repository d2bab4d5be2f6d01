"""Access tokens: kinds, scopes, death, and the proof that a server holds the app secret."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .error_table import GraphError, error_named
from .identifiers import token_text

SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_user_content",
    "read_insights",
    "pages_manage_metadata",
    "public_profile",
)
DATA_ACCESS = timedelta(days=90)


class Kind(StrEnum):
    """What a token speaks for, in the words of `debug_token`."""

    USER = "USER"
    PAGE = "PAGE"
    APP = "APP"
    SYSTEM = "SYSTEM_USER"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `expires_at` `None` means never; `died_of` is the subcode that explains a dead one."""

    text: str
    kind: Kind
    user_id: str | None
    page_id: str | None
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None = None
    died_of: int | None = None

    @property
    def data_access_expires_at(self) -> datetime:
        """Return the end of the separate clock for data access, about 90 days."""
        return self.issued_at + DATA_ACCESS

    def subcode_of_death(self, now: datetime) -> int | None:
        """Return why this token is refused now, `None` while it is good."""
        if self.died_of is not None:
            return self.died_of
        return 463 if self.expires_at is not None and self.expires_at <= now else None


class TokenBook:
    """All tokens of one sandbox app."""

    def __init__(self, app_id: str, app_secret: str) -> None:
        self.app_id, self.app_secret = app_id, app_secret
        self._tokens: dict[str, Token] = {}

    def issue(self, kind: Kind, *, now: datetime, user_id: str | None = None, page_id: str | None = None,
              scopes: tuple[str, ...] = SCOPES, lives: timedelta | None = None) -> str:  # fmt: skip
        """Make a token and return its text; without `lives` it never expires."""
        text = f"{self.app_id}|{self.app_secret}" if kind is Kind.APP else token_text()
        expires_at = None if lives is None else now + lives
        self._tokens[text] = Token(text, kind, user_id, page_id, scopes, now, expires_at)
        return text

    def kill(self, text: str, subcode: int) -> None:
        """Let a token die of a 190 subcode: 458, 459, 460, 463, 464, 467 or 492."""
        error_named(f"190_{subcode}")
        self._tokens[text] = replace(self._tokens[text], died_of=subcode)

    def narrow(self, text: str, *without: str) -> None:
        """Take scopes away from a token, as a person unticking a permission does."""
        token = self._tokens[text]
        self._tokens[text] = replace(token, scopes=tuple(scope for scope in token.scopes if scope not in without))

    def find(self, text: str) -> Token | None:
        """Return a token by its text, dead or alive."""
        return self._tokens.get(text)

    def admit(self, text: str | None, now: datetime) -> Token:
        """Return the live token a request carries; raises `GraphError` 104 or 190 otherwise."""
        if text is None:
            raise GraphError(104, "An access token is required to request this resource.")
        token = self._tokens.get(text)
        if token is None:
            raise error_named("190_garbled")
        subcode = token.subcode_of_death(now)
        if subcode is not None:
            raise error_named(f"190_{subcode}")
        return token

    def check_proof(self, token: Token, proof: str | None, *, is_required: bool) -> None:
        """Raise `GraphError` 100 for a wrong proof, or for none where one is required."""
        if proof is None:
            if is_required:
                raise error_named("100_proof_missing")
            return
        expected = hmac.new(self.app_secret.encode(), token.text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof.lower()):
            raise error_named("100_proof")


def carried_token(authorization: str | None, parameter: str | None) -> str | None:
    """Return the token of a request: the `Authorization` header (Bearer or OAuth) or the parameter."""
    if authorization:
        scheme, _, text = authorization.strip().partition(" ")
        if scheme.lower() in {"bearer", "oauth"} and text.strip():
            return text.strip()
    return parameter

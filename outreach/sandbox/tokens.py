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
PROOF_LIVES_S = 300


class Kind(StrEnum):
    """What a token speaks for, in the words of `debug_token`."""

    USER = "USER"
    PAGE = "PAGE"
    APP = "APP"
    SYSTEM = "SYSTEM_USER"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person ticked in the log-in dialog, and when. `pages` `None` stands for all there are."""

    scopes: tuple[str, ...]
    declined: tuple[str, ...]
    pages: frozenset[str] | None
    at: datetime

    @classmethod
    def of_everything(cls, scopes: tuple[str, ...], at: datetime) -> "Grant":
        """Return what a token stands for that no dialog gave."""
        return cls(scopes, (), None, at)


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
    grant: Grant | None = None

    @property
    def data_access_expires_at(self) -> datetime:
        """Return the end of the separate clock for data access, about 90 days."""
        return (self.grant.at if self.grant else self.issued_at) + DATA_ACCESS

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
        self._pages: dict[tuple[str, str], str] = {}

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
        children = [child for (parent, _), child in self._pages.items() if parent == text]
        for each in (text, *children):
            self._tokens[each] = replace(self._tokens[each], died_of=subcode)

    def bind(self, text: str, grant: Grant) -> None:
        """Tie a token to what a person ticked."""
        self._tokens[text] = replace(self._tokens[text], grant=grant)

    def of_page(self, parent: Token, page_id: str, now: datetime) -> str | None:
        """Return the Page token that a person's token gives: it ends with a short one, and never with a long one.

        `None` for a Page that was not ticked.
        """
        grant = parent.grant
        if grant is None or (grant.pages is not None and page_id not in grant.pages):
            return None
        key = (parent.text, page_id)
        if key not in self._pages:
            is_long = parent.expires_at is not None and parent.expires_at - parent.issued_at > timedelta(days=1)
            lives = None if is_long or parent.expires_at is None else parent.expires_at - now
            issued = self.issue(
                Kind.PAGE, now=now, user_id=parent.user_id, page_id=page_id, scopes=parent.scopes, lives=lives
            )
            self.bind(issued, grant)
            self._pages[key] = issued
        return self._pages[key]

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

    def check_proof(self, token: Token, proof: str | None, *, is_required: bool, made_at: str | None = None,
                    now: datetime | None = None) -> None:  # fmt: skip
        """Raise `GraphError` 100 for a wrong proof, or for none where one is required.

        With `made_at`, Unix seconds, the proof is the timed one, good for five minutes.
        """
        if proof is None:
            if is_required:
                raise error_named("100_proof_missing")
            return
        said = token.text if made_at is None else f"{token.text}|{made_at}"
        if made_at is not None and not _is_recent(made_at, now):
            raise error_named("100_proof")
        expected = hmac.new(self.app_secret.encode(), said.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof.lower()):
            raise error_named("100_proof")


def _is_recent(made_at: str, now: datetime | None) -> bool:
    return now is None or (made_at.isdecimal() and abs(int(made_at) - now.timestamp()) <= PROOF_LIVES_S)


def carried_token(authorization: str | None, parameter: str | None) -> str | None:
    """Return the token of a request: the `Authorization` header (Bearer or OAuth) or the parameter."""
    if authorization:
        scheme, _, text = authorization.strip().partition(" ")
        if scheme.lower() in {"bearer", "oauth"} and text.strip():
            return text.strip()
    return parameter

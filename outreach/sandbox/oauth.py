"""Log-in for apps: codes that a person's consent gives, and what `/oauth/access_token` makes of them."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .bodies import Params
from .calls import Done
from .error_table import GraphError, error_named
from .tokens import SCOPES, Grant, Kind, TokenBook
from .world import World

KNOWN_SCOPES = frozenset({*SCOPES, "business_management", "pages_manage_metadata"})
SHORT, LONG = timedelta(hours=1), timedelta(days=60)
CODE_LIVES = timedelta(minutes=10)


@dataclass
class _Code:
    redirect_uri: str
    grant: Grant
    ends_at: datetime
    is_used: bool = False


class OAuth:
    """One app's log-in. Hold the world's lock around every use."""

    def __init__(self, world: World, book: TokenBook) -> None:
        self.world, self.book = world, book
        self._codes: dict[str, _Code] = {}

    def complaint(self, params: Params) -> str | None:
        """Say why the dialog does not open for these parameters; `None` when it does."""
        unknown = [scope for scope in wanted_scopes(params) if scope not in KNOWN_SCOPES | {"public_profile"}]
        if params.text("client_id") != self.book.app_id:
            return "Invalid App ID: the provided app ID does not look like a valid app ID."
        if params.text("redirect_uri") not in self.world.rules.redirect_uris:
            return "URL blocked: the redirect URI is not one of the app's Valid OAuth Redirect URIs."
        if params.text("response_type") not in (None, "code"):
            return "Only response_type=code is served here."
        return f"Invalid Scopes: {', '.join(unknown)}." if unknown else None

    def consent(self, params: Params, *, ticked: set[str], pages: set[str]) -> str:
        """Write down what a person ticked and return the code for it."""
        wanted = wanted_scopes(params)
        granted = tuple(scope for scope in wanted if scope in ticked)
        grant = Grant(
            scopes=(*granted, "public_profile"),
            declined=tuple(scope for scope in wanted if scope not in granted),
            pages=frozenset(pages),
            at=self.world.clock.now(),
        )
        text = "AQ" + secrets.token_urlsafe(90)
        ends_at = self.world.clock.now() + CODE_LIVES
        self._codes[text] = _Code(params.text("redirect_uri") or "", grant, ends_at)
        return text

    def token(self, params: Params) -> Done:
        """`/oauth/access_token`: a code, a short token, or the app's own credentials become a token."""
        self._check_app(params)
        kind = params.text("grant_type")
        if kind == "client_credentials":
            return Done({"access_token": f"{self.book.app_id}|{self.book.app_secret}", "token_type": "bearer"})
        if kind == "fb_exchange_token":
            return self._lengthened(params.text("fb_exchange_token"))
        if kind not in (None, "authorization_code"):
            raise GraphError(100, "(#100) Unknown grant_type")
        return self._of_code(params)

    def _check_app(self, params: Params) -> None:
        if params.text("client_id") != self.book.app_id:
            raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
        if not secrets.compare_digest((params.text("client_secret") or "").encode(), self.book.app_secret.encode()):
            raise GraphError(1, "Error validating client secret.")

    def _of_code(self, params: Params) -> Done:
        code = self._codes.get(params.text("code") or "")
        if code is None:
            raise GraphError(100, "Invalid verification code format.")
        if code.redirect_uri != params.text("redirect_uri"):
            said = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"
            raise GraphError(100, said, subcode=36008)
        if code.is_used:
            raise GraphError(100, "This authorization code has been used.", subcode=36009)
        if code.ends_at <= self.world.clock.now():
            raise GraphError(100, "This authorization code has expired.", subcode=36007)
        code.is_used = True
        return self._issued(code.grant, SHORT)

    def _lengthened(self, text: str | None) -> Done:
        found = self.book.find(text or "")
        if found is None:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
        subcode = found.subcode_of_death(self.world.clock.now())
        if subcode is not None:
            raise error_named(f"190_{subcode}")
        if found.kind is not Kind.USER:
            raise GraphError(100, "(#100) Only a user's token can be exchanged for one that lives longer")
        return self._issued(found.grant or Grant.of_everything(found.scopes, found.issued_at), LONG)

    def _issued(self, grant: Grant, lives: timedelta) -> Done:
        text = self.book.issue(
            Kind.USER, now=self.world.clock.now(), user_id=self.world.user.id, scopes=grant.scopes, lives=lives
        )
        self.book.bind(text, grant)
        body: dict[str, Any] = {"access_token": text, "token_type": "bearer"}
        if not self.world.rules.omit_expires_in:
            body["expires_in"] = int(lives.total_seconds())
        return Done(body)


def wanted_scopes(params: Params) -> tuple[str, ...]:
    """Return the permissions that a dialog asks for, each once."""
    words = (params.text("scope") or "").replace(" ", ",").split(",")
    return tuple(dict.fromkeys(word for word in words if word))

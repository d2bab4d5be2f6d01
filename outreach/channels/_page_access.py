"""What opens a Page now: the Page that a person connected, or else the one of the settings."""

import hashlib
import hmac
from dataclasses import dataclass, replace

from outreach.channels._graph_errors import RECONNECT
from outreach.channels._page_key import NOT_CONNECTED, WHERE, PageKey
from outreach.model import Outcome, Problem, Unauthorized, Unavailable
from outreach.settings import Settings

_SETTINGS = ("FACEBOOK_PAGE_TOKEN", "FACEBOOK_PAGE_ID")


@dataclass(frozen=True)
class Access:
    """What opens one Page. Its `repr` shows no secret."""

    url: str
    version: str
    page_id: str
    token: str
    app_secret: str
    timeout_s: float
    app_id: str = ""

    def __repr__(self) -> str:
        return f"Access({self.url!r}, {self.version!r}, page {self.page_id})"

    @property
    def proof(self) -> str:
        """What shows Facebook that whoever holds the token holds the app's secret, too."""
        return self.proof_for(self.token)

    def proof_for(self, token: str) -> str:
        """The same for another token of the app."""
        return proof_of(self.app_secret, token)

    @property
    def app_token(self) -> str:
        """What speaks for the app itself; empty where its number or its secret is not known."""
        return f"{self.app_id}|{self.app_secret}" if self.app_id and self.app_secret else ""


def proof_of(app_secret: str, token: str) -> str:
    """Make the `appsecret_proof`: what shows Facebook that whoever holds a token holds the app's secret, too."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def may_be_connected(settings: Settings) -> bool:
    """Tell whether a Page can be connected: the app is known."""
    return bool(settings.FACEBOOK_APP_ID and settings.FACEBOOK_APP_SECRET.get_secret_value())


def with_key(given: Access, key: PageKey | None) -> Access:
    """Give the access by a key: what was connected outweighs the settings, also where its token cannot be read."""
    return given if key is None else replace(given, page_id=key.page_id, token=key.token)


def what_is_wrong(access: Access, key: PageKey | None) -> Problem | None:
    """Say why nothing can be asked of the Page now."""
    if key is not None and key.trouble is not None:
        return key.trouble
    return None if access.page_id and access.token else NOT_CONNECTED


def outcome_without(problem: Problem, key: PageKey | None) -> Outcome:
    """Say what becomes of a post: nothing was sent."""
    if key is not None and key.is_passing:
        return Unavailable(problem.message)
    return Unauthorized(problem.sentence())


def told_to_connect(problems: list[Problem], key: PageKey | None) -> list[Problem]:
    """Lead who connected a Page to the page on which they did, not to settings that they never filled in."""
    if key is None:
        return problems
    return [_told(each) for each in problems]


def _told(problem: Problem) -> Problem:
    """Keep what somebody has to do on Facebook first."""
    if any(name in problem.sentence() for name in (*_SETTINGS, RECONNECT)):
        return Problem(_reworded(problem.message), f"Connect it again. {WHERE}", is_warning=problem.is_warning)
    if problem.message.startswith("Facebook does not accept the token"):
        return replace(problem, next_step=f"{problem.next_step} Then connect it again. {WHERE}")
    return problem


def _reworded(message: str) -> str:
    return (
        message.replace(RECONNECT, "")
        .replace("Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.", "")
        .replace("Check FACEBOOK_PAGE_ID.", "")
    )

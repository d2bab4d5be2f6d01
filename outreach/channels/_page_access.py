"""What opens a Page now: the Page that a person connected, or else the one of the settings."""

from dataclasses import replace
from typing import TYPE_CHECKING

from outreach.channels._page_key import NOT_CONNECTED, WHERE, PageKey
from outreach.model import Outcome, Problem, Unauthorized, Unavailable
from outreach.settings import Settings

if TYPE_CHECKING:
    from outreach.channels.facebook_page import Access


def may_be_connected(settings: Settings) -> bool:
    """Tell whether a Page can be connected: the app is known."""
    return bool(settings.FACEBOOK_APP_ID and settings.FACEBOOK_APP_SECRET.get_secret_value())


def with_key(given: "Access", key: PageKey | None) -> "Access":
    """Give the access by a key: what was connected outweighs the settings, also where its token cannot be read."""
    return given if key is None else replace(given, page_id=key.page_id, token=key.token)


def what_is_wrong(access: "Access", key: PageKey | None) -> Problem | None:
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
    return [
        Problem(_reworded(each.message), f"Connect it again. {WHERE}", is_warning=each.is_warning)
        if _is_about_settings(each)
        else each
        for each in problems
    ]


def _is_about_settings(problem: Problem) -> bool:
    return any(name in problem.sentence() for name in ("FACEBOOK_PAGE_TOKEN", "FACEBOOK_PAGE_ID"))


def _reworded(message: str) -> str:
    return message.replace("Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.", "").replace("Check FACEBOOK_PAGE_ID.", "")

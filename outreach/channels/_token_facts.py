"""What Facebook says of a token: whether it is the one that a Page's posts need, and until when it is good."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from outreach import when
from outreach.channels._graph_errors import look_up
from outreach.model import Problem

NEEDED = ("pages_manage_posts", "pages_read_engagement")
TASK = "CREATE_CONTENT"
WARN_BEFORE = timedelta(days=21)
TOKEN, DATA_ACCESS = "the token", "the access to data"
_RECONNECT = "Connect the Page again with a long-lived Page token and set FACEBOOK_PAGE_TOKEN to it."
_ASK_AGAIN = "Check FACEBOOK_APP_ID and FACEBOOK_APP_SECRET, and look again later."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose token it has to be."""

    page_id: str
    app_id: str


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The facts, as far as they were told: whatever is missing is empty or None, which says nothing against the token."""

    is_valid: bool
    kind: str
    app_id: str
    profile_id: str
    scopes: frozenset[str] | None
    elsewhere: frozenset[str]
    expires_at: datetime | None
    data_access_expires_at: datetime | None
    error: tuple[int | None, int | None]

    @classmethod
    def read(cls, body: Any, *, page_id: str) -> "TokenFacts | None":
        """Read an answer of `debug_token`; None for one that cannot be understood."""
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("is_valid"), bool):
            return None
        error = data.get("error")
        error = error if isinstance(error, dict) else {}
        return cls(
            is_valid=data["is_valid"],
            kind=_text(data.get("type")).upper(),
            app_id=_text(data.get("app_id")),
            profile_id=_text(data.get("profile_id")),
            scopes=_scopes(data),
            elsewhere=_scopes_elsewhere(data, page_id),
            expires_at=_instant(data.get("expires_at")),
            data_access_expires_at=_instant(data.get("data_access_expires_at")),
            error=(_integer(error.get("code")), _integer(error.get("subcode"))),
        )

    def runs_out(self) -> Mapping[str, datetime]:
        """Say what runs out when."""
        known = {TOKEN: self.expires_at, DATA_ACCESS: self.data_access_expires_at}
        return {what: at for what, at in known.items() if at is not None}

    def problems(self, wanted: Wanted, *, now: datetime) -> list[Problem]:
        """Name everything that is not as it has to be, each with what to do about it."""
        if not self.is_valid:
            return [self._invalid()]
        # What a token of somebody else may do, and how long, means nothing here.
        return list(self._kind(wanted)) or [*self._permissions(), *self._ends(now)]

    def _invalid(self) -> Problem:
        code, subcode = self.error
        row = look_up(190 if code is None else code, subcode)
        return Problem(f"Facebook does not accept the token: {row.sentence}", row.next_step)

    def _kind(self, wanted: Wanted) -> Iterator[Problem]:
        if self.kind and self.kind != "PAGE":
            yield Problem(f"The token is not that of a Page, but of kind {self.kind}.", _RECONNECT)
        elif self.profile_id and self.profile_id != wanted.page_id:
            yield Problem(
                f"The token belongs to another Page ({self.profile_id}).",
                "Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.",
            )
        if self.app_id and self.app_id != wanted.app_id:
            yield Problem(
                f"The token was made with another app ({self.app_id}).",
                "Check FACEBOOK_APP_ID, or connect the Page again with this app.",
            )

    def _permissions(self) -> Iterator[Problem]:
        if self.scopes is None:
            yield Problem(
                "Facebook does not say which permissions the token has.",
                "Look at them in the token debugger on developers.facebook.com.",
                is_warning=True,
            )
            return
        missing = [scope for scope in NEEDED if scope not in self.scopes or scope in self.elsewhere]
        if missing:
            noun = "the permission" if len(missing) == 1 else "the permissions"
            yield Problem(f"The token lacks {noun} {' and '.join(missing)} for this Page.", f"Grant it. {_RECONNECT}")

    def _ends(self, now: datetime) -> Iterator[Problem]:
        if self.expires_at is not None:
            verb = "ran out" if self.expires_at <= now else "runs out"
            yield Problem(
                f"The token {verb} on {_shown(self.expires_at)}: it was made from a short-lived one.", _RECONNECT
            )
        at = self.data_access_expires_at
        if at is not None and at <= now:
            yield Problem(f"The app's access to the Page's data ran out on {_shown(at)}.", _RECONNECT)
        elif at is not None and at - now <= WARN_BEFORE:
            left = (at - now).days
            shown = f"{left} days" if left > 1 else "a day" if left == 1 else "hours"
            yield Problem(
                f"The app's access to the Page's data runs out in {shown}, on {_shown(at)}.",
                "Let whoever connected the Page log in to the app again before then.",
                is_warning=True,
            )


def not_understood() -> Problem:
    """Say that what came back tells nothing."""
    return Problem("Facebook could not be asked about the token: its answer cannot be understood.", _ASK_AGAIN)


def not_asked(reason: str) -> Problem:
    """Say that nothing came back, or a refusal."""
    return Problem(f"Facebook could not be asked about the token: {reason}", _ASK_AGAIN)


def problems_of_tasks(body: Any) -> list[Problem]:
    """Judge what a role on the Page lets one do, where Facebook says so."""
    tasks = body.get("tasks") if isinstance(body, dict) else None
    if not isinstance(tasks, list) or TASK in tasks:
        return []
    return [
        Problem(
            "Whoever connected the Page may not create content on it.",
            f"Give them a role with the task {TASK} on the Page, then connect it again.",
        )
    ]


def _shown(at: datetime) -> str:
    return when.show(at, "UTC")


def _text(value: Any) -> str:
    """Take an id or a word; ids come as numbers, too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value[:60] if isinstance(value, str) and value.replace("_", "").isalnum() and value.isascii() else ""


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(value: Any) -> datetime | None:
    """Read a Unix time; 0 stands for never."""
    seconds = int(value) if isinstance(value, str) and value.isdecimal() else _integer(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _scopes(data: Mapping[str, Any]) -> frozenset[str] | None:
    plain, granular = data.get("scopes"), [scope for scope, _ in _granular(data)]
    if not isinstance(plain, list) and not granular:
        return None
    return frozenset(scope for scope in (plain if isinstance(plain, list) else granular) if isinstance(scope, str))


def _scopes_elsewhere(data: Mapping[str, Any], page_id: str) -> frozenset[str]:
    """Give the permissions that hold for some Pages, this one not among them; no targets stand for all Pages."""
    return frozenset(scope for scope, targets in _granular(data) if targets and page_id not in targets)


def _granular(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    found = data.get("granular_scopes")
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return [
        (entry["scope"], [_text(target) for target in targets] if isinstance(targets, list) else [])
        for entry in entries
        if isinstance(entry.get("scope"), str)
        for targets in [entry.get("target_ids")]
    ]

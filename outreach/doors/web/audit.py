"""Audit: every action, newest first, and how far the history is sealed."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors.shapes import happened
from outreach.doors.web.frame import Site
from outreach.model import BadInput
from outreach.roles import Verb
from outreach.store import actions, seals
from outreach.store.actions import Wanted
from outreach.when import midnight

SERVICE = "-"
_MOST_DIGITS = 15
KINDS = {
    "Posts": (
        *("queue", "edit", "approve", "ask for changes", "comment", "pause", "resume", "move due time"),
        *("publish", "defer", "fail", "doubt", "confirm", "absolve", "hold", "release", "refuse", "miss"),
        *("cancel", "requeue", "retract", "draft", "discard"),
    ),
    "Channels": ("pause channel", "resume channel", "safe mode on", "safe mode off"),
    "Members of lists": (
        *("import members", "erase members", "ask to join", "ask to leave", "confirm request", "accept request"),
        *("decline request", "request done", "request lapsed", "note request", "erase request"),
    ),
    "Templates and settings": ("change template", "set wishes", "set approval"),
    "People": (
        *("log in", "log out", "invite", "withdraw invitation", "join", "set roles", "close account", "reopen account"),
        *("set password", "make reset link", "begin second factor", "end second factor"),
        *("make token", "revoke token"),
    ),
}
"""What can be looked for alone. Another kind is found by its name in the address."""


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/audit")
    def audit(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.AUDIT))]) -> Response:
        house, asked = site.house, dict(request.query_params)
        bad = None
        try:
            wanted = _read(asked, house.community.id, house.settings.OUTREACH_TIME_ZONE)
        except BadInput as trouble:
            wanted, bad = Wanted(house.community.id), trouble
        with house.store.read() as tx:
            page, seal = actions.page(tx, wanted), seals.latest(tx)
        status = 422 if bad else 200
        shown: dict[str, Any] = {"page": page, "seal": seal, "kinds": KINDS, "asked": asked, "said": said, "bad": bad}
        shown |= {"people": [one.email for one in house.access.people()], "further": _further(asked, page.before)}
        return site.draw(request, "audit.html", visitor, **shown, status_code=status)

    return router


_SAID = {
    "edit": "edited",
    "approve": "approved",
    "ask for changes": "changes asked for",
    "comment": "commented",
    "draft": "draft begun",
    "discard": "draft discarded",
    "pause channel": "channel paused",
    "resume channel": "channel resumed",
    "change template": "template changed",
    "set wishes": "wishes set",
    "set approval": "approval set",
    "log in": "logged in",
    "log out": "logged out",
    "invite": "invited",
    "withdraw invitation": "invitation withdrawn",
    "join": "joined",
    "set roles": "roles set",
    "close account": "account closed",
    "reopen account": "account reopened",
    "set password": "password set",
    "make reset link": "link for a new password made",
    "begin second factor": "second factor begun",
    "end second factor": "second factor ended",
    "make token": "token made",
    "revoke token": "token revoked",
}


def said(kind: str) -> str:
    """Say what happened in the words that people read."""
    return _SAID.get(kind) or happened(kind)


def _read(asked: dict[str, str], community: int, zone: str) -> Wanted:
    return Wanted(
        community=community,
        person=_plain(asked.get("person", "").lower()),
        kind=_plain(asked.get("kind", "")),
        since=_midnight(asked, "since", zone, days=0),
        until=_midnight(asked, "until", zone, days=1),
        before=_number(asked.get("before", "")),
    )


def _plain(given: str) -> str:
    return "".join(letter for letter in given.strip()[:200] if letter.isprintable())


def _midnight(asked: dict[str, str], name: str, zone: str, *, days: int) -> datetime | None:
    """Read a day; `until` counts to its end."""
    given = asked.get(name, "").strip()
    if not given:
        return None
    try:
        return midnight(date.fromisoformat(given) + timedelta(days=days), zone)
    except (ValueError, OverflowError):
        raise BadInput("A day is needed.", where=name, next_step="Write it such as 2026-12-01.") from None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS else None


def _further(asked: dict[str, str], before: int | None) -> str:
    if before is None:
        return ""
    kept = {name: asked[name] for name in ("person", "kind", "since", "until") if asked.get(name)}
    return f"/audit?{urlencode(kept | {'before': str(before)})}"

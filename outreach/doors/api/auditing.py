"""The audit, for programs: every action, newest first, and how far the history is sealed."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.api import reworded
from outreach.doors.api.cursors import Cursor, Limit
from outreach.doors.api.frame import Api
from outreach.doors.api.looking import At
from outreach.roles import Verb
from outreach.store import actions, seals
from outreach.store.actions import Action, Wanted
from outreach.store.seals import Seal

Word = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["running"])

    @router.get("/audit", summary="List every action, newest first")
    def audit(
        _who: Annotated[Visitor, Depends(api.gate.may(Verb.AUDIT))],
        person: Word = "",
        kind: Word = "",
        since: At = None,
        until: At = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> reworded.Audit:
        before = api.cursors.read_key("audit", cursor)
        wanted = Wanted(api.house.community.id, person.strip().lower(), kind.strip(), since, until, before)
        with api.house.store.read() as tx:
            page, seal = actions.page(tx, wanted, most=limit), seals.latest(tx)
        goes_on = None if page.before is None else api.cursors.make_key("audit", page.before)
        told = {"actions": [_action(each) for each in page.actions], "next": goes_on, "cut": page.is_cut}
        return reworded.Audit.of(told | {"seal": _seal(seal) if seal else None})

    return router


def _action(action: Action) -> dict[str, object]:
    return asdict(action) | {"at": shapes.instant(action.at)}


def _seal(seal: Seal) -> dict[str, object]:
    told = {"id": seal.id, "sha256": seal.sha256, "at": shapes.instant(seal.at)}
    return told | {"last_event": max(0, seal.last_event), "last_sighting": max(0, seal.last_sighting)}

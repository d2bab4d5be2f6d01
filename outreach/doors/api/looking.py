"""Looking, for programs: the queue, the history, one announcement, what posts send, and how the install stands."""

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BeforeValidator

from outreach.access import Visitor
from outreach.access.managing import SCOPES
from outreach.doors import shapes
from outreach.doors.api import kept, told
from outreach.doors.api.cursors import Cursor, Limit
from outreach.doors.api.frame import Api, Number
from outreach.doors.api.problems import Problem
from outreach.doors.api.told import State_
from outreach.lifecycle import is_history
from outreach.model import Post, State
from outreach.roles import Verb
from outreach.store import figures, slices
from outreach.store.posts import HistoryFilter

_WAYS_BACK = "Look for it in the queue and the history."
Words = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _no_number(given: object) -> object:
    if isinstance(given, str) and not given[:5].endswith("-"):
        raise ValueError("write an instant such as 2026-12-01T00:00:00Z")
    return given


At = Annotated[
    AwareDatetime | None,
    BeforeValidator(_no_number),
    Query(description="an instant with its zone, such as 2026-12-01T00:00:00Z"),
]


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["looking"])
    _add_lists(router, api)
    _add_announcement(router, api)
    _add_standing(router, api)
    return router


def _add_lists(router: APIRouter, api: Api) -> None:
    @router.get("/queue", summary="List what goes out next and what needs a person")
    def queue(
        _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))], limit: Limit = 50, cursor: Cursor = None
    ) -> told.Posts:
        after = api.cursors.read("queue", cursor)
        with api.house.store.read() as tx:
            found = slices.open_after(tx, api.house.community.id, after, most=limit + 1)
        return _slice(api, "queue", found, limit)

    @router.get("/history", summary="List what was attempted or came to rest, latest due first")
    def history(
        _who: Annotated[Visitor, Depends(api.gate.may(Verb.READ))],
        wanted: Annotated[HistoryFilter, Depends(_filter)],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> told.Posts:
        below = api.cursors.read_key("history", cursor)
        page = api.desk.look_back(replace(wanted, limit=limit), below=below).page
        goes_on = None if page.older is None else api.cursors.make_key("history", page.older)
        return told.Posts.of({"posts": shapes.posts(gone.post for gone in page.rows), "next": goes_on})

    @router.get("/approvals", summary="List what waits for an approval")
    def approvals(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> told.Posts:
        return told.Posts.of({"posts": shapes.posts(api.desk.waiting_for_approval()), "next": None})


def _filter(
    search: Words = None, since: At = None, until: At = None, channel: Words = None, state: State_ | None = None
) -> HistoryFilter:
    return HistoryFilter(
        search=search, since=since, until=until, channel=channel, state=State(state) if state else None
    )


def _slice(api: Api, purpose: str, found: list[Post], limit: int) -> told.Posts:
    shown = found[:limit]
    goes_on = api.cursors.make(purpose, shown[-1]) if len(found) > limit else None
    return told.Posts.of({"posts": shapes.posts(shown), "next": goes_on})


def _add_announcement(router: APIRouter, api: Api) -> None:
    @router.get("/announcements/{number}", summary="Show an announcement, its posts and all that happened to them")
    def show(number: Number, who: Annotated[Visitor, Depends(api.gate.may(Verb.READ))]) -> told.Shown:
        version = api.latest(number)
        about, every = api.desk.show(str(number))
        found = [(post, entries) for post, entries in every if who.may(Verb.LOOK) or is_history(post)]
        if not found and not who.may(Verb.LOOK):
            raise Problem("not-there", f"There is no announcement {number}.", "number", _WAYS_BACK)
        checks, comments = api.desk.checks(), api.desk.first_comments([post for post, _ in found])
        reach = api.desk.reach_of([post.id for post, _ in found])
        posts = [
            shapes.post(post)
            | shapes.checked(checks.get(post.id))
            | shapes.first_comment(comments.get(post.id))
            | {"if_sent_again": api.desk.if_sent_again(post), "history": [shapes.entry(entry) for entry in entries]}
            | {"figures": shapes.figures(reach.get(post.id))}
            for post, entries in found
        ]
        return told.Shown.of({"announcement": shapes.announcement(about), "posts": posts, "base": version.key})

    @router.get("/announcements/{number}/versions", summary="Show every revision of an announcement, oldest first")
    def versions(number: Number, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> told.Versions:
        api.latest(number)
        found = [
            {
                "revision": version.revision,
                "base": version.key,
                "letter": version.letter,
                "written_by": version.person,
                "at": shapes.instant(version.at),
            }
            for version in api.desk.versions(number)
        ]
        return told.Versions.of({"versions": found})

    @router.get("/announcements/{number}/preview", summary="Show exactly what the posts of an announcement send")
    def preview(
        number: Number, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))], channel: Words = None
    ) -> told.Previews:
        api.latest(number)
        if not api.desk.find(str(number)):
            return told.Previews(previews=[])
        return api.previews(api.desk.preview(str(number), channel=channel))


def _add_standing(router: APIRouter, api: Api) -> None:
    house = api.house

    @router.get("/me", summary="Say who calls and what the token allows")
    def me(who: Annotated[Visitor, Depends(api.gate.may(Verb.READ, *SCOPES))]) -> kept.Me:
        return kept.Me.of_visitor(who, house.community.name)

    @router.get("/figures", summary="Tell how the install stands in a few figures")
    def figures_(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> kept.Figures:
        with house.store.read() as tx:
            found = figures.read(tx, house.clock.now())
        problems = list(found.problems())
        shape = {"ok": not problems, "problems": problems} | asdict(found)
        shape["seconds_since_the_last_beat"] = shape.pop("since_beat_s")
        return kept.Figures.of(shape)

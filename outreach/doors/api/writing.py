"""Writing, for programs: announcements queued, edited and taken back, drafts, and previews of letters."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from outreach.access import Visitor
from outreach.desk import Place
from outreach.desk import Saved as SavedDraft
from outreach.doors import shapes
from outreach.doors.api import asked, told
from outreach.doors.api.frame import Api, Number
from outreach.doors.api.looking import Words
from outreach.doors.api.once import Call, Done
from outreach.doors.api.problems import standing
from outreach.model import BadInput
from outreach.roles import Verb


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["writing"])
    _add_announcements(router, api)
    _add_taking_back(router, api)
    _add_drafts(router, api)
    _add_changes_of_drafts(router, api)
    _add_preview(router, api)
    return router


def _add_announcements(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements",
        status_code=201,
        response_model=told.Added,
        summary="Queue an announcement, or keep it as a draft",
        responses={409: {"description": "It is queued already: `announcement` says as which."}},
    )
    def add(wanted: asked.NewAnnouncement, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Added:
            letter = wanted.read()
            if wanted.draft:
                return _added(api, api.desk.draft(letter, person=call.person, source=call.source).announcement)
            added = api.desk.add(letter, folder=api.house.media, person=call.person, source=call.source)
            return told.Added.of(shapes.added(added))

        done = Done(call.sign("queue", "draft", note=call.source), lambda number: _added(api, number))
        return api.do(call, work, status=201, done=done)

    @router.put("/announcements/{number}", summary="Change what is queued; it voids an approval")
    def edit(
        number: Number, wanted: asked.Edit, who: Annotated[Visitor, Depends(api.gate.may(Verb.WRITE))]
    ) -> told.Added:
        api.latest(number)
        place = Place(number, wanted.base)
        return told.Added.of(
            shapes.added(api.desk.edit(place, wanted.read(), folder=api.house.media, person=who.email))
        )


def _add_taking_back(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/move",
        response_model=told.Added,
        summary="Give queued posts another time; it voids an approval",
    )
    def move(number: Number, wanted: asked.Moved, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Added:
            api.check_base(number, wanted.base)
            name = f"{number}/{wanted.channel}" if wanted.channel else str(number)
            moved = api.desk.move_to(name, wanted.wall_time, base=wanted.base, person=call.person)
            return told.Added.of(shapes.added(moved))

        return api.do(call, work)

    @router.post(
        "/announcements/{number}/undo",
        response_model=told.Saved,
        summary="Take back what was queued and not tried yet; its text is a new draft",
    )
    def undo(number: Number, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Saved:
            api.latest(number)
            try:
                return _saved(api.desk.undo(number, person=call.person))
            except BadInput as bad:
                raise standing(bad) from None

        return api.do(call, work)


def _add_drafts(router: APIRouter, api: Api) -> None:
    @router.get("/drafts", summary="List the drafts, latest touched first")
    def drafts(_who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> told.Drafts:
        found = [shapes.entry(row) for row in api.desk.drafts()]
        return told.Drafts.of({"drafts": [{"announcement": row.pop("id")} | row for row in found]})

    @router.post("/drafts", status_code=201, response_model=told.Saved, summary="Begin a draft, however unfinished")
    def begin(wanted: asked.NewDraft, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Saved:
            letter = wanted.read(unfinished=True)
            return _saved(api.desk.save_draft(letter, person=call.person, source=call.source))

        done = Done(call.sign("draft", note=call.source), lambda number: _saved(_as_kept(api, number)))
        return api.do(call, work, status=201, done=done)

    @router.post("/collations", status_code=201, response_model=told.Saved, summary="Put several drafts into one mail")
    def collate(of: asked.OfDrafts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Saved:
            return _saved(api.desk.collate(of.drafts, title=of.title, person=call.person))

        return api.do(call, work, status=201)

    @router.put("/drafts/{number}/weekly", summary="Let a draft wait for the weekly mail")
    def mark(number: Number, who: Annotated[Visitor, Depends(api.gate.may(Verb.WRITE))]) -> told.Saved:
        api.latest(number)
        try:
            api.desk.mark_weekly(number, person=who.email)
        except BadInput as bad:
            raise standing(bad) from None
        return _saved(_as_kept(api, number))

    @router.delete("/drafts/{number}/weekly", summary="Let a draft wait for the weekly mail no more")
    def unmark(number: Number, _who: Annotated[Visitor, Depends(api.gate.may(Verb.WRITE))]) -> told.Saved:
        api.latest(number)
        api.desk.unmark_weekly(number)
        return _saved(_as_kept(api, number))

    @router.put("/drafts/{number}", summary="Save a draft on top of the text that was read")
    def save(
        number: Number, wanted: asked.Edit, who: Annotated[Visitor, Depends(api.gate.may(Verb.WRITE))]
    ) -> told.Saved:
        api.latest(number)
        letter = wanted.read(unfinished=True)
        try:
            return _saved(api.desk.save_draft(letter, place=Place(number, wanted.base), person=who.email))
        except BadInput as bad:
            raise standing(bad) from None


def _add_changes_of_drafts(router: APIRouter, api: Api) -> None:
    @router.post(
        "/drafts/{number}/queue",
        status_code=201,
        response_model=told.Added,
        summary="Queue a draft with the letter that is sent, which becomes its next revision",
    )
    def queue(number: Number, wanted: asked.Edit, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Added:
            api.check_base(number, wanted.base)
            letter = wanted.read()
            folder, source = api.house.media, call.source
            added = api.desk.add(letter, folder=folder, person=call.person, source=source, of_draft=number)
            return told.Added.of(shapes.added(added))

        done = Done(call.sign("queue", note=call.source), lambda known: _added(api, known))
        return api.do(call, work, status=201, done=done)

    @router.delete("/drafts/{number}", summary="Take a draft out of sight; its text stays in the history")
    def discard(number: Number, who: Annotated[Visitor, Depends(api.gate.may(Verb.WRITE))]) -> told.Saved:
        api.latest(number)
        try:
            api.desk.discard(number, person=who.email)
        except BadInput as bad:
            raise standing(bad) from None
        return _saved(_as_kept(api, number))


def _add_preview(router: APIRouter, api: Api) -> None:
    @router.post(
        "/preview",
        response_model=told.Previews,
        summary="Show exactly what a letter would send, without keeping anything of it",
    )
    def preview(
        wanted: asked.NewDraft,
        call: Annotated[Call, Depends(api.posts(Verb.WRITE))],
        channel: Words = None,
    ) -> Response:
        def work() -> told.Previews:
            letter = wanted.read()
            return api.previews(api.desk.preview_letter(letter, folder=api.house.media, channel=channel))

        return api.do(call, work)


def _added(api: Api, number: int) -> told.Added:
    return told.Added.of(
        {"announcement": number, "posts": shapes.posts(api.desk.find(str(number))), "notes": list[str]()}
    )


def _as_kept(api: Api, number: int) -> SavedDraft:
    version = api.latest(number)
    return SavedDraft(number, version.key, version.revision)


def _saved(of: SavedDraft) -> told.Saved:
    return told.Saved(announcement=of.number, base=of.base, revision=of.revision)

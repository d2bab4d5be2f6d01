"""Writing: drafts that save themselves, from a template or freely, by one person or several at once."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.desk import ChangedMeanwhile, Saved
from outreach.doors.web.frame import NotThere, Number, Posted, Site
from outreach.doors.web.letter_form import Typed, TypedPicture, TypedTime, placed
from outreach.doors.web.sheet import NEW, Sheet, Writer
from outreach.model import BadInput, FollowKind, Letter
from outreach.roles import Verb


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router, sheet = APIRouter(), Sheet(site)
    _add_collating(router, site)  # before an address of which `collate` could be the number
    _add_beginning(router, site, sheet)
    _add_looking(router, site, sheet)
    _add_saving(router, site, sheet)
    _add_two_texts(router, site, sheet)
    _add_company(router, site, sheet)
    return router


def _add_beginning(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.get("/write")
    def begin(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.WRITE))]) -> Response:
        broken: BadInput | None = None
        templates = []
        try:
            names = site.house.library.names()
            templates = [found for name in names if (found := sheet.template(name))]
        except BadInput as bad:
            broken = bad
        about = {"templates": templates, "broken": broken, "chosen": ()}
        return site.draw(request, "write.html", visitor, **about, **_drafts(site))

    @router.get("/write/new")
    def new(
        request: Request,
        visitor: Annotated[Visitor, Depends(site.may(Verb.WRITE))],
        template: str = "",
        corrects: str = "",
        retracts: str = "",
    ) -> Response:
        if corrects or retracts:
            return sheet.draw(Writer(request, visitor), sheet.laid_out(_following(site, corrects, retracts)))
        if template and sheet.template(template) is None:
            step = "Choose one from the list."
            raise NotThere("There is no such template, or it cannot be used.", next_step=step)
        letter = Letter(template=template or None)
        return sheet.draw(Writer(request, visitor), sheet.laid_out(letter))

    @router.get("/write/{where}")
    def go_on(request: Request, where: str, visitor: Annotated[Visitor, Depends(site.may(Verb.WRITE))]) -> Response:
        number = sheet.number(where)
        assert number is not None
        posts = sheet.posts(number)
        base = site.house.desk.latest(number).key
        if posts and not site.house.desk.editable(posts):
            return site.draw(request, "write-over.html", visitor, number=number, posts=posts)
        typed = sheet.laid_out(site.house.desk.letter_of(number))
        return sheet.draw(Writer(request, visitor, number, base), typed)

    @router.post("/write/{where}/discard")
    def discard(where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        number = sheet.number(where)
        if number is None:
            raise NotThere("There is no such draft.")
        site.house.desk.discard(number, person=form.visitor.email)
        return site.go("/write", notice=f"Draft {number} is discarded. Its text stays in the history.")


def _add_collating(router: APIRouter, site: Site) -> None:
    @router.post("/write/collate")
    def collate(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        chosen = [int(text) for text in form.texts("draft") if text.isascii() and text.isdecimal() and len(text) < 16]
        try:
            saved = site.house.desk.collate(chosen, person=form.visitor.email)
        except BadInput as bad:
            about = {"templates": (), "broken": None, "chosen": chosen, "bad": bad, **_drafts(site)}
            return site.draw(request, "write.html", form.visitor, **about, status_code=422)
        return site.go(f"/write/{saved.number}", notice="They are one draft now. Read it through, and queue it.")

    @router.post("/write/{number}/weekly")
    def mark(number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        desk = site.house.desk
        try:
            if form.text("weekly") == "no":
                desk.unmark_weekly(number)
                return site.go("/write", notice=f"Draft {number} waits for the weekly mail no more.")
            desk.mark_weekly(number, person=form.visitor.email)
        except BadInput as bad:
            raise NotThere(bad.message, next_step=bad.next_step) from None
        return site.go("/write", notice=f"Draft {number} waits for the weekly mail.")


def _drafts(site: Site) -> dict[str, object]:
    house, when = site.house, site.house.settings.weekly_mail
    waiting = {each.number: each for each in house.desk.waiting_for_weekly()} if when else {}
    due_at = when.next_due(house.clock.now(), house.settings.OUTREACH_TIME_ZONE) if when else None
    return {"drafts": house.desk.drafts(), "weekly_at": due_at, "weekly": waiting}


def _following(site: Site, corrects: str, retracts: str) -> Letter:
    wanted, kind = (corrects, FollowKind.CORRECTION) if corrects else (retracts, FollowKind.RETRACTION)
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 16 else 0
    try:
        return site.house.desk.follow_up(number, kind)
    except BadInput as bad:
        raise NotThere(bad.message, next_step=bad.next_step) from None


def _add_looking(router: APIRouter, site: Site, sheet: Sheet) -> None:
    """What changes the sheet alone: nothing of it is kept."""

    @router.post("/write/preview")
    def preview(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        where = form.text("number") or NEW
        writer = sheet.writer(request, form, where)
        return Response(sheet.previews(writer, sheet.typed(form)), media_type="text/html")

    @router.post("/write/differences")
    def differences(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        told = sheet.differences(sheet.typed(form))
        return site.draw(request, "_write_differences.html", form.visitor, differences=told)

    @router.post("/write/{where}/form")
    def again(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer, typed = sheet.writer(request, form, where), sheet.typed(form)
        try:
            typed = sheet.with_uploads(form, typed)
        except BadInput as bad:
            return sheet.draw(writer, typed, bad=bad, status=422)
        return sheet.draw(writer, _done(typed, form.text("do"), sheet))


def _done(typed: Typed, wish: str, sheet: Sheet) -> Typed:
    """Do to the sheet what a button of it asks for; for who has no JavaScript."""
    verb, _, what = wish.partition(":")
    if verb in ("up", "down", "remove"):
        return replace(typed, pictures=_moved(typed.pictures, verb, what))
    if verb == "at":
        date, _, time = what.partition(" ")
        return replace(typed, at=TypedTime(date, time), zone=sheet.zone)
    return typed


def _moved(pictures: tuple[TypedPicture, ...], verb: str, file: str) -> tuple[TypedPicture, ...]:
    order = list(pictures)
    at = next((n for n, picture in enumerate(order) if picture.file == file), None)
    if at is None:
        return pictures
    picture = order.pop(at)
    if verb != "remove":
        order.insert(max(0, at + (1 if verb == "down" else -1)), picture)
    return tuple(order)


def _add_saving(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/save")
    def save(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer, typed = sheet.writer(request, form, where), sheet.typed(form)
        by_itself = "HX-Request" in request.headers
        try:
            typed = sheet.with_uploads(form, typed)
            saved = kept(sheet, writer, typed)
        except ChangedMeanwhile as changed:
            if by_itself:
                return site.draw(request, "_write_changed.html", form.visitor, theirs=changed.theirs, status_code=409)
            return sheet.both(writer, typed, changed)
        except BadInput as bad:
            if by_itself:
                about = placed(bad, typed, sheet.template(typed.template))
                return site.draw(request, "_trouble.html", form.visitor, bad=about, status_code=422)
            return sheet.draw(writer, typed, bad=bad, status=422)
        if by_itself:
            return site.draw(request, "_write_saved.html", form.visitor, saved=saved, now=sheet.now())
        return site.go(f"/write/{saved.number}", notice="The draft is saved.")


def kept(sheet: Sheet, writer: Writer, typed: Typed) -> Saved:
    """Save a draft. Raises `BadInput`, among it `ChangedMeanwhile`."""
    return sheet.desk.save_draft(sheet.letter(typed), place=writer.place, person=writer.visitor.email)


def _add_two_texts(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/theirs")
    def take_theirs(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer, typed = sheet.writer(request, form, where), sheet.typed(form)
        mine = sheet.desk.save_draft(sheet.letter(typed), person=form.visitor.email)
        said = f"This is the other text. Yours is kept as draft {mine.number}."
        return site.go(writer.path, notice=said)


def _add_company(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/here")
    def here(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        number = sheet.number(where)
        if number is None:
            return Response(status_code=204)
        others = site.house.desk.also_writing(number, person=form.visitor.email)
        latest = site.house.desk.latest(number)
        newer = latest if latest.key != form.text("base") else None
        return site.draw(request, "_write_here.html", form.visitor, others=others, newer=newer, number=number)

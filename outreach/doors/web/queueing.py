"""From a sheet into the queue: a last look at what will happen, the one button that does it, and the way back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach import letter as letters
from outreach.access import Visitor
from outreach.desk import NOWHERE, UNDO_FOR, AlreadyQueued, ChangedMeanwhile
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.doors.web.letter_form import Typed
from outreach.doors.web.sheet import Sheet, Writer
from outreach.doors.web.writing import kept
from outreach.model import BadInput, Letter, Post, State
from outreach.roles import Verb


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router, sheet = APIRouter(), Sheet(site)
    _add_review(router, site, sheet)
    _add_queue(router, site, sheet)
    _add_edit(router, site, sheet)
    _add_afterwards(router, site, sheet)
    return router


def _add_review(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/review")
    def review(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer, typed = sheet.writer(request, form, where), sheet.typed(form)
        try:
            typed = sheet.with_uploads(form, typed)
            if not sheet.posts(writer.number):
                saved = kept(sheet, writer, typed)
                writer = Writer(request, form.visitor, saved.number, saved.base)
            elif writer.base != site.house.desk.latest(writer.number or 0).key:
                raise ChangedMeanwhile(site.house.desk.latest(writer.number or 0))
            return _looked_over(sheet, writer, typed)
        except ChangedMeanwhile as changed:
            return sheet.both(writer, typed, changed)
        except BadInput as bad:
            return sheet.draw(writer, typed, bad=bad, status=422)


def _looked_over(sheet: Sheet, writer: Writer, typed: Typed) -> Response:
    """Draw the last look. Raises `BadInput` for what cannot be queued as it is."""
    letter = _somewhere(sheet.letter(typed))
    is_edit = bool(sheet.posts(writer.number))
    plan = sheet.desk.plan(letter, number=writer.number if is_edit else None)
    sheet.desk.preview_letter(letter, folder=NOWHERE)
    about = {
        "writer": writer,
        "letter": letter,
        "title": sheet.desk.title_of(letter),
        "whole": letters.show(letter),
        "plan": plan,
        "going": _grouped(
            [(g.channel, g.due.due_at if g.due else None, g.due.time_zone if g.due else "") for g in plan.goes]
        ),
        "undo_min": UNDO_FOR // timedelta(minutes=1),
        "is_edit": is_edit,
        "previews": sheet.previews(writer, typed, check_now=True),
    }
    return sheet.site.draw(writer.request, "write-review.html", writer.visitor, **about)


def _grouped(goes: Sequence[tuple[str, datetime | None, str]]) -> list[tuple[list[str], datetime | None, str]]:
    """Put channels with the same time together, the earliest first; what goes as soon as it can comes before all."""
    groups: dict[tuple[datetime | None, str], list[str]] = {}
    for channel, at, zone in goes:
        groups.setdefault((at, zone), []).append(channel)
    ordered = sorted(groups.items(), key=lambda group: group[0][0].timestamp() if group[0][0] else 0)
    return [(names, at, zone) for (at, zone), names in ordered]


def _add_queue(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/queue")
    def queue(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer = sheet.writer(request, form, where)
        if writer.place is None:
            raise NotThere("There is no such draft.", next_step="Write one first.")
        desk, number = site.house.desk, writer.place.number
        letter = desk.letter_of(number)
        try:
            desk.add(desk.with_time_to_undo(letter), folder=NOWHERE, person=form.visitor.email, of_draft=writer.place)
        except ChangedMeanwhile as changed:
            return _changed_before(sheet, writer, changed)
        except AlreadyQueued as there:
            if there.number != number:
                return sheet.draw(writer, sheet.laid_out(letter), bad=there, status=409)
        except BadInput as bad:
            return sheet.draw(writer, sheet.laid_out(letter), bad=bad, status=422)
        return site.go(f"/write/{number}/queued")


def _changed_before(sheet: Sheet, writer: Writer, changed: ChangedMeanwhile) -> Response:
    """Nothing was queued: what was looked over is not what the draft says now. That text is among its revisions."""
    bad = BadInput(changed.message, where="body", next_step="Nothing was queued. Read it again before you queue it.")
    now = Writer(writer.request, writer.visitor, writer.number, changed.theirs.key)
    typed = sheet.laid_out(letters.parse(changed.theirs.letter, is_draft=True))
    return sheet.draw(now, typed, bad=bad, status=409)


def _add_edit(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.post("/write/{where}/edit")
    def edit(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        writer, typed = sheet.writer(request, form, where), sheet.typed(form)
        if writer.place is None:
            raise NotThere("There is no such announcement.")
        try:
            letter = _somewhere(site.house.desk.with_time_to_undo(sheet.letter(typed)))
            site.house.desk.edit(writer.place, letter, folder=NOWHERE, person=form.visitor.email)
        except ChangedMeanwhile as changed:
            return sheet.both(writer, typed, changed)
        except BadInput as bad:
            return sheet.draw(writer, typed, bad=bad, status=422)
        return site.go(f"/write/{writer.place.number}/queued", notice="Your changes are saved.")


def _somewhere(letter: Letter) -> Letter:
    """Refuse a letter that names no channel: elsewhere that means all of them, on the page nobody meant that."""
    if not letter.to:
        raise BadInput("No channel is chosen.", where="to", next_step="Choose where it goes.")
    return letter


def _add_afterwards(router: APIRouter, site: Site, sheet: Sheet) -> None:
    @router.get("/write/{where}/queued")
    def queued(request: Request, where: str, visitor: Annotated[Visitor, Depends(site.may(Verb.WRITE))]) -> Response:
        number = sheet.number(where)
        posts = sheet.posts(number)
        if number is None or not posts:
            return site.go(f"/write/{where}")
        still = [post for post in posts if post.state is State.QUEUED]
        about = {
            "number": number,
            "title": posts[0].title,
            "revision": site.house.desk.latest(number).revision,
            "going": _grouped([(post.channel, post.due_at, post.time_zone) for post in still]),
            "stays": [post for post in posts if post.state not in (State.QUEUED, State.CANCELLED)],
            "waits_for_approval": any(not post.approved for post in still),
            "can_undo": _all_untried(posts),
            "first_at": min((post.due_at for post in still), default=None),
        }
        return site.draw(request, "write-queued.html", visitor, **about)

    @router.post("/announcements/{where}/undo")
    def undo(request: Request, where: str, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        number = sheet.number(where)
        if number is None:
            raise NotThere("There is no such announcement.")
        try:
            _refuse_a_later_text(site, number, form.text("revision"))
            draft = site.house.desk.undo(number, person=form.visitor.email)
        except BadInput as bad:
            return site.draw(request, "trouble.html", form.visitor, bad=bad, status_code=409)
        return site.go(f"/write/{draft.number}", notice="Nothing of it goes out. It is a draft again.")


def _refuse_a_later_text(site: Site, number: int, shown: str) -> None:
    """A browser left open shows an earlier text: what was queued since then is not its to take back."""
    latest = site.house.desk.latest(number).revision
    if shown and shown != str(latest):
        raise BadInput(f"Announcement {number} was changed meanwhile.", next_step="Look at how it stands now.")


def _all_untried(posts: Sequence[Post]) -> bool:
    return all(post.state is State.QUEUED and post.attempt == 0 for post in posts)

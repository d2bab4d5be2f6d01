"""Approving: the inbox of what waits, and one announcement as its approver sees it, with the decisions about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from outreach import difference
from outreach.access import Visitor
from outreach.desk.approving import NotAsShown, OwnRevision, Review, Side
from outreach.doors.web.frame import NotThere, Number, Posted, Site
from outreach.lifecycle import MOVES
from outreach.model import BadInput, Letter, Move, State
from outreach.roles import Role, Verb
from outreach.store import people
from outreach.store.waiting import Place, Waiting

_AT_ONCE = 50
_MOST_DIGITS = 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TO_COME = frozenset({State.QUEUED, State.PUBLISHING, *MOVES[Move.REQUEUE][0]})
_KINDS = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif", ".bmp": "image/bmp", ".tiff": "image/tiff"}


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_inbox(router, site)
    _add_review(router, site)
    _add_decisions(router, site)
    _add_pause(router, site)
    return router


# The inbox


def _add_inbox(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.get("/approvals")
    def inbox(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))], after: str = "") -> Response:
        part = desk.to_be_approved(after=_read_place(after), limit=_AT_ONCE)
        found = part.found
        shown = {
            "found": found,
            "state": {each.announcement: _standing(each, visitor) for each in found},
            "later": _write_place(part.further) if part.further else "",
            "is_later": bool(after),
            "is_asked_for": desk.asks_for_approval(),
            "has_approvers": _has_approvers(site),
            "has_mail": bool(site.house.settings.SMTP_HOST),
            "now": site.house.clock.now(),
        }
        return site.draw(request, "approvals.html", visitor, **shown)


def _standing(each: Waiting, visitor: Visitor) -> str:
    """Say in a word whose turn it is."""
    if each.is_back_with_its_author:
        return "asked"
    if each.asked is not None:
        return "answered"
    return "own" if _is_own(each.written_by, visitor) else "new"


def _is_own(author: str | None, visitor: Visitor) -> bool:
    return (author or "").casefold() == visitor.email.casefold()


def _has_approvers(site: Site) -> bool:
    with site.house.store.read() as tx:
        return bool(people.with_role(tx, site.house.community.id, Role.APPROVER))


def _write_place(where: Place) -> str:
    at, number = where
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{number}"


def _read_place(text: str) -> Place | None:
    at, _, number = text.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) <= _MOST_DIGITS for part in (at, number)):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(at)), int(number)
    except OverflowError:
        return None


# One announcement


def _add_review(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.get("/approvals/{number}")
    def review(request: Request, number: Number, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        found = _review(site, number, visitor)
        response = _draw(site, request, visitor, found)
        if "prefetch" not in request.headers.get("sec-purpose", ""):
            desk.saw(number, found.about["revision"], person=visitor.email, sides=found.sides)
        return response

    @router.get("/approvals/{number}/pictures/{sha256}")
    def picture(number: Number, sha256: str, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        found = _review(site, number, visitor)
        every = (p for side in found.sides for p in side.content.pictures if p.sha256 == sha256)
        wanted = next(every, None)
        # The name was made by us of the picture's own bytes; of whatever else may stand there only the last part counts.
        file = site.house.media / Path(wanted.path).name if wanted else None
        if file is None or not file.is_file() or file.suffix not in _KINDS:
            raise NotThere("There is no such picture.")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        return Response(file.read_bytes(), media_type=_KINDS[file.suffix], headers=headers)


def _review(site: Site, number: int, visitor: Visitor) -> Review:
    try:
        return site.house.desk.review(number, person=visitor.email)
    except BadInput as bad:
        raise NotThere(bad.message, next_step="Look at what waits, or into the queue.") from None


def _draw(
    site: Site, request: Request, visitor: Visitor, of: Review, *, bad: BadInput | None = None, said: str = ""
) -> Response:
    status = (
        200 if bad is None else 409 if isinstance(bad, NotAsShown) else 403 if isinstance(bad, OwnRevision) else 422
    )
    about, coming = of.about, [side for side in of.sides if side.post.state in _TO_COME]
    shown = {
        "about": about,
        "review": of,
        "coming": coming,
        "others": [side for side in of.sides if side not in coming],
        "changes": {side.post.id: _difference(side) for side in coming},
        "facts": _facts(of.before, of.letter) if of.before else [],
        "is_own": _is_own(about["written_by"], visitor),
        "is_approved": about["approved_revision"] == about["revision"],
        "approved_by": _called(site, about["approved_by"]),
        "is_open": any(side.post.state is not State.PUBLISHING for side in coming),
        "queued": [side.post for side in coming if side.post.state is State.QUEUED],
        "has_mail": bool(site.house.settings.SMTP_HOST),
        "now": site.house.clock.now(),
        "bad": bad,
        "said": said,
        "status_code": status,
    }
    return site.draw(request, "approval.html", visitor, **shown)


def _called(site: Site, person: int | None) -> str | None:
    if person is None:
        return None
    with site.house.store.read() as tx:
        found = people.by_id(tx, site.house.community.id, person)
    return found.called if found else None


def _difference(side: Side) -> list[difference.Part] | None:
    """Give what changed in the text; None where it says the same, or was not there before."""
    if side.before is None or side.before.text == side.content.text:
        return None
    return difference.between(side.before.text, side.content.text)


def _facts(before: Letter, after: Letter) -> list[tuple[str, str, str]]:
    """Name what changed beside the text, as it was and as it is."""
    told: list[tuple[str, Callable[[Letter], str]]] = [
        ("Title", lambda letter: letter.title),
        ("Time", _time),
        ("Channels", lambda letter: ", ".join(letter.to) or "all"),
        ("Link", lambda letter: letter.link or "none"),
        (
            "Pictures",
            lambda letter: "; ".join(f"{p.file} ({p.alt or 'decorative'})" for p in letter.pictures) or "none",
        ),
        ("Not after", lambda letter: letter.not_after or "no limit"),
        ("Grace", lambda letter: letter.grace or "as usual"),
        ("First comment", lambda letter: letter.first_comment or "none"),
        ("Video", lambda letter: " ".join(filter(None, (letter.video, letter.video_title, letter.captions))) or "none"),
        ("Place on Facebook", lambda letter: letter.page_place or "none"),
        ("Who can see it", lambda letter: ", ".join(letter.targeting) or "everybody"),
    ]
    return [(name, say(before), say(after)) for name, say in told if say(before) != say(after)]


def _time(letter: Letter) -> str:
    own = "".join(f"; {channel}: {at}" for channel, at in letter.times)
    return f"{letter.at or 'none'}{f' {letter.zone}' if letter.zone else ''}{own}"


# Decisions


def _add_decisions(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.post("/approvals/{number}/approve")
    def approve(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.APPROVE))]
    ) -> Response:
        def decide(revision: int, shown: str) -> str:
            changed = desk.approve(number, revision=revision, shown=shown, person=form.visitor.email)
            return " ".join(["You approved it.", *(note.partition(" Send it after all")[0] for note in changed.notes)])

        return _decided(site, request, number, form, decide)

    @router.post("/approvals/{number}/changes")
    def ask_for_changes(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.APPROVE))]
    ) -> Response:
        def decide(revision: int, shown: str) -> str:
            said, by = form.text("comment"), form.visitor.email
            desk.ask_for_changes(number, revision=revision, said=said, person=by, shown=shown)
            return "You asked for changes. Nothing of it goes out before it is approved."

        return _decided(site, request, number, form, decide)

    def say(request: Request, number: int, form: Posted) -> Response:
        def decide(revision: int, _shown: str) -> str:
            desk.comment(number, said=form.text("comment"), person=form.visitor.email, revision=revision)
            return "Your comment is kept."

        return _decided(site, request, number, form, decide, to=f"/approvals/{number}")

    @router.post("/approvals/{number}/comment")
    def comment(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.APPROVE))]
    ) -> Response:
        return say(request, number, form)

    @router.post("/approvals/{number}/answer")
    def answer(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        return say(request, number, form)


def _add_pause(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    def set_paused(request: Request, number: int, form: Posted, paused: bool) -> Response:
        def decide(revision: int, shown: str) -> str:
            found = desk.review(number, person=form.visitor.email)
            if (found.about["revision"], found.shown) != (revision, shown):
                raise NotAsShown("It is not as it was shown to you any more.", next_step="Look at it as it is now.")
            (desk.pause if paused else desk.resume)(str(number), person=form.visitor.email)
            return "It is paused: it does not go out until somebody lets it go on." if paused else "It may go on."

        return _decided(site, request, number, form, decide, to=f"/approvals/{number}")

    @router.post("/approvals/{number}/pause")
    def pause(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.APPROVE))]) -> Response:
        return set_paused(request, number, form, True)

    @router.post("/approvals/{number}/resume")
    def resume(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.APPROVE))]
    ) -> Response:
        return set_paused(request, number, form, False)


def _decided(
    site: Site,
    request: Request,
    number: int,
    form: Posted,
    decide: Callable[[int, str], str],
    *,
    to: str = "/approvals",
) -> Response:
    """Do what was decided about the revision that was shown; what is refused is drawn again with what was typed."""
    found = _review(site, number, form.visitor)
    try:
        done = decide(form.number("revision"), form.text("shown"))
    except BadInput as bad:
        now = _review(site, number, form.visitor)
        return _draw(site, request, form.visitor, now, bad=bad, said=form.text("comment"))
    return site.go(to, notice=f"“{found.about['title']}”: {done}")

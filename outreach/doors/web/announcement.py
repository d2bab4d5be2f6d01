"""The page of one announcement: what became of it on each channel, from the first draft on, and what can be done now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.desk import Changed, ChangedSince, Seen, Story, Told
from outreach.doors.web import decisions, growth, live, timeline
from outreach.doors.web.frame import NotAllowed, NotThere, Number, Posted, Site
from outreach.lifecycle import is_history
from outreach.model import BadInput
from outreach.roles import Verb

_WAYS_BACK = "Look for it in the queue or in the history."


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_looking(router, site)
    _add_pauses(router, site)
    _add_decisions(router, site)
    _add_comments(router, site)
    _add_first_comments(router, site)
    return router


def _add_looking(router: APIRouter, site: Site) -> None:
    @router.get("/announcements/{number}")
    def announcement(
        request: Request, number: Number, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]
    ) -> Response:
        return _drawn(site, request, visitor, number)

    @router.get("/announcements/{number}/live")
    def announcement_now(
        request: Request, number: Number, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]
    ) -> Response:
        if live.is_known(request, _there(number, site.house.desk.pulse_of)):
            return live.nothing_new()
        return _drawn(site, request, visitor, number, "_announcement.html")


def _add_pauses(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.post("/announcements/{number}/pause")
    def pause(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.LOOK))]) -> Response:
        if not (form.visitor.may(Verb.WRITE) or form.visitor.may(Verb.APPROVE)):
            raise NotAllowed(Verb.WRITE)
        return _decided(site, request, form, number, Decided("paused. It waits until somebody resumes it.", desk.pause))

    @router.post("/announcements/{number}/resume")
    def resume(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        return _decided(site, request, form, number, Decided("resumed. It goes out at its time.", desk.resume))


def _add_decisions(router: APIRouter, site: Site) -> None:
    desk = site.house.desk

    @router.post("/announcements/{number}/cancel")
    def cancel(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        return _decided(site, request, form, number, Decided("cancelled. Nothing of it is sent.", desk.cancel))

    @router.post("/announcements/{number}/requeue")
    def requeue(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        done = "queued again. It goes out as soon as a worker takes it."
        return _decided(site, request, form, number, Decided(done, desk.requeue))

    @router.post("/announcements/{number}/confirm")
    def confirm(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        asked = partial(desk.confirm, url=form.text("url").strip() or None)
        return _decided(site, request, form, number, Decided("confirmed. It counts as published.", asked))

    @router.post("/announcements/{number}/let-through")
    def let_through(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]
    ) -> Response:
        done = "to be let through: the list was told so."
        return _decided(site, request, form, number, Decided(done, desk.let_through))

    @router.post("/announcements/{number}/turn-down")
    def turn_down(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]
    ) -> Response:
        done = "to be refused: the list was told so."
        return _decided(site, request, form, number, Decided(done, desk.turn_down))


def _add_first_comments(router: APIRouter, site: Site) -> None:
    @router.post("/announcements/{number}/first-comment")
    def first_comment(
        request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]
    ) -> Response:
        _there(number, site.house.desk.pulse_of)
        name, is_there = form.text("post"), form.text("is") == "there"
        try:
            if name.partition("/")[0] != str(number):
                raise BadInput("It is not said of which post.", next_step="Open the page again.")
            site.house.desk.settle_first_comment(name, is_there=is_there, person=form.visitor.email)
        except BadInput as bad:
            return _drawn(site, request, form.visitor, number, bad=_for_the_page(bad), status_code=409)
        said = "counts as made" if is_there else "is made again"
        return site.go(f"/announcements/{number}", notice=f"The first comment {said}.")


def _add_comments(router: APIRouter, site: Site) -> None:
    @router.post("/announcements/{number}/comment")
    def comment(request: Request, number: Number, form: Annotated[Posted, Depends(site.posts(Verb.LOOK))]) -> Response:
        _there(number, site.house.desk.pulse_of)
        said = form.text("comment")
        try:
            site.house.desk.comment(number, said=said, person=form.visitor.email)
        except BadInput as bad:
            return _drawn(site, request, form.visitor, number, bad=bad, said=said, status_code=422)
        return site.go(f"/announcements/{number}#comments", notice="Your comment is kept.")


# Deciding


@dataclass(frozen=True, slots=True)
class Decided:
    """A verb of the desk, and what is said once it was done."""

    said: str
    carry_out: Callable[..., Changed]


def _decided(site: Site, request: Request, form: Posted, number: int, decided: Decided) -> Response:
    """Do it if everything is as the page showed it; else show how it stands now, with nothing done."""
    try:
        seen = [Seen.read(words) for words in form.texts("seen")]
        changed = decided.carry_out(str(number), person=form.visitor.email, seen=seen)
    except BadInput as bad:
        status = 409 if isinstance(bad, ChangedSince) or not bad.where else 422
        return _drawn(
            site, request, form.visitor, number, bad=_for_the_page(bad), status_code=status, typed=form.text("url")
        )
    channels = " and ".join(dict.fromkeys(post.channel for post in changed.posts))
    return site.go(f"/announcements/{number}", notice=f"On {channels}: {decided.said}")


def _for_the_page(bad: BadInput) -> BadInput:
    """A refusal that points to a command is told with what can be seen below instead."""
    where = "url" if bad.where == "--url" else bad.where
    step = "Look at how it stands now." if "outreach show" in bad.next_step else bad.next_step
    return BadInput(bad.message, where=where, next_step=step)


# Drawing


def _there(number: int, ask: Callable[[int], Any]) -> Any:
    """Ask the desk; what it does not have is not there, whoever may have it."""
    try:
        return ask(number)
    except BadInput as bad:
        raise NotThere(f"There is no announcement {number}.", next_step=_WAYS_BACK) from bad


def _drawn(
    site: Site, request: Request, visitor: Visitor, number: int, name: str = "announcement.html", **more: Any
) -> Response:
    desk, now = site.house.desk, site.house.clock.now()
    pulse = _there(number, desk.pulse_of)  # first: what changes meanwhile is then asked for once more
    story: Story = _there(number, desk.story)
    told = [each for each in story.posts if visitor.may(Verb.LOOK) or is_history(each.post)]
    if not told and not visitor.may(Verb.LOOK):
        raise NotThere(f"There is no announcement {number}.", next_step=_WAYS_BACK)
    return site.draw(
        request,
        name,
        visitor,
        **_about(story, told, visitor),
        pulse=pulse,
        every=live.every_s((each.post for each in told), now),
        actions=decisions.about_all(story, visitor, now),
        followed_by=desk.followed_by(number),
        **_reach(site, story, told),
        original_of=desk.original_of,
        **more,
    )


def _reach(site: Site, story: Story, told: list[Told]) -> dict[str, Any]:
    """Give how far its posts reached, and all of it in one line."""
    desk, posts = site.house.desk, [each.post for each in told]
    shown = growth.of_story(desk, story)
    known = {post_id: each.reach for post_id, each in shown.items()}
    return {"reach": shown, "came_of_it": growth.in_a_line(posts, known, desk.seen_after([p.id for p in posts]))}


def _about(story: Story, told: list[Told], visitor: Visitor) -> Mapping[str, Any]:
    revision = story.about["revision"]
    return {
        "about": story.about,
        "posts": [
            (each, timeline.of_post(story, each), decisions.about_post(each, revision, visitor)) for each in told
        ],
        "story": [] if told else timeline.of_draft(story),
        "comments": story.comments if visitor.may(Verb.LOOK) else [],
        "paused_channels": {row.name: row for row in story.channels if row.state == "paused"},
        "safe_mode": story.safe_mode,
        "is_web_address": timeline.is_web_address,
        "subject_of": timeline.subject_of,
    }

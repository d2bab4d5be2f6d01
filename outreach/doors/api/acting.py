"""Deciding, for programs: about posts that are queued, failed, missed or in doubt, and about what waits for an approval."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from outreach.access import Visitor
from outreach.desk import Changed
from outreach.doors import shapes
from outreach.doors.api import asked, told
from outreach.doors.api.frame import Api, Number
from outreach.doors.api.once import Call, Done
from outreach.doors.api.problems import Problem, standing
from outreach.model import BadInput, Post, post_name
from outreach.roles import Verb


def routes(api: Api) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["deciding"])
    _add_pauses(router, api)
    _add_moves(router, api)
    _add_letting_through(router, api)
    _add_first_comments(router, api)
    _add_approving(router, api)
    _add_comments(router, api)
    _add_presence(router, api)
    return router


def _add_pauses(router: APIRouter, api: Api) -> None:
    @router.post("/announcements/{number}/pause", response_model=told.Changed, summary="Hold queued posts back")
    def pause(number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        return _act(api, call, _Wanted(number, of), "pause", lambda name: api.desk.pause(name, person=call.person))

    @router.post("/announcements/{number}/resume", response_model=told.Changed, summary="Let paused posts go on")
    def resume(number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        return _act(api, call, _Wanted(number, of), "resume", lambda name: api.desk.resume(name, person=call.person))


def _add_moves(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/cancel", response_model=told.Changed, summary="Take posts out of the queue for good"
    )
    def cancel(number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        return _act(api, call, _Wanted(number, of), "cancel", lambda name: api.desk.cancel(name, person=call.person))

    @router.post(
        "/announcements/{number}/requeue",
        response_model=told.Changed,
        summary="Send posts again that failed, were missed, or turned out not to be there",
    )
    def requeue(number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        return _act(api, call, _Wanted(number, of), "requeue", lambda name: api.desk.requeue(name, person=call.person))

    @router.post(
        "/announcements/{number}/confirm",
        response_model=told.Changed,
        summary="Say that an unconfirmed post is out, and where",
    )
    def confirm(number: Number, of: asked.Confirmed, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def act(name: str) -> Changed:
            return api.desk.confirm(name, url=of.url, person=call.person)

        return _act(api, call, _Wanted(number, of), "confirm", act)


def _add_letting_through(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/let-through",
        response_model=told.Changed,
        summary="Tell the list to let a held post through, where it asked at the sender's address",
    )
    def let_through(
        number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]
    ) -> Response:
        def act(name: str) -> Changed:
            return api.desk.let_through(name, person=call.person)

        return _act(api, call, _Wanted(number, of), "let through", act)

    @router.post(
        "/announcements/{number}/turn-down",
        response_model=told.Changed,
        summary="Tell the list to refuse a held post, where it asked at the sender's address",
    )
    def turn_down(number: Number, of: asked.OfPosts, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def act(name: str) -> Changed:
            return api.desk.turn_down(name, person=call.person)

        return _act(api, call, _Wanted(number, of), "turn down", act)


def _add_first_comments(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/first-comment",
        response_model=told.Changed,
        summary="Say of a first comment that failed or is in doubt that it is there, or have it made again",
    )
    def first_comment(
        number: Number, of: asked.FirstCommentIs, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]
    ) -> Response:
        def act(name: str) -> Changed:
            return api.desk.settle_first_comment(name, is_there=of.is_there, person=call.person)

        return _act(api, call, _Wanted(number, of), "first comment", act)


class _Wanted:
    """The posts that a request means."""

    def __init__(self, number: int, of: asked.OfPosts) -> None:
        self.of = of
        self.name = post_name(number, of.channel, of.occurrence or 1) if of.channel else str(number)

    def found(self, api: Api) -> list[Post]:
        """Find them. Raises `Problem` for what is not there, or stands otherwise than the request says."""
        if self.of.occurrence is not None and self.of.channel is None:
            raise Problem("bad-input", "Which channel's occurrence is not said.", "channel", "Name the channel.")
        try:
            found = api.desk.find(self.name)
        except BadInput as bad:
            raise Problem("not-there", bad.message, None, bad.next_step or None) from None
        for post in found:
            if self.of.state not in (None, str(post.state)) or self.of.attempts not in (None, post.attempt):
                said = f"{post.name} is {post.state} by now, after {post.attempt} tries."
                raise Problem(
                    "changed-meanwhile", said, next_step="Look at it again.", more={"post": shapes.post(post)}
                )
        return found


def _act(api: Api, call: Call, wanted: _Wanted, kind: str, act: Callable[[str], Changed]) -> Response:
    def work() -> told.Changed:
        wanted.found(api)
        try:
            return told.Changed.of(shapes.changed(act(wanted.name)))
        except BadInput as bad:
            raise standing(bad) from None

    def as_it_is(_number: int) -> told.Changed:
        return told.Changed.of(shapes.changed(Changed(tuple(api.desk.find(wanted.name)))))

    return api.do(call, work, done=Done(call.sign(kind, post_ids=_ids(api, wanted.name)), as_it_is))


def _ids(api: Api, name: str) -> Sequence[int]:
    try:
        return [post.id for post in api.desk.find(name)]
    except BadInput:
        return []


def _add_approving(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/approve",
        response_model=told.Changed,
        summary="Approve exactly one revision; nobody approves their own",
    )
    def approve(
        number: Number, of: asked.OfRevision, call: Annotated[Call, Depends(api.posts(Verb.APPROVE))]
    ) -> Response:
        def work() -> told.Changed:
            api.check_revision(number, of.revision)
            try:
                changed = api.desk.approve(number, person=call.person, revision=of.revision)
            except BadInput as bad:
                raise standing(bad) from None
            return told.Changed.of(shapes.changed(changed))

        def as_it_is(_number: int) -> told.Changed:
            return told.Changed.of({"posts": shapes.posts(api.desk.find(str(number))), "notes": list[str]()})

        return api.do(call, work, done=Done(call.sign("approve", announcement=number), as_it_is))

    @router.post(
        "/announcements/{number}/ask-for-changes",
        response_model=told.Comments,
        summary="Send a revision back with a comment; nothing of it goes out until it was approved after all",
    )
    def ask(
        number: Number, of: asked.ChangesWanted, call: Annotated[Call, Depends(api.posts(Verb.APPROVE))]
    ) -> Response:
        def work() -> told.Comments:
            api.check_revision(number, of.revision)
            api.desk.ask_for_changes(number, revision=of.revision, said=of.said, person=call.person)
            return _comments(api, number)

        done = Done(call.sign("ask for changes", announcement=number), lambda _number: _comments(api, number))
        return api.do(call, work, done=done)


def _add_comments(router: APIRouter, api: Api) -> None:
    @router.get("/announcements/{number}/comments", summary="Show what was said about an announcement")
    def comments(number: Number, _who: Annotated[Visitor, Depends(api.gate.may(Verb.LOOK))]) -> told.Comments:
        api.latest(number)
        return _comments(api, number)

    @router.post(
        "/announcements/{number}/comments",
        status_code=201,
        response_model=told.Comments,
        summary="Say something about the latest revision; it changes nothing",
    )
    def comment(
        number: Number, of: asked.NewComment, call: Annotated[Call, Depends(api.posts(Verb.LOOK, "write", "approve"))]
    ) -> Response:
        def work() -> told.Comments:
            api.latest(number)
            api.desk.comment(number, said=of.said, person=call.person)
            return _comments(api, number)

        done = Done(call.sign("comment", announcement=number), lambda _number: _comments(api, number))
        return api.do(call, work, status=201, done=done)


def _comments(api: Api, number: int) -> told.Comments:
    found = [
        {"id": c.id, "revision": c.revision, "person": c.person, "at": shapes.instant(c.at), "text": c.text}
        | {"asks_for_changes": c.asks_for_changes}
        for c in api.desk.comments(number)
    ]
    return told.Comments.of({"comments": found})


def _add_presence(router: APIRouter, api: Api) -> None:
    @router.post(
        "/announcements/{number}/seen",
        response_model=told.Saved,
        summary="Note which revision you saw, for the difference shown next time",
    )
    def saw(
        number: Number, of: asked.OfRevision, call: Annotated[Call, Depends(api.posts(Verb.LOOK, "write", "approve"))]
    ) -> Response:
        def work() -> told.Saved:
            version = api.latest(number)
            if of.revision > version.revision:
                raise Problem("not-there", f"There is no revision {of.revision}.", "revision", "Look at it again.")
            api.desk.saw(number, of.revision, person=call.person)
            return told.Saved(announcement=number, base=version.key, revision=of.revision)

        return api.do(call, work)

    @router.post(
        "/announcements/{number}/writing",
        response_model=told.Writers,
        summary="Note that you write on it, and see who else does",
    )
    def writing(number: Number, call: Annotated[Call, Depends(api.posts(Verb.WRITE))]) -> Response:
        def work() -> told.Writers:
            api.latest(number)
            return told.Writers(people=api.desk.also_writing(number, person=call.person))

        return api.do(call, work)

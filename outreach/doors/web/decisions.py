"""What a person may decide about a post as it stands, each with a sentence on what it will do. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.access import Visitor
from outreach.desk import Seen, Story, Told
from outreach.model import Post, State
from outreach.roles import Verb
from outreach.store.arrivals import SEEN

UNDO_FOR = timedelta(minutes=5)
"""For so long after queueing it can be taken back, as long as nothing was tried."""
_EDITABLE = (State.QUEUED, State.FAILED, State.MISSED)


@dataclass(frozen=True, slots=True)
class Action:
    """A button. `path` is the last part of the address its form is sent to, or where the link leads when `is_link`.

    `address` asks for the address of the post: `needed`, `wished`, or not at all. `ask` is asked once more before.
    """

    path: str
    label: str
    does: str
    seen: Sequence[Seen] = ()
    style: str = ""
    ask: str = ""
    address: str = ""
    is_link: bool = False


def about_post(told: Told, revision: int, visitor: Visitor) -> list[Action]:
    """Give what this visitor may decide about one post."""
    post, seen = told.post, [Seen.of(told.post, revision)]
    may_write = visitor.may(Verb.WRITE)
    match post.state:
        case State.QUEUED:
            return [*_about_a_pause(post, seen, visitor), *(_cancel(seen, "Cancel it") if may_write else ())]
        case State.UNCONFIRMED if may_write:
            return list(_about_a_doubt(told, seen))
        case State.FAILED | State.MISSED if may_write:
            return [_again(seen), *_cancel(seen, "Let it be")]
        case State.HELD if may_write and told.can_be_let_through:
            return list(_about_a_held_one(told, seen))
        case State.PUBLISHED if may_write and post.message_id and not _was_seen(told):
            does = "You found it on the list, or another member has it. It is noted in the history; nothing is sent."
            return [Action("confirm", "I saw it on the list", does, seen)]
        case _:
            return []


def _was_seen(told: Told) -> bool:
    return any(entry["kind"] == "sighting" and entry["what"] in SEEN for entry in told.history)


def about_all(story: Story, visitor: Visitor, now: datetime) -> list[Action]:
    """Give what this visitor may decide about the announcement as a whole."""
    if not visitor.may(Verb.WRITE):
        return []
    number = story.about["id"]
    found = []
    if not story.posts:
        return [
            Action(f"/write/{number}", "Go on writing", "Nothing of it is queued yet.", style="primary", is_link=True)
        ]
    if may_be_undone(story, now):
        does = "Takes it out of the queue and makes it a draft again. Nothing of it was tried yet."
        found.append(Action("undo", "Undo", does))
    if any(t.post.state in _EDITABLE and t.post.doubtful_since is None for t in story.posts):
        does = "Changes the text, the time or the channels. An approval is then needed anew, where one is asked for."
        found.append(Action(f"/write/{number}", "Edit", does, is_link=True))
    if any(t.post.state in (State.PUBLISHED, State.HELD) for t in story.posts):
        does = (
            "Begins a correction: the Page gets the new text, the list a mail below this one with what changed first."
        )
        found.append(Action(f"/write/new?corrects={number}", "Correct it", does, is_link=True))
        does = "Begins a retraction: the post on the Page is deleted, and the list gets a mail below this one."
        found.append(Action(f"/write/new?retracts={number}", "Retract it", does, is_link=True))
    queued = [Seen.of(t.post, story.about["revision"]) for t in story.posts if t.post.state is State.QUEUED]
    if len(queued) > 1:
        found += _cancel(queued, "Cancel all of it")
    return found


def may_be_undone(story: Story, now: datetime) -> bool:
    """Tell whether it was queued just now and nothing of it was tried."""
    queued = [entry["at"] for told in story.posts for entry in told.history if entry["kind"] == "queue"]
    is_untouched = all(told.post.state is State.QUEUED and not told.post.attempt for told in story.posts)
    return bool(queued) and is_untouched and now - max(queued) < UNDO_FOR


def _about_a_pause(post: Post, seen: list[Seen], visitor: Visitor) -> Iterator[Action]:
    if post.paused and visitor.may(Verb.WRITE):
        does = "Lets it go out at its time again; at once, where that is over and its grace is not."
        yield Action("resume", "Resume", does, seen, style="primary")
    elif not post.paused and (visitor.may(Verb.WRITE) or visitor.may(Verb.APPROVE)):
        does = "Holds it back until somebody resumes it. Past its grace it is missed, and not sent late."
        yield Action("pause", "Pause", does, seen)


def _about_a_held_one(told: Told, seen: list[Seen]) -> Iterator[Action]:
    does = "The list asked you, as its moderator. It is told to send the post out; this page notices when it did."
    yield Action("let-through", "Let it through", does, seen, style="primary")
    if told.can_be_turned_down:
        does = "The list is told to refuse it. It counts as failed once the list says that it did."
        yield Action(
            "turn-down", "Turn it down", does, seen, style="danger", ask="Turn it down? Nobody on the list gets it."
        )


def _cancel(seen: list[Seen], label: str) -> Iterator[Action]:
    does = "Takes it out for good. Nothing is sent, and the history keeps that it was there."
    question = "Cancel it for good?" if len(seen) == 1 else f"Cancel all {len(seen)} posts for good?"
    yield Action("cancel", label, does, seen, style="danger", ask=question)


def _again(seen: list[Seen]) -> Action:
    does = (
        "Sends it as it is, as soon as a worker takes it. The channel is asked first where an earlier try may be out."
    )
    return Action("requeue", "Send it again now", does, seen, style="primary")


def _about_a_doubt(told: Told, seen: list[Seen]) -> Iterator[Action]:
    has_proof = told.post.message_id is not None
    does = "You found it on the channel. It counts as published, and nothing is sent."
    address = "wished" if has_proof else "needed"
    yield Action("confirm", "It is there", does, seen, style="primary", address=address)
    does = f"You looked and it is not there. It is sent once more. {told.if_sent_again or ''}".strip()
    question = "Send it again? If it is there after all, people may get it twice."
    yield Action("requeue", "It is not there: send again", does, seen, style="danger", ask=question)

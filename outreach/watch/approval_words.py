"""The words of a mail about an approval. Pure: the same facts give the same text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from outreach.alarms.words import Note, wrapped
from outreach.model import NoticeKind, Post, State
from outreach.when import show, time_left

_NOTHING_BY_THE_LINK = (
    "The link logs you in once and shows exactly what would go out. Opening it approves nothing."
    " It is yours alone: do not pass this mail on."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a mail tells of. `posts` are those it is about; `link` leads to where one acts; `by` is who asked or approved."""

    community: str
    number: int
    title: str
    revision: int
    posts: Sequence[Post]
    link: str
    at: datetime
    is_author: bool = False
    written_by: str | None = None
    by: str | None = None
    said: str | None = None


def approval_note(kind: NoticeKind, facts: Facts) -> Note:
    """Put it into words."""
    match kind:
        case NoticeKind.ASKS:
            return _note(facts, "waits for your approval", [_who_wrote(facts), *_whens(facts)], _to_approve(facts))
        case NoticeKind.DAY_BEFORE | NoticeKind.HOURS_BEFORE:
            return _reminder(facts)
        case NoticeKind.CHANGES:
            lines = [f"{facts.by or 'An approver'} asks for changes in revision {facts.revision}:", _quoted(facts)]
            lines.append("Nothing of it goes out before it is approved.")
            return _note(facts, "changes are asked for", lines, [f"Change it here: {facts.link}"])
        case NoticeKind.APPROVED:
            lines = [f"{facts.by or 'An approver'} approved revision {facts.revision}.", *_whens(facts)]
            return _note(facts, "approved", lines, [f"See it: {facts.link}"], is_good=True)
        case NoticeKind.MISSED:
            return _missed(facts)
        case _ as unknown:
            assert_never(unknown)


def _reminder(facts: Facts) -> Note:
    soon = time_left(facts.posts[0].due_at, now=facts.at)
    if facts.is_author:
        lines = ["Changes were asked for and it says the same as before.", *_whens(facts)]
        return _note(facts, f"due {soon}, changes are asked for", lines, [f"Change it here: {facts.link}"])
    return _note(facts, f"due {soon}, not approved yet", [_who_wrote(facts), *_whens(facts)], _to_approve(facts))


def _missed(facts: Facts) -> Note:
    lines = ["Nobody approved it before it was due, so it does not go out by itself any more:", *_lines(facts.posts)]
    step = "Give it another time, which asks for an approval again" if facts.is_author else "See how it stands"
    return _note(facts, "missed: nobody approved it in time", lines, [f"{step}: {facts.link}"])


def _note(facts: Facts, what: str, lines: Sequence[str], steps: Sequence[str], *, is_good: bool = False) -> Note:
    head = f"“{facts.title}” (announcement {facts.number}, revision {facts.revision})"
    body = "\n\n".join([wrapped(head), *map(_kept, lines), *map(_kept, steps)])
    return Note(f"[outreach] {facts.community}: {what}: {facts.title}", f"{body}\n", is_good=is_good)


def _kept(text: str) -> str:
    """Fill a paragraph; lines that are set on their own, such as a list or a quotation, stay as they are."""
    return text if "\n" in text or text.startswith(("- ", "> ")) else wrapped(text)


def _who_wrote(facts: Facts) -> str:
    return f"{facts.written_by or 'Somebody'} wrote it, and somebody else has to approve it before it goes out."


def _whens(facts: Facts) -> list[str]:
    return ["\n".join(_lines(facts.posts))] if facts.posts else []


def _lines(posts: Sequence[Post]) -> list[str]:
    return [f"- {post.channel}: {show(post.planned_at, post.time_zone)}{_aside(post)}" for post in posts]


def _aside(post: Post) -> str:
    if post.paused:
        return " (paused)"
    return "" if post.state is State.QUEUED else f" ({post.state})"


def _to_approve(facts: Facts) -> list[str]:
    return [
        "What nobody approves before it is due is missed: it does not go out by itself later.",
        f"Look at it: {facts.link}",
        _NOTHING_BY_THE_LINK,
    ]


def _quoted(facts: Facts) -> str:
    lines = (facts.said or "").splitlines() or [""]
    return "\n".join(wrapped(line, first="> ", rest="> ") or ">" for line in lines)

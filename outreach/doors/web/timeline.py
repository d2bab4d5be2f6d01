"""The story of one post in plain words: who did what when, what each try came to, what was seen. Raw codes stay apart."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.parser import HeaderParser
from email.policy import default
from itertools import accumulate
from typing import Any

from outreach.desk import Story, Told
from outreach.doors.shapes import happened
from outreach.doors.web.changes import Difference, of_revisions
from outreach.model import Content, State
from outreach.store.drafts import Version
from outreach.when import show

MOST_REVISIONS = 15
_MOST_CHARS = 600

Codes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `tone` is `good`, `bad` or nothing; `codes` are what a technician asks for."""

    at: datetime
    what: str
    who: str = ""
    note: str = ""
    tone: str = ""
    url: str = ""
    changes: Sequence[Difference] = ()
    codes: Codes = ()
    sent: Content | None = None


_EVENTS = {
    "queue": ("Queued", ""),
    "edit": ("Changed", ""),
    "pause": ("Paused: it does not go out until somebody resumes it", ""),
    "resume": ("Resumed", ""),
    "publish": ("It is out", "good"),
    "defer": ("Put off: it is tried again", ""),
    "fail": ("Failed: it is not tried again by itself", "bad"),
    "doubt": ("In doubt: it may be out or not", "bad"),
    "confirm": ("Confirmed: it is there", "good"),
    "absolve": ("It is certainly not there, so it is queued again", ""),
    "hold": ("Held: the list waits for its moderator", "bad"),
    "release": ("The list's moderator let it through", "good"),
    "refuse": ("It did not go out after all", "bad"),
    "miss": ("Missed: its time was over, and it is never sent late by itself", "bad"),
    "cancel": ("Cancelled for good", ""),
    "requeue": ("Queued again", ""),
    "retract": ("Retracted", ""),
    "move due time": ("Moved: the rules of its time zone changed", ""),
    "approve": ("Approved", "good"),
    "ask for changes": ("Sent back with a wish for changes", "bad"),
    "handed over": ("Given to Facebook's own scheduler, which publishes it", ""),
    "hand-over in doubt": ("It may be in Facebook's own scheduler or not: it is looked for", "bad"),
    "not handed over": ("Facebook's own scheduler did not take it; it goes out from here", ""),
    "taken back": ("Taken back from Facebook's own scheduler", ""),
    "let through": ("The list was told to let it through", ""),
    "confirmed by itself": ("The list was told that the mail is ours", ""),
    "turn down": ("The list was told to refuse it", ""),
    "let through failed": ("The answer could not be mailed to the list", "bad"),
    "discard": ("The draft was discarded", ""),
    "first comment posted": ("The first comment is there", "good"),
    "first comment found": ("Looked: the first comment is there", "good"),
    "first comment found more than once": ("Looked: the first comment is there more than once", "bad"),
    "first comment put off": ("The first comment could not be made then; it is tried again", ""),
    "first comment failed": ("The first comment failed; the post itself is out", "bad"),
    "first comment in doubt": ("The first comment may be there or not", "bad"),
    "first comment not there": ("Looked: the first comment is not there", ""),
    "comment again": ("The first comment is to be made again", ""),
    "comment there": ("The first comment is there, a person says", "good"),
}
_OUTCOMES = {
    "published": ("the channel took it", "good"),
    "refused": ("the channel refused it; nothing went out", "bad"),
    "unavailable": ("the channel could not take it then; nothing went out", ""),
    "unauthorized": ("the channel did not let us in; nothing went out", "bad"),
    "blocked": ("the channel told us to wait; nothing went out", ""),
    "unconfirmed": ("no clear answer came; it may be out", "bad"),
}
_SIGHTINGS = {
    "found": ("Looked: it is there", "good"),
    "told": ("The Page told by itself that it is there", "good"),
    "not there": ("Looked: it is not there", ""),
    "could not tell": ("Looked, and could not tell", ""),
    "distributed": ("Seen on the list: it came through", "good"),
    "acknowledged": ("The list says that it distributed it", "good"),
    "member-bounce": ("A member's mailbox did not take it, so the list sent it out", "good"),
    "held": ("The list holds it for a moderator", "bad"),
    "moderate": ("The list asks for a moderator's decision", "bad"),
    "needs-confirm": ("The list asks for a confirmation", "bad"),
    "rejected": ("The list says that it did not take it", "bad"),
    "bounced": ("It came back: it could not be delivered to the list", "bad"),
    "delayed": ("Its delivery to the list is delayed", ""),
    "throttled": ("The list answers no more mails today", ""),
    "twice": ("Seen more than once on the channel", "bad"),
    "pre-flight": ("Looked ahead: something is in its way", "bad"),
    "pre-flight: all is well": ("Looked ahead: all is well", "good"),
}
_THEN = {
    "defer": "It is tried again by itself.",
    "fail": "It is not tried again by itself.",
    "doubt": "The channel is asked whether it is there.",
}
_TOLD_ELSEWHERE = ("edit", "draft", "comment")


def of_draft(story: Story) -> list[Entry]:
    """Tell what happened to an announcement that has no posts."""
    changes = _changes(story.versions)
    entries = [_revision(version, changes.get(version.revision, ())) for version in _latest(story.versions)]
    return _in_order(entries, list(_of_the_whole(story.happened)))


def of_post(story: Story, told: Told) -> list[Entry]:
    """Tell everything that happened to a post, from its first draft on."""
    events = {(entry["kind"], entry["at"]) for entry in told.history if "evidence" not in entry}
    instants = {at for kind, at in events if kind in ("edit", "requeue", "cancel", "queue")}
    queued_at = min((at for kind, at in events if kind == "queue"), default=story.about["created_at"])
    changes = _changes(story.versions)
    reached = [v for v in _latest(story.versions) if v.at <= queued_at or v.at in instants]
    by_instant = {version.at: version for version in reached}
    before = [_revision(v, changes.get(v.revision, ())) for v in reached if v.at not in instants]
    own = list(_of_its_own(told, by_instant, changes))
    last = max((entry.at for entry in own), default=queued_at)
    is_open = told.post.state in (State.QUEUED, State.PUBLISHING)
    whole = [entry for entry in _of_the_whole(story.happened) if is_open or entry.at <= last]
    return _in_order(before, own, whole)


def _in_order(*told: Sequence[Entry]) -> list[Entry]:
    """Put them into one order that keeps that of each: it is that of writing, which no clock turns round."""
    keyed = [
        (latest, entry)
        for entries in told
        for latest, entry in zip(accumulate((entry.at for entry in entries), max), entries, strict=True)
    ]
    return [entry for _, entry in sorted(keyed, key=lambda each: each[0])]


# Revisions


def _latest(versions: Sequence[Version]) -> Sequence[Version]:
    return versions[-MOST_REVISIONS:]


def _changes(versions: Sequence[Version]) -> dict[int, tuple[Difference, ...]]:
    latest = versions[-MOST_REVISIONS - 1 :]
    found = dict(zip((v.revision for v in latest), of_revisions([v.letter for v in latest]), strict=True))
    return {revision: changes for revision, changes in found.items() if changes}


def _revision(version: Version, changes: Sequence[Difference]) -> Entry:
    what = "Written" if version.revision == 1 else f"Changed (revision {version.revision})"
    return Entry(version.at, what, version.person or "", changes=changes)


def _of_the_whole(events: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    for event in events:
        if event["kind"] not in _TOLD_ELSEWHERE:
            what, tone = _EVENTS.get(event["kind"], (happened(event["kind"]), ""))
            yield Entry(event["at"], what, event.get("person", ""), event.get("note", ""), tone)


# What happened to the post itself


def _of_its_own(
    told: Told, revisions: Mapping[datetime, Version], changes: Mapping[int, tuple[Difference, ...]]
) -> Iterator[Entry]:
    ended = {e["attempt"] for e in told.history if e["kind"] == "attempt" and e.get("outcome")}
    verdicts = {e["attempt"]: e["kind"] for e in told.history if e["kind"] in ("publish", *_THEN)}
    for entry in sorted(told.history, key=lambda each: bool(each["kind"] != "queue")):
        if entry["kind"] == "attempt":
            yield _attempt(entry, told, verdicts.get(entry["attempt"], ""))
        elif entry["kind"] == "sighting":
            yield _sighting(entry)
        elif entry["kind"] not in ("publish", *_THEN) or entry.get("attempt") not in ended:
            yield _event(entry, revisions.get(entry["at"]), changes)


def _event(entry: Mapping[str, Any], version: Version | None, changes: Mapping[int, tuple[Difference, ...]]) -> Entry:
    kind, who = str(entry["kind"]), str(entry.get("person", ""))
    what, tone = _EVENTS.get(kind, (happened(kind), ""))
    note = str(entry.get("note", ""))
    if version is not None:
        what = "Written and queued" if (version.revision, kind) == (1, "queue") else what
        if kind == "edit":
            what, note = f"Changed (revision {version.revision})", ""
    if kind == "confirm" and not who:
        what = "Found on the channel: it is out"
    url = note if kind == "confirm" and is_web_address(note) else ""
    shown = changes.get(version.revision, ()) if version else ()
    return Entry(entry["at"], what, who, "" if url else note, tone, url=url, changes=shown)


def _attempt(entry: Mapping[str, Any], told: Told, verdict: str) -> Entry:
    number, outcome = entry["attempt"], entry.get("outcome")
    said, tone = _OUTCOMES.get(outcome or "", (str(outcome), "")) if outcome else ("it is being sent now", "")
    sha256 = entry["content_sha256"]
    parts = (str(entry.get("note") or ""), _THEN.get(verdict, ""))
    note = " ".join(filter(None, (*parts, f"Sent {approval}." if (approval := entry.get("approval")) else "")))
    codes = (
        ("began", show(entry["started_at"], told.post.time_zone)),
        *((("outcome", outcome),) if outcome else ()),
        ("content SHA-256", sha256),
        *_codes(entry.get("evidence") or {}),
    )
    sent = told.contents.get(sha256) if sha256 != told.post.content_sha256 else None
    return Entry(entry["at"], f"Attempt {number}: {said}", note=note, tone=tone, codes=codes, sent=sent)


def _sighting(entry: Mapping[str, Any]) -> Entry:
    evidence = dict(entry["evidence"] or {})
    what, tone = _SIGHTINGS.get(entry["what"], (f"Seen: {entry['what']}", ""))
    problems = evidence.pop("problems", ())
    listed = problems if isinstance(problems, list) else [problems]
    said = (evidence.pop("why", ""), _how_long(evidence.pop("after_s", None)), *listed)
    note = " ".join(_ended(str(part)) for part in said if part)
    url = str(evidence.get("url") or "")
    return Entry(
        entry["at"], what, note=note, tone=tone, url=url if is_web_address(url) else "", codes=_codes(evidence)
    )


def _ended(sentence: str) -> str:
    return sentence if sentence.rstrip().endswith((".", "!", "?", ":", "…")) else f"{sentence.rstrip()}."


def _how_long(seconds: object) -> str:
    """Say how long a mail was on its way, there and back."""
    if not isinstance(seconds, int):
        return ""
    if seconds < 120:
        return f"It came {seconds} s after it was sent."
    return (
        f"It came {seconds // 60} min after it was sent."
        if seconds < 7200
        else f"It came {seconds // 3600} h after it was sent."
    )


def _codes(evidence: Mapping[str, Any]) -> Codes:
    return tuple((str(name), _plain(value)) for name, value in evidence.items() if value not in (None, ""))


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]} …"


def subject_of(content: Content) -> str:
    """Give the subject of a mail; empty for what is none."""
    head = (content.message or "").partition("\r\n\r\n")[0]
    return str(HeaderParser(policy=default).parsestr(head)["subject"] or "") if head else ""


def is_web_address(text: object) -> bool:
    """Tell whether a text that came from outside may stand in a link."""
    return isinstance(text, str) and text.startswith(("https://", "http://"))

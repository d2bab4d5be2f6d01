"""The JSON shapes that every door gives out: the contract of the project, in one place."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from outreach.contract import POST_KEYS as POST_KEYS
from outreach.contract import instant as instant
from outreach.contract import post as post
from outreach.desk import Added, Changed, Preview
from outreach.desk.reaching import Telling
from outreach.desk.rostering import Shown
from outreach.joining import Step
from outreach.model import BadInput, Post, Problem
from outreach.reach import OF_POSTS
from outreach.roster import Member
from outreach.store.channels import ChannelRow
from outreach.store.checks import Check
from outreach.store.first_comments import FirstComment
from outreach.store.joinings import Request
from outreach.store.reached import Reach
from outreach.store.search import Gone


def posts(of: Iterable[Post]) -> list[dict[str, Any]]:
    """Lay out several posts."""
    return [post(one) for one in of]


GONE_KEYS = (*POST_KEYS, "planned_at", "template", "written_by", "approved_by", "on_time")


def gone(of: Gone) -> dict[str, Any]:
    """Lay out a post of the history with who wrote and approved it; `on_time` is None for one that was not sent."""
    return post(of.post) | {
        "planned_at": instant(of.post.planned_at),
        "template": of.template or None,
        "written_by": of.written_by,
        "approved_by": of.approved_by,
        "on_time": of.is_on_time,
    }


EXPORT_KEYS = (*GONE_KEYS, *OF_POSTS, "figures_as_of")
REACH_KEYS = ("by", "group", "measure", "posts", "median", "sum", "enough_to_tell")


def figures(of: Reach | None) -> dict[str, Any] | None:
    """Lay out how far a post reached, with its latest comment; None where nothing is known."""
    if of is None:
        return None
    remark = of.remark
    latest = None if remark is None else {"at": instant(remark.at), "text": remark.text, "url": remark.url}
    return {"as_of": instant(of.asked_at), "values": dict(of.values), "latest_comment": latest}


def flat_figures(of: Reach | None) -> dict[str, Any]:
    """Lay out the same for a row of a table, without the comment."""
    values = of.values if of else {}
    return {name: values.get(name) for name in OF_POSTS} | {"figures_as_of": instant(of.asked_at) if of else None}


def what_reaches(of: Telling | None) -> list[dict[str, Any]]:
    """Lay out what reaches people, group by group."""
    return [
        {
            "by": what,
            "group": group,
            "measure": of.measure,
            "posts": found.posts,
            "median": found.median,
            "sum": found.total,
            "enough_to_tell": found.is_enough,
        }
        for what, groups in (of.tables() if of else ())
        for group, found in groups.items()
        if of is not None
    ]


def for_a_spreadsheet(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a spreadsheet from reading a text as a formula."""
    return {key: _harmless(value) for key, value in row.items()}


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value


def added(what: Added) -> dict[str, Any]:
    """Lay out what became of a letter."""
    return {"announcement": what.announcement, "posts": posts(what.posts), "notes": list(what.notes)}


def changed(what: Changed) -> dict[str, Any]:
    """Lay out what an action did."""
    return {"posts": posts(what.posts), "notes": list(what.notes)}


def preview(of: Preview) -> dict[str, Any]:
    """Lay out exactly what one post sends; `requests` are a Page's, in their order, without any secret."""
    content = of.content
    shape: dict[str, Any] = {
        "channel": of.channel,
        "kind": content.kind,
        "text": content.text,
        "link": content.link,
        "pictures": [{"file": p.file, "alt": p.alt, "sha256": p.sha256} for p in content.pictures],
        "message": content.message,
        "content_sha256": content.sha256(),
    }
    shape |= {"extras": extras} if (extras := content.extras.said()) else {}
    return shape | {key: value for key, value in of.described.items() if key != "message"}


def announcement(about: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out an announcement."""
    return {
        "id": about["id"],
        "title": about["title"],
        "status": about["status"],
        "community": about["community"],
        "revision": about["revision"],
        "approved_revision": about["approved_revision"],
        "approved": bool(about["approved"]),
        "written_by": about["written_by"],
        "created_at": instant(about["created_at"]),
        "letter": about["letter"],
    }


def entry(of: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out one entry of a history."""
    return {key: instant(value) if isinstance(value, datetime) else value for key, value in of.items()}


def checked(of: Check | None) -> dict[str, Any]:
    """Lay out what the latest look at a queued post found; no problems and no instant where nobody looked."""
    return {
        "problems": [problem(one) for one in of.problems] if of else [],
        "checked_at": instant(of.at) if of else None,
    }


def first_comment(of: FirstComment | None) -> dict[str, Any]:
    """Lay out how a post's first comment stands; nothing for a post that gets none."""
    if of is None:
        return {}
    told = {"state": str(of.state), "attempts": of.attempt, "remote_id": of.remote_id, "reason": of.reason}
    return {"first_comment": told | {"next_at": instant(of.next_at)}}


def problem(of: Problem) -> dict[str, Any]:
    """Lay out a problem."""
    return {"message": of.message, "next": of.next_step or None, "warning": of.is_warning}


def channel(of: ChannelRow, problems: Iterable[str]) -> dict[str, Any]:
    """Lay out a channel; `problems` are plain sentences."""
    return {
        "name": of.name,
        "kind": of.kind,
        "state": of.state,
        "reason": of.reason,
        "until": instant(of.until),
        "problems": list(problems),
    }


def error(of: BadInput) -> dict[str, Any]:
    """Lay out a refusal."""
    return {"error": {"message": of.message, "where": of.where or None, "next": of.next_step or None}}


_HAPPENED = {
    "queue": "queued",
    "pause": "paused",
    "resume": "resumed",
    "publish": "published",
    "defer": "put off",
    "fail": "failed",
    "doubt": "in doubt",
    "confirm": "confirmed",
    "absolve": "not there, queued again",
    "hold": "held by the list",
    "release": "let through by the list",
    "refuse": "refused",
    "miss": "missed",
    "cancel": "cancelled",
    "requeue": "queued again",
    "retract": "retracted",
    "move due time": "moved",
    "comment again": "its first comment is to be made again",
    "comment there": "its first comment is there",
}


def seen(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Say what was seen, and the details, in the words that people read."""
    evidence = entry["evidence"]
    if str(entry["what"]).startswith("pre-flight"):
        return str(entry["what"]), "; ".join(evidence.get("problems", ()))
    if entry["what"] == "told":
        return "told by the channel", f"remote_id: {evidence.get('remote_id', '')}"
    return f"looked: {entry['what']}", ", ".join(f"{key}: {value}" for key, value in evidence.items())


def happened(kind: str) -> str:
    """Say what happened in the words that people read, on every door the same."""
    return _HAPPENED.get(kind, kind)


# Members of lists


def member(of: Member) -> dict[str, Any]:
    """Lay out somebody on a list."""
    return {"address": of.address, "name": of.name, "status": str(of.status)}


def roster(of: Shown) -> dict[str, Any]:
    """Lay out a part of a roster; nulls where none was imported."""
    known = of.known
    return {
        "count": known.count if known else None,
        "source": known.source if known else None,
        "imported_at": instant(known.at) if known else None,
        "members": [member(each) for each in of.members],
        "has_more": of.has_more,
    }


def request(of: Request, step: Step) -> dict[str, Any]:
    """Lay out a request, with the way in which it is carried out and the mail that is prepared for it, if one is."""
    is_prepared = of.state == "accepted" and step.way == "owner"
    return {
        "id": of.id,
        "list": of.channel,
        "kind": str(of.kind),
        "state": str(of.state),
        "came_by": str(of.came_by),
        "address": of.address,
        "name": of.name,
        "words": of.words,
        "made_at": instant(of.made_at),
        "confirmed_at": instant(of.confirmed_at),
        "settled_at": instant(of.settled_at),
        "decided_by": of.decided_by,
        "note": of.note or None,
        "way": str(step.way),
        "prepared": {"to": step.to, "subject": step.subject, "words": step.words} if is_prepared else None,
    }

"""Changing a post that is on the Page: giving it another text, or taking it away; and telling whether that was done.

Facebook lets an app edit only the posts that it made, and says of deleting that only select developers may: both may be
refused, and then a person does it on the Page.
"""

from collections.abc import Mapping
from typing import Any

from outreach.channels._graph_answers import is_gone, redacted
from outreach.channels._http import Answer, Http, Reply
from outreach.channels._page_posts import is_the_same
from outreach.model import (
    Absent,
    Attempt,
    Candidate,
    CannotTell,
    Content,
    Finding,
    Found,
    Outcome,
    Published,
    Unconfirmed,
)

REFUSED = {
    "edit": "Facebook does not let this app change that post. Change it on the Page by hand.",
    "delete": "Facebook does not let this app delete that post. Delete it on the Page by hand.",
}


def root_of(remote_id: str) -> str:
    """Give the id of the post on the Page, without what tells a change of it from another."""
    return remote_id.partition(":")[0]


def _named(attempt: Attempt) -> str:
    """Name the change: two changes of one post are two things that went out."""
    return f"{attempt.content.on}:{attempt.content.does}:{attempt.post.id}"


def made(http: Http, attempt: Attempt, proof: Mapping[str, str]) -> Reply:
    """Ask for it, once."""
    path = f"/{attempt.content.on}"
    if attempt.content.does == "delete":
        return http.delete(path, proof, may_begin=attempt.may_send)
    return http.post(path, {"message": attempt.content.text, **proof}, may_begin=attempt.may_send)


def described(content: Content, where: str) -> dict[str, Any]:
    """Lay the request out."""
    if content.does == "delete":
        return {"method": "DELETE", "url": f"{where}/{content.on}"}
    return {"method": "POST", "url": f"{where}/{content.on}", "form": {"message": content.text}}


def outcome(attempt: Attempt, reply: Answer) -> Outcome:
    """Read an answer that says nothing against it."""
    body = reply.json()
    if isinstance(body, dict) and body.get("success") is True:
        return Published(remote_id=_named(attempt), evidence={"http_status": reply.status})
    return Unconfirmed("Facebook did not say whether it did it.", {"http_status": reply.status})


def finding(attempt: Attempt, reply: Reply, *, secrets: tuple[str, ...]) -> Finding:
    """Look at the post: it has this text, or it is gone."""
    body = reply.json() if isinstance(reply, Answer) else None
    if not isinstance(body, dict):
        return CannotTell("the post on the Page could not be read")
    error = body.get("error")
    if isinstance(error, dict):
        if is_gone(body) and attempt.content.does == "delete":
            return _found(attempt, None)
        return CannotTell("the post on the Page could not be read, or is gone")
    if attempt.content.does == "delete":
        return Absent()
    link = body.get("permalink_url")
    shown = redacted(link, secrets) if isinstance(link, str) else None
    return _found(attempt, shown) if is_the_same(str(body.get("message", "")), attempt.content.text) else Absent()


def _found(attempt: Attempt, url: str | None) -> Found:
    return Found((Candidate(_named(attempt), url, None),), {"looked at": attempt.content.on})

"""The first comment under a post on the Page: made once, as the Page, and looked for among the comments of that very post.

`fields=` is never put on the request: an answer that cannot be given as wished comes after the comment was made (code 20
with subcode 1772107), and whoever believes that refusal makes it again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from outreach.channels import Comment
from outreach.channels._graph_answers import id_in, next_cursor
from outreach.channels._http import Answer, Http, Reply
from outreach.channels._page_changes import root_of
from outreach.channels._page_posts import created_at, is_the_same
from outreach.model import (
    Absent,
    Candidate,
    CannotTell,
    Content,
    Finding,
    Found,
    Outcome,
    Problem,
    Refused,
    Unconfirmed,
)

PERMISSION = "pages_manage_engagement"
_FIELDS = "id,message,created_time,from"
_AT_ONCE = 100
_MOST_PAGES = 20
_NOT_ALLOWED = f"Facebook does not let this app comment as the Page: the permission {PERMISSION} is missing."


def described(content: Content, where: str) -> list[Mapping[str, Any]]:
    """Lay the request out; nothing for a post without such a comment."""
    text = content.extras.first_comment
    if not text:
        return []
    return [{"method": "POST", "url": f"{where}/<id of the post>/comments", "form": {"message": text}}]


def problems(content: Content, scopes: frozenset[str] | None) -> list[Problem]:
    """Warn where the token is known not to allow a comment that is wanted. The post goes out all the same."""
    if not content.extras.first_comment or scopes is None or PERMISSION in scopes:
        return []
    told = f"The first comment will fail: the token lacks the permission {PERMISSION}. The post itself goes out."
    step = "Grant it and connect the Page again, or take the first comment out of the letter."
    return [Problem(told, step, is_warning=True)]


def made(http: Http, wanted: Comment, proof: Mapping[str, str]) -> Reply:
    """Ask for it, once."""
    path = f"/{root_of(wanted.remote_id)}/comments"
    return http.post(path, {"message": wanted.text, **proof}, may_begin=wanted.may_send)


def judged(outcome: Outcome, *, is_forbidden: bool) -> Outcome:
    """Say of the comment what the answer says of a post; a missing permission is no reason to stop the Page's posts."""
    if is_forbidden and not isinstance(outcome, Unconfirmed):
        return Refused(_NOT_ALLOWED, outcome.evidence)
    if isinstance(outcome, Unconfirmed):
        reason = outcome.reason.replace("the post may be out", "the comment may be there")
        return Unconfirmed(reason, outcome.evidence, outcome.is_known_there)
    return outcome


def found(wanted: Comment, get: Callable[..., Reply], *, page_id: str) -> Finding:
    """Read the comments to their end. One with these words by the Page itself is ours: nobody else is given its name."""
    after, same = "", list[Candidate]()
    for _ in range(_MOST_PAGES):
        params = {"filter": "stream", "fields": _FIELDS, "limit": str(_AT_ONCE)} | ({"after": after} if after else {})
        page = _read(get(f"/{root_of(wanted.remote_id)}/comments", **params))
        if page is None:
            return Found(tuple(same)) if same else CannotTell("the comments of the post could not be read")
        items, after_this = page
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("message"), str | None):
                return CannotTell("a comment of the post could not be read")
            if _is_ours(item, wanted.text, page_id) and (number := id_in(item)):
                same.append(Candidate(number, None, created_at(item)))
        if not after_this:
            return Found(tuple(same)) if same else Absent()
        if after_this == after:
            break
        after = after_this
    return Found(tuple(same)) if same else CannotTell("the post has more comments than were read")


def _is_ours(item: Mapping[str, Any], text: str, page_id: str) -> bool:
    by = item.get("from")
    is_others = isinstance(by, dict) and by.get("id") not in (None, page_id)
    return not is_others and is_the_same(str(item.get("message") or ""), text)


def _read(reply: Reply) -> tuple[list[Any], str] | None:
    """Give the comments of one part of the list and where the next begins; empty where there is none."""
    body = reply.json() if isinstance(reply, Answer) and reply.status == 200 else None
    if not isinstance(body, dict) or "error" in body or not isinstance(body.get("data"), list):
        return None
    after = next_cursor(body)
    return None if after is None else (body["data"], after)

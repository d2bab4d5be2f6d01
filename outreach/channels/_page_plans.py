"""Facebook's own scheduler: a post is given to it unpublished with a time, in whole seconds, and goes out there by itself.

Documented bounds contradict each other, from 10 minutes to 28, 30 or 75 days ahead; what keeps within 20 minutes and 28 days
keeps within all of them. Whether a post keeps its id when it goes out is not documented: both are survived.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outreach.channels._graph_answers import id_in, is_gone, next_cursor, redacted
from outreach.channels._http import Answer, Http, Lost, NotSent, Reply
from outreach.channels._page_posts import created_at
from outreach.channels._planner import Plan, Standing
from outreach.model import Absent, Attempt, Candidate, CannotTell, Found, Outcome

_FIELDS = "id,message,is_published,scheduled_publish_time,permalink_url,created_time"
_PER_PAGE = 25
_MOST_PAGES = 40


@dataclass(frozen=True)
class Ways:
    """How the Page is spoken to."""

    http: Http
    page_id: str
    proof: Callable[[], Mapping[str, str]]
    send: Callable[[Attempt, Mapping[str, str]], Outcome]
    secrets: Sequence[str]


class PagePlans:
    """The scheduler of one Page."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    def give(self, attempt: Attempt, at: datetime) -> Outcome:
        """Stage the pictures for it, then the one step after which it waits there."""
        form = {"published": "false", "scheduled_publish_time": str(int(at.timestamp()))}
        return self._ways.send(attempt, form)

    def standing(self, remote_id: str) -> Standing:
        """Read the post itself."""
        reply = self._get(f"/{remote_id}", fields=_FIELDS)
        body = reply.json() if isinstance(reply, Answer) else None
        if not isinstance(body, dict):
            return CannotTell("the post could not be read")
        if "error" in body:
            return Absent() if is_gone(body) else CannotTell("the post could not be read")
        return self._read(body) or CannotTell("the post could not be understood")

    def plans(self) -> Sequence[Plan] | CannotTell:
        """List all that waits, page by page."""
        found: list[Plan] = []
        after = ""
        for _ in range(_MOST_PAGES):
            more = {"after": after} if after else {}
            reply = self._get(f"/{self._ways.page_id}/scheduled_posts", fields=_FIELDS, limit=str(_PER_PAGE), **more)
            body = reply.json() if isinstance(reply, Answer) and reply.status == 200 else None
            if not isinstance(body, dict) or not isinstance(body.get("data"), list):
                return CannotTell("the list of what waits at Facebook could not be read")
            read = [self._read(item) if isinstance(item, dict) else None for item in body["data"]]
            if None in read:
                return CannotTell("an entry in the list of what waits at Facebook cannot be read")
            found += [each for each in read if isinstance(each, Plan)]
            follows = next_cursor(body)
            if follows == "":
                return found
            if follows is None or follows == after:
                break
            after = follows
        return CannotTell("the list of what waits at Facebook does not end")

    def take_back(self, remote_id: str) -> Standing:
        """Look first: deleting what is out would take it away from the public."""
        before = self.standing(remote_id)
        if not isinstance(before, Plan):
            return before
        reply = self._ways.http.delete(f"/{remote_id}", self._ways.proof())
        match reply:
            case Answer() if reply.status == 200 and _is_success(reply.json()):
                return Absent()
            case NotSent(reason) | Lost(reason):
                return CannotTell(f"Facebook could not be reached: {reason}")
        after = self.standing(remote_id)
        return CannotTell("Facebook did not give it back") if isinstance(after, Plan) else after

    def _get(self, path: str, **params: str) -> Reply:
        return self._ways.http.get(path, {**params, **self._ways.proof()})

    def _read(self, item: Mapping[str, Any]) -> Plan | Found | None:
        remote_id, text, is_published = id_in(item), item.get("message", ""), item.get("is_published")
        if remote_id is None or not isinstance(text, str) or not isinstance(is_published, bool):
            return None
        if not is_published:
            return Plan(remote_id, text, _instant(item.get("scheduled_publish_time")))
        link = item.get("permalink_url")
        url = redacted(link, tuple(self._ways.secrets)) if isinstance(link, str) and link.startswith("http") else None
        return Found((Candidate(remote_id, url, created_at(item)),))


def _is_success(body: Any) -> bool:
    return isinstance(body, dict) and body.get("success") in (True, "true")


def _instant(value: Any) -> datetime | None:
    """Read Unix seconds, which come as an integer, a float or a text of digits."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None

"""How far the posts of a Page reach: plain counts, and the figures of insights where Facebook gives them.

Reading is a side matter: nothing here tries twice, and where a limit is nearly used up nothing is asked, so that what is to
be published has it. Of an answer only numbers, one comment's beginning and its address are kept, never `paging`.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from outreach.channels._graph_answers import GraphError, instant_in, redacted
from outreach.channels._graph_errors import Meaning
from outreach.channels._graph_metrics import Metric, families
from outreach.channels._http import Answer, Reply
from outreach.reach import COMMENTS, FOLLOWERS, REACTIONS, SHARES, Learnt, Remark

FEWEST_FOLLOWERS = 100
_TOO_USED = 80.0
_REST = timedelta(hours=1)
_LONGEST_REST = timedelta(days=1)
_REMEMBERED_FOR = timedelta(days=1)
_MOST_WORDS = 140
_MOST_URL = 500
_LARGEST = 2**53
_COUNTS = "shares,reactions.limit(0).summary(total_count),comments"
_WITH_LATEST = ".order(reverse_chronological).limit(1).summary(true){created_time,message,permalink_url}"
_SMALL = (2874008,)
_NOT_PUBLIC = (2932001,)
_CLOSED = (
    "People reached and views are not told to this token: it lacks the permission read_insights, or the role on the Page"
    " that goes with it (ANALYZE). Reactions, comments and shares are counted."
)


class PageFigures:
    """Asks for figures of one Page and its posts. What it may not ask is remembered for a day."""

    def __init__(
        self,
        page_id: str,
        secrets: tuple[str, ...],
        *,
        get: Callable[..., Reply],
        error: Callable[[Answer], GraphError],
        now: Callable[[], datetime],
    ) -> None:
        self._page_id, self._secrets = page_id, secrets
        self._get, self._error, self._now = get, error, now
        self._dead: dict[str, datetime] = {}
        self._closed: tuple[datetime, str] | None = None
        self._followers: tuple[datetime, int | None] | None = None
        self._rest_until: datetime | None = None

    def of_post(self, post_id: str) -> Learnt:
        """Ask for the counts of a post and, where Facebook gives them, for who saw it."""
        if rest := self._resting():
            return rest
        counts = self._counts(post_id)
        if not counts.is_read:
            return counts
        return self._with_insights(counts, post_id, "post", "lifetime")

    def of_page(self) -> Learnt:
        """Ask for the figures of the Page's latest day."""
        if rest := self._resting():
            return rest
        count = self._count_followers()
        found = Learnt({} if count is None else {FOLLOWERS: count}, is_read=count is not None)
        return self._with_insights(found, self._page_id, "page", "day")

    def _resting(self) -> Learnt | None:
        if self._rest_until is None or self._rest_until <= self._now():
            return None
        note = "Facebook's limit for calls is nearly used up, so figures wait."
        return Learnt(note=note, rest_until=self._rest_until)

    # Plain counts

    def _counts(self, post_id: str) -> Learnt:
        reply = self._ask(post_id, fields=_COUNTS + _WITH_LATEST)
        if isinstance(reply, GraphError) and _is_about_rights(reply):
            reply = self._ask(post_id, fields="shares")  # each of the two summaries may need pages_read_user_content
            if isinstance(reply, dict):
                note = "Reactions and comments are not told to this token: it lacks pages_read_user_content."
                return Learnt({SHARES: _shares(reply)}, None, note, is_read=True)
        if not isinstance(reply, dict):
            return self._not_read(reply)
        found = {SHARES: _shares(reply)}
        for name in (REACTIONS, COMMENTS):
            total = _whole(_inside(reply, name, "summary", "total_count"))
            found |= {} if total is None else {name: total}
        return Learnt(found, self._remark(reply), is_read=True)

    def _remark(self, body: Mapping[str, Any]) -> Remark | None:
        listed = _inside(body, COMMENTS, "data")
        latest = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
        at = instant_in(latest.get("created_time"))
        if at is None:
            return None
        words, url = latest.get("message"), latest.get("permalink_url")
        text = " ".join(redacted(words, self._secrets).split()) if isinstance(words, str) else ""
        is_usable = isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= _MOST_URL
        short = text if len(text) <= _MOST_WORDS else f"{text[: _MOST_WORDS - 1].rstrip()}…"
        return Remark(at, short, redacted(url, self._secrets) if isinstance(url, str) and is_usable else None)

    def _count_followers(self) -> int | None:
        if self._followers is None or self._is_old(self._followers[0]):
            reply = self._ask(self._page_id, fields="followers_count")
            count = _whole(reply.get("followers_count")) if isinstance(reply, dict) else None
            if not isinstance(reply, dict):
                return None
            self._followers = (self._now(), count)
        return self._followers[1]

    # Insights

    def _with_insights(self, found: Learnt, node: str, of: str, period: str) -> Learnt:
        values: dict[str, int] = {}
        note = "" if self._resting() else self._why_not()
        for family in families(of).values() if not note else ():
            if self._resting():
                break
            answered = self._family(node, family, period)
            if isinstance(answered, str):
                note = answered
                break
            values |= answered
        whole = {**values, **found.values}  # what was counted itself weighs more than a sum of parts
        notes = " ".join(filter(None, (found.note, note)))
        return replace(
            found, values=whole, note=notes, is_read=found.is_read or bool(values), rest_until=self._rest_until
        )

    def _why_not(self) -> str:
        """Say why insights are not asked for; empty where they are."""
        if self._closed is not None and not self._is_old(self._closed[0]):
            return self._closed[1]
        count = self._count_followers()
        return _too_small(count) if count is not None and count < FEWEST_FOLLOWERS else ""

    def _family(self, node: str, family: Sequence[Metric], period: str) -> dict[str, int] | str:
        """Ask for a family at once; if one of it died, for each alone. Gives the sentence that ends all asking, or values."""
        asked = [metric for metric in family if self._is_old(self._dead.get(metric.name))]
        reply = self._insights(node, asked, period) if asked else {}
        if not _is_about_a_metric(reply):
            return self._read(reply, asked)
        values: dict[str, int] = {}
        for metric in asked:
            alone = self._insights(node, [metric], period) if len(asked) > 1 else reply
            if _is_about_a_metric(alone):
                self._dead[metric.name] = self._now()
                continue
            read = self._read(alone, [metric])
            if isinstance(read, str):
                return read
            values |= read
        return values

    def _insights(self, node: str, metrics: Iterable[Metric], period: str) -> Any:
        return self._ask(f"{node}/insights", metric=",".join(metric.name for metric in metrics), period=period)

    def _read(self, reply: Any, asked: Sequence[Metric]) -> dict[str, int] | str:
        if isinstance(reply, dict):
            return _values(reply, asked)
        if isinstance(reply, GraphError):
            if reply.code in _NOT_PUBLIC:
                return {}
            if reply.code in _SMALL:
                return self._close(_too_small(None))
            if _is_about_rights(reply):
                return self._close(_CLOSED)
        return self._not_read(reply).note

    def _close(self, why: str) -> str:
        self._closed = (self._now(), why)
        return why

    # Asking

    def _ask(self, path: str, **params: str) -> "dict[str, Any] | GraphError | str":
        """Ask once; give the answer's body, the error, or in words why there is neither."""
        reply = self._get(f"/{path}", **params)
        if not isinstance(reply, Answer):
            return reply.reason
        self._note_usage(reply.headers)
        body = reply.json()
        if reply.status != 200 or (isinstance(body, dict) and "error" in body):
            return self._error(reply)
        return body if isinstance(body, dict) else "its answer could not be read"

    def _note_usage(self, headers: Mapping[str, str]) -> None:
        used, regain = usage(headers, self._page_id)
        if used >= _TOO_USED:
            self._rest_until = self._now() + min(regain or _REST, _LONGEST_REST)

    def _not_read(self, what: object) -> Learnt:
        if not isinstance(what, GraphError):
            return Learnt(note=f"Facebook did not tell: {what}.", rest_until=self._rest_until)
        if what.row.meaning is Meaning.RATE_LIMIT:
            waits = timedelta(seconds=what.wait_s or what.row.wait_s or 0)
            self._rest_until = self._now() + min(max(waits, _REST), _LONGEST_REST)
        is_of_access = what.row.meaning in (Meaning.REAUTH, Meaning.FORBIDDEN, Meaning.RATE_LIMIT)
        said = what.said or f"it answered with status {what.status}."
        return Learnt(note=what.row.sentence if is_of_access else f"Facebook says: {said}", rest_until=self._rest_until)

    def _is_old(self, at: datetime | None) -> bool:
        return at is None or not timedelta() <= self._now() - at < _REMEMBERED_FOR


def usage(headers: Mapping[str, str], page_id: str) -> tuple[float, timedelta | None]:
    """Give how many percent of a limit an answer says are used, and how long until calls are welcome again."""
    of_page = _json(headers.get("x-business-use-case-usage"))
    listed = of_page.get(page_id) if isinstance(of_page, dict) else None
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    of_app = _json(headers.get("x-app-usage"))
    counted = [*entries, of_app] if isinstance(of_app, dict) else entries
    used = _numbers(each.get(name) for each in counted for name in ("call_count", "total_cputime", "total_time"))
    minutes = max(_numbers(each.get("estimated_time_to_regain_access") for each in entries), default=0.0)
    return max(used, default=0.0), timedelta(minutes=min(max(minutes, 0.0), 10_080)) or None


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values if _is_number(value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _json(header: str | None) -> Any:
    try:
        return json.loads(header or "null")
    except (ValueError, RecursionError):
        return None


def _values(body: Mapping[str, Any], asked: Sequence[Metric]) -> dict[str, int]:
    """Read the latest value of each metric: a whole number, the parts of one, or none at all."""
    says = {metric.name: metric.says for metric in asked}
    found: dict[str, int] = {}
    entries = body.get("data")
    for entry in entries if isinstance(entries, list) else ():
        name = says.get(str(entry.get("name"))) if isinstance(entry, dict) else None
        if name:
            found |= _in_parts(name, _latest(entry.get("values")))
    return found


def _latest(values: Any) -> Any:
    given = [each.get("value") for each in values if isinstance(each, dict)] if isinstance(values, list) else []
    return next((value for value in reversed(given) if value is not None), None)


def _in_parts(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        whole = _whole(value)
        return {} if whole is None else {name: whole}
    parts = {str(part): number for part, each in value.items() if (number := _whole(each)) is not None}
    named = {f"{name}/{_plain(part)}": number for part, number in parts.items()}
    return {name: sum(parts.values()), **named}


def _plain(part: str) -> str:
    return "".join(c if c.isalnum() or c in " -" else " " for c in part.lower()).strip()[:40] or "other"


def _whole(value: Any) -> int | None:
    if not _is_number(value) or not 0 <= value < _LARGEST:
        return None
    return int(value)


def _shares(body: Mapping[str, Any]) -> int:
    return _whole(_inside(body, "shares", "count")) or 0  # Facebook leaves them out where there are none


def _inside(body: Any, *names: str) -> Any:
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _is_about_a_metric(reply: object) -> bool:
    return isinstance(reply, GraphError) and reply.code == 100 and reply.subcode is None


def _is_about_rights(error: GraphError) -> bool:
    return error.code is not None and (error.code in (3, 10) or 200 <= error.code < 300)


def _too_small(count: int | None) -> str:
    has = "" if count is None else f" It has {count}."
    return f"Facebook tells how many people were reached only for Pages with {FEWEST_FOLLOWERS} followers.{has}"

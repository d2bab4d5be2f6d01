"""From an error answer of the Graph API to an outcome, and to evidence that holds no secret."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from outreach.channels._graph_errors import IN_DOUBT_FROM, STATUS_ALONE, Meaning, Row, look_up
from outreach.channels._http import Answer
from outreach.model import Blocked, Outcome, Refused, Unauthorized, Unavailable, Unconfirmed

_SECRETIVE = re.compile(r"(?i)(access_token|appsecret_proof|input_token|client_secret)=[^&\s\"']+")
_TOKEN_LIKE = re.compile(r"\bEAA[A-Za-z0-9]{20,}")
_ID = re.compile(r"[0-9]{1,40}(_[0-9]{1,40})?")
_MOST_CHARS = 300
_LONGEST_WAIT_S = 7 * 86400.0
_NEARLY_FULL = 95
_REST_S = 300.0


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Take tokens and proofs out of a text that came from outside, and what no database or terminal can show."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    text = _TOKEN_LIKE.sub("…", _SECRETIVE.sub(r"\1=…", text))
    return "".join(c if c.isprintable() else " " for c in text)


def id_in(body: Any) -> str | None:
    """Take the id out of a good answer, or out of an entry of a list; None when there is none to rely on."""
    found = body.get("id") if isinstance(body, dict) and "error" not in body else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def is_gone(body: Any) -> bool:
    """Tell whether an answer says that what was asked for is not there any more."""
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and (error.get("code"), error.get("error_subcode")) == (100, 33)


def next_cursor(body: Mapping[str, Any]) -> str | None:
    """Say where the next part of a list begins: empty at its end, None where it goes on but does not say where.

    The cursor is taken out of the answer: its `next` address holds the token and is never used.
    """
    paging = body.get("paging")
    paging = paging if isinstance(paging, dict) else {}
    if not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None


def instant_in(text: Any) -> datetime | None:
    """Read a time as Facebook writes it, in UTC where it names no offset; None for anything else."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and not at.tzinfo else at


@dataclass(frozen=True, slots=True)
class GraphError:
    """An error answer, parsed. `wait_s` is the longest wait that its headers ask for, in seconds, or None."""

    status: int
    row: Row
    code: int | None
    subcode: int | None
    said: str
    trace_id: str
    wait_s: float | None

    @classmethod
    def from_answer(cls, answer: Answer, *, page_id: str, secrets: tuple[str, ...]) -> "GraphError":
        """Parse what can be parsed; whatever cannot leaves the code None."""
        body = answer.json()
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        code, subcode = _integer(error.get("code")), _integer(error.get("error_subcode"))
        told = [_text(error.get(name)) for name in ("error_user_msg", "message")]
        trace = _text(error.get("fbtrace_id")) or answer.headers.get("x-fb-trace-id", "")
        return cls(
            status=answer.status,
            row=look_up(STATUS_ALONE.get(answer.status) if code is None else code, subcode, told[1]),
            code=code,
            subcode=subcode,
            said=redacted(next(filter(None, told), ""), secrets)[:_MOST_CHARS],
            trace_id=redacted(trace, secrets)[:80],
            wait_s=_wait_s(answer.headers, page_id),
        )

    def sentence(self) -> str:
        """Say it in our words with what to do about it, then in Facebook's."""
        return f"{self.row.reason} (Facebook: {self.said})" if self.said else self.row.reason

    def what_is_wrong(self) -> str:
        """The same without what to do, for where that is shown by itself: it is the row's `next_step`."""
        return f"{self.row.sentence} (Facebook: {self.said})" if self.said else self.row.sentence

    def evidence(self) -> Mapping[str, Any]:
        """What the attempt keeps of it."""
        told = {"http_status": self.status, "code": self.code, "subcode": self.subcode, "fbtrace_id": self.trace_id}
        return {key: value for key, value in told.items() if value not in (None, "")}


def outcome_of_error(error: GraphError, *, number: int, now: datetime) -> Outcome:
    """Say what an error means for the visible step. A 5xx says nothing of the post, whatever its body claims."""
    reason, evidence = error.sentence(), error.evidence()
    if error.status >= IN_DOUBT_FROM or error.status < 400:
        return Unconfirmed(f"Facebook answered with status {error.status}; the post may be out.", evidence)
    match error.row.meaning:
        case Meaning.REJECTED:
            return Refused(reason, evidence)
        case Meaning.RATE_LIMIT:
            return Blocked(reason, now + timedelta(seconds=error.wait_s or error.row.wait_s or 0), evidence)
        case Meaning.LATER:
            return Unavailable(reason, error.row.wait_s, evidence) if number == 1 else Refused(reason, evidence)
        case Meaning.REAUTH | Meaning.FORBIDDEN | Meaning.CONFIG:
            return Unauthorized(reason, evidence)
        case Meaning.BLOCKED:
            until = now + timedelta(seconds=error.row.wait_s) if error.row.wait_s else None
            return Blocked(reason, until, evidence)
        case Meaning.DUPLICATE:
            return Unconfirmed(reason, evidence, is_known_there=True)
        case Meaning.AMBIGUOUS | Meaning.NO_DATA:
            return Unconfirmed(reason, evidence)
        case _ as unknown:
            assert_never(unknown)


def outcome_of_staging(error: GraphError, file: str, *, now: datetime) -> Outcome:
    """Say what an error means for a picture that nobody can see yet: what is unknown may be tried again."""
    outcome = outcome_of_error(error, number=1, now=now)
    if isinstance(outcome, Unconfirmed):
        return Unavailable(f"Facebook did not take the picture {file}: status {error.status}.", None, outcome.evidence)
    if isinstance(outcome, Refused):
        return Refused(f"The picture {file}: {outcome.reason}", outcome.evidence)
    return outcome


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else None


def _wait_s(headers: Mapping[str, str], page_id: str) -> float | None:
    after = headers.get("retry-after", "").strip()
    waits = [_regain_s(headers.get("x-business-use-case-usage"), page_id), _integer(after)]
    known = [min(wait, _LONGEST_WAIT_S) for wait in waits if wait]
    return max(known) if known else None


def rest_after_s(headers: Mapping[str, str], page_id: str) -> float | None:
    """Say how many seconds to rest after a good answer: None while less than `_NEARLY_FULL` percent of a limit is used."""
    entries = _usage_of(headers.get("x-business-use-case-usage"), page_id)
    used = [entry.get(name) for entry in entries for name in ("call_count", "total_cputime", "total_time")]
    if not any(isinstance(each, int | float) and each >= _NEARLY_FULL for each in used):
        return None
    return min(_regain_s(headers.get("x-business-use-case-usage"), page_id) or _REST_S, _LONGEST_WAIT_S)


def _regain_s(header: str | None, page_id: str) -> float | None:
    minutes = [entry.get("estimated_time_to_regain_access") for entry in _usage_of(header, page_id)]
    known = [60 * each for each in minutes if isinstance(each, int | float) and 0 < each < math.inf]
    return max(known, default=None)


def _usage_of(header: str | None, page_id: str) -> list[Mapping[str, Any]]:
    """Read the header as recorded: `{"PAGEID": [{"call_count": PERCENT, "estimated_time_to_regain_access": MINUTES, …}]}`."""
    try:
        usage = json.loads(header or "{}")
        entries = usage.get(page_id) or [entry for of_one in usage.values() for entry in of_one]
        return [entry for entry in entries if isinstance(entry, dict)]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []

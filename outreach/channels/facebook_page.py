"""A Facebook Page, through the Graph API: pictures staged unseen, then one visible step, then nothing tried again."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self

from outreach import markup
from outreach.channels import Limits, Surroundings
from outreach.channels._graph_answers import GraphError, outcome_of_error, outcome_of_staging, redacted
from outreach.channels._http import Answer, Http, Lost, NotSent, Reply
from outreach.model import (
    Absent,
    Attempt,
    BadInput,
    Candidate,
    CannotTell,
    Content,
    Finding,
    Found,
    Outcome,
    Problem,
    Published,
    Refused,
    SentPicture,
    Unavailable,
    Unconfirmed,
    Wording,
)
from outreach.settings import Settings

MAX_PICTURE_BYTES = 4_000_000
MAX_PICTURES = 10
_SKEW = timedelta(minutes=2)
_PAGE_OF_A_LIST = 25
_MOST_PAGES = 20
_ID = re.compile(r"\d+(_\d+)?")
_MIME = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp", "tiff": "image/tiff"}


@dataclass(frozen=True)
class Access:
    """What opens one Page. Its `repr` shows no secret."""

    url: str
    version: str
    page_id: str
    token: str
    app_secret: str
    timeout_s: float

    def __repr__(self) -> str:
        return f"Access({self.url!r}, {self.version!r}, page {self.page_id})"


class FacebookPage:
    """One Page. Facts about the API: the pinned version's reference, and what schedulers met in the wild."""

    kind: ClassVar[str] = "facebook_page"
    usual_name: ClassVar[str] = "facebook"
    limits = Limits(
        max_chars=markup.FACEBOOK_MAX_CHARS,
        max_pictures=MAX_PICTURES,
        max_picture_bytes=MAX_PICTURE_BYTES,
        picture_formats=frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF"}),
    )

    def __init__(self, access: Access, surroundings: Surroundings) -> None:
        self._access = access
        self._media = surroundings.media
        self._now = surroundings.now
        self._http = Http(f"{access.url}/{access.version}", token=access.token, timeout_s=access.timeout_s)

    def __repr__(self) -> str:
        return f"FacebookPage({self._access!r})"

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        """Build it from the `FACEBOOK_*` settings."""
        token = settings.FACEBOOK_PAGE_TOKEN.get_secret_value()
        if not settings.FACEBOOK_PAGE_ID or not token:
            return None
        access = Access(
            url=settings.FACEBOOK_GRAPH_URL,
            version=settings.FACEBOOK_GRAPH_VERSION,
            page_id=settings.FACEBOOK_PAGE_ID,
            token=token,
            app_secret=settings.FACEBOOK_APP_SECRET.get_secret_value(),
            timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
        )
        return cls(access, surroundings)

    # What leaves

    def render(self, wording: Wording) -> Content:
        """Make the text: the title, a blank line, the body as plain text. Pictures leave no link card, so the link joins the text."""
        text = "\n\n".join(part for part in (wording.title, markup.to_plain(wording.body).strip()) if part)
        link = wording.link
        if link and wording.pictures:
            text = text if link in text else f"{text}\n\n{link}"
            link = None
        markup.check_mentions(text)
        length = markup.facebook_length(text)
        if length > self.limits.max_chars:
            raise BadInput(
                f"The text for the Page has {length:,} characters; Facebook takes {self.limits.max_chars:,}.",
                where="body",
                next_step="Shorten it.",
            )
        return Content(self.kind, text, link, wording.pictures)

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        """The requests in their order, without the token and the proof."""
        where = f"{self._access.url}/{self._access.version}/{self._access.page_id}"
        photos = [
            {"method": "POST", "url": f"{where}/photos", "form": _photo_form(p) | {"source": f"<{p.file}>"}}
            for p in content.pictures
        ]
        form = _feed_form(content, [f"<id of {p.file}>" for p in content.pictures])
        return {"requests": [*photos, {"method": "POST", "url": f"{where}/feed", "form": form}]}

    # Publishing

    def publish(self, attempt: Attempt) -> Outcome:
        """Stage each picture unseen, then make the one visible step. A picture that fails stops the post."""
        staged: list[str] = []
        for picture in attempt.content.pictures:
            result = self._stage(picture)
            if not isinstance(result, str):
                return result
            staged.append(result)
        reply = self._post("feed", _feed_form(attempt.content, staged))
        return self._outcome(reply, attempt.number)

    def _stage(self, picture: SentPicture) -> str | Outcome:
        try:
            data = (self._media / picture.path).read_bytes()
        except OSError:
            return Refused(f"The picture {picture.file} is gone from the media folder.")
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            return Refused(f"The picture {picture.file} in the media folder is not the one that was queued.")
        mime = _MIME.get(picture.path.rpartition(".")[2], "application/octet-stream")
        reply = self._post("photos", _photo_form(picture), files=[("source", (picture.file, data, mime))])
        match reply:
            case Answer(status=status) if status < 300:
                found = _id_in(reply.json())
                return found or Unavailable(f"Facebook took the picture {picture.file} but gave no id for it.")
            case Answer():
                return outcome_of_staging(self._error(reply), picture.file, now=self._now())
            case NotSent(reason) | Lost(reason):
                # Nobody can see a staged picture: to upload it again is safe, whatever became of the first.
                return Unavailable(f"Facebook could not be reached: {reason}.")

    def _outcome(self, reply: Reply, number: int) -> Outcome:
        match reply:
            case NotSent(reason):
                return Unavailable(f"Facebook could not be reached: {reason}.")
            case Lost(reason):
                return Unconfirmed(f"Facebook was reached, but {reason}; the post may be out.")
            case Answer(status=status) if 200 <= status < 300:
                found = _id_in(reply.json())
                if found:
                    return Published(remote_id=found, evidence={"http_status": status})
                return Unconfirmed("Facebook answered without an id; the post may be out.", {"http_status": status})
            case Answer():
                return outcome_of_error(self._error(reply), number=number, now=self._now())

    def _post(self, edge: str, form: Mapping[str, str], files: Any = None) -> Reply:
        return self._http.post(f"/{self._access.page_id}/{edge}", {**form, **self._proof()}, files=files)

    def _get(self, path: str, **params: str) -> Reply:
        return self._http.get(path, {**params, **self._proof()})

    def _proof(self) -> dict[str, str]:
        if not self._access.app_secret:
            return {}
        key, token = self._access.app_secret.encode(), self._access.token.encode()
        return {"appsecret_proof": hmac.new(key, token, hashlib.sha256).hexdigest()}

    def _error(self, answer: Answer) -> GraphError:
        return GraphError.from_answer(
            answer, page_id=self._access.page_id, secrets=(self._access.token, self._access.app_secret)
        )

    # Looking

    def find(self, attempt: Attempt) -> Finding:
        """List the Page's posts back to the first attempt that may have arrived and compare their texts.

        An empty list, or one that cannot be had whole, tells nothing.
        """
        wanted = _normal(attempt.content.text)
        candidates: list[Candidate] = []
        after, seen_any = "", False
        for _ in range(_MOST_PAGES):
            reply = self._list(after)
            if not isinstance(reply, Answer) or reply.status != 200:
                return CannotTell("the list of the Page's posts could not be read")
            body = reply.json()
            if not isinstance(body, dict) or not isinstance(body.get("data"), list):
                return CannotTell("the list of the Page's posts could not be understood")
            since = attempt.first_started_at - _SKEW + self._skew(reply)
            items = [item for item in body["data"] if isinstance(item, dict)]
            seen_any = seen_any or bool(items)
            recent = [item for item in items if not _is_before(item, since)]
            candidates += [
                _candidate(item) for item in recent if _normal(str(item.get("message", ""))) == wanted and _id_in(item)
            ]
            after = _next_cursor(body)
            if len(recent) < len(items) or not after:
                return _finding(candidates, seen_any)
        return (
            Found(_oldest_first(candidates)) if candidates else CannotTell("the list of the Page's posts is too long")
        )

    def _list(self, after: str) -> Reply:
        params = {"fields": "id,message,created_time,permalink_url", "limit": str(_PAGE_OF_A_LIST)}
        # The cursor is taken out of the answer: its `next` address holds the token and is never used.
        return self._get(f"/{self._access.page_id}/published_posts", **params, **({"after": after} if after else {}))

    def _skew(self, answer: Answer) -> timedelta:
        """How far Facebook's clock is ahead of ours: without it, a post looks older than the attempt that made it."""
        try:
            return parsedate_to_datetime(answer.headers["date"]) - self._now()
        except (KeyError, ValueError, TypeError):
            return timedelta()

    def link_to(self, remote_id: str) -> str | None:
        """Read the permalink; what goes wrong here means nothing for the post."""
        reply = self._get(f"/{remote_id}", fields="permalink_url")
        body = reply.json() if isinstance(reply, Answer) and reply.status == 200 else None
        link = body.get("permalink_url") if isinstance(body, dict) else None
        return link if isinstance(link, str) and link.startswith(("https://", "http://")) else None

    def check(self) -> list[Problem]:
        """Ask who the token is: it has to be the Page itself."""
        reply = self._get("/me", fields="id,name")
        if not isinstance(reply, Answer):
            return [
                Problem(f"Facebook could not be reached: {reply.reason}.", "Check the network and FACEBOOK_GRAPH_URL.")
            ]
        if reply.status != 200:
            error = self._error(reply)
            return [Problem(f"Facebook does not accept the token: {error.sentence()}", "Check FACEBOOK_PAGE_TOKEN.")]
        body = reply.json()
        if not isinstance(body, dict) or str(body.get("id")) != self._access.page_id:
            return [
                Problem("The token does not belong to this Page.", "Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.")
            ]
        return self._other_version(reply)

    def _other_version(self, answer: Answer) -> list[Problem]:
        served = answer.headers.get("facebook-api-version")
        if not served or served == self._access.version:
            return []
        return [
            Problem(
                f"Facebook answers with version {served}, not {self._access.version}.", "Set FACEBOOK_GRAPH_VERSION."
            )
        ]


def _feed_form(content: Content, staged: list[str]) -> dict[str, str]:
    form = {"message": content.text}
    if content.link:
        form["link"] = content.link
    for place, media_id in enumerate(staged):
        form[f"attached_media[{place}]"] = f'{{"media_fbid":"{media_id}"}}'
    return form


def _photo_form(picture: SentPicture) -> dict[str, str]:
    form = {"published": "false"}
    if picture.alt is not None:
        form["alt_text_custom"] = picture.alt
    return form


def _id_in(body: Any) -> str | None:
    found = body.get("id") if isinstance(body, dict) and "error" not in body else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _created(item: Mapping[str, Any]) -> datetime | None:
    try:
        created = datetime.fromisoformat(str(item.get("created_time")))
    except ValueError:
        return None
    return created if created.tzinfo else created.replace(tzinfo=UTC)


def _is_before(item: Mapping[str, Any], since: datetime) -> bool:
    created = _created(item)
    return created is not None and created < since


def _candidate(item: Mapping[str, Any]) -> Candidate:
    link = item.get("permalink_url")
    return Candidate(item["id"], redacted(link) if isinstance(link, str) else None, _created(item))


def _next_cursor(body: Mapping[str, Any]) -> str:
    paging = body.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return str(cursors.get("after", "")) if isinstance(cursors, dict) else ""


def _finding(candidates: list[Candidate], seen_any: bool) -> Finding:
    if candidates:
        return Found(_oldest_first(candidates))
    return Absent() if seen_any else CannotTell("the list of the Page's posts is empty")


def _oldest_first(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda c: (c.created_at or datetime.max.replace(tzinfo=UTC), c.remote_id)))

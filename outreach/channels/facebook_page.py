"""A Facebook Page, through the Graph API: pictures staged unseen, then one visible step, then nothing tried again."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from outreach import markup, page_extras
from outreach.channels import Comment, Limits, Surroundings, Usage
from outreach.channels import _first_comment as first
from outreach.channels import _page_changes as changes
from outreach.channels import _page_requests as requests
from outreach.channels._graph_answers import (
    GraphError,
    id_in,
    outcome_of_error,
    outcome_of_staging,
    redacted,
    rest_after_s,
)
from outreach.channels._graph_errors import Meaning
from outreach.channels._http import NOT_ALLOWED, Answer, Http, Lost, NotSent, Reply
from outreach.channels._page_access import Access as Access
from outreach.channels._page_access import may_be_connected, outcome_without, told_to_connect, what_is_wrong, with_key
from outreach.channels._page_check import PageCheck
from outreach.channels._page_figures import PageFigures
from outreach.channels._page_key import PageKey
from outreach.channels._page_learning import PageLearning
from outreach.channels._page_lint import lint
from outreach.channels._page_plans import PagePlans, Ways
from outreach.channels._page_posts import Search
from outreach.channels._staging import Stage
from outreach.channels._usage import usage_of
from outreach.channels._video import VideoUpload
from outreach.channels._warming import warm
from outreach.channels.links import check_links
from outreach.extras import SentVideo
from outreach.model import (
    HELD_UP,
    NO_EXTRAS,
    Attempt,
    BadInput,
    CannotTell,
    Content,
    Finding,
    Follow,
    FollowKind,
    Outcome,
    Problem,
    Published,
    Refused,
    SentPicture,
    Unauthorized,
    Unavailable,
    Unconfirmed,
    Wording,
)
from outreach.settings import Settings, is_loopback

MAX_PICTURE_BYTES = 4_000_000
MAX_PICTURES = 10
MAX_VIDEO_BYTES = 1_000_000_000
_PAGE_OF_A_LIST = 25
_CORRECTION = re.compile(r"^\s*correction:\s*", re.IGNORECASE)
_MOST_PAGES = 20
_MIME = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp", "tiff": "image/tiff"}


class FacebookPage(PageLearning):
    """One Page. Facts about the API: the pinned version's reference, and what schedulers met in the wild."""

    kind: ClassVar[str] = "facebook_page"
    usual_name: ClassVar[str] = "facebook"
    limits = Limits(
        max_chars=markup.FACEBOOK_MAX_CHARS,
        max_pictures=MAX_PICTURES,
        max_picture_bytes=MAX_PICTURE_BYTES,
        picture_formats=frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF"}),
        max_video_bytes=MAX_VIDEO_BYTES,
    )

    def __init__(self, access: Access, surroundings: Surroundings, *, hands_over: timedelta = timedelta()) -> None:
        self.hands_over = hands_over
        self._given = access
        self._media = surroundings.media
        self._now = surroundings.now
        self._uploads = surroundings.uploads
        self._page_key = surroundings.page_key
        self._open(with_key(access, self._page_key()))

    def _open(self, access: Access) -> None:
        self._access = access
        self._http = Http(f"{access.url}/{access.version}", token=access.token, timeout_s=access.timeout_s)
        self._usage: Usage | None = None
        self._check = PageCheck(access, get=self._get, error=self._error, now=self._now)
        self._figures = PageFigures(access.page_id, self._secrets, get=self._get, error=self._error, now=self._now)

    def _reopen(self) -> tuple[Problem | None, PageKey | None]:
        """Take the Page that is connected now, which may be new since the last use; say what is wrong with it."""
        key = self._page_key()
        access = with_key(self._given, key)
        if access != self._access:
            self._open(access)
        return what_is_wrong(access, key), key

    def __repr__(self) -> str:
        return f"FacebookPage({self._access!r})"

    @classmethod
    def from_settings(cls, settings: Settings, surroundings: Surroundings) -> Self | None:
        """Build it from the `FACEBOOK_*` settings."""
        token = settings.FACEBOOK_PAGE_TOKEN.get_secret_value()
        if not token and not may_be_connected(settings):
            return None
        access = Access(
            url=settings.FACEBOOK_GRAPH_URL,
            version=settings.FACEBOOK_GRAPH_VERSION,
            page_id=settings.FACEBOOK_PAGE_ID,
            token=token,
            app_secret=settings.FACEBOOK_APP_SECRET.get_secret_value(),
            timeout_s=settings.OUTREACH_HTTP_TIMEOUT_S,
            app_id=settings.FACEBOOK_APP_ID,
        )
        return cls(access, surroundings, hands_over=timedelta(days=settings.FACEBOOK_HAND_OVER_DAYS))

    # What leaves

    def render(self, wording: Wording) -> Content:
        """Make the text: the title, a blank line, the body as plain text. Pictures leave no link card, so the link joins the text."""
        if wording.follow is not None:
            return self._change_of(wording, wording.follow)
        text = "\n\n".join(part for part in (wording.title, markup.to_plain(wording.body).strip()) if part)
        link = wording.link
        if link and (wording.pictures or wording.extras.video):
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
        return Content(self.kind, text, link, wording.pictures, extras=page_extras.as_sent(wording.extras))

    def _change_of(self, wording: Wording, follow: Follow) -> Content:
        """A correction gives the post on the Page another text; its pictures and its card stay. A retraction takes it away."""
        on = changes.root_of(follow.remote_id or "")
        if follow.kind is FollowKind.RETRACTION:
            return Content(self.kind, follow.before, does="delete", on=on)
        bare = replace(
            wording, title=_CORRECTION.sub("", wording.title), pictures=(), link=None, follow=None, extras=NO_EXTRAS
        )
        text = self.render(bare).text
        if wording.link and wording.link not in text:
            text = f"{text}\n\n{wording.link}"
        return Content(self.kind, text, does="edit", on=on)

    def describe(self, content: Content, *, at: datetime) -> Mapping[str, object]:
        """The requests in their order, without the token and the proof."""
        self._reopen()
        if content.does:
            return {"requests": [changes.described(content, f"{self._access.url}/{self._access.version}")]}
        at_version = f"{self._access.url}/{self._access.version}"
        return {"requests": requests.described(content, at_version, self._access.page_id)}

    # Publishing

    def publish(self, attempt: Attempt) -> Outcome:
        """Stage each picture unseen, then make the one visible step. A picture that fails stops the post."""
        wrong, key = self._reopen()
        if wrong is not None:
            return outcome_without(wrong, key)
        if attempt.content.does:
            return self._change(attempt)
        if attempt.content.extras.video is not None:
            return self._publish_film(attempt, attempt.content.extras.video)
        stage = Stage(self._uploads, attempt.post.id, where=self._access.page_id, now=self._now())
        for picture in attempt.content.pictures:
            if not stage.reuse(picture):
                result = self._stage(picture)
                if not isinstance(result, str):
                    return result
                stage.add(picture, result)
        warm(self._access, attempt.content.link, self._proof(), now=self._now())
        reply = self._post("feed", requests.feed_form(attempt.content, stage.ids), may_begin=attempt.may_send)
        return self._outcome_with(stage, self._outcome(reply, attempt.number))

    def _publish_film(self, attempt: Attempt, film: SentVideo) -> Outcome:
        """Upload the video unseen, as far as one try gets, and make the one visible step once it is processed."""
        calls, around = (self._post, self._get, self._error), (self._access.page_id, self._now)
        upload = VideoUpload(attempt, film, media=self._media, uploads=self._uploads, calls=calls, around=around)
        ready = upload.ready()
        if not isinstance(ready, str):
            return ready
        reply = self._post("feed", requests.feed_form(attempt.content, [ready]), may_begin=attempt.may_send)
        return upload.ended(self._outcome(reply, attempt.number))

    def _change(self, attempt: Attempt) -> Outcome:
        """Change a post that is there. Doing so twice does no harm: it has this text, or it is gone."""
        reply = self._noted(changes.made(self._http, attempt, self._proof()))
        if isinstance(reply, Answer) and 200 <= reply.status < 300:
            return changes.outcome(attempt, reply)
        outcome = self._outcome(reply, attempt.number)
        is_forbidden = isinstance(reply, Answer) and self._error(reply).row.meaning is Meaning.FORBIDDEN
        if isinstance(outcome, Unauthorized) and is_forbidden:
            # An app may not change every post: that says nothing of publishing, for which the channel stays open.
            return Refused(changes.REFUSED[attempt.content.does], outcome.evidence)
        return outcome

    @staticmethod
    def _outcome_with(stage: Stage, outcome: Outcome) -> Outcome:
        """A refusal may be about uploads that are gone: then the next try makes them anew, and only its refusal counts."""
        if isinstance(outcome, Published):
            stage.clear()
        if isinstance(outcome, Refused) and stage.used_earlier:
            stage.clear()
            return Unavailable(f"{outcome.reason} The pictures are uploaded anew.", None, outcome.evidence)
        return outcome

    def planner(self) -> PagePlans:
        """Facebook's own scheduler."""
        self._reopen()
        return PagePlans(Ways(self._http, self._access.page_id, self._proof, self._give, self._secrets))

    def _give(self, attempt: Attempt, when: Mapping[str, str]) -> Outcome:
        """Let Facebook publish it: its pictures are staged anew, since others are thrown away there after a day."""
        wrong, key = self._reopen()
        if wrong is not None:
            return outcome_without(wrong, key)
        staged = []
        for picture in attempt.content.pictures:
            result = self._stage(picture, temporary="true")
            if not isinstance(result, str):
                return result
            staged.append(result)
        form = requests.feed_form(attempt.content, staged) | dict(when)
        form |= {"unpublished_content_type": "SCHEDULED"} if staged else {}
        return self._outcome(self._post("feed", form, may_begin=attempt.may_send), attempt.number)

    def _stage(self, picture: SentPicture, **more: str) -> str | Outcome:
        try:
            data = (self._media / picture.path).read_bytes()
        except OSError:
            return Refused(f"The picture {picture.file} is gone from the media folder.")
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            return Refused(f"The picture {picture.file} in the media folder is not the one that was queued.")
        mime = _MIME.get(picture.path.rpartition(".")[2], "application/octet-stream")
        reply = self._post(
            "photos", requests.photo_form(picture) | more, files=[("source", (picture.file, data, mime))]
        )
        match reply:
            case Answer(status=status) if status < 300:
                found = id_in(reply.json())
                return found or Unavailable(f"Facebook took the picture {picture.file} but gave no id for it.")
            case Answer():
                return outcome_of_staging(self._error(reply), picture.file, now=self._now())
            case NotSent(reason) | Lost(reason):
                # Nobody can see a staged picture: to upload it again is safe, whatever became of the first.
                return Unavailable(f"Facebook could not be reached: {reason}.")

    def _outcome(self, reply: Reply, number: int) -> Outcome:
        match reply:
            case NotSent(reason):
                return HELD_UP if reason == NOT_ALLOWED else Unavailable(f"Facebook could not be reached: {reason}.")
            case Lost(reason):
                return Unconfirmed(f"Facebook was reached, but {reason}; the post may be out.")
            case Answer(status=status) if 200 <= status < 300:
                found = id_in(reply.json())
                if found:
                    return Published(remote_id=found, evidence={"http_status": status}, rest_until=self._rest(reply))
                return Unconfirmed("Facebook answered without an id; the post may be out.", {"http_status": status})
            case Answer():
                return outcome_of_error(self._error(reply), number=number, now=self._now())

    def _rest(self, answer: Answer) -> datetime | None:
        """Say until when to leave Facebook alone, where a good answer says that its limit is nearly reached."""
        rest_s = rest_after_s(answer.headers, self._access.page_id)
        return self._now() + timedelta(seconds=rest_s) if rest_s else None

    def _post(self, edge: str, form: Mapping[str, str], **how: Any) -> Reply:
        path = edge if edge.startswith("/") else f"/{self._access.page_id}/{edge}"
        return self._noted(self._http.post(path, {**form, **self._proof()}, **how))

    def _get(self, path: str, **params: str) -> Reply:
        return self._noted(self._http.get(path, {**params, **self._proof()}))

    def _noted(self, reply: Reply) -> Reply:
        """Note what any answer says of the limit, a refusal's too."""
        if isinstance(reply, Answer):
            self._usage = usage_of(reply.headers, self._access.page_id, at=self._now()) or self._usage
        return reply

    def usage(self) -> Usage | None:
        """Say how much of Facebook's limit for the Page is used, as far as the latest answer told."""
        return self._usage

    def _proof(self) -> dict[str, str]:
        return {"appsecret_proof": self._access.proof} if self._access.app_secret else {}

    @property
    def _secrets(self) -> tuple[str, ...]:
        access = self._access
        return (access.token, access.app_secret, access.proof, access.proof_for(access.app_token))

    def _error(self, answer: Answer) -> GraphError:
        return GraphError.from_answer(answer, page_id=self._access.page_id, secrets=self._secrets)

    # Looking

    def find(self, attempt: Attempt) -> Finding:
        """List the Page's posts back to the first attempt that may have arrived and compare their texts."""
        wrong, _ = self._reopen()
        if wrong is not None:
            return CannotTell(wrong.message)
        if attempt.content.does:
            fields = "id,message,permalink_url"
            return changes.finding(attempt, self._get(f"/{attempt.content.on}", fields=fields), secrets=self._secrets)
        search = Search(attempt.content.text, started_at=attempt.first_started_at, secrets=self._secrets)
        for _ in range(_MOST_PAGES):
            finding = search.read(self._list(search.after), now=self._now())
            if finding is not None:
                return finding
        return search.conclusion("the list of the Page's posts is too long")

    def _list(self, after: str) -> Reply:
        params = {"fields": "id,message,created_time,permalink_url", "limit": str(_PAGE_OF_A_LIST)}
        return self._get(f"/{self._access.page_id}/published_posts", **params, **({"after": after} if after else {}))

    # The first comment, once the post is out

    def comment(self, wanted: Comment) -> Outcome:
        """Comment as the Page, once. Nothing of the answer says anything of the post."""
        reply = first.made(self._http, wanted, self._proof())
        outcome = self._outcome(reply, wanted.number)
        is_forbidden = isinstance(reply, Answer) and self._error(reply).row.meaning is Meaning.FORBIDDEN
        return first.judged(outcome, is_forbidden=is_forbidden)

    def find_comment(self, wanted: Comment) -> Finding:
        """Read the comments of that very post and compare their texts."""
        return first.found(wanted, self._get, page_id=self._access.page_id)

    def if_sent_again(self) -> str:
        """A Page has no way to tell Facebook that a post is a repeat."""
        return "A second public post would appear, unless Facebook recognises the text as a repeat."

    def where_to_look(self) -> tuple[str, str | None]:
        """The Page lists its posts to everybody."""
        self._reopen()
        is_real = self._access.url == "https://graph.facebook.com"
        address = f"https://www.facebook.com/{self._access.page_id}" if is_real else None
        return "on the Page itself, among its latest posts", address

    def link_to(self, remote_id: str) -> str | None:
        """Read the permalink; what goes wrong here means nothing for the post."""
        if self._reopen()[0] is not None:
            return None
        reply = self._get(f"/{changes.root_of(remote_id)}", fields="permalink_url")
        body = reply.json() if isinstance(reply, Answer) and reply.status == 200 else None
        link = body.get("permalink_url") if isinstance(body, dict) else None
        if not isinstance(link, str) or not link.startswith(("https://", "http://")):
            return None
        return redacted(link, self._secrets)

    # Before a post is due

    def check(self) -> list[Problem]:
        """Ask who the token is, what it may and, where the app's number and secret are known, how long it is good."""
        wrong, key = self._reopen()
        if wrong is not None:
            return [wrong]
        return told_to_connect(self._check.problems(), key)

    def expires(self) -> Mapping[str, datetime]:
        """Say when the token and the access to data run out, as far as the latest check learnt it."""
        return self._check.runs_out

    def server_time(self) -> datetime | None:
        """Read the time of any answer, a refusal's too."""
        if self._reopen()[0] is not None:
            return None
        reply = self._get("/me", fields="id")
        return reply.date() if isinstance(reply, Answer) else None

    def lint(self, content: Content) -> list[Problem]:
        """Look at the text, and at the pictures on the disk."""
        return lint(content, self._media, self.limits)

    def check_content(self, content: Content) -> list[Problem]:
        """Look at the text, the pictures on the disk, and the links."""
        is_sandbox = is_loopback(urlsplit(self._access.url).hostname or "")
        if not content.does:
            warm(self._access, content.link, self._proof(), now=self._now())
        found = self.lint(content) + first.problems(content, self._check.scopes)
        return found + check_links(content, is_sandbox=is_sandbox)

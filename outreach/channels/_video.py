"""A video for a post on the Page: uploaded unseen in pieces, processed, and only then part of the one visible step.

What is not verified of the real API: that a finish with `published=false` stays unseen, and that `attached_media` of a post
takes a video. Whichever way it answers, no two posts appear. If the video is public already when it is ready, its post is taken
as ours and none is made; if it cannot be attached, the refusal is a clean one and nothing is out. Everything before the visible
step may be repeated, since nobody can see it, and goes on where the last try stopped: the session, how far it is and what is
done are kept as uploads of the post are.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from outreach.channels import GOES_ON, Upload, Uploads
from outreach.channels._graph_answers import GraphError, id_in, is_gone, outcome_of_error
from outreach.channels._http import Answer, Reply
from outreach.channels._staging import KEPT_FOR
from outreach.extras import SentVideo
from outreach.model import HELD_UP, Attempt, Outcome, Problem, Published, Refused, Unavailable, Unconfirmed

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4 * 1024 * 1024
LOOK_AGAIN_S = 30.0
UNKNOWN_FOR = timedelta(minutes=10)
"""So long after the upload Facebook may say of a video that it does not exist."""
_SESSION, _OFFSET, _FINISHED, _CAPTIONS = 100, 101, 102, 103
Post = Callable[..., Reply]


class VideoUpload:
    """The upload of one post's video. `post` and `get` speak to Facebook, `error` reads a refusal; all as the channel does."""

    def __init__(
        self,
        attempt: Attempt,
        video: SentVideo,
        *,
        media: Path,
        uploads: Uploads,
        calls: tuple[Post, Callable[..., Reply], Callable[[Answer], GraphError]],
        around: tuple[str, Callable[[], datetime]],
    ) -> None:
        """Take what it uploads and with what; `around` is the Page's number and the clock."""
        self._attempt, self._video, self._media, self._uploads = attempt, video, media, uploads
        self._post, self._get, self._error = calls
        self._page_id, self._now = around
        told = "\0".join((self._page_id, video.sha256, video.title, video.captions_sha256))
        self._key = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        kept = uploads.of(attempt.post.id)
        self._kept = {place: up for place, up in kept.items() if up.key == self._key and self._is_fresh(up)}
        self._goes_on = _SESSION in self._kept

    def ready(self) -> str | Outcome:
        """Go on until the video can be part of a post; give its number, or why not yet. A video that is public is `Published`."""
        trouble = self._started() or self._transferred() or self._finished() or self._captioned()
        return trouble or self._processed()

    def clear(self) -> None:
        """Let go of it: it is part of a post, or is to be uploaded anew."""
        self._uploads.forget(self._attempt.post.id)

    def ended(self, outcome: Outcome) -> Outcome:
        """Let go of the upload where it is part of a post now."""
        if isinstance(outcome, Published):
            self.clear()
        return outcome

    @property
    def _video_id(self) -> str:
        return self._kept[_SESSION].remote_id.partition(":")[0]

    @property
    def _session(self) -> str:
        return self._kept[_SESSION].remote_id.partition(":")[2]

    def _is_fresh(self, upload: Upload) -> bool:
        return timedelta(0) <= self._now() - upload.at < KEPT_FOR

    def _keep(self, place: int, what: str) -> None:
        upload = Upload(self._key, what, self._now())
        self._kept[place] = upload
        self._uploads.keep(self._attempt.post.id, place, upload)

    # The steps that nobody sees. Each gives None once it is done, else why it is not.

    def _started(self) -> Outcome | None:
        if trouble := _is_on_the_disk(self._media, self._video, hash_of=hashed):
            return trouble
        if _SESSION in self._kept:
            return None
        size = (self._media / self._video.path).stat().st_size
        body = self._asked("videos", {"upload_phase": "start", "file_size": str(size)})
        if not isinstance(body, dict):
            return body
        video_id, session = id_in({"id": str(body.get("video_id"))}), id_in({"id": str(body.get("upload_session_id"))})
        if video_id is None or session is None:
            return Unavailable("Facebook began to take the video, but gave no number for it.")
        self._keep(_SESSION, f"{video_id}:{session}")
        self._keep(_OFFSET, f"{_offset(body, 'start_offset') or 0}")
        return None

    def _transferred(self) -> Outcome | None:
        """Send what is left, piece by piece from the disk; between two pieces the post may be stopped."""
        size = (self._media / self._video.path).stat().st_size
        start = int(self._kept[_OFFSET].remote_id) if _OFFSET in self._kept else 0
        if _FINISHED in self._kept:
            return None
        with (self._media / self._video.path).open("rb") as source:
            while start < size:
                if not self._attempt.may_send():
                    return HELD_UP
                source.seek(start)
                piece = source.read(MOST_AT_ONCE)
                form = {"upload_phase": "transfer", "upload_session_id": self._session, "start_offset": str(start)}
                files = [("video_file_chunk", (self._video.file, piece, "application/octet-stream"))]
                body = self._asked("videos", form, files=files)
                if not isinstance(body, dict):
                    return body
                start = self._moved_on(body, start, size)
        return None

    def _moved_on(self, body: Mapping[str, Any], start: int, size: int) -> int:
        reached = _offset(body, "start_offset")
        reached = reached if reached is not None and start < reached <= size else min(start + MOST_AT_ONCE, size)
        self._keep(_OFFSET, str(reached))
        log.info("%s: %d of %d MB of the video are uploaded", self._attempt.post.name, reached // 10**6, size // 10**6)
        return reached

    def _finished(self) -> Outcome | None:
        if _FINISHED in self._kept:
            return None
        form = {"upload_phase": "finish", "upload_session_id": self._session, "published": "false"}
        body = self._asked("videos", form | ({"title": self._video.title} if self._video.title else {}))
        if not isinstance(body, dict):
            return body
        self._keep(_FINISHED, self._video_id)
        return None

    def _captioned(self) -> Outcome | None:
        if not self._video.captions_path or _CAPTIONS in self._kept:
            return None
        data = (self._media / self._video.captions_path).read_bytes()
        language = _language(self._video.captions)
        files = [("captions_file", (f"captions.{language}.srt", data, "application/x-subrip"))]
        body = self._asked(f"/{self._video_id}/captions", {"default_locale": language}, files=files)
        if not isinstance(body, dict):
            return body
        self._keep(_CAPTIONS, language)
        return None

    def _processed(self) -> str | Outcome:
        waiting = Unavailable("Facebook is still processing the video.", LOOK_AGAIN_S, {GOES_ON: True})
        reply = self._get(f"/{self._video_id}", fields="status,post_id,permalink_url")
        body = reply.json() if isinstance(reply, Answer) else None
        if not isinstance(body, dict):
            return waiting
        if isinstance(body.get("error"), dict):
            if is_gone(body) and self._now() - self._kept[_FINISHED].at > UNKNOWN_FOR:
                return self._anew("Facebook lost the video")
            return waiting
        status = body.get("status")
        verdict = status.get("video_status") if isinstance(status, dict) else None
        if verdict == "error":
            self.clear()
            return Refused(f"Facebook could not process the video {self._video.file}.", {"video_id": self._video_id})
        return self._unless_public(body) if verdict == "ready" else waiting

    def _unless_public(self, body: Mapping[str, Any]) -> str | Outcome:
        """A Facebook that published it at the end of the upload has made our post: a second one would be one too many."""
        post_id = id_in({"id": body.get("post_id")})
        if post_id is None:
            return self._video_id
        full = post_id if "_" in post_id else f"{self._page_id}_{post_id}"
        reply = self._get(f"/{full}", fields="is_published")
        told = reply.json() if isinstance(reply, Answer) and reply.status == 200 else None
        if not isinstance(told, dict) or not isinstance(told.get("is_published"), bool):
            return Unavailable("Whether the video is public already could not be read.", LOOK_AGAIN_S)
        evidence = {"video_id": self._video_id, "told": "Facebook published the video when its upload was finished"}
        return Published(remote_id=full, evidence=evidence) if told["is_published"] else self._video_id

    # Asking

    def _asked(self, edge: str, form: Mapping[str, str], **how: Any) -> dict[str, Any] | Outcome:
        """Ask for one unseen step, once. What is unknown may be tried again; a refusal of what was begun begins anew."""
        reply = self._post(edge, form, **how)
        if not isinstance(reply, Answer):
            return Unavailable(f"Facebook could not be reached: {reply.reason}.", None, {GOES_ON: True})
        body = reply.json()
        if 200 <= reply.status < 300 and isinstance(body, dict) and "error" not in body:
            return body
        if 200 <= reply.status < 300:
            return Unavailable("Facebook's answer about the video cannot be understood.")
        outcome = outcome_of_error(self._error(reply), number=1, now=self._now())
        if not isinstance(outcome, Refused | Unconfirmed):
            return outcome
        if self._goes_on and reply.status < 500:  # what was begun may be gone, or further than was kept
            return self._anew(outcome.reason)
        if isinstance(outcome, Unconfirmed):
            return Unavailable(f"Facebook did not take the video: status {reply.status}.", None, outcome.evidence)
        return Refused(f"The video {self._video.file}: {outcome.reason}", outcome.evidence)

    def _anew(self, reason: str) -> Outcome:
        self.clear()
        return Unavailable(f"{reason.rstrip('.')}. The video is uploaded anew.")


def _is_on_the_disk(media: Path, video: SentVideo, *, hash_of: Callable[[Path], str]) -> Outcome | None:
    for what, path, sha256 in (
        ("video", video.path, video.sha256),
        ("captions", video.captions_path, video.captions_sha256),
    ):
        if path and not (media / path).is_file():
            return Refused(f"The {what} of the post, {path}, is gone from the media folder.")
        if path and hash_of(media / path) != sha256:
            return Refused(f"The {what} of the post in the media folder is not what was queued.")
    return None


def problems(video: SentVideo | None, media: Path) -> list[Problem]:
    """Say what of a post's video is not on the disk as it was queued."""
    found = _is_on_the_disk(media, video, hash_of=_remembered) if video else None
    step = "Put it into the media folder again, or cancel the post and add its letter again."
    return [Problem(found.reason, step)] if isinstance(found, Refused) else []


def _remembered(file: Path) -> str:
    """Hash a file that is looked at again and again, such as at each key of a form, only when it changed."""
    about = file.stat()
    return _hashed_once(file, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed_once(file: Path, _size: int, _changed_ns: int) -> str:
    return hashed(file)


def hashed(file: Path) -> str:
    """Hash a file of any size, a piece at a time."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _offset(body: Mapping[str, Any], name: str) -> int | None:
    """Read a place in the file; it comes as text or as a number."""
    found = str(body.get(name))
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 15 else None


def _language(file: str) -> str:
    """Take the language out of a name such as `talk.de_DE.srt`; English where it names none."""
    part = file.split(".")[-2] if file.count(".") > 1 else ""
    is_one = len(part) == 5 and part[2] == "_" and part[:2].islower() and part[3:].isupper() and part.isascii()
    return part if is_one else "en_US"


def described(video: SentVideo, where: str, page: str) -> list[dict[str, Any]]:
    """Lay the requests out that come before the post."""
    finish = {"upload_phase": "finish", "upload_session_id": "<session>", "published": "false"}
    requests: list[tuple[str, dict[str, str]]] = [
        (f"{page}/videos", {"upload_phase": "start", "file_size": "<size>"}),
        (f"{page}/videos", {"upload_phase": "transfer", "video_file_chunk": f"<pieces of {video.file}>"}),
        (f"{page}/videos", finish | ({"title": video.title} if video.title else {})),
    ]
    if video.captions:
        requests.append((f"{where}/<id of {video.file}>/captions", {"captions_file": f"<{video.captions}>"}))
    return [{"method": "POST", "url": url, "form": form} for url, form in requests]

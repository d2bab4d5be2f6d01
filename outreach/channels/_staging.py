"""Pictures uploaded unseen before the post that shows them: kept through a crash, used again while Facebook keeps them."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from outreach.channels import Upload, Uploads
from outreach.model import SentPicture

KEPT_FOR = timedelta(hours=20)
"""Facebook deletes what nobody published after about 24 hours; a margin is left."""


class Stage:
    """The pictures of one post, by their place in it. `where` names the Page: an upload is of no use to another one."""

    def __init__(self, uploads: Uploads, post_id: int, *, where: str, now: datetime) -> None:
        self._uploads = uploads
        self._post_id = post_id
        self._where = where
        self._now = now
        self.ids: list[str] = []
        self.used_earlier = False

    def reuse(self, picture: SentPicture) -> bool:
        """Take the upload that an earlier try made of the next picture; False when there is none to rely on."""
        earlier = self._earlier.get(len(self.ids))
        if earlier is None or earlier.key != self._key(picture) or not self._is_fresh(earlier):
            return False
        self.ids.append(earlier.remote_id)
        self.used_earlier = True
        return True

    @cached_property
    def _earlier(self) -> Mapping[int, Upload]:
        return self._uploads.of(self._post_id)  # asked only for a post with pictures

    def _is_fresh(self, upload: Upload) -> bool:
        return timedelta(0) <= self._now - upload.at < KEPT_FOR

    def add(self, picture: SentPicture, remote_id: str) -> None:
        """Keep what was just uploaded."""
        self._uploads.keep(self._post_id, len(self.ids), Upload(self._key(picture), remote_id, self._now))
        self.ids.append(remote_id)

    def clear(self) -> None:
        """Let go of everything: it is part of a post now, or is not there any more."""
        if self.ids:
            self._uploads.forget(self._post_id)

    def _key(self, picture: SentPicture) -> str:
        told = "\0".join((self._where, picture.sha256, "" if picture.alt is None else f"alt {picture.alt}"))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()

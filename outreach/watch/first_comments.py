"""First comments: made under posts that are out, once, each as a step of its own. What becomes of one never changes its post.

The order is that of publishing: the try is committed, then the comment is sent, then the answer is committed. What may be
there is looked for among the comments of that very post, and made again only where it is positively not there.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import assert_never

from outreach.channels import Channel, Comment, Comments
from outreach.extras import CommentState
from outreach.lifecycle import back_off, may_absolve, next_look
from outreach.model import (
    Absent,
    Blocked,
    CannotTell,
    Content,
    Finding,
    Found,
    Outcome,
    Post,
    Published,
    Refused,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)
from outreach.publisher import Pace
from outreach.store import Store, first_comments, posts, workers
from outreach.store.first_comments import FirstComment, Step

log = logging.getLogger(__name__)

MOST_TRIES = 12
"""By the back-off that is about four hours: a comment that comes later is not the first any more."""
MOST_DOUBTS = 2
"""So often a comment that is positively not there is made again by itself; then a person decides."""
_S = CommentState


class FirstComments:
    """The round of any number of workers; its channels are its own."""

    def __init__(
        self, *, store: Store, channels: Mapping[int, Channel], now: Callable[[], datetime], worker: str, pace: Pace
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._now = now
        self._worker = worker
        self._pace = pace

    def round(self) -> int:
        """Rescue what gone workers left, look for what is in doubt, make what is due; give how many were made."""
        self._rescue()
        self._look()
        with self._store.read() as tx:
            due = first_comments.to_be_made(tx, self._now())
        return sum(self._make(post, comment) for post, comment in due)

    # Workers that are gone

    def _rescue(self) -> None:
        now = self._now()
        with self._store.read() as tx:
            taken = first_comments.in_flight(tx)
        for post, comment in taken:
            is_gone = comment.worker not in (None, self._worker) and workers.is_gone(comment.worker or "")
            if is_gone or (comment.lease_until is not None and comment.lease_until < now):
                self._take(post, comment, self._doubt("The worker that was making it gave no sign; it may be there."))

    # Making

    def _make(self, post: Post, comment: FirstComment) -> bool:
        channel: object = self._channels.get(post.channel_id)
        content = self._content(post)
        if not isinstance(channel, Comments):
            return self._take(post, comment, _failed("The channel takes no comments."))
        if not content.is_what_was_approved(post.content_sha256):
            return self._take(post, comment, _failed("What is stored is not what was approved; it was not made."))
        if not post.remote_id:
            return self._take(post, comment, _failed("The number of the post on the Page is not known."))
        with self._store.write() as tx:
            until = self._now() + self._pace.lease
            if not first_comments.claim(tx, comment, worker=self._worker, lease_until=until):
                return False
        taken = FirstComment(
            post.id, _S.POSTING, comment.attempt + 1, looks=comment.looks, clean_looks=comment.clean_looks
        )
        wanted = self._wanted(post, content, taken.attempt)
        # A restored copy of the database may have forgotten that it was made.
        finding = channel.find_comment(wanted)
        if isinstance(finding, Found):
            return self._take(post, taken, _found(finding))
        if taken.attempt > 1 and isinstance(finding, CannotTell):
            return self._take(post, taken, self._again(taken, f"Not made, since {finding.reason}.", None))
        return self._take(post, taken, self._step(post, taken, channel.comment(wanted)))

    def _wanted(self, post: Post, content: Content, attempt: int) -> Comment:
        until = self._now() + self._pace.lease / 2

        def may_send() -> bool:
            with self._store.read() as tx:
                return self._now() < until and first_comments.is_still_ours(tx, post.id, attempt, self._now())

        return Comment(post.remote_id or "", content.extras.first_comment, attempt, may_send)

    def _content(self, post: Post) -> Content:
        with self._store.read() as tx:
            return posts.content(tx, post)

    def _step(self, post: Post, taken: FirstComment, outcome: Outcome) -> Step:
        match outcome:
            case Published(remote_id=remote_id):
                return Step(_S.POSTED, "first comment posted", remote_id, {"remote_id": remote_id, "reason": None})
            case Refused(reason):
                return _failed(reason)
            case Unavailable(reason, wish_s):
                return self._again(taken, reason, wish_s)
            case Unauthorized(reason):
                return self._again(taken, reason, 600.0)
            case Blocked(reason, until):
                wait_s = (until - self._now()).total_seconds() if until else 3600.0
                return self._again(taken, reason, max(wait_s, 60.0))
            case Unconfirmed(reason):
                return self._doubt(reason)
            case _ as unknown:
                assert_never(unknown)

    def _again(self, taken: FirstComment, reason: str, wish_s: float | None) -> Step:
        if taken.attempt >= MOST_TRIES:
            return _failed(f"{reason} It was tried {taken.attempt} times.")
        wait = back_off(taken.attempt, key=f"comment {taken.post_id}", at_least_s=wish_s or 0.0)
        return Step(_S.WAITING, "first comment put off", reason, {"next_at": self._now() + wait, "reason": reason})

    def _doubt(self, reason: str) -> Step:
        now = self._now()
        look_at = next_look(0, doubted_at=now, look_after_s=self._pace.look_after_s)
        values = {"reason": reason, "doubted_at": now, "next_at": look_at, "looks": 0, "clean_looks": 0}
        return Step(_S.IN_DOUBT, "first comment in doubt", reason, values)

    # Looking

    def _look(self) -> None:
        with self._store.read() as tx:
            wanted = first_comments.to_be_looked_for(tx, self._now())
        for post, comment in wanted:
            self._look_for(post, comment)

    def _look_for(self, post: Post, comment: FirstComment) -> None:
        channel: object = self._channels.get(post.channel_id)
        finding: Finding = CannotTell("the channel is not set up any more")
        if isinstance(channel, Comments):
            finding = channel.find_comment(self._wanted(post, self._content(post), comment.attempt))
        if isinstance(finding, Found):
            self._take(post, comment, _found(finding))
            return
        looks, clean = comment.looks + 1, comment.clean_looks + isinstance(finding, Absent)
        is_absent = may_absolve(looks=looks, clean_looks=clean, look_after_s=self._pace.look_after_s)
        if is_absent and isinstance(finding, Absent) and comment.attempt < MOST_DOUBTS:
            note = f"not there after {looks} looks; it is made again"
            values = {"next_at": self._now(), "looks": 0, "clean_looks": 0, "reason": None}
            self._take(post, comment, Step(_S.WAITING, "first comment not there", note, values))
            return
        doubted_at = comment.doubted_at or self._now()
        look_at = next_look(looks, doubted_at=doubted_at, look_after_s=self._pace.look_after_s)
        with self._store.write() as tx:
            first_comments.plan_look(tx, comment, looks=looks, clean_looks=clean, next_at=look_at)

    def _take(self, post: Post, was: FirstComment, step: Step) -> bool:
        with self._store.write() as tx:
            done = first_comments.take(tx, post, was, step, now=self._now())
        if done and step.to in (_S.FAILED, _S.IN_DOUBT):
            log.warning("%s: its first comment: %s", post.name, step.note)
        return done and step.to is _S.POSTED


def _found(finding: Found) -> Step:
    oldest = finding.candidates[0]
    told = "first comment found" if len(finding.candidates) == 1 else "first comment found more than once"
    return Step(_S.POSTED, told, oldest.remote_id, {"remote_id": oldest.remote_id, "reason": None})


def _failed(reason: str) -> Step:
    return Step(_S.FAILED, "first comment failed", reason, {"reason": reason})

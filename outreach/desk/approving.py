"""Approving: what waits for another pair of eyes, and what those decide about exactly what they were shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from outreach import letter as letters
from outreach.desk.looking import Changed, Looking
from outreach.model import BadInput, Content, Letter, NoticeKind, Post, sha256_of_json
from outreach.store import Transaction, announcements, drafts, notices, posts, reviews, waiting
from outreach.store.reviews import Comment
from outreach.store.waiting import Place, Waiting

HERE_FOR = timedelta(seconds=45)
"""For so long after the last sign somebody counts as writing on an announcement."""


class NotAsShown(BadInput):
    """What is decided about is not what was shown any more. Nothing was changed."""


class OwnRevision(BadInput):
    """Nobody approves what they wrote themselves."""

    def __init__(self) -> None:
        super().__init__("Nobody approves what they wrote themselves.", next_step="Ask another coordinator.")


@dataclass(frozen=True, slots=True)
class Inbox:
    """A part of what waits; `further` is where the next part begins, None when this is the last."""

    found: tuple[Waiting, ...]
    further: Place | None


@dataclass(frozen=True, slots=True)
class Side:
    """What one post sends, and what it sent in the revision that the person saw before; None: it was not there then."""

    post: Post
    content: Content
    before: Content | None


@dataclass(frozen=True, slots=True)
class Review:
    """Everything an approver is shown. `seen` is the revision they saw before this one, with its letter, if they saw one.

    `shown` sums up what each post would send and how it stands: a decision names it.
    """

    about: dict[str, Any]
    sides: tuple[Side, ...]
    comments: tuple[Comment, ...]
    shown: str
    is_asked_for: bool
    letter: Letter
    seen: int | None
    before: Letter | None
    untold: tuple[tuple[str, str], ...]


class Approving(Looking):
    """Decisions about a revision. Each names the revision it is about: nobody approves what they did not see."""

    def waiting_for_approval(self, *, limit: int = 200) -> list[Post]:
        """Give the queued posts that nobody approved as they are now, next due first."""
        with self._store.read() as tx:
            return waiting.first(tx, self._community.id, limit=limit)

    def to_be_approved(self, *, after: Place | None = None, limit: int = 50) -> Inbox:
        """Give the announcements that nobody approved as they are now, next due first: those of the next `limit` posts.

        `after` is where an earlier part ended; what that part had is left out.
        """
        with self._store.read() as tx:
            part = waiting.first(tx, self._community.id, after=after, limit=limit)
            found = waiting.of(tx, part)
        fresh = tuple(each for each in found if after is None or waiting.place(each.posts[0]) > after)
        return Inbox(fresh, waiting.place(part[-1]) if len(part) == limit else None)

    def count_waiting(self, *, person: str) -> int:
        """Count what waits for this person: what others wrote, up to a hundred posts."""
        with self._store.read() as tx:
            return waiting.count(tx, self._community.id, but_of=person)

    def review(self, number: int, *, person: str) -> Review:
        """Lay out an announcement for who decides about it. Changes nothing. Raises `BadInput` for a draft."""
        with self._store.read() as tx:
            about = self._about(tx, number, None)
            found = posts.of_announcement(tx, number)
            if not found:
                raise BadInput(f"Announcement {number} is a draft: nothing of it waits.", next_step="Queue it first.")
            revision, hashes = _baseline(reviews.seen_by(tx, number, person), about["revision"])
            versions = {v.revision: v.letter for v in drafts.versions(tx, number)} if revision else {}
            return Review(
                about=about,
                sides=tuple(Side(p, posts.content(tx, p), _as_of(tx, p, hashes.get(p.id))) for p in found),
                comments=tuple(reviews.comments_on(tx, number)),
                shown=as_shown(found),
                is_asked_for=waiting.is_asked_for(tx, self._community.id),
                letter=letters.parse(about["letter"]),
                seen=revision,
                before=letters.parse(versions[revision]) if revision in versions else None,
                untold=tuple(notices.troubles_of(tx, number)),
            )

    def approve(self, number: int, *, person: str, revision: int | None = None, shown: str | None = None) -> Changed:
        """Approve a revision, which must be the latest (None: whatever that is) and somebody else's.

        `shown` sums up what the person saw; raises `NotAsShown` when that is not so any more, and `OwnRevision`. What
        came due before it was approved is missed by that, and never goes out late just because somebody approved it.
        """
        now = self._now()
        with self._store.write() as tx:
            waiting.keep_from_changing(tx, number)
            about = self._about(tx, number, revision)
            self._check_as_shown(tx, number, shown)
            if (about["written_by"] or "").casefold() == person.casefold():
                raise OwnRevision
            over = waiting.over(tx, now, number=number)
            for post in over:
                waiting.give_up(tx, post, now)
            announcements.approve(tx, number, about["revision"], person=person, now=now)
            reviews.saw(tx, number, about["revision"], person=person, now=now)
            if waiting.is_asked_for(tx, self._community.id):
                notices.owe_author(tx, number, NoticeKind.APPROVED, now, about=int(now.timestamp()))
        self.on_queued()
        return Changed(tuple(self.find(str(number))), tuple(_too_late(post) for post in over))

    def ask_for_changes(self, number: int, *, revision: int, said: str, person: str, shown: str | None = None) -> None:
        """Send a revision back with a comment: nothing of it goes out until it was approved after all."""
        with self._store.write() as tx:
            waiting.keep_from_changing(tx, number)
            about = self._about(tx, number, revision)
            self._check_as_shown(tx, number, shown)
            comment = self._comment(about["revision"], said, person, asks_for_changes=True)
            wish = reviews.add_comment(tx, number, comment)
            reviews.withdraw_approval(tx, number)
            if (about["written_by"] or "").casefold() != person.casefold():
                notices.owe_author(tx, number, NoticeKind.CHANGES, comment.at, about=wish)

    def comment(self, number: int, *, said: str, person: str, revision: int | None = None) -> None:
        """Say something about a revision, which must be the latest (None: whatever that is); it changes nothing."""
        with self._store.write() as tx:
            about = self._about(tx, number, revision)
            reviews.add_comment(tx, number, self._comment(about["revision"], said, person, asks_for_changes=False))

    def comments(self, number: int) -> list[Comment]:
        """Give everything said about an announcement, oldest first."""
        with self._store.read() as tx:
            self._about(tx, number, None)
            return reviews.comments_on(tx, number)

    def last_seen(self, number: int, *, person: str) -> int | None:
        """Give the revision of an announcement that a person last saw."""
        with self._store.read() as tx:
            return reviews.last_seen(tx, number, person)

    def saw(self, number: int, revision: int, *, person: str, sides: Sequence[Side] | None = None) -> None:
        """Write down which revision a person saw; `sides` is what of it, else what it sends now."""
        shown = None if sides is None else {side.post.id: side.post.content_sha256 for side in sides}
        with self._store.read() as tx:
            if (reviews.last_seen(tx, number, person) or 0) >= revision:
                return
        with self._store.write() as tx:
            self._about(tx, number, None)
            reviews.saw(tx, number, revision, person=person, now=self._now(), shown=shown)

    def also_writing(self, number: int, *, person: str) -> list[str]:
        """Note that a person writes on an announcement, and give who else does."""
        now = self._now()
        with self._store.write() as tx:
            self._about(tx, number, None)
            reviews.is_writing(tx, number, person=person, now=now)
            return [who for who in reviews.writing_since(tx, number, now - HERE_FOR) if who != person]

    def _comment(self, revision: int, said: str, person: str, *, asks_for_changes: bool) -> Comment:
        if not said.strip():
            raise BadInput("The comment is empty.", where="comment", next_step="Say what should be changed.")
        return Comment(0, revision, person, self._now(), said.strip()[:4000], asks_for_changes)

    def _about(self, tx: Transaction, number: int, revision: int | None) -> dict[str, Any]:
        about = announcements.get(tx, number)
        if about is None or about["community_id"] != self._community.id:
            raise BadInput(f"There is no announcement {number}.", next_step="See them with: outreach queue")
        if revision not in (None, about["revision"]):
            raise NotAsShown(
                f"Announcement {number} was changed meanwhile; revision {revision} is not its latest any more.",
                where="revision",
                next_step=f"Look at revision {about['revision']} first.",
            )
        return about

    @staticmethod
    def _check_as_shown(tx: Transaction, number: int, shown: str | None) -> None:
        if shown is not None and as_shown(posts.of_announcement(tx, number)) != shown:
            raise NotAsShown(
                f"Announcement {number} is not as it was shown to you any more.",
                where="revision",
                next_step="Look at it as it is now, then decide.",
            )


def as_shown(found: Sequence[Post]) -> str:
    """Sum up what posts would send, when, and how they stand."""
    return sha256_of_json(
        [[p.name, str(p.state), p.attempt, p.paused, p.due_at.isoformat(), p.content_sha256] for p in found]
    )


def _baseline(seen: reviews.Seen | None, revision: int) -> tuple[int | None, dict[int, str]]:
    """Choose what a revision is compared with: what was seen before it, also when it is looked at a second time."""
    if seen is None:
        return None, {}
    if seen.revision < revision:
        return seen.revision, dict(seen.shown)
    return seen.before_revision, dict(seen.before)


def _as_of(tx: Transaction, post: Post, sha256: str | None) -> Content | None:
    return posts.content(tx, replace(post, content_sha256=sha256)) if sha256 else None


def _too_late(post: Post) -> str:
    return (
        f"{post.name} came due before it was approved, so it is missed and does not go out by itself."
        f" Send it after all: outreach requeue {post.name}"
    )

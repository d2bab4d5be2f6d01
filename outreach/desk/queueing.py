"""Queueing: a letter becomes an announcement with a post on each of its channels, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outreach import letter as letters
from outreach.compose import Draft, Target
from outreach.desk.looking import Looking
from outreach.lifecycle import OPEN
from outreach.model import BadInput, Letter, Post, State
from outreach.store import announcements, channels, drafts, follows, posts
from outreach.store.announcements import Author, NewAnnouncement, NewPost
from outreach.store.drafts import Version


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a letter. No posts: it is a draft."""

    announcement: int
    posts: tuple[Post, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Which announcement is written on, and on top of which text: `base` is the key of the version it was begun from."""

    number: int
    base: str


class ChangedMeanwhile(BadInput):
    """Somebody saved another text since this one was begun. `theirs` is that text; nothing of either is lost."""

    def __init__(self, theirs: Version) -> None:
        by = theirs.person or "somebody"
        super().__init__(
            f"{by} saved revision {theirs.revision} meanwhile.",
            where="revision",
            next_step="Compare the two texts and save yours on top of theirs, or take theirs.",
        )
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Order:
    """Who queues, when, and the draft that it was written in. With a `base`, exactly that text of the draft."""

    author: Author
    now: datetime
    of_draft: int | None = None
    base: str | None = None


class AlreadyQueued(BadInput):
    """The letter, or one that says the same, is announcement `number` already."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"This letter is already queued as {number}.",
            next_step=f"Look at it with: outreach show {number}. "
            "To send the same text again, wait until it is out and give it another time.",
        )
        self.number = number


class Queueing(Looking):
    """Letters taken in. `on_queued` is called after something new may be due."""

    def add(
        self,
        letter: Letter,
        *,
        folder: Path,
        person: str | None = None,
        source: str | None = None,
        of_draft: int | Place | None = None,
    ) -> Added:
        """Queue a letter on its channels. Pictures are looked for in `folder` first; `source` is noted in the history.

        `of_draft` is the draft that it was written in, else one that says the same; a place in it is refused as
        `ChangedMeanwhile` once somebody saved another text. Raises `BadInput`; then nothing is queued. The same letter a second time is `AlreadyQueued`, never doubled.
        """
        now = self._now()
        targets = self._chosen(letter.to)
        self._refuse_a_known_letter(letter)
        draft = self._composer.keep(self._composer.draft(letter, folder=folder, now=now, targets=targets))
        draft_number, base = (of_draft.number, of_draft.base) if isinstance(of_draft, Place) else (of_draft, None)
        order = Order(Author(person, source), now, draft_number, base)
        while (number := self._queued(draft, targets, order)) is None:
            continue  # somebody queued or cancelled the same text meanwhile: the post needs another Message-ID
        self.on_queued()
        concerns = [f"{target.name}: {told}" for target in targets if (told := self.concern_about_sender(target))]
        return self._added(number, [*draft.notes, *concerns])

    def draft(self, letter: Letter, *, person: str | None = None, source: str | None = None) -> Added:
        """Keep a letter as a draft: an announcement without posts. Adding the same text later queues it."""
        self._chosen(letter.to)
        if letter.template:
            self._composer.template(letter.template)  # one that is not there could never be queued
        new = self._new_announcement(letter, self._composer.title(letter), Author(person, source))
        with self._store.write() as tx:
            known = announcements.saying_nothing_yet(tx, self._community.id, new.said)
            if known is not None:
                raise BadInput(
                    f"This letter is already kept as draft {known}.",
                    next_step="Queue it with: outreach add LETTER.md --at TIME",
                )
            try:
                number = announcements.add(tx, new, [], self._now())
            except announcements.AlreadyThere as there:
                raise AlreadyQueued(there.number) from None
        return Added(number, (), ("Add the same letter with a time to queue it.",))

    def _refuse_a_known_letter(self, letter: Letter) -> None:
        """Look before any work is done; the look that counts is made again where it is written."""
        with self._store.read() as tx:
            known = announcements.by_letter(tx, self._community.id, letter.key())
            if known is not None and posts.of_announcement(tx, known):
                raise AlreadyQueued(known)

    @staticmethod
    def _edition(tx: Any, same: Sequence[tuple[int, int, str]]) -> int:
        """Count the announcements that say the same and are, were or may have been out: each has its own Message-ID."""
        numbers = {number for number, _, _ in same}
        live = {number for number, _, state in same if state != State.CANCELLED}
        tried = [n for n in numbers - live if any(post.attempt for post in posts.of_announcement(tx, n))]
        return len(live) + len(tried)

    def _queued(self, draft: Draft, targets: Sequence[Target], order: "Order") -> int | None:
        """Render, which is slow, then look again and write in one transaction; None when the two looks differ."""
        said = draft.letter.said()
        with self._store.read() as tx:
            edition = self._edition(tx, announcements.saying_the_same(tx, self._community.id, said))
        new_posts = [self._new_post(draft, target, edition) for target in targets]
        with self._store.write() as tx:
            same = announcements.saying_the_same(tx, self._community.id, said)
            if order.of_draft and posts.of_announcement(tx, order.of_draft):
                raise AlreadyQueued(order.of_draft)
            if order.of_draft and order.base:
                self._base(tx, Place(order.of_draft, order.base))
            _refuse_what_is_open(same, targets)
            if self._edition(tx, same) != edition:
                return None
            self._refuse_a_taken_title(tx, draft.resolved.title, targets)
            return self._write_down(tx, draft, new_posts, order)

    def _new_post(self, draft: Draft, target: Target, edition: int) -> NewPost:
        content = self._composer.render(draft, target, edition=edition)
        time = draft.times[target.name]
        return NewPost(
            channel_id=target.id,
            content=content,
            content_sha256=content.sha256(),
            due_at=time.due.due_at,
            miss_at=time.miss_at,
            wall_time=time.due.wall_time,
            time_zone=time.due.time_zone,
        )

    def _write_down(self, tx: Any, draft: Draft, new_posts: Sequence[NewPost], order: "Order") -> int:
        now = order.now
        for found in draft.pictures:
            shape = (found.width, found.height)
            announcements.remember_picture(tx, found.sent, kind=found.kind, size=found.size, shape=shape, now=now)
        new = self._new_announcement(draft.letter, draft.resolved.title, order.author)
        kept = order.of_draft or announcements.saying_nothing_yet(tx, self._community.id, new.said)
        try:
            if kept is None:
                kept = announcements.add(tx, new, new_posts, now)
            else:
                announcements.queue_draft(tx, kept, new, new_posts, now)
        except announcements.AlreadyThere as there:
            raise AlreadyQueued(there.number) from None
        follows.note(tx, kept, draft.letter)
        return kept

    def _base(self, tx: Any, place: Place) -> Version:
        """Give the text that is written on top of. Raises `ChangedMeanwhile` when it is not the latest any more."""
        was = drafts.latest(tx, self._community.id, place.number)
        if was is None:
            raise BadInput(f"There is no announcement {place.number}.", next_step="Begin a new one.")
        if was.key != place.base:
            raise ChangedMeanwhile(was)
        return was

    def _new_announcement(self, letter: Letter, title: str, author: Author) -> NewAnnouncement:
        return NewAnnouncement(self._community.id, title, letters.show(letter), letter.said(), letter.key(), author)

    @staticmethod
    def _refuse_a_taken_title(tx: Any, title: str, targets: Sequence[Target], *, but: int | None = None) -> None:
        for target in targets:
            if not target.channel.limits.titles_must_differ:
                continue
            taken = announcements.open_with_title(tx, target.id, title)
            if taken not in (None, but):
                raise BadInput(
                    f"Announcement {taken} on {target.name} has the same title and is still open.",
                    where="title",
                    next_step="Choose another title: a list server's answers name nothing else.",
                )

    def _added(self, number: int, notes: Sequence[str]) -> Added:
        with self._store.read() as tx:
            found = posts.of_announcement(tx, number)
            rows = {row.name: row for row in channels.of_community(tx, self._community.id)}
        told = list(notes)
        if any(not post.approved for post in found):
            told.append(f"It waits for an approval: outreach approve {number}")
        told += [
            f"The channel {p.channel} is paused: {rows[p.channel].reason}"
            for p in found
            if rows[p.channel].state == "paused"
        ]
        return Added(number, tuple(found), tuple(told))


def _refuse_what_is_open(same: Sequence[tuple[int, int, str]], targets: Sequence[Target]) -> None:
    wanted = {target.id for target in targets}
    for number, channel_id, state in same:
        if channel_id in wanted and State(state) in OPEN:
            raise AlreadyQueued(number)

"""Writing: drafts that save themselves, edits of what is queued, and taking back what was just queued."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from outreach import letter as letters
from outreach import lifecycle
from outreach.compose import Target
from outreach.desk.queueing import Added, AlreadyQueued, ChangedMeanwhile, Place, Queueing
from outreach.lifecycle import IllegalMove
from outreach.model import BadInput, Letter, Move, Post, State
from outreach.store import announcements, channels, drafts, moves, posts
from outreach.store.announcements import Author, NewAnnouncement, NewPost
from outreach.store.drafts import Edit, Rewritten, Version
from outreach.when import When

UNTITLED = "Untitled draft"
UNDO_FOR = timedelta(minutes=2)
"""So long what is to go out at once waits, so that it can be taken back."""
NOWHERE = Path(os.devnull)
"""The folder of a letter that lies in none: its pictures are in the media folder."""
EDITABLE = frozenset({State.QUEUED, State.FAILED, State.MISSED})
"""From these states an edit reaches a post; one that failed or was missed is queued again by it, for its new time."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it is kept now. `base` is to be named by the next save."""

    number: int
    base: str
    revision: int


@dataclass(frozen=True, slots=True)
class Going:
    """When a post would be due; `due` is None for as soon as it cannot be taken back any more."""

    channel: str
    due: When | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of a letter. `stays` are posts that keep what they sent, `paused` channels that wait."""

    goes: tuple[Going, ...]
    notes: tuple[str, ...]
    waits_for_approval: bool
    stays: tuple[Post, ...]
    paused: tuple[str, ...]


class Writing(Queueing):
    """What is done to an announcement before and while it is queued. Nothing here is ever sent by itself."""

    def latest(self, number: int) -> Version:
        """Give what an announcement says now. Raises `BadInput` for one that this community does not have."""
        with self._store.read() as tx:
            is_one = number.bit_length() < 64  # no database has a longer one
            found = drafts.latest(tx, self._community.id, number) if is_one else None
        if found is None:
            raise BadInput(f"There is no announcement {number}.", next_step="Look for it in the queue and the history.")
        return found

    def letter_of(self, number: int) -> Letter:
        """Give the letter of an announcement to be written on; its pictures are named as the queue folder keeps them."""
        letter = letters.parse(self.latest(number).letter, is_draft=True)
        kept = self._kept_pictures(self.find(str(number))) if letter.pictures else {}
        named = (replace(p, file=kept.get(Path(p.file).name, p.file)) for p in letter.pictures)
        return replace(letter, pictures=tuple(named))

    def title_of(self, letter: Letter) -> str:
        """Say under which title a draft is kept, however unfinished."""
        try:
            return " ".join(letter.title.split()) or self._composer.title(letter) or UNTITLED
        except BadInput:  # its template is gone or broken: what was typed is kept nevertheless
            return letter.template or UNTITLED

    def versions(self, number: int) -> list[Version]:
        """Give every revision of an announcement, oldest first."""
        self.latest(number)
        with self._store.read() as tx:
            return drafts.versions(tx, number)

    def drafts(self) -> list[dict[str, object]]:
        """Give the drafts of the community, latest touched first."""
        with self._store.read() as tx:
            return drafts.of_community(tx, self._community.id)

    def save_draft(
        self, letter: Letter, *, place: Place | None = None, person: str | None = None, source: str | None = None
    ) -> Saved:
        """Keep what is being written, however unfinished. `source` is noted in the history of a new one.

        Raises `ChangedMeanwhile`, and `BadInput` for what has posts.
        """
        new = self._new_draft(letter, person, source)
        with self._store.write() as tx:
            if place is None:
                number = drafts.begin(tx, new, self._now())
            else:
                number = place.number
                was = self._base(tx, place)
                if posts.of_announcement(tx, number):
                    raise BadInput(f"Announcement {number} is queued already.", next_step="Save your changes to it.")
                if was.letter != new.letter or was.is_discarded:
                    drafts.save(tx, was, new, self._now())
            now = drafts.latest(tx, self._community.id, number)
        assert now is not None
        return Saved(number, now.key, now.revision)

    def discard(self, number: int, *, person: str | None = None) -> None:
        """Take a draft out of sight; its text stays in the history. Raises `BadInput` for what has posts."""
        self.latest(number)
        with self._store.write() as tx:
            if posts.of_announcement(tx, number):
                raise BadInput(f"Announcement {number} is no draft.", next_step="Cancel its posts instead.")
            drafts.discard(tx, number, person=person, now=self._now())

    def _new_draft(self, letter: Letter, person: str | None, source: str | None = None) -> NewAnnouncement:
        letters.parse(letters.show(letter), is_draft=True)  # what is kept can be read again
        return self._new_announcement(letter, self.title_of(letter), Author(person, source))

    # What would become of it

    def channel_kinds(self) -> dict[str, str]:
        """Give the kind of every channel that can be written for, by its name."""
        return {name: target.channel.kind for name, target in self._targets.items()}

    def editable(self, found: Sequence[Post]) -> list[Post]:
        """Choose the posts that an edit would still reach."""
        return [post for post in found if is_editable(post)]

    def plan(self, letter: Letter, *, number: int | None = None) -> Plan:
        """Say what queueing a letter, or saving an edit of what is queued, would do. Raises `BadInput` as that would."""
        found = self.find(str(number)) if number else []
        reached = self.editable(found)
        targets = self._to_be_written(letter, found, reached) if found else self._chosen(letter.to)
        names = [target.name for target in targets]
        timed = replace(letter, times=tuple(t for t in letter.times if t[0] in names)) if found else letter
        draft = self._composer.draft(timed, folder=NOWHERE, now=self._now(), targets=targets)
        with self._store.read() as tx:
            paused = [row for row in channels.of_community(tx, self._community.id) if row.state == "paused"]
        goes = tuple(Going(n, None if letter.at_on(n) == "now" else draft.times[n].due) for n in names)
        stays = tuple(post for post in found if post not in reached)
        return Plan(
            goes, draft.notes, self.asks_for_approval(), stays, tuple(row.name for row in paused if row.name in names)
        )

    def with_time_to_undo(self, letter: Letter) -> Letter:
        """Put the instant until which a letter for `now` can be taken back in place of that word."""
        soon = f"{self._now() + UNDO_FOR:%Y-%m-%dT%H:%M:%SZ}"
        times = tuple((name, soon if at == "now" else at) for name, at in letter.times)
        return replace(letter, at=soon if letter.at == "now" else letter.at, times=times)

    def take_picture(self, data: bytes, *, name: str) -> str:
        """Keep an uploaded picture as every channel takes it, without its place; give its name. Raises `BadInput`."""
        limits = [target.channel.limits for target in self._targets.values()]
        return self._composer.pictures.take(data, name=name, limits=limits)

    # Edits of what has posts

    def edit(self, place: Place, letter: Letter, *, folder: Path, person: str | None = None) -> Added:
        """Change what is queued: a new revision, new contents and times of its posts. Voids an approval.

        What is out, or may be, keeps what it sent and is named in the notes. What failed or was missed is queued again
        for its new time. Raises `BadInput`, among it `ChangedMeanwhile`; then nothing was changed.
        """
        now = self._now()
        was = self.latest(place.number)
        if was.key != place.base:
            raise ChangedMeanwhile(was)
        found = self.find(str(place.number))
        if not found:
            raise BadInput(f"Announcement {place.number} is a draft.", next_step="Queue it.")
        reached = self.editable(found)
        targets = self._to_be_written(letter, found, reached)
        self._brought_back(reached)
        timed = replace(letter, times=tuple(t for t in letter.times if t[0] in {target.name for target in targets}))
        kept = self._kept_pictures(found)
        drawn = self._composer.draft(timed, folder=folder, now=now, targets=targets, kept=kept)
        draft = self._composer.keep(drawn)
        new_posts = {t.name: self._new_post(draft, t, self._edition_but(place.number, letter)) for t in targets}
        edit = _sorted_out(reached, new_posts)
        new = self._new_announcement(letter, draft.resolved.title, Author(person))
        self._write_edit(was, new, edit, targets)
        self.on_queued()
        stays = tuple(f"{post.name} is {post.state} and keeps what it sent." for post in found if post not in reached)
        return self._added(place.number, draft.notes + stays)

    def _write_edit(self, was: Version, new: NewAnnouncement, edit: Edit, targets: Sequence[Target]) -> None:
        try:
            with self._store.write() as tx:
                self._base(tx, Place(was.announcement, was.key))
                self._refuse_a_taken_title(tx, new.title, targets, but=was.announcement)
                _refuse_the_same_elsewhere(tx, new, targets, was.announcement)
                drafts.edit(tx, was, new, edit, self._now())
        except IllegalMove:
            raise BadInput(
                "A post was just taken by the worker, so nothing was changed.", next_step="Look at how it stands now."
            ) from None

    def _to_be_written(self, letter: Letter, found: Sequence[Post], reached: Sequence[Post]) -> list[Target]:
        """Choose the channels that an edit writes for: those of the letter, less those on which it is out, or may be."""
        done = {post.channel for post in found} - {post.channel for post in reached}
        cancelled = {post.channel for post in found if post.state is State.CANCELLED}
        chosen = self._chosen(letter.to)
        if again := [target.name for target in chosen if target.name in cancelled]:
            raise BadInput(
                f"The post on {again[0]} was cancelled for good.",
                where="to",
                next_step="Take that channel out, or write a new announcement for it.",
            )
        targets = [target for target in chosen if target.name not in done]
        if not targets:
            raise BadInput("Nothing of it can be changed any more.", next_step="Write a correction instead.")
        return targets

    def _kept_pictures(self, found: Sequence[Post]) -> dict[str, str]:
        """Name the files in the media folder of pictures that lay beside the letter when it was queued."""
        with self._store.read() as tx:
            contents = [posts.content(tx, post) for post in found]
        videos = [content.extras.video for content in contents if content.extras.video]
        names = {name: path for v in videos for name, path in ((v.file, v.path), (v.captions, v.captions_path)) if path}
        return names | {p.file: p.path for content in contents for p in content.pictures if p.path}

    def _edition_but(self, number: int, letter: Letter) -> int:
        with self._store.read() as tx:
            same = announcements.saying_the_same(tx, self._community.id, letter.said())
            return self._edition(tx, [row for row in same if row[0] != number])

    # Taking back

    def undo(self, number: int, *, person: str | None = None) -> Saved:
        """Take back what was queued and not tried yet: its posts are cancelled and its text is a draft again.

        Raises `BadInput` when something of it was tried already; then nothing was changed.
        """
        self.latest(number)
        found = self.find(str(number))
        gone = [post.name for post in found if post.state is not State.QUEUED or post.attempt]
        if gone or not found:
            what = f"{gone[0]} is on its way or out already" if gone else f"Announcement {number} is a draft"
            raise BadInput(f"{what}.", next_step="Look at how it stands now.")
        letter = self.letter_of(number)
        self._brought_back(found)
        with self._store.write() as tx:
            try:
                self._cancel_all(tx, found, person)
            except IllegalMove:
                raise BadInput("It is on its way already.", next_step="Look at how it stands now.") from None
            announcements.let_go(tx, number)
            begun = drafts.begin(tx, self._new_draft(letter, person), self._now())
            draft = drafts.latest(tx, self._community.id, begun)
        assert draft is not None
        return Saved(begun, draft.key, draft.revision)

    def _cancel_all(self, tx: Any, found: Sequence[Post], person: str | None) -> None:
        now = self._now()
        changes = [moves.Change(p.id, p.attempt, Move.CANCEL, now, note="taken back", person=person) for p in found]
        moves.apply(tx, [replace(c, only_from=frozenset({State.QUEUED})) for c in changes])


def is_editable(post: Post) -> bool:
    """Tell whether an edit reaches a post. An earlier try that may be out keeps it as it is: an edit would hide that."""
    return post.state in EDITABLE and post.doubtful_since is None and lifecycle.is_legal(Move.CANCEL, post.state)


def _sorted_out(reached: Sequence[Post], new_posts: dict[str, NewPost]) -> Edit:
    known = {post.channel for post in reached}
    return Edit(
        rewritten=[Rewritten(post, new_posts[post.channel]) for post in reached if post.channel in new_posts],
        added=[new for name, new in new_posts.items() if name not in known],
        dropped=[post for post in reached if post.channel not in new_posts],
    )


def _refuse_the_same_elsewhere(tx: Any, new: NewAnnouncement, targets: Sequence[Target], number: int) -> None:
    wanted = {target.id for target in targets}
    same = announcements.saying_the_same(tx, new.community_id, new.said)
    for other, channel_id, state in same:
        if other != number and channel_id in wanted and State(state) in lifecycle.OPEN:
            raise AlreadyQueued(other)

"""What people do: queue, look, approve, pause, cancel, requeue, confirm. Every door leads here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from outreach import letter as letters
from outreach import lifecycle
from outreach.compose import Composer, Draft, Target
from outreach.lifecycle import IllegalMove, Pause
from outreach.model import BadInput, Content, Letter, Move, Post, State
from outreach.store import Store, announcements, channels, history, moves, posts
from outreach.store.announcements import Author, NewAnnouncement, NewPost
from outreach.store.posts import HistoryFilter

_OPEN = frozenset(lifecycle.OPEN)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a letter. No posts: it is a draft."""

    announcement: int
    posts: tuple[Post, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What one post would send, and the request or message itself."""

    channel: str
    content: Content
    described: dict[str, object]


@dataclass(frozen=True, slots=True)
class Changed:
    """What an action did: the posts as they are now, and what could not be done."""

    posts: tuple[Post, ...]
    notes: tuple[str, ...] = ()


class Desk:
    """The verbs of one community. `on_queued` is called after something new may be due."""

    def __init__(
        self,
        *,
        store: Store,
        composer: Composer,
        community: channels.CommunityRow,
        targets: Sequence[Target],
        now: Callable[[], datetime],
        on_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._composer = composer
        self._community = community
        self._targets = tuple(targets)
        self._now = now
        self.on_queued = on_queued

    # Queueing

    def add(self, letter: Letter, *, folder: Path, person: str | None = None, source: str | None = None) -> Added:
        """Queue a letter on its channels. Pictures are looked for in `folder` first; `source` is noted in the history.

        Raises `BadInput`; then nothing is queued. The same letter a second time is refused, never doubled.
        """
        now = self._now()
        targets = self._chosen(letter)
        self._refuse_a_known_letter(letter)
        draft = self._composer.keep(self._composer.draft(letter, folder=folder, now=now, targets=targets))
        with self._store.read() as tx:
            edition = self._edition(announcements.saying_the_same(tx, self._community.id, letter.said()))
        new_posts = [self._new_post(draft, target, edition) for target in targets]
        number = self._write_down(draft, new_posts, targets, now=now, author=Author(person, source))
        self.on_queued()
        return self._added(number, draft.notes)

    def draft(self, letter: Letter, *, person: str | None = None) -> Added:
        """Keep a letter as a draft: an announcement without posts. Adding the same text later queues it."""
        now = self._now()
        with self._store.write() as tx:
            known = announcements.saying_nothing_yet(tx, self._community.id, letter.said())
            if known is not None:
                raise _already(known)
            number = announcements.add(
                tx, self._new_announcement(letter, letter.title or letter.template or "", Author(person)), [], now
            )
        return Added(number, (), ("Kept as a draft. Add the same letter with a time to queue it.",))

    def _chosen(self, letter: Letter) -> list[Target]:
        if not self._targets:
            raise BadInput(
                "No channel is set up.",
                next_step="Set FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN, or LISTSERV_ADDRESS, LISTSERV_SENDER and SMTP_HOST.",
            )
        names = letter.to or tuple(t.name for t in self._targets)
        by_name = {t.name: t for t in self._targets}
        for name in names:
            if name not in by_name:
                known = ", ".join(by_name)
                raise BadInput(
                    f"There is no channel called {name!r}.", where="to", next_step=f"The channels are: {known}."
                )
        return [by_name[name] for name in dict.fromkeys(names)]

    def _refuse_a_known_letter(self, letter: Letter) -> None:
        """Look before any work is done; the look that counts is made again where it is written."""
        with self._store.read() as tx:
            known = announcements.by_letter(tx, self._community.id, letter.key())
            if known is not None and posts.of_announcement(tx, known):
                raise _already(known)

    @staticmethod
    def _edition(same: Sequence[tuple[int, int, str]]) -> int:
        return len({number for number, _, state in same if state != State.CANCELLED})

    def _new_post(self, draft: Draft, target: Target, edition: int) -> NewPost:
        content = self._composer.render(draft, target, edition=edition)
        return NewPost(
            channel_id=target.id,
            content=content,
            content_sha256=content.sha256(),
            due_at=draft.due.due_at,
            miss_at=draft.miss_at,
            wall_time=draft.due.wall_time,
            time_zone=draft.due.time_zone,
        )

    def _write_down(
        self, draft: Draft, new_posts: list[NewPost], targets: Sequence[Target], *, now: datetime, author: Author
    ) -> int:
        """Look and write in one transaction, so that of two people with one letter one is told."""
        letter, title = draft.letter, draft.resolved.title
        with self._store.write() as tx:
            self._refuse_a_taken_title(tx, title, targets)
            for picture in draft.pictures:
                announcements.remember_picture(
                    tx,
                    picture.sent,
                    kind=picture.kind,
                    size=picture.size,
                    shape=(picture.width, picture.height),
                    now=now,
                )
            draft_number = announcements.saying_nothing_yet(tx, self._community.id, letter.said())
            if draft_number is not None:
                announcements.queue_draft(tx, draft_number, letter.key(), new_posts, author=author, now=now)
                return draft_number
            try:
                return announcements.add(tx, self._new_announcement(letter, title, author), new_posts, now)
            except announcements.AlreadyThere as there:
                raise _already(there.number) from None

    def _new_announcement(self, letter: Letter, title: str, author: Author) -> NewAnnouncement:
        return NewAnnouncement(self._community.id, title, letters.show(letter), letter.said(), letter.key(), author)

    def _refuse_a_taken_title(self, tx: Any, title: str, targets: Sequence[Target]) -> None:
        for target in targets:
            if not target.channel.limits.titles_must_differ:
                continue
            taken = announcements.open_with_title(tx, target.id, title)
            if taken is not None:
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
            told.append("It waits for an approval: outreach approve " + str(number))
        told += [
            f"The channel {p.channel} is paused: {rows[p.channel].reason}"
            for p in found
            if rows[p.channel].state == "paused"
        ]
        return Added(number, tuple(found), tuple(told))

    # Looking

    def preview_letter(self, letter: Letter, *, folder: Path, channel: str | None = None) -> list[Preview]:
        """Show exactly what a letter would send, without queueing it or keeping anything of it."""
        now = self._now()
        wanted = replace(letter, to=(channel,)) if channel else letter
        targets = self._chosen(wanted)
        timed = letter if letter.at else replace(letter, at="now")
        draft = self._composer.draft(timed, folder=folder, now=now, targets=targets)
        with self._store.read() as tx:
            edition = self._edition(announcements.saying_the_same(tx, self._community.id, letter.said()))
        return [
            self._preview(target, self._composer.render(draft, target, edition=edition), draft.due.due_at)
            for target in targets
        ]

    def preview(self, name: str, *, channel: str | None = None) -> list[Preview]:
        """Show exactly what queued posts send, from what is stored."""
        found = self.find(name)
        by_id = {t.id: t for t in self._targets}
        with self._store.read() as tx:
            stored = [(post, posts.content(tx, post)) for post in found if channel in (None, post.channel)]
        if not stored:
            raise BadInput(f"{name} has no post on {channel}.", next_step=f"Look at it with: outreach show {name}")
        for post, _ in stored:
            if post.channel_id not in by_id:
                raise BadInput(f"The channel {post.channel} is not set up any more.", next_step="Set it up again.")
        return [self._preview(by_id[post.channel_id], content, post.due_at) for post, content in stored]

    @staticmethod
    def _preview(target: Target, content: Content, at: datetime) -> Preview:
        return Preview(target.name, content, dict(target.channel.describe(content, at=at)))

    def came_from(self, number: int) -> str | None:
        """Give the source that was noted when the announcement was queued."""
        with self._store.read() as tx:
            return announcements.source(tx, number)

    def find(self, name: str) -> list[Post]:
        """Give the posts that a name such as `12`, `12/facebook` or `12/facebook/2` means."""
        number, channel, occurrence = _read_name(name)
        with self._store.read() as tx:
            found = posts.of_announcement(tx, number, channel, occurrence)
            known = found or announcements.get(tx, number)
        if not known:
            raise BadInput(
                f"There is no announcement {number}.", next_step="See them with: outreach queue, outreach history"
            )
        if not found and channel:
            raise BadInput(
                f"Announcement {number} has no post {name}.", next_step=f"See it with: outreach show {number}"
            )
        return found

    def show(self, name: str) -> tuple[dict[str, Any], list[tuple[Post, list[dict[str, Any]]]]]:
        """Give an announcement, and its posts each with everything that happened to it."""
        found = self.find(name)
        number, _, _ = _read_name(name)
        with self._store.read() as tx:
            about = announcements.get(tx, number) or {}
            about["status"] = lifecycle.status(p.state for p in posts.of_announcement(tx, number))
            return about, [(post, history.of_post(tx, post.id)) for post in found]

    def queue(self) -> list[Post]:
        """Give the posts that are not at rest or need a person, next due first."""
        with self._store.read() as tx:
            return posts.in_states(tx, _OPEN)

    def history(self, wanted: HistoryFilter) -> list[Post]:
        """Give the posts that were attempted or came to rest, newest first."""
        with self._store.read() as tx:
            return posts.come_to_rest(tx, wanted)

    # Acting on posts

    def cancel(self, name: str, *, person: str | None = None) -> Changed:
        """Take posts out for good. What is out, or may be, stays and is named."""
        changed = self._move(name, Move.CANCEL, person=person)
        with self._store.write() as tx:
            for number in {post.announcement for post in changed.posts}:
                if all(p.state is State.CANCELLED for p in posts.of_announcement(tx, number)):
                    announcements.let_go(tx, number)
        return changed

    def requeue(self, name: str, *, person: str | None = None) -> Changed:
        """Put posts that failed, were missed or are unconfirmed back, due now and with a new grace."""
        now = self._now()
        number, _, _ = _read_name(name)
        self.find(name)
        with self._store.read() as tx:
            about = announcements.get(tx, number) or {}
        letter = letters.parse(about["letter"])
        values = {
            "due_at": now,
            "miss_at": self._composer.miss_at(letter, planned=now, now=now),
            "looks": 0,
            "clean_looks": 0,
        }
        changed = self._move(name, Move.REQUEUE, person=person, values=values)
        self.on_queued()
        return changed

    def confirm(self, name: str, *, url: str | None, person: str | None = None) -> Changed:
        """Take a person's word that an unconfirmed post is out, and where."""
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise BadInput(
                f"{url!r} is not a web address.", where="--url", next_step="Copy the post's address from the browser."
            )
        for post in self.find(name):
            if url is None and post.message_id is None:
                raise BadInput("The post's address is needed.", where="--url", next_step="Copy it from the browser.")
        return self._move(name, Move.CONFIRM, person=person, values={"url": url} if url else {}, note=url)

    def _move(
        self,
        name: str,
        move: Move,
        *,
        person: str | None,
        values: dict[str, Any] | None = None,
        note: str | None = None,
    ) -> Changed:
        found = self.find(name)
        may = [post for post in found if lifecycle.is_legal(move, post.state)]
        if not may:
            raise _not_possible(name, move, found)
        done, notes = [], [f"{p.name} is {p.state} and stays so." for p in found if p not in may]
        for post in may:
            change = moves.Change(
                post.id, post.attempt, move, self._now(), note=note, person=person, values=values or {}
            )
            try:
                with self._store.write() as tx:
                    moves.apply(tx, [change])
                done.append(post)
            except IllegalMove:
                notes.append(f"{post.name} was just taken by the worker and stays as it is.")
        if not done:
            raise BadInput(" ".join(notes), next_step=f"Look at it with: outreach show {name}")
        return Changed(self._again(done), tuple(notes))

    def _again(self, found: Sequence[Post]) -> tuple[Post, ...]:
        with self._store.read() as tx:
            return tuple(now for post in found if (now := posts.one(tx, post.id)))

    def pause(self, name: str, *, person: str | None = None) -> Changed:
        """Hold queued posts back until they are resumed; what is past its grace then is missed, not sent late."""
        return self._set_paused(name, True, person)

    def resume(self, name: str, *, person: str | None = None) -> Changed:
        """Let paused posts go on."""
        return self._set_paused(name, False, person)

    def _set_paused(self, name: str, paused: bool, person: str | None) -> Changed:
        with self._store.write() as tx:
            found = [post for post in self.find(name) if post.state is State.QUEUED]
            if not found:
                raise BadInput(f"Nothing of {name} is queued.", next_step=f"Look at it with: outreach show {name}")
            announcements.set_paused(tx, found, paused, now=self._now(), person=person)
        self.on_queued()
        return Changed(self._again(found))

    def approve(self, number: int, *, person: str) -> Changed:
        """Approve the latest revision, which must be somebody else's."""
        with self._store.write() as tx:
            about = announcements.get(tx, number)
            if about is None:
                raise BadInput(f"There is no announcement {number}.", next_step="See them with: outreach queue")
            if about["written_by"] == person:
                raise BadInput("Nobody approves what they wrote themselves.", next_step="Ask another coordinator.")
            announcements.approve(tx, number, about["revision"], person=person, now=self._now())
        self.on_queued()
        return Changed(tuple(self.find(str(number))))

    # Channels

    def channels(self) -> list[channels.ChannelRow]:
        """Give the channels and how they stand."""
        with self._store.read() as tx:
            return channels.of_community(tx, self._community.id)

    def pause_channel(self, name: str, *, reason: str, person: str | None = None) -> None:
        """Let nothing out on a channel until it is resumed."""
        with self._store.write() as tx:
            row = channels.by_name(tx, self._community.id, name)
            channels.pause(tx, row.id, Pause(reason, None), now=self._now(), person=person or "a person")

    def resume_channel(self, name: str, *, person: str | None = None) -> None:
        """Let posts out on a channel again."""
        with self._store.write() as tx:
            row = channels.by_name(tx, self._community.id, name)
            channels.resume(tx, row.id, now=self._now(), person=person)
        self.on_queued()

    def target(self, name: str) -> Target:
        """Give the channel of this name itself."""
        return self._chosen(Letter(to=(name,)))[0]


def _already(number: int) -> BadInput:
    return BadInput(
        f"This letter is already queued as {number}.",
        next_step=f"Look at it with: outreach show {number}. To say it again, change the text.",
    )


def _not_possible(name: str, move: Move, found: Sequence[Post]) -> BadInput:
    states = ", ".join(f"{post.name} is {post.state}" for post in found) or f"{name} has no posts"
    starts = " or ".join(sorted(lifecycle.MOVES[move][0]))
    return BadInput(f"{states}; to {move} it has to be {starts}.", next_step=f"Look at it with: outreach show {name}")


def _read_name(name: str) -> tuple[int, str | None, int | None]:
    parts = name.strip().split("/")
    if not parts[0].isascii() or not parts[0].isdecimal() or len(parts) > 3 or len(parts[0]) > 15:
        raise BadInput(f"{name!r} names no announcement.", next_step="Write a number such as 12, or 12/facebook.")
    if len(parts) == 3 and not parts[2].isdecimal():
        raise BadInput(f"{name!r} names no post.", next_step="Write it such as 12/facebook/2.")
    return int(parts[0]), parts[1] if len(parts) > 1 else None, int(parts[2]) if len(parts) == 3 else None

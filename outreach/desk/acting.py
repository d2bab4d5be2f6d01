"""Acting: what people decide about posts that are queued, failed, missed or in doubt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from outreach import letter as letters
from outreach import lifecycle
from outreach.desk.looking import Changed, Looking, read_name
from outreach.desk.seeing import ChangedSince, Seen
from outreach.lifecycle import IllegalMove
from outreach.model import BadInput, Move, Post, State
from outreach.store import aftermath, announcements, history, moves, posts


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided. `also` happens in the same transaction as the move of each post."""

    move: Move
    person: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    also: Callable[[Any, Post], None] = lambda _tx, _post: None

    def about(self, post: Post, now: datetime) -> moves.Change:
        """Say it of one post as it stands."""
        return moves.Change(
            post.id, post.attempt, self.move, now, note=self.note, person=self.person, values=self.values
        )


class Acting(Looking):
    """Decisions of people, each by its move and none of them beside the table.

    With `seen`, a decision is about those posts as they were seen: all of it happens, or `ChangedSince` and nothing.
    """

    def cancel(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Take posts out for good. What is out, or may be, stays and is named."""
        self._brought_back(self._meant(name, seen))
        return self._decide(name, Decision(Move.CANCEL, person, also=_let_go_if_wholly_cancelled), seen)

    def requeue(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Put posts that failed, were missed or are unconfirmed back, due now and with a new grace."""
        now = self._now()
        found = self._meant(name, seen)
        with self._store.read() as tx:
            _check_that_no_restore_forgot_it(tx, found)
            about = announcements.get(tx, read_name(name)[0]) or {}
        miss_at = self._composer.miss_at(letters.parse(about["letter"]), planned=now, now=now)
        values = {"due_at": now, "miss_at": miss_at, "looks": 0, "clean_looks": 0}
        changed = self._decide(name, Decision(Move.REQUEUE, person, values), seen)
        self.on_queued()
        held_back = tuple(f"{p.name} is paused: outreach resume {p.name}" for p in changed.posts if p.paused)
        return Changed(changed.posts, changed.notes + held_back)

    def confirm(
        self, name: str, *, url: str | None, person: str | None = None, seen: Sequence[Seen] | None = None
    ) -> Changed:
        """Take a person's word that an unconfirmed post is out, and where; of a published list mail, that it was seen there."""
        if url is not None and not _is_web_address(url):
            raise BadInput(
                f"{url!r} is not a web address.", where="--url", next_step="Copy the post's address from the browser."
            )
        meant = self._meant(name, seen)
        doubtful = [post for post in meant if lifecycle.is_legal(Move.CONFIRM, post.state)]
        mails = [post for post in meant if post.state is State.PUBLISHED and post.message_id is not None]
        if mails and not doubtful:
            return self._note_as_seen(name, mails, url=url, person=person, seen=seen)
        if url is not None and len(doubtful) > 1:
            raise BadInput(
                "One address cannot be that of several posts.",
                where="--url",
                next_step=f"Name one of them: {' or '.join(post.name for post in doubtful)}.",
            )
        if url is None and any(post.message_id is None for post in doubtful):
            raise BadInput("The post's address is needed.", where="--url", next_step="Copy it from the browser.")
        return self._decide(name, Decision(Move.CONFIRM, person, {"url": url} if url else {}, note=url), seen)

    def _note_as_seen(
        self, name: str, mails: Sequence[Post], *, url: str | None, person: str | None, seen: Sequence[Seen] | None
    ) -> Changed:
        """Write down that a person saw list mails on the list. Nothing moves: they were published, and are."""
        with self._store.write() as tx:
            if seen is not None:
                self._as_seen(tx, name, seen)
            for post in mails:
                evidence = {"why": "A person looked and found it.", "url": url}
                history.see(
                    tx, post.id, at=self._now(), kind="found", evidence=evidence, by=person or "somebody at the machine"
                )
                if url is not None:
                    history.set_url(tx, post.id, url)
        return Changed(self._again(mails))

    def _decide(self, name: str, decision: Decision, seen: Sequence[Seen] | None) -> Changed:
        if seen is not None:
            return self._decide_as_seen(name, decision, seen)
        found = self.find(name)
        may = [post for post in found if lifecycle.is_legal(decision.move, post.state)]
        if not may:
            raise _not_possible(name, decision.move, found)
        done = [post for post in may if self._carry_out(decision, post)]
        notes = [_stays(post) for post in found if post not in may]
        notes += [_was_faster(post) for post in self._again([post for post in may if post not in done])]
        if not done:
            raise BadInput(" ".join(notes), next_step=f"Look at it with: outreach show {name}")
        return Changed(self._again(done), tuple(notes))

    def _carry_out(self, decision: Decision, post: Post) -> bool:
        try:
            with self._store.write() as tx:
                moves.apply(tx, [decision.about(post, self._now())])
                decision.also(tx, post)
        except IllegalMove:
            return False
        return True

    # Decisions about what was seen

    def _meant(self, name: str, seen: Sequence[Seen] | None) -> list[Post]:
        """Give the posts that a name means, or of those the ones that were seen. Raises `BadInput`."""
        found = self.find(name)
        if seen is None:
            return found
        by_id = {post.id: post for post in found}
        if not seen or any(each.post not in by_id for each in seen):
            raise BadInput(f"Announcement {name} has no such post.", where="seen", next_step="Open the page again.")
        return [by_id[each.post] for each in seen]

    def _decide_as_seen(self, name: str, decision: Decision, seen: Sequence[Seen]) -> Changed:
        found = self._meant(name, seen)
        with self._store.write() as tx:
            for post in self._as_seen(tx, name, seen):
                if not lifecycle.is_legal(decision.move, post.state):
                    raise _not_possible(post.name, decision.move, [post])
                moves.apply(tx, [decision.about(post, self._now())])
                decision.also(tx, post)
        return Changed(self._again(found))

    def _as_seen(self, tx: Any, name: str, seen: Sequence[Seen]) -> list[Post]:
        """Give the posts as they are, which is as they were seen; nobody changes them before the end of the transaction."""
        revision = announcements.held_fast(tx, read_name(name)[0]) or 0
        now = {post.id: post for post in posts.held_fast(tx, [each.post for each in seen])}
        for each in seen:
            if Seen.of(now[each.post], revision) != each:
                raise ChangedSince(now[each.post], each, revision)
        return [now[each.post] for each in seen]

    def _again(self, found: Sequence[Post]) -> tuple[Post, ...]:
        with self._store.read() as tx:
            return tuple(now for post in found if (now := posts.one(tx, post.id)))

    # Pauses

    def pause(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Hold queued posts back until they are resumed; what is past its grace then is missed, not sent late."""
        return self._set_paused(name, True, person, seen)

    def resume(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Let paused posts go on."""
        return self._set_paused(name, False, person, seen)

    def _set_paused(self, name: str, paused: bool, person: str | None, seen: Sequence[Seen] | None) -> Changed:
        meant = self._meant(name, seen)
        self._brought_back(meant if paused else ())
        with self._store.write() as tx:
            of_it = self.find(name) if seen is None else self._as_seen(tx, name, seen)
            found = [post for post in of_it if post.state is State.QUEUED]
            if not found:
                raise BadInput(f"Nothing of {name} is queued.", next_step=f"Look at it with: outreach show {name}")
            announcements.set_paused(tx, found, paused, now=self._now(), person=person)
        self.on_queued()
        return Changed(self._again(found))


def _let_go_if_wholly_cancelled(tx: Any, post: Post) -> None:
    """Let the letter be added again once nothing of it is left, in the same transaction as the last cancelling."""
    if all(p.state is State.CANCELLED for p in posts.of_announcement(tx, post.announcement)):
        announcements.let_go(tx, post.announcement)


def _check_that_no_restore_forgot_it(tx: Any, found: Sequence[Post]) -> None:
    """Refuse to send again what went out after the backup was made that a restore put back."""
    for post in found:
        if aftermath.is_still_asked_for(tx, post):
            raise BadInput(
                f"{post.name} may have gone out before the backup was put back; its channel is still being asked.",
                next_step="A running worker asks within minutes, or ask now with: outreach worker --once",
            )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _stays(post: Post) -> str:
    return f"{post.name} is {post.state} and stays so."


def _was_faster(post: Post) -> str:
    if post.state is State.PUBLISHING:
        return f"{post.name} was just taken by the worker and stays as it is."
    return f"{post.name} has just become {post.state} and stays so."


def _not_possible(name: str, move: Move, found: Sequence[Post]) -> BadInput:
    if not found:
        return BadInput(
            f"Announcement {name} is a draft: nothing of it is queued.", next_step="Queue its letter with: outreach add"
        )
    states = ", ".join(f"{post.name} is {post.state}" for post in found)
    starts = " or ".join(sorted(lifecycle.MOVES[move][0]))
    return BadInput(f"{states}; to {move} it has to be {starts}.", next_step=f"Look at it with: outreach show {name}")

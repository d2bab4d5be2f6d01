"""Previewing: exactly what a letter would send on each channel, before any of it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from outreach.compose import Draft, Target
from outreach.desk.looking import Preview, shown
from outreach.desk.writing import Writing, is_editable
from outreach.lifecycle import OPEN
from outreach.model import Content, Letter, Post, State
from outreach.store import announcements, posts


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored of an announcement that is edited: its posts by channel, and whether the letter is as it was."""

    posts: Mapping[str, Post]
    is_unchanged: bool


class Previewing(Writing):
    """What would be sent. Writes nothing."""

    def preview_letter(
        self, letter: Letter, *, folder: Path, channel: str | None = None, of: int | None = None
    ) -> list[Preview]:
        """Show exactly what a letter would send, without queueing it or keeping anything of it.

        `of` is the announcement that it is the new text of: what of that is out already is shown as it went out, and
        an unchanged letter as it is stored. Times of other channels than `channel` are left aside.
        """
        targets = self._chosen((channel,) if channel else letter.to)
        names = {target.name for target in targets}
        times = tuple(pair for pair in letter.times if pair[0] in names) if channel else letter.times
        timed = replace(letter, at=letter.at or "now", times=times)
        kept = self._kept_pictures(self.find(str(of))) if of is not None else {}
        draft = self._composer.draft(timed, folder=folder, now=self._now(), targets=targets, kept=kept)
        with self._store.read() as tx:
            same = announcements.saying_the_same(tx, self._community.id, letter.said())
            others = [row for row in same if row[0] != of]
            edition = self._edition(tx, others)
            known = self._known(tx, letter, of)
            stored = {t.name: _stored(tx, t, known) or _content_of_the_open(tx, others, t) for t in targets}
        return [self._shown(draft, target, edition, stored[target.name]) for target in targets]

    def _shown(self, draft: Draft, target: Target, edition: int, stored: Content | None) -> Preview:
        content = stored or self._composer.render(draft, target, edition=edition)
        return shown(target, content, draft.times[target.name].due.due_at)

    def _known(self, tx: Any, letter: Letter, of: int | None) -> _Known:
        if of is None:
            return _Known({}, is_unchanged=False)
        found = {post.channel: post for post in posts.of_announcement(tx, of) if post.community == self._community.id}
        return _Known(found, announcements.by_letter(tx, self._community.id, letter.key()) == of)


def _stored(tx: Any, target: Target, known: _Known) -> Content | None:
    post = known.posts.get(target.name)
    is_kept = post is not None and (known.is_unchanged or not is_editable(post))
    return posts.content(tx, post) if post is not None and is_kept else None


def _content_of_the_open(tx: Any, same: Sequence[tuple[int, int, str]], target: Target) -> Content | None:
    """Give what an open post that says the same sends: adding the letter again would be refused in favour of it."""
    for number, channel_id, state in same:
        if channel_id == target.id and State(state) in OPEN:
            return posts.content(tx, posts.of_announcement(tx, number, target.name)[0])
    return None

"""Collating: several small drafts become one mail with an index, so that a list is not mailed five times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outreach.compose import Target
from outreach.desk.queueing import ChangedMeanwhile
from outreach.desk.writing import Saved, Writing
from outreach.happening import event_of, in_words
from outreach.letter import parse
from outreach.model import BadInput, Letter, Picture
from outreach.store import drafts, posts, weekly
from outreach.store.drafts import Version
from outreach.when import show
from outreach.wording import sections

_LEAST, _MOST = 2, 30


@dataclass(frozen=True, slots=True)
class Item:
    """One draft as a part of the whole: `was` is the text of it that is taken."""

    was: Version
    title: str
    body: str
    pictures: tuple[Picture, ...]


class Collating(Writing):
    """Nothing goes out by it: the one draft is written on, queued and approved like any other."""

    def collate(self, numbers: Sequence[int], *, title: str = "", person: str | None = None) -> Saved:
        """Put drafts into one, in this order, for the lists of the community; they themselves are discarded.

        Raises `BadInput` for too few, for one without title or text, and for what is no draft.
        """
        wanted = list(dict.fromkeys(numbers))
        if not _LEAST <= len(wanted) <= _MOST:
            step = f"Choose {_LEAST} to {_MOST} drafts."
            raise BadInput("One mail is put together of several drafts.", where="drafts", next_step=step)
        items = [self._item(number) for number in wanted]
        day = show(self._now(), self._community.time_zone).partition(",")[2].rpartition(",")[0].strip()
        whole = self._whole(items, title.strip() or f"News of {self._community.name}, {day}")
        source = f"collated of {', '.join(map(str, wanted))}"
        new = self._new_draft(whole, person, source)
        with self._store.write() as tx:
            saved = drafts.begin(tx, new, self._now())
            self._take(tx, items, person)
            now = drafts.latest(tx, self._community.id, saved)
        assert now is not None
        return Saved(saved, now.key, now.revision)

    def _item(self, number: int) -> Item:
        if self.find(str(number)):
            step = "Only what is not queued yet can be collated."
            raise BadInput(f"Announcement {number} is no draft.", where="drafts", next_step=step)
        was = self.latest(number)
        if was.is_discarded:
            raise BadInput(
                f"Draft {number} was discarded.", where="drafts", next_step="Open it and save it again first."
            )
        letter = parse(was.letter, is_draft=True)
        resolved = self._composer.words(letter) if letter.template else (letter.title, sections(letter.body)[0])
        name, body = " ".join(resolved[0].split()), resolved[1].strip()
        if not name or not body:
            raise BadInput(f"Draft {number} has no title or no text yet.", where="drafts", next_step="Finish it first.")
        event = event_of(letter, self._community.time_zone, now=self._now())
        parts = [body, *([in_words(event).strip()] if event else [])]
        if letter.link and letter.link not in body:
            parts.append(f"<{letter.link}>")
        return Item(was, name, "\n\n".join(parts), letter.pictures)

    def _whole(self, items: Sequence[Item], title: str) -> Letter:
        """Lay one letter out. Raises `BadInput` for more pictures than a mail takes: none is left out in silence."""
        lists = tuple(name for name, target in self._targets.items() if _is_a_list(target))
        pictures = tuple(dict.fromkeys(picture for item in items for picture in item.pictures))
        most = min((self._targets[name].channel.limits.max_pictures for name in lists), default=len(pictures))
        if len(pictures) > most:
            step = "Take some out of the drafts, or collate fewer."
            raise BadInput(
                f"Together they have {len(pictures)} pictures; a mail takes {most}.", where="drafts", next_step=step
            )
        return Letter(title, _body(items), to=lists, pictures=pictures)

    def _take(self, tx: Any, items: Sequence[Item], person: str | None) -> None:
        """Let the drafts go, each only if it still says what was taken of it."""
        for item in items:
            number = item.was.announcement
            latest = drafts.latest(tx, self._community.id, number)
            if latest is not None and (latest.key, latest.is_discarded) != (item.was.key, False):
                raise ChangedMeanwhile(latest)
            if posts.of_announcement(tx, number):
                raise BadInput(f"Announcement {number} was queued meanwhile.", where="drafts", next_step="Try again.")
            drafts.discard(tx, number, person=person, now=self._now())
            weekly.unmark(tx, number)


def _is_a_list(target: Target) -> bool:
    return target.channel.limits.titles_must_differ


def _body(items: Sequence[Item]) -> str:
    if len(items) == 1:
        return f"{items[0].body}\n"
    index = "\n".join(f"{place}. {_plain(item.title)}" for place, item in enumerate(items, 1))
    parts = [f"## {place}. {_plain(item.title)}\n\n{item.body}" for place, item in enumerate(items, 1)]
    return "\n\n".join([f"**In this mail**\n\n{index}", *parts]) + "\n"


def _plain(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)

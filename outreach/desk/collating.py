"""Collating: several small drafts become one mail with an index, such as each week's, so that a list is not mailed five times."""

from collections.abc import Sequence

from outreach.compose import Target
from outreach.desk.writing import Saved, Writing
from outreach.model import BadInput, Letter
from outreach.when import show
from outreach.wording import sections

_LEAST, _MOST = 2, 30


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
        lists = tuple(name for name, target in self._targets.items() if _is_a_list(target))
        day = show(self._now(), self._community.time_zone).partition(",")[2].rpartition(",")[0].strip()
        whole = Letter(title.strip() or f"News of {self._community.name}, {day}", _body(items), to=lists)
        saved = self.save_draft(whole, person=person, source=f"collated of {', '.join(map(str, wanted))}")
        for number in wanted:
            self.discard(number, person=person)
        return saved

    def _item(self, number: int) -> tuple[str, str]:
        if self.find(str(number)):
            step = "Only what is not queued yet can be collated."
            raise BadInput(f"Announcement {number} is no draft.", where="drafts", next_step=step)
        letter = self.letter_of(number)
        resolved = self._composer.words(letter) if letter.template else (letter.title, sections(letter.body)[0])
        name, body = " ".join(resolved[0].split()), resolved[1].strip()
        if not name or not body:
            raise BadInput(f"Draft {number} has no title or no text yet.", where="drafts", next_step="Finish it first.")
        link = f"\n\n<{letter.link}>" if letter.link and letter.link not in body else ""
        return name, f"{body}{link}"


def _is_a_list(target: Target) -> bool:
    return target.channel.limits.titles_must_differ


def _body(items: Sequence[tuple[str, str]]) -> str:
    index = "\n".join(f"{place}. {_plain(name)}" for place, (name, _) in enumerate(items, 1))
    parts = [f"## {place}. {_plain(name)}\n\n{body}" for place, (name, body) in enumerate(items, 1)]
    return "\n\n".join([f"**In this mail**\n\n{index}", *parts]) + "\n"


def _plain(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)

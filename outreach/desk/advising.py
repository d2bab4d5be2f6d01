"""Advising: what may be unwise about a letter, looked at beside what the community has sent and will send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outreach import advice
from outreach.advice import Advice, Dates, Kind, Planned
from outreach.channels import Lints
from outreach.compose import Target
from outreach.desk.looking import Preview
from outreach.desk.previewing import Previewing
from outreach.fields import dates_in
from outreach.lifecycle import OPEN
from outreach.list_habits import TOO_LONG
from outreach.mail.opening import subject_of
from outreach.model import BadInput, Letter, Problem, State
from outreach.roster import NOT_A_MEMBER
from outreach.store import announcements, neighbours
from outreach.wishes import Wishes
from outreach.wording import Resolved, Template


@dataclass(frozen=True, slots=True)
class Counsel:
    """What to say of one channel: when it is due there, what may be unwise, and what is wrong with the content."""

    planned: Planned | None
    advice: tuple[Advice, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Matter:
    """What is looked at: the letter, its template and dates, and the announcement that it is the new text of."""

    letter: Letter
    of: int | None
    template: Template | None
    wishes: Wishes
    dates: Dates = field(default_factory=Dates)


class Advising(Previewing):
    """Advice for who writes and for who approves. Writes nothing, asks nobody, refuses nothing."""

    def advise(
        self,
        letter: Letter,
        previews: Mapping[str, Preview | None],
        *,
        of: int | None = None,
        planned: Mapping[str, Planned] | None = None,
    ) -> dict[str, Counsel]:
        """Say what may be unwise on each channel of `previews`; None stands for what cannot be rendered.

        `planned` are due times that are settled already, in place of what the letter says.
        """
        template = self._composer.template_of(letter)
        matter = _Matter(
            letter, of, template, self.wishes(), Dates(dates_in(template.fields if template else (), letter.fields))
        )
        found = {}
        for name, preview in previews.items():
            given, troubles = self._planned(letter, name) if planned is None else (planned.get(name), [])
            about = self._advice_on(matter, self.target(name), preview, given)
            problems = self._problems(self.target(name), preview)
            found[name] = Counsel(given, (*troubles, *about), tuple(problems))
        return found

    def _planned(self, letter: Letter, channel: str) -> tuple[Planned | None, list[Advice]]:
        """Say when a letter would be due, or why nobody can tell."""
        if not letter.at_on(channel):
            return None, []
        own = replace(letter, times=tuple(pair for pair in letter.times if pair[0] == channel))
        try:
            times, _ = self._composer.times(own, [channel], now=self._now())
        except BadInput as bad:
            return None, [Advice(Kind.REFUSED, bad.message, bad.next_step, is_grave=True)]
        due = times[channel].due
        return Planned(due.due_at, due.time_zone, self._community.time_zone, due.note), []

    def _advice_on(
        self, matter: _Matter, target: Target, preview: Preview | None, planned: Planned | None
    ) -> list[Advice]:
        found = advice.on_time(planned, matter.wishes, now=self._now()) if planned else []
        found = advice.on_dates(matter.dates, planned) + found
        found += advice.on_pictures(matter.letter.pictures)
        if preview is not None:
            found += self._about_others(matter, target, preview, planned)
            found += _about_words(matter, preview)
        return found

    def _about_others(self, matter: _Matter, target: Target, preview: Preview, planned: Planned | None) -> list[Advice]:
        around = planned.due_at if planned else self._now()
        title = _title_of(preview)
        with self._store.read() as tx:
            again = self._queued_already(tx, matter, target)
            is_alike = bool(again or matter.letter.corrects or matter.letter.retracts)  # it is meant to be like another
            others = [] if is_alike else neighbours.of_channel(tx, target.id, around=around, but=matter.of)
            taken = announcements.open_with_title(tx, target.id, title) if _is_named_by_title(target) else None
        words = f"{title}\n\n{preview.content.text}" if preview.content.message else preview.content.text
        wording = _wording_of(matter.template, target)
        found = again + advice.on_neighbours(words, planned, others, matter.wishes, wording=wording)
        return found if again or taken in (None, matter.of) else [*found, _taken(taken, target)]

    def _queued_already(self, tx: Any, matter: _Matter, target: Target) -> list[Advice]:
        same = announcements.saying_the_same(tx, self._community.id, matter.letter.said())
        numbers = [n for n, channel, state in same if channel == target.id and State(state) in OPEN and n != matter.of]
        if not numbers:
            return []
        told = f"The very same is queued already as {numbers[0]}/{target.name}, so it would not be taken again."
        return [Advice(Kind.ALIKE, told, "Open that one, or say something else here.", is_grave=True)]

    def _problems(self, target: Target, preview: Preview | None) -> Sequence[Problem]:
        channel = target.channel
        found = list(channel.lint(preview.content)) if preview is not None and isinstance(channel, Lints) else []
        too_long = self.concern_about_size(target, preview.content.message) if preview is not None else None
        if too_long:
            found.append(Problem(too_long, TOO_LONG))
        told = self.concern_about_sender(target)
        return [*found, Problem(told, NOT_A_MEMBER, is_warning=True)] if told else found


def _about_words(matter: _Matter, preview: Preview) -> list[Advice]:
    content, dates = preview.content, matter.dates
    is_to_be_followed = bool(dates.deadlines or dates.days or matter.template is None)
    on_link = advice.on_link(content.link, content.text) if is_to_be_followed else []
    if content.message is not None:
        return advice.on_subject(_title_of(preview), content.text) + on_link
    return advice.on_text("", content.text) + advice.on_fold(content.text, has_card=bool(content.link)) + on_link


def _title_of(preview: Preview) -> str:
    message = preview.content.message
    subject = subject_of(message) if message is not None else None
    return preview.content.text.partition("\n")[0] if subject is None else subject


def _is_named_by_title(target: Target) -> bool:
    return target.channel.limits.titles_must_differ


def _taken(number: int | None, target: Target) -> Advice:
    told = f"Announcement {number} on {target.name} has the same subject and is still open, so it would not be taken."
    return Advice(Kind.SUBJECT, told, "Choose another title: a list server's answers name nothing else.", is_grave=True)


def _wording_of(template: Template | None, target: Target) -> str:
    if template is None:
        return ""
    words = Resolved(template.title, template.body, template.channels).body_for(target.name, target.channel.kind)
    return f"{template.title}\n\n{words}"

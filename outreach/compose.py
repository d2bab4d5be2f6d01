"""From a letter to what each channel will send: pictures found, wordings filled, contents rendered, times resolved."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from outreach import footage, markup, page_extras, when
from outreach import letter as letters
from outreach.channels import Channel
from outreach.extras import NO_EXTRAS, Extras
from outreach.following import Gone, Wish, gone_of, wish_of
from outreach.happening import event_of, in_words
from outreach.library import Library
from outreach.model import BadInput, Content, Event, Follow, FollowKind, Letter, Picture, Wording
from outreach.picture_folder import FoundPicture, PictureFolder
from outreach.wording import Resolved, Template, resolve


@dataclass(frozen=True, slots=True)
class Target:
    """A channel that a letter goes to, as the database and the settings know it."""

    id: int
    name: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter with everything in it resolved but the place each post will have in the queue."""

    letter: Letter
    resolved: Resolved
    pictures: tuple[FoundPicture, ...]
    times: Mapping[str, "Time"]
    notes: tuple[str, ...]
    follows: Mapping[str, Follow] = field(default_factory=dict)
    event: Event | None = None
    extras: Extras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class Time:
    """When a post is due, and from when on it may not go out any more."""

    due: when.When
    miss_at: datetime


class Composer:
    """Makes what will be sent out of what was written. `secret` makes identities that nobody can guess."""

    def __init__(
        self,
        *,
        library: Library,
        media: Path,
        secret: str,
        community: str,
        zone: str,
        grace: timedelta,
        lead_of: Callable[[str], timedelta] = lambda _channel: timedelta(),
        gone: Callable[[int, str], Gone | None] = lambda _number, _channel: None,
        takes_calendar: Callable[[str], bool] = lambda _channel: True,
    ) -> None:
        """Take what it composes with. `lead_of` says how much earlier than a letter's time a channel gets it, `gone` what of
        an announcement is out on a channel.
        """
        self._library = library
        self._media = media
        self.pictures = PictureFolder(media)
        self._secret = secret.encode()
        self._community = community
        self._zone = zone
        self._grace = grace
        self._lead_of = lead_of
        self._gone = gone
        self._takes_calendar = takes_calendar

    def draft(
        self,
        letter: Letter,
        *,
        folder: Path,
        now: datetime,
        targets: Sequence[Target],
        kept: Mapping[str, str] | None = None,
    ) -> Draft:
        """Resolve a letter whose pictures are beside it in `folder` or in the media folder. Writes nothing.

        `kept` names, for pictures that were kept before, their files in the media folder by what the letter calls them.
        Raises `BadInput` for everything that the letter lacks or has wrong.
        """
        template = self._library.get(letter.template) if letter.template else None
        resolved = resolve(letter, template, community=self._community)
        _check_link(letter.link)
        for target in targets:
            body = resolved.body_for(target.name, target.channel.kind)
            markup.check_links(body)
            markup.check_images(body)
        times, notes = self.times(letter, [target.name for target in targets], now=now)
        _check_alt(letter.pictures)
        limits = [target.channel.limits for target in targets]
        found = tuple(self.pictures.find(p, folder, limits, kept or {}) for p in letter.pictures)
        _check_count(found, targets)
        wanted = wish_of(letter)
        follows = {t.name: self._follow(wanted, t) for t in targets} if wanted else {}
        event = event_of(letter, self._zone, now=now)
        shelf = footage.Shelf((folder, self._media), kept or {})
        extras = footage.with_video(page_extras.asked_for(letter), letter, shelf, limits)
        return Draft(letter, resolved, found, times, notes, follows, event, extras)

    def _follow(self, wanted: Wish, target: Target) -> Follow:
        gone = gone_of(wanted, target.name, self._gone)
        is_correction = wanted.kind is FollowKind.CORRECTION
        before = (self._words(gone.letter, target) if is_correction else "") or gone.text
        return Follow(wanted.kind, gone.remote_id, gone.references, before, gone.message)

    def _words(self, text: str, target: Target) -> str:
        """Give what an earlier letter says on a channel, as Markdown; empty where that cannot be known any more."""
        try:
            letter = letters.parse(text)
            template = self._library.get(letter.template) if letter.template else None
            return resolve(letter, template, community=self._community).body_for(target.name, target.channel.kind)
        except BadInput:
            return ""

    @property
    def media(self) -> Path:
        """The folder that keeps pictures."""
        return self._media

    def template(self, name: str) -> Template:
        """Read a template. Raises `BadInput`."""
        return self._library.get(name)

    def title(self, letter: Letter) -> str:
        """Say under which title a draft is kept: its own, or its template's as far as that can be filled already."""
        if letter.title or not letter.template:
            return letter.title
        template = self._library.get(letter.template)
        try:
            return resolve(letter, template, community=self._community).title
        except BadInput:
            return letter.template

    def words(self, letter: Letter) -> tuple[str, str]:
        """Give title and text of a letter with its template filled, as every channel without words of its own has them."""
        resolved = resolve(letter, self._library.get(letter.template or ""), community=self._community)
        return resolved.title, resolved.body_for("", "")

    def template_of(self, letter: Letter) -> Template | None:
        """Give the template of a letter; None where it has none that can be read."""
        try:
            return self._library.get(letter.template) if letter.template else None
        except BadInput:
            return None

    def times(
        self, letter: Letter, channels: Sequence[str], *, now: datetime
    ) -> tuple[dict[str, Time], tuple[str, ...]]:
        """Say when a letter is due on each channel and when its time is over there, and what is odd about it."""
        if unknown := [name for name, _ in letter.times if name not in channels]:
            raise BadInput(
                f"It has a time for {unknown[0]}, but does not go there.",
                where="times",
                next_step="Take that time out, or name the channel under to.",
            )
        times = {name: self._time(letter, letter.at_on(name), now=now) for name in channels}
        notes = [time.due.note for time in times.values() if time.due.note]
        for name in channels:
            lead = timedelta() if dict(letter.times).get(name) else self._lead_of(name)
            earlier = self._earlier(letter, times[name], lead, now=now) if lead else None
            if earlier is not None:
                times[name] = earlier
                shown = when.show(earlier.due.due_at, earlier.due.time_zone)
                notes.append(
                    f"{name} gets it {lead / timedelta(hours=1):g} h earlier, {shown}: a moderator looks first."
                )
        return times, tuple(dict.fromkeys(notes))

    def _earlier(self, letter: Letter, time: Time, lead: timedelta, *, now: datetime) -> Time | None:
        """Give a time before another, now at the earliest; None where that is no earlier."""
        due_at = max(time.due.due_at - lead, now.replace(microsecond=0))
        if due_at >= time.due.due_at:
            return None
        wall = when.local(due_at, time.due.time_zone)
        due = replace(time.due, due_at=due_at, wall_time=f"{wall:%Y-%m-%d %H:%M:%S}".removesuffix(":00"))
        return Time(due, self.miss_at(letter, planned=due_at, now=now))

    def _time(self, letter: Letter, at: str | None, *, now: datetime) -> Time:
        if not at:
            raise BadInput(
                "It is not said when it goes out.",
                where="at",
                next_step="Write at: 2026-12-01 09:00 in the letter, or use --at or --now.",
            )
        with _placed("zone"):
            zone = when.check_zone(letter.zone or self._zone)
        with _placed("at"):
            due = when.resolve(at, zone, now=now)
        return Time(due, self.miss_at(letter, planned=due.due_at, now=now))

    def miss_at(self, letter: Letter, *, planned: datetime, now: datetime) -> datetime:
        """Say from when on a post may not go out any more: its grace is over, or its `not after` is past."""
        over = planned + (when.span(letter.grace) if letter.grace else self._grace)
        if not letter.not_after:
            return over
        zone = when.check_zone(letter.zone or self._zone)
        with _placed("not after"):
            last = when.resolve(letter.not_after, zone, now=now, allow_past=True)
        if last.due_at <= planned:
            raise BadInput(
                f"It would go out only after its latest time, {when.show(last.due_at, zone)}.",
                where="not after",
                next_step="Choose an earlier time for it, or a later one for not after.",
            )
        return min(over, last.due_at)

    def render(self, draft: Draft, target: Target, *, edition: int, occurrence: int = 1, revision: int = 1) -> Content:
        """Render one post. The same draft and numbers give the same bytes, before it is queued and after."""
        letter, body = draft.letter, draft.resolved.body_for(target.name, target.channel.kind)
        event = draft.event and replace(draft.event, is_attached=self._takes_calendar(target.name))
        wording = Wording(
            title=draft.resolved.title,
            body=f"{body.rstrip()}\n\n{in_words(event)}" if event else body,
            link=letter.link,
            pictures=tuple(p.sent for p in draft.pictures),
            identity=self._identity(letter.said(), target.name, edition, occurrence, revision),
            due_at=draft.times[target.name].due.due_at,
            follow=draft.follows.get(target.name),
            event=event,
            extras=draft.extras,
        )
        return target.channel.render(wording)

    def _identity(self, *parts: object) -> str:
        return hmac.new(self._secret, json.dumps(parts).encode(), hashlib.sha256).hexdigest()[:40]

    def keep(self, draft: Draft) -> Draft:
        """Copy the pictures into the media folder, under names made of their bytes, so that nobody can change them."""
        extras = footage.kept(draft.extras, self._media)
        return replace(draft, pictures=tuple(self.pictures.keep(p) for p in draft.pictures), extras=extras)


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Say to what of a letter a refusal belongs that does not say so itself."""
    try:
        yield
    except BadInput as bad:
        raise BadInput(bad.message, where=bad.where or where, next_step=bad.next_step) from None


def _trouble(message: str, next_step: str) -> BadInput:
    return BadInput(message, where="pictures", next_step=next_step)


def _check_link(link: str | None) -> None:
    if link is not None:
        try:
            markup.check_links(f"[link](<{link}>)")
        except BadInput as bad:
            raise BadInput(bad.message, where="link", next_step=bad.next_step) from None


def _check_alt(pictures: Sequence[Picture]) -> None:
    for number, picture in enumerate(pictures, 1):
        if picture.alt is not None and not picture.alt.strip():
            raise _trouble(
                f"Picture {number} has no alt text.",
                "Say what it shows, or that it is decorative and shows nothing that matters.",
            )


def _check_count(pictures: Sequence[FoundPicture], targets: Sequence[Target]) -> None:
    for target in targets:
        most = target.channel.limits.max_pictures
        if len(pictures) > most:
            raise _trouble(f"{target.name} takes {most} pictures, not {len(pictures)}.", "Leave some out.")

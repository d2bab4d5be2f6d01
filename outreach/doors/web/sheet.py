"""The sheet that an announcement is written on: drawn from what was typed, whether it can be used already or not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response
from markupsafe import Markup

from outreach import difference, when
from outreach import letter as letters
from outreach.access import Visitor
from outreach.desk import UNDO_FOR, AlreadyQueued, ChangedMeanwhile, Place
from outreach.doors.web import previews
from outreach.doors.web.frame import Form, NotThere, Posted, Site
from outreach.doors.web.letter_form import (
    MOST_PICTURES,
    Typed,
    TypedPicture,
    TypedTime,
    is_day,
    laid_out,
    letter_of,
    placed,
    typed_in,
)
from outreach.model import BadInput, Letter, Post
from outreach.wording import Template, sections

NEW = "new"
_MOST_DIGITS = 15
_SUGGESTED = ("tomorrow 09:00", "tuesday 09:00", "thursday 09:00")
ZONES = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo"),
    *("Australia/Sydney", "UTC", "AoE"),
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who writes on something: `number` is None before there is a draft, `base` the text it was begun from."""

    request: Request
    visitor: Visitor
    number: int | None = None
    base: str = ""

    @property
    def path(self) -> str:
        """Where the sheet is."""
        return f"/write/{self.number or NEW}"

    @property
    def place(self) -> Place | None:
        """What is written on."""
        return Place(self.number, self.base) if self.number else None


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel as the sheet shows it. `stays` says why nothing of it can be changed any more."""

    name: str
    kind: str
    stays: str = ""
    is_kept: bool = False
    is_known: bool = True


class Sheet:
    """What the routes of writing share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.desk = site.house.desk
        self.zone = site.house.settings.OUTREACH_TIME_ZONE

    # Who writes on what

    def writer(self, request: Request, form: Posted, where: str) -> Writer:
        """Give who sent a form, and from which sheet. Raises `NotThere` for what is not of this community."""
        return Writer(request, form.visitor, self.number(where), form.text("base"))

    def number(self, where: str) -> int | None:
        """Read the last part of the path of a sheet."""
        if where == NEW:
            return None
        if not (where.isascii() and where.isdecimal() and len(where) <= _MOST_DIGITS):
            raise NotThere("There is no such announcement.", next_step="Look for it among the drafts.")
        number = int(where)
        try:
            self.desk.latest(number)
        except BadInput as bad:
            raise NotThere(bad.message, next_step="Look for it among the drafts or in the queue.") from None
        return number

    def posts(self, number: int | None) -> list[Post]:
        """Give the posts that an announcement has."""
        return self.desk.find(str(number)) if number else []

    # What was typed

    def typed(self, form: Form) -> Typed:
        """Give what was typed, or what a letter says that the form holds in place of it."""
        whole = form.fields.get("letter")
        if isinstance(whole, str):
            letter = letters.parse(whole, is_draft=True)
            return replace(self.laid_out(letter), to=letter.to)
        return typed_in(form)

    def with_uploads(self, form: Form, typed: Typed) -> Typed:
        """Take in the pictures that came with a form."""
        for name, data in form.files("upload"):
            if len(typed.pictures) >= MOST_PICTURES:
                raise BadInput(f"More than {MOST_PICTURES} pictures are not possible.", where="pictures")
            file = self.desk.take_picture(data, name=name[:80])
            if file not in {picture.file for picture in typed.pictures}:
                typed = replace(typed, pictures=(*typed.pictures, TypedPicture(file)))
        return typed

    def laid_out(self, letter: Letter) -> Typed:
        """Show a letter in the form."""
        names = tuple(self.desk.channel_kinds())
        return laid_out(letter, self.template(letter.template), channels=names, zone=self.zone, now=self.now())

    def letter(self, typed: Typed) -> Letter:
        """Make the letter. Raises `BadInput` that points at the field."""
        return letter_of(typed, self.template(typed.template), now=self.now())

    def template(self, name: str | None) -> Template | None:
        """Give a template; None for one that is not there any more or is broken: what was typed is shown nevertheless."""
        if not name:
            return None
        try:
            return self.site.house.library.get(name)
        except BadInput:
            return None

    def now(self) -> datetime:
        """Give the instant."""
        return self.site.house.clock.now()

    # Drawing

    def draw(self, writer: Writer, typed: Typed, *, bad: BadInput | None = None, status: int = 200) -> Response:
        """Draw the sheet with everything on it, previews included."""
        template, posts = self.template(typed.template), self.posts(writer.number)
        asks = self.desk.asks_for_approval()
        about = {
            "writer": writer,
            "typed": typed,
            "template": template,
            "bad": placed(_for_the_page(bad), typed, template) if bad else None,
            "reaches": self._reaches(typed, posts),
            "own": self._own(typed),
            "suggestions": self._suggestions(),
            "zones": list(dict.fromkeys((self.zone, *ZONES))),
            "undo_min": UNDO_FOR // timedelta(minutes=1),
            "is_edit": bool(posts),
            "is_discarded": bool(writer.number and self.desk.latest(writer.number).is_discarded),
            "is_approved": any(post.approved for post in posts) and asks,
            "previews": self.previews(writer, typed),
            "asks": asks,
            "differences": dict(self.differences(typed)),
            "earlier": self._earlier(),
            "no_time": TypedTime(),
            "is_day": is_day,
            "unread": _unread(typed, template),
        }
        return self.site.draw(writer.request, "write-form.html", writer.visitor, **about, status_code=status)

    def previews(self, writer: Writer, typed: Typed, *, check_now: bool = False) -> Markup:
        """Draw the previews of what is typed, or say why there are none. `check_now`: links are looked at unasked."""
        try:
            letter = self.letter(typed)
        except BadInput as bad:
            return self._part("_trouble.html", writer, bad=placed(bad, typed, self.template(typed.template)))
        found = previews.looked(self.site, letter, of=writer.number)
        return self._part("_previews.html", writer, **found, check_now=check_now)

    def both(self, writer: Writer, typed: Typed, changed: ChangedMeanwhile) -> Response:
        """Draw the two texts that were saved on top of one, side by side."""
        theirs = letters.parse(changed.theirs.letter, is_draft=True)
        mine = self.letter(typed)
        about = {
            "writer": writer,
            "theirs": changed.theirs,
            "my_letter": letters.show(mine),
            "their_words": _in_words(theirs),
            "my_words": _in_words(mine),
            "parts_of_it": difference.between(_in_words(theirs), _in_words(mine)),
            "is_edit": bool(self.posts(writer.number)),
        }
        return self.site.draw(writer.request, "write-both.html", writer.visitor, **about, status_code=409)

    def differences(self, typed: Typed) -> list[tuple[str, list[difference.Part]]]:
        """Compare each wording of a channel of its own with that of all."""
        return [(name, difference.between(typed.body, text)) for name, text in self._own(typed).items() if text.strip()]

    def _part(self, name: str, writer: Writer, **shown: Any) -> Markup:
        drawn = self.site.draw(writer.request, name, writer.visitor, **shown)
        return Markup(bytes(drawn.body).decode())  # noqa: S704 - a page of ours, escaped when it was drawn

    def _reaches(self, typed: Typed, posts: list[Post]) -> list[Reach]:
        editable = {post.channel for post in self.desk.editable(posts)}
        stood = {post.channel: post for post in posts if post.channel not in editable}
        known = self.desk.channel_kinds()
        reaches = [Reach(name, kind, *_stays(stood.get(name))) for name, kind in known.items()]
        return reaches + [Reach(name, "", is_known=False) for name in typed.to if name not in known]

    def _own(self, typed: Typed) -> Mapping[str, str]:
        return dict.fromkeys(self.desk.channel_kinds(), "") | dict(typed.own)

    def _suggestions(self) -> list[tuple[str, TypedTime]]:
        found = []
        for words in _SUGGESTED:
            due = when.resolve(words, self.zone, now=self.now())
            day, _, clock = due.wall_time.partition(" ")
            label = f"{words.partition(' ')[0].capitalize()} 9:00"
            found.append((label if label.startswith("Tomorrow") else f"{label[:3]} 9:00", TypedTime(day, clock)))
        return found

    def _earlier(self) -> tuple[str, str] | None:
        """Give a Page and a list: people see the one when it comes, and the other in the evening."""
        of_kind = {kind: name for name, kind in self.desk.channel_kinds().items()}
        pair = of_kind.get("facebook_page"), of_kind.get("listserv")
        return (pair[0], pair[1]) if pair[0] and pair[1] else None


def _unread(typed: Typed, template: Template | None) -> list[str]:
    known = {field.name for field in template.fields} if template else set()
    return [name for name, text in typed.fields.items() if name not in known and text.strip()]


def _stays(post: Post | None) -> tuple[str, bool]:
    """Say why a post cannot be changed any more, and whether its channel stays among those of the letter."""
    if post is None:
        return "", False
    if post.state == "cancelled":
        return "It was cancelled and stays so.", False
    return f"It is {post.state} and keeps what it sent.", True


def _for_the_page(bad: BadInput) -> BadInput:
    if isinstance(bad, AlreadyQueued):
        return BadInput(
            f"The same text is queued already, as announcement {bad.number}.",
            next_step="To send it again, wait until it is out. To send something else, change the text.",
        )
    return bad


def _in_words(letter: Letter) -> str:
    """Lay a letter out as people read it, for a comparison: what is said first, then where and when."""
    common, own = sections(letter.body)
    lines = [letter.title, "", common, ""]
    for name, text in own.items():
        lines += [f"Text for {name}:", text, ""]
    lines += [f"{name}: {value if isinstance(value, str) else '; '.join(value)}" for name, value in letter.fields]
    lines += [f"Picture: {picture.alt or 'decorative'}" for picture in letter.pictures]
    lines += [f"Link: {letter.link}"] if letter.link else []
    lines += [f"Goes to: {', '.join(letter.to)}", f"At: {letter.at or 'not said'} {letter.zone or ''}"]
    lines += [f"At on {name}: {at}" for name, at in letter.times]
    return "\n".join(lines).strip() + "\n"

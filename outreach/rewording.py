"""Rewording: templates as people change them on the page. The file stays the truth; every version is kept and none is broken."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outreach.compose import Target
from outreach.library import NEW_NAME, Library
from outreach.model import BadInput, Letter, Wording, sha256_of_json
from outreach.store import NOT_STORABLE, Store, people, versions
from outreach.store.versions import Kept
from outreach.wording import Template, faults, resolve

MOST_CHARS = 60_000
_MOST_VERSIONS = 2**31 - 1
_SAMPLE_BODY = "Here stands what the announcement itself says."
_SAMPLE_LINK = "https://example.org/more"


class ChangedOnDisk(BadInput):
    """The file says something else than when the form was opened. `theirs` is what it says now."""

    def __init__(self, theirs: str) -> None:
        super().__init__(
            "The template was changed meanwhile, so nothing was saved.",
            where="text",
            next_step="Compare the two; save once more to put yours in the place of theirs.",
        )
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Sample:
    """What a channel would be given, with every field filled by its example; `problem` where it could not be."""

    channel: str
    title: str
    text: str
    problem: BadInput | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What a text comes to as a template: its faults, or the samples. `template` is None where it cannot be read at all."""

    template: Template | None
    faults: tuple[BadInput, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A template's file as it is now. `base` names this very text; `is_by_hand`: it is not the latest version kept."""

    name: str
    text: str
    base: str
    tried: Tried
    versions: Sequence[Kept]
    is_by_hand: bool
    other_files: Sequence[str]


_ODD = Tried(
    None,
    (BadInput("The file's name holds a character that nobody can see.", next_step="Give the file another name."),),
    (),
)


def base_of(text: str) -> str:
    """Name a text, so that who saves on top of it can say so."""
    return sha256_of_json([text])[:32]


class Rewording:
    """What people do to the templates of one queue folder."""

    def __init__(
        self,
        *,
        store: Store,
        library: Library,
        targets: Sequence[Target],
        community: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._library = library
        self._targets = targets
        self._community = community
        self._now = now

    # Looking

    def all(self) -> list[tuple[str, Tried]]:
        """Give every template by its name, broken ones included, without samples."""
        return [
            (name, self._read(name)) if name.isprintable() else (ascii(name)[1:-1], _ODD)
            for name in self._library.names()
        ]

    def _read(self, name: str) -> Tried:
        try:
            return self._looked_at(name, self._library.text(name))
        except BadInput as bad:
            return Tried(None, (bad,), ())

    def open(self, name: str) -> Opened:
        """Give a template with its versions and samples. Raises `BadInput` for a name that is not in the folder."""
        text = self._library.text(name)
        with self._store.read() as tx:
            kept, latest = versions.of_file(tx, f"{name}.md"), versions.one(tx, f"{name}.md")
        is_by_hand = latest is not None and latest.text != text
        tried = self.tried(name, text)
        return Opened(name, text, base_of(text), tried, kept, is_by_hand, self._library.other_files(name))

    def version(self, name: str, number: int) -> Kept:
        """Give one version with its text. Raises `BadInput` where there is none."""
        self._library.text(name)
        with self._store.read() as tx:
            found = versions.one(tx, f"{name}.md", number) if 0 < number <= _MOST_VERSIONS else None
        if found is None:
            raise BadInput(f"There is no version {number} of {name}.", next_step="Choose one of its versions.")
        return found

    def tried(self, name: str, text: str) -> Tried:
        """Say what a text comes to as this template. Writes nothing, and raises nothing for a text that is broken."""
        found = self._looked_at(name, text)
        if found.template is None or found.faults:
            return found
        return Tried(found.template, (), tuple(self._sample(found.template, target) for target in self._targets))

    def _looked_at(self, name: str, text: str) -> Tried:
        if len(text) > MOST_CHARS:
            message = f"The template is longer than {MOST_CHARS:,} characters."
            return Tried(None, (BadInput(message, where="text", next_step="Make it shorter."),), ())
        try:
            template = self._library.tried(name, text)
        except BadInput as bad:
            return Tried(None, (bad,), ())
        return Tried(template, tuple(faults(template)), ())

    def _sample(self, template: Template, target: Target) -> Sample:
        filled = tuple((field.name, field.sample()) for field in template.fields)
        letter = Letter(body=_SAMPLE_BODY, template=template.name, link=_SAMPLE_LINK, fields=filled)
        title = ""
        try:
            resolved = resolve(letter, template, community=self._community)
            title = resolved.title
            body = resolved.body_for(target.name, target.channel.kind)
            sent = target.channel.render(Wording(title, body, _SAMPLE_LINK, (), "0" * 40, self._now()))
        except BadInput as bad:
            return Sample(target.name, title, "", bad)
        return Sample(target.name, title, sent.text)

    # Changing

    def save(self, name: str, text: str, *, base: str, person: str) -> int | None:
        """Make the template say this; give the number of the version, or None where it says so already.

        Raises `BadInput`, among it `ChangedOnDisk`; then nothing was changed.

        What was in the file before is kept as well, if it is no version yet.
        """
        text = self._ready(name, text)
        with self._store.write() as tx:
            before = self._library.text(name)
            if base_of(before) != base:
                raise ChangedOnDisk(before)
            if text == before:
                return None
            latest = versions.one(tx, f"{name}.md")
            self._keep_what_is_there(tx, name, before, latest)
            return self._write(tx, name, text, person)

    def put_back(self, name: str, number: int, *, base: str, person: str) -> int | None:
        """Make an earlier version the newest. Raises `BadInput` also for one that is broken by the rules of today."""
        return self.save(name, self.version(name, number).text, base=base, person=person)

    def make(self, name: str, *, like: str, person: str) -> None:
        """Make a new template that says what another one says. Raises `BadInput`."""
        name = name.strip()
        if not NEW_NAME.fullmatch(name):
            step = "Write it such as call-for-abstracts, with at most 60 characters."
            raise BadInput("A name is made of small letters, digits and dashes.", where="name", next_step=step)
        text = self._ready(name, self._library.text(like))
        with self._store.write() as tx:
            if name in self._library.names():
                raise BadInput(f"There is a template {name} already.", where="name", next_step="Choose another name.")
            self._write(tx, name, text, person)

    def _ready(self, name: str, text: str) -> str:
        text = text.rstrip() + "\n"
        for fault in self._looked_at(name, text).faults:
            raise fault
        return text

    def _keep_what_is_there(self, tx: Any, name: str, before: str, latest: Kept | None) -> None:
        if latest is None or latest.text != before:
            self._keep(tx, name, before, None)

    def _write(self, tx: Any, name: str, text: str, person: str) -> int:
        number = self._keep(tx, name, text, person)
        note = f"{name}, version {number}, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"
        people.tell(tx, "change template", person=person, note=note, now=self._now())
        try:
            self._library.write(name, text)  # last: should it fail, nothing of the version is kept
        except OSError as trouble:
            told = f"The file could not be written ({(trouble.strerror or 'unknown').lower()})."
            raise BadInput(told, where="text", next_step="Look at the disk and the permissions there.") from None
        return number

    def _keep(self, tx: Any, name: str, text: str, person: str | None) -> int:
        try:
            return versions.keep(tx, f"{name}.md", text, person=person, at=self._now())
        except NOT_STORABLE:
            raise ChangedOnDisk(self._library.text(name)) from None

"""The shapes of templates as they are changed, of pictures that are given, and of the audit."""

from typing import Annotated

from pydantic import Field

from outreach.doors.api.asked import Asked, Line
from outreach.doors.api.told import Told
from outreach.rewording import MOST_CHARS

_AT = "2026-12-01T14:00:00Z"
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TEMPLATE = "---\ntitle: News\nabout: Tells news.\n---\nHear, hear.\n"
# A dot in the smallest picture there is.
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"

Words = Annotated[str, Field(max_length=MOST_CHARS, pattern=r"^[^\x00]*$", examples=[_TEMPLATE])]
Base = Annotated[str, Field(max_length=60, pattern=r"^[0-9a-f]*$", examples=["0a1b2c3d4e5f60718293a4b5c6d7e8f9"])]


class NewTemplate(Asked):
    """A template to be made. `like` is the one whose words it begins with."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, examples=["news"])]
    like: Annotated[Line, Field(min_length=1, max_length=100, examples=["call-for-abstracts"])]


class AText(Asked):
    """The whole text of a template's file."""

    text: Words


class NewText(AText):
    """What a template is to say, and which text it is meant to take the place of."""

    base: Base


class OnTop(Asked):
    """Which text was read before."""

    base: Base


class NewPicture(Asked):
    """A picture: its name, for messages, and its bytes in base64."""

    file: Annotated[Line, Field(min_length=1, max_length=80, examples=["poster.png"])]
    data: Annotated[
        str, Field(min_length=4, max_length=11_500_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$", examples=[_PICTURE])
    ]


class Fault(Told):
    """What is wrong with a template, where, and what to do."""

    message: str = Field(examples=["The front matter has no title."])
    where: str | None = Field(examples=["line 2"])
    next: str | None = Field(examples=["Add a line such as title: News."])


class KeptVersion(Told):
    """A version that is kept. `person` is null for what somebody wrote into the file."""

    version: int = Field(examples=[1])
    person: str | None = Field(examples=["ann@example.org"])
    at: str = Field(examples=[_AT])


class Version(KeptVersion):
    """A version with its text."""

    text: str = Field(examples=[_TEMPLATE])


class Text(Told):
    """What a template says now. `base` names this very text; `by_hand`: the file is not the latest version that was kept."""

    name: str = Field(examples=["news"])
    text: str = Field(examples=[_TEMPLATE])
    base: str = Field(examples=["0a1b2c3d4e5f60718293a4b5c6d7e8f9"])
    by_hand: bool = Field(examples=[False])
    faults: list[Fault] = Field(examples=[[]])
    versions: list[KeptVersion] = Field(examples=[[]])


class Sample(Told):
    """What a channel would get, each field filled with its example."""

    channel: str = Field(examples=["facebook"])
    title: str = Field(examples=["News"])
    text: str = Field(examples=["News\n\nHear, hear."])
    problem: Fault | None = Field(examples=[None])


class Tried(Told):
    """How a text reads as a template: its faults, or what each channel would get."""

    faults: list[Fault] = Field(examples=[[]])
    samples: list[Sample]


class Picture(Told):
    """A picture that was taken in. `file` is the name that a letter gives it."""

    file: str = Field(examples=[f"{_SHA}.png"])
    sha256: str = Field(examples=[_SHA])
    bytes: int = Field(examples=[69])
    width: int = Field(examples=[1])
    height: int = Field(examples=[1])


class Action(Told):
    """One entry of the audit. `person` is null for what the service did."""

    id: int = Field(examples=[41])
    at: str = Field(examples=[_AT])
    kind: str = Field(examples=["approve"])
    person: str | None = Field(examples=["ben@example.org"])
    note: str | None = Field(examples=[None])
    announcement: int | None = Field(examples=[12])
    title: str | None = Field(examples=["Call for abstracts"])
    post: str | None = Field(examples=[None])
    channel: str | None = Field(examples=[None])


class Seal(Told):
    """The latest seal: everything up to these numbers is under its hash."""

    id: int = Field(examples=[7])
    sha256: str = Field(examples=[_SHA])
    at: str = Field(examples=[_AT])
    last_event: int = Field(examples=[41])
    last_sighting: int = Field(examples=[9])


class Audit(Told):
    """Actions, newest first. `cut`: so many were looked through that older ones may be left, though none is here."""

    actions: list[Action]
    next: str | None = Field(examples=[None])
    cut: bool = Field(examples=[False])
    seal: Seal | None

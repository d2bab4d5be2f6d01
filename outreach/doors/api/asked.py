"""Asked: the shapes of what is sent. Strict: a number is no text, and a key that nobody knows is refused."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from outreach import letter as letters
from outreach.doors.api.kept import Role_
from outreach.doors.api.told import State_
from outreach.front_matter import MAX_BYTES
from outreach.model import BadInput, Letter
from outreach.model import Picture as LetterPicture

_NOT_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_LINE = rf"^[^{_NOT_TEXT}\n\r\u2028\u2029]*$"
_TEXT = rf"^[^{_NOT_TEXT}]*$"
_MOST = 100_000

Line = Annotated[str, Field(max_length=2000, pattern=_LINE)]
Text = Annotated[str, Field(max_length=_MOST, pattern=_TEXT)]
Said = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S", examples=["Please name the room."])]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1, examples=[1], description="the revision that was looked at")]
Base = Annotated[
    str,
    Field(max_length=60, pattern=r"^[0-9a-f-]*$", examples=["1-0a1b2c3d4e5f6071"], description="as it was read"),
]


class Asked(BaseModel):
    """Something that is sent."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Picture(Asked):
    """A picture of the media folder. `alt` says what it shows; null for one that shows nothing that matters."""

    file: Annotated[Line, Field(min_length=1, max_length=200, examples=["poster.jpg"])]
    alt: Text | None = Field(examples=["Two people at a poster"])


class LetterKeys(Asked):
    """A letter: as JSON with the keys of a letter file, or the file itself as `letter`, not both."""

    letter: Annotated[str, Field(max_length=MAX_BYTES)] | None = Field(
        None, description="the whole letter, Markdown under front matter"
    )
    title: Line = Field("", examples=["Call for abstracts"])
    body: Text = Field("", examples=["Send yours."], description="Markdown")
    template: Line | None = Field(None, examples=[None])
    to: list[Line] = Field([], max_length=50, examples=[["facebook"]], description="channels; empty: all of them")
    at: Line | None = Field(None, examples=["2026-12-01 09:00"], description='a wall time, or "now"')
    zone: Line | None = Field(None, examples=["America/New_York"])
    not_after: Line | None = Field(None, examples=[None])
    grace: Line | None = Field(None, examples=[None])
    link: Line | None = Field(None, examples=["https://example.org/abstracts"])
    pictures: list[Picture] = Field([], max_length=20, examples=[[]])
    fields: dict[str, Text | list[Text]] = Field({}, max_length=200, examples=[{}])
    times: dict[str, Line] = Field({}, max_length=50, examples=[{}], description="a time of its own for a channel")
    corrects: Line | None = Field(None, examples=[None], description="the number of an announcement that is out")
    retracts: Line | None = Field(None, examples=[None], description="the number of an announcement that is out")
    starts: Line | None = Field(None, examples=[None], description="when an event begins, a wall time")
    ends: Line | None = Field(None, examples=[None], description="when it ends; an hour later if left out")
    place: Line | None = Field(None, examples=[None], description="where it is")
    first_comment: Text | None = Field(None, examples=[None], description="Markdown; a Page gets it below the post")
    video: Line | None = Field(None, examples=[None], description="a file of the media folder; a Page alone gets it")
    video_title: Line | None = Field(None, examples=[None])
    captions: Line | None = Field(None, examples=[None], description="an .srt file of the media folder")
    page_place: Line | None = Field(None, examples=[None], description="the number of a Facebook place")
    targeting: list[Line] = Field(
        [], max_length=25, examples=[[]], description="countries that can see the Page's post"
    )

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if self.letter is not None and any(getattr(self, name) for name in _KEYS):
            raise ValueError("give `letter`, or the keys of a letter, not both")
        return self

    def read(self, *, unfinished: bool = False) -> Letter:
        """Give the letter, read as one from a file would be. Raises `BadInput`."""
        if self.letter is not None:
            return letters.parse(self.letter)
        given = self._given()
        whole = replace(given, title=given.title or "?", body=given.body or "?") if unfinished else given
        found = letters.parse(letters.show(whole))
        if not unfinished:
            return found
        return replace(found, title=given.title and found.title, body=given.body and found.body)

    def _given(self) -> Letter:
        return Letter(
            title=self.title,
            body=self.body.strip("\n"),
            template=self.template or None,
            to=tuple(self.to),
            at=self.at or None,
            zone=self.zone or None,
            corrects=self.corrects or None,
            retracts=self.retracts or None,
            starts=self.starts or None,
            ends=self.ends or None,
            place=self.place or None,
            first_comment=self.first_comment or None,
            video=self.video or None,
            video_title=self.video_title or None,
            captions=self.captions or None,
            page_place=self.page_place or None,
            targeting=tuple(self.targeting),
            not_after=self.not_after or None,
            grace=self.grace or None,
            link=self.link or None,
            pictures=tuple(_picture(picture) for picture in self.pictures),
            fields=tuple((name, v if isinstance(v, str) else tuple(v)) for name, v in self.fields.items()),
            times=tuple(self.times.items()),
        )


_KEYS = tuple(name for name in LetterKeys.model_fields if name != "letter")


def _picture(given: Picture) -> LetterPicture:
    if given.alt is not None and not given.alt.strip():
        step = "Say what it shows, or send null if it shows nothing that matters."
        raise BadInput(f"The picture {given.file!r} has no alt text.", where="pictures", next_step=step)
    return LetterPicture(given.file, given.alt)


class NewAnnouncement(LetterKeys):
    """A letter to be queued, or to be kept as a draft."""

    draft: bool = Field(False, examples=[False], description="keep it without queueing it")


class NewDraft(LetterKeys):
    """What is being written, however unfinished."""


class Edit(LetterKeys):
    """A letter on top of the text that was read."""

    base: Base


class Moved(Asked):
    """Another time for the queued posts of an announcement, or for the one of a channel, on top of the text that was read."""

    base: Base
    wall_time: Line = Field(examples=["2026-12-04 10:30"])
    channel: Line | None = Field(None, examples=["facebook"])


class OfPosts(Asked):
    """Which posts of the announcement are meant: all of them, those of a channel, or one of a series there.

    With `state` or `attempts` it is refused (409) where a post stands otherwise by now.
    """

    channel: Line | None = Field(None, examples=["facebook"])
    occurrence: Annotated[int, Field(ge=1, le=10_000)] | None = Field(None, examples=[None])
    state: State_ | None = Field(None, examples=["queued"])
    attempts: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(None, examples=[0])


class Confirmed(OfPosts):
    """Where an unconfirmed post was found; a mail needs no address."""

    url: Line | None = Field(None, examples=["https://www.facebook.com/100/posts/200"])


class FirstCommentIs(OfPosts):
    """What a person says of a first comment that failed or is in doubt: it is there, or it is to be made again."""

    is_there: bool = Field(examples=[True])


class OfRevision(Asked):
    """One revision."""

    revision: Revision


class ChangesWanted(OfRevision):
    """What is to be changed."""

    said: Said


class NewComment(Asked):
    """Something to be said about the latest revision."""

    said: Said


class Why(Asked):
    """The reason, as it is shown to everybody."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S", examples=["The Page is being moved."])]


class Nothing(Asked):
    """Nothing more is needed; the body may be left out."""


class Invited(Asked):
    """Somebody to be let in."""

    email: Annotated[Line, Field(min_length=3, max_length=254, examples=["cleo@example.org"])]
    roles: list[Role_] = Field(min_length=1, max_length=4, examples=[["reviewer"]])


class Uninvited(Asked):
    """An invitation to be withdrawn."""

    email: Annotated[Line, Field(min_length=3, max_length=254, examples=["cleo@example.org"])]


class WantedRoles(Asked):
    """Exactly the roles that somebody is to have; none takes them out of the community."""

    roles: list[Role_] = Field(max_length=4, examples=[["coordinator", "approver"]])


class WantedWishes(Asked):
    """What the community wishes of its page; what is left out stays."""

    quiet_from: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = Field(
        None, examples=["21:00"]
    )
    quiet_to: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = Field(None, examples=["07:00"])
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] | None = Field(None, examples=["US"])
    apart_min: Annotated[int, Field(ge=0, le=10_080)] | None = Field(None, examples=[120])


class WantedApproval(Asked):
    """Whether somebody else has to approve what goes out."""

    approval: Literal["off", "required"] = Field(examples=["required"])


class WantedWebhook(Asked):
    """An address to be told what happens; https, and none inside a private network."""

    url: Annotated[Line, Field(min_length=8, max_length=2000, examples=["https://hooks.example.org/outreach"])]
    kinds: list[Literal["published", "failed", "needs-a-person"]] = Field(
        ["published", "failed", "needs-a-person"], min_length=1, max_length=3, examples=[["failed"]]
    )


# Members of lists


class GivenRoster(Asked):
    """Who is on a list: CSV with the columns address, name and status, or the answer to REVIEW. Null: ask Mailman."""

    text: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = Field(
        None, examples=["address,name\nann@example.org,Ann Example\n"]
    )


class OfAddress(Asked):
    """Whose data it is about."""

    address: Annotated[Line, Field(min_length=3, max_length=254, examples=["ann@example.org"])]


class Wish(Asked):
    """Somebody wants to join a list or to leave it."""

    list: Annotated[Line, Field(min_length=1, max_length=100, examples=["listserv"])]
    address: Annotated[Line, Field(min_length=3, max_length=254, examples=["ann@example.org"])]
    name: Annotated[Line, Field(max_length=200, examples=["Ann Example"])] = ""
    kind: Literal["join", "leave"] = Field("join", examples=["join"])


class WhyNot(Asked):
    """The reason, which the person reads; it may be left out."""

    why: Annotated[str, Field(max_length=500, examples=["The list is for members of the society."])] = ""


class WantedHabits(Asked):
    """What a list does with mails."""

    dedupe: Literal["", "message-id", "body", "none"] = Field("", examples=["message-id"])
    own_copy: bool | None = Field(None, examples=[True])
    moderated: bool | None = Field(None, examples=[True])
    lead_h: Annotated[float, Field(ge=0, le=336)] = Field(0, examples=[24])
    size_kb: Annotated[float, Field(ge=0, le=1_048_576)] | None = Field(None, examples=[40])
    calendar: bool | None = Field(None, examples=[None])
    confirms: bool | None = Field(None, examples=[None])


class OfDrafts(Asked):
    """Drafts to be put into one mail, in this order."""

    drafts: list[Annotated[int, Field(ge=1, le=10**12)]] = Field(min_length=2, max_length=30, examples=[[4, 5]])
    title: Annotated[Line, Field(max_length=200, examples=["News of the week"])] = ""

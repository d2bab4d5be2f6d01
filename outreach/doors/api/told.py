"""Told: the shapes of what is answered. Posts, announcements, previews, channels and errors are those of every other door."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

State_ = Literal[
    "queued", "publishing", "published", "unconfirmed", "held", "failed", "missed", "cancelled", "retracted"
]
_AT = "2026-12-01T14:00:00Z"
_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_LETTER = "---\ntitle: Call for abstracts\nat: 2026-12-01 09:00\n---\nSend yours.\n"


class Told(BaseModel):
    """Something that is answered: exactly these keys."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def of(cls, laid_out: Any) -> Self:
        """Read it from the shape that every door gives out."""
        return cls.model_validate(laid_out)


class Post(Told):
    """One announcement on one channel at one due time. `attempts` counts the tries; it is the fence of an action."""

    id: str = Field(examples=["12/facebook"])
    announcement: int = Field(examples=[12])
    title: str = Field(examples=["Call for abstracts"])
    channel: str = Field(examples=["facebook"])
    state: State_ = Field(examples=["queued"])
    due_at: str = Field(examples=[_AT], description="UTC, ISO 8601")
    wall_time: str = Field(examples=["2026-12-01 09:00"])
    time_zone: str = Field(examples=["America/New_York"])
    approved: bool = Field(examples=[True])
    attempts: int = Field(examples=[0])
    remote_id: str | None = Field(examples=[None])
    url: str | None = Field(examples=[None])
    message_id: str | None = Field(examples=[None])
    reason: str | None = Field(examples=[None])
    content_sha256: str = Field(examples=[_SHA])


class Fault(Told):
    """Something that would keep a post from going out; a warning would not, or not yet."""

    message: str = Field(examples=["The token ends on 2026-12-03."])
    next: str | None = Field(examples=["Make a new one."])
    warning: bool = Field(examples=[True])


class FirstComment(Told):
    """How the first comment under a post stands; what became of it says nothing of the post."""

    state: Literal["waiting", "posting", "posted", "failed", "in doubt"] = Field(examples=["posted"])
    attempts: int = Field(examples=[1])
    remote_id: str | None = Field(examples=["200_300"])
    reason: str | None = Field(examples=[None])
    next_at: str | None = Field(examples=[None])


class ShownPost(Post):
    """A post with everything that happened to it."""

    problems: list[Fault] = Field(examples=[[]])
    checked_at: str | None = Field(examples=[None])
    if_sent_again: str | None = Field(default=None, examples=[None], description="what sending one in doubt again does")
    first_comment: FirstComment | None = Field(default=None, examples=[None], description="null where it gets none")
    history: list[dict[str, Any]] = Field(examples=[[{"at": _AT, "kind": "queue", "attempt": 0}]])
    figures: dict[str, Any] | None = Field(
        default=None,
        examples=[{"as_of": _AT, "values": {"reached": 120, "reactions": 8}, "latest_comment": None}],
        description="how far it reached, as far as its channel told; null where nothing is known",
    )


class Posts(Told):
    """A part of a list of posts; `next` is the cursor of what follows, null at the end."""

    posts: list[Post]
    next: str | None = Field(examples=[None])


class Added(Told):
    """What became of a letter. No posts: it is a draft."""

    announcement: int = Field(examples=[12])
    posts: list[Post]
    notes: list[str] = Field(examples=[[]])


class Changed(Told):
    """What an action did: the posts as they are now, and what could not be done."""

    posts: list[Post]
    notes: list[str] = Field(examples=[[]])


class Announcement(Told):
    """What is said, as of its latest revision."""

    id: int = Field(examples=[12])
    title: str = Field(examples=["Call for abstracts"])
    status: str = Field(examples=["queued"])
    community: str = Field(examples=["TMM SIG"])
    revision: int = Field(examples=[1])
    approved_revision: int | None = Field(examples=[None])
    approved: bool = Field(examples=[True])
    written_by: str | None = Field(examples=["ann@example.org"])
    created_at: str = Field(examples=[_AT])
    letter: str = Field(examples=[_LETTER])


class Shown(Told):
    """An announcement and its posts, each with its history. `base` names this very text, for who edits it."""

    announcement: Announcement
    posts: list[ShownPost]
    base: str = Field(examples=["1-0a1b2c3d4e5f6071"])


class Version(Told):
    """What an announcement said as of one revision."""

    revision: int = Field(examples=[1])
    base: str = Field(examples=["1-0a1b2c3d4e5f6071"])
    letter: str = Field(examples=[_LETTER])
    written_by: str | None = Field(examples=["ann@example.org"])
    at: str = Field(examples=[_AT])


class Versions(Told):
    """Every revision of an announcement, oldest first."""

    versions: list[Version]


class Saved(Told):
    """A draft as it is kept now. `base` is to be named by the next save."""

    announcement: int = Field(examples=[12])
    base: str = Field(examples=["1-0a1b2c3d4e5f6071"])
    revision: int = Field(examples=[1])


class Draft(Told):
    """A draft in the list of all."""

    announcement: int = Field(examples=[12])
    title: str = Field(examples=["Call for abstracts"])
    revised_at: str = Field(examples=[_AT])
    written_by: str | None = Field(examples=["ann@example.org"])


class Drafts(Told):
    """The drafts, latest touched first."""

    drafts: list[Draft]


class SentPicture(Told):
    """A picture as it leaves; `alt` null: it shows nothing that matters."""

    file: str = Field(examples=["poster.jpg"])
    alt: str | None = Field(examples=["Two people at a poster"])
    sha256: str = Field(examples=[_SHA])


class Preview(BaseModel):
    """Exactly what one post sends; a Page's `requests` in their order, a mail's envelope, without any secret."""

    model_config = ConfigDict(extra="allow")

    channel: str = Field(examples=["facebook"])
    kind: str = Field(examples=["facebook_page"])
    text: str = Field(examples=["Call for abstracts\n\nSend yours."])
    link: str | None = Field(examples=[None])
    pictures: list[SentPicture]
    message: str | None = Field(examples=[None], description="the complete RFC 5322 message")
    content_sha256: str = Field(examples=[_SHA])


class Previews(Told):
    """What each of the posts sends."""

    previews: list[Preview]


class Comment(Told):
    """What somebody said about one revision."""

    id: int = Field(examples=[3])
    revision: int = Field(examples=[1])
    person: str = Field(examples=["ben@example.org"])
    at: str = Field(examples=[_AT])
    text: str = Field(examples=["Please name the room."])
    asks_for_changes: bool = Field(examples=[True])


class Comments(Told):
    """Everything said about an announcement, oldest first."""

    comments: list[Comment]


class Writers(Told):
    """Who else writes on an announcement right now."""

    people: list[str] = Field(examples=[["ben@example.org"]])


class AboutAnnouncement(Told):
    """The announcement that a webhook is told of, in short."""

    id: int = Field(examples=[12])
    title: str = Field(examples=["Call for abstracts"])
    status: str = Field(examples=["published"])


class Telling(Told):
    """What a webhook is sent. It may come twice when an answer gets lost: go by `id`.

    `post` is as it stood when this was written down; null where it is about a channel, or about everything.
    """

    id: str = Field(examples=["4711"])
    kind: Literal["published", "failed", "needs-a-person", "test"] = Field(examples=["published"])
    at: str = Field(examples=[_AT])
    community: str | None = Field(examples=["TMM SIG"])
    post: Post | None
    announcement: AboutAnnouncement | None
    channel: str | None = Field(examples=["facebook"])
    why: str | None = Field(examples=[None])


class Problem(BaseModel):
    """What went wrong (RFC 9457). `type` is one of a closed list; some carry more, such as the `announcement` it is already."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:outreach:problem:bad-input"])
    title: str = Field(examples=["This cannot be used"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The letter has no title."])
    where: str | None = Field(examples=["letter, line 1"])
    next: str | None = Field(examples=["Add a line such as title: Call for abstracts."])

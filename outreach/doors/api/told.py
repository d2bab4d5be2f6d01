"""Told: the shapes of what is answered. Posts, announcements, previews, channels and errors are those of every other door."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.model import State
from outreach.store.people import PersonRow

STATES = tuple(str(state) for state in State)
State_ = Literal[
    "queued", "publishing", "published", "unconfirmed", "held", "failed", "missed", "cancelled", "retracted"
]
Role_ = Literal["coordinator", "approver", "reviewer", "admin"]
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


class ShownPost(Post):
    """A post with everything that happened to it."""

    problems: list[Fault] = Field(examples=[[]])
    checked_at: str | None = Field(examples=[None])
    if_sent_again: str | None = Field(default=None, examples=[None], description="what sending one in doubt again does")
    history: list[dict[str, Any]] = Field(examples=[[{"at": _AT, "kind": "queue", "attempt": 0}]])


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


class Channel(Told):
    """A channel and how it stands; `problems` are plain sentences."""

    name: str = Field(examples=["facebook"])
    kind: str = Field(examples=["facebook_page"])
    state: Literal["ready", "paused"] = Field(examples=["ready"])
    reason: str | None = Field(examples=[None])
    until: str | None = Field(examples=[None])
    problems: list[str] = Field(examples=[[]])


class Channels(Told):
    """The channels of the community."""

    channels: list[Channel]


class TemplateField(Told):
    """What a template asks for."""

    name: str = Field(examples=["deadline"])
    type: str = Field(examples=["date"])
    help: str = Field(examples=["The last day"])
    example: str = Field(examples=["2027-01-15"])
    optional: bool = Field(examples=[False])
    choices: list[str] = Field(examples=[[]])


class Template(Told):
    """A named wording with the fields that it asks for."""

    name: str = Field(examples=["call-for-abstracts"])
    title: str = Field(examples=["Call for abstracts: {{ meeting }}"])
    about: str = Field(examples=["Asks for abstracts"])
    fields: list[TemplateField]


class Templates(Told):
    """The templates, by name."""

    templates: list[Template]


class Person(Told):
    """Somebody with a role in the community."""

    id: int = Field(examples=[2])
    email: str = Field(examples=["ben@example.org"])
    name: str = Field(examples=["Ben"])
    roles: list[Role_] = Field(examples=[["approver"]])
    closed_at: str | None = Field(examples=[None], description="since when they may not get in")
    second_factor: bool = Field(examples=[False])

    @classmethod
    def of_row(cls, row: PersonRow) -> "Person":
        """Lay a person out, without anything that opens a door."""
        closed = shapes.instant(row.closed_at)
        roles = [str(role) for role in sorted(row.roles)]
        told = {"id": row.id, "email": row.email, "name": row.name, "roles": roles, "closed_at": closed}
        return cls.of(told | {"second_factor": row.totp is not None})


class People(Told):
    """Everybody with a role in the community, by address."""

    people: list[Person]


class Me(Told):
    """Who calls, and what the token and the roles allow."""

    person: Person
    scopes: list[str] = Field(examples=[["read", "write"]])
    community: str = Field(examples=["TMM SIG"])

    @classmethod
    def of_visitor(cls, visitor: Visitor, community: str) -> "Me":
        """Lay it out."""
        return cls(person=Person.of_row(visitor.person), scopes=sorted(visitor.scopes or ()), community=community)


class Invitation(Told):
    """An invitation that nobody has taken up yet."""

    email: str = Field(examples=["cleo@example.org"])
    roles: list[str] = Field(examples=[["reviewer"]])
    ends_at: str = Field(examples=[_AT])


class Invitations(Told):
    """The open invitations."""

    invitations: list[Invitation]


class Link(Told):
    """A link that opens once, to be handed to the person; it is not kept and not shown again. Null: nobody may have one."""

    link: str | None = Field(examples=["https://outreach.example.org/links/…"])


class Wishes(Told):
    """What a community wishes of its page. The times are wall times in its zone."""

    quiet_from: str = Field(examples=["21:00"])
    quiet_to: str = Field(examples=["07:00"])
    country: str = Field(examples=["US"])
    apart_min: int = Field(examples=[120])


class Settings(Told):
    """How the community is set up, without any secret."""

    community: str = Field(examples=["TMM SIG"])
    time_zone: str = Field(examples=["America/New_York"])
    approval: Literal["off", "required"] = Field(examples=["required"])
    wishes: Wishes


class SafeMode(Told):
    """Whether nothing goes out, and why."""

    on: bool = Field(examples=[False])
    cause: str | None = Field(examples=[None])
    reason: str | None = Field(examples=[None])
    since: str | None = Field(examples=[None])


class Alarm(Told):
    """Something that a person is told of."""

    kind: str = Field(examples=["missed"])
    message: str = Field(examples=["12/facebook was missed."])
    next: str = Field(examples=["outreach show 12"])
    raised_at: str | None = Field(examples=[_AT])
    told_at: str | None = Field(examples=[_AT])
    ended_at: str | None = Field(default=None, examples=[None])


class Alarms(Told):
    """What is wrong now, and what was lately."""

    now: list[Alarm]
    over: list[Alarm]


class Route(Told):
    """A way by which people are told of trouble, and what kept it from taking a test."""

    route: str = Field(examples=["mail"])
    ok: bool = Field(examples=[True])
    problem: str | None = Field(examples=[None])


class Routes(Told):
    """How the test of each route ended."""

    routes: list[Route]


class Figures(Told):
    """How the install stands in a few figures."""

    ok: bool = Field(examples=[True])
    problems: list[str] = Field(examples=[[]])
    overdue: int = Field(examples=[0])
    unconfirmed: int = Field(examples=[0])
    missed: int = Field(examples=[0])
    failed: int = Field(examples=[0])
    queued: int = Field(examples=[3])
    paused_channels: int = Field(examples=[0])
    safe_mode: bool = Field(examples=[False])
    seconds_since_the_last_beat: float | None = Field(examples=[4.2])
    open_alarms: int = Field(examples=[0])


class Webhook(Told):
    """An address that is told what happens."""

    id: int = Field(examples=[1])
    url: str = Field(examples=["https://hooks.example.org/outreach"])
    kinds: list[str] = Field(examples=[["published", "failed", "needs-a-person"]])
    made_at: str = Field(examples=[_AT])
    waiting: int = Field(examples=[0], description="deliveries that were not taken yet")
    last_taken_at: str | None = Field(examples=[_AT])
    last_trouble: str | None = Field(examples=[None])
    ended_at: str | None = Field(examples=[None])
    end_reason: str | None = Field(examples=[None])


class Webhooks(Told):
    """The webhooks of the community, newest first, those that ended included."""

    webhooks: list[Webhook]


class NewWebhook(Told):
    """A new webhook with the secret that signs what it is sent; it is shown this once."""

    webhook: Webhook
    secret: str = Field(examples=["whsec_…"])


class Tried(Told):
    """How a test delivery ended."""

    ok: bool = Field(examples=[True])
    status: int | None = Field(examples=[204])
    problem: str | None = Field(examples=[None])


class Problem(BaseModel):
    """What went wrong (RFC 9457). `type` is one of a closed list; some carry more, such as the `announcement` it is already."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:outreach:problem:bad-input"])
    title: str = Field(examples=["This cannot be used"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The letter has no title."])
    where: str | None = Field(examples=["letter, line 1"])
    next: str | None = Field(examples=["Add a line such as title: Call for abstracts."])

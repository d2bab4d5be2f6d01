"""Kept: the shapes of what is answered about the house itself: people, channels, templates, settings, webhooks."""

from typing import Literal

from pydantic import Field

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.api.told import Told
from outreach.store.people import PersonRow

Role_ = Literal["coordinator", "approver", "reviewer", "admin"]
_AT = "2026-12-01T14:00:00Z"


class Channel(Told):
    """A channel and how it stands; `problems` are plain sentences."""

    name: str = Field(examples=["facebook"])
    kind: str = Field(examples=["facebook_page"])
    state: Literal["ready", "paused"] = Field(examples=["ready"])
    reason: str | None = Field(examples=[None])
    until: str | None = Field(examples=[None])
    problems: list[str] = Field(examples=[[]])


class Followed(Told):
    """What a Page tells of by itself, in Facebook's words."""

    fields: list[str] = Field(examples=[["feed"]])


class Channels(Told):
    """The channels of the community."""

    channels: list[Channel]


class Tested(Told):
    """A test that was queued: the announcement shows what becomes of it."""

    announcement: int = Field(examples=[12])


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


class Member(Told):
    """Somebody on a list."""

    address: str = Field(examples=["ann@example.org"])
    name: str = Field(examples=["Ann Example"])
    status: Literal["member", "digest", "no-mail", "moderated"] = Field(examples=["member"])


class Roster(Told):
    """Who is on a list, as far as it was imported; `count` is that of all, null where nothing was."""

    count: int | None = Field(examples=[120])
    source: str | None = Field(examples=["from members.csv"])
    imported_at: str | None = Field(examples=[_AT])
    members: list[Member]
    has_more: bool = Field(examples=[False])


class Imported(Told):
    """What was imported, and what was left out and why."""

    members: int = Field(examples=[120])
    notes: list[str] = Field(examples=[[]])


class Erased(Told):
    """In how many places something was erased."""

    erased: int = Field(examples=[1])


class Prepared(Told):
    """A mail to the list's owner that a person sends or has sent."""

    to: str = Field(examples=["list-owner@lists.example.org"])
    subject: str = Field(examples=["A request to be added to list@lists.example.org"])
    words: str = Field(examples=["Please add this address …"])


class Request(Told):
    """Somebody wants to join a list or to leave it. The address is empty once it was erased."""

    id: int = Field(examples=[7])
    list: str = Field(examples=["listserv"])
    kind: Literal["join", "leave"] = Field(examples=["join"])
    state: Literal["unconfirmed", "waiting", "accepted", "done", "declined", "lapsed"] = Field(examples=["waiting"])
    came_by: Literal["form", "mail", "coordinator"] = Field(examples=["form"])
    address: str = Field(examples=["ann@example.org"])
    name: str = Field(examples=["Ann Example"])
    words: str = Field(examples=["I work on the topic."])
    made_at: str = Field(examples=[_AT])
    confirmed_at: str | None = Field(examples=[_AT])
    settled_at: str | None = Field(examples=[None])
    decided_by: str | None = Field(examples=[None])
    note: str | None = Field(examples=[None])
    way: Literal["rest", "command", "person", "owner"] = Field(examples=["command"])
    prepared: Prepared | None = Field(examples=[None])


class Requests(Told):
    """The open requests, those asked first first."""

    requests: list[Request]


class Habits(Told):
    """What people have said of a list; null and empty are "nobody has said it"."""

    dedupe: Literal["", "message-id", "body", "none"] = Field(examples=["message-id"])
    own_copy: bool | None = Field(examples=[True])
    moderated: bool | None = Field(examples=[True])
    lead_h: float = Field(examples=[24])
    size_kb: float | None = Field(examples=[40])
    calendar: bool | None = Field(examples=[None])
    confirms: bool | None = Field(examples=[None])

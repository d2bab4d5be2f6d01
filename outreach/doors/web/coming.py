"""The queue: what needs a person first, then what goes out next by day, then what went out last."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.desk import Upcoming
from outreach.doors.web import live, timeline
from outreach.doors.web.frame import NotThere, Site
from outreach.model import BadInput, Post, State
from outreach.roles import Verb
from outreach.store.lanes import Mark
from outreach.trouble import Alarm, AlarmKind
from outreach.when import day_of, show_day

MOST_ALARMS = 20


@dataclass(frozen=True, slots=True)
class Need:
    """A post that needs a person: what is wrong, in a word and in a sentence, and what to do next."""

    post: Post
    kind: str
    said: str
    step: str
    label: str = "Look at it"


@dataclass(frozen=True, slots=True)
class Card:
    """The posts of one announcement that go out at the same instant."""

    posts: Sequence[Post]

    @property
    def first(self) -> Post:
        """The one that stands for all."""
        return self.posts[0]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the queue is asked for. `after` and `before` lead to further pages of two lists."""

    channel: str | None = None
    after: Mark | None = None
    before: Mark | None = None

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """Read it from an address. Raises `NotThere`."""
        given = request.query_params
        try:
            marks = [Mark.read(given[name]) if given.get(name) else None for name in ("after", "before")]
        except BadInput as bad:
            raise NotThere(bad.message, next_step=bad.next_step) from None
        return cls(given.get("channel") or None, *marks)

    @property
    def is_first(self) -> bool:
        """Tell whether it is the first page, which alone shows everything."""
        return self.after is None and self.before is None

    def address(self, path: str = "/", **more: object) -> str:
        """Give the address of this part, or of a further page of it."""
        named = {"channel": self.channel, "after": self.after, "before": self.before} | more
        query = urlencode({name: str(value) for name, value in named.items() if value})
        return f"{path}?{query}" if query else path


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    desk = site.house.desk

    @router.get("/")
    def start(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        if not visitor.may(Verb.LOOK):
            return site.go("/history")
        return _drawn(site, request, visitor, "coming.html")

    @router.get("/queue/live")
    def queue_now(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))]) -> Response:
        if live.is_known(request, desk.pulse()):
            return live.nothing_new()
        return _drawn(site, request, visitor, "_coming.html")

    @router.get("/more")
    def more(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        return site.draw(request, "more.html", visitor)

    return router


def _drawn(site: Site, request: Request, visitor: Visitor, name: str) -> Response:
    house, asked, now = site.house, Asked.of(request), site.house.clock.now()
    pulse = house.desk.pulse()  # first: what changes meanwhile is then asked for once more
    try:
        found = house.desk.upcoming(channel=asked.channel, after=asked.after, before=asked.before)
    except BadInput as bad:
        raise NotThere(bad.message, next_step=bad.next_step) from None
    told = house.alarms.beside_the_states(house.community.id, most=MOST_ALARMS)
    in_view = [each for each in told if asked.channel is None or each[1] is None or each[1].channel == asked.channel]
    needs = list(_needs(found, in_view))
    told_above = {need.post.id for need in needs}
    shown = {
        "found": found,
        "asked": asked,
        "alarms": [alarm for alarm, post in in_view if post is None and alarm.kind is not AlarmKind.SAFE_MODE],
        "needs": needs,
        "checks": {post: check for post, check in found.checks.items() if post not in told_above},
        "days": list(_by_day(found.queued.posts, now, house.community.time_zone)),
        "gone": list(_gathered(found.went_out)),
        "pulse": pulse,
        "every": live.every_s(chain(found.in_flight, found.queued.posts[:1], found.open_questions), now),
        "is_web_address": timeline.is_web_address,
    }
    return site.draw(request, name, visitor, **shown)


# What needs a person


def _needs(found: Upcoming, told: Iterable[tuple[Alarm, Post | None]]) -> Iterator[Need]:
    """Once for each post: what is in doubt first, then what is wrong besides, then what waits, then what is over."""
    seen: set[int] = set()
    alarmed = [_alarmed(alarm, post) for alarm, post in told if post is not None]
    waiting = [Need(post, "not approved", *_UNAPPROVED) for post in found.unapproved]
    lists = (map(_in_doubt, found.open_questions), alarmed, waiting, map(_at_a_bad_rest, found.bad_rests.posts))
    for need in chain.from_iterable(lists):
        if need.post.id not in seen:
            seen.add(need.post.id)
            yield need


_UNAPPROVED = (
    "Nobody approved it as it is now. Without an approval it is missed.",
    "Ask somebody who may approve.",
)


def _in_doubt(post: Post) -> Need:
    if post.state is State.HELD:
        step = "Let it through, or refuse it, where the list is moderated. This page notices."
        return Need(post, "held", post.reason or "The list holds it for its moderator.", step)
    is_looked_for = "It is being looked for; you may wait. Or look" if post.look_at else "Nobody looks any more: look"
    step = f"{is_looked_for} on the channel yourself, then say whether it is there."
    return Need(post, "unconfirmed", post.reason or "It may be out or not.", step, "Decide")


def _at_a_bad_rest(post: Post) -> Need:
    step = "Send it now after all, change it, or let it be."
    return Need(post, str(post.state), post.reason or "", step, "Decide")


def _alarmed(alarm: Alarm, post: Post) -> Need:
    match alarm.kind:
        case AlarmKind.PREFLIGHT:
            said, step = "It would not go out as things stand.", "Put right what is listed here before its time."
        case AlarmKind.TWICE:
            said, step = "It went out more than once.", "Delete all but one of its copies on the channel."
        case AlarmKind.OVERDUE if post.state is State.PUBLISHING:
            said, step = "It is being sent, and no answer has come; it may be out.", alarm.next_step
        case AlarmKind.OVERDUE:
            said, step = f"It is overdue and not out yet. {post.reason or ''}", alarm.next_step
        case _:
            said, step = alarm.message, alarm.next_step
    return Need(post, str(alarm.kind), said.strip(), step)


# What goes out next


def _by_day(posts: Sequence[Post], now: datetime, zone: str) -> Iterator[tuple[str, list[Card]]]:
    today = day_of(now, zone)
    names = {today: "Today", today + timedelta(days=1): "Tomorrow"}
    # What should have gone out on an earlier day goes out now.
    for day, of_day in groupby(posts, key=lambda post: max(today, day_of(post.due_at, zone))):
        yield f"{names[day]}, {show_day(day)}" if day in names else show_day(day), list(_cards(of_day))


def _gathered(posts: Iterable[Post]) -> Iterator[Card]:
    """What went out on several channels for one time stands together, at the place of the latest."""
    together: dict[tuple[int, datetime], list[Post]] = {}
    for post in posts:
        together.setdefault((post.announcement, post.planned_at), []).append(post)
    return map(Card, together.values())


def _cards(posts: Iterable[Post]) -> Iterator[Card]:
    for _, together in groupby(posts, key=lambda post: (post.announcement, post.due_at)):
        yield Card(list(together))

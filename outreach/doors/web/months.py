"""The calendar: a month or a week of posts, the days they speak of and the quiet hours; posts are moved by hand or by keys."""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach import when
from outreach.access import Visitor
from outreach.advice import holiday_on
from outreach.desk import NamedDay
from outreach.doors.web.frame import NotThere, Posted, Site
from outreach.model import BadInput, Post, State
from outreach.roles import Verb
from outreach.store.agenda import Day
from outreach.store.lanes import Mark
from outreach.wishes import Wishes

MOST_ON_A_DAY = {"month": 5, "week": 25}
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, slots=True)
class Entry:
    """The posts of one announcement at one time: one card. `base` names the text that a move changes."""

    posts: tuple[Post, ...]
    at: datetime
    base: str
    is_quiet: bool = False

    @property
    def first(self) -> Post:
        """Give one of them: title, zone and time are those of all."""
        return self.posts[0]

    @property
    def clock(self) -> str:
        """Give the time of day on the wall clocks of its zone."""
        return f"{when.local(self.at, self.first.time_zone):%H:%M}"

    @property
    def name(self) -> str:
        """Name what a move moves: the whole announcement where all of it is here, else the post."""
        return self.first.name if len(self.posts) == 1 else str(self.first.announcement)

    @property
    def is_movable(self) -> bool:
        """Tell whether nothing of it was tried yet."""
        return all(post.state is State.QUEUED and not post.attempt for post in self.posts)


@dataclass(frozen=True, slots=True)
class DayShown:
    """One day of the calendar, in the community's zone. `more` counts the posts that are not listed; `rest` leads to them."""

    day: date
    is_of_month: bool
    is_today: bool
    entries: tuple[Entry, ...]
    named: tuple[NamedDay, ...]
    holiday: str
    more: int = 0
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """What is shown: a month or a week, with the ways to the one before and the one after."""

    kind: str
    title: str
    first: date
    days: int
    before: str
    after: str
    other: str
    month: int | None = None

    @property
    def each(self) -> list[date]:
        """Give its days."""
        return [self.first + timedelta(days=place) for place in range(self.days)]

    @property
    def last(self) -> date:
        """Give the last day of it."""
        return self.first + timedelta(days=self.days - 1)


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_pages(router, site)
    _add_moves(router, site)
    return router


def _add_pages(router: APIRouter, site: Site) -> None:
    @router.get("/calendar")
    def calendar(
        request: Request,
        visitor: Annotated[Visitor, Depends(site.may(Verb.LOOK))],
        month: str = "",
        week: str = "",
    ) -> Response:
        return _drawn(site, request, visitor, span_of(month, week, today=_today(site)))


def _add_moves(router: APIRouter, site: Site) -> None:
    @router.post("/calendar/move")
    def move(request: Request, form: Annotated[Posted, Depends(site.posts(Verb.WRITE))]) -> Response:
        span = span_of(form.text("month"), form.text("week"), today=_today(site))
        try:
            said = _moved(site, form)
        except BadInput as bad:
            return _drawn(site, request, form.visitor, span, bad=bad, status_code=409)
        if request.headers.get("HX-Request"):
            return _drawn(site, request, form.visitor, span, said=said, moved=form.text("name"))
        return site.go(_address(span), notice=said)


def _moved(site: Site, form: Posted) -> str:
    name, desk = form.text("name"), site.house.desk
    wanted = f"{form.text('day').strip()} {form.text('time').strip()}"
    added = desk.move_to(name, wanted, base=form.text("base"), person=form.visitor.email)
    moved = [post for post in added.posts if name in (post.name, str(post.announcement))]
    first = moved[0] if moved else added.posts[0]
    again = "" if first.approved else " It has to be approved again."
    where = " and ".join(post.channel for post in moved)
    return f"Moved: {first.title} goes out on {where} on {when.show(first.planned_at, first.time_zone)}.{again}"


def _drawn(site: Site, request: Request, visitor: Visitor, span: Span, **more: Any) -> Response:
    desk, wishes = site.house.desk, site.house.desk.wishes()
    planned = desk.planned(span.each, site.house.settings.OUTREACH_TIME_ZONE, most=MOST_ON_A_DAY[span.kind])
    posts = [post for day in planned for together in day.posts for post in together]
    named = desk.named_days(posts, span.first, span.last)
    bases = desk.bases(sorted({post.announcement for post in posts if post.state is State.QUEUED}))
    shown = {
        "span": span,
        "days": [_shown(site, span, *one, named, bases, wishes) for one in zip(span.each, planned, strict=True)],
        "wishes": wishes,
        "ten_days": timedelta(days=10),
        "is_empty": not posts and not named,
    }
    name = "_calendar.html" if request.headers.get("HX-Request") else "calendar.html"
    return site.draw(request, name, visitor, **shown, **more)


def span_of(month: str, week: str, *, today: date) -> Span:
    """Read `2026-12` or `2026-W49`; without either, the month of today. Raises `NotThere` for what is no such span."""
    if week:
        found = _WEEK.fullmatch(week)
        first = _first_of_week(found) if found else None
    else:
        found = _MONTH.fullmatch(month or f"{today:%Y-%m}")
        first = date(int(found[1]), int(found[2]), 1) if found and 1 <= int(found[2]) <= 12 and int(found[1]) else None
    if first is None or not 2000 <= first.year <= 2100:
        raise NotThere("There is no such page of the calendar.", next_step="Write it such as 2026-12, or 2026-W49.")
    return _week(first) if week else _month(first)


def _first_of_week(found: re.Match[str]) -> date | None:
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        return None


def _week(first: date) -> Span:
    def named(day: date) -> str:
        return f"week={day:%G-W%V}"

    seven = timedelta(days=7)
    title = f"Week of {first.day} {first:%B %Y}"
    return Span("week", title, first, 7, named(first - seven), named(first + seven), f"month={first:%Y-%m}")


def _month(first: date) -> Span:
    length = monthrange(first.year, first.month)[1]
    before = first - timedelta(days=first.weekday())
    weeks = (first.weekday() + length + 6) // 7
    earlier, later = first - timedelta(days=1), first + timedelta(days=length)
    return Span(
        "month",
        f"{first:%B %Y}",
        before,
        7 * weeks,
        f"month={earlier:%Y-%m}",
        f"month={later:%Y-%m}",
        f"week={first:%G-W%V}",
        month=first.month,
    )


def _address(span: Span) -> str:
    if span.kind == "week":
        return f"/calendar?week={span.first:%G-W%V}"
    return f"/calendar?month={span.first + timedelta(days=10):%Y-%m}"


def _shown(
    site: Site,
    span: Span,
    day: date,
    planned: Day,
    named: Sequence[NamedDay],
    bases: Mapping[int, str],
    wishes: Wishes,
) -> DayShown:
    today = _today(site)
    return DayShown(
        day=day,
        is_of_month=span.month in (None, day.month),
        is_today=day == today,
        entries=tuple(entry for together in planned.posts for entry in _entries(site, together, bases, wishes)),
        named=tuple(one for one in named if one.day == day),
        holiday=holiday_on(day, wishes.country),
        more=planned.more,
        rest=_rest(site, span, day, today) if planned.more else "",
    )


def _rest(site: Site, span: Span, day: date, today: date) -> str:
    """Say where the posts of a day are that find no room: in the week, in the history, or in the queue from that day on."""
    if span.kind == "month":
        return f"/calendar?week={day:%G-W%V}"
    if day <= today:
        return f"/history?since={day}&until={day}"
    return f"/?after={Mark(when.midnight(day, site.house.settings.OUTREACH_TIME_ZONE), 0)}"


def _entries(site: Site, together: Sequence[Post], bases: Mapping[int, str], wishes: Wishes) -> list[Entry]:
    """Make the cards of posts of one announcement that are due together, one for each state they are in."""
    zone = site.house.settings.OUTREACH_TIME_ZONE
    in_states: dict[State, list[Post]] = {}
    for post in together:
        in_states.setdefault(post.state, []).append(post)
    return [
        Entry(
            tuple(of),
            _stands_at(of[0], zone),
            bases.get(of[0].announcement, ""),
            wishes.is_quiet(time.fromisoformat(of[0].wall_time[11:16])),
        )
        for of in in_states.values()
    ]


def _stands_at(post: Post, zone: str) -> datetime:
    """Give the planned time; where a post was due on another day at last, the time of that."""
    is_same_day = when.day_of(post.planned_at, zone) == when.day_of(post.due_at, zone)
    return post.planned_at if is_same_day else post.due_at


def _today(site: Site) -> date:
    return when.day_of(site.house.clock.now(), site.house.settings.OUTREACH_TIME_ZONE)

"""The report of a year for a board: what went out, by whom, where it can be seen, and what did not go out and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.web import asked, charts
from outreach.doors.web.frame import NotThere, Site
from outreach.doors.web.past import csv_of, figures, json_of, sent
from outreach.reach import FEWEST_POSTS
from outreach.roles import Verb
from outreach.store.months import TROUBLE
from outreach.store.posts import HistoryFilter
from outreach.store.search import Gone
from outreach.when import local

MOST = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """What one announcement came to within a month, on all its channels."""

    first: Gone
    posts: tuple[Gone, ...]


def routes(site: Site) -> APIRouter:
    """Make the route."""
    router = APIRouter()
    house = site.house
    zone = house.settings.OUTREACH_TIME_ZONE

    @router.get("/history/report")
    def report(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        now = house.clock.now()
        year = _year(request.query_params.get("year", ""), default=local(now, zone).year)
        since, until = asked.year_of(year, zone)
        wanted = HistoryFilter(since=since, until=until, limit=MOST + 1)
        rows = list(house.desk.every_gone(wanted))
        is_cut, rows = len(rows) > MOST, rows[:MOST][::-1]
        months = charts.months_between(year * 100 + 1, year * 100 + 12)
        numbers, is_whole = house.desk.numbers(months[0], months[-1])
        shown: dict[str, Any] = {
            "year": year,
            "now": now,
            "entries": _by_month(rows, zone),
            "trouble": [row for row in rows if row.post.state in TROUBLE],
            "is_cut": is_cut,
            "most": MOST,
            "is_whole": is_whole,
            "choices": house.desk.choices(),
            "telling": house.desk.what_reaches(rows, zone),
            "fewest": FEWEST_POSTS,
        }
        return site.draw(request, "history-report.html", visitor, **shown, **figures(numbers, months))

    _add_reach(router, site)
    return router


def _add_reach(router: APIRouter, site: Site) -> None:
    """What reaches people in a year, to be taken along; of all its posts, however many."""
    house = site.house
    zone = house.settings.OUTREACH_TIME_ZONE

    def rows(request: Request) -> list[dict[str, Any]]:
        year = _year(request.query_params.get("year", ""), default=local(house.clock.now(), zone).year)
        since, until = asked.year_of(year, zone)
        gone = house.desk.every_gone(HistoryFilter(since=since, until=until, limit=None))
        return shapes.what_reaches(house.desk.what_reaches(gone, zone))

    @router.get("/history/report/reach.csv", dependencies=[Depends(site.may(Verb.READ))])
    def as_csv(request: Request) -> Response:
        return sent(csv_of(rows(request), shapes.REACH_KEYS), "text/csv; charset=utf-8", "reach.csv")

    @router.get("/history/report/reach.json", dependencies=[Depends(site.may(Verb.READ))])
    def as_json(request: Request) -> Response:
        return sent(json_of(rows(request)), "application/json", "reach.json")


def _year(text: str, *, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) == 4 and 1970 <= int(text) <= 9000):
        raise NotThere("There is no report of such a year.", next_step="Choose a year in the history.")
    return int(text)


def _by_month(rows: Iterable[Gone], zone: str) -> list[tuple[str, list[Entry]]]:
    def month(row: Gone) -> int:
        at = local(row.post.planned_at, zone)
        return at.year * 100 + at.month

    return [(charts.named(number), _entries(found)) for number, found in groupby(rows, month)]


def _entries(rows: Iterable[Gone]) -> list[Entry]:
    of_each: dict[int, list[Gone]] = {}
    for row in rows:
        of_each.setdefault(row.post.announcement, []).append(row)
    return [Entry(found[0], tuple(found)) for found in of_each.values()]

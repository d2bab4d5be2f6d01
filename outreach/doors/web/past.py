"""The history: everything that ever went out, found again, in figures, and to be taken along."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from outreach.access import Visitor
from outreach.doors import shapes
from outreach.doors.web import asked, charts, growth
from outreach.doors.web.frame import Site
from outreach.model import Post, State
from outreach.roles import Verb
from outreach.store.months import Choices, Numbers
from outreach.store.search import COUNTED, Gone
from outreach.when import local

_SHOWN_MONTHS = 12
_LATELY = 24
_EARLIEST = 190001
_LATEST = 999912
_STATES = tuple(str(s) for s in State if s not in (State.QUEUED, State.PUBLISHING))


def routes(site: Site) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _add_list(router, site)
    _add_numbers(router, site)
    _add_exports(router, site)
    return router


def _add_list(router: APIRouter, site: Site) -> None:
    desk, zone = site.house.desk, site.house.settings.OUTREACH_TIME_ZONE

    @router.get("/history")
    def history(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        question = asked.read(request.query_params, zone)
        shown: dict[str, Any] = {"asked": question, "options": _options(desk.choices()), "counted": COUNTED}
        if question.bad:
            return site.draw(request, "history.html", visitor, **shown, look=None, bad=question.bad, status_code=422)
        look = desk.look_back(question.wanted, below=question.below, above=question.above)
        shown |= {"look": look, "months": _by_month(look.page.rows, zone), "glance": None}
        shown["came_of"] = _came_of(site, [row.post for row in look.page.rows])
        if not question.is_narrowed and look.page.newer is None:
            shown["glance"] = _glance(site)
        return site.draw(request, "history.html", visitor, **shown)


def _came_of(site: Site, posts: Sequence[Post]) -> dict[int, str]:
    """Say of each post what came of it, where something is known."""
    ids = [post.id for post in posts]
    reach, seen_after = site.house.desk.reach_of(ids), site.house.desk.seen_after(ids)
    return {post.id: growth.in_a_line([post], reach, seen_after) for post in posts}


def _options(choices: Choices) -> dict[str, list[tuple[str, str]]]:
    """Give what each list of the form offers, as (value, word for it)."""
    return {
        "channel": [(name, name) for name in choices.channels],
        "state": [(name, name) for name in _STATES],
        "template": [(name, name) for name in choices.templates],
        "person": [(email, f"{name} ({email})" if name else email) for email, name in choices.people],
    }


def _by_month(rows: Iterable[Gone], zone: str) -> list[tuple[str, list[Gone]]]:
    """Put the posts of each month of the zone together, in their order."""
    return [
        (charts.named(month), list(found))
        for month, found in groupby(rows, lambda row: _month(row.post.planned_at, zone))
    ]


def _month(at: datetime, zone: str) -> int:
    there = local(at, zone)
    return there.year * 100 + there.month


def _glance(site: Site) -> dict[str, Any]:
    """Give the figures of the last year at a glance."""
    now = _month(site.house.clock.now(), site.house.settings.OUTREACH_TIME_ZONE)
    months = charts.months_between(charts.months_before(now, _SHOWN_MONTHS), now)
    numbers, _ = site.house.desk.numbers(months[0], now)
    return {
        "numbers": numbers,
        "chart": charts.per_month(numbers, months),
        "percent": charts.percent,
        "year": now // 100,
    }


def _add_numbers(router: APIRouter, site: Site) -> None:
    @router.get("/history/numbers")
    def numbers(request: Request, visitor: Annotated[Visitor, Depends(site.may(Verb.READ))]) -> Response:
        now = site.house.clock.now()
        last = _month(now, site.house.settings.OUTREACH_TIME_ZONE)
        months = charts.months_between(charts.months_before(last, _LATELY), last)
        lately, is_whole = site.house.desk.numbers(months[0], last)
        ever, _ = site.house.desk.numbers(_EARLIEST, _LATEST)
        shown = figures(lately, months) | {"ever": ever, "is_whole": is_whole, "now": now}
        return site.draw(request, "history-numbers.html", visitor, **shown, choices=site.house.desk.choices())


def figures(numbers: Numbers, months: list[int]) -> dict[str, Any]:
    """Give everything that the charts of some months and their tables need."""
    return {
        "numbers": numbers,
        "months_shown": months,
        "named": charts.named,
        "percent": charts.percent,
        "charts": (
            charts.per_month(numbers, months),
            charts.shares(numbers, months, of_trouble=False),
            charts.shares(numbers, months, of_trouble=True),
        ),
    }


# To be taken along


def _add_exports(router: APIRouter, site: Site) -> None:
    zone = site.house.settings.OUTREACH_TIME_ZONE

    def found(request: Request) -> Iterator[dict[str, Any]]:
        question = asked.read(request.query_params, zone)
        if question.bad:
            raise question.bad
        gone = site.house.desk.every_gone(question.wanted)
        return (shapes.gone(row) | shapes.flat_figures(reach) for row, reach in site.house.desk.with_reach(gone))

    @router.get("/history/export.csv", dependencies=[Depends(site.may(Verb.READ))])
    def as_csv(request: Request) -> Response:
        return sent(csv_of(found(request), shapes.EXPORT_KEYS), "text/csv; charset=utf-8", "history.csv")

    @router.get("/history/export.json", dependencies=[Depends(site.may(Verb.READ))])
    def as_json(request: Request) -> Response:
        return sent(json_of(found(request)), "application/json", "history.json")


def sent(parts: Iterator[str], kind: str, name: str) -> Response:
    """Send a file to be kept, a part at a time."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, media_type=kind, headers=headers)


def csv_of(rows: Iterable[dict[str, Any]], keys: Sequence[str]) -> Iterator[str]:
    """Write rows as CSV that a spreadsheet opens as it is."""
    out = io.StringIO()
    writer = csv.DictWriter(out, keys, lineterminator="\r\n")
    out.write("\ufeff")  # without it Excel takes UTF-8 for something else
    writer.writeheader()
    for row in rows:
        writer.writerow(shapes.for_a_spreadsheet(row))
        if out.tell() > 32_000:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def json_of(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Write rows as one JSON list."""
    parts = chain.from_iterable((("," if n else "") + "\n", json.dumps(row)) for n, row in enumerate(rows))
    yield "["
    yield from parts
    yield "\n]\n"

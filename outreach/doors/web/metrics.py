"""`/healthz` and `/metrics`: a few figures from the store and the clock, true also when no worker runs.

A stranger is told whether all is well and nothing else; who may look is told everything.
"""

from collections.abc import Iterator
from dataclasses import asdict

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from outreach.bootstrap import House
from outreach.doors.web.frame import Site
from outreach.roles import Verb
from outreach.store import StoreTrouble, explained, figures
from outreach.store.figures import Figures

_GAUGES = {
    "overdue": "Posts that nothing holds back and that are not out though they were due.",
    "unconfirmed": "Posts that may be out or not.",
    "missed": "Posts that were missed in the last 14 days and still are.",
    "failed": "Posts that failed in the last 14 days and still are.",
    "queued": "Posts that wait for their time, counted up to 10000.",
    "paused_channels": "Channels that let nothing out.",
    "open_alarms": "Alarms that are not over.",
}


def add(app: FastAPI, site: Site) -> None:
    """Add both addresses."""
    house = site.house
    registry = CollectorRegistry()
    registry.register(_Figures(house))

    @app.get("/healthz")
    def healthz(request: Request) -> JSONResponse:
        try:
            found = _read(house)
            is_known = _may_look(site, request)
        except StoreTrouble as trouble:
            return JSONResponse({"ok": False, "problems": [explained(trouble).message]}, status_code=503)
        return _health(found) if is_known else _whether(found)

    @app.get("/metrics")
    def metrics(request: Request) -> Response:
        try:
            if not _may_look(site, request):
                said = "Log in, or send a token: Authorization: Bearer outreach_…\n"
                return Response(said, status_code=401, headers={"WWW-Authenticate": "Bearer"})
        except StoreTrouble:
            pass  # that the database is down is all that can be told then
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _may_look(site: Site, request: Request) -> bool:
    visitor = site.visitor(request)
    if visitor is None and (token := _bearer(request)):
        visitor = site.access.visitor_by_token(token)
    may_read = visitor is not None and (visitor.scopes is None or "read" in visitor.scopes)
    return visitor is not None and may_read and visitor.may(Verb.LOOK)


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _whether(found: Figures) -> JSONResponse:
    is_well = not list(found.problems())
    return JSONResponse({"ok": is_well}, status_code=200 if is_well else 503)


def _read(house: House) -> Figures:
    with house.store.read() as tx:
        return figures.read(tx, house.clock.now())


def _health(found: Figures) -> JSONResponse:
    problems = list(found.problems())
    told = {"ok": not problems, "problems": problems} | asdict(found)
    told["seconds_since_the_last_beat"] = told.pop("since_beat_s")
    return JSONResponse(told, status_code=503 if problems else 200)


class _Figures(Collector):
    """Reads the figures each time it is asked."""

    def __init__(self, house: House) -> None:
        self._house = house

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: that would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give everything; without the database, only that it cannot be used and what this process knows."""
        try:
            found: Figures | None = _read(self._house)
        except StoreTrouble:
            found = None
        yield GaugeMetricFamily("outreach_database_up", "1 while the database can be read.", float(found is not None))
        if found is not None:
            yield from _gauges(found)
        buckets, sum_s = self._house.lateness.counted()
        about = "How many seconds after their planned time posts were out."
        yield HistogramMetricFamily("outreach_lateness_seconds", about, buckets=buckets, sum_value=sum_s)


def _gauges(found: Figures) -> Iterator[Metric]:
    for name, about in _GAUGES.items():
        yield GaugeMetricFamily(f"outreach_{name}", about, float(getattr(found, name)))
    yield GaugeMetricFamily("outreach_safe_mode", "1 while safe mode is on.", float(found.safe_mode))
    if found.since_beat_s is not None:
        about = "Seconds since a worker last gave a sign; missing when none runs."
        yield GaugeMetricFamily("outreach_last_beat_age_seconds", about, found.since_beat_s)
